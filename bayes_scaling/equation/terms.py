"""The terms of an equation: which parameters scale one, which are exponents."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, cast

import numpy as np
import sympy

from bayes_scaling._errors import LawError
from bayes_scaling.equation.elements import count_names, symbols_of
from bayes_scaling.equation.translate import translate

MAX_TERMS = 1000


def additive_terms(expr: sympy.Expr) -> list[sympy.Expr]:
    """Return the top-level terms; products of sums are multiplied out, powers of sums are kept.

    Raises
    ------
    LawError
        When there would be more than 1000 terms.
    """
    if _term_count(expr) > MAX_TERMS:
        raise LawError(f"equation multiplies out to over {MAX_TERMS} terms: write fewer sums")
    return list(sympy.Add.make_args(sympy.Add(*_terms(expr))))


def linear_terms(
    expr: sympy.Expr, params: Collection[str], inputs: Collection[str]
) -> dict[str, sympy.Expr]:
    """Map each parameter that only scales one positive term to that term, less sign and number.

    The parameter occurs once in ``expr``; positivity of the other factors is probed for values of
    all names between 1.1 and 3, so that ``log(V)`` counts as positive. Values at which they are
    not defined, such as a power of a difference below zero, are no values of theirs.

    Raises
    ------
    LawError
        When the equation multiplies out to more than 1000 terms.

    Examples
    --------
    >>> from bayes_scaling.equation import parse_equation
    >>> equation = parse_equation("E + A*N**-alpha - 2*G*log(V)")
    >>> linear_terms(equation.expr, {"E", "A", "G", "alpha"}, {"N", "V"})["G"]
    G*log(V)
    """
    found, known = count_names(expr), {*params, *inputs}
    once = sorted(name for name in params if found[name] == 1)
    terms = {name: _scaled_term(expr, name, known) for name in once}
    return {name: term for name, term in terms.items() if term is not None}


def exponents(expr: sympy.Expr, params: Collection[str]) -> set[str]:
    """Return the parameters that occur, and only inside exponents of bases that hold an input.

    Examples
    --------
    >>> from bayes_scaling.equation import parse_equation
    >>> exponents(parse_equation("A*N**-alpha").expr, {"A", "alpha"})
    {'alpha'}
    """
    present = {s.name for s in symbols_of(expr)} & {*params}
    return present - _outside_exponents(expr, {*params})


def _terms(expr: Any) -> list[Any]:
    if expr.is_Add:
        return [term for arg in expr.args for term in _terms(arg)]
    sums = [arg for arg in expr.args if arg.is_Add] if expr.is_Mul else []
    if not sums:
        return [expr]
    rest = sympy.Mul(*(arg for arg in expr.args if arg is not sums[0]))
    return [term for arg in sums[0].args for term in _terms(arg * rest)]


def _term_count(expr: Any) -> int:
    counts = [_term_count(arg) for arg in expr.args]
    return sum(counts) if expr.is_Add else math.prod(counts) if expr.is_Mul else 1


def _scaled_term(expr: sympy.Expr, name: str, known: Collection[str]) -> Any:
    """Return the one term that ``name`` scales, whole if it can be, else multiplied out."""
    for terms in (list(sympy.Add.make_args(expr)), additive_terms(expr)):
        held: list[Any] = [term for term in terms if count_names(cast(Any, term))[name]]
        term = sympy.Mul(*(f for f in sympy.Mul.make_args(held[0]) if not f.is_number))
        if len(held) == 1 and _scales(term, name, known):
            return term
    return None


def _scales(term: Any, name: str, known: Collection[str]) -> bool:
    """Whether ``name`` is a plain factor and the others are positive wherever they are defined."""
    factors: tuple[Any, ...] = sympy.Mul.make_args(term)
    others = [f for f in factors if not (f.is_Symbol and f.name == name)]
    names = sorted({s.name for f in others for s in symbols_of(f)})
    if len(others) == len(factors) or not {*names} <= {*known}:
        return False
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        value = translate(sympy.Mul(*others), np)({n: rng.uniform(1.1, 3.0, 32) for n in names})
    value = np.asarray(value)[~np.isnan(value)]
    return bool(value.size and np.all(value > 0))


def _outside_exponents(expr: Any, params: Collection[str]) -> set[str]:
    """Return the names that stand anywhere but in the exponent of a base that holds an input."""
    if expr.is_Symbol:
        return {expr.name}
    has_input = expr.is_Pow and any(s.name not in params for s in symbols_of(expr.base))
    args = expr.args[:1] if has_input else expr.args
    return {name for arg in args for name in _outside_exponents(arg, params)}
