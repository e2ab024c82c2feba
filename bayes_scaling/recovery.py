"""Does the posterior find the truth? Parameters drawn from the prior, data from the law, refitted.

With the truth drawn from the prior, a 90 % interval holds it 90 % of the time exactly (Cook, Gelman
and Rubin 2006); the shortfall beyond Monte Carlo error is a fault of the sampler or the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpyro import handlers

from bayes_scaling._progress import no_progress
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import make_args
from bayes_scaling.build import Args, numpyro_model_of
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.infer.base import Settings
from bayes_scaling.infer.many import sample_many
from bayes_scaling.infer.prepare import plain_args
from bayes_scaling.infer.target import Target, make_target
from bayes_scaling.posterior import posterior_names
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec

SCALE = 2.5  # stands for the typical response, which data-relative priors are multiples of


@dataclass(frozen=True)
class Recovery:
    """Truth and posterior of simulated tables.

    ``ranks`` (table, variable) are the share of posterior draws below the truth, uniform when all
    is right; ``ess`` and ``rhat`` (table, variable); ``divergences`` (table,).
    """

    names: tuple[str, ...]
    ranks: np.ndarray
    rhat: np.ndarray
    divergences: np.ndarray

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
    settings: Settings | None = None,
    known_se: bool = False,
    **options: Any,
) -> Recovery:
    """Simulate ``tables`` tables from the prior and refit them all in one batch.

    ``options`` are those of `fit` (pool, priors, noise, noise_by_family, noise_trend).
    """
    from dataclasses import replace

    from bayes_scaling.spec import get_law

    chosen = get_law(law)
    runs = design(chosen, families=families, rows=rows, nested=nested)
    if known_se:
        runs = replace(runs, se=np.full(runs.n, 0.01 * SCALE))
    spec = resolve(runs, chosen, **options)
    settings = settings or Settings(chains=2, draws=300, warmup=300, n_starts=4)
    base = {**make_args(runs, spec), "scale": SCALE}
    target = make_target(spec, base)
    base["scale"] = _typical_response(spec, target, base)
    truth, args = _simulate(spec, target, base, tables, settings.seed)
    drawn = sample_many(target, args, settings, no_progress)
    return _score(spec, target, drawn, truth)


def _typical_response(spec: ModelSpec, target: Target, base: Args) -> float:
    """Median response over the prior, the unit of noise on the raw scale."""
    _, args = _simulate(spec, target, base, 64, seed=0)
    return float(np.median(np.abs(args["y"])))


def _simulate(
    spec: ModelSpec, target: Target, base: Args, tables: int, seed: int
) -> tuple[dict[str, np.ndarray], Args]:
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
    batch = jax.tree.map(lambda v: jnp.broadcast_to(jnp.asarray(v), (tables, *np.shape(v))), blank)
    return {k: np.asarray(v) for k, v in sites.items()}, {**batch, "y": np.asarray(y)}


def _score(
    spec: ModelSpec, target: Target, drawn: Any, truth: Mapping[str, np.ndarray]
) -> Recovery:
    over = jax.vmap(jax.vmap(target.constrain, in_axes=(0, None)), in_axes=(0, None))
    sites = jax.jit(jax.vmap(over))(drawn.z, plain_args(drawn.prepared))
    names = posterior_names(spec)
    ranks, rhats, labels = [], [], []
    for name in names:
        draws, true = np.asarray(sites[name]), truth[name]
        draws = draws.reshape(*draws.shape[:3], -1)
        below = (draws < true.reshape(len(true), 1, 1, -1)).mean(axis=(1, 2))
        ranks.append(below)
        rhats.append(_rhat(draws))
        labels += [name] * below.shape[1]
    return Recovery(
        tuple(labels),
        np.concatenate(ranks, axis=1),
        np.concatenate(rhats, axis=1),
        drawn.diverging.sum(axis=(1, 2)),
    )


def _rhat(draws: np.ndarray) -> np.ndarray:
    """Split R-hat (table, variable) of draws (table, chain, draw, variable)."""
    half = draws.shape[2] // 2
    split = np.concatenate([draws[:, :, :half], draws[:, :, half : 2 * half]], axis=1)
    within = split.var(axis=2, ddof=1).mean(axis=1)
    between = split.mean(axis=2).var(axis=1, ddof=1)
    return np.sqrt((half - 1) / half + between / np.maximum(within, 1e-300))


def recovery_table(cells: Sequence[tuple[str, Recovery]], prob: float = 0.9) -> pd.DataFrame:
    """One row a cell: coverage with its error, worst R-hat, divergences."""
    rows = []
    for label, found in cells:
        share, error = found.coverage(prob)
        rows.append(
            {
                "cell": label,
                "coverage": share,
                "mcse": error,
                "z": (share - prob) / error,
                "rhat_q99": float(np.quantile(found.rhat, 0.99)),
                "divergences": int(found.divergences.sum()),
            }
        )
    return pd.DataFrame(rows)
