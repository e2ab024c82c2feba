"""The numbers of every picture as tables: points and bands; nothing here draws."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from bayes_scaling._errors import ForecastError, SpecError, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.axes import axes_of
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.forecasting import beyond, forecast, kept_error
from bayes_scaling.law_draws import law_draws
from bayes_scaling.mixing import mixed
from bayes_scaling.plots.paths import (
    CORE,
    Cut,
    axis_span,
    choose_cut,
    choose_levels,
    curve,
    held_alone,
    near,
)
from bayes_scaling.posterior import Fit
from bayes_scaling.prior_check import QUANTILES, PriorCheck
from bayes_scaling.stats.intervals import equal_tailed

MOST_PANELS = 6
FITTED, NEW = "fitted", "new"


class FitTables(NamedTuple):
    """What a picture of a fit shows.

    ``points`` has one row a run: ``panel``, ``role`` ("fitted" or "new"), ``x``, ``level`` (of the
    held symbol), ``observed``, ``median``, ``run_low``, ``run_high``. ``bands`` has one row for
    each point of each curve: ``panel``, ``hold`` and its ``level``, ``x``, the law's inputs,
    ``median``, ``law_low`` ... ``run_high`` and ``extrapolated``. A family whose runs share one
    value of another symbol than ``cut.hold`` has one curve, along that. ``left_out`` counts
    families not shown.
    """

    points: pd.DataFrame
    bands: pd.DataFrame
    cut: Cut
    panels: list[str]
    left_out: int


@in_float64
def fit_tables(
    fit: Fit,
    *,
    against: str = "",
    hold: str = "",
    new: Any = None,
    families: str | Sequence[str] | None = None,
    prob: float = 0.9,
    seed: int = 0,
) -> FitTables:
    """Return points and bands of a fit, for up to six families.

    Raises
    ------
    BayesScalingError
        When the axis, a family or ``new`` does not fit the fitted table.
    """
    cut = choose_cut(fit.spec.law.inputs, fit.runs.covariates, against, hold)
    points = points_table(fit, cut, new, prob, seed)
    panels, left_out = choose_panels(points, families)
    points = points[points["panel"].isin(panels)].reset_index(drop=True)
    bands = band_table(fit, cut, points, panels, prob, seed)
    return FitTables(points, bands, cut, panels, left_out)


def points_table(fit: Fit, cut: Cut, new: Any, prob: float, seed: int = 0) -> pd.DataFrame:
    """Return every run, fitted or new, with what the fit says of it (see `FitTables`)."""
    tables = [(FITTED, fit.runs)] + ([] if new is None else [(NEW, checked_new(fit, new))])
    points = pd.concat([_points(fit, cut, *pair) for pair in tables], ignore_index=True)
    columns = [*_law_columns(fit), *fit.spec.groups]
    ahead = forecast(fit, points[columns], prob=prob, seed=seed).table  # at once: one program
    bounds = {f"run_{end}": ahead[f"run_{100 * prob:g}_{end}"] for end in ("low", "high")}
    return points.assign(median=ahead["median"], **bounds)


def checked_new(fit: Fit, new: Any) -> Runs:
    """Return new runs that carry the fit's response and groups.

    Raises
    ------
    SpecError
        When the response is another, or a grouping column is missing.
    """
    runs = read_runs(new) if isinstance(new, Runs) else read_runs(new, group=list(fit.spec.groups))
    if runs.response != fit.spec.law.response:
        raise SpecError(
            f"new: the response is {runs.response}, the fit's is {fit.spec.law.response}: name the "
            "column with columns={...} when reading the runs."
        )
    missing = [g for g in fit.spec.groups if g not in runs.labels]
    if missing:
        raise SpecError(
            f"new: read the runs with group={list_names(missing)}, as those that were fitted."
        )
    return runs


def _points(fit: Fit, cut: Cut, role: str, runs: Runs) -> pd.DataFrame:
    columns = _law_columns(fit)
    for name in filter(None, [cut.against, cut.hold, *columns]):
        if name not in runs.values:
            raise SpecError(f"the {role} runs have no {name}, which the picture needs.")
    return pd.DataFrame(
        {
            "panel": panel_labels(fit, runs.labels, runs.n),
            "role": role,
            "x": runs.values[cut.against],
            "level": runs.values[cut.hold] if cut.hold else np.nan,
            "observed": runs.values[runs.response],
            **{n: runs.values[n] for n in (*CORE, *columns, cut.hold) if n in runs.values},
            **{g: runs.labels[g] for g in fit.spec.groups},
        }
    )


def _law_columns(fit: Fit) -> list[str]:
    """The covariates that a forecast needs."""
    return list(dict.fromkeys([*fit.spec.law.inputs, *filter(None, [fit.spec.noise_trend])]))


def panel_labels(fit: Fit, labels: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    """The family of every row; "" without families."""
    return labels[fit.spec.groups[-1]] if fit.spec.groups else np.full(n, "")


def choose_panels(
    points: pd.DataFrame, families: str | Sequence[str] | None, most: int = MOST_PANELS
) -> tuple[list[str], int]:
    """Return the families to show, those with new runs and then the largest first, in the order of
    their names, and the number left out.

    Raises
    ------
    SpecError
        When a family asked for has no run.
    """
    known = list(dict.fromkeys(points["panel"]))
    if families is not None:
        asked = [families] if isinstance(families, str) else list(families)
        strange = [name for name in asked if name not in known]
        if strange:
            raise SpecError(f"families: no run of {list_names(strange)}; known: "
                            f"{list_names(known)}.")  # fmt: skip
        return asked, 0
    counts = points["panel"].value_counts()
    has_new = set(points.loc[points["role"] == NEW, "panel"])
    ranked = sorted(known, key=lambda name: (name not in has_new, -counts[name], name))
    return sorted(ranked[:most]), max(0, len(known) - most)


def band_table(
    fit: Fit, cut: Cut, points: pd.DataFrame, panels: Sequence[str], prob: float, seed: int = 0
) -> pd.DataFrame:
    """Return the curves of every panel with their bands (see `FitTables`)."""
    levels = choose_levels(points["level"].to_numpy()) if cut.hold else []
    paths = [
        _near_path(fit, one, level, points, panel)
        for panel in panels
        for one, level in _cuts(cut, levels, points[points["panel"] == panel])
    ]
    at = pd.concat(paths, ignore_index=True)
    return pd.concat([at, _bands(fit, at, prob, seed)], axis=1)


def _cuts(cut: Cut, levels: Sequence[float], rows: pd.DataFrame) -> list[tuple[Cut, float | None]]:
    """The cuts to draw for a family: one where its runs lie, or one for each level near them."""
    if not cut.hold:
        return [(cut, None)]
    values = {name: rows[name].to_numpy() for name in CORE if name in rows}
    alone = held_alone(cut, {**values, cut.hold: rows["level"].to_numpy()})
    if alone:
        return [(cut._replace(hold=alone), float(rows[alone].median()))]
    low, high, middle = rows["level"].min(), rows["level"].max(), rows["level"].median()
    inside = [v for v in levels if low / 1.5 <= v <= high * 1.5]
    nearest = min(levels, key=lambda v: abs(np.log(v / middle)))
    return [(cut, level) for level in inside or [nearest]]


def _near_path(fit: Fit, cut: Cut, level: Any, points: pd.DataFrame, panel: str) -> pd.DataFrame:
    """The part of a curve that lies near the runs in all of the law's inputs."""
    path, inputs = _path(fit, cut, level, points, panel), axes_of(fit.spec.law)
    kept = near(path, {name: points[name].to_numpy() for name in inputs}, inputs)
    return path[kept].reset_index(drop=True)


