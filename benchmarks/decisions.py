"""Decisions on published tables: Chinchilla's allocation three ways, Porian's exponents, crossings
of Gadre's corpora and of Gemstones' variants.

Run as ``python benchmarks/decisions.py --data DIR [--only gadre] [--out FILE]``, DIR being the
folder of the published tables. The budget is Chinchilla's own, 5.76e23 FLOPs.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keeping import asked_of, keep
from surfaces import chinchilla_epoch, gadre_overtraining, porian_isoflop

import bayes_scaling as bs
from bayes_scaling.bench.compare import about

BUDGET = 5.76e23
VARIANTS = ["hot", "cooldown_end", "lr_ablation"]


def shown(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table's rows with four digits, infinite and missing numbers as text."""

    def short(value: Any) -> Any:
        if not isinstance(value, float):
            return value
        return float(f"{value:.4g}") if np.isfinite(value) else str(value)

    return [{k: short(v) for k, v in row.items()} for row in table.to_dict("records")]


def chinchilla(data: Path) -> dict[str, Any]:
    """Epoch's points without the five they exclude: the approaches, with and without the law's
    error, what being off costs, and what a loss of 1.95 takes."""
    runs = chinchilla_epoch(data).runs
    fit = bs.fit(runs, "chinchilla", progress=False)
    three = bs.three_approaches(runs, fit=fit, C=BUDGET, prob=0.9)
    wrong = bs.allocate(fit, BUDGET, prob=0.9, model_error=True)
    own = bs.allocate(fit, BUDGET, prob=0.9)
    goal = bs.target(fit, 1.95, budget=BUDGET, prob=0.9)
    for each in (three, own, wrong, own.off_optimum(), goal):
        print(each, end="\n\n")
    return {
        "runs": runs.n,
        "three_approaches": shown(three.table),
        "law": shown(own.table),
        "law_with_error": shown(wrong.table),
        "off_optimum": shown(own.off_optimum()),
        "target": shown(goal.table),
        "notes": sorted({n.code for n in (*three.notes, *own.notes, *wrong.notes)}),
    }


def gadre(data: Path) -> dict[str, Any]:
    """The corpora by their loss on C4: compute multipliers and crossings, at the best size and
    at 20 tokens per parameter."""
    runs = gadre_overtraining(data).runs
    fit = bs.fit(runs, "chinchilla", progress=False)
    found = {}
    for name, fixed in (("best size", None), ("20 tokens per parameter", {"M": 20.0})):
        each = bs.compare(fit, C=[1e20, 1e22, 1e24], prob=0.9, fixed=fixed)
        print(each, end="\n\n")
        found[name] = {"table": shown(each.table), "crossings": shown(each.crossings)}
    return {"runs": runs.n, "verdict": fit.diagnose().verdict, **found}


def porian(data: Path) -> dict[str, Any]:
    """Exponent of the optimal size of ten procedures, from the authors' frontier and from the clean
    procedures' runs by the three approaches, beside the published ones."""
    study = bs.replicate("porian", data=data, progress=False)[0]
    runs = porian_isoflop(data).runs
    fit = bs.fit(runs, "chinchilla", pool="partial", progress=False)
    three = bs.three_approaches(runs, fit=fit, C=2.56e19, prob=0.9)
    print(study.parameters.to_string(index=False), three, sep="\n\n", end="\n\n")
    return {
        "frontier": shown(study.parameters),
        "three_approaches": shown(three.table),
        "notes": sorted({n.code for n in three.notes}),
    }


def gemstones(data: Path) -> dict[str, Any]:
    """Variants of the learning rate as recipes: multipliers and crossings."""
    table = pd.read_csv(data / "gemstones" / "gemstones.csv")
    table = table[table["variant"].isin(VARIANTS) & (table["tokens"] <= 1.1e11)]
    columns = {"L": "loss", "C": "flops_6nd"}
    runs = bs.read_runs(
        table.assign(run=table["variant"] + " " + table["run_id"]),
        group="variant",
        run="run",
        columns=columns,
    )
    fit = bs.fit(runs, "chinchilla", progress=False)
    each = bs.compare(fit, VARIANTS, C=[1e20, 1e22, 1e24], prob=0.9)
    print(each, end="\n\n")
    return {
        "runs": runs.n,
        "verdict": fit.diagnose().verdict,
        "table": shown(each.table),
        "crossings": shown(each.crossings),
    }


def main() -> None:
    """Run all, or the one that is named, and write the results."""
    asked = asked_of(__doc__)
    tables = {f.__name__: f for f in (chinchilla, porian, gadre, gemstones)}
    found = {name: of(asked.data) for name, of in tables.items() if asked.only in name}
    keep({**about(), **found}, asked.out)


if __name__ == "__main__":
    main()
