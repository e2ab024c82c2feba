"""Tables of logged points with the learning-rate schedules of their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError, did_you_mean, list_names
from bayes_scaling.data.columns import check_column
from bayes_scaling.data.table import cells_of, open_table
from bayes_scaling.data.validate import label_text, read_labels, read_numbers
from bayes_scaling.quantity import parse_quantity
from bayes_scaling.schedules.inputs import DESCRIBED, described, input_names, schedule_inputs
from bayes_scaling.schedules.sums import LAM

BETWEEN = ("hold", "line")
_WORDS = ("kind",)


def add_schedules(
    table: Any,
    schedules: Any,
    *,
    run: str = "run",
    step: str = "step",
    between: str | None = None,
    lam: float = LAM,
    pieces: bool = True,
) -> pd.DataFrame:
    """Return a table of logged points with what laws take of the learning-rate schedules.

    The columns added are the inputs of the laws `tissue` (S1, S2) and `multi_power` (S1,
    ``lr_drop`` and the pieces); see `bayes_scaling.schedule_inputs`. `read_runs` knows them by
    name, and `forecast` takes such a table of steps that have not been run.

    Parameters
    ----------
    table
        Any table that `read_runs` takes, one row a logged point.
    schedules
        Every run's schedule by its label: the learning rates of the steps 1, 2 ... as a list or
        array, or the arguments of `bayes_scaling.schedule` as a mapping. Or a table, or its path:
        of the columns ``run``, ``step`` and ``lr`` with the rates; or one row a run with ``run``
        and those arguments, ``kind``, ``steps``, ``peak`` ...
    run, step
        Columns of the run and of the step, in both tables.
    between
        What the rate is between the steps that a table of rates lists, where it leaves some out:
        ``"hold"`` it until the next, or a straight ``"line"``.
    lam
        Memory of the smoothed drops S2.
    pieces
        Whether to add what `multi_power` takes beside S1.

    Raises
    ------
    DataError
        When a run has no schedule, a step lies outside it, or a schedule is none.
    """
    points, names = open_table(table), input_names(pieces)
    if there := [name for name in names if name in points.columns]:
        raise DataError(f"the table has a column {there[0]!r} already: remove or rename it.")
    labels = read_labels(points, check_column(points, run, "run"))
    steps = read_numbers(points, check_column(points, step, "step"), "S")
    by_run = _by_label(schedules, run, step, between)
    _require_schedules(labels, by_run, run)
    found = {name: np.zeros(len(points)) for name in names}
    for label in dict.fromkeys(labels):
        rows = labels == label
        what = f"the schedule of {run} {str(label)!r}"
        own = schedule_inputs(by_run[label], steps[rows], lam=lam, pieces=pieces, what=what)
        for name, values in own.items():
            found[name][rows] = values
    return points.assign(**found)


def _require_schedules(labels: np.ndarray, by_run: Mapping[str, Any], run: str) -> None:
    lacking = [str(label) for label in dict.fromkeys(labels) if label not in by_run]
    if lacking:
        raise DataError(
            f"no schedule is given for {run} {list_names(lacking, 5)}: there are schedules of "
            f"{list_names(by_run, 5)}.{did_you_mean(lacking[0], list(by_run))}"
        )


def _by_label(schedules: Any, run: str, step: str, between: str | None) -> dict[str, Any]:
    if between is not None and between not in BETWEEN:
        raise DataError(f"between={between!r} is none of {list_names(BETWEEN)}.")
    if isinstance(schedules, Mapping):
        return {label_text(label): each for label, each in schedules.items()}
    table = open_table(schedules)
    labels = read_labels(table, check_column(table, run, "run"))
    if "kind" in table.columns:
        return _described(table, labels, run)
    rates = read_numbers(table, check_column(table, "lr", "a table of schedules"), "a rate")
    at = read_numbers(table, check_column(table, step, "step"), "a step")
    return {
        str(label): _filled(
            at[labels == label], rates[labels == label], between, f"{run} {label!r}"
        )
        for label in dict.fromkeys(str(each) for each in labels)
    }


def _described(table: pd.DataFrame, labels: np.ndarray, run: str) -> dict[str, np.ndarray]:
    if len(set(labels)) < len(labels):
        again = pd.Series(labels)[pd.Series(labels).duplicated()].unique()
        raise DataError(f"the table of schedules describes {run} {list_names(again)} twice.")
    found = {}
    for row, label in enumerate(labels):
        cells = {name: cells_of(table, name).iloc[row] for name in DESCRIBED if name in table}
        said = {name: _cell(name, cell) for name, cell in cells.items() if label_text(cell)}
        found[str(label)] = described(said, f"the schedule of {run} {str(label)!r}")
    return found


def _cell(name: str, cell: Any) -> Any:
    if name in _WORDS:
        return label_text(cell)
    number = parse_quantity(cell)
    whole = float(number).is_integer() and name not in ("peak", "end")
    return int(number) if whole else float(number)


def _filled(at: np.ndarray, rates: np.ndarray, between: str | None, what: str) -> np.ndarray:
    """The rate of every step 1, 2 ... from those that a table lists."""
    order = np.argsort(at, kind="stable")
    at, rates = at[order], rates[order]
    if np.any(at != np.floor(at)) or np.any(np.diff(at) == 0) or at[0] not in (0, 1):
        raise DataError(
            f"the schedule of {what} must list whole steps from 1 on, each once: it lists "
            f"{list_names([f'{step:g}' for step in at], 3)}."
        )
    every = np.arange(1, at[-1] + 1)
    if between is None and len(every) > np.sum(at > 0):
        missing = [f"{step:g}" for step in np.setdiff1d(every, at)]
        raise DataError(
            f"the schedule of {what} leaves out step(s) {list_names(missing, 3)}: list every step, "
            "or say between='hold' or 'line'."
        )
    if between == "line":
        return np.interp(every, at, rates)
    return rates[np.searchsorted(at, every, side="right") - 1]
