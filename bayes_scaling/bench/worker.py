"""One engine on one problem in a process of its own: times, quality and memory as JSON.

Run as ``python -m bayes_scaling.bench.worker PROBLEM ENGINE [--data DIR] [--repeat N]``. A process
of its own keeps compiled programs and memory of one engine from another.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bayes_scaling.bench.engines import get_engine
from bayes_scaling.bench.problems import get_problem
from bayes_scaling.bench.quality import moments, quality


def measure(problem: str, engine: str, data: Path | None, repeat: int) -> dict[str, Any]:
    """Sample ``1 + repeat`` times; the first call compiles, the others are averaged."""
    chosen, (_, runs) = get_engine(engine), get_problem(problem, data)
    clock = perf_counter()
    sample = chosen.prepare(runs)
    first = sample(0)
    cold = perf_counter() - clock
    warm, whole, last = [], [], first
    for seed in range(1, repeat + 1):
        clock = perf_counter()
        last = sample(seed)
        whole.append(perf_counter() - clock)
        warm.append(last.seconds)
    found = quality(last.values, last.worth)
    seconds = float(np.median(warm))
    least = min(found["ess_bulk"], found["ess_tail"], found["ess_square"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB on Linux
    return {
        "problem": problem,
        "engine": engine,
        "rows": runs.n,
        "cold_seconds": cold,
        "seconds": seconds,
        "whole_seconds": float(np.median(whole)),
        **found,
        "ess_per_second": least / seconds,
        "leapfrogs": last.leapfrogs,
        "peak_mib": peak,
        **last.numbers,
        "moments": moments(last.values),
    }


def main() -> None:
    """Print the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem")
    parser.add_argument("engine")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    json.dump(measure(asked.problem, asked.engine, asked.data, asked.repeat), sys.stdout)


if __name__ == "__main__":
    main()
