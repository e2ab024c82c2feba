"""Designed runs against isoFLOP grids, published tables and a published way of choosing.

Run as ``python benchmarks/design.py --data DIR [--only TEXT] [--out FILE]``, TEXT one of checked,
simulated, tables, scalebench.

``checked``: expected against realised variance: runs of a batch are simulated from the posterior,
the law is fitted again, with its own error learned again, and the variances are averaged.

``simulated``: Chinchilla's law with Student-t scatter. A full isoFLOP grid, an isoFLOP grid of half
its cost (every other size), and runs chosen in four batches from a grid of sizes and tokens
for half the cost; CRPS of the forecast at compute-optimal points 10 and 100 times beyond.

``tables``: of published tables half the cost of the runs to fit, chosen from them in five batches
after a few cheap ones, judged on the runs to forecast; beside all of them, and runs of the same
cost in random order, and the cheapest. CRPS, bias and width in per cent of the response.

``scalebench``: target-region R2 at 1, 5 and 10 % of the cost of all runs, as in "Spend Less, Fit
Better" (arXiv:2604.22753), with laws and tables of our own (`sldbench`): one law a task, where
theirs are means over ten laws, so that all runs are a comparison of the laws and the
distance to it one of the choices.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from keeping import asked_of, keep
from sequential import Problem, cheapest_rows, chosen_runs, fitted, judged, random_rows
from sldbench import TASKS
from surfaces import SURFACES

import bayes_scaling as bs
from bayes_scaling.bench.compare import about
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.law_draws import law_draws

SHARES = (0.01, 0.05, 0.10)
BATCH = 40
SEEDS = 3
# R2 of their method at 1, 5 and 10 %, and of all data: Table 2 there, from its repository
PUBLISHED = {
    "parallel": ("parallel", (-1.00, 0.77, 0.99), 0.99),
    "vocabulary": ("vocab", (0.96, 0.98, 0.98), 0.93),
    "experts": ("moe", (0.59, 0.65, 0.83), 0.81),
    "repeated data": ("data_con", (0.73, 0.85, 0.86), 0.79),
    "learning rate and batch": ("lr&bsz", (-0.66, 0.00, 0.22), 0.04),
}


# --- simulated -------------------------------------------------------------------------------

LAW = {"E": 1.8, "A": 450.0, "B": 1800.0, "alpha": 0.345, "beta": 0.36}
SCATTER, NU = 0.004, 5.0
LEVELS, SIZES = np.geomspace(1e18, 1e20, 5), 8
TARGETS = (1e21, 1e22)
TRUTHS = 12


def truth(rng: np.random.Generator) -> dict[str, float]:
    """Parameters about those of the published fit, A and B such that both terms keep their size
    in the middle of the grid."""
    p = {**LAW, "E": LAW["E"] * np.exp(0.1 * rng.normal())}
    for name, exponent, at in (("A", "alpha", 3e8), ("B", "beta", 6e9)):
        part = LAW[name] * at ** -LAW[exponent] * np.exp(0.1 * rng.normal())
        p[exponent] = LAW[exponent] * np.exp(0.1 * rng.normal())
        p[name] = part * at ** p[exponent]
    return p


def loss(p: dict[str, float], N: Any, D: Any) -> Any:
    """Chinchilla's law."""
    return p["E"] + p["A"] * N ** -p["alpha"] + p["B"] * D ** -p["beta"]


def best_size(p: dict[str, float], C: float) -> float:
    """The optimal size at a budget (Hoffmann et al. 2022, eq. 4)."""
    both = p["alpha"] + p["beta"]
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / both)
    return G * (C / 6) ** (p["beta"] / both)


def isoflop(p: dict[str, float], every: int) -> pd.DataFrame:
    """An isoFLOP grid: at every level sizes from a third to three times the best."""
    sizes = [best_size(p, C) * np.geomspace(1 / 3, 3, SIZES)[::every] for C in LEVELS]
    N, C = np.concatenate(sizes), np.repeat(LEVELS, len(sizes[0]))
    return pd.DataFrame({"N": N, "D": C / (6 * N)})


