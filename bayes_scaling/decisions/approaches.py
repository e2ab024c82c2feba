"""Hoffmann's three approaches to the compute-optimal allocation, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DecisionError, Note
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.decisions.allocating import allocate
from bayes_scaling.decisions.asked import budgets_of, check_trades
from bayes_scaling.decisions.bands import (
    as_text,
    band_columns,
    band_texts,
    decimals,
    large,
    probs_of,
)
from bayes_scaling.decisions.hoffmann import FEWEST_BUDGETS, envelope, isoflops, parabolas
from bayes_scaling.fitting import fit as fit_law
from bayes_scaling.forecasting import checked_probs
from bayes_scaling.posterior import Fit
from bayes_scaling.scales import families_of
from bayes_scaling.spec import Law, get_law

ENVELOPE, ISOFLOP, PARAMETRIC = "envelope", "isoflop", "parametric"
COMMON = 0.95  # share of replicates that must give an answer, or it is told


@dataclass(frozen=True)
class Approaches:
    """Three answers to one question.

    Attributes
    ----------
    table
        One row for every family and approach: ``approach``, ``runs`` (that it rests on),
        ``budgets`` (isoFLOPs), then medians and bands of the exponents ``a`` (N* ~ C^a) and ``b``
        (D* ~ C^b), and of ``N``, ``D`` and ``M`` at the budget ``C``. Bands are those of a
        bootstrap over runs, or of the posterior.
    fit
        The posterior of the parametric approach.
    notes
        What to know before trusting it.
    """

    table: pd.DataFrame
    fit: Fit
    notes: tuple[Note, ...] = ()

    def texts(self) -> dict[str, list[str]]:
        """Return the columns of the table for people."""
        table, prob = self.table, probs_of(self.table, "a")[-1]
        columns = {c: list(table[c]) for c in ("family", "approach") if c in table}
        columns |= {c: [str(v) for v in table[c]] for c in ("runs", "budgets")}
        columns |= {c: band_texts(table, c, decimals(3), prob) for c in ("a", "b")}
        return columns | {c: band_texts(table, c, large, prob) for c in ("N", "D", "M")}

    def __str__(self) -> str:
        prob = probs_of(self.table, "a")[-1]
        title = f"N* ~ C^a, D* ~ C^b, and both at {large(self.table['C'].iloc[0])} FLOPs"
        return as_text(f"{title}; median [{prob} % band]", self.texts(), self.notes)

    __repr__ = __str__


def three_approaches(
    runs: Any,
    law: str | Law = "chinchilla",
    *,
    C: float | None = None,
    group: str | list[str] | None = None,
    fit: Fit | None = None,
    replicates: int = 1000,
    prob: float | Sequence[float] = 0.9,
    seed: int = 0,
) -> Approaches:
    """Return the allocation by Hoffmann's three approaches (2022, section 3), family by family.

    Parameters
    ----------
    runs
        Table of finished runs with N, C and the loss, as `fit` takes it.
    law
        Law of the third approach.
    C
        Budget in FLOPs at which N* and D* are told; by default ten times the largest of the runs.
    group
        Family column, as in `fit`.
    fit
        The posterior of the law on these runs, if there is one; it is fitted otherwise.
    replicates
        Bootstrap replicates of the first two approaches: runs drawn with replacement, for the
        second within each isoFLOP.
    prob
        Probabilities of the bands.

    Raises
    ------
    DecisionError
        When N, C or the loss is missing, there are fewer than two replicates, or the law trades no
        size for data.

    Notes
    -----
    Approach 1 takes the envelope of training curves; here, with finished runs only, the runs that
    no run of less compute beats. The isoFLOPs of approach 2 are found among the runs, a tenth of a
    decade wide.
    """
    table, probs = read_runs(runs, group=group), checked_probs(prob)
    if replicates < 2:
        raise DecisionError(f"replicates={replicates}: give two or more.")
    if missing := [n for n in ("N", "C") if n not in table.values]:
        raise DecisionError(f"the runs lack {missing[0]}: the approaches need N and C (or D).")
    check_trades(get_law(law) if fit is None else fit.spec.law)
    budget = float(budgets_of(10.0 * table.values["C"].max() if C is None else C)[0])
    posterior = fit if fit is not None else fit_law(table, law, progress=False)
    rng, rows, notes = np.random.default_rng(seed), [], []
    for family in dict.fromkeys(families_of(table)):
        part = table.subset(families_of(table) == family)
        name = {"family": family} if table.groups else {}
        for read in (_by_envelope, _by_isoflops):
            found, told = read(part, replicates, rng)
            rows.append(name | told | _columns(found, budget, probs))
            notes += _empty_notes(found, family, told["approach"])
        rows.append(name | _parametric(posterior, part, budget, probs))
    return Approaches(pd.DataFrame(rows), posterior, tuple(notes))


def _logs(runs: Runs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = runs.values
    return np.log(values["N"]), np.log(values["C"]), values[runs.response]


def _by_envelope(
    runs: Runs, replicates: int, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, Any]]:
    logs = _logs(runs)
    draws = rng.integers(runs.n, size=(replicates, runs.n))
    found = np.array([envelope(*(x[rows] for x in logs)) for rows in draws])
    return found, {"approach": ENVELOPE, "runs": runs.n, "budgets": 0}


def _by_isoflops(
    runs: Runs, replicates: int, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, Any]]:
    size, compute, loss = _logs(runs)
    groups = isoflops(compute, size)

    def again() -> list[np.ndarray]:
        return [rng.choice(rows, len(rows)) for rows in groups]

    found = np.array([parabolas(size, compute, loss, again()) for _ in range(replicates)])
    return found, {"approach": ISOFLOP, "runs": sum(map(len, groups)), "budgets": len(groups)}


def _columns(found: np.ndarray, budget: float, probs: Sequence[float]) -> dict[str, Any]:
    """Bands from lines (replicate, 2) of log N in log C."""
    size = found[:, 0] + found[:, 1] * np.log(budget)
    data = np.log(budget / 6.0) - size
    draws = {"a": found[:, 1], "b": 1.0 - found[:, 1], "N": np.exp(size), "D": np.exp(data)}
    draws["M"] = draws["D"] / draws["N"]
    columns: dict[str, Any] = {"C": budget}
    for name, values in draws.items():
        columns |= {k: v[0] for k, v in band_columns(name, values[:, None], probs).items()}
    return columns


def _parametric(fit: Fit, runs: Runs, budget: float, probs: Sequence[float]) -> dict[str, Any]:
    label = runs.labels[runs.groups[-1]][0] if runs.groups else None
    found = allocate(fit, budget, family=label, prob=probs).table.iloc[0]
    names = [c for c in found.index if c.split("_")[0] in ("C", "a", "b", "N", "D", "M")]
    told = {"approach": PARAMETRIC, "runs": runs.n, "budgets": 0}
    return told | {name: found[name] for name in names}


def _empty_notes(found: np.ndarray, family: str, approach: str) -> list[Note]:
    known = float(np.mean(~np.isnan(found[:, 1])))
    if known >= COMMON:
        return []
    return [
        Note(
            "no_answer",
            "warning",
            f"the {approach} approach gives no answer in {1 - known:.0%} of the replicates of "
            f"'{family}': it needs {FEWEST_BUDGETS} budgets whose least loss lies between their "
            "sizes. Its bands are of the others.",
        )
    ]
