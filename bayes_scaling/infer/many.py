"""Independent posteriors of many tables of one shape as one batched program."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np

from bayes_scaling.build import Args
from bayes_scaling.infer.base import Progress, Settings
from bayes_scaling.infer.nuts import CHUNK, Kernel, nuts_kernel
from bayes_scaling.infer.prepare import Prepared, compiled_from_whitened, prepare_fn
from bayes_scaling.infer.target import Target


class ManyDraws(NamedTuple):
    """Draws ``z`` (table, chain, draw, dim), ``diverging`` and ``n_steps`` (table, chain, draw),
    and the prepared geometry, whose leaves lead with the table."""

    z: np.ndarray
    diverging: np.ndarray
    n_steps: np.ndarray
    prepared: Prepared


class _Programs(NamedTuple):
    prepare: Callable[..., Prepared]
    kernel: Kernel


@lru_cache(maxsize=32)
def _compiled(target: Target, settings: Settings) -> _Programs:
    prepare = prepare_fn(target, settings.n_starts, settings.chains)
    kernel = nuts_kernel(target, settings)
    init = jax.vmap(jax.vmap(kernel.init, in_axes=(0, 0, None)))

    def advance(states: Any, prepared: Prepared) -> Any:
        # One chain after another: in lock-step every chain would wait for the longest tree.
        def table(pair: Any) -> Any:
            return jax.lax.map(lambda state: kernel.advance(state, pair[1]), pair[0])

        return jax.lax.map(table, (states, prepared))

    return _Programs(
        jax.jit(jax.vmap(prepare, in_axes=(0, 0, None))), Kernel(jax.jit(init), jax.jit(advance))
    )


def sample_many(target: Target, args: Args, settings: Settings, progress: Progress) -> ManyDraws:
    """Sample every table; the leaves of ``args`` lead with the table axis."""
    tables = len(jax.tree.leaves(args)[0])
    programs = _compiled(target, settings)
    keys = jax.random.split(jax.random.key(settings.seed), tables)
    prepared = programs.prepare(keys, args, np.float64(settings.centring))
    chain_keys = jax.vmap(lambda k: jax.random.split(jax.random.fold_in(k, 1), settings.chains))
    states = programs.kernel.init(chain_keys(keys), prepared.starts, prepared)
    warm, keep = -(-settings.warmup // CHUNK), -(-settings.draws // CHUNK)
    kept: list[dict[str, Any]] = []
    for i in range(warm + keep):
        progress(i, warm + keep, "warm-up" if i < warm else "sampling")
        states, collected = programs.kernel.advance(states, prepared)
        if i >= warm:
            kept.append({k: np.asarray(collected[k]) for k in ("w", "diverging", "n_steps")})
    progress(warm + keep, warm + keep, "done")
    joined = {k: np.concatenate([c[k] for c in kept], axis=2) for k in kept[0]}
    z = jax.vmap(compiled_from_whitened(target))(prepared, joined["w"])
    return ManyDraws(np.asarray(z), joined["diverging"], joined["n_steps"], prepared)
