"""`Runs`: a validated table of training runs, the only form of data that models see."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayes_scaling._errors import DataError, Note, list_names
from bayes_scaling.data.columns import check_column
from bayes_scaling.data.notes import completion_notes
from bayes_scaling.data.validate import check_units, read_numbers, sign_notes
from bayes_scaling.quantity import format_quantity
from bayes_scaling.symbols import SYMBOLS, complete


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Runs:
    """Training runs, one per row, checked and in the units of the vocabulary.

    Made by `read_runs`. Rows keep their order.

    Parameters
    ----------
    values
        Symbol to float64 array (n,): every covariate that was read or computed, and the
        response.
    response
        Symbol of the response, such as ``"L"`` (nats/token).
    run_id
        Distinct text label of each row, (n,).
    groups
        Names of the grouping columns from outer to inner; empty without groups.
    labels
        Grouping column to text labels (n,).
    run
        Which training run each row is a checkpoint of, (n,), or None when rows are runs.
    se
        Known standard errors of the response on its own scale, (n,), or None.
    trials
        Number of items that each share was counted on, (n,), or None.
    notes
        What was computed, left out or looked odd while reading.
    columns
        Symbol to the column of the source it was read from; computed symbols are absent.
    table
        The rows as they came, the index counting rows of the source from 0.
    """

    values: Mapping[str, np.ndarray]
    response: str
    run_id: np.ndarray
    groups: tuple[str, ...] = ()
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    run: np.ndarray | None = None
    se: np.ndarray | None = None
    trials: np.ndarray | None = None
    notes: tuple[Note, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    table: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.run_id)

    def __len__(self) -> int:
        return self.n

    @property
    def covariates(self) -> dict[str, np.ndarray]:
        """The values without the response."""
        return {name: each for name, each in self.values.items() if name != self.response}

    def group_levels(self, name: str) -> list[str]:
        """Return the sorted distinct labels of a grouping column.

        Raises
        ------
        DataError
            When the runs were not read with this group.
        """
        if name not in self.labels:
            raise DataError(
                f"{name!r} is not a group of these runs: pass group={name!r} to read_runs."
                f" Groups: {list_names(self.labels)}"
            )
        return [str(level) for level in np.unique(self.labels[name])]

    def subset(self, mask: ArrayLike) -> "Runs":
        """Return some of the runs.

        Parameters
        ----------
        mask
            Truth value for each row, (n,), or distinct row positions from 0.

        Raises
        ------
        DataError
            When the mask does not fit the runs, or keeps none or a row twice.
        """
        rows = _positions(np.asarray(mask), self.n)
        return replace(
            self,
            values={name: each[rows] for name, each in self.values.items()},
            labels={name: each[rows] for name, each in self.labels.items()},
            run_id=self.run_id[rows],
            run=None if self.run is None else self.run[rows],
            se=None if self.se is None else self.se[rows],
            trials=None if self.trials is None else self.trials[rows],
            table=self.table.iloc[rows] if len(self.table) else self.table,
        )

    def with_covariate(self, symbol: str, column: str) -> "Runs":
        """Return the runs with one more covariate, read from a column of ``table``.

        Parameters
        ----------
        symbol
            Name laws will know it by; one of the vocabulary or a new one.
        column
            Column of the original table. Symbols that follow are computed, as in `read_runs`.

        Raises
        ------
        DataError
            When the symbol is already there, or the column is missing or not usable.
        """
        if symbol in self.values:
            raise DataError(
                f"{symbol!r} is already there: pass columns={{{symbol!r}: {column!r}}} to read_runs"
            )
        if not symbol.isidentifier():
            raise DataError(f"{symbol!r} cannot name a covariate: use letters, digits and _ only")
        read = read_numbers(self.table, check_column(self.table, column, "column"), symbol)
        values, formulas = complete({**self.values, symbol: read})
        notes = (
            *check_units(symbol, column, read),
            *sign_notes(symbol, column, read),
            *completion_notes(formulas),
        )
        return replace(
            self,
            values=values,
            columns={**self.columns, symbol: column},
            notes=(*self.notes, *notes),
        )

    def frame(self) -> pd.DataFrame:
        """Return a tidy copy: run_id, run, groups, covariates, response, se, trials."""
        parts: dict[str, np.ndarray] = {"run_id": self.run_id}
        parts |= {} if self.run is None else {"run": self.run}
        parts |= {**self.labels, **self.covariates, self.response: self.values[self.response]}
        parts |= {} if self.se is None else {"se": self.se}
        parts |= {} if self.trials is None else {"trials": self.trials}
        return pd.DataFrame({name: each.copy() for name, each in parts.items()})

    def __repr__(self) -> str:
        return "\n".join(_lines(self))


def constant_columns(runs: Runs) -> list[str]:
    """Return the covariates that have the same value in every row.

    Examples
    --------
    >>> from bayes_scaling.data import read_runs
    >>> constant_columns(read_runs({"N": [1e9, 1e9], "D": [1e10, 2e10], "L": [3.0, 2.9]}))
    ['N']
    """
    return [name for name, each in runs.covariates.items() if np.all(each == each[0])]


def _positions(mask: np.ndarray, n: int) -> np.ndarray:
    """Return row positions from a mask of truth values or from positions."""
    if mask.dtype == np.bool_ and mask.shape == (n,):
        rows = np.flatnonzero(mask)
    elif mask.dtype.kind in "iu" and mask.ndim == 1:
        rows = mask
    else:
        raise DataError(f"a mask over {n} runs must hold {n} truth values, or row positions")
    if not len(rows):
        raise DataError("the mask keeps no rows: choose at least one run")
    if len(np.unique(rows)) < len(rows) or rows.min() < 0 or rows.max() >= n:
        raise DataError(f"row positions must be distinct and within 0 to {n - 1}")
    return rows


def _lines(runs: Runs) -> Iterator[str]:
    yield f"Runs: {runs.n} rows, response {_describe(runs, runs.response)}"
    for name in runs.covariates:
        yield f"  {_describe(runs, name)}"
    for name in runs.groups:
        levels = runs.group_levels(name)
        more = ", ..." if len(levels) > 5 else ""
        yield f"  group {name}: {len(levels)} levels ({', '.join(levels[:5])}{more})"
    if runs.run is not None:
        yield f"  checkpoints of {len(np.unique(runs.run))} training runs"
    if runs.se is not None:
        yield "  with known standard errors"
    if runs.trials is not None:
        yield f"  shares of {runs.trials.min():.6g} to {runs.trials.max():.6g} items"
    warnings = sum(note.severity != "info" for note in runs.notes)
    if warnings:
        yield f"  {warnings} warning(s), see .notes"


def _describe(runs: Runs, name: str) -> str:
    values = runs.values[name]
    meaning = f" ({SYMBOLS[name].meaning})" if name in SYMBOLS else ""
    return f"{name}{meaning}: {format_quantity(values.min())} to {format_quantity(values.max())}"
