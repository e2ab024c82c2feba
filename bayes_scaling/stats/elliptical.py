"""Elliptical slice sampling about a normal approximation, all chains at once.

Nishihara, Murray and Adams 2014 (JMLR 15, 2087): a target is written as a normal density times a
ratio, and each step slices the ratio along an ellipse through a fresh normal draw. No step size,
nothing rejected; the chains start as draws of the normal approximation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SHRINKS = 40
BLOCK, BLOCKS = 8, 6
LOUD = 3.0  # standard errors by which the mean log ratio may still move between blocks

# States (some, coordinate) of some chains, and which these are (some,) -> (some,)
LogRatio = Callable[[np.ndarray, np.ndarray], np.ndarray]


def settle(
    log_ratio: LogRatio, start: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, bool]:
    """Return the chains' states (chain, coordinate) once they have settled, and whether they have.

    Parameters
    ----------
    log_ratio
        Log density of the target over the standard normal, at states (some, coordinate) of the
        chains of these numbers (some,), in rising order.
    start
        Standard normal draws, (chain, coordinate).
    """
    state, value = start, log_ratio(start, np.arange(len(start)))
    for _ in range(BLOCKS):
        before = value
        for _ in range(BLOCK):
            state, value = slice_step(log_ratio, state, value, rng)
        moved = value - before
        error = np.std(moved) / np.sqrt(len(moved))
        if abs(np.mean(moved)) <= LOUD * error:
            return state, True
    return state, False


def slice_step(
    log_ratio: LogRatio, state: np.ndarray, value: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return every chain's next state and log ratio; a chain that finds no place stays."""
    other = rng.normal(size=state.shape)
    height = value + np.log(rng.uniform(size=len(value)))
    angle = rng.uniform(0.0, 2 * np.pi, len(value))
    low, high = angle - 2 * np.pi, angle.copy()
    here, state, value = state, state.copy(), value.copy()
    looking = np.arange(len(value))
    for _ in range(SHRINKS):
        turn = angle[looking, None]
        tried = here[looking] * np.cos(turn) + other[looking] * np.sin(turn)
        found = log_ratio(tried, looking)
        good = found > height[looking]
        state[looking[good]], value[looking[good]] = tried[good], found[good]
        looking = looking[~good]
        if not len(looking):
            break
        low, high = np.where(angle < 0, angle, low), np.where(angle >= 0, angle, high)
        angle = rng.uniform(low, high)
    return state, value
