"""The comparison as a table to read and a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEADER = ("problem", "engine", "compile", "run", "ESS", "ESS/s", "R-hat", "leaps", "gap", "MiB")
NOTES = """
`compile`: seconds of the first call less those of a later one. `run`: seconds of everything after
compilation: search for the mode, warm-up and draws (median of the later calls). `ESS`: the least
of bulk, tail and squares over all parameters. `leaps`: leapfrog steps a draw. `gap`: largest
difference of mean, sd, 5 % or 95 % point of any parameter from a NUTS run of 4 x 10,000 draws, in
combined Monte Carlo errors (the largest of hundreds: about 3 to 3.5 is chance). `MiB`: peak memory
of the process.
"""


def rows(records: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Cells of the table, as texts."""
    return [_row(r) for r in records]


def _row(r: Mapping[str, Any]) -> list[str]:
    if "failed" in r:
        return [r["problem"], r["engine"], f"failed: {r['failed']}", *[""] * (len(HEADER) - 3)]
    least = min(r["ess_bulk"], r["ess_tail"], r["ess_square"])
    way = "+".join(r.get("path", []))
    engine = f"{r['engine']} ({way})" if way and way != r["engine"] else r["engine"]
    return [
        r["problem"],
        engine,
        _digits(r["cold_seconds"] - r["whole_seconds"]),
        _digits(r["seconds"]),
        f"{least:.0f}",
        _digits(r["ess_per_second"]),
        f"{r['rhat']:.3f}",
        _digits(r["leapfrogs"]),
        _digits(r.get("worst_gap", math.nan)),
        f"{r['peak_mib']:.0f}",
    ]


def _digits(value: float | None) -> str:
    """Three significant digits, nothing for NaN."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratios(records: Sequence[Mapping[str, Any]], of: str = "auto") -> list[str]:
    """How many times an engine's ESS/s that of the others is, one line a problem."""
    lines = []
    for problem in dict.fromkeys(r["problem"] for r in records):
        rates = {
            r["engine"]: r["ess_per_second"]
            for r in records
            if r["problem"] == problem and "failed" not in r
        }
        own = rates.pop(of, None)
        if own and rates:
            told = ", ".join(f"{own / rate:,.0f}x {name}" for name, rate in rates.items())
            lines.append(f"{problem}: {of} makes {told}")
    return lines


def markdown(found: Mapping[str, Any]) -> str:
    """The whole comparison as a document."""
    versions = ", ".join(f"{k} {v}" for k, v in found["versions"].items())
    body = [HEADER, ["---"] * len(HEADER), *rows(found["records"])]
    table = "\n".join(f"| {' | '.join(line)} |" for line in body)
    told = "\n".join(f"- {line}" for line in ratios(found["records"]))
    return (
        f"# Samplers side by side\n\n{found['date']}, {found['device']}, "
        f"Python {found['python']}; {versions}.\n\n{table}\n{NOTES}\n{told}\n"
    )


def drawn(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records that have a bar in the picture."""
    return [r for r in found["records"] if "failed" not in r and r["engine"] != "reference"]


def picture(found: Mapping[str, Any], path: Path) -> Path:
    """Draw effective draws a second of every engine, one panel a problem."""
    from matplotlib import pyplot as plt

    good = drawn(found)
    problems = list(dict.fromkeys(r["problem"] for r in good))
    figure, axes = plt.subplots(
        1, len(problems), figsize=(3.2 * len(problems) + 1.2, 3.2), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    engines = list(dict.fromkeys(r["engine"] for r in good))[::-1]
    for axis, problem in zip(axes[0], problems, strict=True):
        rate = {r["engine"]: r["ess_per_second"] for r in good if r["problem"] == problem}
        values = [rate.get(name, math.nan) for name in engines]
        colours = [
            "#0072B2" if name in ("auto", "nuts", "chees") else "#999999" for name in engines
        ]
        axis.barh(engines, values, color=colours, height=0.65)
        axis.set_xscale("log")
        axis.set_xlim(1, 3 * max(v for v in values if math.isfinite(v)))
        axis.set_title(problem, fontsize=10)
        axis.set_xlabel("effective draws a second")
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png", dpi=150)
    plt.close(figure)
    return path
