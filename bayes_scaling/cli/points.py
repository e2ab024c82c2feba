"""Points to forecast at, as people write them: ``N=70B,D=1.4T,family=c4``, or a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bayes_scaling._errors import DataError, ForecastError, did_you_mean, list_names
from bayes_scaling.cli.shell_words import quoted_labels
from bayes_scaling.data.table import open_table
from bayes_scaling.data.validate import read_labels, read_numbers
from bayes_scaling.law_draws import points_of
from bayes_scaling.posterior import Fit, Sampled
from bayes_scaling.quantity import parse_assignments
from bayes_scaling.symbols import COVARIATES, find_symbol


def read_points(fit: Fit | Sampled, at: Sequence[str], at_file: str | None) -> pd.DataFrame:
    """Return all points as one checked frame, in the order given, those of the file last.

    Raises
    ------
    BayesScalingError
        When there is none, or one of them cannot be read.
    """
    given: list[Any] = [_point(fit, text) for text in at]
    given += [_from_file(fit, at_file)] if at_file is not None else []
    if not given:
        raise ForecastError(
            "no point is given: pass --at N=70B,D=1.4T (repeat for more) or --at-file points.csv"
        )
    # Each is completed by itself: one point may say N and D, the next N and C.
    return pd.concat([points_of(fit, each) for each in given], join="inner", ignore_index=True)


def _known(fit: Fit | Sampled) -> list[str]:
    return list(dict.fromkeys([*fit.runs.covariates, *COVARIATES, *fit.runs.groups]))


def _point(fit: Fit | Sampled, text: str) -> dict[str, float | str]:
    point = parse_assignments(quoted_labels(text, fit.runs.groups))
    known = _known(fit)
    stray = [name for name in point if name not in known]
    if stray:
        wanted = [*fit.spec.law.inputs, *fit.spec.groups]
        raise ForecastError(
            f"--at names {stray[0]!r}, which this fit does not know: it takes "
            f"{list_names(wanted)}.{did_you_mean(stray[0], known)}"
        )
    return point


def _from_file(fit: Fit | Sampled, path: str) -> pd.DataFrame:
    table = open_table(path)
    columns = _symbols(fit, list(table.columns))
    read = {
        symbol: (read_labels if symbol in fit.runs.groups else _numbers)(table, column)
        for symbol, column in columns.items()
    }
    return pd.DataFrame(read)


def _numbers(table: pd.DataFrame, column: str) -> Any:
    return read_numbers(table, column, find_symbol(column) or column)


def _symbols(fit: Fit | Sampled, columns: Sequence[str]) -> Mapping[str, str]:
    """Columns of the file by symbol or group; columns that are neither are passed over."""
    known, found = set(_known(fit)), {}
    for column in columns:
        symbol = column if column in known else find_symbol(column)
        if symbol not in known:
            continue
        if symbol in found:
            raise DataError(
                f"columns {found[symbol]!r} and {column!r} could each be {symbol}: remove one"
            )
        found[symbol] = column
    return found
