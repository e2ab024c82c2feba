"""Make the tables that the pages use: simulated runs, whose constants are those written here.

Run as ``python docs/examples/make.py [FOLDER]``; without a folder the tables beside this file are
made anew. The same tables come out every time.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling import schedule, schedule_inputs

E = {"c4": 1.95, "refinedweb": 1.93, "redpajama": 1.82}
A = {"c4": 400.0, "refinedweb": 430.0, "redpajama": 380.0}
B, ALPHA, BETA = 500.0, 0.33, 0.31
SCATTER = 0.004  # sd of the log loss
ROWS = 12  # of each family
DIGITS = 5


def loss_of(family: str, N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Return Chinchilla's law of a family, shape as N and D."""
    return E[family] + A[family] * N**-ALPHA + B * D**-BETA


def runs() -> pd.DataFrame:
    """Return twelve runs of three families."""
    rng = np.random.default_rng(5)
    return pd.concat([_runs_of(family, rng) for family in E], ignore_index=True)


def _runs_of(family: str, rng: np.random.Generator) -> pd.DataFrame:
    N = np.round(10 ** rng.uniform(7.5, 9.8, ROWS), -5)
    D = np.round(10 ** rng.uniform(9.4, 11.3, ROWS), -7)
    loss = loss_of(family, N, D) * np.exp(SCATTER * rng.normal(size=ROWS))
    return pd.DataFrame({"params": N, "tokens": D, "loss": loss.round(4), "family": family})


def larger() -> pd.DataFrame:
    """Return one larger run of each family, to be forecast."""
    rng = np.random.default_rng(16)
    N, D = np.array([2e10]), np.array([4e11])
    rows = [
        (N[0], D[0], (loss_of(f, N, D) * np.exp(SCATTER * rng.normal()))[0].round(4), f) for f in E
    ]
    return pd.DataFrame(rows, columns=["params", "tokens", "loss", "family"])


def possible() -> pd.DataFrame:
    """Return runs that could be made next."""
    sizes, tokens = [1e8, 4e8, 1.6e9, 6.4e9], [5e9, 2e10, 8e10]
    rows = [(N, D, "c4") for N in sizes for D in tokens]
    return pd.DataFrame(rows, columns=["params", "tokens", "family"])


def ladder() -> pd.DataFrame:
    """Return small models with the loss and the accuracy of one task of 1,000 questions."""
    rng, rows, questions = np.random.default_rng(7), 24, 1000
    N = np.round(10 ** rng.uniform(8.0, 9.6, rows), -6)
    D = np.round(10 ** rng.uniform(9.6, 11.4, rows), -7)
    loss = (0.5 + 600.0 * N**-0.4 + 60.0 * D**-0.25) * np.exp(0.005 * rng.normal(size=rows))
    chance = 0.25 + 0.73 / (1 + np.exp(6.0 * (loss - 0.9)))
    accuracy = rng.binomial(questions, chance) / questions
    return pd.DataFrame(
        {
            "params": N,
            "tokens": D,
            "task_loss": loss.round(DIGITS),
            "accuracy": accuracy,
            "questions": questions,
        }
    )


def rates() -> pd.DataFrame:
    """Return runs at several learning rates; the best falls with the size."""
    rng = np.random.default_rng(8)
    N, lr = (each.ravel() for each in np.meshgrid([1e8, 4e8, 1.6e9], np.geomspace(2e-4, 1e-2, 8)))
    best = 1.5e-3 * (N / 4e8) ** -0.3
    loss = (2.0 + 250.0 * N**-0.3) * np.exp(0.02 * np.log(lr / best) ** 2)
    loss = loss * np.exp(0.002 * rng.normal(size=len(N)))
    return pd.DataFrame({"params": N, "lr": lr.round(6), "loss": loss.round(DIGITS)})


def mixtures() -> pd.DataFrame:
    """Return shares of three domains and the loss on two validation sets."""
    rng = np.random.default_rng(9)
    shares = rng.dirichlet(np.ones(3), 24).round(2)
    shares[:, 2] = (1 - shares[:, 0] - shares[:, 1]).round(2)
    web, code = shares @ [-2.0, 0.5, 1.5], shares @ [1.0, 1.2, -2.2]
    noise = np.exp(0.003 * rng.normal(size=(2, 24)))
    losses = (np.stack([2.2 + 0.3 * np.exp(web), 1.1 + 0.4 * np.exp(code)]) * noise).round(DIGITS)
    made = dict(zip(["web", "books", "code"], shares.T, strict=True))
    return pd.DataFrame({**made, "web_loss": losses[0], "code_loss": losses[1]})


KINDS = {"a": "cosine", "b": "linear", "c": "exponential"}
STEPS, PEAK, END = 4000, 1e-3, 1e-4


def schedules() -> pd.DataFrame:
    """Return the learning-rate schedules of three runs."""
    said = {"steps": STEPS, "peak": PEAK, "end": END, "warmup": 200}
    return pd.DataFrame([{"run": run, "kind": kind, **said} for run, kind in KINDS.items()])


def curves() -> pd.DataFrame:
    """Return the loss of those runs at twenty steps, by the law of Tissue et al. 2024."""
    rng, steps = np.random.default_rng(10), np.linspace(400, STEPS, 20).astype(int)
    made = []
    for run, kind in KINDS.items():
        rates = schedule(kind, steps=STEPS, peak=PEAK, end=END, warmup=200)
        sums = schedule_inputs(rates, steps, pieces=False)
        loss = 2.6 + 0.6 * sums["S1"] ** -0.4 - 80.0 * sums["S2"]
        loss = loss * np.exp(0.001 * rng.normal(size=len(steps)))
        made.append(pd.DataFrame({"run": run, "step": steps, "loss": loss.round(DIGITS)}))
    return pd.concat(made, ignore_index=True)


def scores() -> pd.DataFrame:
    """Return accuracies of six families' models on three benchmarks, a fifth of them unknown."""
    rng, n = np.random.default_rng(11), 24
    family, N = np.repeat([f"family {i}" for i in range(1, 7)], 4), 10 ** rng.uniform(8.5, 11, n)
    D = 10 ** rng.uniform(11, 13, n)
    skill = np.log10(N / 1e10) + 0.5 * np.log10(D / 1e12) + np.repeat(rng.normal(0, 0.5, 6), 4)
    table = pd.DataFrame({"model": [f"m{i}" for i in range(n)], "family": family,
                          "params": N.round(-6), "tokens": D.round(-9)})  # fmt: skip
    for name, floor, loading in (("mmlu", 0.25, 1.0), ("arc", 0.25, 1.3), ("gsm8k", 0.0, 1.8)):
        logit = loading * skill + 0.15 * rng.normal(size=n)
        score = floor + (1 - floor) / (1 + np.exp(-logit))
        table[name] = np.where(rng.uniform(size=n) < 0.2, np.nan, score.round(3))
    return table


TABLES = {
    "runs.csv": runs,
    "larger.csv": larger,
    "possible.csv": possible,
    "ladder.csv": ladder,
    "rates.csv": rates,
    "mixtures.csv": mixtures,
    "schedules.csv": schedules,
    "curves.csv": curves,
    "scores.csv": scores,
}

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, make in TABLES.items():
        make().to_csv(folder / name, index=False)
