"""The picture of a fit: runs with the law's bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from bayes_scaling._errors import SpecError
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
from bayes_scaling.plots.style import (
    BLUE,
    FAINT,
    INK,
    label,
    number,
    panels,
    symbol_of,
    tidy,
    title,
)
from bayes_scaling.plots.tables import FITTED, NEW, FitTables, fit_tables
from bayes_scaling.posterior import Fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


LONE = INK  # a curve along another symbol than the one that gives the colours


def plot_fit(
    fit: Fit,
    *,
    against: str = "",
    hold: str = "",
    new: Any = None,
    families: str | Sequence[str] | None = None,
    prob: float = 0.9,
    ax: Axes | None = None,
) -> Figure:
    """Draw the runs with the law, where it could be and where a new run would fall.

    One panel a family. A law of size and data is cut along constant tokens per parameter (or
    whatever ``hold`` names): curves and runs share the colour of that symbol. A family whose runs
    all have one N or D has its curve along that. Curves are solid where the law's inputs lie
    within the fitted data, dashed beyond.

    Parameters
    ----------
    fit
        A `Fit`.
    against
        Symbol on the horizontal axis: ``"C"``, ``"N"``, ``"D"`` or any other covariate. By default
        C for laws of two of N, D, C, M, else the law's own input.
    hold
        Symbol that is constant along a curve; by default M where one is needed. ``against="N",
        hold="C"`` gives isoFLOP parabolas, ``against="D", hold="N"`` a curve for each size.
    new
        Runs that were not fitted, drawn as diamonds, each with the interval forecast for it.
    families
        Families to draw; by default up to six: those with new runs, then the largest.
    prob
        Probability of the bands.
    ax
        Axes to draw a single family on.

    Raises
    ------
    BayesScalingError
        When the table lacks a symbol, or ``new`` or a family does not fit it.
    """
    tables = fit_tables(fit, against=against, hold=hold, new=new, families=families, prob=prob)
    figure, axes = _canvas(tables, ax)
    colours = colours_of(tables.bands, tables.points, tables.cut.hold)
    for panel, axis in zip(tables.panels, axes, strict=True):
        curves = tables.bands[tables.bands["panel"] == panel]
        draw_bands(axis, curves, colours)
        draw_runs(axis, tables.points[tables.points["panel"] == panel], colours)
        axis.set_title(_panel_title(panel, curves), fontsize=10)
    set_scales(axes, tables.points["x"], tables.points["observed"])
    name_axes(axes, label(tables.cut.against), label(fit.spec.law.response))
    draw_heading(figure, axes, title(fit.spec.law, left_out(tables)), ax)
    draw_bar(figure, axes, colours)
    draw_legend(figure, axes, fit_keys(tables, prob, bool(colours.map)), ax)
    return figure


def _canvas(tables: FitTables, ax: Axes | None) -> tuple[Figure, list[Axes]]:
    if ax is None:
        return panels(len(tables.panels))
    if len(tables.panels) > 1:
        raise SpecError(
            f"ax holds one family and there are {len(tables.panels)}: pass "
            f"families='{tables.panels[0]}', or leave ax out."
        )
    tidy(ax)
    return cast("Figure", ax.figure), [ax]


def draw_bands(axis: Axes, rows: pd.DataFrame, colours: Colours) -> None:
    """Draw the curves of a panel with their bands (see `FitTables`)."""
    for (hold, level), one in rows.groupby(["hold", "level"], dropna=False):
        own = hold == colours.symbol or not colours.map
        colour = colours.of(float(str(level))) if own else LONE
        fill = {"color": colour, "linewidth": 0}
        axis.fill_between(one["x"], one["run_low"], one["run_high"], alpha=0.16, **fill)
        axis.fill_between(one["x"], one["law_low"], one["law_high"], alpha=0.38, **fill)
        axis.plot(one["x"], one["median"], color=colour, linewidth=1.0, linestyle=(0, (4, 2)))
        inside = one["median"].where(~one["extrapolated"])
        axis.plot(one["x"], inside, color=colour, linewidth=1.6)


def _panel_title(panel: str, rows: pd.DataFrame) -> str:
    """The family, with what is held where its curve is alone."""
    held = rows[["hold", "level"]].drop_duplicates().dropna()
    if len(held) != 1:
        return panel
    ((hold, level),) = held.itertuples(index=False)
    where = f"{symbol_of(hold)} = {number(level)}"
    return f"{panel}, at {where}" if panel else f"at {where}"


def draw_runs(axis: Axes, rows: pd.DataFrame, colours: Colours) -> None:
    """Draw the runs of a panel, fitted and new (see `FitTables`)."""
    fitted, new = (rows[rows["role"] == role] for role in (FITTED, NEW))
    dots(axis, fitted["x"], fitted["observed"], colours.of_all(fitted["level"]))
    bars(axis, new["x"], new["run_low"], new["run_high"])
    diamonds(axis, new["x"], new["observed"], colours.of_all(new["level"]))


def fit_keys(tables: FitTables, prob: float, coloured: bool) -> list[Any]:
    """Return the keys of the legend of runs, curves and bands."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    held = tables.cut.hold if coloured else ""
    colour = FAINT if held else BLUE
    keys: list[Any] = [
        Line2D([], [], color=colour, marker="o", linestyle="", markersize=5, label="fitted runs"),
        Line2D([], [], color=colour, linewidth=1.6, label=f"law{symbol_of(held, ' at constant ')}"),
        Patch(color=colour, alpha=0.5, linewidth=0, label=f"law and its error: {prob:.0%} band"),
        Patch(color=colour, alpha=0.2, linewidth=0, label=f"a new run: {prob:.0%} band"),
    ]
    if tables.bands["extrapolated"].any():
        beyond = Line2D([], [], color=colour, linewidth=1.0, linestyle="--", label="beyond data")
        keys.insert(2, beyond)
    return keys + new_key(tables, f"not fitted, with its {prob:.0%} forecast")
