"""Frozen records of published studies: whose data, which rows, which law, what was published.

A study is one pure function from its table to the rows that its authors used, entered with its
record by `@study`. What the engine does with one is in `replication`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayes_scaling._errors import SpecError
from bayes_scaling._registry import STUDIES

if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    "src": "read in the paper or its code",
    "rerun": "the authors' recipe run again on their data",
    "mem": "quoted from memory: shown, not judged",
}
"""Where a published value is known from."""

METRICS = {
    "mape": "mean absolute error in per cent",
    "mae": "mean absolute error",
    "rmse": "root mean square error",
    "r2": "share of variance explained",
}
"""What forecasts are scored by."""


@dataclass(frozen=True)
class Published:
    """One published constant.

    Parameters
    ----------
    of
        Parameter of the law, or an expression in its parameters such as ``"log(A)"``.
    value
        What was published, in the unit of that expression.
    family
        Label of the family it holds for; empty where it holds for all.
    low, high
        Published interval, if any.
    kind
        One of `KINDS`.
    decimals
        To how many places ``value`` was printed, so that it is known to half a unit of the last;
        taken as exact where None.
    """

    of: str
    value: float
    family: str = ""
    low: float | None = None
    high: float | None = None
    kind: str = "src"
    decimals: int | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The published interval; without one, what was rounded to ``value``."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        half = 0.0 if self.decimals is None else 0.5 * 10.0**-self.decimals
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Base:
    """A forecast to compare with: one of `METRICS`, its value, and whose it is."""

    metric: str
    value: float
    source: str


@dataclass(frozen=True)
class Study:
    """A published study.

    Parameters
    ----------
    rows
        From the whole table to the rows (and new columns) that the study is about.
    law, table
        Name of the law; path of the table under the folder of data sets.
    columns, group, response, run, se
        As in `bayes_scaling.read_runs`.
    pool, priors, noise, noise_by_family, noise_trend
        As in `bayes_scaling.fit`.
    published
        Constants, and ``constants``: which rows they were fitted to, a pandas query; empty for all
        that are fitted or forecast.
    fitted, ahead
        Which rows are fitted and which are forecast: pandas queries; no forecast where ``ahead`` is
        empty.
    base
        A forecast of the same rows to compare with.
    cite
        Key of the reference, that of the law where empty.
    note
        Known causes of differences from what was published.
    """

    name: str
    rows: Callable[[pd.DataFrame], pd.DataFrame] = field(compare=False, repr=False)
    law: str = ""
    table: str = ""
    summary: str = ""
    columns: Mapping[str, str | None] = field(default_factory=dict, compare=False)
    group: str = ""
    response: str = ""
    run: str = ""
    se: str = ""
    pool: Mapping[str, str] | str | None = field(default=None, compare=False)
    priors: Mapping[str, Any] = field(default_factory=dict, compare=False)
    noise: str = ""
    noise_by_family: bool = False
    noise_trend: str = ""
    published: tuple[Published, ...] = ()
    constants: str = ""
    fitted: str = "role == 'fit'"
    ahead: str = "role == 'forecast'"
    base: Base | None = None
    cite: str = ""
    note: str = ""

    def reading(self) -> dict[str, Any]:
        """Arguments of `read_runs`."""
        names = ("group", "response", "run", "se")
        given = {name: getattr(self, name) for name in names if getattr(self, name)}
        return {"columns": dict(self.columns), **given}

    def modelling(self) -> dict[str, Any]:
        """Arguments of `fit`."""
        asked = {"noise_by_family": self.noise_by_family, "noise_trend": self.noise_trend}
        return {
            "pool": self.pool,
            "priors": dict(self.priors),
            "noise": self.noise or None,
            **asked,
        }


def study(**record: Any) -> Callable[[Callable[..., Any]], Study]:
    """Decorate a function of a table as a study and enter it.

    Parameters are those of `Study`; the name is the function's, the summary its docstring's first
    line.

    Raises
    ------
    SpecError
        When a kind or metric is unknown.
    LawError
        When the name is taken.
    """

    def register(rows: Callable[..., Any]) -> Study:
        name = record.pop("name", rows.__name__)
        summary = (inspect.getdoc(rows) or "").split("\n")[0].rstrip(".")
        entry = Study(name, rows, summary=summary, **record)
        _check(entry)
        STUDIES.add(entry.name, entry)
        return entry

    return register


def _check(entry: Study) -> None:
    if odd := {p.kind for p in entry.published} - KINDS.keys():
        raise SpecError(f"study '{entry.name}': kinds {sorted(odd)} are none of {list(KINDS)}.")
    if entry.base and entry.base.metric not in METRICS:
        raise SpecError(
            f"study '{entry.name}': metric '{entry.base.metric}' is none of {list(METRICS)}."
        )
    if not entry.published and not entry.ahead:
        raise SpecError(f"study '{entry.name}' has neither constants nor rows to forecast.")
