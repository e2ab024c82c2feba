"""What equations are made of: numbers as written, extrema, functions, and small questions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, cast

import mpmath
import numpy as np
import sympy

from bayes_scaling._errors import LawError, list_names

NOT_FINITE = (sympy.I, sympy.nan, sympy.zoo, sympy.oo, -sympy.oo)


class Literal(sympy.NumberSymbol):
    """A number written with a decimal point, which SymPy carries along as it does pi.

    As a `sympy.Float` it would be worked into its surroundings (``exp(x - 800.5)`` becomes a tiny
    number times ``exp(x)``), printed otherwise than written, and can send SymPy round for ever.
    """

    is_real = is_positive = True
    value: float

    def __new__(cls, value: float) -> Literal:
        """Hold the double ``value``, which is positive."""
        self = super().__new__(cls)
        self.value = value
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self.value == other.value

    def __hash__(self) -> int:
        return hash((Literal, self.value))

    def __getnewargs__(self) -> Any:
        return (self.value,)

    _hashable_content = __getnewargs__

    def _as_mpf_val(self, prec: int) -> Any:
        return sympy.Float(self.value, dps=17)._mpf_

    def _sympystr(self, printer: Any) -> str:
        return repr(self.value)

    def _latex(self, printer: Any) -> str:
        plain = 1e-3 <= self.value < 1e6
        text = repr(self.value) if plain else np.format_float_scientific(self.value, trim="-")
        digits, _, power = text.partition("e")
        times = "" if digits == "1" else rf"{digits} \cdot "
        return rf"{times}10^{{{int(power)}}}" if power else digits


class _Extremum(sympy.Function):
    """Left as it is: SymPy's own extrema refuse arguments that may be complex, as log(N) may."""

    pick: ClassVar[Callable[..., Any]]

    def _eval_evalf(self, prec: int) -> Any:
        return type(self).pick(cast(Any, arg)._evalf(prec) for arg in self.args)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inside = ", ".join(printer.doprint(arg) for arg in self.args)
        power = f"^{{{exp}}}" if exp else ""
        return rf"\{type(self).__name__.lower()}{power}\left({inside}\right)"


class Max(_Extremum):
    """The largest of its arguments."""

    pick = max


class Min(_Extremum):
    """The smallest of its arguments."""

    pick = min


class Share(sympy.Function):
    """The t between 0 and 1 with ``t / (1 - t)**power = ratio``; the ratio itself at power 0."""

    def _eval_evalf(self, prec: int) -> Any:
        ratio, power = (cast(Any, arg)._evalf(prec) for arg in self.args)
        if power == 0:
            return ratio
        with mpmath.workprec(prec + 30):
            log_ratio, at = mpmath.log(ratio._to_mpmath(prec)), power._to_mpmath(prec)
            return sympy.Float._new(_bisect_share(log_ratio, at)._mpf_, prec)


def _bisect_share(log_ratio: Any, power: Any) -> Any:
    """The share by bisection of its logit, to the working precision of mpmath."""
    reach = (abs(log_ratio) + 1) * max(1, 1 / power) + abs(power - 1)
    low, high = -reach, reach
    for _ in range(mpmath.mp.prec):
        middle = (low + high) / 2
        up = mpmath.log1p(mpmath.exp(middle))
        below = power * up + middle - up < log_ratio
        low, high = (middle, high) if below else (low, middle)
    return 1 / (1 + mpmath.exp(-low))


class LogBeta(sympy.Function):
    """The logarithm of the Beta function of two positive arguments."""

    def _eval_evalf(self, prec: int) -> Any:
        values = [cast(Any, arg)._evalf(prec)._to_mpmath(prec) for arg in self.args]
        if not all(value > 0 for value in values):
            return sympy.nan
        with mpmath.workprec(prec + 60 + 2 * max(0, *map(mpmath.mag, values))):
            first, second, both = map(mpmath.loggamma, (*values, sum(values)))
            return sympy.Float._new((first + second - both)._mpf_, prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inside = ", ".join(printer.doprint(arg) for arg in self.args)
        power = f"^{{{exp}}}" if exp else ""
        return rf"\log{power} \mathrm{{B}}\left({inside}\right)"


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log1p": lambda x: sympy.log(1 + x),
    "expm1": lambda x: sympy.exp(x) - 1,
    "sqrt": sympy.sqrt,
    "tanh": sympy.tanh,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "share": Share,
    "lbeta": LogBeta,
    "min": Min,
    "max": Max,
}


def finite(number: Any) -> float:
    """Return a number as a float; one that is not finite is an `OverflowError`."""
    value = float(number)
    if not math.isfinite(value):
        raise OverflowError("it overflows")
    return value


def real_constant(number: Any) -> float:
    """Return a constant expression as a finite float."""
    try:
        return finite(number)
    except (TypeError, ArithmeticError) as error:
        shown = str(number)[:40]
        raise LawError(f"equation: {shown!r} is not a finite real number: {error}") from error


def symbols_of(expr: sympy.Expr) -> set[sympy.Symbol]:
    """Return the symbols that occur."""
    return expr.atoms(sympy.Symbol)


def count_names(expr: sympy.Expr) -> Counter[str]:
    """Count the occurrences of every name."""
    return Counter(n.name for n in sympy.preorder_traversal(expr) if isinstance(n, sympy.Symbol))


def check_names(names: Iterable[str], verb: str) -> None:
    """Refuse names that should not be there; ``verb`` says what is amiss with them."""
    if names := sorted(names):
        raise LawError(f"equation {verb} a value for {list_names(names)}: pass one for each name")
