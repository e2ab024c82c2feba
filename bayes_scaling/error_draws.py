"""Draws of a law with its own error, and of new runs, at new points; and their moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling._blas import one_thread
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import share_error
from bayes_scaling.extrapolation import CHAINS, ModelError, rows_at
from bayes_scaling.law_draws import LawDraws
from bayes_scaling.law_on_rows import law_at
from bayes_scaling.stats.kriging import krige, left_open
from bayes_scaling.stats.residual_fit import Particle, Problem, is_common
from bayes_scaling.stats.residual_process import NONE, NU, Rows, noise_variance

TINY = np.finfo(float).tiny
NEW_RUN = "\0new"  # a label that no run has


@in_float64
@one_thread
def with_model_error(
    error: ModelError,
    drawn: LawDraws,
    run: Any = None,
    *,
    y: Any = None,
    same_luck: bool = False,
    seed: int = 0,
) -> LawDraws:
    """Return draws of the law with its error and of new runs, at the points of ``drawn``.

    Parameters
    ----------
    error
        What was learned from the runs.
    drawn
        The law's own draws there, (sample, point); families without runs keep them.
    run
        Labels (point,) of the run that a point is a checkpoint of; by default each is a new run.
    y
        A response (point,) to give the log density of.
    same_luck
        Give a draw's new run the same luck at every point, and make all points one run unless they
        name theirs, so that bands along a curve are smooth.
    """
    points, samples = drawn.points, len(drawn.mean)
    if same_luck and run is None:
        run = np.full(len(points), NEW_RUN)
    rows = _rows_of(error, points, run, _luck_of_items(error, drawn))
    rng = np.random.default_rng([seed, samples])
    mean = _on_scale(error, drawn.mean)
    pick = rng.permutation(np.resize(np.arange(len(error.z)), samples))
    known = rows.family != NONE
    if known.any():
        mean[:, known] = _law_there(error, points, rows)[pick][:, known]
    scale = np.empty_like(mean)
    for i, part in enumerate(error.particles):
        own = np.flatnonzero(pick // CHAINS == i)
        scale[own] = np.sqrt(noise_variance(part.v, rows))
        mean[own] += _error_at(part, error.problem, rows, error.left[pick[own]], rng)
    luck = rng.standard_t(NU, size=(samples, 1 if same_luck else mean.shape[1]))
    return _drawn(error, drawn, mean, scale, luck, y)


class ErrorMoments(NamedTuple):
    """The law with its error at points, sample by sample, on the noise's scale.

    ``mean`` (sample, point) is what is expected given a sample's law and hyper-parameters, ``part``
    (sample,) the draw of those, ``covariance(part)`` (point, point) that of the error which runs
    leave open, ``scale`` (sample, point) that of the noise of a new run, Student-t with `NU`
    degrees of freedom.
    """

    mean: np.ndarray
    part: np.ndarray
    covariance: Callable[[int], np.ndarray]
    scale: np.ndarray


@in_float64
@one_thread
def error_moments(error: ModelError, drawn: LawDraws) -> ErrorMoments:
    """Return the moments of the law with its error for every sample of ``error``, in its order.

    ``drawn`` are the law's own draws at the points, (sample, point); families without runs keep
    them.
    """
    rows = _rows_of(error, drawn.points, None, _luck_of_items(error, drawn))
    mean = np.resize(_on_scale(error, drawn.mean), (len(error.z), len(drawn.points)))
    known = rows.family != NONE
    if known.any():
        mean[:, known] = _law_there(error, drawn.points, rows)[:, known]
    part, scale = np.arange(len(error.z)) // CHAINS, np.empty_like(mean)
    for i, each in enumerate(error.particles):
        own = part == i
        scale[own] = np.sqrt(noise_variance(each.v, rows))
        for new, fitted, weights, _ in _kriged(each, error.problem, rows):
            mean[np.ix_(own, new)] += error.left[np.ix_(own, fitted)] @ weights.T

    def covariance(place: int) -> np.ndarray:
        found = np.zeros((len(rows.scale),) * 2)
        for new, _, _, left in _kriged(error.particles[place], error.problem, rows):
            found[np.ix_(new, new)] = left
        return found

    return ErrorMoments(mean, part, covariance, scale)


def _kriged(part: Particle, problem: Problem, rows: Rows) -> Iterator[tuple[np.ndarray, ...]]:
    """For every block: its new rows, its fitted ones, and what `left_open` has of them."""
    for new, fitted, inverse in _by_block(part, problem, rows):
        there = problem.rows.take(fitted), inverse, rows.take(new)
        yield new, fitted, *left_open(part.v, *there, part.growth)


def _law_there(error: ModelError, points: pd.DataFrame, rows: Rows) -> np.ndarray:
    """The law at points on the noise's scale, (sample, point), for samples of ``error``."""
    values = {n: points[n].to_numpy(float) for n in error.coordinates.spec.law.inputs}
    return law_at(error.coordinates, error.z, values, np.maximum(rows.family, 0), error.unit)


