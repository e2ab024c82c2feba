"""A law's own error at new points, given what the fitted rows leave over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayes_scaling.stats.residual_process import Rows, covariance


class Kriged(NamedTuple):
    """The process at new rows of one block: weights of the residuals there, and a root of what
    they leave open, (new, row) and (new, new)."""

    weights: np.ndarray
    root: np.ndarray


def krige(
    v: np.ndarray, fitted: Rows, inverse: np.ndarray | None, new: Rows, growth: float
) -> Kriged:
    """Return the law's error and the run's at new rows, given the residuals at the fitted ones.

    ``inverse`` is that block's of `solve_blocks`; None for a family without rows.
    """
    weights, left = left_open(v, fitted, inverse, new, growth)
    return Kriged(weights, _root(left))


def left_open(
    v: np.ndarray, fitted: Rows, inverse: np.ndarray | None, new: Rows, growth: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (new, row) of `krige`, and the covariance (new, new) of what they leave
    open."""
    prior = covariance(v, new, new, growth)
    if inverse is None:
        return np.zeros((len(prior), len(fitted.scale))), prior
    across = covariance(v, new, fitted, growth)
    weights = across @ inverse
    return weights, prior - weights @ across.T


def _root(covariance: np.ndarray) -> np.ndarray:
    """A square root of a covariance that rounding may have left a little indefinite."""
    values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
    return vectors * np.sqrt(np.maximum(values, 0.0))
