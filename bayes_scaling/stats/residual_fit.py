"""Learning a law's error: its hyper-parameters, whether there is any, and draws of what follows.

Hyper-parameters are found by their evidence (Rasmussen and Williams 2006, section 5.4.1) with the
law re-linearised and the Student-t weights renewed in turn; their posterior is taken as normal.
Two models are weighed by their evidence: the law has an error of its own, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayes_scaling.stats.residual_process import (
    HYPERS,
    NOISE,
    NOISE_TREND,
    NU,
    RUN,
    SIZE,
    Block,
    Linear,
    Rows,
    Solved,
    evidence_and_slope,
    family_blocks,
    solve_blocks,
    student_weights,
)

Law = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # z -> values (row,), jacobian

ROUNDS = 5
WEIGHINGS = 3
STEPS = 60
FAR = 3.0  # prior sds, the bounds of the search
PIECE = 0.05  # of a prior sd, for the curvature
GROWTHS = np.array([0.0, 0.5, 1.0, 2.0, 4.0])  # of the law's error, a decade beyond the data


class Normal(NamedTuple):
    """A normal distribution: mean (k,) and covariance (k, k) or sd (k,)."""

    mean: np.ndarray
    spread: np.ndarray


class Problem(NamedTuple):
    """Responses (row,) with where they lie, the law at them, the prior of its coordinates, where
    to start the search for them, and the families' blocks."""

    law: Law
    rows: Rows
    response: np.ndarray
    prior: Normal
    start: np.ndarray
    blocks: list[Block]

    def take(self, rows: np.ndarray) -> Problem:
        """Return the problem of some of the rows."""

        def part(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            values, jacobian = self.law(z)
            return values[rows], jacobian[rows]

        return problem_of(part, self.rows.take(rows), self.response[rows], self.prior, self.start)


def problem_of(
    law: Law, rows: Rows, response: np.ndarray, prior: Normal, start: np.ndarray
) -> Problem:
    """Return the problem of these rows."""
    return Problem(law, rows, response, prior, start, family_blocks(rows))


class Mode(NamedTuple):
    """The law's most likely coordinates at given hyper-parameters, and what was solved there."""

    z: np.ndarray
    left: np.ndarray
    linear: Linear
    solved: list[Solved]
    precision: np.ndarray


class Learned(NamedTuple):
    """One model's hyper-parameters: mode, covariance, log evidence, weights of rows, and z."""

    v: np.ndarray
    free: np.ndarray
    cov: np.ndarray
    log_evidence: float
    weight: np.ndarray
    z: np.ndarray


def most_likely(problem: Problem, v: np.ndarray, weight: np.ndarray, z: np.ndarray) -> Mode:
    """Return the law's most likely coordinates, by damped Gauss-Newton steps from ``z``."""
    solved = solve_blocks(v, problem.blocks, weight)
    precision = np.linalg.inv(problem.prior.spread)

    def at(z: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        values, jacobian = problem.law(z)
        left, away = problem.response - values, z - problem.prior.mean
        with np.errstate(invalid="ignore", over="ignore"):  # judged below
            cost = sum(left[s.rows] @ s.inverse @ left[s.rows] for s in solved)
        total = 0.5 * float(cost + away @ precision @ away)
        # A bend too sharp for floating point has a value and no slope: no place to stop at.
        there = np.isfinite(total) and np.isfinite(jacobian).all()
        return (total if there else np.inf), left, jacobian

    cost, left, jacobian = at(z)
    damping = 1e-6
    for _ in range(STEPS):
        linear = Linear(left, jacobian, precision)
        curvature, pull = _normal_equations(solved, linear)
        slope = pull - precision @ (z - problem.prior.mean)
        step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), slope)
        tried = at(z + step)
        if tried[0] > cost + 1e-9:
            damping *= 10
            if damping > 1e8:
                break
            continue
        gain, z, damping = cost - tried[0], z + step, damping / 10
        cost, left, jacobian = tried
        if gain < 1e-7:
            break
    linear = Linear(left + jacobian @ (z - problem.prior.mean), jacobian, precision)
    curvature, _ = _normal_equations(solved, linear)
    return Mode(z, left, linear, solved, curvature)


def _normal_equations(solved: list[Solved], linear: Linear) -> tuple[np.ndarray, np.ndarray]:
    curvature, pull = linear.precision.copy(), np.zeros(len(linear.precision))
    for own, inverse, _ in solved:
        scaled = inverse @ linear.jacobian[own]
        curvature += linear.jacobian[own].T @ scaled
        pull += scaled.T @ linear.residual[own]
    return curvature, pull


