"""Pictures of priors: against the posterior, and of what they say of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_scaling.equation import latex, parse_equation
from bayes_scaling.plots.densities import POSTERIOR, PRIOR, density_table
from bayes_scaling.plots.style import (
    BLUE,
    FAINT,
    INK,
    OKABE_ITO,
    drawable,
    label,
    log_ticks,
    name_latex,
    names_latex,
    number,
    panels,
    scale_x,
    symbol_of,
    title,
)
from bayes_scaling.plots.tables import PriorTables, prior_tables
from bayes_scaling.posterior import Fit
from bayes_scaling.prior_check import PriorCheck

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_FAMILIES = 6
SEEN = 0.01  # share of a density's peak at which the axis ends
NOISE_LABELS = {
    "sigma": r"noise sd $\sigma$",
    "nu": r"degrees of freedom $\nu$",
    "tau_sigma": r"spread between families $\tau$ of $\log\,\sigma$",
    "sigma_trend": r"change of $\log\,\sigma$ per decade",
}


def plot_prior_posterior(fit: Fit, var_names: Sequence[str] | None = None) -> Figure:
    """Draw each parameter's prior and posterior.

    A coefficient is shown as its level at the data's reference point, the coordinate whose prior
    was chosen and that is sampled. Every curve is drawn to the same height, as a posterior is often
    a hundred times as narrow as the prior.

    Parameters
    ----------
    fit
        A `Fit`.
    var_names
        Parameters of the law or variables of the posterior; by default the law's parameters, the
        spreads between families and the noise.

    Raises
    ------
    SpecError
        When the fit has no such variable.
    """
    table = density_table(fit, var_names)
    names = list(dict.fromkeys(table["name"]))
    figure, axes = panels(len(names), width=2.9, height=2.0, columns=4, share=False)
    known = [f for f in dict.fromkeys(table["family"]) if f]
    families = known[:MOST_FAMILIES]
    colours = {"": INK, **dict(zip(families, OKABE_ITO, strict=False))}
    for name, axis in zip(names, axes, strict=True):
        _draw_densities(axis, table[table["name"] == name], colours)
        axis.set_xlabel(axis_label(fit, name), fontsize=9)
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
    figure.suptitle(title(fit.spec.law, _where(fit, names)), fontsize=11)
    _density_legend(figure, colours, families, len(known) > len(families))
    return figure


def plot_prior_predictive(check: PriorCheck, against: str = "", *, hold: str = "") -> Figure:
    """Draw the observed runs over what the prior expects: bands of a new run, and some curves.

    Parameters
    ----------
    check
        From `prior_predictive`.
    against, hold
        As in `plot_fit`; the held symbol is at its median.

    Raises
    ------
    SpecError
        When the table lacks a symbol.
    """
    tables = prior_tables(check, against, hold)
    figure, (axis,) = panels(1)
    for _, one in tables.curves.groupby("draw"):
        axis.plot(one["x"], one["law"], color=FAINT, linewidth=0.6, alpha=0.6)
    for low, high, alpha in (("run_5", "run_95", 0.15), ("run_25", "run_75", 0.25)):
        axis.fill_between(tables.bands["x"], tables.bands[low], tables.bands[high], color=BLUE,
                          alpha=alpha, linewidth=0)  # fmt: skip
    axis.plot(tables.bands["x"], tables.bands["run_50"], color=BLUE, linewidth=1.6)
    axis.scatter(tables.points["x"], tables.points["observed"], s=14, color=OKABE_ITO[1],
                 edgecolors="white", linewidths=0.3, zorder=3)  # fmt: skip
    _prior_axes(axis, check, tables)
    figure.suptitle(title(check.spec.law, "prior predictive"), fontsize=11)
    _prior_legend(figure, tables)
    return figure


def _prior_axes(axis: Axes, check: PriorCheck, tables: PriorTables) -> None:
    scale_x(axis, tables.points["x"].to_numpy())
    low, high = check.bounds
    if check.spec.observation.on == "log":
        axis.set_yscale("log")
        axis.set_ylim(low / 1.5, high * 2)
        log_ticks(axis.yaxis, check.bounds)
    else:
        axis.set_ylim(low, high)
    for bound in check.bounds:
        axis.axhline(bound, color=INK, linewidth=0.8, linestyle=":")
    axis.set_xlabel(label(tables.cut.against))
    axis.set_ylabel(label(check.spec.law.response))
    n = check.numbers
    axis.set_title(f"{n['sane_values']:.0%} of the law's values within the dotted lines, "
                   f"{n['rows_inside_90']:.0%} of the runs inside 90%", fontsize=9)  # fmt: skip


def _prior_legend(figure: Figure, tables: PriorTables) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    held = tables.cut.hold
    where = f" at {symbol_of(held)} = {number(tables.level)}" if tables.level else ""
    keys: list[Any] = [
        Line2D(
            [], [], color=OKABE_ITO[1], marker="o", linestyle="", markersize=4, label="observed"
        ),
        Line2D([], [], color=FAINT, linewidth=0.8, label=f"prior curves{where}"),
        Patch(color=BLUE, alpha=0.4, linewidth=0, label="a run: 50%"),
        Patch(color=BLUE, alpha=0.15, linewidth=0, label="a run: 90%"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=4, fontsize=9, frameon=False)


def _draw_densities(axis: Axes, rows: pd.DataFrame, colours: dict[str, Any]) -> None:
    prior = rows[rows["source"] == PRIOR]
    axis.fill_between(prior["x"], prior["density"] / prior["density"].max(), color=FAINT,
                      alpha=0.3, linewidth=0)  # fmt: skip
    after = rows[rows["source"] == POSTERIOR]
    for family, one in after.groupby("family"):
        height = one["density"] / one["density"].max()
        axis.plot(one["x"], height, color=colours.get(str(family), FAINT), linewidth=1.4)
    heights = rows["density"] / rows.groupby(["source", "family"])["density"].transform("max")
    seen = rows.loc[heights > SEEN, "x"]
    if rows["log"].iloc[0]:
        axis.set_xscale("log")
        log_ticks(axis.xaxis, seen)
    from_zero = not rows["log"].iloc[0] and 0 < seen.min() < 0.05 * seen.max()
    axis.set_xlim(0.0 if from_zero else seen.min(), seen.max())
    least = after["contraction"].min()
    axis.set_title(f"contraction {least:.2f}", fontsize=8, color=INK, loc="right")
    axis.set_ylim(0, 1.08)


def _where(fit: Fit, names: list[str]) -> str:
    """The reference point, where a level is shown."""
    law = fit.spec.law
    if not any(law.param(n).level for n in names if n in law.param_names):
        return ""
    at = ", ".join(f"{symbol_of(n)} = {number(v)}" for n, v in fit.reference.items())
    return f"(reference: {at})"


def axis_label(fit: Fit, name: str) -> str:
    """The symbol of a parameter; for a coefficient the level that is sampled."""
    law = fit.spec.law
    if name not in law.param_names:
        return _noise_label(fit, name)
    param = law.param(name)
    if not param.level:
        return f"{param.meaning} {name_latex(law, name)}"
    text = f"${latex(parse_equation(param.level), names_latex(law))}$"
    return f"{text if drawable(text) else param.level} at reference"


def _noise_label(fit: Fit, name: str) -> str:
    if name in NOISE_LABELS:
        return NOISE_LABELS[name]
    spreads = {f"tau_{n}_{g}": (n, g) for n in fit.spec.law.param_names for g in fit.spec.groups}
    spreads |= {f"tau_{n}": (n, "families") for n in fit.spec.law.param_names}
    if name not in spreads:
        return name
    param, between = spreads[name]
    return rf"spread between {between} $\tau$ of {name_latex(fit.spec.law, param)}"


def _density_legend(
    figure: Figure, colours: dict[str, Any], families: list[str], more: bool
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    keys: list[Any] = [Patch(color=FAINT, alpha=0.3, linewidth=0, label="prior")]
    keys += [Line2D([], [], color=INK, linewidth=1.4, label="posterior")]
    keys += [Line2D([], [], color=colours[f], linewidth=1.4, label=f) for f in families]
    keys += [Line2D([], [], color=FAINT, linewidth=1.4, label="other families")] * more
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), fontsize=9,
                  frameon=False)  # fmt: skip
