"""The picture of several intervals side by side: the same runs, one panel a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bayes_scaling._errors import SpecError
from bayes_scaling.baselines import Baseline
from bayes_scaling.comparing import POSTERIOR, Intervals
from bayes_scaling.plots.fitted import draw_bands, draw_runs, fit_keys
from bayes_scaling.plots.parts import (
    colours_of,
    draw_bar,
    draw_heading,
    draw_legend,
    name_axes,
    set_scales,
)
from bayes_scaling.plots.style import label, panels, title
from bayes_scaling.plots.tables import NEW, FitTables, fit_tables
from bayes_scaling.stats.intervals import equal_tailed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROOM = 0.08  # of the range of responses, left above and below


def plot_intervals(
    found: Intervals, *, against: str = "", hold: str = "", family: str = "", prob: float = 0.9
) -> Figure:
    """Draw the law and its bands by every method, with the runs held out on them.

    One panel a method, of one family. Curves run as in `plot_fit`.

    Parameters
    ----------
    found
        What `compare_intervals` returned; held-out runs are drawn where it was given `Runs`.
    against, hold
        As in `plot_fit`.
    family
        The family to draw; by default the one with most runs held out, then fitted.
    prob
        Probability of the bands.

    Raises
    ------
    BayesScalingError
        When the table lacks a symbol, or there is no such family.
    """
    tables = {POSTERIOR: _posterior_tables(found, against, hold, family, prob)}
    first = tables[POSTERIOR]
    tables |= {name: _of(each, first, prob) for name, each in found.baselines.items()}
    figure, axes = panels(len(tables))
    colours = colours_of(first.bands, first.points, first.cut.hold)
    for (name, each), axis in zip(tables.items(), axes, strict=True):
        draw_bands(axis, each.bands, colours)
        draw_runs(axis, each.points, colours)
        axis.set_title(_panel_title(name, each.points, prob), fontsize=10)
    set_scales(axes, first.points["x"], first.points["observed"])
    _frame(axes, first)
    name_axes(axes, label(first.cut.against), label(found.fit.spec.law.response))
    draw_heading(figure, axes, title(found.fit.spec.law, first.panels[0]), None)
    draw_bar(figure, axes, colours)
    draw_legend(figure, axes, fit_keys(first, prob, bool(colours.map)), None)
    return figure


def _posterior_tables(
    found: Intervals, against: str, hold: str, family: str, prob: float
) -> FitTables:
    how = {"against": against, "hold": hold, "prob": prob}
    group = found.fit.spec.groups[-1:]
    name = family or (_largest(found, group[0]) if group else None)
    return fit_tables(found.fit, new=found.new, families=name, **how)


def _largest(found: Intervals, group: str) -> str:
    """The family with most runs held out, and most fitted among several."""
    fitted = pd.Series(found.fit.runs.labels[group]).value_counts()
    if found.new is None:
        return str(fitted.index[0])
    new = pd.Series(found.new.labels[group]).value_counts()
    known = [name for name in new.index if name in fitted.index]
    if not known:
        raise SpecError("none of the runs held out is of a family that was fitted: name a family=.")
    return str(max(known, key=lambda name: (new[name], fitted[name])))


def _of(each: Baseline, posterior: FitTables, prob: float) -> FitTables:
    """The tables of the picture with another method's bands."""
    columns = [*each.sampled.spec.law.inputs, *each.sampled.spec.groups]
    _, mean, run = each.law_and_runs(posterior.bands[columns])
    drawn = {"median": pd.DataFrame(mean).median(axis=0).to_numpy()}
    for name, draws in (("law", mean), ("run", run)):
        drawn[f"{name}_low"], drawn[f"{name}_high"] = equal_tailed(draws, prob)
    ahead = each.forecast(posterior.points[columns], prob)
    ends = {f"run_{end}": ahead[f"run_{100 * prob:g}_{end}"].to_numpy() for end in ("low", "high")}
    points = posterior.points.assign(median=ahead["median"].to_numpy(), **ends)
    return posterior._replace(bands=posterior.bands.assign(**drawn), points=points)


def _panel_title(name: str, points: pd.DataFrame, prob: float) -> str:
    new = points[points["role"] == NEW]
    if not len(new):
        return name
    held = int(new["observed"].between(new["run_low"], new["run_high"]).sum())
    return f"{name}: {held} of {len(new)} inside {prob:.0%}"


def _frame(axes: list[Axes], tables: FitTables) -> None:
    """Show the runs and the posterior's bands; wilder bands run out of the panel."""
    shown = [tables.points["observed"], tables.bands["run_low"], tables.bands["run_high"]]
    low, high = min(s.min() for s in shown), max(s.max() for s in shown)
    if axes[0].get_yscale() == "log":
        factor = (high / low) ** ROOM
        axes[0].set_ylim(low / factor, high * factor)
    else:
        axes[0].set_ylim(low - ROOM * (high - low), high + ROOM * (high - low))
