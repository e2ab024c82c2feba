"""Read a law's equation from one line of text.

The text is never evaluated as Python. A token scan admits numbers, names, operators and commas;
`ast` gives the tree; a walk over a short list of node types builds the SymPy expression, holding
every number to a size that cannot exhaust time or memory.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import sympy

from bayes_scaling._errors import did_you_mean
from bayes_scaling._scan import ALLOWED, Source, names_in, scan, syntax_tree
from bayes_scaling.equation.elements import FUNCTIONS, NOT_FINITE, Literal, finite

# Exact numbers are held to these: `9**9**9` and its disguises would fill the memory.
MAX_EXPONENT, MAX_BITS = 1000, 4096

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Equation:
    """An equation as written, the names in it by first appearance, and its SymPy expression."""

    text: str
    names: tuple[str, ...]
    expr: sympy.Expr


def parse_equation(text: str, *, positive: Collection[str] = frozenset()) -> Equation:
    """Read one line such as ``"E + A*N**-alpha + G*log(V)"``; ``^`` is read as ``**``.

    Parameters
    ----------
    text
        Numbers, names, ``+ - * / ** ^ ( )`` and the functions in `FUNCTIONS`.
    positive
        Names whose symbols are declared positive; the others are declared real.

    Raises
    ------
    LawError
        When the text is anything else, is too long or too deep, or is not a finite real number.
        The message names the piece, its column and the mend.

    Examples
    --------
    >>> parse_equation("E + A*N^-alpha").names
    ('E', 'A', 'N', 'alpha')
    """
    source = scan(text)
    tree = syntax_tree(source)
    names = names_in(tree)
    symbols = {
        name: sympy.Symbol(name, positive=True)
        if name in positive
        else sympy.Symbol(name, real=True)
        for name in names
    }
    return Equation(text, names, _build(tree, source, symbols))


def _build(node: ast.expr, source: Source, symbols: Mapping[str, sympy.Symbol]) -> Any:
    """Return the SymPy expression of a node; every node type not named here is refused."""
    build = partial(_build, source=source, symbols=symbols)
    fail = partial(source.fail, node.col_offset, node.end_col_offset or 0)
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            make = partial(_number, value)
        case ast.Name(id=name) if name in FUNCTIONS:
            fail(f"is a function: write {name}(...)")
        case ast.Name(id=name):
            return symbols[name]
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=operand):
            make = partial(operator.mul, -1 if isinstance(sign, ast.USub) else 1, build(operand))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            make = partial(_power, build(left), build(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            make = partial(_OPERATORS[type(op)], build(left), build(right))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            _check_arity(name, len(args), fail)
            make = partial(FUNCTIONS[name], *(build(arg) for arg in args))
        case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            hint = did_you_mean(name, FUNCTIONS)
            fail(f"calls {name!r}, which is no function (a product needs *): {ALLOWED}.{hint}")
        case _:
            fail(f"is not allowed: {ALLOWED}")
    try:
        return _checked(make())
    except (ArithmeticError, ValueError, TypeError) as error:
        fail(f"cannot be used: {error}")


def _check_arity(name: str, count: int, fail: Callable[[str], NoReturn]) -> None:
    many = name in ("min", "max")
    takes = 2 if many or name in ("share", "lbeta") else 1
    if count < takes if many else count != takes:
        words = "two or more" if many else "two" if takes == 2 else "one"
        fail(f"has {count} arguments: {name} takes {words}")


def _number(value: float) -> sympy.Expr:
    """Keep whole numbers exact, so that N**2.0 is N**2; others are the double they denote."""
    if not math.isfinite(float(value)):
        raise ValueError("write a smaller number")
    whole = isinstance(value, int) or (value.is_integer() and abs(value) <= 1e6)
    return sympy.Integer(int(value)) if whole else Literal(value)


def _power(base: Any, exponent: Any) -> Any:
    """Raise to a power, refusing those that SymPy would write out digit by digit."""
    _check_exponent(exponent)
    return base**exponent


def _check_exponent(exponent: Any) -> None:
    exact = exponent.atoms(sympy.Rational)
    if any(max(abs(number.p), number.q) > MAX_EXPONENT for number in exact):
        raise ValueError(f"in exponents write numbers over {MAX_EXPONENT} as decimals, such as 1e9")


def _checked(expr: Any) -> Any:
    """Return the expression when its exact numbers are small and its constants finite reals."""
    for power in expr.atoms(sympy.Pow):
        _check_exponent(power.exp)
    bits = [max(abs(n.p), n.q).bit_length() for n in expr.atoms(sympy.Rational)]
    if max(bits, default=0) > MAX_BITS:
        raise ValueError("write smaller numbers")
    if expr.has(*NOT_FINITE):
        raise ValueError("it divides by zero, overflows, or takes a root or log of a negative")
    for part in (expr, *expr.args):  # SymPy gathers constants: (exp(2)*D)**999
        if part.is_number:
            finite(part)
    return expr