def simulated_run(seed: int) -> list[dict[str, Any]]:
    """CRPS of the three ways to spend, under one truth."""
    rng = np.random.default_rng(seed)
    p = truth(rng)
    targets = pd.DataFrame({"N": [best_size(p, C) for C in TARGETS]})
    targets["D"] = np.array(TARGETS) / (6 * targets["N"])
    full = isoflop(p, 1)
    half = 0.5 * cost_of(full).sum()
    possible = bs.candidate_grid(N=(1e7, 1e10), M=(0.5, 500), steps=14)
    possible["D"] = possible["N"] * possible["M"]
    possible = possible[cost_of(possible) <= LEVELS[-1] * 1.01].reset_index(drop=True)
    ways = {"full grid": full, "half grid": isoflop(p, 2), "designed": possible}
    records = []
    for way, runs in ways.items():
        problem = _problem(p, runs, targets, rng)
        rows = list(range(len(runs)))
        if way == "designed":
            rows = chosen_runs(problem, [half * s for s in (0.1, 0.3, 0.6, 1.0)], 12)[-1]
        found = judged(problem, rows)
        spent = problem.cost[rows].sum() / cost_of(full).sum()
        records.append({"truth": seed, "way": way, **found, "cost_share": round(spent, 3)})
    return records


def cost_of(runs: pd.DataFrame) -> np.ndarray:
    """FLOPs of runs, 6 N D."""
    return (6 * runs["N"] * runs["D"]).to_numpy(float)


def _problem(
    p: dict[str, float], runs: pd.DataFrame, targets: pd.DataFrame, rng: np.random.Generator
) -> Problem:
    seen = loss(p, runs["N"], runs["D"]) * np.exp(SCATTER * rng.standard_t(NU, len(runs)))
    pool = bs.read_runs(runs[["N", "D"]].assign(L=seen))
    test = bs.read_runs(targets.assign(L=loss(p, targets["N"], targets["D"])))
    return Problem(pool, cost_of(runs), test, "chinchilla", "all")


def simulated(_: Path) -> list[dict[str, Any]]:
    """All truths."""
    records = []
    for seed in range(TRUTHS):
        records += simulated_run(seed)
        print(*records[-3:], sep="\n", flush=True)
    return records


# --- published tables ------------------------------------------------------------------------

TABLES = (
    "chinchilla_epoch",
    "misfitting_lr",
    "data_constrained",
    "xlstm_isoflop",
    "porian_isoflop",
)


def table_problem(name: str, data: Path) -> Problem:
    """Runs to fit as the pool, runs to forecast as the test."""
    surface = SURFACES[name](data)
    pool, test = surface.runs.subset(~surface.ahead), surface.runs.subset(surface.ahead)
    values = pool.values
    return Problem(pool, 6 * values["N"] * values["D"], test, surface.law, name)


def of_table(name: str, data: Path) -> list[dict[str, Any]]:
    """All of a table's runs, half their cost chosen, at random, and cheapest."""
    problem = table_problem(name, data)
    half = 0.5 * problem.cost.sum()
    budgets = [half * share for share in (0.05, 0.2, 0.4, 0.7, 1.0)]
    ways = {
        "all": list(range(problem.pool.n)),
        "designed": chosen_runs(problem, budgets, BATCH)[-1],
        "cheapest": cheapest_rows(problem, half),
    }
    ways |= {f"random {i}": random_rows(problem, half, i) for i in range(SEEDS)}
    records = [{"table": name, "way": way, **judged(problem, rows)} for way, rows in ways.items()]
    print(*records, sep="\n", flush=True)
    return records


def tables(data: Path) -> list[dict[str, Any]]:
    """All tables."""
    return [record for name in TABLES for record in of_table(name, data)]


# --- ScaleBench ------------------------------------------------------------------------------


def task_problem(name: str, data: Path) -> Problem:
    """A task with the cost that the benchmark gives it."""
    task = TASKS[name](data)
    pool, test = task.runs.subset(~task.ahead), task.runs.subset(task.ahead)
    values = pool.values
    second = {"parallel": 1.0, "experts": values.get("experts")}.get(name, values.get("D"))
    return Problem(pool, values["N"] * second, test, task.law, "all")


def of_task(name: str, data: Path) -> list[dict[str, Any]]:
    """R2 at the shares of the cost, and of all runs."""
    problem = task_problem(name, data)
    total = problem.cost.sum()
    theirs, at, all_data = PUBLISHED[name]
    rows = chosen_runs(problem, [share * total for share in SHARES], BATCH)
    records = [
        {"task": theirs, "share": share, **judged(problem, own), "published_r2": published}
        for share, own, published in zip(SHARES, rows, at, strict=True)
    ]
    whole = judged(problem, range(problem.pool.n))
    records.append({"task": theirs, "share": 1.0, **whole, "published_r2": all_data})
    print(*records, sep="\n", flush=True)
    return records


def scalebench(data: Path) -> list[dict[str, Any]]:
    """All tasks at hand."""
    return [record for name in PUBLISHED for record in of_task(name, data)]


# --- expected against realised ---------------------------------------------------------------

REFITS, ERRORS = 40, 8  # new fits; times that the law's error is learned, by seeds of their own


