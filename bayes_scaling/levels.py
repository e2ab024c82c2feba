"""Between a law's parameters and the coordinates that are sampled.

A coefficient such as A in ``A * N**-alpha`` is hopelessly correlated with its exponent; the term's
value at a reference point is not. Each `Param` may name such a *level*; here the level is
evaluated, inverted, and its prior carried from the law's reference point to the data's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from bayes_scaling._errors import LawError
from bayes_scaling.equation import compile_jax, parse_equation, solve_for
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.spec import Law, Param

RESULT = "level_value"


class LevelMap(NamedTuple):
    """A level and its inverse as functions of keyword arguments; ``needs`` names all but itself."""

    forward: Callable[..., Any]
    inverse: Callable[..., Any]
    needs: tuple[str, ...]


@lru_cache(maxsize=512)
def level_map(law: Law, name: str) -> LevelMap | None:
    """Return the level of a parameter with its inverse, or None when it is sampled as it is."""
    text = law.param(name).level
    if not text:
        return None
    equation = parse_equation(text, positive=frozenset({*law.inputs, *law.param_names}))
    inverse = solve_for(equation.expr, name, result=RESULT)
    needs = tuple(n for n in equation.names if n != name)
    forward = compile_jax(equation.expr, equation.names)
    return LevelMap(_fast(forward), _fast(compile_jax(inverse, (*needs, RESULT))), needs)


def _fast(function: Callable[..., Any]) -> Callable[..., Any]:
    """As one program for numbers, which would else compile one for every operation.

    Inlined where it is traced, which the options of `jitted` do not allow.
    """
    evaluate = jax.jit(with_fast_powers(lambda values: function(**values)), inline=True)
    return lambda **values: evaluate(values)


@lru_cache(maxsize=512)
def sampling_order(law: Law) -> tuple[Param, ...]:
    """Return the parameters so that each comes after those its level names.

    Raises
    ------
    LawError
        When the levels name each other in a circle.
    """
    waiting, order = list(law.params), []
    while waiting:
        done = {p.name for p in order} | set(law.inputs)
        ready = [p for p in waiting if set(_needs(law, p)) <= done]
        if not ready:
            names = [p.name for p in waiting]
            raise LawError(f"law '{law.name}': the levels of {names} name each other in a circle.")
        order += ready
        waiting = [p for p in waiting if p not in ready]
    return tuple(order)


def _needs(law: Law, param: Param) -> tuple[str, ...]:
    found = level_map(law, param.name)
    return found.needs if found else ()


def to_paper(
    law: Law, name: str, value: Any, others: Mapping[str, Any], at: Mapping[str, Any]
) -> Any:
    """Return the parameter whose level at the point ``at`` is ``value``.

    ``others`` holds the parameters the level names; shapes broadcast.
    """
    found = level_map(law, name)
    if found is None:
        return value
    known = {**others, **at}
    return found.inverse(**{k: known[k] for k in found.needs}, **{RESULT: value})


def to_sampled(law: Law, name: str, params: Mapping[str, Any], at: Mapping[str, Any]) -> Any:
    """Return the level of a parameter at the point ``at`` (or the parameter, if it has none)."""
    found = level_map(law, name)
    if found is None:
        return params[name]
    known = {**params, **at}
    return found.forward(**{k: known[k] for k in (*found.needs, name)})


def log_shift(law: Law, name: str, params: Mapping[str, Any], at: Mapping[str, Any]) -> Any:
    """Return log(level at ``at`` / level at the law's reference point), given the exponents.

    Levels are powers of the inputs, so that this does not depend on the parameter itself: a prior
    stated at the reference point moves to ``at`` by this shift, with unit Jacobian.
    """
    found, reference = level_map(law, name), dict(law.reference)
    if found is None or not reference:
        return 0.0
    here = to_sampled(law, name, {**params, name: 1.0}, at)
    there = to_sampled(law, name, {**params, name: 1.0}, {**at, **reference})
    return _log_ratio(here, there)


@partial(jax.jit, inline=True)
def _log_ratio(above: Any, below: Any) -> Any:
    return jnp.log(above) - jnp.log(below)
