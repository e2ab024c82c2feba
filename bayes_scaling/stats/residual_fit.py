"""Learning a law's error: its hyper-parameters, whether there is any, and draws of what follows.

Hyper-parameters are found by their evidence (Rasmussen and Williams 2006, section 5.4.1) with the
law re-linearised and the Student-t weights renewed in turn; their posterior is taken as normal.
Models are weighed by their evidence: the law has an error of its own, family by family or with a
part in common, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayes_scaling.stats.residual_process import (
    COMMON,
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
    one_block,
    solve_blocks,
    student_weights,
)

Law = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # z -> values (row,), jacobian

ROUNDS = 5
WEIGHINGS = 3
STEPS = 60
FAR = 3.0  # prior sds, the bounds of the search
PIECE = 0.05  # of a prior sd, for the curvature
APART = -np.inf  # logit of the common part where families' errors are independent
COMMON_PRIOR = (0.0, 1.5)  # mean and sd of that logit where they are not
MOST_TOGETHER = 400  # rows of all families; the cost grows with their cube
OWN, SHARED, RIGHT = "own", "shared", "right"  # the law's error: each family's, in common, none
GROWTHS = np.array([0.0, 0.5, 1.0, 2.0, 4.0])  # of the law's error, a decade beyond the data


class Normal(NamedTuple):
    """A normal distribution: mean (k,) and covariance (k, k) or sd (k,)."""

    mean: np.ndarray
    spread: np.ndarray


class Problem(NamedTuple):
    """Responses (row,) with where they lie, the law at them, the prior of its coordinates, where
    to start the search for them, the families' blocks, and all rows as one block where families
    may have errors in common."""

    law: Law
    rows: Rows
    response: np.ndarray
    prior: Normal
    start: np.ndarray
    blocks: list[Block]
    together: list[Block]

    def blocks_of(self, v: np.ndarray) -> list[Block]:
        """Return the blocks that are independent under these hyper-parameters."""
        return self.together if is_common(v) else self.blocks

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
    blocks = family_blocks(rows)
    few = len(blocks) > 1 and len(response) <= MOST_TOGETHER
    together = one_block(rows) if few else []
    return Problem(law, rows, response, prior, start, blocks, together)


def is_common(v: np.ndarray) -> bool:
    """Return whether families' errors have a part in common."""
    return bool(v[COMMON] > APART)


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
    solved = solve_blocks(v, problem.blocks_of(v), weight)
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


def learn_all(problem: Problem, hyperprior: Normal) -> tuple[Learned, ...]:
    """Return every model: errors of each family's own, with a part in common where that is
    possible, and last the law that has none."""
    kinds = [OWN, *([SHARED] if problem.together else []), RIGHT]
    return tuple(learn(problem, hyperprior, kind) for kind in kinds)


def learn(problem: Problem, hyperprior: Normal, kind: str) -> Learned:
    """Return the hyper-parameters of one model.

    Parameters
    ----------
    problem
        What is known.
    hyperprior
        Normal prior of the hyper-parameters, in the order of `HYPERS`: mean and sd (hyper,).
    kind
        `OWN`, `SHARED` or `RIGHT`: what error the law has.
    """
    from scipy.optimize import minimize  # slow to load, and a fit does not need it

    free = _free(problem.rows, kind)
    mean, sd = (np.append(*both) for both in zip(hyperprior, COMMON_PRIOR, strict=True))
    hyperprior = Normal(mean, sd)
    v = np.where(np.isin(np.arange(len(mean)), free), mean, _absent())
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


def _free(rows: Rows, kind: str) -> np.ndarray:
    _, counts = np.unique(rows.run[rows.run >= 0], return_counts=True)
    repeated = counts.size > 0 and counts.max() > 1
    names = [NOISE, NOISE_TREND] if kind == RIGHT else [i for i in range(len(HYPERS)) if i != RUN]
    return np.array([*names, *([RUN] if repeated else []), *([COMMON] if kind == SHARED else [])])


def _absent() -> np.ndarray:
    """Hyper-parameters of what is not there: no size, no run effect, no trend, none in common."""
    v = np.zeros(len(HYPERS) + 1)
    v[[SIZE, RUN]] = -np.inf
    v[COMMON] = APART
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
            value, slope = evidence_and_slope(here, problem.blocks_of(v), linear, weight)
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


def likelier(models: Sequence[Learned]) -> Learned:
    """Return the likelier of the models in which the law has an error: all but the last."""
    return max(models[:-1], key=lambda m: m.log_evidence)


def model_weights(models: Sequence[Learned]) -> np.ndarray:
    """Posterior probabilities of models, (model,), the last as likely before as all others."""
    evidence = np.array([m.log_evidence for m in models])
    evidence[:-1] -= np.log(len(models) - 1)
    weight = np.exp(evidence - evidence.max())
    return weight / weight.sum()
