"""Does the posterior find the truth? Parameters drawn from the prior, data from the law, refitted.

The refits go the way that `fit` and `fit_many` go, so that their choice of sampler is judged too.

With the truth drawn from the prior, a 90 % interval holds it 90 % of the time exactly (Cook, Gelman
and Rubin 2006); the shortfall beyond Monte Carlo error is a fault of the sampler or the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
import pandas as pd
from numpyro import handlers

from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import make_args
from bayes_scaling.build import Args, numpyro_model_of
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.infer.batch import BATCH, Result, posteriors
from bayes_scaling.infer.target import Target, make_target
from bayes_scaling.posterior import posterior_names
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec, get_law

SCALE = 2.5  # stands for the typical response, which data-relative priors are multiples of


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


def design(law: Law, *, families: int = 3, rows: int = 14, nested: bool = False) -> Runs:
    """Return a table of inputs to simulate on: ``rows`` per family, spread over the law's range."""
    n = families * rows
    place = {name: _spread_inputs(law, name, i, n) for i, name in enumerate(law.inputs)}
    family = np.asarray([f"f{i % families}" for i in range(n)])
    table: dict[str, Any] = {**place, "Y_": np.full(n, SCALE), "family": family}
    groups = ["family"]
    if nested:
        table["lab"] = np.asarray([f"lab{(i % families) // 2}" for i in range(n)])
        groups = ["lab", "family"]
    response = law.response or "L"
    columns = {**{name: name for name in law.inputs}, response: "Y_"}
    units = dict.fromkeys(columns, 1.0)
    return read_runs(
        pd.DataFrame(table), group=groups, columns=columns, response=response, units=units
    )


def _spread_inputs(law: Law, name: str, i: int, n: int) -> np.ndarray:
    """Two to three decades about the reference, by a golden-ratio sequence for each input."""
    centre = dict(law.reference).get(name, 1e9)
    place = (np.arange(n) * (0.6180339887, 0.7548776662, 0.5698402910)[i % 3] + 0.5) % 1.0
    return centre * 10.0 ** (3.0 * (place - 0.5))


@in_float64
def recover(
    law: str | Law,
    *,
    tables: int = 32,
    families: int = 3,
    rows: int = 14,
    nested: bool = False,
    seed: int = 0,
    known_se: bool = False,
    **options: Any,
) -> Recovery:
    """Simulate ``tables`` tables from the prior and refit them all.

    ``options`` are those of `fit` (pool, priors, noise, noise_by_family, noise_trend).
    """
    chosen = get_law(law)
    runs = design(chosen, families=families, rows=rows, nested=nested)
    if known_se:
        runs = replace(runs, se=np.full(runs.n, 0.01 * SCALE))
    spec = resolve(runs, chosen, **options)
    base = {**make_args(runs, spec), "scale": np.float64(SCALE)}
    target = make_target(spec, base)
    base["scale"] = _typical_response(spec, target, base)
    truth, args = _simulate(spec, target, base, tables, seed)
    found: list[Result] = []
    for start in range(0, tables, BATCH):
        part = range(start, min(start + BATCH, tables))
        found += posteriors(target, seed + np.asarray(part), [args[i] for i in part])
    return _score(spec, found, truth)


def _typical_response(spec: ModelSpec, target: Target, base: Args) -> float:
    """Median response over the prior, the unit of noise on the raw scale."""
    _, args = _simulate(spec, target, base, 64, seed=0)
    return np.float64(np.median([np.abs(a["y"]) for a in args]))


def _simulate(
    spec: ModelSpec, target: Target, base: Args, tables: int, seed: int
) -> tuple[dict[str, np.ndarray], Sequence[Args]]:
    keys = jax.random.split(jax.random.key(seed + 99), tables)
    model = numpyro_model_of(spec)
    blank = {k: v for k, v in base.items() if k != "y"}

    def one(key: Any) -> tuple[dict[str, Any], Any]:
        first, second = jax.random.split(key)
        z = target.draw_prior(first, base)
        sites = target.constrain(z, base)
        seeded = handlers.seed(handlers.substitute(model, data=sites), second)
        trace = handlers.trace(seeded).get_trace(blank)
        return sites, trace[spec.law.response]["value"]

    sites, y = jax.jit(jax.vmap(one))(keys)
    args = [{**blank, "y": row} for row in np.asarray(y)]
    return {k: np.asarray(v) for k, v in sites.items()}, args


def _score(spec: ModelSpec, found: Sequence[Result], truth: Mapping[str, np.ndarray]) -> Recovery:
    names = posterior_names(spec)
    ranks = [[_rank(r.sites[name], truth[name][i]) for name in names] for i, r in enumerate(found)]
    labels = [name for name, rank in zip(names, ranks[0], strict=True) for _ in rank]
    samplers, doubts = zip(*[(result.sampler, result.doubt) for result in found], strict=True)
    joined = np.stack([np.concatenate(row) for row in ranks])
    return Recovery(tuple(labels), joined, samplers, doubts)


def _rank(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Share of draws (chain, draw, ...) below the truth (...), flat."""
    return np.atleast_1d((draws < truth).mean(axis=(0, 1))).ravel()
