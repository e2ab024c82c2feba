"""Which observations to make for the least expected variance of a goal: moments in, choices out.

Every sample of a posterior has its own mean of the goals and of the candidates, and what it leaves
open there is normal. Two estimates of the variance that is expected after observations: that of the
best linear predictor (Rasmussen and Williams 2006, eq. 2.24), which needs the joint covariance
alone, and a nested Monte Carlo one, in which the samples are weighed by simulated outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

POWERS = (1.0, 2 / 3, 1 / 3, 0.0)  # of the cost that gains are divided by
LEAST = 1e-4  # share of the first variance that a choice must take away
JITTER = 1e-12
TINY = np.finfo(float).tiny


class Joint(NamedTuple):
    """The joint distribution of goals and candidates, the goals first.

    ``mean`` (sample, point) is a sample's own; ``part`` (sample,) says which covariance of what it
    leaves open is its own, ``covariance(part)`` (point, point); ``scale`` (sample, candidate) is
    the scale of the noise of a new observation and ``nu`` (sample,) its degrees of freedom,
    infinite for normal noise.
    """

    mean: np.ndarray
    part: np.ndarray
    covariance: Callable[[int], np.ndarray]
    scale: np.ndarray
    nu: np.ndarray

    @property
    def goals(self) -> int:
        """Number of goals."""
        return self.mean.shape[1] - self.scale.shape[1]

    def take(self, samples: np.ndarray) -> Joint:
        """Return some of the samples."""
        own = (values[samples] for values in (self.mean, self.part, self.scale, self.nu))
        mean, part, scale, nu = own
        return Joint(mean, part, self.covariance, scale, nu)


def normal_equivalent(signal: np.ndarray, scale: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """Return the variance (candidate,) of the normal noise that tells as much as Student-t noise.

    Of an observation that tells little it is one over the Fisher information of the location,
    scale^2 (nu + 3) / (nu + 1) (Lange, Little and Taylor 1989), of one that tells nearly all the
    noise's own variance (at most twice that), and in between as its ``signal`` (candidate,), the
    variance of what it observes, has it. ``scale`` (sample, candidate), ``nu`` (sample,).
    """
    little = 1.0 + 2.0 / (nu + 1.0)
    much = np.minimum(1.0 + 2.0 / np.maximum(nu - 2.0, TINY), 2.0 * little)
    least, most = (np.mean(scale**2 * factor[:, None], axis=0) for factor in (little, much))
    return least + (most - least) * signal / (signal + least)


class Moments(NamedTuple):
    """Covariance (point, point) of goals and candidates, the goals first; the noise (candidate,)
    as a variance."""

    covariance: np.ndarray
    noise: np.ndarray

    @property
    def goals(self) -> int:
        """Number of goals."""
        return len(self.covariance) - len(self.noise)

    @property
    def variance(self) -> float:
        """Mean variance of the goals before any observation."""
        return float(np.diag(self.covariance)[: self.goals].mean())


def moments_of(joint: Joint) -> Moments:
    """Return the moments of goals and candidates over all samples."""
    away = joint.mean - joint.mean.mean(axis=0)
    total = away.T @ away / (len(away) - 1)
    parts, counts = np.unique(joint.part, return_counts=True)
    for part, count in zip(parts, counts, strict=True):
        total = total + joint.covariance(int(part)) * (count / len(away))
    signal = np.diag(total)[joint.goals :]
    return Moments(total, normal_equivalent(signal, joint.scale, joint.nu))


def after(moments: Moments, chosen: Sequence[int]) -> float:
    """Return the expected mean variance of the goals after observing candidates (repeats count as
    observations of their own)."""
    return float(np.mean(goal_variances(moments, chosen)))


def goal_variances(moments: Moments, chosen: Sequence[int]) -> np.ndarray:
    """Return the expected variance of every goal after observing candidates."""
    goals, place = moments.goals, moments.goals + np.asarray(chosen, int)
    before = np.diag(moments.covariance)[:goals]
    if not len(place):
        return before
    inside = moments.covariance[np.ix_(place, place)]
    noise = moments.noise[np.asarray(chosen, int)]
    inside = inside + np.diag(noise + JITTER * np.diag(inside))
    across = moments.covariance[:goals, place]
    return before - np.sum(across * cho_solve(cho_factor(inside), across.T).T, axis=1)


def alone(moments: Moments) -> np.ndarray:
    """Return the mean variance of the goals that every candidate takes away by itself."""
    return _gains(moments.covariance, moments)


def _gains(left: np.ndarray, moments: Moments) -> np.ndarray:
    goals = moments.goals
    own = np.diag(left)[goals:] + moments.noise
    return np.mean(left[:goals, goals:] ** 2, axis=0) / np.maximum(own, TINY)


def choose(moments: Moments, cost: np.ndarray, budget: float, most: int, repeats: int) -> list[int]:
    """Return the candidates to observe, in the order of choice.

    Greedy: each is the one that takes away most of the variance that the earlier ones leave, per
    cost to a power; of the choices by the powers in `POWERS` the one that leaves least in the end,
    so that neither a crowd of cheap candidates nor one dear one is taken out of habit.

    Parameters
    ----------
    moments
        Of goals and candidates.
    cost
        Of every candidate (candidate,), positive.
    budget
        Most that the sum of costs may be.
    most
        Most observations.
    repeats
        How often one candidate may be observed.
    """
    tried = [_greedy(moments, cost, budget, (most, repeats), power) for power in POWERS]
    return min(tried, key=lambda chosen: round(after(moments, chosen) / moments.variance, 4))


def _greedy(
    moments: Moments, cost: np.ndarray, budget: float, limits: tuple[int, int], power: float
) -> list[int]:
    most, repeats = limits
    left, chosen, spent = moments.covariance.copy(), [], 0.0
    times = np.zeros(len(cost), int)
    while len(chosen) < most:
        gain = _gains(left, moments)
        gain[(times >= repeats) | (spent + cost > budget * (1 + 1e-9))] = 0.0
        if not len(gain) or gain.max() < LEAST * moments.variance:
            break
        worthy = np.where(gain >= LEAST * moments.variance, gain / cost**power, 0.0)
        best = int(np.argmax(worthy))
        chosen.append(best)
        times[best] += 1
        spent += cost[best]
        left = observed(left, moments.goals + best, moments.noise[best])
    return chosen


def observed(covariance: np.ndarray, place: int, noise: float) -> np.ndarray:
    """Return a covariance (point, point) after an observation of one point with noise variance."""
    column = covariance[:, place]
    return covariance - np.outer(column, column) / max(column[place] + noise, TINY)


# --- nested Monte Carlo ----------------------------------------------------------------------


class Nested(NamedTuple):
    """The expected mean variance of the goals before and after observations, the standard error of
    the second, and the median number of samples that outcomes leave (as if weighed equally)."""

    before: float
    after: float
    error: float
    samples: float


def nested(joint: Joint, outcomes: int, rng: np.random.Generator) -> Nested:
    """Return the expected variance after observing all candidates, by nested Monte Carlo.

    Outcomes are simulated from samples; for each the other samples are weighed by its density, and
    the variance of the goals is that of the mixture of what the samples leave open. Student-t
    noise is normal given a random weight, of which every sample has one for each candidate. No
    distribution is taken as normal that is not, but it needs samples that an outcome leaves.
    """
    noise = joint.scale**2 / _weights(joint, rng)
    atoms = _conditioned(joint, noise)
    take = rng.permutation(len(joint.mean))[:outcomes]
    found = [_of_outcome(joint, atoms, noise, int(i), rng) for i in take]
    variance, samples = np.array(found).T
    whole = np.var(joint.mean[:, : joint.goals], axis=0, ddof=1) + atoms.open.mean(axis=0)
    error = variance.std(ddof=1) / np.sqrt(len(variance))
    return Nested(
        float(whole.mean()), float(variance.mean()), float(error), float(np.median(samples))
    )


def parts_of(joint: Joint, copies: int) -> Joint:
    """Return the parts as samples, what their own samples spread taken as normal.

    For outcomes that leave too few samples of `nested`: it then weighs parts, such as draws of
    hyper-parameters, each of them ``copies`` times with weights of noise of its own.
    """
    parts = np.unique(joint.part)
    own = [joint.mean[joint.part == part] for part in parts]
    spread = [joint.covariance(int(p)) + np.cov(m.T) for p, m in zip(parts, own, strict=True)]
    place = np.repeat(np.arange(len(parts)), copies)
    scale = [np.sqrt(np.mean(joint.scale[joint.part == p] ** 2, axis=0)) for p in parts]
    nu = np.array([joint.nu[joint.part == p].mean() for p in parts])
    mean = np.stack([m.mean(axis=0) for m in own])
    return Joint(mean[place], place, lambda p: spread[p], np.stack(scale)[place], nu[place])


class _Atoms(NamedTuple):
    """For every sample: the inverse root of its observations' covariance (sample, k, k), the log
    of its determinant (sample,), weights of residuals in the goals (sample, goal, k), the
    variance left (sample, goal) after the observations, and that before."""

    root: np.ndarray
    log_det: np.ndarray
    gain: np.ndarray
    left: np.ndarray
    open: np.ndarray


def _weights(joint: Joint, rng: np.random.Generator) -> np.ndarray:
    """Random weights of Student-t noise, one where it is normal."""
    half = 0.5 * np.where(np.isfinite(joint.nu), joint.nu, 1.0)[:, None]
    drawn = rng.gamma(np.broadcast_to(half, joint.scale.shape)) / half
    return np.where(np.isfinite(joint.nu)[:, None], drawn, 1.0)


def _conditioned(joint: Joint, noise: np.ndarray) -> _Atoms:
    goals = joint.goals
    parts = np.unique(joint.part)
    covariances = np.stack([joint.covariance(int(p)) for p in parts])
    own = covariances[np.searchsorted(parts, joint.part)]
    inside = own[:, goals:, goals:] + noise[:, :, None] * np.eye(noise.shape[1])
    factor = np.linalg.cholesky(inside)
    root = np.linalg.inv(factor)
    scaled = np.einsum("sij,sgj->sgi", root, own[:, :goals, goals:])
    before = np.diagonal(own[:, :goals, :goals], axis1=1, axis2=2)
    log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    gain = np.einsum("sgi,sij->sgj", scaled, root)
    return _Atoms(root, log_det, gain, before - np.sum(scaled**2, axis=2), before)


def _of_outcome(
    joint: Joint, atoms: _Atoms, noise: np.ndarray, i: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Mean variance of the goals after an outcome of sample ``i``, and the samples it leaves."""
    goals = joint.goals
    outcome = joint.mean[i, goals:] + np.linalg.solve(
        atoms.root[i], rng.normal(size=noise.shape[1])
    )
    away = outcome - joint.mean[:, goals:]
    log_weight = -0.5 * (np.sum(np.einsum("sij,sj->si", atoms.root, away) ** 2, 1) + atoms.log_det)
    log_weight[i] = -np.inf
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    middle = joint.mean[:, :goals] + np.einsum("sgj,sj->sg", atoms.gain, away)
    spread = weight @ (atoms.left + (middle - weight @ middle) ** 2)
    return float(spread.mean()), float(1 / np.sum(weight**2))
