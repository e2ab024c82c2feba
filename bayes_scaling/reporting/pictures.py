"""The pictures of a report, made from its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

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

MOST_DOTS = 1500  # in one picture: more take long to draw and hide each other
NOISE, TREND = Series("new runs", "soft"), Series("median of bins", "ink")


# --- who is drawn in which colour --------------------------------------------------------------


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


# --- runs and the law --------------------------------------------------------------------------


def fit_chart(material: Material) -> Chart:
    """Return the runs with the law's bands."""
    bands, points, cut = (getattr(material.tables, n) for n in ("bands", "points", "cut"))
    response = material.fit.spec.law.response
    shown = [points["observed"], *(bands[f"{n}_{e}"] for n in ("law", "run") for e in ENDS)]
    return Chart(
        "fit",
        f"{axis_label(response)} against {axis_label(cut.against)}: runs and the law's bands",
        _panels(material),
        _group_word(material),
        series_of(material),
        _series_word(material),
        scale_of(axis_label(cut.against), _x_values(material), _positive(points["x"])),
        scale_of(axis_label(response), np.concatenate(shown)),
        (cut.against, response),
        [_curve(material, rows) for rows in _each_curve(bands)],
        _dots(material, points, "observed"),
    )


ENDS = ("low", "high")


def _panels(material: Material) -> list[str]:
    return list(material.tables.panels) if by_level(material) else [""]


def _group_word(material: Material) -> str:
    groups = material.fit.spec.groups
    return groups[-1] if groups else ""


def _series_word(material: Material) -> str:
    if not by_level(material):
        return _group_word(material)
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
    bands = {told: _pair(rows, name) for told, name in names.items()}
    outside = rows["extrapolated"].to_numpy(bool)
    return Curve(panel, series, label, _array(rows, "x"), _array(rows, "median"), bands, outside)


def _pair(rows: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    return _array(rows, f"{name}_low"), _array(rows, f"{name}_high")


def _array(rows: pd.DataFrame, name: str) -> np.ndarray:
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
    own, group = points[rows], _group_word(material)
    told: dict[str, np.ndarray] = {"run": material.run_ids[rows]}
    told |= {group: own["panel"].to_numpy(str)} if group else {}
    names = dict.fromkeys(["N", "D", *material.fit.spec.law.inputs])
    told |= {n: _array(own, n) for n in names if n in own and n != material.tables.cut.against}
    return Dots(panel, series, _array(own, "x"), _array(own, y), told)


def dots_left_out(material: Material) -> str:
    """Say how many runs are drawn where that is not all."""
    count = len(material.tables.points)
    return "" if count <= MOST_DOTS else f"{MOST_DOTS} of {count} runs are drawn."


# --- what is left over -------------------------------------------------------------------------


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
        _group_word(material),
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
    low, high = (_array(rows, end) for end in ENDS)
    if low.std() < FLAT * abs(low.mean()):
        low, high = (np.full(len(rows), np.median(v)) for v in (low, high))
    return np.zeros(len(rows)), low, high


def _trend_curves(material: Material) -> list[Curve]:
    """Medians of the residuals in bins, with their standard errors."""
    found = []
    for places, rows in _by_family(material, material.trends, TREND):
        y, se = _array(rows, "residual"), _array(rows, "se")
        found.append(_level_curve(rows, *places, "standard error", y, y - se, y + se))
    return found


def _level_curve(rows: pd.DataFrame, panel: int, series: int, name: str, *lines: Any) -> Curve:
    y, low, high = lines
    label, none = str(rows["panel"].iloc[0]), np.zeros(len(rows), bool)
    return Curve(panel, series, label, _array(rows, "x"), y, {name: (low, high)}, none)


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


# --- how to spend compute ----------------------------------------------------------------------

ROOM = 10.0  # factor by which bands may widen the axis beyond the medians
_TRADED = {"N": "parameters", "D": "tokens"}


def allocation_chart(material: Material) -> Chart | None:
    """Return the best size and data by budget, or None where the law trades none."""
    if material.allocation is None:
        return None
    table = material.allocation.table
    group = _group_word(material)
    panels = list(dict.fromkeys(table[group])) if group else [""]
    values = [_spanned(table, n, material.percent) for n in _TRADED]
    return Chart(
        "allocation",
        "Best size N* and data D* against training compute C",
        panels,
        group,
        [Series(f"{n}* ({unit})", f"c{i}") for i, (n, unit) in enumerate(_TRADED.items())],
        "",
        scale_of(axis_label("C"), table["C"].to_numpy(float), True),
        scale_of("parameters N*, tokens D*", np.concatenate(values), True),
        ("C", "best"),
        [_traded(material, panel, name) for panel in panels for name in _TRADED],
        [],
    )


def _spanned(table: pd.DataFrame, name: str, percent: str) -> np.ndarray:
    """The medians, and as much of their bands as leaves the medians legible."""
    middle = _finite(table[name])
    if not len(middle):
        return middle
    bands = np.concatenate([_finite(each) for each in _band_columns(table, name, percent)])
    return np.append(middle, np.clip(bands, middle.min() / ROOM, middle.max() * ROOM))


def _band_columns(table: pd.DataFrame, name: str, percent: str) -> list[pd.Series]:
    return [table[f"{name}_{percent}_{end}"] for end in ENDS]


def _finite(values: pd.Series) -> np.ndarray:
    found = values.to_numpy(float)
    return found[np.isfinite(found) & (found > 0)]


def _traded(material: Material, panel: str, name: str) -> Curve:
    """The curve of N or D of one family; draws without an optimum are as far as the axis goes."""
    assert material.allocation is not None
    table, group = material.allocation.table, _group_word(material)
    rows = table[table[group] == panel] if group else table
    low, high = _pair(rows, f"{name}_{material.percent}")
    bands = {f"{material.percent} %": (np.maximum(low, 1e-9), np.minimum(high, 1e40))}
    outside = rows["beyond_C"].to_numpy(float) != 0 if "beyond_C" in rows else np.zeros(len(rows))
    which = 0 if not group else list(dict.fromkeys(table[group])).index(panel)
    label = f"{name}*" + (f", {panel}" if panel else "")
    series = list(_TRADED).index(name)
    return Curve(which, series, label, _array(rows, "C"), _array(rows, name), bands,
                 np.asarray(outside, bool))  # fmt: skip


CHARTS: dict[str, Any] = {
    "fit": fit_chart,
    "allocation": allocation_chart,
    "residuals": residual_chart,
}


