"""Choosing runs from a pool a few at a time, with refits between, and judging what they tell."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import bayes_scaling as bs
from bayes_scaling.stats.scores import crps

START = 8  # runs to begin with, or two more than the law's parameters


class Problem(NamedTuple):
    """A pool of runs with what each cost, runs to forecast, the law, and the source that is left
    out of the published errors."""

    pool: bs.Runs
    cost: np.ndarray
    test: bs.Runs
    law: str
    source: str


def fitted(problem: Problem, rows: Sequence[int]) -> tuple[bs.Fit, Any]:
    """The fit of some of the pool, and the law's own error where it can be learned."""
    runs = problem.pool.subset(np.asarray(sorted(rows)))
    fit = bs.fit(runs, problem.law, progress=False)
    try:
        return fit, bs.model_error(fit, leave_out=problem.source)
    except bs.ForecastError:
        return fit, False


def start(problem: Problem, budget: float) -> list[int]:
    """Cheap runs far from each other: the cheapest of every family, then, of those that cost no
    more than a share of the budget, always the one farthest from all before."""
    size = max(START, len(bs.get_law(problem.law.partition("(")[0]).param_names) + 2)
    family = _family(problem.pool)
    size = max(size, 3 * len(np.unique(family)))
    by_cost = np.argsort(problem.cost, kind="stable")
    few = max(size, int(np.sum(problem.cost <= budget / size)))
    place, order = _places(problem.pool), by_cost[:few]
    chosen = [int(by_cost[family[by_cost] == f][0]) for f in np.unique(family)]
    while len(chosen) < min(size, len(order)):
        apart = ((place[order][:, None] - place[chosen][None]) ** 2).sum(-1)
        apart += 100.0 * (family[order][:, None] != family[chosen][None])
        chosen.append(int(order[np.argmax(apart.min(1))]))
    return chosen


def _family(runs: bs.Runs) -> np.ndarray:
    if not runs.groups:
        return np.zeros(runs.n, int)
    return np.unique(runs.labels[runs.groups[-1]], return_inverse=True)[1]


def _places(runs: bs.Runs) -> np.ndarray:
    columns = [np.log(v) for v in runs.covariates.values() if np.all(v > 0) and np.ptp(v) > 0]
    return np.stack([(c - c.mean()) / c.std() for c in columns], axis=1)


def chosen_runs(problem: Problem, budgets: Sequence[float], most: int) -> list[list[int]]:
    """Rows of the pool after every budget in turn, at most ``most`` of them a batch."""
    rows, found = start(problem, 0.5 * budgets[0]), []
    for budget in budgets:
        left = budget - problem.cost[rows].sum()
        rest = np.setdiff1d(np.arange(problem.pool.n), rows)
        if len(rest) and problem.cost[rest].min() <= left:
            fit, error = fitted(problem, rows)
            possible = _frame(problem.pool.subset(rest)).assign(cost=problem.cost[rest])
            next_ = bs.design(fit, possible, budget=left, goal=_frame(problem.test), batch=most,
                              model_error=error)  # fmt: skip
            rows = [*rows, *rest[next_.table["row"].to_numpy(int)]]
        found.append(list(rows))
    return found


def _frame(runs: bs.Runs) -> pd.DataFrame:
    return pd.DataFrame({**runs.covariates, **runs.labels})


def judged(problem: Problem, rows: Sequence[int]) -> dict[str, Any]:
    """Cost and scores of the forecast from some of the pool: R2 cut at -1 as ScaleBench has it,
    CRPS, bias and share in the 90 % band."""
    clock = time.perf_counter()
    fit, error = fitted(problem, rows)
    found = bs.forecast(fit, _frame(problem.test), prob=0.9, model_error=error)
    name, actual = problem.test.response, problem.test.values[problem.test.response]
    draws = np.asarray(found.data["predictions"][name]).reshape(-1, problem.test.n)
    size = np.abs(actual)
    away = found.table["median"].to_numpy() - actual
    r2 = 1 - np.sum(away**2) / np.sum((actual - actual.mean()) ** 2)
    low, high = (found.table[f"run_90_{end}"].to_numpy() for end in ("low", "high"))
    return {
        "runs": len(rows),
        "cost_share": round(float(problem.cost[list(rows)].sum() / problem.cost.sum()), 4),
        "crps": round(100 * float(np.mean(crps(draws, actual) / size)), 4),
        "bias": round(100 * float(np.mean(away / size)), 3),
        "r2": round(max(float(r2), -1.0), 4),
        "coverage_90": round(float(np.mean((low <= actual) & (actual <= high))), 3),
        "width_90": round(100 * float(np.mean((high - low) / size)), 3),
        "seconds": round(time.perf_counter() - clock, 1),
    }


def random_rows(problem: Problem, budget: float, seed: int) -> list[int]:
    """Runs in random order as far as the budget goes."""
    return _afforded(problem, np.random.default_rng(seed).permutation(problem.pool.n), budget)


def cheapest_rows(problem: Problem, budget: float) -> list[int]:
    """The cheapest runs."""
    return _afforded(problem, np.argsort(problem.cost, kind="stable"), budget)


def _afforded(problem: Problem, order: np.ndarray, budget: float) -> list[int]:
    rows: list[int] = []
    for i in map(int, order):
        if problem.cost[rows].sum() + problem.cost[i] <= budget:
            rows.append(i)
    return rows
