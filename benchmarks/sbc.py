"""Simulation-based calibration of every law x pooling x observation model.

Run as ``python benchmarks/sbc.py [--usual] [--only TEXT] [--tables N] [--keep DIR] [--out FILE]``;
a cell that was stopped goes on from its posteriors in DIR. The laws, poolings and observation
models come from the registries, so that new entries are covered by being entered: every law under
its natural pooling and default noise first, then each other pooling, noise and extra.
Cells that the output file already holds are not run again; Holm's correction is over all tests of
the file.
"""

import argparse
import json
import time
import zlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayes_scaling as bs
from bayes_scaling._registry import LAWS, OBSERVATIONS, POOLINGS
from bayes_scaling.bench.compare import about
from bayes_scaling.calibration import FALSE_ALARM, Calibration
from bayes_scaling.stats.uniformity import holm

COUNTED = [name for name in OBSERVATIONS if OBSERVATIONS.get(name).counts]
CONTINUOUS = [name for name in OBSERVATIONS if name not in COUNTED]
EXTRAS = {
    "noise by family": {"noise_by_family": True},
    "known se": {"known_se": True},
    "families in labs": {"nested": True, "families": 4},
}
FIELDS = ["parameter", "p_value", "p_trusted", "mean", "spread", "draws"]


Cell = tuple[str, str, dict[str, Any]]  # label, law, options


def usual_cells() -> Iterator[Cell]:
    """Every law under its natural pooling and default noise."""
    for law in _laws():
        yield f"{law} | natural | {bs.get_law(law).observation}", law, {}


def _laws() -> list[str]:
    return [f"{name}(N)" if "X" in bs.get_law(name).inputs else name for name in LAWS]


def cells() -> Iterator[Cell]:
    """Every cell, the usual ones first."""
    laws = _laws()
    usual = {law: bs.get_law(law).observation for law in laws}
    yield from usual_cells()
    for noise, law in product(CONTINUOUS, laws):
        if noise != usual[law]:
            yield f"{law} | natural | {noise}", law, {"noise": noise}
    for pooling, law in product(POOLINGS, laws):
        yield f"{law} | {pooling} | {usual[law]}", law, {"pool": pooling}
    for noise, law in product(COUNTED, laws):
        if bs.get_law(law).response in ("acc", "err"):
            yield f"{law} | natural | {noise}", law, {"noise": noise}
    for law in laws:
        trend = {"noise_trend": bs.get_law(law).inputs[0]}
        for label, options in {**EXTRAS, "noise trend": trend}.items():
            yield f"{law} | natural | {label}", law, options
    for noise, pooling, law in product(CONTINUOUS, POOLINGS, laws):
        if noise != usual[law]:
            yield f"{law} | {pooling} | {noise}", law, {"pool": pooling, "noise": noise}


def record(label: str, found: Calibration, seconds: float) -> dict[str, Any]:
    """The record of one cell."""
    tests = found.table()[FIELDS].to_dict("records")
    share, error = found.coverage(0.9)
    return {
        "cell": label,
        "tables": found.tables,
        "samplers": found.samplers,
        "doubted": found.doubted,
        "coverage_90": round(share, 4),
        "mcse_90": round(error, 4),
        "worst_rhat": _short(found.worst_rhat),
        "verdict": found.verdict,
        "seconds": round(seconds, 1),
        "tests": [{k: _short(v) for k, v in test.items()} for test in tests],
    }


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return None if not np.isfinite(value) else float(f"{value:.4g}")


def tests_of(cells: list[dict[str, Any]]) -> pd.DataFrame:
    """Every test of the file with its p-value corrected for their number."""
    rows = [{"cell": c["cell"], **test} for c in cells for test in c["tests"]]
    found = pd.DataFrame(rows)
    found["p_trusted"] = found["p_trusted"].astype(float)
    found["p_holm"] = holm(found["p_value"].to_numpy())
    found["p_trusted_holm"] = holm(found["p_trusted"].fillna(1.0).to_numpy())
    return found


def counts(tests: pd.DataFrame) -> dict[str, int]:
    """Number of tests, and of failures before and after correction, with and without doubt."""
    known = tests["p_trusted"].notna()
    return {
        "tests": len(tests),
        "failures": int((tests["p_value"] < FALSE_ALARM).sum()),
        "failures_holm": int((tests["p_holm"] < FALSE_ALARM).sum()),
        "trusted_tests": int(known.sum()),
        "trusted_failures": int((tests["p_trusted"] < FALSE_ALARM).sum()),
        "trusted_failures_holm": int((tests["p_trusted_holm"] < FALSE_ALARM).sum()),
    }


