"""How wrong the law itself is beyond the data, learned from forecasts of runs that are there.

A backtest shows the errors of a law at known distances beyond what was fitted. They are taken as

    error = slope * distance + scatter,   slope ~ normal(0, spread), one for a family and cut-off,

on top of what the posterior of that cut-off already allows for: its own covariance of the law's
values, and the noise of runs. ``spread`` (a decade) and ``scatter`` have a posterior on a grid,
exact but for the grid, and a forecast adds both. The slope has no sign of its own: on published
tables one that held up to a cut-off often turned beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError
from bayes_scaling.backtesting import Backtest, HeldOut, on_log
from bayes_scaling.law_draws import LawDraws
from bayes_scaling.spec import ModelSpec

# Priors, relative to the response: the law is right as often as not, else half-normal errors of 2 %
# a decade, as laws of published tables have when they are rolled forward; scatter half a per cent.
RIGHT, SPREAD, SCATTER = 0.5, 0.02, 0.006
SPREADS = np.concatenate([[1e-4], np.linspace(0.0025, 0.12, 48)])
SCATTERS = np.concatenate([[1e-4], np.geomspace(0.0008, 0.06, 18)])
NEAR = 0.02  # decades, within which an error says nothing of the slope
DRAWS = 1000
LEAST = 1e-7  # variance
STREAM = 7  # keeps the numbers of a forecast apart from those of what was learned


class Study(NamedTuple):
    """Errors (point,) of one family beyond one cut-off, their distances, and what explains them:
    the posterior's covariance of the law (point, point) and the variance of noise (point,)."""

    cut: str
    error: np.ndarray
    distance: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True)
class ModelError:
    """Posterior of the size of a law's errors beyond the data.

    Attributes
    ----------
    spread
        Draws (sample,) of the sd of the slope, relative error a decade (or in units of the
        response, where noise is on its raw scale).
    scatter
        Draws (sample,) of the sd of errors beside the noise that was fitted, in the same units.
    scale
        Covariate along which the distance is measured.
    studies
        Number of pairs of a family and a cut-off it was learned from.
    """

    spread: np.ndarray
    scatter: np.ndarray
    scale: str
    studies: int

    def summary(self, prob: float = 0.9) -> pd.DataFrame:
        """Return median and interval of both."""
        ends = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
        both = {"spread a decade": self.spread, "scatter": self.scatter}
        rows = {name: np.quantile(values, ends) for name, values in both.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["low", "median", "high"])

    def __str__(self) -> str:
        return self.summary().to_string(float_format=lambda v: f"{v:.4f}")

    __repr__ = __str__


def model_error(backtest: Backtest, *, seed: int = 0) -> ModelError:
    """Return the posterior of the law's error from a backtest.

    Cut-offs overlap, so that their errors repeat each other: together they count as the square
    root of their number.

    Raises
    ------
    DataError
        When no held-out run lies beyond what was fitted.
    """
    spec = backtest.fits.specs[0]
    unit = _unit(spec, np.concatenate([held.actual for held in backtest.held_out]))
    studies = [s for held in backtest.held_out for s in _studies(spec, held, unit)]
    if not studies:
        raise DataError(
            f"no held-out run lies more than {NEAR} decades beyond the fitted ones in "
            f"'{backtest.scale}': cut by a covariate along which the runs grow."
        )
    cuts = len({s.cut for s in studies})
    log_posterior = _log_prior() + sum(_log_likelihood(s) for s in studies) / np.sqrt(cuts)
    spread, scatter = _drawn(log_posterior, np.random.default_rng(seed))
    return ModelError(spread * unit, scatter * unit, backtest.scale, len(studies))


def _unit(spec: ModelSpec, actual: np.ndarray) -> float:
    """What errors are measured in: one on the log scale, else the typical response."""
    return 1.0 if on_log(spec) else float(np.median(np.abs(actual)))


