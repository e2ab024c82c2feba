"""`read_runs`: any table of training runs in, validated `Runs` out."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError, Note, list_names
from bayes_scaling.data.columns import Matched, check_column, left_out, match_columns
from bayes_scaling.data.notes import (
    completion_notes,
    duplicate_notes,
    group_notes,
    relation_notes,
)
from bayes_scaling.data.runs import Runs
from bayes_scaling.data.table import cells_of, open_table
from bayes_scaling.data.validate import (
    check_units,
    label_text,
    read_counts,
    read_errors,
    read_ids,
    read_labels,
    read_numbers,
    sign_notes,
)
from bayes_scaling.symbols import complete


def read_runs(
    source: Any,
    *,
    group: str | Sequence[str] | None = None,
    response: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    inputs: Sequence[str] = (),
    run: str | None = None,
    se: str | None = None,
    trials: str | None = None,
    run_id: str | None = None,
    where: Mapping[str, Any] | None = None,
    units: Mapping[str, float] | None = None,
) -> Runs:
    """Return the training runs of a table, checked and in the vocabulary's units.

    Columns are recognised by name (``params``, ``n_tokens``, ``val_loss`` ..., see
    `bayes_scaling.symbols`). Of parameters N, tokens D, FLOPs C and tokens per parameter M,
    those that follow from the others by C = 6 N D and M = D / N are computed.

    Parameters
    ----------
    source
        Path to a CSV, TSV (either may be gzipped) or parquet file; a pandas, polars or pyarrow
        table, or another that narwhals knows; a mapping of column names to sequences. Runs are
        returned as they are.
    group
        Column of the family each run belongs to, or several such columns from outer to inner.
    response
        Column of the response, or its symbol. A column whose name says nothing is taken as L.
        By default the recognised loss, else the first recognised response.
    columns
        Symbol to column, where names do not say it or several could be meant. A new name makes
        an extra covariate, None leaves a symbol out: ``{"N": "size", "G": "granularity",
        "lr": None}``.
    inputs
        Columns that are covariates under their own names, such as the shares of a mixture.
    run
        Column of the training run when rows are checkpoints of runs.
    se
        Column of known standard errors of the response, in the response's unit.
    trials
        Column of the number of items (questions, attempts) whose share the response is; the noise
        is then that of counts, ``noise="beta_binomial"``.
    run_id
        Column that labels every row differently; by default a column of that very name.
    where
        Column to the value, or values, of rows to keep: ``{"role": "fit"}``.
    units
        Symbol to the factor that turns the column into parameters, tokens, FLOPs, nats:
        ``{"N": 1e9}``. A factor of 1 asserts that the values are right as they are.

    Returns
    -------
    Runs
        One row per row kept; ``notes`` say what was computed, left out or looked odd.

    Raises
    ------
    DataError
        When the table cannot be used: one line with the column, the rows (numbered from 1,
        the header not counted) and the mend.

    Examples
    --------
    >>> runs = read_runs({"params": ["70M", "1.4B"], "tokens": ["1.4B", "28B"], "loss": [3.9, 2.8]})
    >>> runs.values["M"]
    array([20., 20.])
    """
    groups = [group] if isinstance(group, str) else list(group or ())
    if isinstance(source, Runs):
        options = (response, columns, inputs or None, run, se, trials, run_id, where, units)
        return _as_they_are(source, groups, any(each is not None for each in options))
    table = _keep(open_table(source), where or {})
    named = {name: name for name in ([inputs] if isinstance(inputs, str) else inputs)}
    matched = match_columns(table, {**named, **(columns or {})}, response)
    read = _read_values(table, matched, _check_units_argument(units or {}, matched))
    labels, label_notes = _read_groups(table, groups)
    training_run = None if run is None else read_labels(table, check_column(table, run, "run"))
    values, formulas = complete(read.values)
    identity = {**labels, **({} if training_run is None else {"its run": training_run})}
    return Runs(
        values=values,
        response=matched.response,
        run_id=_row_ids(table, run_id, training_run),
        groups=tuple(groups),
        labels=labels,
        run=training_run,
        se=_read_se(table, se, (units or {}).get(matched.response, 1.0)),
        trials=None
        if trials is None
        else read_counts(table, check_column(table, trials, "trials")),
        notes=(
            *matched.notes,
            *read.notes,
            *completion_notes(formulas),
            *relation_notes(table, read.values),
            *duplicate_notes(table, {**read.values, **identity}),
            *label_notes,
            *group_notes(labels),
        ),
        columns=read.columns,
        table=table,
    )


def _as_they_are(runs: Runs, groups: list[str], options: bool) -> Runs:
    if options or (groups and tuple(groups) != runs.groups):
        raise DataError(
            "read_runs was given Runs and options to read them with: pass the original table, or"
            " use .subset and .with_covariate"
        )
    return runs


# --- rows ----------------------------------------------------------------------------------


def _keep(table: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows whose cells equal what is asked for, compared as labels."""
    for column, wanted in where.items():
        name = check_column(table, column, "where")
        cells = np.array([label_text(cell) for cell in cells_of(table, name)])
        asked = [label_text(each) for each in _as_list(wanted)]
        keep = np.isin(cells, asked)
        if not keep.any():
            raise DataError(
                f"where: no row has {column!r} equal to {list_names(asked)}: its values are"
                f" {list_names(dict.fromkeys(cells))}"
            )
        table = table.iloc[np.flatnonzero(keep)]
    return table


