"""How a law's error grows beyond the data, learned from forecasts rolled forward over scale.

Residuals inside the data cannot tell. The smaller runs are fitted with the hyper-parameters that
all runs gave, and the joint density of the larger ones is taken at every growth.
"""

from __future__ import annotations

import numpy as np

from bayes_scaling.stats.residual_fit import (
    GROWTHS,
    Learned,
    Problem,
    is_common,
    most_likely,
)
from bayes_scaling.stats.residual_process import (
    JITTER,
    NOISE,
    NOISE_TREND,
    SIZE,
    SIZE_TREND,
    Rows,
    Solved,
    covariance,
    noise_variance,
    rows_by_family,
)

GROWTH_PRIOR = np.array([0.15, 0.2, 0.3, 0.2, 0.15])
CUTS = (0.5, 0.7, 0.85)
LEAST = 4  # rows to fit, and to forecast, in a family


def growth_weights(problem: Problem, learned: Learned) -> np.ndarray:
    """Return the posterior of `GROWTHS`, (growth,), from forecasts rolled forward over scale.

    Cut-offs overlap, so that their errors repeat each other: together they count as the square
    root of their number.
    """
    found = [_rolled(problem, learned, cut) for cut in CUTS]
    scores = [s for s in found if s is not None]
    log_weight = np.log(GROWTH_PRIOR)
    if scores:
        log_weight = log_weight + np.sum(scores, axis=0) / np.sqrt(len(scores))
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()


def _rolled(problem: Problem, learned: Learned, cut: float) -> np.ndarray | None:
    """Log density of the runs beyond a cut-off at every growth, (growth,)."""
    below = _below(problem.rows, cut)
    parts = [
        own for own in rows_by_family(problem.rows.family)
        if below[own].sum() >= LEAST and (~below[own]).sum() >= LEAST
    ]  # fmt: skip
    if not parts:
        return None
    fitted, ahead = np.flatnonzero(below), np.concatenate([own[~below[own]] for own in parts])
    rows, v = _seen_from(problem.rows, fitted, learned.v)
    part = problem._replace(rows=rows).take(fitted)
    mode = most_likely(part, v, learned.weight[fitted], learned.z)
    values, jacobian = problem.law(mode.z)
    spread = np.linalg.inv(mode.precision)
    score = np.zeros(len(GROWTHS))
    for block in mode.solved:
        own = fitted[block.rows]
        later = ahead[is_common(v) | (rows.family[ahead] == rows.family[own[0]])]
        if len(later):
            gap = (problem.response - values)[later]
            weight = learned.weight[later]
            for i, growth in enumerate(GROWTHS):
                score[i] += _log_density(
                    v, rows.take(own), rows.take(later), block, mode.left[block.rows], gap,
                    (jacobian[own], jacobian[later]), spread, weight, float(growth),
                )  # fmt: skip
    return score


def _below(rows: Rows, cut: float) -> np.ndarray:
    """The smallest share ``cut`` of every family's rows by scale."""
    below = np.zeros(len(rows.scale), bool)
    for own in rows_by_family(rows.family):
        below[own] = rows.scale[own] <= np.quantile(rows.scale[own], cut)
    return below


def _seen_from(rows: Rows, fitted: np.ndarray, v: np.ndarray) -> tuple[Rows, np.ndarray]:
    """Rows and hyper-parameters as they are when the largest run is that of the fitted rows."""
    top = rows.scale[fitted].max()
    own_top = {f: rows.scale[fitted][rows.family[fitted] == f].max()
               for f in np.unique(rows.family[fitted])}  # fmt: skip
    edge = np.array([own_top.get(f, top) for f in rows.family])
    moved = v.copy()
    moved[[SIZE, NOISE]] += top * v[[SIZE_TREND, NOISE_TREND]]
    seen = rows._replace(scale=rows.scale - top, beyond=np.maximum(rows.scale - edge, 0.0))
    return seen, moved


def _log_density(
    v: np.ndarray, fitted: Rows, later: Rows, block: Solved, left: np.ndarray, gap: np.ndarray,
    jacobians: tuple[np.ndarray, np.ndarray], spread: np.ndarray, weight: np.ndarray, growth: float,
) -> float:  # fmt: skip
    """Log density of later rows of one block, given the fitted ones."""
    across = covariance(v, later, fitted, growth) @ block.inverse
    mean = gap - across @ left
    slope = jacobians[1] - across @ jacobians[0]
    total = covariance(v, later, later, growth) - across @ covariance(v, fitted, later, growth)
    total += slope @ spread @ slope.T
    total[np.diag_indices_from(total)] += noise_variance(v, later) / weight + JITTER
    sign, log_det = np.linalg.slogdet(total)
    if sign <= 0:
        return -np.inf
    return -0.5 * float(mean @ np.linalg.solve(total, mean) + log_det)
