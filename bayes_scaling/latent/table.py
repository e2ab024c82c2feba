"""A table of models by benchmarks with gaps: read, checked, and never filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError, Note, SpecError, did_you_mean, list_names
from bayes_scaling.data.columns import check_column
from bayes_scaling.data.table import open_table
from bayes_scaling.data.validate import read_ids, read_labels, read_optional, rows_text
from bayes_scaling.symbols import complete, find_symbol

FEWEST_MODELS = 4
INPUTS = ("N", "D", "C")
_TABLE = "give benchmarks=[...] the names of columns with scores between 0 and 1"


@dataclass(frozen=True)
class Scores:
    """Scores of models on benchmarks, with what is known of the models.

    Attributes
    ----------
    values
        Scores between 0 and 1, shape (model, benchmark); NaN where there is none.
    inputs
        Parameters ``N``, tokens ``D`` or FLOPs ``C``, each of shape (model,).
    family, model
        Labels of shape (model,).
    benchmarks
        Names of the columns of ``values``.
    notes
        What was left out.
    """

    values: np.ndarray
    inputs: Mapping[str, np.ndarray]
    family: np.ndarray
    model: np.ndarray
    benchmarks: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    @property
    def families(self) -> np.ndarray:
        """Sorted labels of the families."""
        return np.unique(self.family)


def read_scores(
    source: Any,
    benchmarks: Sequence[str],
    *,
    inputs: Sequence[str] = ("N", "D"),
    family: str = "family",
    model: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Scores:
    """Return the scores of a table with one row a model.

    Parameters
    ----------
    source
        Anything `read_runs` takes as a table: a path, a frame, a mapping of columns.
    benchmarks
        Columns of scores between 0 and 1; empty cells are scores that are not known.
    inputs
        ``("N", "D")``, ``("C",)``, or any of the three; C is 6 N D where no column has it.
    family, model
        Columns of labels; models are numbered where no column names them.
    columns
        Symbol to column, where names do not tell.

    Raises
    ------
    DataError
        When a column is not there, a score is outside 0 to 1, a benchmark has no scores, a label
        is missing, or fewer than four models are left.
    """
    table, names = open_table(source), _names(benchmarks)
    for name in names:
        check_column(table, name, "benchmarks")
    values = np.column_stack([_scores(table, name) for name in names])
    labels = read_labels(table, check_column(table, family, "family"))
    ids = read_ids(table, check_column(table, model, "model")) if model else _numbered(table)
    known = _inputs(table, tuple(inputs), columns or {})
    blind = ~np.all([np.isfinite(x) for x in known.values()], axis=0)
    empty = ~np.isfinite(values).any(axis=1)
    kept = ~(blind | empty)
    _enough(values[kept], names)
    return Scores(
        values[kept],
        {name: x[kept] for name, x in known.items()},
        labels[kept],
        ids[kept],
        names,
        tuple(_notes(table, values[kept], blind, empty & ~blind, tuple(known))),
    )


def _names(benchmarks: Sequence[str]) -> tuple[str, ...]:
    names = (benchmarks,) if isinstance(benchmarks, str) else tuple(benchmarks)
    if not names or len(set(names)) < len(names):
        raise DataError(f"benchmarks={list(names)} must name each column once: {_TABLE}")
    return names


def _numbered(table: pd.DataFrame) -> np.ndarray:
    return np.array([f"model {int(i) + 1}" for i in table.index])


def _scores(table: pd.DataFrame, column: str) -> np.ndarray:
    values = read_optional(table, column)
    bad = (values < 0) | (values > 1)
    if bad.any():
        raise DataError(
            f"scores in column {column!r} must lie between 0 and 1, they do not in "
            f"{rows_text(table, bad)}: divide percentages by 100, or empty such cells"
        )
    return values


def _inputs(
    table: pd.DataFrame, wanted: tuple[str, ...], columns: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """The inputs asked for, shape (row,), NaN where a row has none."""
    if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) <= set(INPUTS):
        raise SpecError(f"inputs={list(wanted)} must name each of 'N', 'D', 'C' at most once.")
    found = {s: str(c) for c in table.columns if (s := find_symbol(str(c))) in INPUTS}
    found |= {s: check_column(table, c, f"columns[{s!r}]") for s, c in columns.items()}
    have = {s: _positive(table, c) for s, c in found.items() if s in INPUTS}
    whole, _ = complete(
        {s: x for s, x in have.items() if s in wanted or not set(wanted) <= {*have}}
    )
    missing = [s for s in wanted if s not in whole]
    if missing:
        raise DataError(
            f"no column gives {missing[0]}: pass columns={{{missing[0]!r}: '...'}}, or other "
            f"inputs. Columns: {list_names(table.columns)}"
        )
    return {s: whole[s] for s in wanted}


def _positive(table: pd.DataFrame, column: str) -> np.ndarray:
    values = read_optional(table, column)
    bad = values <= 0
    if bad.any():
        raise DataError(
            f"column {column!r} must be above zero, it is not in {rows_text(table, bad)}: correct "
            "or empty such cells"
        )
    return values


def _enough(values: np.ndarray, names: tuple[str, ...]) -> None:
    if len(values) < FEWEST_MODELS:
        raise DataError(
            f"{len(values)} models have a score and all inputs, at least {FEWEST_MODELS} are "
            "needed: add models, or take inputs that more of them have"
        )
    empty = [n for n, column in zip(names, values.T, strict=True) if np.isnan(column).all()]
    if empty:
        raise DataError(
            f"column {empty[0]!r} has no score in any usable row: leave it out of benchmarks"
        )


def _notes(
    table: pd.DataFrame,
    values: np.ndarray,
    blind: np.ndarray,
    empty: np.ndarray,
    inputs: tuple[str, ...],
) -> list[Note]:
    found = []
    if blind.any():
        told = f"{rows_text(table, blind)} left out: no {' or '.join(inputs)}."
        found.append(Note("inputs_missing", "warning", told, "Fill in, or take other inputs."))
    if empty.any():
        found.append(Note("no_scores", "info", f"{rows_text(table, empty)} left out: no score."))
    gaps = int(np.isnan(values).sum())
    if gaps:
        told = f"{gaps} of {values.size} scores are not known and left out of the likelihood."
        found.append(Note("scores_missing", "info", told))
    return found


def by_benchmark(
    given: float | Mapping[str, float], names: Sequence[str], what: str, default: float = 0.0
) -> np.ndarray:
    """Return a number for every benchmark, shape (benchmark,), from one number or a mapping.

    Raises
    ------
    SpecError
        When the mapping names a benchmark that is not in the table.
    """
    if not isinstance(given, Mapping):
        return np.full(len(names), float(given))
    for name in given:
        if name not in names:
            hint = did_you_mean(str(name), names)
            raise SpecError(
                f"{what} names no benchmark {name!r}.{hint} Benchmarks: {list_names(names)}."
            )
    return np.array([float(given.get(name, default)) for name in names])