def checked(_: Path) -> list[dict[str, Any]]:
    """The expected and the realised variance of one batch, of the law alone and with its error,
    as means over `ERRORS` seeds of what was learned of the error."""
    rng = np.random.default_rng(0)
    p = truth(rng)
    runs = isoflop(p, 2)
    targets = pd.DataFrame({"N": [best_size(p, 1e22)]})
    targets["D"] = 1e22 / (6 * targets["N"])
    problem = _problem(p, runs, targets, rng)
    fit, error = fitted(problem, range(len(runs)))
    possible = bs.candidate_grid(N=(1e7, 1e10), M=(0.5, 500), steps=10)
    records = []
    for way, errors in (("law alone", [False]), ("with its error", _errors(fit))):
        first = False if way == "law alone" else error
        batch = bs.design(fit, possible, budget=3e20, goal=targets, batch=4, model_error=first)
        new = batch.table[["N", "D"]]
        total = {"budget": 2 * float(cost_of(new).sum()), "goal": targets}
        found = [bs.design(fit, new, model_error=e, **total) for e in errors]
        values = {
            "before": [d.before**2 for d in found],
            "expected": [d.expected**2 for d in found],
            "nested": [d.nested.after for d in found if d.nested],
            "realised": _realised(problem, fit, new, targets, errors),
        }
        records.append({"way": way, "runs": len(new), **_means(values)})
        print(records[-1], flush=True)
    return records


def _errors(fit: bs.Fit) -> list[Any]:
    return [bs.model_error(fit, leave_out="all", seed=seed) for seed in range(ERRORS)]


def _means(values: dict[str, Any]) -> dict[str, float]:
    """The mean of each and, of several, its standard error."""
    told = {}
    for name, each in values.items():
        if len(each):
            told[name] = float(np.mean(each))
        if len(each) > 1:
            told[f"{name}_error"] = float(np.std(each, ddof=1) / np.sqrt(len(each)))
    return told


def _realised(
    problem: Problem, fit: bs.Fit, new: pd.DataFrame, targets: pd.DataFrame, errors: list[Any]
) -> list[float]:
    """Variance of the log response at the target after simulated runs and new fits, (refit,)."""
    outcomes, rng = [], np.random.default_rng(0)
    for seed, error in enumerate(errors):
        drawn = law_draws(fit, new, jax.random.key(seed))
        drawn = with_model_error(error, drawn, seed=seed) if error else drawn
        outcomes += list(rng.permutation(drawn.run)[: REFITS // len(errors)])
    old = pd.DataFrame({**problem.pool.covariates, "L": problem.pool.values["L"]})[["N", "D", "L"]]
    more = [pd.concat([old, new.assign(L=each)], ignore_index=True) for each in outcomes]
    many = bs.fit_many(more, problem.law, progress=False)
    return [_variance(many.sampled(i), targets, bool(errors[0])) for i in range(len(more))]


def _variance(posterior: Any, targets: pd.DataFrame, with_error: bool) -> float:
    drawn = law_draws(posterior, targets, jax.random.key(0))
    if with_error:
        drawn = with_model_error(bs.model_error(posterior, leave_out="all"), drawn)
    return float(np.var(np.log(drawn.mean[:, 0])))


# --- all -------------------------------------------------------------------------------------

PARTS = {"checked": checked, "simulated": simulated, "tables": tables, "scalebench": scalebench}


def summary(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Means of the simulated and the geometric means of CRPS beside all runs."""
    told: dict[str, Any] = {}
    if "simulated" in found:
        frame = pd.DataFrame(found["simulated"])
        columns = ["crps", "width_90", "coverage_90", "cost_share", "runs"]
        told["simulated"] = frame.groupby("way")[columns].mean().round(4).to_dict("index")
        wide = frame.pivot(index="truth", columns="way", values="crps")
        told["designed_better_than_half_grid"] = float(
            (wide["designed"] < wide["half grid"]).mean()
        )
    if "tables" in found:
        frame = pd.DataFrame(found["tables"])
        frame["way"] = frame["way"].str.partition(" ")[0]
        wide = frame.groupby(["table", "way"])["crps"].mean().unstack()
        ratio = np.exp(np.log(wide.div(wide["all"], axis=0)).mean())
        told["tables_crps_over_all"] = ratio.round(3).to_dict()
    return told


def main() -> None:
    """Run the parts and write the results."""
    asked = asked_of(__doc__)
    found = {}
    for name, part in PARTS.items():
        if asked.only in name:
            found[name] = part(asked.data)
    keep({**about(), "summary": summary(found), **found}, asked.out)


if __name__ == "__main__":
    main()
