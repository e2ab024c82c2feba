"""The usual schedules, as the learning rate of every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayes_scaling._errors import DataError, did_you_mean, list_names


def _cosine(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    return end + (peak - end) * 0.5 * (1.0 + np.cos(np.pi * u))


def _linear(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    return peak + (end - peak) * u


def _exponential(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    return peak * (end / peak) ** u


def _one_minus_sqrt(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    return peak + (end - peak) * np.sqrt(u)


def _two_stage(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    return np.where(u > 0, end, peak)


def _constant(u: np.ndarray, peak: float, end: float) -> np.ndarray:
    return np.full(u.shape, peak)


def _cyclic(cycles: np.ndarray, peak: float, end: float) -> np.ndarray:
    return _cosine(2.0 * (cycles % 1.0), peak, end)


SHAPES: dict[str, Callable[[np.ndarray, float, float], np.ndarray]] = {
    "constant": _constant,
    "cosine": _cosine,
    "linear": _linear,
    "exponential": _exponential,
    "one_minus_sqrt": _one_minus_sqrt,
    "two_stage": _two_stage,
    "cyclic": _cyclic,
}
"""Kind of a schedule to its rate at shares 0 to 1 of the decay done; at cycles done of a cyclic."""


def schedule(
    kind: str,
    *,
    steps: int,
    peak: float,
    end: float = 0.0,
    warmup: int = 0,
    decay_from: int | None = None,
    period: int | None = None,
) -> np.ndarray:
    """Return the learning rate of every step 1, 2 ... ``steps``, shape (step,), float64.

    Parameters
    ----------
    kind
        ``constant``, ``cosine``, ``linear``, ``exponential``, ``one_minus_sqrt``, ``two_stage`` (at
        once to ``end``) or ``cyclic`` (cosine waves between ``peak`` and ``end``).
    steps
        Steps of the whole run.
    peak, end
        Rate after the warm-up, and that of the last step.
    warmup
        Steps in which the rate rises in a straight line to ``peak``.
    decay_from
        Last step at ``peak``; by default the end of the warm-up. With ``linear`` or ``exponential``
        it makes warm-up, stable, decay (WSD). ``two_stage`` needs it.
    period
        Steps of one wave of ``cyclic``.

    Raises
    ------
    DataError
        When the kind is unknown, or a number is not possible.

    Examples
    --------
    >>> schedule("linear", steps=6, peak=4.0, warmup=2, decay_from=4)
    array([2., 4., 4., 4., 2., 0.])
    """
    if kind not in SHAPES:
        hint = did_you_mean(str(kind), list(SHAPES))
        raise DataError(f"schedule kind {kind!r} is none of {list_names(SHAPES, 10)}.{hint}")
    start = warmup if decay_from is None else decay_from
    _check_rates(kind, peak, end)
    _check_steps(kind, steps, warmup, start, decay_from, period)
    step = np.arange(1.0, steps + 1.0)
    done = np.maximum(step - start, 0.0) / (period or max(steps - start, 1))
    rates = SHAPES[kind](done, peak, end)
    return np.where(step < warmup, peak * step / max(warmup, 1), rates)


def _check_rates(kind: str, peak: Any, end: Any) -> None:
    if not (_finite(peak) and peak > 0):
        raise DataError(f"schedule: peak={peak!r} must be a rate above zero, such as 3e-4.")
    if not (_finite(end) and 0 <= end <= peak):
        raise DataError(f"schedule: end={end!r} must be a rate from zero to the peak, {peak:g}.")
    if kind == "exponential" and not end > 0:
        raise DataError("schedule: an exponential decay never ends at zero: give end=, above zero.")


def _finite(value: Any) -> bool:
    known = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return known and bool(np.isfinite(value))


def _check_steps(
    kind: str, steps: Any, warmup: Any, start: Any, decay_from: Any, period: Any
) -> None:
    given = {"steps": steps, "warmup": warmup, "decay_from": decay_from, "period": period}
    for name, value in given.items():
        whole = value is None or (_finite(value) and float(value).is_integer())
        if not whole or (value is not None and value < (0 if name == "warmup" else 1)):
            raise DataError(f"schedule: {name}={value!r} must be a number of steps.")
    if not warmup <= start <= steps:
        raise DataError(
            f"schedule: warmup={warmup}, decay_from={decay_from} and steps={steps} must follow "
            "each other."
        )
    if kind == "two_stage" and decay_from is None:
        raise DataError("schedule: two_stage needs decay_from=, the last step at the peak.")
    if (kind == "cyclic") != (period is not None):
        raise DataError(
            "schedule: period= is the steps of a wave of kind 'cyclic', which needs it."
        )
