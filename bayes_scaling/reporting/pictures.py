"""The pictures of a report, made from its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.axes import axes_of
from bayes_scaling.plots.residuals import FLAT
from bayes_scaling.plots.style import LOG_FROM
from bayes_scaling.quantity import format_quantity
from bayes_scaling.reporting.axes import axis_label, scale_of
from bayes_scaling.reporting.charts import (
    Chart,
    Curve,
    Dots,
    Series,
    family_series,
    level_series,
)
from bayes_scaling.reporting.material import Material
from bayes_scaling.symbols import SYMBOLS

ENDS = ("low", "high")
MOST_DOTS = 1500  # in one picture: more take long to draw and hide each other
NOISE, TREND = Series("new runs", "soft"), Series("median of bins", "ink")


# --- who is drawn in which colour -------------------------------------------------------------


def by_level(material: Material) -> bool:
    """Whether colours tell levels of the held symbol, since some family has several curves; else
    they tell families."""
    bands = material.tables.bands
    return int(bands.groupby("panel")["level"].nunique().max()) > 1


def levels_of(material: Material) -> list[tuple[str, float]]:
    """Return the held symbols and values that have a curve, ascending."""
    pairs = material.tables.bands[["hold", "level"]].drop_duplicates()
    return sorted((str(hold), float(level)) for hold, level in pairs.itertuples(index=False))


def series_of(material: Material) -> list[Series]:
    """Return the series of the pictures of runs."""
    if not by_level(material):
        return family_series([name or "all runs" for name in material.tables.panels])
    return level_series([f"{hold} = {format_quantity(v)}" for hold, v in levels_of(material)])


def _places(material: Material, panel: str, hold: str, level: float) -> tuple[int, int]:
    """The panel and the series of a curve."""
    which = material.tables.panels.index(panel)
    if not by_level(material):
        return 0, which
    return which, levels_of(material).index((hold, level))


def _dot_places(material: Material) -> tuple[np.ndarray, np.ndarray]:
    """The panel and series of every run, (point,): with levels that of the nearest curve."""
    points = material.tables.points
    which = points["panel"].map(material.tables.panels.index).to_numpy(int)
    if not by_level(material):
        return np.zeros(len(points), int), which
    known = levels_of(material)
    own = [v if hold == material.tables.cut.hold else np.inf for hold, v in known]
    with np.errstate(divide="ignore"):
        away = np.abs(np.log(points["level"].to_numpy(float)[:, None] / np.array(own)))
    return which, away.argmin(axis=1)


# --- runs and the law -------------------------------------------------------------------------


def fit_chart(material: Material) -> Chart:
    """Return the runs with the law's bands."""
    bands, points, cut = (getattr(material.tables, n) for n in ("bands", "points", "cut"))
    response = material.fit.spec.law.response
    shown = [points["observed"], *(bands[f"{n}_{e}"] for n in ("law", "run") for e in ENDS)]
    return Chart(
        "fit",
        f"{axis_label(response)} against {axis_label(cut.against)}: runs and the law's bands",
        _panels(material),
        group_word(material),
        series_of(material),
        _series_word(material),
        scale_of(axis_label(cut.against), _x_values(material), _positive(points["x"])),
        scale_of(axis_label(response), np.concatenate(shown)),
        (cut.against, response),
        [_curve(material, rows) for rows in _each_curve(bands)],
        _dots(material, points, "observed"),
    )


def _panels(material: Material) -> list[str]:
    return list(material.tables.panels) if by_level(material) else [""]


def group_word(material: Material) -> str:
    """Return the column that names families; empty without."""
    groups = material.fit.spec.groups
    return groups[-1] if groups else ""


def _series_word(material: Material) -> str:
    if not by_level(material):
        return group_word(material)
    known = SYMBOLS.get(material.tables.cut.hold)
    return f"at constant {known.meaning if known else material.tables.cut.hold}"


def _positive(values: pd.Series) -> bool:
    return bool(values.min() > 0 and values.max() / values.min() >= LOG_FROM)


def _x_values(material: Material) -> np.ndarray:
    return np.concatenate([material.tables.points["x"], material.tables.bands["x"]])


def _each_curve(bands: pd.DataFrame) -> list[pd.DataFrame]:
    groups = bands.groupby(["panel", "hold", "level"], dropna=False, sort=False)
    return [rows.sort_values("x") for _, rows in groups]


def _curve(material: Material, rows: pd.DataFrame) -> Curve:
    head = rows.iloc[0]
    panel, series = _places(material, head["panel"], head["hold"], float(head["level"]))
    at = f"{head['hold']} = {format_quantity(head['level'])}" if head["hold"] else ""
    label = ", ".join(part for part in (head["panel"], at) if part)
    percent = material.percent
    names = {f"new run {percent} %": "run", f"law {percent} %": "law"}
    bands = {told: ends(rows, name) for told, name in names.items()}
    outside = rows["extrapolated"].to_numpy(bool)
    return Curve(panel, series, label, array(rows, "x"), array(rows, "median"), bands, outside)


