"""Minima of functions of a few coordinates within a box, and how far one may stray from them.

A function is a scalar of a place (coordinate,); `jax.vmap` takes many together.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bayes_scaling.decisions.lines import root

PLACES = 9  # of a coordinate on the first grid
CLOSE = 1e-9  # a step this short ends the search
MOST_STEPS = 100
MOST_DAMPING = 1e12

Function = Callable[[Any], Any]


class _State(NamedTuple):
    at: Any
    value: Any
    damping: Any
    moved: Any


def minimise_in_box(function: Function, low: Any, high: Any) -> Any:
    """Return the place (coordinate,) where a function is least within a box.

    The best place of a grid is refined by damped Newton's steps. Coordinates stay at an end towards
    which the function falls.
    """
    return refine(function, _best_on_grid(function, low, high), low, high)


def _best_on_grid(function: Function, low: Any, high: Any) -> Any:
    # Inside the box: from an end a curve that flattens out leads nowhere.
    inside = (np.arange(PLACES) + 0.5) / PLACES
    steps = jnp.asarray(list(product(inside, repeat=len(low))))
    values = jax.vmap(lambda step: function(low + step * (high - low)))(steps)
    return low + steps[jnp.nanargmin(values)] * (high - low)


def refine(function: Function, at: Any, low: Any, high: Any) -> Any:
    """Return the minimum in which damped Newton's steps from ``at`` end."""
    slope, bend = jax.grad(function), jax.hessian(function)

    def on(state: tuple[Any, _State]) -> Any:
        count, found = state
        return (count < MOST_STEPS) & (found.moved > CLOSE)

    def advance(state: tuple[Any, _State]) -> tuple[Any, _State]:
        count, found = state
        step = _step(slope(found.at), bend(found.at), found, low, high)
        to = jnp.clip(found.at + step, low, high)
        return count + 1, _judged(found, to, function(to))

    start = _State(at, function(at), jnp.asarray(1e-3), jnp.asarray(jnp.inf))
    return jax.lax.while_loop(on, advance, (0, start))[1].at


def _judged(found: _State, to: Any, value: Any) -> _State:
    """The next state: a step that makes it worse is not taken, and the next is shorter."""
    better = value <= found.value
    damping = jnp.maximum(jnp.where(better, 0.1, 10.0) * found.damping, 1e-12)
    length = jnp.max(jnp.abs(to - found.at))
    moved = jnp.where(better, length, jnp.where(damping > MOST_DAMPING, 0.0, found.moved))
    return _State(
        jnp.where(better, to, found.at), jnp.where(better, value, found.value), damping, moved
    )


def _step(slope: Any, bend: Any, found: _State, low: Any, high: Any) -> Any:
    """A damped Newton's step in the coordinates that are free to move."""
    held = ((found.at <= low) & (slope > 0)) | ((found.at >= high) & (slope < 0))
    free = jnp.where(held, 0.0, 1.0)
    scale = jnp.maximum(jnp.abs(jnp.diagonal(bend)), 1e-12)
    # An indefinite matrix of second derivatives is lifted until it is not.
    lift = jnp.maximum(0.0, -1.01 * jnp.linalg.eigvalsh(bend)[0])
    matrix = bend + jnp.diag(found.damping * scale + lift + 1e-14)
    matrix = matrix * free[:, None] * free[None, :] + jnp.diag(1.0 - free)
    return -jnp.linalg.solve(matrix, slope * free)


def reach(function: Function, best: Any, level: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return how far each coordinate can go, the others following, until a level is exceeded.

    Parameters
    ----------
    function
        As `minimise_in_box` takes it.
    best
        Its minimum (coordinate,).
    level
        A value above the least.
    low, high
        The box.

    Returns
    -------
    tuple of arrays (coordinate,)
        Least and largest value of each coordinate at which the function, least in the others, is
        ``level``; -inf or inf where that is nowhere in the box.
    """
    count = len(low)
    axis, up = jnp.repeat(jnp.arange(count), 2), jnp.tile(jnp.array([False, True]), count)

    def along(axis: Any, up: Any) -> Any:
        return _reach_along(function, axis, up, best, level, (low, high))

    ends = jax.vmap(along)(axis, up).reshape(count, 2)
    return ends[:, 0], ends[:, 1]


def _reach_along(
    function: Function, axis: Any, up: Any, best: Any, level: Any, box: tuple[Any, Any]
) -> Any:
    """The place of one coordinate, above the best or below, at which the profile is ``level``."""
    sign, end = jnp.where(up, 1.0, -1.0), jnp.where(up, box[1][axis], box[0][axis])
    profile = _profile(function, axis, best, box)

    def rising(distance: Any) -> tuple[Any, Any]:
        value, slope = profile(best[axis] + sign * distance)
        return value - level, sign * slope

    width = jnp.abs(end - best[axis])
    nowhere = rising(width)[0] <= 0
    return best[axis] + sign * jnp.where(nowhere, jnp.inf, root(rising, 0.0 * width, width))


def _profile(
    function: Function, axis: Any, best: Any, box: tuple[Any, Any]
) -> Callable[[Any], tuple[Any, Any]]:
    """A function's least value in all coordinates but one, with its slope in that one."""

    def profile(x: Any) -> tuple[Any, Any]:
        low, high = (end.at[axis].set(x) for end in box)  # a box without width holds a coordinate
        at = refine(function, best.at[axis].set(x), low, high)
        return function(at), jax.grad(function)(at)[axis]

    return profile
