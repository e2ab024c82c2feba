"""A simulated table with known parameters and one small fit of it, shared by several files."""

from functools import cache

import numpy as np
import pandas as pd

import bayes_scaling as bs

TRUTH = {"E": {"a": 1.7, "b": 1.9, "c": 2.1}, "A": 400.0, "B": 500.0, "alpha": 0.33, "beta": 0.31}
SIGMA = 0.004


def table(rows=12, seed=0):
    """Rows of three families on a grid of sizes and tokens, log-normal scatter."""
    rng = np.random.default_rng(seed)
    family = np.repeat(list("abc"), rows)
    N = 10 ** rng.uniform(7.5, 10, len(family))
    D = 10 ** rng.uniform(9.5, 11.5, len(family))
    mean = np.array([TRUTH["E"][f] for f in family])
    mean = mean + TRUTH["A"] * N ** -TRUTH["alpha"] + TRUTH["B"] * D ** -TRUTH["beta"]
    loss = mean * np.exp(SIGMA * rng.normal(size=len(family)))
    return pd.DataFrame({"params": N, "tokens": D, "loss": loss, "family": family})


@cache
def small_fit():
    """Two chains of 200 draws of Chinchilla's law on `table`."""
    runs = bs.read_runs(table(), group="family")
    return bs.fit(runs, "chinchilla", chains=2, draws=200, warmup=200, progress=False)
