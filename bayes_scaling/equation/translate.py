"""From expressions to numbers: a JAX function, and an oracle that is independent of it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy

from bayes_scaling._errors import LawError
from bayes_scaling._scan import ALLOWED
from bayes_scaling.equation.elements import (
    LogBeta,
    Max,
    Min,
    Share,
    check_names,
    finite,
    real_constant,
    symbols_of,
)
from bayes_scaling.gammas import log_beta
from bayes_scaling.roots import share

# An array function, and the expressions it is to be applied to.
_Rule = tuple[Callable[..., Any], tuple[Any, ...]]


def compile_jax(expr: sympy.Expr, names: tuple[str, ...]) -> Callable[..., jax.Array]:
    """Return ``f(**values)``, elementwise over JAX arrays that broadcast; jit, grad, vmap safe.

    Integers become floats before any arithmetic; ``log(1 + u)``, ``exp(u) - 1`` and
    ``1/(1 + exp(u))`` are computed by the functions that keep their digits and gradients.

    Parameters
    ----------
    expr
        An expression as made by `parse_equation` or `solve_for`.
    names
        The keyword arguments of the function, a superset of the names in ``expr``.

    Raises
    ------
    LawError
        When ``expr`` has a name or an operation that is not allowed; and, from the function, when
        the keywords given are not ``names``.

    Examples
    --------
    >>> from bayes_scaling.equation import parse_equation
    >>> f = compile_jax(parse_equation("A*N**-alpha").expr, ("A", "N", "alpha"))
    >>> float(f(A=8.0, N=4.0, alpha=0.5))
    4.0
    """
    check_names({s.name for s in symbols_of(expr)} - {*names}, "needs")
    body = translate(expr, jnp)

    def function(**values: Any) -> jax.Array:
        check_names({*names} - {*values}, "needs")
        check_names({*values} - {*names}, "does not take")
        arrays = {name: _as_float(values[name]) for name in names}
        shape = jnp.broadcast_shapes(*(jnp.shape(array) for array in arrays.values()))
        return jnp.broadcast_to(jnp.asarray(body(arrays)), shape)

    return function


def oracle(expr: sympy.Expr, values: Mapping[str, float | str], digits: int = 30) -> float:
    """Evaluate with mpmath, independently of `compile_jax`; text values are read to all digits.

    Raises
    ------
    LawError
        When a name has no value, or the result is not a finite real number.

    Examples
    --------
    >>> from bayes_scaling.equation import parse_equation
    >>> oracle(parse_equation("A*N**-alpha").expr, {"A": 8, "N": 4, "alpha": "0.5"})
    4.0
    """
    check_names({s.name for s in symbols_of(expr)} - {*values}, "needs")
    try:
        point: Any = {s: sympy.Float(values[s.name], digits + 10) for s in symbols_of(expr)}
        return finite(_evaluated(expr, point, digits))
    except (TypeError, ValueError, ArithmeticError, MemoryError, RecursionError) as error:
        raise LawError(f"equation {str(expr)[:60]!r} has no finite real value: {error}") from error


def _evaluated(expr: sympy.Expr, point: dict[Any, Any], digits: int) -> Any:
    """Evaluate each repeated part once; nested minima would take a hundred times as long."""
    found: Any = sympy.cse(expr)
    parts, [core] = found
    for name, part in parts:
        point[name] = part.evalf(digits + 10, subs=point)
    return core.evalf(digits, subs=point)


def _as_float(value: Any) -> Any:
    """Return a floating array; counts beyond 32 bits are converted before JAX can wrap them."""
    if isinstance(value, (int, float)):
        return jnp.asarray(float(value))
    array = value if isinstance(value, jax.Array) else np.asarray(value)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(jnp.result_type(float))
    return jnp.asarray(array)


def translate(expr: Any, xp: Any) -> Callable[[Mapping[str, Any]], Any]:
    """Return the expression as nested closures over the array module ``xp``."""
    if expr.is_number:
        value = real_constant(expr)
        return lambda env: value
    if expr.is_Symbol:
        name = expr.name
        return lambda env: env[name]
    rule, arguments = _rule(expr, xp)
    parts = [translate(argument, xp) for argument in arguments]
    return lambda env: rule(*(part(env) for part in parts))


def _rule(expr: Any, xp: Any) -> _Rule:
    """Return the array function of the outermost operation, and its arguments."""
    elementwise = {
        sympy.exp: xp.exp,
        sympy.log: xp.log,
        sympy.tanh: xp.tanh,
        sympy.Abs: xp.abs,
        sympy.Add: _fold(operator.add),
        sympy.Mul: _fold(operator.mul),
        Max: _fold(xp.maximum),
        Min: _fold(xp.minimum),
        Share: share,
        LogBeta: log_beta,
    }
    if stable := _stable_rule(expr, xp):
        return stable
    if expr.is_Pow:
        return _power_rule(expr.base, expr.exp, xp)
    if expr.func not in elementwise:
        raise LawError(f"equation: {expr.func.__name__} has no array function: {ALLOWED}")
    return elementwise[expr.func], expr.args


def _fold(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *values: reduce(function, values)


def _power_rule(base: Any, exponent: Any, xp: Any) -> _Rule:
    """Use the cheap and exact forms of common powers; whole powers allow negative bases."""
    special = {
        sympy.Integer(-1): lambda x: 1 / x,
        sympy.Integer(2): xp.square,
        sympy.Rational(1, 2): xp.sqrt,
        sympy.Rational(-1, 2): lambda x: 1 / xp.sqrt(x),
    }
    if exponent in special:
        return special[exponent], (base,)
    if exponent.is_Integer:
        return lambda x: xp.power(x, int(exponent)), (base,)
    return xp.power, (base, exponent)


def _stable_rule(expr: Any, xp: Any) -> _Rule | None:
    """Recognise what loses digits, or overflows in the gradient, when computed as written."""
    if expr.is_Add:
        number, rest = expr.as_coeff_Add()
        scale, factor = rest.as_coeff_Mul()
        if number == -scale and isinstance(factor, sympy.exp):
            return lambda x: float(scale) * xp.expm1(x), factor.args
    inner = expr.args[0]
    if not inner.is_Add or inner.as_coeff_Add()[0] != 1 or _stable_rule(inner, xp):
        return None
    rest = inner.as_coeff_Add()[1]
    if isinstance(expr, sympy.log) and isinstance(rest, sympy.exp):
        return partial(xp.logaddexp, 0.0), rest.args
    if isinstance(expr, sympy.log):
        return xp.log1p, (rest,)
    if expr.is_Pow and expr.exp == -1 and isinstance(rest, sympy.exp):
        argument: Any = rest.args[0]
        return jax.nn.sigmoid if xp is jnp else lambda x: 1 / (1 + xp.exp(-x)), (-argument,)
    return None
