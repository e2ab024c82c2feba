"""What is said of a posterior, or a forecast, that hangs on its priors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._arviz import array_stats
from bayes_scaling._errors import Note
from bayes_scaling._x64 import in_float64
from bayes_scaling.infer.sensitivity import SENSITIVE, log_priors, power_weights, sensitivity
from bayes_scaling.spec import ModelSpec

ODD = 0.025  # share of a prior beyond a posterior's median from which the two disagree
POINTS = 12  # of a forecast that are looked at
PARETO_LIMIT = 0.7  # of weights that halve the priors; beyond, what they would do is not told


def _in_conflict(hangs: pd.DataFrame) -> pd.Series:
    """Whether prior and data both move a parameter and its posterior is odd for its prior."""
    both = (hangs["prior"] >= SENSITIVE) & (hangs["likelihood"] >= SENSITIVE)
    return both & ((hangs["place"] - 0.5).abs() > 0.5 - ODD)


def conflict_note(hangs: pd.DataFrame) -> Note | None:
    """Return a note where prior and data pull a parameter apart."""
    rows = hangs[_in_conflict(hangs)].sort_values("prior", ascending=False)
    if rows.empty:
        return None
    places = [f"'{n}' ({_tail(place)} of its prior)" for n, place in rows["place"].items()]
    return Note(
        "prior_conflict",
        "warning",
        f"the priors and the data pull apart: {', '.join(places[:4])}. The posterior lies between "
        "them, and changes with either.",
        "Check the units of the table and the prior against its meaning; widen the one that is "
        "wrong with priors=, and see whether the forecast stays.",
    )


def _tail(place: float) -> str:
    return f"{'lowest' if place < 0.5 else 'highest'} {max(min(place, 1 - place), 0.001):.1%}"


def sensitive_note(hangs: pd.DataFrame, told: Sequence[str]) -> Note | None:
    """Return a note on other parameters that hang on the priors, but those ``told`` already."""
    rows = hangs[(hangs["prior"] >= SENSITIVE) & ~_in_conflict(hangs)]
    rows = rows.drop(told, errors="ignore").sort_values("prior", ascending=False)
    if rows.empty:
        return None
    words = ", ".join(f"{name} {value:.2f}" for name, value in rows["prior"].head(6).items())
    return Note(
        "prior_sensitive",
        "info",
        f"the posterior hangs on the priors too: {words} (power-scaling sensitivity, {SENSITIVE} "
        "and more matters).",
        "Refit with other priors= that are as sensible, and see whether the forecast stays.",
    )


# --- forecasts -------------------------------------------------------------------------------


class Halved(NamedTuple):
    """What a forecast would be with priors of half the weight: its median's relative change and
    its 90 % band's width, both as multiples; NaN where weights cannot tell."""

    median: float
    width: float


@in_float64
def forecast_note(data: xr.DataTree, spec: ModelSpec, law: np.ndarray) -> Note | None:
    """Return a note where the law's draws at new points (sample, point) hang on the priors."""
    priors = log_priors(data, spec)
    shape = next(iter(priors.values())).shape
    chosen = np.unique(np.linspace(0, law.shape[1] - 1, POINTS).round().astype(int))
    draws = law[:, chosen].reshape(*shape, -1)
    whole = sum(priors.values(), np.zeros(shape))
    found = np.nan_to_num(sensitivity(draws, power_weights(whole)))
    worst = int(np.argmax(found))
    if not found[worst] >= SENSITIVE:
        return None
    names = " and ".join(_movers(priors, draws[..., worst]))
    return Note(
        "prior_sensitive",
        "info",
        f"the forecast hangs on the priors, most on that of {names} (power-scaling sensitivity up "
        f"to {found[worst]:.2f}, {SENSITIVE} and more matters)"
        f"{_said(halved(whole, draws[..., worst]))}.",
        "Refit with other priors= that are as sensible, and compare.",
    )


def _movers(priors: Mapping[str, np.ndarray], draws: np.ndarray, most: int = 2) -> list[str]:
    """The priors that move some draws (chain, draw) most, each alone."""
    each = {n: float(sensitivity(draws, power_weights(d))[0]) for n, d in priors.items()}
    order = sorted(each, key=lambda n: -each[n])
    return [n for n in order[:most] if each[n] >= 0.5 * each[order[0]]]


def halved(density: np.ndarray, draws: np.ndarray) -> Halved:
    """Return what draws would be with half of a log density, both (chain, draw)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few draws: the tail's shape then says so too
            log_weight, k = array_stats.psislw(0.5 * density.ravel())
    except ValueError:  # draws that repeat have no tail
        return Halved(np.nan, np.nan)
    if not k <= PARETO_LIMIT:
        return Halved(np.nan, np.nan)
    weight = np.exp(np.asarray(log_weight) - np.max(log_weight))
    levels = [0.05, 0.5, 0.95]
    low, middle, high = np.quantile(draws.ravel(), levels, method="inverted_cdf", weights=weight)
    a, m, b = np.quantile(draws, levels)
    return Halved(float(middle / m - 1.0), float((high - low) / (b - a)))


def _said(found: Halved) -> str:
    if not np.isfinite(found.median):
        return ""
    return (
        f"; with priors of half the weight its median would move by {found.median:+.1%} and its "
        f"90 % band be {found.width:.2g} times as wide"
    )
