"""Equal-tailed intervals and the share of values they hold."""

from __future__ import annotations

import numpy as np


def equal_tailed(samples: np.ndarray, prob: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the equal-tailed interval of ``samples`` (sample, ...) at ``prob``."""
    tail = 50.0 * (1.0 - prob)
    low, high = np.percentile(samples, [tail, 100.0 - tail], axis=0)
    return low, high


def coverage(low: np.ndarray, high: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of ``truth`` inside ``[low, high]``."""
    return float(np.mean((truth >= low) & (truth <= high)))


def contraction(prior: np.ndarray, posterior: np.ndarray) -> np.ndarray:
    """Return 1 - var(posterior) / var(prior) over axis 0 (Betancourt 2018): 0 when the data say
    nothing, 1 when they say all."""
    return 1.0 - np.var(posterior, axis=0) / np.var(prior, axis=0)
