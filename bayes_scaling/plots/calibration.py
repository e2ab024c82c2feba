"""Pictures of simulation-based calibration: each scalar's ranks as an ECDF less its diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_scaling._errors import SpecError, did_you_mean
from bayes_scaling.calibration import FALSE_ALARM, Calibration
from bayes_scaling.plots.style import BLUE, FAINT, INK, OKABE_ITO, panels, title
from bayes_scaling.stats.uniformity import ecdf_band

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROB = 0.95
OFF = OKABE_ITO[1]


def plot_sbc(found: Calibration, *, names: Sequence[str] | None = None) -> Figure:
    """Draw the ECDF of the ranks of every scalar less the diagonal, with the band it should keep.

    The band holds the whole ECDF of one scalar in 95 % of runs (Säilynoja et al. 2022). Below zero
    on the left and above on the right, the posterior is too wide; the other way round too narrow.

    Parameters
    ----------
    found
        What `bayes_scaling.sbc` returned.
    names
        Scalars to draw; all by default.

    Raises
    ------
    SpecError
        When a name is not among the scalars.
    """
    chosen = _chosen(found, names)
    curves, tests = ecdf_table(found), found.table().set_index("parameter")
    figure, axes = panels(len(chosen), width=2.6, height=2.0, columns=min(5, len(chosen)))
    for name, axis in zip(chosen, axes, strict=True):
        _draw(axis, curves[curves["parameter"] == name], float(tests["p_holm"][name]))
        p = tests["p_value"][name]
        axis.set_title(f"{name}   p {p:.2g}", fontsize=9)
    figure.suptitle(title(found.spec.law, f"{found.tables} tables"), fontsize=11)
    figure.supxlabel("rank of the truth among draws", fontsize=10)
    figure.supylabel("ECDF less diagonal", fontsize=10)
    return figure


def _chosen(found: Calibration, names: Sequence[str] | None) -> list[str]:
    chosen = list(found.names if names is None else names)
    for name in chosen:
        if name not in found.names:
            raise SpecError(f"no ranks of '{name}'.{did_you_mean(name, found.names)}")
    return chosen


def _draw(axis: Axes, rows: pd.DataFrame, p_holm: float) -> None:
    colour = OFF if p_holm < FALSE_ALARM else BLUE
    axis.fill_between(
        rows["x"], rows["low"], rows["high"], color=FAINT, alpha=0.25, linewidth=0, step="mid"
    )
    axis.axhline(0.0, color=INK, linewidth=0.6)
    axis.plot(rows["x"], rows["ecdf"], color=colour, linewidth=1.4, drawstyle="steps-mid")
    axis.set_xlim(0.0, 1.0)
    axis.set_xticks([0.0, 0.5, 1.0], labels=["0", "0.5", "1"])


def ecdf_table(found: Calibration) -> pd.DataFrame:
    """Return ``x``, ``ecdf``, ``low`` and ``high``, all less the diagonal ``x``, one set for every
    ``parameter``."""
    points, low, high = ecdf_band(found.tables, PROB)
    parts = []
    for name, part in found.ranks.groupby("parameter", sort=False):
        height = np.searchsorted(np.sort(part["pit"].to_numpy()), points, side="right") / len(part)
        band = {"ecdf": height - points, "low": low - points, "high": high - points}
        parts.append(pd.DataFrame({"parameter": name, "x": points, **band}))
    return pd.concat(parts, ignore_index=True)
