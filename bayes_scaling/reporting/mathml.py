"""Formulas as MathML, which browsers draw by themselves, from the LaTeX of a law's record."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.entities import html5

from bayes_scaling.reporting.html import Html, escape, tag

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|[^\s]")
_RAW = re.compile(r"\\(?:mathrm|operatorname)\s*\{([^{}]*)\}")
_SIGNS = {"-": "\u2212", "*": "\u2217", "'": "\u2032", r"\cdot": "\u22c5", r"\times": "\u00d7"}
_LETTERS = {r"\infty": "\u221e", r"\ell": "\u2113"}
_ACCENTS = {r"\bar": "\u00af", r"\tilde": "~", r"\hat": "^"}
_OPERATORS = "+-*=<>,;:|/()[]!'"
_APPLY = "\u2061"  # an invisible sign: what follows is the argument of a function
_SPACE = Html('<mspace width="0.17em"></mspace>')
_FUNCTIONS = ("log", "exp", "min", "max", "tanh", "sinh", "cosh", "sin", "cos", "tan", "ln")


class _Reader:
    """The tokens of a formula, read from left to right."""

    def __init__(self, text: str) -> None:
        # Words are taken out first: inside them a letter is no symbol.
        self.words = [match[1].strip() for match in _RAW.finditer(text)]
        numbers = iter(range(len(self.words)))
        self.tokens = _TOKEN.findall(_RAW.sub(lambda _: f"\x00{next(numbers)}\x00", text))
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token


def formula(latex: str, *, block: bool = False) -> Html:
    r"""Return LaTeX as MathML: sums, fractions, roots, scripts, words and named functions.

    A command that is not known is shown by its name, so that nothing is lost.

    Examples
    --------
    >>> formula(r"N^{-\alpha}")
    '<math><msup><mi>N</mi><mrow><mo>−</mo><mi>α</mi></mrow></msup></math>'
    """
    row = _row(_Reader(latex), "")
    return tag("math", *row, display="block" if block else None)


def _row(reader: _Reader, until: str) -> list[Html]:
    found = []
    while reader.peek() and reader.peek() != until:
        found.append(_scripted(reader))
    reader.take()
    return found


def _scripted(reader: _Reader) -> Html:
    """An atom with what stands below and above it."""
    atom, below, above = _atom(reader), None, None
    while reader.peek() in ("_", "^"):
        if reader.take() == "_":
            below = _atom(reader)
        else:
            above = _atom(reader)
    if below is not None and above is not None:
        return tag("msubsup", atom, below, above)
    if below is not None:
        return tag("msub", atom, below)
    return atom if above is None else tag("msup", atom, above)


def _atom(reader: _Reader) -> Html:
    token = reader.take()
    if token in _COMMANDS:
        return _COMMANDS[token](reader)
    if token in _ACCENTS:
        return tag("mover", _atom(reader), tag("mo", _ACCENTS[token]))
    return _letter(token)


def _letter(token: str) -> Html:
    if token in _SIGNS or token in _OPERATORS:
        return tag("mo", _SIGNS.get(token, token))
    if token[:1].isdigit():
        return tag("mn", token)
    if token in _LETTERS:
        return tag("mi", _LETTERS[token])
    name = token.removeprefix("\\")
    if name in _FUNCTIONS:
        return Html(f"<mrow>{_SPACE}{tag('mi', name)}{tag('mo', _APPLY)}</mrow>")
    return tag("mi", html5.get(f"{name};", name) if token != name else name)


def _group(reader: _Reader) -> Html:
    """What braces hold, as one element."""
    row = _row(reader, "}")
    return row[0] if len(row) == 1 else tag("mrow", *row)


def _fraction(reader: _Reader) -> Html:
    return tag("mfrac", _atom(reader), _atom(reader))


def _root(reader: _Reader) -> Html:
    if reader.peek() != "[":
        return tag("msqrt", _atom(reader))
    reader.take()
    index = _row(reader, "]")
    return tag("mroot", _atom(reader), tag("mrow", *index))


def _fenced(reader: _Reader) -> Html:
    opened = _fence(reader)
    inner = _row(reader, r"\right")
    return tag("mrow", opened, *inner, _fence(reader))


def _fence(reader: _Reader) -> Html | None:
    sign = reader.take().removeprefix("\\")
    return None if sign == "." else tag("mo", sign)


def _words(reader: _Reader) -> Html:
    """Upright letters that were taken out of the text."""
    word = reader.words[int(reader.take())]
    reader.take()
    upright = ' mathvariant="normal"' if len(word) == 1 else ""
    return Html(f"<mi{upright}>{escape(word)}</mi>")


def _space(reader: _Reader) -> Html:
    return _SPACE


_COMMANDS: dict[str, Callable[[_Reader], Html]] = {
    "{": _group,
    "\x00": _words,
    r"\frac": _fraction,
    r"\sqrt": _root,
    r"\left": _fenced,
    r"\,": _space,
}
