"""Scores of predictive draws against what happened; rows of draws are samples."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp


def pit(draws: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Return the share of ``draws`` (sample, point) below ``actual`` (point,), uniform when right.

    Ties count half.
    """
    return (draws < actual).mean(axis=0) + 0.5 * (draws == actual).mean(axis=0)


def crps(draws: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score (point,) of ``draws`` (sample, point).

    In the units of ``actual``, less is better, |error| for a point forecast. The estimate
    ``E|X - y| - E|X - X'| / 2`` (Gneiting and Raftery 2007, JASA 102, 359) with the mean over pairs
    of different draws, which makes it unbiased.
    """
    n = len(draws)
    weights = 2.0 * np.arange(1, n + 1) - n - 1.0
    spread = weights @ np.sort(draws, axis=0) / (n * (n - 1.0))
    return np.abs(draws - actual).mean(axis=0) - spread


def log_score(log_prob: np.ndarray) -> np.ndarray:
    """Return the log predictive density (point,) from that of every sample (sample, point)."""
    return logsumexp(log_prob, axis=0) - np.log(len(log_prob))
