"""The prior of a law's own error: what was learned of it on published tables."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
import pandas as pd

from bayes_scaling.stats.residual_process import HYPERS

FILE = "model_errors.csv"
LOGGED = ("size", "length", "noise", "run")
# Before any table: errors of 1 % that reach a decade and are larger for small runs; noise of 0.5 %.
MEDIANS = {"size": 0.01, "length": 1.0, "noise": 0.005, "noise_trend": 0.0, "size_trend": -0.3,
           "run": 0.005}  # fmt: skip
SDS = {"size": 1.0, "length": 0.5, "noise": 0.8, "noise_trend": 0.7, "size_trend": 0.5, "run": 1.0}
ALL = "all"
WORTH = 4.0  # tables that the guess above counts for


@lru_cache(maxsize=1)
def published_errors() -> pd.DataFrame:
    """Return the table: one row a published table, with its source and what was learned there."""
    text = files("bayes_scaling.data").joinpath(FILE)
    with text.open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#")


def hyperprior(leave_out: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Return mean and sd (hyper,) of the hyper-parameters' normal prior, in the order of `HYPERS`.

    The moments of the published tables, with the guess above counting for `WORTH` of them. Sizes,
    lengths and noises are on the log scale.

    Parameters
    ----------
    leave_out
        Source whose tables are left out; `ALL` leaves the guess.
    """
    table = published_errors()
    table = table[(table["source"] != leave_out) & (leave_out != ALL)]
    moments = [_moments(name, table[name].dropna().to_numpy(float)) for name in HYPERS]
    mean, sd = (np.array(column) for column in zip(*moments, strict=True))
    return mean, sd


def _moments(name: str, seen: np.ndarray) -> tuple[float, float]:
    guess = np.log(MEDIANS[name]) if name in LOGGED else MEDIANS[name]
    values = np.log(seen) if name in LOGGED else seen
    mean = (WORTH * guess + values.sum()) / (WORTH + len(values))
    spread = WORTH * (SDS[name] ** 2 + (guess - mean) ** 2) + ((values - mean) ** 2).sum()
    return float(mean), float(np.sqrt(spread / (WORTH + len(values))))
