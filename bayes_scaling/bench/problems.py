"""The fixed problems: each one entry, Chinchilla's law on a table of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling._errors import SpecError, did_you_mean
from bayes_scaling.data.embedded import published_runs
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs


@dataclass(frozen=True)
class Problem:
    """A table and what it stands for; ``load`` takes the folder of data sets where it needs it."""

    name: str
    summary: str
    load: Callable[[Path], Runs]
    needs_data: bool = False


def simulated(families: int, rows: int, seed: int = 0) -> Runs:
    """Runs of Chinchilla's law with families that share exponents and 0.8 % of Student-t noise."""
    rng = np.random.default_rng(seed)
    n = families * rows
    family = np.repeat(np.arange(families), rows)
    N, D = 10 ** rng.uniform(7.5, 10.2, n), 10 ** rng.uniform(9.0, 11.7, n)
    E, A, B = (m * np.exp(0.08 * rng.normal(size=families)) for m in (1.7, 420.0, 1300.0))
    mean = E[family] + A[family] * N**-0.335 + B[family] * D**-0.345
    columns = {"N": N, "D": D, "L": mean * np.exp(0.008 * rng.standard_t(6, n))}
    if families == 1:
        return read_runs(columns)
    return read_runs({**columns, "family": [f"f{i:04d}" for i in family]}, group="family")


def _published(_: Path) -> Runs:
    return published_runs(families=["Cerebras-GPT", "Pythia"], embeddings=False, group=None)


def _chinchilla(data: Path) -> Runs:
    return read_runs(data / "chinchilla_epoch" / "chinchilla_epoch.csv")


def _gadre(data: Path) -> Runs:
    path = data / "gadre_overtraining" / "gadre_overtraining.csv"
    return read_runs(path, group="family", columns={"L": "loss_c4_val", "lr": None})


def _porian(data: Path) -> Runs:
    table = pd.read_csv(data / "porian_isoflop" / "porian_isoflop.csv")
    kept = table[table["role"] != "excluded"]
    return read_runs(kept, group="family_full", columns={"N": "params", "C": "flops"})


PROBLEMS = {
    entry.name: entry
    for entry in (
        Problem("published", "15 losses printed by two model families", _published),
        Problem("simulated", "245 simulated rows", lambda _: simulated(1, 245)),
        Problem("chinchilla", "Epoch's 245 points of Hoffmann et al.", _chinchilla, True),
        Problem("gadre", "three corpora of Gadre et al.", _gadre, True),
        Problem("porian", "the 15 procedures of Porian et al.", _porian, True),
        Problem("families", "100 simulated families of 15 rows", lambda _: simulated(100, 15)),
        Problem("million", "1,000,000 simulated rows", lambda _: simulated(1, 1_000_000)),
    )
}


def get_problem(name: str, data: Path | None) -> tuple[Problem, Runs]:
    """Return a problem and its table.

    Raises
    ------
    SpecError
        When there is no such problem, or its data are not there.
    """
    if name not in PROBLEMS:
        known = ", ".join(PROBLEMS)
        raise SpecError(f"unknown problem '{name}'.{did_you_mean(name, PROBLEMS)} Known: {known}.")
    found = PROBLEMS[name]
    if found.needs_data and data is None:
        raise SpecError(f"problem '{name}' is on real data: name their folder with --data.")
    return found, found.load(data or Path())