def _drawn(
    error: ModelError,
    drawn: LawDraws,
    mean: np.ndarray,
    scale: np.ndarray,
    luck: np.ndarray,
    y: Any,
) -> LawDraws:
    """The draws in the response's own terms, with new runs and the density of ``y``."""
    on_log = error.coordinates.spec.observation.on == "log"
    new = mean + luck * scale
    log_prob = None
    if y is not None:
        from scipy.stats import t as student_t  # slow to load, and few want a density

        here = _on_scale(error, np.asarray(y, float))
        inward = np.log(np.asarray(y, float)) if on_log else np.log(error.unit)
        log_prob = student_t.logpdf(here, NU, loc=mean, scale=scale) - inward
    back = np.exp if on_log else partial(np.multiply, error.unit)
    if drawn.trials is not None:
        mean, new = np.clip(mean, 0.0, 1 / error.unit), np.clip(new, 0.0, 1 / error.unit)
    return drawn._replace(mean=back(mean), run=back(new), log_prob=log_prob)


def _on_scale(error: ModelError, values: np.ndarray) -> np.ndarray:
    if error.coordinates.spec.observation.on == "log":
        return np.log(np.maximum(values, TINY))
    return values / error.unit


def _luck_of_items(error: ModelError, drawn: LawDraws) -> np.ndarray:
    """Standard error of a new share in units of the response, (point,); 0 where none is counted."""
    if drawn.trials is None:
        return np.zeros(len(drawn.points))
    return share_error(np.median(drawn.mean, axis=0), drawn.trials) / error.unit


def _rows_of(error: ModelError, points: pd.DataFrame, run: Any, se: np.ndarray) -> Rows:
    spec, runs = error.coordinates.spec, error.runs
    n = len(points)
    family = np.zeros(n, int)
    if spec.groups:
        known = {label: i for i, label in enumerate(runs.group_levels(spec.groups[-1]))}
        family = np.array([known.get(str(v), NONE) for v in points[spec.groups[-1]]])
    labels = np.full(n, NONE) if runs.run is None else _run_numbers(np.unique(runs.run), run, n)
    values = {str(c): points[c].to_numpy() for c in points.columns}
    return rows_at(spec, runs, values, family, labels, se)


def _run_numbers(known: np.ndarray, run: Any, n: int) -> np.ndarray:
    """The number of every point's run, (point,): that of a fitted one, or one of its own for each
    new label; a point that names none is a new run."""
    place = {label: i for i, label in enumerate(known)}
    if run is None:
        return len(place) + np.arange(n)
    return np.array([place.setdefault(str(label), len(place)) for label in run])


def _error_at(
    part: Particle, problem: Problem, rows: Rows, left: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draws of the law's error at rows, (sample, row), given what is left at the fitted ones."""
    found = np.empty((len(left), len(rows.scale)))
    for own, fitted, inverse in _by_block(part, problem, rows):
        there = krige(part.v, problem.rows.take(fitted), inverse, rows.take(own), part.growth)
        noise = rng.normal(size=(len(left), len(own))) @ there.root.T
        found[:, own] = left[:, fitted] @ there.weights.T + noise
    return found


def _by_block(
    part: Particle, problem: Problem, rows: Rows
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """For every family of new rows, or for all where families have errors in common: their places,
    those of its fitted rows, and the inverse of their covariance (None without any)."""
    if is_common(part.v):
        (block,) = part.mode.solved
        yield np.arange(len(rows.scale)), block.rows, block.inverse
        return
    solved = {problem.rows.family[b.rows[0]]: b for b in part.mode.solved}
    for family in np.unique(rows.family):
        block = solved.get(family)
        fitted = np.arange(0) if block is None else block.rows
        yield (
            np.flatnonzero(rows.family == family),
            fitted,
            None if block is None else block.inverse,
        )
