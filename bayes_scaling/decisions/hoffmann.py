"""Optimal sizes read off runs without a law: the envelope, and parabolas through isoFLOPs.

Approaches 1 and 2 of Hoffmann et al. (2022, section 3), on finished runs. Everything is in
logarithms of size and compute, (run,).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WIDTH = 0.1  # decades of compute that count as one budget
FEWEST_RUNS, FEWEST_SIZES, FEWEST_BUDGETS = 5, 4, 3


def line(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return intercept and slope of least squares, NaN for fewer than two places."""
    if len(np.unique(x)) < 2:
        return np.full(2, np.nan)
    slope, intercept = np.polyfit(x, y, 1)
    return np.array([intercept, slope])


def envelope(size: np.ndarray, compute: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Return intercept and slope of log N in log C over the runs that none of less compute beats.

    Approach 1. The runs of a table are few, so that the envelope holds those with lucky noise.
    """
    order = np.lexsort((loss, compute))
    running = np.minimum.accumulate(loss[order])
    first = np.concatenate([[True], running[1:] < running[:-1]])
    kept = order[first]
    return line(compute[kept], size[kept])


def isoflops(compute: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
    """Return the rows of runs with one budget, smallest first.

    The `WIDTH` decades with most runs are taken, then those with most of the rest, while they hold
    `FEWEST_RUNS` of `FEWEST_SIZES` sizes.
    """
    left, found = np.argsort(compute, kind="stable"), []
    while len(left) >= FEWEST_RUNS:
        decades = compute[left] / np.log(10.0)
        stop = np.searchsorted(decades, decades + WIDTH, side="right")
        first = int(np.argmax(stop - np.arange(len(left))))
        rows = left[first : stop[first]]
        if len(rows) < FEWEST_RUNS:
            break
        found += [rows] if len(np.unique(np.round(size[rows], 2))) >= FEWEST_SIZES else []
        left = np.delete(left, np.s_[first : stop[first]])
    return sorted(found, key=lambda rows: float(compute[rows].mean()))


def minimum(size: np.ndarray, compute: np.ndarray, loss: np.ndarray) -> tuple[float, float]:
    """Return log C and log N of the least loss of a parabola in log N, NaN where it is none.

    A term linear in log C takes up what the budgets of the runs differ by. The minimum must lie
    between the smallest and the largest size.
    """
    n, c = size - size.mean(), compute - compute.mean()
    design = np.stack([np.ones_like(n), n, n**2, c], axis=1)
    (_, slope, bend, _), *_ = np.linalg.lstsq(design, loss, rcond=1e-9)
    at = size.mean() - slope / (2 * bend) if bend > 0 else np.nan
    inside = size.min() < at < size.max()
    return float(compute.mean()), float(at) if inside else np.nan


def parabolas(
    size: np.ndarray, compute: np.ndarray, loss: np.ndarray, groups: Sequence[np.ndarray]
) -> np.ndarray:
    """Return intercept and slope of log N in log C over the minima of isoFLOPs (approach 2)."""
    found = np.array([minimum(size[rows], compute[rows], loss[rows]) for rows in groups])
    found = found.reshape(-1, 2)
    known = found[~np.isnan(found[:, 1])]
    return line(*known.T) if len(known) >= FEWEST_BUDGETS else np.full(2, np.nan)
