"""What the pictures of a fit share: colours, marks, axes and legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from bayes_scaling.plots.style import BLUE, INK, label, level_colours, number, scale_x, scale_y
from bayes_scaling.plots.tables import NEW, FitTables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CROWDED = 100  # runs in a panel from which their dots are smaller
MANY_NEW = 12  # and new runs from which their diamonds are
KEY_INCHES, LETTER_INCHES = 0.6, 0.085  # room for a key of the legend and for its letters


class Colours(NamedTuple):
    """The colour of every run and curve: by level of the held symbol, or one for all."""

    symbol: str
    levels: list[float]
    norm: Any = None
    map: Any = None

    def of(self, level: float) -> Any:
        """The colour of one level."""
        return self.map(self.norm(level)) if self.map else BLUE

    def of_all(self, levels: pd.Series) -> list[Any]:
        """The colours of many levels."""
        return [self.of(level) for level in levels]


def colours_of(bands: pd.DataFrame, points: pd.DataFrame, symbol: str) -> Colours:
    """Return the colours of a picture: by level where a family has several curves, else one."""
    levels = sorted(bands.loc[bands["hold"] == symbol, "level"].dropna().unique())
    if bands.groupby("panel")["level"].nunique().max() < 2:
        return Colours(symbol, levels)
    return Colours(symbol, levels, *level_colours([*points["level"].dropna(), *levels]))


def draw_bar(figure: Figure, axes: list[Axes], colours: Colours) -> None:
    """Draw the key of the levels, with a tick at each that has a curve."""
    if not colours.map:
        return
    from matplotlib.cm import ScalarMappable

    scale = ScalarMappable(colours.norm, colours.map)
    bar = figure.colorbar(scale, ax=axes, pad=0.015, aspect=30)
    bar.set_label(label(colours.symbol), fontsize=10)
    bar.set_ticks(colours.levels, labels=[number(v) for v in colours.levels])
    bar.ax.minorticks_off()
    bar.ax.tick_params(labelsize=9)
    outline: Any = bar.outline
    outline.set_visible(False)


def dots(axis: Axes, x: pd.Series, y: pd.Series, colours: list[Any]) -> None:
    """Draw runs that were fitted."""
    size = 22 if len(x) < CROWDED else 12
    axis.scatter(x, y, s=size, c=colours, edgecolors="white", linewidths=0.4, zorder=3)


def diamonds(axis: Axes, x: pd.Series, y: pd.Series, colours: list[Any]) -> None:
    """Draw runs that were not."""
    size = 34 if len(x) < MANY_NEW else 20
    axis.scatter(x, y, s=size, marker="D", c=colours, edgecolors=INK, linewidths=1.1, zorder=5)


def bars(axis: Axes, x: pd.Series, low: pd.Series, high: pd.Series) -> None:
    """Draw the interval forecast for each run."""
    axis.vlines(x, low, high, color=INK, linewidth=2.2, alpha=0.65, zorder=4)


def set_scales(axes: list[Axes], x: pd.Series, y: pd.Series | None) -> None:
    """Make axes logarithmic where that reads best."""
    for axis in axes:
        scale_x(axis, x.to_numpy())
        if y is not None:
            scale_y(axis, y.to_numpy())


def name_axes(axes: list[Axes], x: str, y: str) -> None:
    """Name the axes once a row and once a column."""
    for axis in axes:
        place = axis.get_subplotspec()
        if place is None or axis.xaxis.get_tick_params().get("labelbottom", True):
            axis.set_xlabel(x)
        if place is None or place.is_first_col():
            axis.set_ylabel(y)


def draw_heading(figure: Figure, axes: list[Axes], text: str, ax: Axes | None) -> None:
    """Put the title over all panels, or over the axes that were given."""
    if ax is None:
        figure.suptitle(text, fontsize=11)
    else:
        axes[0].set_title(text, fontsize=10)


def left_out(tables: FitTables) -> str:
    """Say how many families are not shown."""
    shown = len(tables.panels)
    return f"({shown} of {shown + tables.left_out} families)" if tables.left_out else ""


def draw_legend(figure: Figure, axes: list[Axes], keys: list[Any], ax: Axes | None) -> None:
    """Below the panels, so that it never hides a run; in two rows where one is too long."""
    if ax is not None:
        axes[0].legend(handles=keys, fontsize=8, frameon=False)
        return
    length = sum(KEY_INCHES + LETTER_INCHES * len(key.get_label()) for key in keys)
    rows = 1 if length < figure.get_figwidth() else 2
    figure.legend(
        handles=keys, loc="outside lower center", ncols=-(-len(keys) // rows), fontsize=9,
        frameon=False,
    )  # fmt: skip


def new_key(tables: FitTables, text: str) -> list[Any]:
    """The key of runs that were not fitted, if there are any."""
    from matplotlib.lines import Line2D

    if not (tables.points["role"] == NEW).any():
        return []
    return [Line2D([], [], color="white", marker="D", markeredgecolor=INK, markersize=6, label=text,
                   linestyle="")]  # fmt: skip
