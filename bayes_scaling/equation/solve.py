"""Solve an equation for one name, by undoing its operations from the outside in."""

from __future__ import annotations

from typing import Any

import sympy

from bayes_scaling._errors import LawError
from bayes_scaling.equation.elements import NOT_FINITE, count_names


def solve_for(expr: sympy.Expr, name: str, result: str = "_level") -> sympy.Expr:
    """Solve ``expr == result`` for ``name``, all symbols taken to be positive.

    The operations are undone from the outside in, so ``name`` must occur exactly once.

    Raises
    ------
    LawError
        When ``name`` does not occur exactly once, is inside ``min``, ``max`` or an absolute
        value, or has two positive solutions or none; or when ``result`` is a name in ``expr``.

    Examples
    --------
    >>> from bayes_scaling.equation import parse_equation
    >>> solve_for(parse_equation("(A*N**-alpha)**gam").expr, "A")
    N**alpha*_level**(1/gam)
    """
    found = count_names(expr)
    if found[name] != 1 or found[result]:
        clash = f"already holds the name {result!r}" if found[result] else "cannot be solved"
        raise LawError(
            f"equation {str(expr)!r} {clash}: {name!r} must occur once, it occurs "
            f"{found[name]} times, and {result!r} must not occur"
        )
    try:
        return _invert(expr, name, sympy.Symbol(result, positive=True))
    except (TypeError, ArithmeticError) as error:  # SymPy's, about odd constants
        raise LawError(f"equation {str(expr)!r} cannot be solved for {name!r}: {error}") from error


def _positive_number(number: Any) -> bool:
    try:
        return float(number) > 0
    except (TypeError, ArithmeticError):  # complex, or too large for a float
        return False


def _plainly_positive(expr: Any) -> bool:
    """Whether positive symbols make it positive term by term (SymPy may search for roots)."""
    if expr.is_Add or expr.is_Mul:
        return all(_plainly_positive(arg) for arg in expr.args)
    if expr.is_number:
        return _positive_number(expr)
    if expr.is_Pow:
        return _plainly_positive(expr.base)
    return bool(expr.is_Symbol) or isinstance(expr, sympy.exp)


def _invert(expr: Any, name: str, target: Any) -> Any:
    inner = expr
    while not inner.is_Symbol:
        inner, target = _peel(inner, name, target)
    if _plainly_positive(-target) or target.has(*NOT_FINITE):
        raise LawError(f"equation {str(expr)!r} has no positive solution for {name!r}")
    return target


def _peel(expr: Any, name: str, target: Any) -> tuple[Any, Any]:
    """Undo the outermost operation: return the argument that holds ``name``, and its value."""
    held = [arg for arg in expr.args if count_names(arg)[name]]
    inner, others = held[0], [arg for arg in expr.args if arg is not held[0]]
    if expr.is_Add:
        return inner, target - sympy.Add(*others)
    if expr.is_Mul:
        return inner, target / sympy.Mul(*others)
    if expr.is_Pow:
        return _peel_power(expr, inner, target)
    inverses = {
        sympy.exp: sympy.log,
        sympy.log: sympy.exp,
        sympy.tanh: lambda y: sympy.log((1 + y) / (1 - y)) / 2,
    }
    if expr.func not in inverses:
        raise LawError(f"equation cannot be solved for {name!r} inside {expr.func.__name__}")
    return inner, inverses[expr.func](target)


def _peel_power(expr: Any, inner: Any, target: Any) -> tuple[Any, Any]:
    if inner is not expr.base:
        return inner, sympy.log(target) / sympy.log(expr.base)
    even = expr.exp.is_Rational and expr.exp.p % 2 == 0
    if even and not _plainly_positive(inner):
        raise LawError(f"equation: {str(expr)!r} has two roots: take the power of a positive term")
    return inner, target ** (1 / expr.exp)
