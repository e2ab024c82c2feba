"""Are numbers in [0, 1] uniform? An exact test on their ECDF, its bands, and Holm's correction.

The test of Säilynoja, Bürkner and Vehtari (2022, Statistics and Computing 32, 32): the ECDF at
every evaluation point is binomial, and the statistic is its least tail probability over all points.
How often uniform numbers do worse is computed exactly: counts in equal cells are Poisson given
their sum, so that the chance of staying within a band is a chain of convolutions.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.stats import binom, poisson

MOST_POINTS = 100  # evaluation points; the paper's choice for large samples is as coarse
SAME = 1e-9  # relative difference of tail probabilities that rounding makes


def uniformity_p(values: np.ndarray) -> float:
    """Return the p-value of uniformity of ``values`` (n,) in [0, 1], exact for continuous ones.

    Examples
    --------
    >>> round(uniformity_p(np.linspace(0.01, 0.99, 64)), 2)
    1.0
    """
    n = len(values)
    tails = _tails(n)
    points = np.arange(1, len(tails) + 1) / (len(tails) + 1)
    counts = np.searchsorted(np.sort(values), points, side="right")
    least = tails[np.arange(len(tails)), counts].min()
    return float(np.clip(1.0 - _stay(tails > least * (1.0 + SAME)), 0.0, 1.0))


@lru_cache(maxsize=16)
def _tails(n: int) -> np.ndarray:
    """The lesser tail probability of every count at every point, (point, count)."""
    cells = min(max(n, 2), MOST_POINTS)
    counts, points = np.arange(n + 1), np.arange(1, cells)[:, None] / cells
    return np.minimum(binom.cdf(counts, n, points), binom.sf(counts - 1, n, points))


def _stay(inside: np.ndarray) -> float:
    """The chance that the counts of uniform numbers stay ``inside`` (point, count)."""
    n, cells = inside.shape[1] - 1, len(inside) + 1
    step = poisson.pmf(np.arange(n + 1), n / cells)
    chance = np.eye(1, n + 1)[0]
    for allowed in inside:
        chance = np.where(allowed, np.convolve(chance, step)[: n + 1], 0.0)
    return float(np.convolve(chance, step)[n] / poisson.pmf(n, n))


@lru_cache(maxsize=16)
def ecdf_band(n: int, prob: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points and the band (low, high) that holds the whole ECDF of ``n`` uniform numbers.

    The widest chance below one minus ``prob`` to leave it; counts are whole, so that ``prob`` is
    met or exceeded.
    """
    tails = _tails(n)
    low, high = 0.0, 1.0 - prob  # of the tail probability at each point
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _stay(tails > middle) >= prob else (low, middle)
    inside = tails > low
    first, last = inside.argmax(axis=1), n - inside[:, ::-1].argmax(axis=1)
    return np.arange(1, len(tails) + 1) / (len(tails) + 1), first / n, last / n


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values corrected for their number by Holm (1979), in the order given.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    times = np.arange(len(order), 0, -1)
    found = np.empty(len(order))
    found[order] = np.minimum(np.maximum.accumulate(times * np.asarray(p_values)[order]), 1.0)
    return found
