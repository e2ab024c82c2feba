"""The picture of a forecast: one row a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_scaling._errors import SpecError, list_names
from bayes_scaling.forecasting import Forecast
from bayes_scaling.plots.style import BLUE, INK, label, new_figure, symbol_of, tidy
from bayes_scaling.quantity import format_quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 40
INPUTS = "MCDN"  # in names of points the size comes first
WIDTHS = (6.0, 3.0)  # line widths of the narrowest band and of the others


def plot_forecast(ahead: Forecast, observed: Any = None) -> Figure:
    """Draw the bands of a forecast, one row a point.

    Parameters
    ----------
    ahead
        A `Forecast` of at most 40 points.
    observed
        What the runs showed, one number a point, drawn as diamonds.

    Raises
    ------
    SpecError
        When there are too many points, or ``observed`` has another length.
    """
    table = ahead.table
    if len(table) > MOST_POINTS:
        raise SpecError(
            f"the forecast has {len(table)} points, and a row for each of {MOST_POINTS} at most "
            "can be read: draw curves with plot_fit(fit, new=runs)."
        )
    if observed is not None and len(observed) != len(table):
        raise SpecError(f"observed has {len(observed)} values for {len(table)} points.")
    figure = new_figure(7.6, 1.5 + 0.34 * len(table))
    axis = figure.subplots()
    tidy(axis)
    _draw(axis, table, observed)
    axis.set_xlabel(label(str(next(iter(ahead.data["predictions"].data_vars)))[:-4]))
    _legend(figure, table, observed)
    return figure


def probabilities(table: pd.DataFrame) -> list[str]:
    """The bands in a forecast's table, in per cent, narrowest first."""
    found = [c[4:-4] for c in table.columns if c.startswith("run_") and c.endswith("_low")]
    return sorted(found, key=float)


def point_names(table: pd.DataFrame) -> list[str]:
    """A name for every point: its family and inputs, as far as they differ."""
    first = table.columns.get_loc("median")
    columns = list(table.columns[:first])
    differ = [c for c in columns if table[c].nunique() > 1] or columns[:1]
    differ.sort(key=lambda c: (not isinstance(table[c].iloc[0], str), -INPUTS.find(c)))
    return [", ".join(_cell(c, row[c]) for c in differ) for _, row in table.iterrows()]


def _cell(column: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{symbol_of(column)} = {format_quantity(float(value))}"


def _draw(axis: Axes, table: pd.DataFrame, observed: Any) -> None:
    rows = range(len(table))
    for i, p in enumerate(probabilities(table)):
        width = WIDTHS[min(i, 1)]
        axis.hlines(rows, table[f"run_{p}_low"], table[f"run_{p}_high"], color=BLUE,
                    linewidth=width, alpha=0.3)  # fmt: skip
        axis.hlines(rows, table[f"law_{p}_low"], table[f"law_{p}_high"], color=BLUE,
                    linewidth=width, alpha=0.7)  # fmt: skip
    axis.scatter(table["median"], rows, marker="|", s=90, color=INK, zorder=4)
    if observed is not None:
        axis.scatter(observed, rows, marker="D", s=26, color="white", edgecolors=INK, zorder=5)
    axis.set_yticks(list(rows), labels=point_names(table))
    axis.set_ylim(len(table) - 0.4, -0.6)
    axis.grid(False, axis="y")


def _legend(figure: Figure, table: pd.DataFrame, observed: Any) -> None:
    from matplotlib.lines import Line2D

    found = probabilities(table)
    text = list_names([f"{p}%" for p in found]).replace("'", "")
    keys: list[Any] = [
        Line2D([], [], color=INK, marker="|", linestyle="", markersize=8, label="median"),
        Line2D([], [], color=BLUE, linewidth=4, alpha=0.75, label=f"law: {text}"),
        Line2D([], [], color=BLUE, linewidth=4, alpha=0.3, label=f"a new run: {text}"),
    ]
    if observed is not None:
        keys.append(Line2D([], [], color="white", marker="D", markeredgecolor=INK, markersize=5,
                           linestyle="", label="observed"))  # fmt: skip
    figure.legend(handles=keys, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