def document(found: dict[str, Any]) -> str:
    """The table to read: the counts, the least p-values, then every cell."""
    tests, n = tests_of(found["cells"]), found["counts"]
    worst = tests.nsmallest(15, "p_value")
    lines = [
        "# Simulation-based calibration",
        "",
        f"{found['date']}, {found['device']}, Python {found['python']}, "
        + ", ".join(f"{k} {v}" for k, v in found["versions"].items()),
        "",
        "Truths drawn from the prior, tables simulated and refitted the way of `fit_many`, the",
        "rank of every truth among near independent draws tested for uniformity (exact ECDF test).",
        f"Of a right engine {FALSE_ALARM:.0%} of tests fail before Holm's correction, and after",
        f"it any test at all in {FALSE_ALARM:.0%} of such files. `doubted`: posteriors that the",
        "engine itself marks as not converged; they are counted in all tests, and left out of the",
        "trusted. `90 %`: true parameters inside the central 90 % intervals, with the Monte Carlo",
        "error; `R-hat`: the largest of a posterior that is not doubted (none for independent",
        "draws). Cells are kept from one call of the script to the next; date and versions are of",
        "the last.",
        "",
        "| | tests | p < 0.05 | after Holm |",
        "|---|---|---|---|",
        f"| all posteriors | {n['tests']} | {n['failures']} | {n['failures_holm']} |",
        f"| not doubted | {n['trusted_tests']} | {n['trusted_failures']} | "
        f"{n['trusted_failures_holm']} |",
        "",
        "| least p-values: cell | scalar | p | Holm | p not doubted | mean | spread |",
        "|---|---|---|---|---|---|---|",
        *(_worst(row) for _, row in worst.iterrows()),
        "",
        "| cell | tables | tests | p < 0.05 | least p | 90 % | se | R-hat | samplers | doubt | s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_line(cell) for cell in found["cells"]),
    ]
    return "\n".join(lines) + "\n"


def _worst(row: Any) -> str:
    name = row["cell"].replace(" | ", ", ")
    numbers = (row[k] for k in ("p_value", "p_holm", "p_trusted", "mean", "spread"))
    return f"| {name} | {row['parameter']} | " + " | ".join(f"{v:.2g}" for v in numbers) + " |"


def _line(cell: dict[str, Any]) -> str:
    p = [test["p_value"] for test in cell["tests"]]
    ways = ", ".join(f"{k} {v}" for k, v in sorted(cell["samplers"].items()))
    off = sum(v < FALSE_ALARM for v in p)
    label = cell["cell"].replace(" | ", ", ")
    numbers = f"{cell['tables']} | {len(p)} | {off} | {min(p):.2g}"
    share = f"{cell['coverage_90']:.3f} | {cell['mcse_90']:.3f} | {cell['worst_rhat'] or '-'}"
    return f"| {label} | {numbers} | {share} | {ways} | {cell['doubted']} | {cell['seconds']:.0f} |"


def main() -> None:
    """Run the cells and write them as they come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the cells whose label holds this text")
    parser.add_argument("--usual", action="store_true", help="only natural pooling, default noise")
    parser.add_argument("--tables", type=int, default=64)
    parser.add_argument("--keep", type=Path, help="folder of the posteriors of unfinished cells")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sbc.json"))
    asked = parser.parse_args()
    done = json.loads(asked.out.read_text())["cells"] if asked.out.exists() else []
    have = {c["cell"] for c in done}
    for label, law, options in usual_cells() if asked.usual else cells():
        if asked.only not in label or label in have:
            continue
        clock = time.perf_counter()
        seed = zlib.crc32(label.encode()) % 10_000  # cells on tables of their own
        keep = asked.keep and asked.keep / f"{asked.tables}_{zlib.crc32(label.encode())}"
        found = bs.sbc(law, tables=asked.tables, seed=seed, out=keep, progress=False, **options)
        done.append(record(label, found, time.perf_counter() - clock))
        print(label, found.verdict, f"{done[-1]['seconds']:.0f} s", flush=True)
        whole = {**about(), "counts": counts(tests_of(done)), "cells": done}
        asked.out.write_text(json.dumps(whole, indent=1) + "\n")
        asked.out.with_suffix(".md").write_text(document(whole))


if __name__ == "__main__":
    main()
