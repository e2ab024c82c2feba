"""The numbers of a report, computed once; every section is written from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling._errors import DecisionError, Note
from bayes_scaling.decisions.allocating import Allocation, allocate
from bayes_scaling.forecasting import Forecast, forecast
from bayes_scaling.plots.densities import density_table
from bayes_scaling.plots.paths import CORE
from bayes_scaling.plots.residuals import residual_table, trend_table
from bayes_scaling.plots.tables import FitTables, fit_tables, panel_labels
from bayes_scaling.posterior import Fit
from bayes_scaling.records import fit_record, runs_record
from bayes_scaling.reporting.ahead import points_ahead, typical

MOST_FAMILIES = 12  # in pictures and in the forecast, unless they are asked for by name
BUDGETS = 25  # points of the curve of allocations
BELOW, ABOVE = 1.0, 100.0  # factors by which that curve leaves the data


class Asked(NamedTuple):
    """What the caller wants in a report (see `bayes_scaling.report`)."""

    at: Any
    families: str | Sequence[str] | None
    title: str
    prob: float
    seed: int


class Material(NamedTuple):
    """What the sections of a report are written from.

    ``records`` are those of the fit and its runs, as the commands print them. ``run_ids`` (point,)
    name the runs of ``tables.points``; ``scales`` (point,) are the multiples of the largest run's
    scale that are forecast, None where the points were given. ``allocation`` is None, and
    ``no_allocation`` says why, for a law that trades no size for data.
    """

    fit: Fit
    asked: Asked
    records: Mapping[str, Any]
    tables: FitTables
    run_ids: np.ndarray
    residuals: pd.DataFrame
    trends: pd.DataFrame
    densities: pd.DataFrame
    forecast: Forecast
    scales: np.ndarray | None
    allocation: Allocation | None
    no_allocation: str

    @property
    def percent(self) -> str:
        """The bands' probability as the columns of tables spell it."""
        return f"{100 * self.asked.prob:g}"

    @property
    def notes(self) -> tuple[Note, ...]:
        """Notes of the forecast and the allocation, each once."""
        own = self.allocation.notes if self.allocation is not None else ()
        return tuple(dict.fromkeys([*self.forecast.notes, *own]))


def gather(fit: Fit, asked: Asked) -> Material:
    """Return everything that the sections need.

    Raises
    ------
    BayesScalingError
        When a family is not in the fit, or a point cannot be forecast.
    """
    tables = fit_tables(fit, families=_shown(fit, asked), prob=asked.prob, seed=asked.seed)
    residuals = residual_table(fit, tables.points)
    points, scales = _points(fit, asked, tables.panels)
    allocation, why = _allocation(fit, asked, tables.panels)
    return Material(
        fit=fit,
        asked=asked,
        records={**fit_record(fit), "runs": runs_record(fit.runs)},
        tables=tables,
        run_ids=_run_ids(fit, tables),
        residuals=residuals,
        trends=trend_table(residuals),
        densities=density_table(fit),
        forecast=forecast(fit, points, prob=asked.prob, seed=asked.seed),
        scales=scales,
        allocation=allocation,
        no_allocation=why,
    )


def _shown(fit: Fit, asked: Asked) -> str | Sequence[str] | None:
    """The families to draw: those asked for, or the largest where they are many."""
    if asked.families is not None or not fit.spec.groups:
        return asked.families
    names, counts = np.unique(fit.runs.labels[fit.spec.groups[-1]], return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:MOST_FAMILIES]
    return sorted(str(names[i]) for i in largest)


def _run_ids(fit: Fit, tables: FitTables) -> np.ndarray:
    panels = panel_labels(fit, fit.runs.labels, fit.runs.n)
    return fit.runs.run_id[np.isin(panels, tables.panels)]


def _points(fit: Fit, asked: Asked, families: Sequence[str]) -> tuple[Any, np.ndarray | None]:
    if asked.at is not None:
        return asked.at, None
    points = points_ahead(fit, families)
    return points.drop(columns="scale"), points["scale"].to_numpy()


def _allocation(fit: Fit, asked: Asked, families: Sequence[str]) -> tuple[Allocation | None, str]:
    """The allocation of budgets over the data's range and beyond, or why there is none."""
    others = [n for n in fit.spec.law.inputs if n not in CORE]
    try:
        found = allocate(
            fit,
            budgets(fit),
            family=list(families) if fit.spec.groups else None,
            prob=asked.prob,
            fixed=typical(fit, others),
            seed=asked.seed,
        )
    except DecisionError as error:
        return None, str(error)
    return found, ""


def budgets(fit: Fit) -> list[float]:
    """Return budgets in FLOPs, evenly spaced on a log scale, from the data's smallest to a hundred
    times their largest; around one that is usual where the table has no compute."""
    known = fit.runs.values.get("C", np.array([1e18, 1e24]))
    ends = float(known.min()) / BELOW, float(known.max()) * ABOVE
    return [float(f"{v:.4g}") for v in np.geomspace(*ends, BUDGETS)]
