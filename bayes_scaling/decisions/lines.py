"""Minima and roots of many curves on a line at once: safeguarded Newton's steps, differentiable.

A curve is an elementwise function ``curve(place, *parameters)``: every element of the arrays is a
curve of its own, such as one draw of a law at one budget. All take their steps together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.lax import stop_gradient

GRID = 64  # places at which a curve is looked at first
CLOSE = 1e-11  # a step this short ends the search
SHORT = 1e-6  # a longer last step leads away from a jump of the slope
MOST_STEPS = 200

LOWER, INSIDE, UPPER = -1, 0, 1
NOWHERE = -2

Curve = Callable[..., Any]


class Minimum(NamedTuple):
    """Where curves are least: the place, and whether it is `LOWER` or `UPPER` end or `INSIDE`."""

    at: Any
    end: Any


def minimise(curve: Curve, low: Any, high: Any, *parameters: Any) -> Minimum:
    """Return where curves are least between ``low`` and ``high``.

    Of the cells of a grid in which the slope turns from negative to positive, and the ends towards
    which a curve falls, the one with the least value is refined by Newton's steps on the slope. A
    curve that is flat where it is least, or has no finite value, has its minimum at NaN. The place
    has the derivatives in ``parameters``, ``low`` and ``high`` of the implicit function theorem.

    Parameters
    ----------
    curve
        ``curve(place, *parameters)``, elementwise, twice differentiable in ``place``.
    low, high
        Ends, arrays of the shape of ``curve``'s values.
    parameters
        Pytrees of arrays.
    """
    found = _search(curve, *stop_gradient((low, high, parameters)))
    slope, bend = slopes(curve, found.at, *parameters)
    step = slope / stop_gradient(jnp.where(bend > 0, bend, 1.0))
    # The value of a step that is not short is no improvement: the slope jumps there.
    own = jnp.where(jnp.abs(stop_gradient(step)) < SHORT, 0.0, stop_gradient(step))
    flat = (slope == 0) & ~(bend > 0)
    inside = jnp.where(flat, jnp.nan, found.at - step + own)
    at = jnp.where(found.end == INSIDE, inside, jnp.where(found.end == LOWER, low, high))
    return Minimum(jnp.where(jnp.isnan(found.at), jnp.nan, at), found.end)


def slopes(curve: Curve, at: Any, *parameters: Any) -> tuple[Any, Any]:
    """Return the first and second derivative of curves in their place."""

    def slope(place: Any) -> Any:
        return value_and_slope(curve, place, *parameters)[1]

    return jax.jvp(slope, (at,), (jnp.ones_like(at),))


def value_and_slope(curve: Curve, at: Any, *parameters: Any) -> tuple[Any, Any]:
    """Return curves and their derivative in their place."""
    return jax.jvp(lambda x: curve(x, *parameters), (at,), (jnp.ones_like(at),))


def _search(curve: Curve, low: Any, high: Any, parameters: tuple[Any, ...]) -> Minimum:
    width = (high - low) / (GRID - 1)
    cell = _least_cell(curve, low, width, parameters)
    left = low + jnp.clip(cell, 0, GRID - 2) * width
    inside = root(lambda at: slopes(curve, at, *parameters), left, left + width)
    end = jnp.where(cell < 0, LOWER, jnp.where(cell == GRID - 1, UPPER, INSIDE))
    at = jnp.where(end == INSIDE, inside, jnp.where(end == LOWER, low, high))
    return Minimum(jnp.where(cell == NOWHERE, jnp.nan, at), end)


class _Scan(NamedTuple):
    cell: Any
    least: Any
    value: Any
    slope: Any


def _least_cell(curve: Curve, low: Any, width: Any, parameters: tuple[Any, ...]) -> Any:
    """The grid's place at the left of the least minimum: -1 for the lower end, the last for the
    upper, `NOWHERE` for none. Slopes tell where minima are, since values of a flat curve round."""

    def look(i: Any, seen: _Scan) -> _Scan:
        value, slope = value_and_slope(curve, low + i * width, *parameters)
        least = jnp.minimum(value, seen.value)
        better = (seen.slope < 0) & (slope >= 0) & (least < seen.least)
        cell, least = jnp.where(better, i - 1, seen.cell), jnp.where(better, least, seen.least)
        return _Scan(cell, least, value, slope)

    shape = jnp.shape(low)
    full = jnp.full(shape, jnp.inf)
    seen = jax.lax.fori_loop(0, GRID, look, _Scan(jnp.full(shape, NOWHERE), full, full, -full))
    last = (seen.slope <= 0) & (seen.value < seen.least)
    return jnp.where(last, GRID - 1, seen.cell)


class _Bracket(NamedTuple):
    low: Any
    high: Any
    at: Any
    step: Any
    before: Any


def root(rising: Callable[[Any], tuple[Any, Any]], low: Any, high: Any) -> Any:
    """Return where functions rise through zero between ``low`` and ``high``.

    ``rising(place)`` gives value and slope, elementwise; values are negative at ``low`` and
    positive at ``high``. Newton's steps, or halves of the bracket where they leave it or do not
    shrink (Press et al., Numerical Recipes, section 9.4).
    """

    def on(state: tuple[Any, _Bracket]) -> Any:
        count, found = state
        return (count < MOST_STEPS) & jnp.any(jnp.abs(found.step) > CLOSE)

    def advance(state: tuple[Any, _Bracket]) -> tuple[Any, _Bracket]:
        count, found = state
        return count + 1, _advance(rising, found)

    width = high - low
    start = _Bracket(low, high, 0.5 * (low + high), width, width)
    return jax.lax.while_loop(on, advance, (0, start))[1].at


def _advance(rising: Callable[[Any], tuple[Any, Any]], found: _Bracket) -> _Bracket:
    value, slope = rising(found.at)
    low = jnp.where(value < 0, found.at, found.low)
    high = jnp.where(value < 0, found.high, found.at)
    newton = -value / jnp.where(slope > 0, slope, jnp.nan)
    to = found.at + newton
    good = (to >= low) & (to <= high) & (jnp.abs(newton) < 0.5 * jnp.abs(found.before))
    step = jnp.where(good, newton, 0.5 * (low + high) - found.at)
    step = jnp.where((value == 0) | (jnp.abs(found.step) <= CLOSE), 0.0, step)
    return _Bracket(low, high, found.at + step, step, found.step)
