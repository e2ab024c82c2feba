"""LaTeX of equations, with the terms of a sum in the order in which they were written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy.printing.latex import LatexPrinter

from bayes_scaling.equation.elements import symbols_of
from bayes_scaling.equation.parse import Equation
from bayes_scaling.symbols import SHORT_GREEK


def latex(equation: Equation, symbols: Mapping[str, str] | None = None) -> str:
    r"""Return LaTeX with terms in the order of the text; ``symbols`` maps names to their LaTeX.

    Examples
    --------
    >>> from bayes_scaling.equation import parse_equation
    >>> print(latex(parse_equation("E + A*N**-alpha"), {"E": r"L_\infty"}))
    L_\infty + A N^{- \alpha}
    """
    known = {**SHORT_GREEK, **(symbols or {})}
    named = {s: known[s.name] for s in symbols_of(equation.expr) if s.name in known}
    return _Printer(equation.names, {"symbol_names": named}).doprint(equation.expr)


class _Printer(LatexPrinter):
    """SymPy's printer, with the terms of a sum in the order in which the text names them."""

    def __init__(self, names: tuple[str, ...], settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self._rank = {name: i for i, name in enumerate(names)}

    def _as_ordered_terms(self, expr: Any, order: Any = None) -> list[Any]:
        return sorted(super()._as_ordered_terms(expr, order=order), key=self._place)

    def _place(self, term: Any) -> tuple[int, ...]:
        """Positive numbers come first, negative ones last."""
        ranks = sorted(self._rank.get(s.name, 0) for s in symbols_of(term))
        return tuple(ranks) or ((-1,) if term.is_positive else (len(self._rank),))