def learn(problem: Problem, hyperprior: Normal, *, law_is_right: bool) -> Learned:
    """Return the hyper-parameters of one model.

    Parameters
    ----------
    problem
        What is known.
    hyperprior
        Normal prior of the hyper-parameters, in the order of `HYPERS`: mean and sd (hyper,).
    law_is_right
        Whether the law has no error of its own.
    """
    from scipy.optimize import minimize  # slow to load, and a fit does not need it

    free = _free(problem.rows, law_is_right)
    v = np.where(np.isin(np.arange(len(HYPERS)), free), hyperprior.mean, _absent())
    weight, z = np.ones(len(problem.response)), problem.start.copy()
    slope: Callable[[np.ndarray], tuple[float, np.ndarray]] = _objective(
        problem, hyperprior, v, free, weight, most_likely(problem, v, weight, z).linear
    )
    x, lowest = np.zeros(len(free)), np.inf
    for turn in range(ROUNDS):
        mode = most_likely(problem, v, weight, z)
        for _ in range(WEIGHINGS if turn else 0):
            weight = student_weights(v, problem.rows, weight, mode.solved, mode.left)
            mode = most_likely(problem, v, weight, mode.z)
        z = mode.z
        slope = _objective(problem, hyperprior, v, free, weight, mode.linear)
        start = (v - hyperprior.mean)[free] / hyperprior.spread[free]
        bounds = [(-FAR, FAR)] * len(free)
        found = minimize(
            slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 30}
        )
        x, lowest, v = found.x, float(found.fun), v.copy()
        v[free] = hyperprior.mean[free] + hyperprior.spread[free] * x
    cov, log_det = _spread(slope, x)
    evidence = -lowest + 0.5 * log_det + _weight_prior(weight)
    scale = hyperprior.spread[free]
    return Learned(v, free, cov * np.outer(scale, scale), evidence, weight, z)


def _free(rows: Rows, law_is_right: bool) -> np.ndarray:
    _, counts = np.unique(rows.run[rows.run >= 0], return_counts=True)
    repeated = counts.size > 0 and counts.max() > 1
    names = [NOISE, NOISE_TREND] if law_is_right else [i for i in range(len(HYPERS)) if i != RUN]
    return np.array([*names, *([RUN] if repeated else [])])


def _absent() -> np.ndarray:
    """Hyper-parameters of what is not there: no size, no run effect, no trend."""
    v = np.zeros(len(HYPERS))
    v[[SIZE, RUN]] = -np.inf
    return v


def _objective(
    problem: Problem, prior: Normal, v: np.ndarray, free: np.ndarray, weight: np.ndarray,
    linear: Linear,
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:  # fmt: skip
    """The negative log posterior of the free hyper-parameters in prior sds, with its gradient."""

    def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
        here = v.copy()
        here[free] = prior.mean[free] + prior.spread[free] * x
        try:
            value, slope = evidence_and_slope(here, problem.blocks, linear, weight)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(x)
        return float(0.5 * x @ x - value), x - slope[free] * prior.spread[free]

    return cost


def _spread(
    cost: Callable[[np.ndarray], tuple[float, np.ndarray]], x: np.ndarray
) -> tuple[np.ndarray, float]:
    """Covariance at a mode in prior sds, never wider than the prior, and its log determinant."""
    steps = PIECE * np.eye(len(x))
    rows = [(cost(x + s)[1] - cost(x - s)[1]) / (2 * PIECE) for s in steps]
    values, vectors = np.linalg.eigh(0.5 * (np.stack(rows) + np.stack(rows).T))
    values = np.maximum(values, 1.0)
    return (vectors / values) @ vectors.T, -float(np.log(values).sum())


def _weight_prior(weight: np.ndarray) -> float:
    """Log density of the rows' weights under the Gamma that makes the noise Student-t, less its
    value at one."""
    return 0.5 * NU * float(np.sum(np.log(weight) - weight + 1.0))


# --- particles -------------------------------------------------------------------------------


class Particle(NamedTuple):
    """One draw of hyper-parameters, with the law's coordinates there: mode, root of their
    covariance, and the blocks solved."""

    v: np.ndarray
    growth: float
    mode: Mode
    root: np.ndarray


def particles(
    problem: Problem, models: Sequence[Learned], growth: np.ndarray, count: int,
    rng: np.random.Generator,
) -> Iterator[Particle]:  # fmt: skip
    """Yield ``count`` draws of the hyper-parameters, of each model as its evidence has it."""
    ends = np.round(count * np.cumsum(model_weights(models))).astype(int)
    for model, size in zip(models, np.diff(ends, prepend=0), strict=True):
        root = np.linalg.cholesky(model.cov)
        for _ in range(size):
            v = model.v.copy()
            v[model.free] += root @ rng.normal(size=len(model.free))
            mode = most_likely(problem, v, model.weight, model.z)
            wide = np.linalg.inv(np.linalg.cholesky(mode.precision)).T
            yield Particle(v, float(rng.choice(GROWTHS, p=growth)), mode, wide)


def model_weights(models: Sequence[Learned]) -> np.ndarray:
    """Posterior probabilities of models of even odds, (model,)."""
    evidence = np.array([m.log_evidence for m in models])
    weight = np.exp(evidence - evidence.max())
    return weight / weight.sum()