def ends(rows: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the low and high ends of a band."""
    return array(rows, f"{name}_low"), array(rows, f"{name}_high")


def array(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as numbers."""
    return rows[name].to_numpy(float)


def _dots(material: Material, points: pd.DataFrame, y: str) -> list[Dots]:
    """Every run, or an even choice of them where they are many, by panel and series."""
    panel, series = _dot_places(material)
    kept = np.unique(np.linspace(0, len(points) - 1, MOST_DOTS).round().astype(int))
    chosen = np.isin(np.arange(len(points)), kept)
    pairs = sorted(set(zip(panel[chosen].tolist(), series[chosen].tolist(), strict=True)))
    return [_dots_of(material, points, y, chosen & (panel == p) & (series == s), p, s)
            for p, s in pairs]  # fmt: skip


def _dots_of(
    material: Material, points: pd.DataFrame, y: str, rows: np.ndarray, panel: int, series: int
) -> Dots:
    own, group = points[rows], group_word(material)
    told: dict[str, np.ndarray] = {"run": material.run_ids[rows]}
    told |= {group: own["panel"].to_numpy(str)} if group else {}
    names = dict.fromkeys(["N", "D", *axes_of(material.fit.spec.law)])
    told |= {n: array(own, n) for n in names if n in own and n != material.tables.cut.against}
    return Dots(panel, series, array(own, "x"), array(own, y), told)


def dots_left_out(material: Material) -> str:
    """Say how many runs are drawn where that is not all."""
    count = len(material.tables.points)
    return "" if count <= MOST_DOTS else f"{MOST_DOTS} of {count} runs are drawn."


# --- what is left over ------------------------------------------------------------------------


def residual_chart(material: Material) -> Chart:
    """Return the residuals of the runs, with medians in bins along the axis."""
    rows, fit = material.residuals, material.fit
    log = fit.spec.observation.on == "log"
    cut = material.tables.cut
    label = "residual (%)" if log else f"residual of {fit.spec.law.response}"
    return Chart(
        "residuals",
        f"What the law leaves over, against {axis_label(cut.against)}",
        _panels(material),
        group_word(material),
        residual_series(material),
        _series_word(material),
        scale_of(axis_label(cut.against), _x_values(material), _positive(rows["x"])),
        scale_of(label, np.concatenate([rows["residual"], rows["low"], rows["high"]]), False),
        (cut.against, "residual (%)" if log else "residual"),
        [*_noise_curves(material), *_trend_curves(material)],
        _dots(material, rows, "residual"),
        zero=True,
    )


def _noise_curves(material: Material) -> list[Curve]:
    """The band that a new run of each family would fall in, about the law's median."""
    return [
        _level_curve(rows, *places, f"new run {material.percent} %", *_noise_band(rows))
        for places, rows in _by_family(material, material.residuals, NOISE)
    ]


def _noise_band(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle and the ends, flat where they vary by Monte Carlo error alone."""
    low, high = (array(rows, end) for end in ENDS)
    if low.std() < FLAT * abs(low.mean()):
        low, high = (np.full(len(rows), np.median(v)) for v in (low, high))
    return np.zeros(len(rows)), low, high


def _trend_curves(material: Material) -> list[Curve]:
    """Medians of the residuals in bins, with their standard errors."""
    found = []
    for places, rows in _by_family(material, material.trends, TREND):
        y, se = array(rows, "residual"), array(rows, "se")
        found.append(_level_curve(rows, *places, "standard error", y, y - se, y + se))
    return found


def _level_curve(rows: pd.DataFrame, panel: int, series: int, name: str, *lines: Any) -> Curve:
    y, low, high = lines
    label, none = str(rows["panel"].iloc[0]), np.zeros(len(rows), bool)
    return Curve(panel, series, label, array(rows, "x"), y, {name: (low, high)}, none)


def _by_family(
    material: Material, table: pd.DataFrame, own: Series
) -> Iterator[tuple[tuple[int, int], pd.DataFrame]]:
    """The panel and series of each family's rows along the axis: of its own colour, or where
    colours tell levels of the series ``own``."""
    levels, keys = by_level(material), residual_series(material)
    for i, name in enumerate(material.tables.panels):
        rows = table[table["panel"] == name].sort_values("x")
        if len(rows):
            yield ((i, keys.index(own)) if levels else (0, i)), rows


def residual_series(material: Material) -> list[Series]:
    """Return the series of the picture of residuals."""
    return [*series_of(material), *((NOISE, TREND) if by_level(material) else ())]
