"""Independent posteriors of many tables of one shape, a batch of tables in one program.

The tables of a batch go through the same steps as one fit, one after another inside the program, so
that none waits for the longest search or trajectory of the others; batches run beside each other on
threads, one a core.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling.build import Args
from bayes_scaling.infer.approximate import at_mode, pool_size, resampled, weigh
from bayes_scaling.infer.auto import CHECKS
from bayes_scaling.infer.base import Draws, Settings
from bayes_scaling.infer.ensemble import ROUND, advance, begin
from bayes_scaling.infer.prepare import GROUPS, Prepared, from_whitened, plain_args, prepare_fn
from bayes_scaling.infer.target import Target


class Result(NamedTuple):
    """One table's posterior: constrained sites (chain, draw, ...), and how it was got."""

    sites: dict[str, np.ndarray]
    sampler: str
    refused: str
    numbers: dict[str, float]


@lru_cache(maxsize=32)
def compiled_batch_prepare(target: Target, n_starts: int) -> Any:
    """``(keys, args) -> Prepared`` over tables (cached)."""
    prepare = prepare_fn(target, n_starts, GROUPS)
    return jax.jit(lambda keys, args: jax.lax.map(lambda x: prepare(*x, -1.0), (keys, args)))


@lru_cache(maxsize=32)
def compiled_batch_weigh(target: Target, draws: int) -> Any:
    """``(keys, prepared) -> Weighed`` over tables (cached)."""
    return jax.jit(
        lambda keys, prepared: jax.lax.map(
            lambda x: weigh(target, at_mode, draws, *x), (keys, prepared)
        )
    )


@lru_cache(maxsize=32)
def compiled_batch_chees(target: Target, settings: Settings) -> Any:
    """``(keys, prepared) -> kept`` over tables: the whole run of every ensemble (cached)."""
    warm, keep = (-(-n // ROUND) for n in (settings.warmup, settings.draws))
    rounds = jnp.arange(warm + keep)

    def run(key: Array, prepared: Prepared) -> dict[str, Array]:
        def one(state: Any, i: Array) -> Any:
            return advance(target, state, prepared, i < warm, i < warm - 1)

        _, kept = jax.lax.scan(one, begin(target, key, prepared, settings.chains), rounds)
        wanted = {k: kept[k][warm:] for k in ("w", "diverging", "acceptance_rate")}
        return {k: v.reshape(keep * ROUND, *v.shape[2:]).swapaxes(0, 1) for k, v in wanted.items()}

    return jax.jit(lambda keys, prepared: jax.lax.map(lambda x: run(*x), (keys, prepared)))


@lru_cache(maxsize=32)
def compiled_batch_sites(target: Target) -> Any:
    """``(prepared, w) -> sites`` over tables, draws ``w`` (table, chain, draw, dim) (cached)."""

    def table(prepared: Prepared, w: Array) -> dict[str, Array]:
        args = plain_args(prepared)
        z = from_whitened(target, prepared, w)
        return jax.vmap(jax.vmap(lambda v: target.constrain(v, args)))(z)

    return jax.jit(lambda prepared, w: jax.lax.map(lambda x: table(*x), (prepared, w)))


def weighed_batch(
    target: Target, settings: Settings, seeds: np.ndarray, prepared: Prepared
) -> tuple[np.ndarray, list[Draws]]:
    """Importance-weighed draws of a batch: whitened (table, chain, draw, dim), and their worth."""
    keys = _keys(seeds, 1)
    found = compiled_batch_weigh(target, pool_size(settings))(keys, prepared)
    found = jax.tree.map(np.asarray, found)
    draws, w = [], []
    for i, seed in enumerate(seeds):
        picked, info = resampled(found.log_ratio[i], settings, int(seed))
        w.append(found.w[i][picked])
        draws.append(Draws(w[-1], {}, info))
    return np.stack(w), draws


def chees_batch(
    target: Target, settings: Settings, seeds: np.ndarray, prepared: Prepared
) -> tuple[np.ndarray, list[Draws]]:
    """Ensembles of a batch: whitened draws (table, chain, draw, dim), and their statistics."""
    kept = compiled_batch_chees(target, settings)(_keys(seeds, 2), prepared)
    kept = {k: np.asarray(v)[:, :, : settings.draws] for k, v in kept.items()}
    w = kept.pop("w")
    return w, [Draws(x, {k: v[i] for k, v in kept.items()}) for i, x in enumerate(w)]


BATCHES = {"laplace": weighed_batch, "chees": chees_batch}


def sample_batch(
    target: Target, settings: Settings, seeds: np.ndarray, prepared: Prepared
) -> list[Result]:
    """Sample a batch by ``settings.sampler`` and check every table's draws."""
    w, draws = BATCHES[settings.sampler](target, settings, seeds, prepared)
    sites = compiled_batch_sites(target)(prepared, w)
    sites = {k: np.asarray(v) for k, v in sites.items()}
    results = []
    for i, found in enumerate(draws):
        refused, numbers = CHECKS[settings.sampler](found)
        own = {k: v[i] for k, v in sites.items()}
        results.append(Result(own, settings.sampler, refused, numbers))
    return results


def prepare_batch(target: Target, settings: Settings, seeds: np.ndarray, args: Args) -> Prepared:
    """The geometry of every table of a batch; the leaves of ``args`` lead with the table."""
    return compiled_batch_prepare(target, settings.n_starts)(_keys(seeds, 0), args)


def _keys(seeds: np.ndarray, stream: int) -> Array:
    return jax.vmap(lambda s: jax.random.fold_in(jax.random.key(s), stream))(jnp.asarray(seeds))