def _as_list(wanted: Any) -> list[Any]:
    many = isinstance(wanted, Iterable) and not isinstance(wanted, str)
    return list(wanted) if many else [wanted]


def _row_ids(table: pd.DataFrame, column: str | None, run: np.ndarray | None) -> np.ndarray:
    """Return distinct labels: from a column, else run and count within it, else row numbers."""
    if column is not None:
        return read_ids(table, check_column(table, column, "run_id"))
    if run is not None:
        counts = pd.Series(run).groupby(run).cumcount() + 1
        return np.array([f"{name}#{k}" for name, k in zip(run, counts, strict=True)])
    if "run_id" in table.columns:
        return read_ids(table, "run_id")
    return np.array([f"row{index}" for index in table.index])


# --- columns -------------------------------------------------------------------------------


class _Read(NamedTuple):
    values: dict[str, np.ndarray]
    columns: dict[str, str]
    notes: list[Note]


def _read_values(table: pd.DataFrame, matched: Matched, units: Mapping[str, float]) -> _Read:
    """Read every matched column; a fault in an optional one becomes a note."""
    read = _Read({}, {}, [])
    for symbol, column in matched.columns.items():
        try:
            values = read_numbers(table, column, symbol)
        except DataError as error:
            if symbol not in matched.optional:
                raise
            read.notes.append(left_out(symbol, str(error)))
            continue
        read.values[symbol] = values * units.get(symbol, 1.0)
        read.columns[symbol] = column
        checked = () if symbol in units else check_units(symbol, column, values)
        read.notes.extend((*checked, *sign_notes(symbol, column, values)))
    return read


def _check_units_argument(units: Mapping[str, float], matched: Matched) -> Mapping[str, float]:
    for symbol, factor in units.items():
        if symbol not in matched.columns:
            raise DataError(
                f"units names {symbol!r}, which is not read from a column: units are given for"
                f" {list_names(matched.columns)}"
            )
        number = isinstance(factor, Real) and not isinstance(factor, bool)
        if not number or not 0 < float(factor) < float("inf"):
            raise DataError(f"units={{{symbol!r}: {factor!r}}}: give a factor above zero, like 1e9")
    return units


def _read_se(table: pd.DataFrame, column: str | None, factor: float) -> np.ndarray | None:
    if column is None:
        return None
    return read_errors(table, check_column(table, column, "se")) * factor


def _read_groups(
    table: pd.DataFrame, groups: list[str]
) -> tuple[dict[str, np.ndarray], list[Note]]:
    """Return labels of every grouping column; inner ones made distinct across outer ones."""
    if len(set(groups)) < len(groups):
        raise DataError(f"group names a column twice ({list_names(groups)}): name each once")
    labels = {name: read_labels(table, check_column(table, name, "group")) for name in groups}
    if barred := [name for name in groups if "/" in name]:
        # the results are stored under the column's name, where a / parts folders
        raise DataError(f"group column {barred[0]!r} has a '/' in its name: rename it")
    notes: list[Note] = []
    for outer, inner in pairwise(groups):
        pairs = np.array([f"{a}/{b}" for a, b in zip(labels[outer], labels[inner], strict=True)])
        if len(np.unique(pairs)) > len(np.unique(labels[inner])):
            labels[inner] = pairs
            message = f"labels of {inner!r} occur under several {outer!r} and now carry its label,"
            notes.append(Note("labels_qualified", "info", f"{message} as in {str(pairs[0])!r}."))
    return labels, notes
