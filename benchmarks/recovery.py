"""Recovery of known parameters for every law x pooling x observation model.

Run as ``python benchmarks/recovery.py [--only TEXT] [--tables N] [--out FILE]``. Each cell draws
parameters from the prior, simulates a table, refits it, and counts how often central intervals hold
the truth; the law, pooling and observation lists come from the registries, so that new entries are
covered by being entered. Cells that the output file already holds are not run again.
"""

import argparse
import json
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import bayes_scaling as bs
from bayes_scaling._registry import LAWS, OBSERVATIONS
from bayes_scaling.bench.compare import about
from bayes_scaling.recovery import Recovery, recover

POOLINGS = {
    "natural": {},
    "shared": {"pool": "shared"},
    "partial": {"pool": "partial"},
    "separate": {"pool": "separate"},
}
COUNTED = [name for name in OBSERVATIONS if OBSERVATIONS.get(name).counts]
CONTINUOUS = [name for name in OBSERVATIONS if name not in COUNTED]
EXTRAS = {
    "noise by family": {"noise_by_family": True},
    "known se": {"known_se": True},
    "families in labs": {"nested": True, "families": 4},
}


def cells() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Label, law and options of every cell, the usual ones first."""
    laws = [f"{name}(N)" if "X" in bs.get_law(name).inputs else name for name in LAWS]
    for (pooling, options), noise, law in product(POOLINGS.items(), CONTINUOUS, laws):
        yield f"{law} | {pooling} | {noise}", law, {**options, "noise": noise}
    for noise, law in product(COUNTED, laws):
        if bs.get_law(law).response in ("acc", "err"):
            yield f"{law} | natural | {noise}", law, {"noise": noise}
    for law in laws:
        trend = {"noise_trend": bs.get_law(law).inputs[0]}
        for label, options in {**EXTRAS, "noise trend": trend}.items():
            yield f"{law} | natural | {label}", law, options


def summarise(label: str, found: Recovery, seconds: float) -> dict[str, Any]:
    """The record of one cell."""
    half, half_error = found.coverage(0.5)
    share, error = found.coverage(0.9)
    return {
        "cell": label,
        "coverage_90": round(share, 4),
        "mcse_90": round(error, 4),
        "coverage_50": round(half, 4),
        "mcse_50": round(half_error, 4),
        "tables": len(found.ranks),
        "checks": int(found.ranks.size),
        "samplers": dict(sorted(Counter(found.samplers).items())),
        "doubted": sum(bool(doubt) for doubt in found.doubts),
        "seconds": round(seconds, 1),
    }


def document(found: dict[str, Any]) -> str:
    """The table to read: coverage by pooling, then every cell."""
    cells = found["cells"]
    lines = [
        "# Recovery of known parameters",
        "",
        f"{found['date']}, {found['device']}, Python {found['python']}, "
        + ", ".join(f"{k} {v}" for k, v in found["versions"].items()),
        "",
        "Truths drawn from the prior, tables simulated and refitted the way of `fit_many`;",
        "shares of truths inside the central intervals, Monte Carlo standard errors from the",
        "scatter over tables, z the distance from nominal in those. `doubted`: posteriors that",
        "the engine itself marks as not converged. Cells are kept from one call of the script to",
        "the next; date and versions are of the last.",
        "",
        "| pooling | cells | tables | 90 % | se | 50 % | se | largest \\|z\\| | doubted |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_pooled(name, cells) for name in dict.fromkeys(map(_pooling, cells))),
        "",
        "| cell | tables | 90 % | se | z | 50 % | se | samplers | doubted |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(c) for c in cells),
    ]
    return "\n".join(lines) + "\n"


def _pooling(cell: dict[str, Any]) -> str:
    return cell["cell"].split(" | ")[1]


def _z(cell: dict[str, Any]) -> float:
    return (cell["coverage_90"] - 0.9) / cell["mcse_90"]


def _pooled(pooling: str, cells: list[dict[str, Any]]) -> str:
    own = [c for c in cells if _pooling(c) == pooling]
    weights = [c["tables"] for c in own]
    total = sum(weights)

    def mean(level: str) -> str:
        value = sum(w * c[f"coverage_{level}"] for w, c in zip(weights, own, strict=True)) / total
        spread = sum((w * c[f"mcse_{level}"]) ** 2 for w, c in zip(weights, own, strict=True))
        return f"{value:.3f} | {spread**0.5 / total:.3f}"

    worst, doubted = max(abs(_z(c)) for c in own), sum(c["doubted"] for c in own)
    shares = f"{mean('90')} | {mean('50')}"
    return f"| {pooling} | {len(own)} | {total} | {shares} | {worst:.1f} | {doubted} |"


def _line(c: dict[str, Any]) -> str:
    ways = ", ".join(f"{k} {v}" for k, v in c["samplers"].items())
    label = c["cell"].replace(" | ", ", ")
    numbers = f"{c['coverage_90']:.3f} | {c['mcse_90']:.3f} | {_z(c):+.1f}"
    half = f"{c['coverage_50']:.3f} | {c['mcse_50']:.3f}"
    return f"| {label} | {c['tables']} | {numbers} | {half} | {ways} | {c['doubted']} |"


def main() -> None:
    """Run the cells and write them as they come, the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the cells whose label holds this text")
    parser.add_argument("--tables", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/recovery.json"))
    parser.add_argument("--reverse", action="store_true", help="last cell first")
    asked = parser.parse_args()
    done = json.loads(asked.out.read_text())["cells"] if asked.out.exists() else []
    have = {c["cell"] for c in done}
    todo = [c for c in cells() if asked.only in c[0] and c[0] not in have]
    for label, law, options in reversed(todo) if asked.reverse else todo:
        clock = time.perf_counter()
        seed = zlib.crc32(label.encode()) % 10_000  # cells on tables of their own
        found = recover(law, tables=asked.tables, seed=seed, **options)
        done.append(summarise(label, found, time.perf_counter() - clock))
        print(done[-1], flush=True)
        asked.out.write_text(json.dumps({**about(), "cells": done}, indent=1) + "\n")
    asked.out.with_suffix(".md").write_text(document({**about(), "cells": done}))


if __name__ == "__main__":
    main()
