"""Runs that could be made, with what each costs: from a table, or a grid within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError, DecisionError, did_you_mean, list_names
from bayes_scaling.data.table import open_table
from bayes_scaling.data.validate import read_labels, read_numbers, rows_text
from bayes_scaling.decisions.asked import positive
from bayes_scaling.forecasting import grid
from bayes_scaling.law_draws import points_frame, points_of
from bayes_scaling.posterior import Fit, Sampled
from bayes_scaling.symbols import COVARIATES, find_symbol

COST, FLOPS = "cost", "FLOPs"
MOST = 3000  # candidates; their joint covariance is kept
STEPS = 8


class Candidates(NamedTuple):
    """Checked points with every input and grouping column, their cost (candidate,), its unit."""

    points: pd.DataFrame
    cost: np.ndarray
    currency: str


def read_candidates(fit: Fit | Sampled, source: Any, cost: str = COST) -> Candidates:
    """Return the candidates of a table, in its order.

    Parameters
    ----------
    fit
        The fit that they would be added to: its inputs and families are looked for.
    source
        Path, frame, `Runs` or mapping of columns. Columns are found by name as in `read_runs`.
    cost
        Column of costs; without one of this name, the cost is C = 6 N D in FLOPs.

    Raises
    ------
    BayesScalingError
        Naming the column or rows that are missing or not positive, and the mend.
    """
    table = open_table(points_frame(source) if hasattr(source, "covariates") else source)
    if len(table) > MOST:
        raise DecisionError(
            f"candidates has {len(table)} rows, at most {MOST} can be weighed at once: leave some "
            "out, or use a coarser grid."
        )
    found = _columns(fit, [c for c in table.columns if c != cost])
    groups = fit.runs.groups
    read = {
        symbol: (read_labels if symbol in groups else _numbers)(table, column)
        for symbol, column in found.items()
    }
    _check_present(fit, read)
    points = points_of(fit, pd.DataFrame(read))
    currency = FLOPS if cost not in table.columns and cost == COST else cost
    return Candidates(points, _costs(table, points, cost), currency)


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    """Numbers; a column can not be left out here, so that the reader's offer of it is cut off."""
    symbol = column if column in COVARIATES else find_symbol(column) or column
    try:
        return read_numbers(table, column, symbol)
    except DataError as error:
        raise DecisionError(f"candidates: {str(error).partition(', or pass')[0]}.") from None


def _columns(fit: Fit | Sampled, columns: Sequence[str]) -> dict[str, str]:
    """Columns of the table by symbol or group; those that are neither are passed over."""
    known = {*fit.spec.law.inputs, *fit.spec.groups, *COVARIATES, "trials"}
    known |= {fit.spec.noise_trend} - {""}
    found: dict[str, str] = {}
    for column in columns:
        symbol = column if column in known else find_symbol(column)
        if symbol is None or symbol not in known:
            continue
        if symbol in found:
            raise DecisionError(
                f"candidates: columns '{found[symbol]}' and '{column}' could each be {symbol}: "
                "remove one."
            )
        found[symbol] = column
    return found


def _check_present(fit: Fit | Sampled, read: Mapping[str, Any]) -> None:
    groups = fit.spec.groups
    if groups and groups[-1] not in read:
        known = fit.grouping.labels[groups[-1]]
        raise DecisionError(
            f"candidates has no column '{groups[-1]}': add the family of every run, of "
            f"{list_names(known)}."
        )
    traded = {"N", "D", "C", "M"}
    closed = traded if len(traded & {*read}) > 1 else set()
    wanted = [*fit.spec.law.inputs, *([fit.spec.noise_trend] if fit.spec.noise_trend else [])]
    for name in wanted:
        if name not in read and name not in closed:
            raise DecisionError(
                f"candidates has no column for '{name}': law '{fit.spec.law.name}' takes "
                f"{', '.join(fit.spec.law.inputs)} (found: {list_names(read)}); add or rename one."
            )


def _costs(table: pd.DataFrame, points: pd.DataFrame, column: str) -> np.ndarray:
    if column in table.columns:
        costs = _numbers(table, column)
        if (bad := ~(costs > 0)).any():
            raise DecisionError(
                f"candidates: column '{column}' must be above zero, it is not in "
                f"{rows_text(table, bad)}: correct or remove such rows."
            )
        return costs
    if column != COST:
        raise DecisionError(
            f"candidates has no column '{column}' of costs.{did_you_mean(column, table.columns)}"
        )
    if "C" not in points:
        raise DecisionError(
            f"candidates: without N and D the cost 6 N D of a run is not known: add a column "
            f"'{COST}'."
        )
    return points["C"].to_numpy(float)


def candidate_grid(*, steps: int = STEPS, **bounds: Any) -> pd.DataFrame:
    """Return a grid of runs, evenly in the logarithm of every bounded input.

    Parameters
    ----------
    steps
        Values of every input that has bounds.
    bounds
        For every input a pair of a lower and an upper bound, in its unit, or one value; labels of
        families as a text or a list of them.

    Raises
    ------
    DecisionError
        When bounds are not two positive numbers, the lower first, or steps is below 2.

    Examples
    --------
    >>> len(candidate_grid(N=(1e7, 1e9), M=(5, 80), steps=4))
    16
    """
    if steps < 2 or not bounds:
        raise DecisionError("a grid needs bounds such as N=(1e7, 1e9), and steps of 2 or more.")
    return grid(**{name: _axis(name, asked, steps) for name, asked in bounds.items()})


def _axis(name: str, asked: Any, steps: int) -> Any:
    labels = [asked] if isinstance(asked, str) else asked
    if np.ndim(labels) and all(isinstance(each, str) for each in labels):
        return list(labels)
    if np.ndim(asked) == 0:
        return [positive(f"'{name}'", asked)]
    if len(asked) != 2:
        raise DecisionError(f"'{name}' has {len(asked)} bounds: give a lower and an upper one.")
    low, high = (positive(f"a bound of '{name}'", v) for v in asked)
    if not low < high:
        raise DecisionError(f"'{name}' from {low:g} to {high:g}: give the lower bound first.")
    return list(np.geomspace(low, high, steps))
