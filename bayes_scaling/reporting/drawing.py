"""Pictures as SVG that stands in the page: it is there without the script, and on paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayes_scaling.reporting.axes import Scale, places, ticks
from bayes_scaling.reporting.charts import Chart, Curve, Dots, Series
from bayes_scaling.reporting.html import Html, tag

FAR = 1e4  # places beyond are cut, since some browsers draw no path with larger numbers


class Size(NamedTuple):
    """A drawing in pixels: the whole, and the room at its sides for ticks and labels."""

    name: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    x_ticks: int
    y_ticks: int
    dot: float

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The plot itself: left, top, right, bottom."""
        return self.left, self.top, self.width - self.right, self.height - self.bottom


SIZES = (
    Size("wide", 860, 440, 68, 18, 14, 54, 9, 8, 3.6),
    Size("narrow", 360, 330, 54, 10, 10, 50, 5, 6, 3.0),
)


def draw(chart: Chart) -> Html:
    """Return a picture with its keys, for wide and narrow windows."""
    drawings = [_svg(chart, size) for size in SIZES]
    key = f"chart-{chart.key}"
    told = tag("p", class_="told", role="status", aria_live="polite")
    return tag(
        "div", _keys(chart), *drawings, tag("div", class_="tip", hidden=True), told,
        class_="chart", id=key, data_chart=chart.key,
    )  # fmt: skip


# --- keys -------------------------------------------------------------------------------------


def _keys(chart: Chart) -> Html:
    panels = _group(chart.panel_word, "panel", chart.panels, [None] * len(chart.panels), 1)
    labels = [each.label for each in chart.series]
    swatches = [_swatch(each) for each in chart.series]
    series = _group(chart.series_word, "series", labels, swatches, len(labels))
    return tag("div", panels, series, class_="keys")


def _group(
    word: str, kind: str, labels: Sequence[str], swatches: Sequence[object], pressed: int
) -> Html | None:
    if (len(labels) < 2 and kind == "panel") or not any(labels):
        return None
    buttons = [
        tag(
            "button", swatch, label, type="button", aria_pressed=str(i < pressed).lower(),
            **{f"data_{kind}": i},
        )
        for i, (label, swatch) in enumerate(zip(labels, swatches, strict=True))
    ]  # fmt: skip
    return tag("div", tag("span", word, class_="word"), *buttons, role="group", aria_label=word)


def _swatch(series: Series) -> Html:
    return tag("span", class_=f"swatch {series.style}", aria_hidden="true")


# --- the drawing ------------------------------------------------------------------------------


def _svg(chart: Chart, size: Size) -> Html:
    left, top, right, bottom = size.box
    clip = f"clip-{chart.key}-{size.name}"
    box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    marks = [_mark(chart, each, size) for each in (*chart.curves, *chart.dots)]
    return tag(
        "svg",
        tag("title", chart.title),
        tag("defs", tag("clipPath", tag("rect", **box), id=clip)),
        _grid(chart, size),
        tag("g", *marks, clip_path=f"url(#{clip})"),
        tag("g", tag("path", class_="hair"), tag("circle", r=6), class_="cursor", hidden=True),
        tag("rect", **box, class_="field"),
        class_=size.name,
        viewBox=f"0 0 {size.width} {size.height}",
        role="img",
        tabindex=0,
        aria_label=f"{chart.title}. Use the arrow keys to read the values.",
        data_box=" ".join(map(str, size.box)),
    )


def _grid(chart: Chart, size: Size) -> Html:
    left, top, right, bottom = size.box
    parts = [*_x_ticks(chart.x, size), *_y_ticks(chart.y, size)]
    if chart.zero:
        (y,) = places(chart.y, np.zeros(1), bottom, top)
        parts.append(_line(left, y, right, y, "zero"))
    parts.append(_line(left, bottom, right, bottom, "axis"))
    middle, centre = (left + right) / 2, (top + bottom) / 2
    parts.append(_text(middle, size.height - 10, chart.x.label, "middle", "label"))
    turn = f"rotate(-90 14 {centre:g})"
    parts.append(_text(14, centre, chart.y.label, "middle", "label", transform=turn))
    return tag("g", *parts, class_="grid", aria_hidden="true")


def _x_ticks(scale: Scale, size: Size) -> Iterator[Html]:
    left, top, right, bottom = size.box
    for value, text in ticks(scale, size.x_ticks):
        (x,) = places(scale, np.array([value]), left, right)
        yield _line(x, top, x, bottom, "tick")
        yield _text(x, bottom + 18, text, "middle")


def _y_ticks(scale: Scale, size: Size) -> Iterator[Html]:
    left, top, right, bottom = size.box
    for value, text in ticks(scale, size.y_ticks):
        (y,) = places(scale, np.array([value]), bottom, top)
        yield _line(left, y, right, y, "tick")
        yield _text(left - 7, y + 4, text, "end")


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    return tag("path", d=f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", class_=class_)


def _text(x: float, y: float, text: str, anchor: str, class_: str = "", **more: str) -> Html:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text_anchor": anchor}
    return tag("text", text, **place, class_=class_ or None, **more)


# --- marks ------------------------------------------------------------------------------------


def _mark(chart: Chart, mark: Curve | Dots, size: Size) -> Html:
    inner = _curve(chart, mark, size) if isinstance(mark, Curve) else _dots(chart, mark, size)
    style = chart.series[mark.series].style
    return tag("g", *inner, class_=f"mark {style}" + (" off" if mark.panel > 0 else ""),
               data_panel=mark.panel, data_series=mark.series)  # fmt: skip


def _at(chart: Chart, size: Size, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Places (point, 2) in pixels."""
    left, top, right, bottom = size.box
    columns = places(chart.x, x, left, right), places(chart.y, y, bottom, top)
    return np.clip(np.column_stack(columns), -FAR, FAR)


def _curve(chart: Chart, curve: Curve, size: Size) -> Iterator[Html]:
    for low, high in curve.bands.values():
        edges = [_at(chart, size, curve.x, y) for y in (low, high)]
        whole = np.isfinite(np.hstack(edges)).all(axis=1)
        outline = np.vstack([edges[0][whole], edges[1][whole][::-1]])
        if whole.any():
            yield tag("path", d=f"{_path(outline)}Z", class_="band")
    line = _at(chart, size, curve.x, curve.y)
    inside = np.where(curve.beyond[:, None], np.nan, line)
    yield tag("path", d=_path(line), class_="beyond") if curve.beyond.any() else Html("")
    yield tag("path", d=_path(inside), class_="curve")


def _path(points: np.ndarray) -> str:
    """The path through points (point, 2), broken where one is missing."""
    parts, drawn = [], False
    for x, y in points:
        whole = bool(np.isfinite(x) and np.isfinite(y))
        if whole:
            parts.append(f"{'L' if drawn else 'M'}{x:.1f} {y:.1f}")
        drawn = whole
    return "".join(parts)


def _dots(chart: Chart, dots: Dots, size: Size) -> Iterator[Html]:
    square, r = "square" in chart.series[dots.series].style, size.dot
    at = _at(chart, size, dots.x, dots.y)
    return (_square(x, y, r) if square else _circle(x, y, r) for x, y in at)


def _circle(x: float, y: float, r: float) -> Html:
    return tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=r)


def _square(x: float, y: float, r: float) -> Html:
    return tag("rect", x=f"{x - r:.1f}", y=f"{y - r:.1f}", width=2 * r, height=2 * r)
