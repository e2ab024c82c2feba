"""Figures that need no pyplot: palette, labels and axes shared by every picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_scaling.equation import latex, parse_equation
from bayes_scaling.quantity import format_quantity
from bayes_scaling.spec import Law
from bayes_scaling.symbols import SYMBOLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe & Ito's palette, which people with any colour vision can tell apart; blue first.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BLUE, INK, FAINT = OKABE_ITO[0], "#333333", "#8a8a8a"
LEVELS_MAP, MAP_LOW, MAP_HIGH = "viridis", 0.05, 0.88  # the yellow end is too pale on white
DPI = 100
LOG_FROM = 1.8  # a response whose values differ by this factor is drawn on a log axis
DECADE = 12.0
FEW_DECADES = 3.0


@lru_cache
def _figure_class() -> type[Figure]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        error.add_note("Pictures need matplotlib: run pip install 'matplotlib>=3.9'.")
        raise

    class Picture(Figure):
        """A figure outside pyplot that notebooks show by itself."""

        def _repr_png_(self) -> bytes:
            stream = io.BytesIO()
            self.savefig(stream, format="png", dpi=DPI)
            return stream.getvalue()

    Picture.__qualname__, Picture.__module__ = "Picture", __name__
    return Picture


def __getattr__(name: str) -> Any:
    """Find `Picture` by name, so that figures can be pickled."""
    if name == "Picture":
        return _figure_class()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of that size in inches, known to no pyplot state."""
    return _figure_class()(figsize=(width, height), layout="constrained")


def panels(count: int, *, width: float = 4.0, height: float = 3.4, columns: int = 3,
           share: bool = True) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """Return a figure of ``count`` panels and its axes; the spare ones of a grid are removed."""
    columns = min(columns, count)
    rows = -(-count // columns)
    width, height = (7.0, 4.4) if count == 1 else (width, height)
    figure = new_figure(width * columns + 0.6, height * rows + 0.6)
    grid = figure.subplots(rows, columns, sharex=share, sharey=share, squeeze=False)
    axes = list(grid.flat)
    for axis in axes[count:]:
        axis.remove()
    for axis in axes[max(0, count - columns) : count]:
        axis.tick_params(labelbottom=True)  # the panel below it may have been removed
    for axis in axes[:count]:
        tidy(axis)
    return figure, axes[:count]


def tidy(axis: Axes) -> None:
    """Give an axis the common look: a light grid under the data and no box."""
    axis.grid(True, which="major", color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=9)


def label(name: str) -> str:
    """Return the axis label of a symbol with its unit, such as ``training compute C (FLOPs)``."""
    if name not in SYMBOLS:
        return name
    known = SYMBOLS[name]
    said = known.unit.replace("/", " per ") in known.meaning  # as in "training tokens"
    return f"{known.meaning} ${known.latex}$" + ("" if said else f" ({known.unit})")


def number(value: float) -> str:
    """Return a number for a label: ``70B``, or a power of ten in mathtext when it is large."""
    text = format_quantity(value)
    if "e+" not in text:
        return text
    digits, power = text.split("e+")
    times = "" if digits == "1" else rf"{digits} \times "
    return rf"${times}10^{{{int(power)}}}$"


def symbol_of(name: str, before: str = "") -> str:
    """Return a symbol in mathtext after some words; nothing for no symbol."""
    if not name:
        return ""
    return before + (f"${SYMBOLS[name].latex}$" if name in SYMBOLS else name)


def formula(law: Law) -> str:
    """Return a law's equation for a title: mathtext, or plain text where that cannot draw it."""
    response = SYMBOLS[law.response].latex if law.response in SYMBOLS else law.response
    if not law.equation:
        return ""
    text = f"${response} = {latex(parse_equation(law.equation), names_latex(law))}$"
    return text if drawable(text) else f"{law.response} = {law.equation}"


def names_latex(law: Law) -> dict[str, str]:
    """LaTeX of a law's names: its own, the vocabulary's, and words in upright letters."""
    words = [n for n in (*law.inputs, *law.param_names) if len(n) > 1 and "_" not in n]
    found = {n: rf"\,\mathrm{{{n}}}" for n in words if latex(parse_equation(n)) == n}
    found |= {n: SYMBOLS[n].latex for n in law.inputs if n in SYMBOLS}
    return found | {p.name: p.latex for p in law.params if p.latex}


def drawable(text: str) -> bool:
    """Whether mathtext can draw a text."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return False
    return True


def title(law: Law, more: str = "") -> str:
    """Return a figure's title: the law's name, its formula and a remark."""
    parts = (law.name, formula(law), more)
    return "   ".join(part for part in parts if part)


def name_latex(law: Law, name: str) -> str:
    """Return a parameter's symbol in mathtext."""
    text = f"${latex(parse_equation(name), names_latex(law))}$"
    return text if drawable(text) else name


def scale_x(axis: Axes, values: np.ndarray) -> None:
    """Make the horizontal axis logarithmic where the values are positive."""
    if np.min(values) > 0:
        axis.set_xscale("log")


def scale_y(axis: Axes, values: np.ndarray) -> None:
    """Make the vertical axis logarithmic for positive values that differ by some factor, with plain
    numbers at the ticks below a decade."""
    low, high = np.min(values), np.max(values)
    if not low > 0 or high / low < LOG_FROM:
        return
    axis.set_yscale("log")
    if high / low > DECADE:
        return
    from matplotlib.ticker import LogLocator, NullLocator

    axis.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())


def log_ticks(axis: Axis, values: Any) -> None:
    """Put plain numbers on a logarithmic axis that spans few decades."""
    from matplotlib.ticker import LogLocator, NullLocator

    decades = np.log10(np.max(values) / np.min(values))
    if decades > FEW_DECADES:
        return
    steps = (1, 2, 5) if decades < FEW_DECADES / 2 else (1, 3)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def level_colours(levels: Sequence[float]) -> tuple[Any, Any]:
    """Return a log-scaled norm over the levels and a map from their values to colours."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, LogNorm

    low, high = min(levels), max(levels)
    norm = LogNorm(low / 1.01, high * 1.01) if low == high else LogNorm(low, high)
    shades = colormaps[LEVELS_MAP](np.linspace(MAP_LOW, MAP_HIGH, 256))
    return norm, ListedColormap(shades)
