"""The inputs of the laws of schedules, at the logged steps of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayes_scaling._errors import DataError, did_you_mean, list_names
from bayes_scaling.schedules.pieces import AREA, TOTAL, piece_names, require_close
from bayes_scaling.schedules.pieces import pieces as pieces_at
from bayes_scaling.schedules.shapes import schedule
from bayes_scaling.schedules.sums import LAM, area, checked_rates, smoothed_drops

SMOOTHED = "S2"
DESCRIBED = ("kind", "steps", "peak", "end", "warmup", "decay_from", "period")


def input_names(pieces: bool = True) -> list[str]:
    """Return the names of the inputs: S1, S2, and ``lr_drop`` and those of the pieces."""
    parts = [TOTAL, *(name for names in piece_names() for name in names)]
    return [AREA, SMOOTHED, *(parts if pieces else ())]


def schedule_inputs(
    rates: Any,
    steps: Any,
    *,
    lam: float = LAM,
    pieces: bool = True,
    what: str = "schedule",
) -> dict[str, np.ndarray]:
    """Return what laws take of a schedule at logged steps: each input (row,), by name.

    ``S1`` is the sum of the learning rates so far, warm-up included. ``S2`` is that of Tissue et
    al. 2024 times ``1 - lam``: the drops so far, those of the last ``1 / (1 - lam)`` steps only in
    part. ``lr_drop`` and the pieces (``drop_share1``, ``drop_lr1``, ``drop_area1`` ...) are for the
    multi-power law, see `bayes_scaling.schedules.pieces`.

    Parameters
    ----------
    rates
        Learning rate of the steps 1, 2 ..., (step,), or a mapping of the arguments of
        `bayes_scaling.schedule`.
    steps
        Logged steps, (row,) or one number.
    lam
        Memory of the smoothed drops.
    pieces
        Whether to return those of the multi-power law.
    what
        How errors call the schedule.

    Raises
    ------
    DataError
        When the schedule is none, a step lies outside it, or it goes up and down too often for its
        pieces to stand for it.

    Examples
    --------
    >>> rates = schedule("two_stage", steps=4, peak=0.3, end=0.1, decay_from=2)
    >>> found = schedule_inputs(rates, [2, 4])
    >>> [found[name].round(3).tolist() for name in ("S1", "lr_drop", "drop_share1")]
    [[0.6, 0.8], [0.0, 0.2], [0.0, 1.0]]
    """
    if not 0 <= lam < 1:
        raise DataError(f"lam={lam!r} must lie between 0 and 1, such as 0.999.")
    found = checked_rates(described(rates, what) if isinstance(rates, Mapping) else rates, what)
    at = _checked_steps(steps, len(found), what)
    sums = {AREA: area(found)[at - 1], SMOOTHED: smoothed_drops(found, lam)[at - 1]}
    if not pieces:
        return sums
    parts = pieces_at(found, at)
    require_close(found, at, parts, what)
    return {**sums, **parts}


def described(said: Mapping[str, Any], what: str = "schedule") -> np.ndarray:
    """Return the rates (step,) of a schedule described by the arguments of `schedule`.

    Raises
    ------
    DataError
        When one is missing, unknown or impossible.
    """
    if stray := [str(name) for name in said if name not in DESCRIBED]:
        raise DataError(
            f"{what}: {stray[0]!r} says nothing of a schedule: use {list_names(DESCRIBED, 10)}."
            + did_you_mean(stray[0], DESCRIBED)
        )
    if lacking := [name for name in ("kind", "steps", "peak") if name not in said]:
        raise DataError(f"{what}: {list_names(lacking)} is missing: give kind, steps and peak.")
    try:
        return schedule(**said)
    except DataError as error:
        raise DataError(f"{what}: {str(error).removeprefix('schedule: ')}") from None


def _checked_steps(steps: Any, last: int, what: str) -> np.ndarray:
    numbers = np.atleast_1d(np.asarray(steps, dtype=np.float64))
    bad = ~((numbers >= 1) & (numbers <= last) & (numbers == np.floor(numbers)))
    if bad.any():
        told = list_names(dict.fromkeys(f"{step:g}" for step in numbers[bad]), 5)
        raise DataError(
            f"{what} has steps 1 to {last}, not {told}: give a longer schedule, or whole steps."
        )
    return numbers.astype(int)
