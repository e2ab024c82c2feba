"""NumPyro's NUTS in whitened coordinates, all chains in one program, run in short chunks.

The functional kernel takes the data as arguments, so a second table of the same shape compiles
nothing; chunks let the caller show progress and stop between them.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from numpyro.infer.hmc import hmc

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.prepare import Prepared, compiled_from_whitened, whitened_potential
from bayes_scaling.infer.target import Target

CHUNK = 50


class Kernel(NamedTuple):
    """``init(keys, starts, prepared)`` and ``advance(states, prepared)`` over (chain,)."""

    init: Any
    advance: Any


def nuts_kernel(target: Target, settings: Settings, chunk: int = CHUNK) -> Kernel:
    """Return NUTS for one chain: pure, jit- and vmap-safe functions of the prepared geometry."""
    begin, step = hmc(potential_fn_gen=partial(whitened_potential, target), algo="NUTS")

    def init(key: Array, start: Array, prepared: Prepared) -> Any:
        return begin(
            start,
            settings.warmup,
            step_size=0.5,
            dense_mass=target.dim <= settings.dense_up_to,
            target_accept_prob=settings.target_accept,
            max_tree_depth=settings.max_tree_depth,
            model_args=(prepared,),
            rng_key=key,
        )

    def advance(state: Any, prepared: Prepared) -> Any:
        def one(state: Any, _: None) -> tuple[Any, dict[str, Array]]:
            state = step(state, (prepared,))
            return state, _collected(state)

        return jax.lax.scan(one, state, None, length=chunk)

    return Kernel(init, advance)


def _collected(state: Any) -> dict[str, Array]:
    return {
        "w": state.z,
        "diverging": state.diverging,
        "n_steps": state.num_steps,
        "acceptance_rate": state.accept_prob,
        "energy": state.energy,
        "potential_energy": state.potential_energy,
        "step_size": state.adapt_state.step_size,
    }


@lru_cache(maxsize=IN_MEMORY)
def compiled_nuts(target: Target, settings: Settings) -> Kernel:
    """The jitted kernel over chains (cached)."""
    kernel = nuts_kernel(target, settings)
    return Kernel(
        jitted(jax.vmap(kernel.init, in_axes=(0, 0, None))),
        jitted(jax.vmap(kernel.advance, in_axes=(0, None)), runs_long=True),
    )


def sample_nuts(
    target: Target, prepared: Prepared, settings: Settings, progress: Progress
) -> Draws:
    """Run the chains; ``progress(done, total, phase)`` is called after every chunk."""
    kernel = kernel_for(target, settings)
    keys = jax.random.split(jax.random.key(settings.seed + 1), settings.chains)
    states = kernel.init(keys, prepared.starts[: settings.chains], prepared)
    warm, keep = _chunks(settings.warmup), _chunks(settings.draws)
    kept = []
    for i in range(warm + keep):
        progress(i * CHUNK, (warm + keep) * CHUNK, "warm-up" if i < warm else "sampling")
        states, collected = kernel.advance(states, prepared)
        if i >= warm:
            kept.append(jax.tree.map(np.asarray, collected))
    progress((warm + keep) * CHUNK, (warm + keep) * CHUNK, "done")
    return _assemble(kept, target, prepared, settings)


def kernel_for(target: Target, settings: Settings) -> Kernel:
    """The compiled kernel that these settings share with all others of its kind."""
    return compiled_nuts(target, _compile_key(settings))


def _compile_key(settings: Settings) -> Settings:
    """The settings that the compiled program depends on, others at their defaults."""
    warmup = _chunks(settings.warmup) * CHUNK
    return Settings(
        warmup=warmup,
        target_accept=settings.target_accept,
        max_tree_depth=settings.max_tree_depth,
        dense_up_to=settings.dense_up_to,
    )


def _chunks(n: int) -> int:
    return max(1, -(-n // CHUNK))


def _assemble(
    kept: list[dict[str, np.ndarray]], target: Target, prepared: Prepared, settings: Settings
) -> Draws:
    stats = {k: np.concatenate([c[k] for c in kept], axis=1)[:, : settings.draws] for k in kept[0]}
    w = stats.pop("w")
    z = np.asarray(compiled_from_whitened(target)(prepared, w))
    stats["lp"] = -stats.pop("potential_energy")
    stats["tree_depth"] = np.ceil(np.log2(stats["n_steps"] + 1)).astype(int)
    stats["reached_max_treedepth"] = stats["tree_depth"] >= settings.max_tree_depth
    return Draws(z, stats)
