"""Forecasts of the largest runs of published tables: what the bands hold, and how wide they are.

Run as ``python benchmarks/forecasting.py --data DIR [--only TEXT] [--out FILE]``. Chinchilla's law,
or the one that `surfaces` names, is fitted to the smaller runs of every table and judged on the
runs held back. ``bootstrap`` is the
field's habit, `bayes_scaling.baseline` with `REPLICATES` replicates, ``martingale`` the interval
without a prior of `bayes_scaling.martingale`. ``posterior`` is the law's alone; ``ours``, the
default forecast, has the law's own error in, the table's own row left out of the published errors
that its prior comes from. Errors, widths and CRPS in per cent of the loss. Runs of one table miss
or hit together; ``scatter_90`` is by how much (sd) the share inside would differ from 90 % were the
bands right, from their own joint draws.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keeping import asked_of, keep
from surfaces import SURFACES, TABLES

import bayes_scaling as bs
from bayes_scaling.backtesting import score_table, summarise
from bayes_scaling.bench.compare import about
from bayes_scaling.resolve import resolve

REPLICATES = 200
PROBS = (0.5, 0.8, 0.9)
LEVELS = [f"{100 * p:g}" for p in PROBS]

Bands = dict[str, np.ndarray]


def bootstrap(train: bs.Runs, test: bs.Runs, law: str) -> Bands:
    """Bands (sample, row) of log-Huber point fits and a bootstrap, a family at a time."""
    return _named(bs.baseline(train, law, replicates=REPLICATES).law_and_runs(test)[1:])


def martingale(train: bs.Runs, test: bs.Runs, law: str) -> Bands:
    """The same of a martingale posterior."""
    return _named(bs.martingale(train, law).law_and_runs(test)[1:])


def _named(draws: tuple[np.ndarray, np.ndarray]) -> Bands:
    return {"law": draws[0], "run": draws[1]}


def posterior(train: bs.Runs, test: bs.Runs, law: str, *, ours: bool, source: str) -> Bands:
    """Bands (sample, row) of the posterior; ours has the law's own error in."""
    fit = bs.fit(train, law, progress=False)
    error = bs.model_error(fit, leave_out=source) if ours else False
    found = bs.forecast(fit, test, model_error=error).data["predictions"]
    y = train.response
    names = {"law": f"{y}_law", "model": f"{y}_model", "run": y}
    return {k: np.asarray(found[v]).reshape(-1, test.n) for k, v in names.items() if v in found}


METHODS: dict[str, Callable[[bs.Runs, bs.Runs, str, str], Bands]] = {
    "bootstrap": lambda train, test, law, _: bootstrap(train, test, law),
    "martingale": lambda train, test, law, _: martingale(train, test, law),
    "posterior": lambda train, test, law, _: posterior(train, test, law, ours=False, source=""),
    "ours": lambda train, test, law, source: posterior(train, test, law, ours=True, source=source),
}


def judge(name: str, method: str, data: Path) -> dict[str, Any]:
    """The scores of a method on a table."""
    surface = TABLES[name](data)
    train, test = surface.runs.subset(~surface.ahead), surface.runs.subset(surface.ahead)
    clock = time.perf_counter()
    bands = METHODS[method](train, test, surface.law, name)
    seconds = time.perf_counter() - clock
    spec = resolve(train, surface.law)
    actual = test.values[test.response]
    table = score_table(spec, bands, actual, PROBS).assign(distance=0.0)
    scores = summarise(table, PROBS, None).iloc[0]
    percent = ["crps", "bias", "mean_abs_error", *(f"width_{p}" for p in LEVELS)]
    shares = [f"coverage_{p}" for p in LEVELS]
    return {
        "table": name,
        "method": method,
        "runs": test.n,
        **{k: round(100 * float(scores[k]), 3) for k in percent},
        **{k: round(float(scores[k]), 3) for k in shares},
        "scatter_90": round(scatter(bands["run"], 0.9), 3),
        "seconds": round(seconds, 1),
    }


def scatter(draws: np.ndarray, prob: float) -> float:
    """The sd of the share of runs inside their intervals when each draw (sample, row) is the truth
    in turn."""
    low, high = np.quantile(draws, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
    return float(((low <= draws) & (draws <= high)).mean(axis=1).std())


def ratios(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Geometric means of CRPS and error beside the bootstrap's, and pooled coverage."""
    frame = pd.DataFrame(records).set_index(["table", "method"])
    found = {}
    for method in METHODS:
        own, base = (frame.xs(m, level="method") for m in (method, "bootstrap"))
        crps, error = (np.log(own[k] / base[k]) for k in ("crps", "mean_abs_error"))
        found[method] = {
            "crps_ratio": round(float(np.exp(crps.mean())), 3),
            "worst_crps_ratio": round(float(np.exp(crps.max())), 3),
            "error_ratio": round(float(np.exp(error.mean())), 3),
            "worst_error_ratio": round(float(np.exp(error.max())), 3),
            "coverage_90": round(float(np.average(own["coverage_90"], weights=own["runs"])), 3),
            "scatter_90": round(
                float(np.linalg.norm(own["scatter_90"] * own["runs"]) / own["runs"].sum()), 3
            ),
            "least_coverage_90": round(float(own["coverage_90"].min()), 3),
        }
    return found


def main() -> None:
    """Print, and write, one record for each table and method."""
    asked = asked_of(__doc__)
    records = []
    for name in (n for n in TABLES if asked.only in n):
        for method in METHODS:
            records.append(judge(name, method, asked.data))
            print(records[-1], flush=True)
    surfaces = [r for r in records if r["table"] in SURFACES]
    together = {"surfaces": ratios(surfaces or records), "all": ratios(records)}
    print(json.dumps(together, indent=1))
    keep({**about(), "together": together, "records": records}, asked.out)


if __name__ == "__main__":
    main()