def _path(fit: Fit, cut: Cut, level: Any, points: pd.DataFrame, panel: str) -> pd.DataFrame:
    rows = fit.runs
    own = panel_labels(fit, rows.labels, rows.n) == panel
    values = {n: v[own] if own.any() else v for n, v in rows.covariates.items()}
    span = axis_span(points["x"].to_numpy())
    path = curve(cut, level, values, _law_columns(fit), span)
    shares = {name: path[name] for name in fit.spec.law.simplex}
    path = path.assign(**mixed(list(shares), shares, cut.against))
    groups = {g: _label_of(points, panel, g) for g in fit.spec.groups}
    level = np.nan if level is None else level
    return path.assign(panel=panel, hold=cut.hold, level=level, x=path[cut.against], **groups)


def _label_of(points: pd.DataFrame, panel: str, group: str) -> str:
    return str(points.loc[points["panel"] == panel, group].iloc[0])


def _bands(fit: Fit, at: pd.DataFrame, prob: float, seed: int) -> pd.DataFrame:
    columns = [*_law_columns(fit), *fit.spec.groups]
    drawn = law_draws(fit, at[columns], jax.random.key(seed), same_luck=True)
    with contextlib.suppress(ForecastError):  # of more families than it is learned for
        drawn = with_model_error(kept_error(fit), drawn, same_luck=True, seed=seed)
    table = {"median": np.median(drawn.mean, axis=0)}
    for name, draws in (("law", drawn.mean), ("run", drawn.run)):
        table[f"{name}_low"], table[f"{name}_high"] = equal_tailed(draws, prob)
    inputs = axes_of(fit.spec.law)
    outside = [beyond(at[n].to_numpy(float), fit.runs.values[n]) != 0 for n in inputs]
    return pd.DataFrame({**table, "extrapolated": np.any(outside, axis=0)})


class PriorTables(NamedTuple):
    """What a picture of a prior shows.

    ``points`` has the observed runs; ``bands`` quantiles of the prior predictive along one curve
    (``x``, ``run_5`` ... ``run_95``); ``curves`` the law for some draws of the prior (``draw``,
    ``x``, ``law``).
    """

    points: pd.DataFrame
    bands: pd.DataFrame
    curves: pd.DataFrame
    cut: Cut
    level: float | None


@in_float64
def prior_tables(
    check: PriorCheck, against: str = "", hold: str = "", curves: int = 40, seed: int = 0
) -> PriorTables:
    """Return the observed runs with prior predictive bands and curves, the held symbol at its
    median: before the data all families are alike.

    Raises
    ------
    SpecError
        When the table lacks a symbol.
    """
    fit = check.as_fit
    cut = choose_cut(fit.spec.law.inputs, fit.runs.covariates, against, hold)
    points = _points(fit, cut, FITTED, fit.runs)
    level = choose_levels(points["level"].to_numpy(), 1)[0] if cut.hold else None
    at = _path(fit, cut, level, points, str(points["panel"].iloc[0]))
    columns = [*_law_columns(fit), *fit.spec.groups]
    drawn = law_draws(fit, at[columns], jax.random.key(seed), same_luck=True)
    mean, runs = drawn.mean, drawn.run
    x = at["x"].to_numpy()
    quantiles = np.percentile(runs, QUANTILES, axis=0)
    bands = {f"run_{q}": v for q, v in zip(QUANTILES, quantiles, strict=True)}
    some = np.arange(min(curves, len(mean)))
    lines = {"draw": some.repeat(len(x)), "x": np.tile(x, len(some)), "law": mean[some].ravel()}
    return PriorTables(points, pd.DataFrame({"x": x, **bands}), pd.DataFrame(lines), cut, level)
