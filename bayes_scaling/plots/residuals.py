"""What a law leaves over: the table of residuals and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from bayes_scaling.plots.parts import (
    Colours,
    bars,
    colours_of,
    diamonds,
    dots,
    draw_bar,
    draw_heading,
    draw_legend,
    left_out,
    name_axes,
    new_key,
    set_scales,
)
from bayes_scaling.plots.style import FAINT, INK, OKABE_ITO, label, panels, title
from bayes_scaling.plots.tables import FITTED, NEW, FitTables, fit_tables
from bayes_scaling.posterior import Fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 8  # medians of residuals along the axis
FLAT = 0.1  # a noise band whose width varies less is flat but for Monte Carlo error
TREND = OKABE_ITO[1]


def plot_residuals(
    fit: Fit,
    *,
    against: str = "",
    new: Any = None,
    families: str | Sequence[str] | None = None,
    prob: float = 0.9,
) -> Figure:
    """Draw what the law leaves over, with the band that noise would fill.

    Medians of the residuals in bins along the axis are joined, so that a trend, which means misfit,
    is seen.

    Parameters
    ----------
    fit, against, new, families, prob
        As in `plot_fit`.

    Raises
    ------
    BayesScalingError
        As `plot_fit` does.
    """
    tables = fit_tables(fit, against=against, new=new, families=families, prob=prob)
    rows = residual_table(fit, tables.points)
    trends = trend_table(rows)
    figure, axes = panels(len(tables.panels), height=2.9)
    colours = colours_of(tables.bands, tables.points, tables.cut.hold)
    for panel, axis in zip(tables.panels, axes, strict=True):
        _draw_residuals(axis, rows[rows["panel"] == panel], colours)
        _draw_trend(axis, trends[trends["panel"] == panel])
        axis.set_title(_share(rows[rows["panel"] == panel], panel, prob), fontsize=10)
    set_scales(axes, tables.points["x"], None)
    unit = "residual (%)" if fit.spec.observation.on == "log" else "residual"
    name_axes(axes, label(tables.cut.against), unit)
    draw_heading(figure, axes, title(fit.spec.law, left_out(tables)), None)
    draw_bar(figure, axes, colours)
    draw_legend(figure, axes, _residual_keys(tables, prob), None)
    return figure


def _draw_residuals(axis: Axes, rows: pd.DataFrame, colours: Colours) -> None:
    fitted, new = (rows[rows["role"] == role].sort_values("x") for role in (FITTED, NEW))
    low, high = fitted["low"], fitted["high"]
    if low.std() < FLAT * abs(low.mean()):
        low, high = (np.full(len(fitted), v.median()) for v in (low, high))
    axis.fill_between(fitted["x"], low, high, color=FAINT, alpha=0.2, linewidth=0)
    axis.axhline(0.0, color=INK, linewidth=0.8)
    dots(axis, fitted["x"], fitted["residual"], colours.of_all(fitted["level"]))
    bars(axis, new["x"], new["low"], new["high"])
    diamonds(axis, new["x"], new["residual"], colours.of_all(new["level"]))


def _draw_trend(axis: Axes, rows: pd.DataFrame) -> None:
    axis.errorbar(
        rows["x"], rows["residual"], yerr=rows["se"], color=TREND, linewidth=1.5,
        elinewidth=1.0, marker="_", markersize=7, zorder=4,
    )  # fmt: skip


def _share(rows: pd.DataFrame, panel: str, prob: float) -> str:
    """The panel's title: how many fitted and new runs lie inside their band."""
    inside = {role: rows.loc[rows["role"] == role, "inside"] for role in (FITTED, NEW)}
    counts = [f"{each.sum()} of {len(each)} {role}" for role, each in inside.items() if len(each)]
    text = f"{', '.join(counts)} inside {prob:.0%}"
    return f"{panel}\n{text}" if panel else text


def _residual_keys(tables: FitTables, prob: float) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color=FAINT, marker="o", linestyle="", markersize=5, label="fitted runs"),
        Patch(color=FAINT, alpha=0.3, linewidth=0, label=f"a new run: {prob:.0%} band"),
        Line2D([], [], color=TREND, linewidth=1.5, label="median of bins, with its error"),
        *new_key(tables, f"not fitted, with its {prob:.0%} forecast"),
    ]


def residual_table(fit: Fit, points: pd.DataFrame) -> pd.DataFrame:
    """Return the points with ``residual`` and the noise band ``low`` to ``high`` about the median.

    In per cent (100 times the log ratio) when the noise is on the log scale, else in the response's
    unit; ``inside`` says whether a run lies in its band.
    """
    on_log = fit.spec.observation.on == "log"
    centre = points["median"]

    def away(values: pd.Series) -> pd.Series:
        log_ratio = cast("pd.Series", np.log(values / centre))
        return 100 * log_ratio if on_log else values - centre

    return points.assign(
        residual=away(points["observed"]),
        low=away(points["run_low"]),
        high=away(points["run_high"]),
        inside=points["observed"].between(points["run_low"], points["run_high"]),
    )


def trend_table(residuals: pd.DataFrame, most: int = BINS) -> pd.DataFrame:
    """Return medians of the residuals of fitted runs in bins of equal counts along ``x``, with
    their standard error, one set a panel."""
    fitted = residuals[residuals["role"] == FITTED]
    parts = [_trend(rows.sort_values("x"), panel, most) for panel, rows in fitted.groupby("panel")]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _trend(rows: pd.DataFrame, panel: Any, most: int) -> pd.DataFrame:
    count = int(np.clip(len(rows) // 4, 1, most))
    x, y = rows["x"].to_numpy(), rows["residual"].to_numpy()
    pieces = [(x[i], y[i]) for i in np.array_split(np.arange(len(x)), count)]
    spread = [1.4826 * np.median(np.abs(b - np.median(b))) for _, b in pieces]
    return pd.DataFrame(
        {
            "panel": panel,
            "x": [np.exp(np.mean(np.log(a))) if a.min() > 0 else a.mean() for a, _ in pieces],
            "residual": [np.median(b) for _, b in pieces],
            # the median of a normal sample scatters 1.25 times as much as its mean
            "se": [1.2533 * s / np.sqrt(len(b)) for s, (_, b) in zip(spread, pieces, strict=True)],
        }
    )
