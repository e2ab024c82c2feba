"""The geometry of a second try, learned from the draws of the first.

At the mode, where scatter and spread are small, the data can seem to know a family's deviation
hundreds of times better than they do over the posterior. A centring chosen from that is a funnel
where the spread between families is small: steps of no size are small enough for all of it. Draws,
even of chains that were refused for it, tell what the data say on average.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from bayes_scaling._compile_cache import IN_MEMORY
from bayes_scaling.build import Args
from bayes_scaling.centring import centring_of, given_spread
from bayes_scaling.infer.bend import bend
from bayes_scaling.infer.prepare import (
    GROUPS,
    Prepared,
    dispersed_starts,
    offset_slice,
    plain_args,
)
from bayes_scaling.infer.target import Target
from bayes_scaling.kept_traces import kept_program

JITTER = 1e-10  # of a variance
STREAM = 4  # of random numbers, for the new starting points


def relearned(target: Target, key: Array, prepared: Prepared, z: Array) -> Prepared:
    """The geometry that fits draws ``z`` (chain, draw, dim) in NumPyro's coordinates; pure.

    Centring by `centring_of`, whitening by the draws' covariance; starting points are dispersed
    anew. Where the draws give no finite geometry, the old one.
    """
    args, z = recentred(target, prepared, z.reshape(-1, target.dim))
    places = jax.vmap(lambda v: bend(v, args["bend"], target.bent))(z)
    mode = jnp.mean(places, axis=0)
    covariance = (places - mode).T @ (places - mode) / (len(places) - 1)
    scale = jnp.linalg.cholesky(covariance + JITTER * jnp.diag(jnp.diag(covariance)))
    starts = dispersed_starts(target, key, args, mode, scale, GROUPS)
    new = prepared._replace(args=args, mode=mode, scale=scale, starts=starts)
    usable = jnp.isfinite(scale).all() & jnp.isfinite(mode).all()
    return jax.tree.map(lambda learned, old: jnp.where(usable, learned, old), new, prepared)


def recentred(target: Target, prepared: Prepared, z: Array) -> tuple[Args, Array]:
    """The arguments with learned centring, and the draws ``z`` (draw, dim) in it."""
    old = plain_args(prepared)
    values = jax.vmap(lambda v: target.constrain(v, old))(z)
    adapted: dict[str, dict[str, Array]] = {"information": {}, "pull": {}}
    for key in old["basis"]:
        own, tau = offset_slice(target, key), values[f"tau_{key}"][:, None]
        mean, sd = given_spread(tau, old["information"][key], old["pull"][key])
        away = mean + sd * z[:, own]
        information, pull = centring_of(away, tau)
        mean, sd = given_spread(tau, information, pull)
        z = z.at[:, own].set((away - mean) / sd)
        adapted["information"][key], adapted["pull"][key] = information, pull
    return {**prepared.args, **adapted}, z


@lru_cache(maxsize=IN_MEMORY)
def compiled_relearned(target: Target) -> Any:
    """`relearned`, jitted (cached): ``(key, prepared, z)``."""
    return kept_program("relearned", partial(relearned, target), target)
