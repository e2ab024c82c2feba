"""What an interactive picture shows, as a record: curves with bands, dots, and who they belong to.

A picture has panels, of which one is shown at a time, and series, each with a colour, which are
shown or not. Every mark belongs to one panel and one series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bayes_scaling.reporting.axes import Scale

DIGITS = 6  # significant digits of what a picture shows
COLOURS = 6  # of families and other kinds, before they come again as squares
LEVELS = 4  # of a series of levels, dark to light


class Series(NamedTuple):
    """A kind of mark: the text of its key and its class, which gives colour and shape."""

    label: str
    style: str


class Curve(NamedTuple):
    """A line with bands, all arrays (point,).

    ``bands`` are pairs of low and high by the name that the hover shows, the widest first;
    ``beyond`` says where the line is outside the data.
    """

    panel: int
    series: int
    label: str
    x: np.ndarray
    y: np.ndarray
    bands: Mapping[str, tuple[np.ndarray, np.ndarray]]
    beyond: np.ndarray


class Dots(NamedTuple):
    """Points, arrays (point,), with the words and numbers that the hover shows of each."""

    panel: int
    series: int
    x: np.ndarray
    y: np.ndarray
    told: Mapping[str, np.ndarray]


class Chart(NamedTuple):
    """A picture.

    ``names`` are what the axes are called in the hover, ``line`` and ``dot`` what a curve and a dot
    are; ``zero`` draws a line at 0.
    """

    key: str
    title: str
    panels: Sequence[str]
    panel_word: str
    series: Sequence[Series]
    series_word: str
    x: Scale
    y: Scale
    names: tuple[str, str]
    curves: Sequence[Curve]
    dots: Sequence[Dots]
    line: str = "median"
    zero: bool = False


def family_series(labels: Sequence[str]) -> list[Series]:
    """Return a series for every family, colours first and shapes where they run out."""
    shapes = ("", " square")
    return [
        Series(label, f"c{i % COLOURS}{shapes[(i // COLOURS) % len(shapes)]}")
        for i, label in enumerate(labels)
    ]


def level_series(labels: Sequence[str]) -> list[Series]:
    """Return a series for every level, from dark to light."""
    places = np.round(np.linspace(0, LEVELS - 1, len(labels))).astype(int)
    return [Series(label, f"l{i}") for label, i in zip(labels, places, strict=True)]


def chart_record(chart: Chart) -> dict[str, Any]:
    """Return what the page's script needs of a picture: scales, and the numbers of every mark."""
    scales = {name: [scale.log, scale.low, scale.high]
              for name, scale in (("x", chart.x), ("y", chart.y))}  # fmt: skip
    return {
        **scales,
        "names": list(chart.names),
        "line": chart.line,
        "panels": list(chart.panels),
        "series": [each.label for each in chart.series],
        "curves": [_curve_record(each) for each in chart.curves],
        "dots": [_dots_record(each) for each in chart.dots],
    }


def _curve_record(curve: Curve) -> dict[str, Any]:
    bands = {name: [rounded(low), rounded(high)] for name, (low, high) in curve.bands.items()}
    own = {"panel": curve.panel, "series": curve.series, "label": curve.label}
    return {**own, "x": rounded(curve.x), "y": rounded(curve.y), "bands": bands}


def _dots_record(dots: Dots) -> dict[str, Any]:
    told = {
        name: rounded(v) if v.dtype.kind == "f" else [str(each) for each in v]
        for name, v in dots.told.items()
    }
    own = {"panel": dots.panel, "series": dots.series}
    return {**own, "x": rounded(dots.x), "y": rounded(dots.y), "told": told}


def rounded(values: np.ndarray) -> list[float | None]:
    """Return numbers to the digits of a picture; None for those that are not finite."""
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in np.asarray(values, float)]
