"""The best a law allows at a budget, and the budget that reaches a loss, for every draw at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import stop_gradient

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.decisions.lines import LOWER, UPPER, minimise, root, slopes
from bayes_scaling.decisions.plans import (
    Plan,
    Terms,
    held_size,
    inputs_at,
    log_data,
    size_range,
)
from bayes_scaling.equation import compile_jax, parse_equation
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.spec import Law

# Where an optimum lies: inside, at a limit that was asked for, or nowhere in the range searched:
# the response gets better without end towards small or large sizes.
FREE, LIMITED, SMALLER, LARGER = 0, 1, 2, 3

Params = Mapping[str, Any]


class Best(NamedTuple):
    """The best at a budget, arrays (sample, point): log N, log D, the response, d log N / d log
    budget, d log D / d log budget, and where the optimum lies."""

    size: Any
    data: Any
    response: Any
    size_slope: Any
    data_slope: Any
    place: Any


def lacks_optimum(found: Best) -> np.ndarray:
    """Whether a response has no best size, or is flat where it is best, (sample, point)."""
    return np.isin(found.place, (SMALLER, LARGER)) | np.isnan(found.size)


def response(plan: Plan, params: Params, terms: Terms, size: Any, budget: Any) -> Any:
    """Return the law at a log size and log budget."""
    x = inputs_at(plan, terms, size, budget)
    inputs = [x[name] for name in plan.law.inputs]
    value = with_fast_powers(lambda x, p: plan.law(*x, **p))(inputs, dict(params))
    return value + 0.0 * (size + budget)


def best_size(plan: Plan, params: Params, terms: Terms, budget: Any) -> tuple[Any, Any]:
    """Return the log size that is best at a log budget, and where it lies; differentiable."""
    if not plan.chooses:
        size = held_size(plan, terms, budget) if plan.held else 0.0 * budget
        return size, jnp.full(jnp.shape(size), FREE)
    if plan.closed:
        return _closed_size(plan, params, terms, budget)
    low, high, low_asked, high_asked = size_range(terms, budget)
    found = minimise(_curve(plan), low, high, budget, params, terms)
    at_low = jnp.where(low_asked, LIMITED, SMALLER)
    at_high = jnp.where(high_asked, LIMITED, LARGER)
    place = jnp.where(found.end == LOWER, at_low, jnp.where(found.end == UPPER, at_high, FREE))
    return found.at, place


def _curve(plan: Plan) -> Callable[..., Any]:
    """The response, or its negative where it should be large, by log size at a budget."""

    def curve(size: Any, budget: Any, params: Params, terms: Terms) -> Any:
        return plan.sign * response(plan, params, terms, size, budget)

    return curve


def _closed_size(plan: Plan, params: Params, terms: Terms, budget: Any) -> tuple[Any, Any]:
    """The law's closed form; where it is no minimum, NaN."""
    known = {**params, **terms.others, "C": jnp.exp(budget)}
    form = closed_form(plan.law)
    size = jnp.log(form.function(**{name: known[name] for name in form.names}))
    size = size + 0.0 * budget
    slope, bend = slopes(_curve(plan), stop_gradient(size), *stop_gradient((budget, params, terms)))
    least = jnp.isfinite(slope) & (bend > 0)
    return jnp.where(least, size, jnp.nan), jnp.full(jnp.shape(size), FREE)


class ClosedForm(NamedTuple):
    """A law's optimal size as a function of keyword arguments."""

    function: Callable[..., Any]
    names: tuple[str, ...]


@lru_cache(maxsize=512)
def closed_form(law: Law) -> ClosedForm:
    """Return the function of a law's declared optimal size."""
    equation = parse_equation(law.optimal_size)
    return ClosedForm(compile_jax(equation.expr, equation.names), equation.names)


def best(plan: Plan, params: Params, terms: Terms, budget: Any) -> Best:
    """Return the best at a log budget; ``params`` and ``budget`` broadcast to (sample, point)."""
    shape = jnp.broadcast_shapes(jnp.shape(budget), *(jnp.shape(v) for v in params.values()))
    budget = jnp.broadcast_to(jnp.asarray(budget, float), shape)

    def of_budget(c: Any) -> Any:
        size, place = best_size(plan, params, terms, c)
        return (size, log_data(terms, size, c)), place

    ones = jnp.ones(shape)
    logs, gains, place = jax.jvp(of_budget, (budget,), (ones,), has_aux=True)
    (size, data), (size_slope, data_slope) = logs, gains
    there = response(plan, params, terms, size, budget)
    return Best(size, data, there, size_slope, data_slope, place)


@lru_cache(maxsize=IN_MEMORY)
def compiled_best(plan: Plan) -> Callable[..., Best]:
    """`best` of a plan as one jitted program (cached)."""

    def program(params: Params, terms: Terms, budget: Any) -> Best:
        return best(plan, params, terms, budget)

    return jitted(program)


def best_of(plan: Plan, params: Params, terms: Terms, budget: Any) -> tuple[Plan, Best]:
    """Return the best of every draw at log budgets as NumPy arrays, and the plan that found it: a
    closed form gives way to the search where it is no optimum."""
    found = compiled_best(plan)(params, terms, budget)
    if plan.closed and np.isnan(np.asarray(found.size)).any():
        plan = replace(plan, closed=False)
        found = compiled_best(plan)(params, terms, budget)
    return plan, Best(*(np.asarray(v) for v in found))


@lru_cache(maxsize=IN_MEMORY)
def compiled_response(plan: Plan) -> Callable[..., Any]:
    """``(params, terms, size, budget)`` to the law there, (sample, point), as one program."""

    def program(params: Params, terms: Terms, size: Any, budget: Any) -> Any:
        return response(plan, params, terms, size, budget)

    return jitted(program)


# --- the budget that reaches a loss ----------------------------------------------------------


@lru_cache(maxsize=IN_MEMORY)
def compiled_reach(plan: Plan) -> Callable[..., Any]:
    """``(params, terms, aim, low, high)`` to the least log budget whose best response is ``aim``.

    -inf where the least budget reaches it already, inf where the largest does not.
    """

    def program(params: Params, terms: Terms, aim: Any, low: Any, high: Any) -> Any:
        shape = jnp.broadcast_shapes(jnp.shape(aim), *(jnp.shape(v) for v in params.values()))

        def short(budget: Any) -> Any:
            """How far the best response falls short: positive where more is needed."""
            size, _ = best_size(plan, params, terms, budget)
            return plan.sign * (response(plan, params, terms, size, budget) - aim)

        def rising(budget: Any) -> tuple[Any, Any]:
            value, slope = jax.jvp(short, (budget,), (jnp.ones(shape),))
            return -value, -slope

        ends = jnp.full(shape, low), jnp.full(shape, high)
        first, last = (short(end) for end in ends)
        found = root(rising, *ends)
        found = jnp.where(first <= 0, -jnp.inf, jnp.where(last > 0, jnp.inf, found))
        return jnp.where(jnp.isnan(first + last), jnp.nan, found)

    return jitted(program)