def _studies(spec: ModelSpec, held: HeldOut, unit: float) -> Iterator[Study]:
    drawn = (held.drawn.mean, held.drawn.run, held.actual)
    law, run, actual = (_scaled(spec, values) / unit for values in drawn)
    for name in np.unique(held.family):
        own = (held.family == name) & (held.distance > NEAR)
        if own.any():
            error = actual[own] - law[:, own].mean(axis=0)
            covariance = np.atleast_2d(np.cov(law[:, own].T))
            noise = _variance(run[:, own] - law[:, own])
            yield Study(held.split.label, error, held.distance[own], covariance, noise)


def _scaled(spec: ModelSpec, values: np.ndarray) -> np.ndarray:
    """Values on the scale of the noise; a run that is not positive has no logarithm."""
    if not on_log(spec):
        return values
    return np.log(np.maximum(values, np.finfo(float).tiny))


def _variance(noise: np.ndarray) -> np.ndarray:
    """Variance of the middle of a distribution, so that heavy tails do not set it."""
    low, high = np.quantile(noise, [0.1587, 0.8413], axis=0)
    return ((high - low) / 2) ** 2


def _log_prior() -> np.ndarray:
    wrong = np.exp(-0.5 * (SPREADS / SPREAD) ** 2)
    wrong[0] = RIGHT / (1.0 - RIGHT) * wrong[1:].sum()
    return np.log(wrong)[:, None] - 0.5 * (SCATTERS / SCATTER)[None, :] ** 2


def _log_likelihood(study: Study) -> np.ndarray:
    """Log density of a study's errors on the grid (spread, scatter).

    With ``K`` the covariance without the slope, the slope's least-squares estimate has variance
    ``1 / d'K^-1 d + spread^2``; what remains of the errors does not depend on the spread.
    """
    return np.stack([_of_scatter(study, s) for s in SCATTERS], axis=1)


def _of_scatter(study: Study, scatter: float) -> np.ndarray:
    explained = study.covariance + np.diag(study.noise + scatter**2 + LEAST)
    factor = np.linalg.cholesky(explained)
    way, error = (np.linalg.solve(factor, v) for v in (study.distance, study.error))
    weight = way @ way
    slope = way @ error / weight
    rest = error @ error - slope**2 * weight
    variance = 1.0 / weight + SPREADS**2
    fixed = -0.5 * rest - np.log(np.diag(factor)).sum() - 0.5 * np.log(weight)
    return fixed - 0.5 * (slope**2 / variance + np.log(variance))


def _drawn(log_posterior: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    weights = np.exp(log_posterior - log_posterior.max()).ravel()
    places = rng.choice(weights.size, DRAWS, p=weights / weights.sum())
    rows, columns = np.unravel_index(places, log_posterior.shape)
    return SPREADS[rows], SCATTERS[columns]


def with_model_error(
    spec: ModelSpec,
    drawn: LawDraws,
    error: ModelError,
    family: Sequence[str] | np.ndarray,
    distance: np.ndarray,
    seed: int,
) -> LawDraws:
    """Return the draws with the law's error added, and to runs their scatter too.

    Points of one family share a slope in every sample; the error grows with ``distance`` (point,).
    """
    rng = np.random.default_rng([seed, STREAM])
    samples = len(drawn.mean)
    pick = rng.integers(0, len(error.spread), samples)
    slopes: Mapping[str, np.ndarray] = {
        name: error.spread[pick] * rng.normal(size=samples) for name in np.unique(family)
    }
    bend = np.stack([slopes[name] for name in family], axis=1) * distance
    beyond = np.where(distance > 0, 1.0, 0.0)
    extra = error.scatter[pick][:, None] * rng.normal(size=drawn.run.shape) * beyond
    if on_log(spec):
        return drawn._replace(mean=drawn.mean * np.exp(bend), run=drawn.run * np.exp(bend + extra))
    return drawn._replace(mean=drawn.mean + bend, run=drawn.run + bend + extra)
