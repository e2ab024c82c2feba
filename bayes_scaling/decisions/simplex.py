"""Minima of functions of shares that lie within bounds and sum to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

HALVINGS = 60  # of the interval of the multiplier
MOST_STEPS = 3000
CLOSE = 1e-7  # of the value, what is left to gain when the search ends

Function = Callable[[Any], Any]


class Best(NamedTuple):
    """The shares (domain,), the value there, and the most that a convex function can still fall."""

    shares: Any
    value: Any
    left: Any


class _State(NamedTuple):
    at: Any
    value: Any
    ahead: Any  # the place from which the next step is taken
    pace: Any
    curvature: Any
    left: Any


def project(place: Any, low: Any, high: Any) -> Any:
    """Return the shares (domain,) within bounds that are nearest to a place and sum to one."""

    def halve(_: int, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        middle = 0.5 * (ends[0] + ends[1])
        small = jnp.clip(place - middle, low, high).sum() > 1.0
        return jnp.where(small, middle, ends[0]), jnp.where(small, ends[1], middle)

    ends = jnp.min(place - high), jnp.max(place - low)
    first, last = jax.lax.fori_loop(0, HALVINGS, halve, ends)
    return jnp.clip(place - 0.5 * (first + last), low, high)


def left_to_gain(slope: Any, shares: Any, low: Any, high: Any) -> Any:
    """Return the most that a convex function with this slope can be above its minimum.

    The gap of Frank and Wolfe: shares go to where the slope is least, as far as bounds let them.
    """
    order = jnp.argsort(slope)
    room = (high - low)[order]
    before = jnp.cumsum(room) - room
    filled = jnp.clip(1.0 - low.sum() - before, 0.0, room)
    ideal = low[order] + filled
    return slope @ shares - slope[order] @ ideal


def minimise_on_simplex(function: Function, start: Any, low: Any, high: Any) -> Best:
    """Return the shares within bounds at which a function (domain,) -> () is least.

    Accelerated projected gradients with restarts (Beck and Teboulle 2009; O'Donoghue and Candes
    2015) from the shares nearest to ``start``; the global minimum of a convex function.
    """
    slope_of = jax.value_and_grad(function)

    def on(state: tuple[Any, _State]) -> Any:
        count, found = state
        return (count < MOST_STEPS) & (found.left > CLOSE * jnp.abs(found.value))

    def advance(state: tuple[Any, _State]) -> tuple[Any, _State]:
        count, found = state
        value, slope = slope_of(found.ahead)
        to = project(found.ahead - slope / found.curvature, low, high)
        there, slope_there = slope_of(to)
        way = to - found.ahead
        bound = value + slope @ way + 0.5 * found.curvature * way @ way
        fits = there <= bound + 1e-14 * jnp.abs(value)
        left = left_to_gain(slope_there, to, low, high)
        return count + 1, _judged(found, fits, to, there, left)

    start = project(start, low, high)
    value, slope = slope_of(start)
    curvature = 1e-3 + jnp.linalg.norm(slope)
    left = left_to_gain(slope, start, low, high)
    first = _State(start, value, start, jnp.ones(()), curvature, left)
    found = jax.lax.while_loop(on, advance, (0, first))[1]
    return Best(found.at, found.value, found.left)


def _judged(found: _State, fits: Any, to: Any, value: Any, left: Any) -> _State:
    """The next state: with a larger curvature where the step was too long for the one assumed,
    without momentum where it led up."""
    rises = value > found.value
    pace = 0.5 * (1.0 + jnp.sqrt(1.0 + 4.0 * found.pace**2))
    ahead = to + (found.pace - 1.0) / pace * (to - found.at)
    # Momentum may leave the simplex, where a power of a share is not defined.
    ahead = jnp.where(jnp.any(ahead < 0.0), to, ahead)
    again = _State(found.at, found.value, found.at, jnp.ones(()), 0.9 * found.curvature, found.left)
    taken = _State(to, value, ahead, pace, 0.9 * found.curvature, left)
    shorter = found._replace(curvature=2.0 * found.curvature)
    moved = jax.tree.map(lambda a, b: jnp.where(rises, a, b), again, taken)
    return jax.tree.map(lambda a, b: jnp.where(fits, a, b), moved, shorter)
