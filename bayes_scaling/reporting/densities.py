"""Small pictures of prior and posterior, one for each parameter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.plots.densities import POSTERIOR, PRIOR
from bayes_scaling.reporting.axes import Scale, places, tick_text
from bayes_scaling.reporting.charts import COLOURS
from bayes_scaling.reporting.html import Html, join, tag
from bayes_scaling.reporting.material import Material

WIDTH, HEIGHT, FOOT = 210, 96, 16
POINTS = 70
MOST = 12  # pictures
NARROW = 0.02  # of the highest density: what lies lower is left out


def density_figures(material: Material) -> Html:
    """Return prior and posterior of the parameters that the fit samples."""
    table = material.densities
    names = list(dict.fromkeys(table["name"]))[:MOST]
    figures = [_figure(name, table[table["name"] == name], material) for name in names]
    told = ("Grey: the prior. Colour: the posterior, by family where they differ. A coefficient "
            "stands for its term at the data's centre.")  # fmt: skip
    return join([tag("div", *figures, class_="densities"), tag("p", told, class_="small")])


def _figure(name: str, rows: pd.DataFrame, material: Material) -> Html:
    log, scale = bool(rows["log"].iloc[0]), _scale(rows)
    shrink = rows.loc[rows["source"] == POSTERIOR, "contraction"].min()
    told = f"{name}: prior and posterior; the data narrow it by {max(0.0, float(shrink)):.0%}"
    sides = ((scale.low, 2, "start"), (scale.high, WIDTH - 2, "end"))
    ends = [tag("text", tick_text(v), x=x, y=HEIGHT - 3, text_anchor=side) for v, x, side in sides]
    curves = [_area(own, scale, source, i) for i, (source, own) in enumerate(_sources(rows))]
    drawn = tag("svg", tag("title", told), *curves, *ends, role="img", aria_label=told,
                viewBox=f"0 0 {WIDTH} {HEIGHT}")  # fmt: skip
    label = join([tag("code", name), " (log axis)" if log else ""])
    return tag("figure", drawn, tag("figcaption", label))


def _sources(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The prior first, then the posterior of every family."""
    parts = rows.groupby(["source", "family"], sort=False)
    return [(str(key[0]), own) for key, own in parts]


def _scale(rows: pd.DataFrame) -> Scale:
    """The axis: where the posterior is, and as much of the prior as leaves that legible."""
    post = rows[rows["source"] == POSTERIOR]
    kept = post[post["density"] > NARROW * post["density"].max()]["x"]
    low, high, log = float(kept.min()), float(kept.max()), bool(rows["log"].iloc[0])
    a, b = (np.log(low), np.log(high)) if log else (low, high)
    room = 0.6 * (b - a)
    a, b = a - room, b + room
    if log:
        return Scale("", log, float(np.exp(a)), float(np.exp(b)))
    return Scale("", log, max(a, float(rows["x"].min())), min(b, float(rows["x"].max())))


def _area(rows: pd.DataFrame, scale: Scale, source: str, place: int) -> Html:
    x, y = rows["x"].to_numpy(float), rows["density"].to_numpy(float)
    at = np.linspace(0, len(x) - 1, POINTS).round().astype(int)
    left = np.clip(places(scale, x[at], 0, WIDTH), -WIDTH, 2 * WIDTH)
    top = HEIGHT - FOOT - (HEIGHT - FOOT - 4) * y[at] / y.max()
    line = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(left, top, strict=True))
    base = HEIGHT - FOOT
    path = f"M{left[0]:.1f} {base}L{line}L{left[-1]:.1f} {base}Z"
    style = "prior" if source == PRIOR else f"mark c{(place - 1) % COLOURS}"
    return tag("path", d=path, class_=style)
