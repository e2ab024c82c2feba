"""The picture of held-back runs with the bands of the bootstrap and ours, for three tables.

Run as ``python benchmarks/forecast_picture.py --data DIR --out FILE``. Every run is one column,
ordered by family and compute; losses are in per cent about our median.
"""

import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt  # noqa: TID253 - a program of its own
import numpy as np
from forecasting import METHODS
from surfaces import SURFACES

from bayes_scaling.scales import families_of

TABLES = ("chinchilla_epoch", "xlstm_isoflop", "porian_isoflop")
PROB = 0.9
COLOURS = {"bootstrap": "#9a9a9a", "ours": "#0072b2"}
NAMES = {"bootstrap": "log-Huber fits, bootstrap", "ours": "ours, the law's own error in"}


def columns(name: str, data: Path) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Ends (2, run) of each method's band and the actual loss, in per cent, and family breaks."""
    surface = SURFACES[name](data)
    train, test = surface.runs.subset(~surface.ahead), surface.runs.subset(surface.ahead)
    family = families_of(test)
    order = np.lexsort((test.values["C"], family))
    bands = {m: METHODS[m](train, test, surface.law, name) for m in COLOURS}
    middle = np.log(np.median(bands["ours"]["model"], axis=0))
    tail = (1 - PROB) / 2
    ends = {
        m: 100 * (np.log(np.quantile(b["run"], [tail, 1 - tail], axis=0)) - middle)[:, order]
        for m, b in bands.items()
    }
    actual = 100 * (np.log(test.values["L"]) - middle)[order]
    breaks = np.flatnonzero(family[order][1:] != family[order][:-1]) + 0.5
    return ends, actual, breaks


def draw(axis: Any, name: str, data: Path) -> None:
    """One table."""
    ends, actual, breaks = columns(name, data)
    x, held = np.arange(len(actual)), {}
    for i, (method, (low, high)) in enumerate(ends.items()):
        width = 2.6 if len(x) < 50 else 1.2
        axis.vlines(x + 0.36 * i - 0.18, low, high, color=COLOURS[method], linewidth=width)
        held[method] = np.mean((low <= actual) & (actual <= high))
    axis.scatter(x, actual, s=9, color="black", zorder=3)
    for place in breaks:
        axis.axvline(place, color="#dddddd", linewidth=0.8, zorder=0)
    told = ", ".join(f"{m} {v:.0%}" for m, v in held.items())
    axis.set_title(f"{name}: {len(x)} runs held back; inside: {told}", fontsize=10, loc="left")
    axis.set_ylabel("loss, % about\nour median")
    axis.set_xticks([])
    axis.grid(True, axis="y", color="#eeeeee")
    axis.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    figure, axes = plt.subplots(len(TABLES), figsize=(9.5, 7.5), layout="constrained")
    for axis, name in zip(axes, TABLES, strict=True):
        draw(axis, name, asked.data)
    keys = [plt.Line2D([], [], color=c, linewidth=4, label=f"{NAMES[m]}: {PROB:.0%} band")
            for m, c in COLOURS.items()]  # fmt: skip
    keys.append(plt.Line2D([], [], color="black", marker="o", linestyle="", markersize=4,
                           label="the run held back"))  # fmt: skip
    axes[-1].set_xlabel("runs held back, by family and compute")
    figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(asked.out, dpi=110)


if __name__ == "__main__":
    main()
