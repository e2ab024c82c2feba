"""Budgets at which two recipes change places."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bayes_scaling.decisions.contestants import Contestant

PLACES = 121  # budgets of the range that are looked at
STEPS = 40  # halvings at most of a bracket
CLOSE = 1e-9


class Crossing(NamedTuple):
    """The last log budget (sample,) at which two recipes cross, NaN for none; the share of draws
    with several crossings; and the shares in which the one is ahead of the other at both ends."""

    last: np.ndarray
    several: float
    ahead_below: float
    ahead_above: float


def crossing_draws(one: Contestant, other: Contestant, low: float, high: float) -> Crossing:
    """Return where ``one`` and ``other`` cross between two log budgets."""

    def lead(budget: np.ndarray) -> np.ndarray:
        """By how much ``one`` is ahead, (sample, budget)."""
        return one.plan.sign * (other.best_at(budget).response - one.best_at(budget).response)

    grid = np.linspace(low, high, PLACES)
    leads = lead(grid)
    changes = np.asarray(np.sign(leads[:, 1:]) * np.sign(leads[:, :-1]) < 0)
    last = PLACES - 2 - np.argmax(changes[:, ::-1], axis=1)
    crosses = np.any(changes, axis=1)
    found = _between(lead, grid[last][:, None], grid[last + 1][:, None], crosses)
    at = np.where(crosses, found[:, 0], np.nan)
    below, above = (float(np.mean(leads[:, end] > 0)) for end in (0, -1))
    return Crossing(at, float(np.mean(changes.sum(axis=1) > 1)), below, above)


def _between(
    lead: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, crosses: np.ndarray
) -> np.ndarray:
    """The zero between two ends (sample, 1) where there is one, by the Illinois rule."""
    one, two = low, high
    at_one, at_two = lead(one), lead(two)
    for _ in range(STEPS):
        with np.errstate(divide="ignore", invalid="ignore"):
            to = (one * at_two - two * at_one) / (at_two - at_one)
        inside = (to >= np.minimum(one, two)) & (to <= np.maximum(one, two))
        to = np.where(inside, to, 0.5 * (one + two))
        there = lead(to)
        same = there * at_two > 0
        one, at_one = np.where(same, one, two), np.where(same, 0.5 * at_one, at_two)
        moved, two, at_two = np.abs(to - two), to, there
        if np.all((moved < CLOSE)[crosses]):
            break
    return two
