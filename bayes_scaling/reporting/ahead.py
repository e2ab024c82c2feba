"""The points that a report forecasts when none are given: each family's largest run, and beyond."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayes_scaling.arguments import geometric_mean
from bayes_scaling.plots.paths import CORE, choose_cut
from bayes_scaling.plots.tables import panel_labels
from bayes_scaling.posterior import Fit
from bayes_scaling.symbols import SYMBOLS

FACTORS = (1.0, 10.0, 100.0)


def largest_runs(fit: Fit, families: Sequence[str]) -> pd.DataFrame:
    """Return the largest run of every family: the law's covariates and the groups, one row each.

    Largest by compute where the table has it and the law takes size or data, else by the law's main
    covariate.
    """
    runs = fit.runs
    table = pd.DataFrame({n: runs.values[n] for n in covariates(fit)})
    table = table.assign(**{g: runs.labels[g] for g in fit.spec.groups})
    by = choose_cut(fit.spec.law.inputs, runs.covariates).against
    panel, size = panel_labels(fit, runs.labels, runs.n), runs.values[by]
    rows = [np.flatnonzero(panel == name) for name in families]
    return table.iloc[[r[np.argmax(size[r])] for r in rows]].reset_index(drop=True)


def covariates(fit: Fit) -> list[str]:
    """The covariates that a forecast takes."""
    trend = [fit.spec.noise_trend] if fit.spec.noise_trend else []
    return list(dict.fromkeys([*fit.spec.law.inputs, *trend]))


def growth(fit: Fit) -> dict[str, float]:
    """Return the power of the scale with which each covariate grows, those that stay left out.

    The scale is compute where a law takes two of N, D, C and M: N and D grow as its square root, so
    that tokens per parameter stay. Else it is the law's main covariate.
    """
    core = [n for n in fit.spec.law.inputs if n in CORE]
    if len(core) > 1:
        return {n: {"C": 1.0, "M": 0.0}.get(n, 0.5) for n in core if n != "M"}
    return {choose_cut(fit.spec.law.inputs, fit.runs.covariates).against: 1.0}


def scale_word(fit: Fit) -> str:
    """The symbol that grows."""
    powers = growth(fit)
    return "C" if len(powers) > 1 else next(iter(powers))


def points_ahead(
    fit: Fit, families: Sequence[str], factors: Sequence[float] = FACTORS
) -> pd.DataFrame:
    """Return every family's largest run at multiples of its scale, with a column ``scale``.

    Points that cannot be, such as an accuracy above 1, are left out; the shares of a mixture do not
    grow.
    """
    largest, powers = largest_runs(fit, families), growth(fit)
    parts = [_grown(largest, powers, factor) for factor in factors]
    ahead = pd.concat(parts, ignore_index=True)
    order = np.argsort(np.tile(np.arange(len(largest)), len(factors)), kind="stable")
    ahead = ahead.iloc[order].reset_index(drop=True)
    grows = _possible(ahead, powers) & (not {*powers} & {*fit.spec.law.simplex})
    return ahead[grows | (ahead["scale"] == 1.0)].reset_index(drop=True)


def _grown(largest: pd.DataFrame, powers: dict[str, float], factor: float) -> pd.DataFrame:
    grown = {n: largest[n] * factor**power for n, power in powers.items() if n in largest}
    return largest.assign(**grown, scale=factor)


def _possible(points: pd.DataFrame, powers: dict[str, float]) -> np.ndarray:
    within = np.ones(len(points), bool)
    for name in powers:
        if name in points and name in SYMBOLS:
            within &= points[name].to_numpy() <= SYMBOLS[name].high
    return within


def typical(fit: Fit, names: Sequence[str]) -> dict[str, float]:
    """Return the geometric mean of covariates over the runs."""
    return {name: float(geometric_mean(fit.runs.values[name])) for name in names}
