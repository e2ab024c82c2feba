"""What laws take of a schedule: areas and smoothed drops, exact, in time linear in the steps.

The step ``t`` counts from 1, and ``rates[t - 1]`` is its learning rate. Whatever the rate rises
before it first falls is warm-up: its area counts, its rise is no drop below zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_scaling._errors import DataError, list_names

LAM = 0.999  # the memory of Tissue et al. 2024


def checked_rates(rates: Any, what: str = "schedule") -> np.ndarray:
    """Return the learning rates of the steps 1, 2 ... as an array (step,), float64.

    Raises
    ------
    DataError
        When they are no list of finite rates from zero up, or all zero; with the steps.
    """
    try:
        found = np.asarray(rates, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what}: the learning rates are not all numbers: correct them.") from None
    if found.ndim != 1 or not len(found):
        raise DataError(
            f"{what}: give the learning rate of every step as one list, not shape {found.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(bad):
        steps = list_names([str(i + 1) for i in bad], 5)
        raise DataError(f"{what}: the learning rate is missing or below zero at step(s) {steps}.")
    if not found.any():
        raise DataError(f"{what}: the learning rate is zero at every step: check the column.")
    return found


def drops(rates: np.ndarray) -> np.ndarray:
    """Return by how much the rate falls at every step, (step,), negative where it rises again."""
    falls = -np.diff(rates, prepend=rates[:1])
    first = np.flatnonzero(falls > 0)
    falls[: first[0] if len(first) else len(falls)] = 0.0
    return falls


def area(rates: np.ndarray) -> np.ndarray:
    """Return S1 (step,), the sum of the rates of all steps so far."""
    return np.cumsum(rates)


def smoothed_drops(rates: np.ndarray, lam: float = LAM) -> np.ndarray:
    """Return S2 (step,) of Tissue et al. 2024, times ``1 - lam``.

    The paper's momentum is ``m_i = lam m_(i-1) + drop_i`` and its S2 the sum of ``m``, which is
    ``(drops so far - lam m) / (1 - lam)``.
    """
    from scipy.signal import lfilter  # slow to load

    falls = drops(rates)
    momentum = np.asarray(lfilter([1.0], [1.0, -lam], falls))
    return np.cumsum(falls) - lam * momentum
