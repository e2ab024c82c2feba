"""Numbers as people write them: ``70B``, ``1.4T``, ``1_000``, and back again."""

import math
import re

from bayes_scaling._errors import SpecError

# No E for 1e18: it could not be told from an exponent.
_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12, "p": 1e15}
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(?![\d,])")
_QUANTITY = re.compile(
    r"(?P<digits>[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+))"
    r"(?:(?P<exponent>[eE][+-]?\d+)|\s*(?P<suffix>[kmbgtp]))?",
    re.IGNORECASE,
)
_SHOWN = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def parse_quantity(text: str | float) -> float:
    """Return the number a text such as ``"70B"`` stands for.

    Parameters
    ----------
    text
        A decimal number, optionally with an exponent (``70e9``), a suffix of either case
        (k 1e3, M 1e6, B or G 1e9, T 1e12, P 1e15), underscores or thousands commas.
        Numbers pass through.

    Returns
    -------
    float
        The finite value.

    Raises
    ------
    SpecError
        When the text is no finite number. A decimal comma (``"3,14"``) is refused.

    Examples
    --------
    >>> parse_quantity("1.4T"), parse_quantity("1,000"), parse_quantity("70e9")
    (1400000000000.0, 1000.0, 70000000000.0)
    """
    bare = str(text).strip()
    if _THOUSANDS.match(bare):
        bare = bare.replace(",", "")
    found = None if isinstance(text, bool) else _QUANTITY.fullmatch(bare)
    if not found:
        raise SpecError(f"{text!r} is not a number: write it like 70e9, 70B, 1.4T or 1_000")
    value = float(found["digits"] + (found["exponent"] or ""))
    value *= _SCALES[found["suffix"].lower()] if found["suffix"] else 1.0
    if not math.isfinite(value):
        raise SpecError(f"{text!r} is too large for a number: write at most about 1e308")
    return value


def parse_assignments(text: str) -> dict[str, float | str]:
    """Return the names and values of a text such as ``"N=70e9,D=1.4T,family=c4"``.

    Parameters
    ----------
    text
        ``name=value`` pieces parted by commas. A value that reads as a quantity becomes a
        float, any other a string; quotes (single or double) force a string and protect
        commas.

    Returns
    -------
    dict
        Name to value, in the order written.

    Raises
    ------
    SpecError
        For a piece without ``=``, an empty name or value, or a repeated name.

    Examples
    --------
    >>> parse_assignments("N=70B,family='7B'")
    {'N': 70000000000.0, 'family': '7B'}
    """
    found: dict[str, float | str] = {}
    for piece in _split(text):
        name, value = _parse_piece(piece, text)
        if name in found:
            raise SpecError(f"{name!r} is given twice in {text!r}: keep one of them")
        found[name] = value
    return found


def _split(text: str) -> list[str]:
    """Return the pieces between commas that stand outside quotes."""
    pieces, quote = [""], ""
    for character in text:
        if character == "," and not quote:
            pieces.append("")
            continue
        pieces[-1] += character
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
    if quote:
        raise SpecError(f"a quote is not closed in {text!r}: close it, or leave quotes out")
    return [piece.strip() for piece in pieces]


def _parse_piece(piece: str, text: str) -> tuple[str, float | str]:
    name, equals, value = (part.strip() for part in piece.partition("="))
    if not equals:
        raise SpecError(
            f"{piece!r} in {text!r} has no '=': write name=value pieces parted by commas,"
            " and numbers without thousands commas"
        )
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    value = value[1:-1] if quoted else value
    if not name or not value:
        raise SpecError(f"{piece!r} in {text!r} lacks a name or a value: write it as name=value")
    return name, value if quoted else _number_or_text(value)


def _number_or_text(value: str) -> float | str:
    try:
        return parse_quantity(value)
    except SpecError:
        return value


def format_quantity(x: float, digits: int = 3) -> str:
    """Return a short text for a table, such as ``"70B"``, ``"1.4T"`` or ``"5.76e+23"``.

    Parameters
    ----------
    x
        Any number. From 1e3 up to 1e15 it is shown with a suffix, beyond with an exponent.
    digits
        Significant digits kept.

    Examples
    --------
    >>> format_quantity(70e9), format_quantity(5.76e23), format_quantity(0.0003)
    ('70B', '5.76e+23', '0.0003')
    """
    rounded = float(f"{x:.{digits}g}")
    if abs(rounded) < 1e15:
        for scale, suffix in _SHOWN:
            if abs(rounded) >= scale:
                return f"{rounded / scale:.{max(digits, 3)}g}{suffix}"
    return f"{rounded:.{digits}g}"
