"""Axes of a picture: from values to places, and the ticks between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayes_scaling.quantity import format_quantity
from bayes_scaling.symbols import SYMBOLS

POWERS_FROM = 1e15  # no suffix is left from there: powers of ten on the whole axis
LOG_FROM = 1.8  # values that differ by this factor are drawn on a log axis
MARGIN = 0.04  # of an axis beyond the values at either end
_UPPER = str.maketrans(
    "0123456789-", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b"
)
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_DECADE_STEPS = ((1, 2, 5), (1, 3), (1,))


class Scale(NamedTuple):
    """What an axis shows: its label, whether it is logarithmic, and its ends."""

    label: str
    log: bool
    low: float
    high: float


def scale_of(label: str, values: Sequence[float] | np.ndarray, log: bool | None = None) -> Scale:
    """Return the scale that shows all finite values with a margin; logarithmic where positive
    values differ by some factor, unless ``log`` says."""
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if log is None:
        log = low > 0 and high / low >= LOG_FROM
    a, b = (math.log(low), math.log(high)) if log else (low, high)
    room = MARGIN * (b - a) or 0.05 * (1.0 if log else abs(a) or 1.0)
    a, b = a - room, b + room
    return Scale(label, log, *((math.exp(a), math.exp(b)) if log else (a, b)))


def places(scale: Scale, values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return where values lie on an axis that is drawn from ``start`` to ``end``."""
    v = np.asarray(values, float)
    if not scale.log:
        return start + (v - scale.low) / (scale.high - scale.low) * (end - start)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.log(v / scale.low) / math.log(scale.high / scale.low)
    return start + share * (end - start)


def ticks(scale: Scale, most: int = 7) -> list[tuple[float, str]]:
    """Return at most so many ticks, each a value and its text.

    Examples
    --------
    >>> [text for _, text in ticks(Scale("C", True, 8e17, 2e22), 5)]
    ['10¹⁸', '10¹⁹', '10²⁰', '10²¹', '10²²']
    """
    found = _log_ticks(scale, most) if scale.log else _even_ticks(scale.low, scale.high, most)
    powers = scale.log and scale.high >= POWERS_FROM
    return [(v, tick_text(v, powers)) for v in found]


def _log_ticks(scale: Scale, most: int) -> list[float]:
    first, last = math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high))
    decades = range(first, last + 1)
    for steps in _DECADE_STEPS:
        found = _inside(scale, [s * 10.0**d for d in decades for s in steps])
        if 3 <= len(found) <= most:
            return found
    whole = _inside(scale, [10.0**d for d in decades])
    if len(whole) > most:
        step = -(-len(whole) // most)
        return [v for v in whole if round(math.log10(v)) % step == 0]
    return _even_ticks(scale.low, scale.high, most)


def _inside(scale: Scale, values: Sequence[float]) -> list[float]:
    return [v for v in values if scale.low <= v <= scale.high]


def _even_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in _STEPS if s * power >= rough * (1 - 1e-9))
    count = int((high - math.ceil(low / step) * step) / step + 1e-9) + 1
    return [round((math.ceil(low / step) + i) * step, 12) for i in range(count)]


def tick_text(value: float, powers: bool = False) -> str:
    """Return a number for an axis: with a suffix, or as a power of ten.

    Examples
    --------
    >>> tick_text(7e10), tick_text(2e21), tick_text(1e13, powers=True), tick_text(0.25)
    ('70B', '2×10²¹', '10¹³', '0.25')
    """
    text = f"{value:.3g}" if powers else format_quantity(value)
    if powers and "e" not in text:
        text = f"{value:.0e}"
    digits, e, power = text.partition("e")
    if not e:
        return text
    upper = str(int(power)).translate(_UPPER)
    return f"10{upper}" if float(digits) == 1 else f"{float(digits):g}\u00d710{upper}"


def axis_label(name: str) -> str:
    """Return a symbol with its meaning and unit, as plain text.

    Examples
    --------
    >>> axis_label("C"), axis_label("epochs")
    ('training compute C (FLOPs)', 'epochs')
    """
    known = SYMBOLS.get(name)
    if known is None:
        return name
    said = known.unit.replace("/", " per ") in known.meaning
    return f"{known.meaning} {name}" + ("" if said else f" ({known.unit})")
