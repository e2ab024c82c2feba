"""Posteriors on real data: quality and time of each, published values beside ours.

Run as ``python benchmarks/real_data.py --data DIR``, where DIR holds the tidy tables (they are not
part of the project: their licences differ). One line a problem: rows, families, R-hat, ESS,
divergences, seconds of the whole fit with compilation (nothing kept from earlier processes) and of
a second fit without.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from surfaces import chinchilla_epoch, gadre_overtraining, porian_isoflop

import bayes_scaling as bs
from bayes_scaling._compile_cache import VARIABLE
from bayes_scaling.bench.compare import about

# Besiroglu et al. 2024, arXiv:2404.10102: 240 points, value and standard error
BESIROGLU = {
    "E": (1.8172, 0.03),
    "A": (482.01, 124.58),
    "B": (2085.43, 1293.23),
    "alpha": (0.3478, 0.02),
    "beta": (0.3658, 0.02),
}


def routed_dense(data: Path) -> bs.Runs:
    """Dense models only, final evaluations."""
    table = pd.read_csv(data / "routed_lm" / "routed_lm.csv")
    dense = table[(table["family"] == "dense") & table["is_last"]]
    columns = {"N": "params_dense", "C": None, "D": "tokens"}
    return bs.read_runs(dense, columns=columns, run_id=None)


def gemstones(data: Path) -> bs.Runs:
    """Checkpoints of one constant learning-rate run per shape; ``run`` given."""
    table = pd.read_csv(data / "gemstones" / "gemstones.csv")
    hot = table[(table["variant"] == "hot") & (table["role"] == "fit")]
    return bs.read_runs(hot, run="run_id", columns={"L": "loss", "C": "flops_6nd"})


PARTIAL = {"pool": "partial"}
PROBLEMS: dict[str, Callable[[Path], tuple[bs.Runs, dict[str, Any]]]] = {
    "chinchilla_epoch": lambda d: (chinchilla_epoch(d).runs, {}),
    "gadre, shared exponents": lambda d: (gadre_overtraining(d).runs, {}),
    "gadre, partially pooled exponents": lambda d: (gadre_overtraining(d).runs, PARTIAL),
    "porian, clean procedures": lambda d: (porian_isoflop(d).runs, {}),
    "porian, partially pooled exponents": lambda d: (porian_isoflop(d).runs, PARTIAL),
    "routed_lm, dense, power law in N": lambda d: (routed_dense(d), {"law": "power_law(N)"}),
    "gemstones hot, run given": lambda d: (gemstones(d), {}),
}


def judge(label: str, runs: bs.Runs, options: dict[str, Any]) -> tuple[dict[str, Any], bs.Fit]:
    """Fit twice (cold, warm) and return the record of the first with both times."""
    seconds = []
    for seed in (0, 0):
        clock = time.perf_counter()
        fit = bs.fit(runs, options.get("law", "chinchilla"), seed=seed, progress=False,
                     **{k: v for k, v in options.items() if k != "law"})  # fmt: skip
        seconds.append(time.perf_counter() - clock)
    numbers = fit.diagnose().numbers
    families = len(fit.grouping.labels[fit.spec.groups[-1]]) if fit.spec.groups else 1
    record = {
        "problem": label,
        "rows": runs.n,
        "families": families,
        "rhat": round(numbers["rhat_max"], 4),
        "ess_bulk": round(numbers["ess_bulk_min"]),
        "ess_tail": round(numbers["ess_tail_min"]),
        "divergences": int(numbers["divergences"]),
        "seconds_cold": round(seconds[0], 1),
        "seconds_warm": round(seconds[1], 1),
        "samplers": [step["sampler"] for step in fit.path] or ["as asked"],
        "findings": [f.code for f in fit.diagnose().findings if f.severity != "info"],
    }
    return record, fit


def beside_besiroglu(fit: bs.Fit) -> pd.DataFrame:
    """Posterior mean and sd beside the published values and standard errors."""
    rows = []
    for name, (value, error) in BESIROGLU.items():
        draws = np.asarray(fit.posterior[name])
        gap = (draws.mean() - value) / error
        rows.append((name, draws.mean(), draws.std(), value, error, gap, abs(gap) <= 1))
    columns = ["parameter", "mean", "sd", "published", "se", "gap_in_se", "within_one_se"]
    return pd.DataFrame(rows, columns=columns)


def main() -> None:
    """Run the problems and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    os.environ[VARIABLE] = "off"
    records = []
    for label, make in PROBLEMS.items():
        if asked.only in label:
            record, fit = judge(label, *make(asked.data))
            records.append(record)
            print(record, flush=True)
            if label == "chinchilla_epoch":
                published = beside_besiroglu(fit)
                print(published.round(4).to_string(index=False), flush=True)
    if asked.out:
        asked.out.write_text(json.dumps({**about(), "problems": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
