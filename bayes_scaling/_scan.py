"""From the text of an equation to its syntax tree and names, without SymPy.

Only numbers, names, operators and commas get through, so that nothing else ever reaches `ast`.
Laws are checked with this when they are defined, which keeps loading the catalogue cheap.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import NoReturn

from bayes_scaling._errors import LawError

FUNCTIONS = ("exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "tanh", "sigmoid")
FUNCTIONS += ("share", "lbeta", "min", "max")
MAX_LENGTH, MAX_NODES, MAX_DEPTH = 2000, 400, 60
_TOKEN = re.compile(
    r"[ \t]+|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|[-+*/^(),]|(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?",
    re.ASCII,
)
_NAME = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*_?")
ALLOWED = f"use numbers, names, + - * / ** ^ ( ) and {', '.join(FUNCTIONS)}"
_MENDS = {"=": "write the right-hand side only", "[": "write (", "]": "write )", "{": "write ("}
_MENDS |= {"}": "write )", "\u2212": "write -", "\u2013": "write -", "\u00d7": "write *"}
_MENDS |= {"\u00b7": "write *", "\u00f7": "write /", "\u00b2": "write **2", "\u03bb": "write lam"}


@dataclass(frozen=True)
class Source:
    """The text, and for every column of the parsed code the column of the text it came from."""

    text: str
    code: str
    columns: tuple[int, ...]

    def fail(self, start: int, stop: int, why: str) -> NoReturn:
        """Raise about the stretch of code between two columns."""
        last = len(self.columns) - 1
        first = self.columns[min(max(start, 0), last)]
        piece = self.text[first : self.columns[min(max(stop, 0), last)]].strip(" \t")
        shown = piece if len(piece) <= 40 else piece[:37] + "..."
        raise LawError(f"equation: {shown!r} at column {first + 1} {why}")


def scan(text: str) -> Source:
    """Admit only the tokens of an equation."""
    lead = len(text) - len(text.lstrip(" \t"))
    columns = tuple(i for i, c in enumerate(text) if i >= lead for _ in ("**" if c == "^" else c))
    source = Source(text, text.strip(" \t").replace("^", "**"), (*columns, len(text)))
    if not source.code:
        raise LawError("equation is empty: write one such as E + A*N**-alpha")
    if len(text) > MAX_LENGTH:
        source.fail(0, 40, f"starts a text of over {MAX_LENGTH} characters: write a shorter one")
    position = 0
    while position < len(source.code):
        position = _token(source, position)
    return source


def _token(source: Source, start: int) -> int:
    """Return where the token that begins at ``start`` ends."""
    match = _TOKEN.match(source.code, start)
    if match is None:
        source.fail(start, start + 1, f"is not allowed: {_mend(source.code[start])}")
    word = match["word"]
    if word and re.match(r"[\w.]", source.code[start - 1 : start]):
        source.fail(start, match.end(), "follows a number: write * between them")
    if word and keyword.iskeyword(word):
        other = "lam" if word == "lambda" else f"{word}_"
        source.fail(start, match.end(), f"is a word of Python: use another name, such as {other!r}")
    if word and not _NAME.fullmatch(word):
        source.fail(start, match.end(), "is not a name: begin with a letter, no double underscore")
    return match.end()


def _mend(character: str) -> str:
    """Say what to write in place of a character that is not allowed."""
    _, letter, name = unicodedata.name(character, "").partition("GREEK SMALL LETTER ")
    return _MENDS.get(character, f"write {name.split()[0].lower()}" if letter else ALLOWED)


def syntax_tree(source: Source) -> ast.expr:
    """Return the syntax tree of a text whose brackets and operations are not too deep."""
    size = len(source.code)
    steps = ((character == "(") - (character == ")") for character in source.code)
    if max(accumulate(steps)) > MAX_DEPTH:
        source.fail(0, size, f"has brackets over {MAX_DEPTH} deep: write fewer")
    try:
        tree = ast.parse(source.code, mode="eval").body
    except SyntaxError as error:
        start, stop = (error.offset or 1) - 1, (error.end_offset or 0) - 1
        mend = "does not read as an equation: check brackets and operators, write products with *"
        source.fail(start, stop if stop > start else size, mend)
    except (ValueError, MemoryError, RecursionError):
        source.fail(0, size, "is too complicated to read: write a shorter equation")
    if not _is_small(tree):
        limits = f"at most {MAX_NODES} parts and {MAX_DEPTH} operations deep"
        source.fail(0, size, f"is too complicated: write {limits}")
    return tree


def _is_small(tree: ast.expr) -> bool:
    """Whether the tree is within the limits; it is taken level by level, without recursion."""
    level: list[ast.expr] = [tree]
    nodes = depth = 0
    while level:
        nodes, depth = nodes + len(level), depth + 1
        level = [n for p in level for n in ast.iter_child_nodes(p) if isinstance(n, ast.expr)]
    return nodes <= MAX_NODES and depth <= MAX_DEPTH


def names_in(tree: ast.expr) -> tuple[str, ...]:
    """Return the names that are not functions, by first appearance."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    return tuple(dict.fromkeys(n.id for n in sorted(found, key=lambda n: n.col_offset)))


def equation_names(text: str) -> tuple[str, ...]:
    """Return the names in an equation, by first appearance; then functions that do not exist.

    Raises
    ------
    LawError
        When the text does not read as an equation.

    Examples
    --------
    >>> equation_names("E + 1e5*log(N)**-alpha")
    ('E', 'N', 'alpha')
    """
    tree = syntax_tree(scan(text))
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    calls = {f.id: None for f in called if isinstance(f, ast.Name) and f.id not in FUNCTIONS}
    return tuple(dict.fromkeys((*names_in(tree), *calls)))


def is_name(text: str) -> bool:
    """Whether a text can name an input or a parameter."""
    plain = _NAME.fullmatch(text) and text.isascii()
    return bool(plain) and not keyword.iskeyword(text) and text not in FUNCTIONS


def rename(text: str, names: Mapping[str, str]) -> str:
    """Return the text with names exchanged; the ``e5`` of ``1e5`` is part of a number, no name.

    Examples
    --------
    >>> rename("A * (X/1e5)**-e5", {"X": "N", "e5": "k"})
    'A * (N/1e5)**-k'
    """
    return _TOKEN.sub(lambda match: names.get(match.group(), match.group()), text)


def not_a_formula(text: str) -> str:
    """Return the text, which names a law.

    Raises
    ------
    LawError
        When it is a formula, with the mend.
    """
    if {*text} & {*"+*/="}:
        raise LawError(
            f"'{text}' is a formula, not the name of a law: pass "
            f"bs.law_from_equation('{text}'), or --equation in place of --law."
        )
    return text
