"""Does the posterior find the truth? Parameters drawn from the prior, data from the law, refitted.

The refits go the way that `fit` and `fit_many` go, so that their choice of sampler is judged too.

With the truth drawn from the prior, a 90 % interval holds it 90 % of the time exactly (Cook, Gelman
and Rubin 2006); the shortfall beyond Monte Carlo error is a fault of the sampler or the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_scaling._x64 import in_float64
from bayes_scaling.infer.batch import Result
from bayes_scaling.posterior import posterior_names
from bayes_scaling.simulation import Simulated, refit, simulate
from bayes_scaling.spec import Law


@dataclass(frozen=True)
class Recovery:
    """Truth and posterior of simulated tables.

    ``ranks`` (table, variable) are the share of posterior draws below the truth, uniform when all
    is right; ``samplers`` and ``doubts`` (table,) say how each posterior was got.
    """

    names: tuple[str, ...]
    ranks: np.ndarray
    samplers: tuple[str, ...]
    doubts: tuple[str, ...]

    def coverage(self, prob: float = 0.9) -> tuple[float, float]:
        """Share of truths inside the central interval, with its Monte Carlo standard error.

        Variables of one table are correlated, so the error comes from the scatter over tables.
        """
        inside = np.abs(self.ranks - 0.5) <= prob / 2
        by_table = inside.mean(axis=1)
        floor = np.sqrt(prob * (1 - prob) / inside.size)
        return float(by_table.mean()), float(max(by_table.std() / np.sqrt(len(by_table)), floor))


@in_float64
def recover(law: str | Law, *, tables: int = 32, seed: int = 0, **options: Any) -> Recovery:
    """Simulate ``tables`` tables from the prior and refit them all.

    ``options`` are those of `bayes_scaling.simulation.simulate`.
    """
    made = simulate(law, tables=tables, seed=seed, **options)
    return _score(made, refit(made, seed=seed))


def _score(made: Simulated, found: Sequence[Result]) -> Recovery:
    names, truth = posterior_names(made.spec), made.truth
    ranks = [[_rank(r.sites[name], truth[name][i]) for name in names] for i, r in enumerate(found)]
    labels = [name for name, rank in zip(names, ranks[0], strict=True) for _ in rank]
    samplers, doubts = zip(*[(result.sampler, result.doubt) for result in found], strict=True)
    joined = np.stack([np.concatenate(row) for row in ranks])
    return Recovery(tuple(labels), joined, samplers, doubts)


def _rank(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Share of draws (chain, draw, ...) below the truth (...), flat."""
    return np.atleast_1d((draws < truth).mean(axis=(0, 1))).ravel()
