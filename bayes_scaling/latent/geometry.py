"""Before sampling: the mode given the scales, the scales by moments, centring, whitening.

The joint mode is of no use: effects in their own units have infinite density at a spread of zero.
Scales are found as in an EM algorithm, with Laplace's covariance for what is not known of effects.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.build import Args
from bayes_scaling.infer.density import joined, split
from bayes_scaling.infer.newton import find_mode
from bayes_scaling.infer.prepare import Prepared
from bayes_scaling.infer.target import Target
from bayes_scaling.latent.model import FAMILY, FAMILY_SD, MODEL, MODEL_SD, NOISE, SCALES, mean_score
from bayes_scaling.latent.target import where_of

ROUNDS = 40
STEPS = 20  # of Newton's method a round
SETTLED = 0.01  # of a scale's logarithm, from one round to the next
CURVATURE_FLOOR = 0.05
SPREAD = 0.7  # of starting points, in sds
LEAST = 1e-4
LOG_SD = 0.7  # of the effects' scales a priori
EFFECTS_PRIOR, NOISE_PRIOR = 2.0, 4.0  # priors of scales, in effects and in scores
EFFECTS = {"family": FAMILY, "model": MODEL}
MEDIANS = {"family": FAMILY_SD[0], "model": MODEL_SD[0]}


def prepare(
    target: Target, noise: str, args: Args, first: dict[str, Any], chains: int, seed: int
) -> Prepared:
    """Return the geometry to sample in, from first values of the sites."""
    z, covariance = settle(target, noise, args, first)
    centred, z = _chosen(target, z, covariance, args)
    scale = _compiled_whitening(target)(z, centred)
    starts = SPREAD * jax.random.normal(jax.random.key(seed), (chains, target.dim))
    nothing = jnp.zeros(1)
    ready = {**centred, "bend": jnp.zeros(target.dim)}
    return Prepared(ready, z, scale, starts, nothing, nothing, z[None], nothing)


class _Settling(NamedTuple):
    """Where a search is: the next point, the last mode with its covariance, the scales' change."""

    onward: Array
    z: Array
    covariance: Array
    change: Array
    round: Array


def settle(target: Target, noise: str, args: Args, first: dict[str, Any]) -> tuple[Array, Array]:
    """The mode given the scales and their estimates, and the covariance there of all else."""
    z = joined(target.sites, {k: jnp.asarray(v) for k, v in first.items()})
    return _compiled_settle(target, noise)(z, args)


@lru_cache(maxsize=IN_MEMORY)
def _compiled_settle(target: Target, noise: str) -> Any:
    scales = where_of(target, *SCALES)

    def settle(z: Array, args: Args) -> tuple[Array, Array]:
        def unsettled(state: _Settling) -> Array:
            return (state.change > SETTLED) & (state.round < ROUNDS)

        def turn(state: _Settling) -> _Settling:
            mode = find_mode(
                lambda v: target.potential(jnp.where(scales, state.onward, v), args),
                state.onward,
                max_steps=STEPS,
            )
            z = jnp.where(scales, state.onward, mode.z)
            covariance = _covariance(mode.hessian, scales)
            onward = _rescaled(target, noise, z, covariance, args)
            change = jnp.max(jnp.abs(onward - z))
            return _Settling(onward, z, covariance, change, state.round + 1)

        never = jnp.asarray(jnp.inf)
        first = _Settling(z, z, jnp.eye(target.dim), never, jnp.asarray(0))
        found = jax.lax.while_loop(unsettled, turn, first)
        return found.z, found.covariance

    return jitted(settle)


def _covariance(hessian: Array, scales: np.ndarray) -> Array:
    """Laplace's covariance of what is no scale, zero for scales."""
    whole = jnp.where(scales[:, None] | scales, jnp.diag(1.0 * scales), hessian)
    values, vectors = jnp.linalg.eigh(whole)
    found = (vectors / jnp.maximum(jnp.abs(values), CURVATURE_FLOOR)) @ vectors.T
    return jnp.where(scales[:, None] | scales, 0.0, found)


def _rescaled(target: Target, noise: str, z: Array, covariance: Array, args: Args) -> Array:
    """The point with its scales at the posterior's second moments."""
    parts, variance = split(target.sites, z), split(target.sites, jnp.diag(covariance))
    for kind, site in EFFECTS.items():
        square = jnp.sum(parts[site] ** 2 + variance[site], axis=0)
        prior = EFFECTS_PRIOR * MEDIANS[kind] ** 2
        count = variance[site].shape[0] + EFFECTS_PRIOR
        parts[f"{kind}_sd"] = 0.5 * jnp.log((square + prior) / count)
    parts["sigma"] = 0.5 * jnp.log(_noise_square(target, noise, z, covariance, args))
    return joined(target.sites, parts)


def _noise_square(target: Target, noise: str, z: Array, covariance: Array, args: Args) -> Array:
    """The square of the noise's scale that scatter and uncertain means add up to, (benchmark,)."""

    def means(z: Array) -> Array:
        found = target.constrain(z, args)
        logit = found["offset"] + found["model_skill"] @ found["loading"].T
        return mean_score(args, logit).ravel()[args["seen"]]

    mean, slopes = means(z), jax.jacfwd(means)(z)
    share = args["score"] / args["trials"] if noise == "beta_binomial" else args["score"]
    square = (share - mean) ** 2 + jnp.sum((slopes @ covariance) * slopes, axis=1)
    n = args["chance"].shape[0]
    column = args["seen"] % n
    counts = jnp.zeros(n).at[column].add(1.0)

    def average(values: Array) -> Array:
        return jnp.zeros(n).at[column].add(values) / counts

    def steadied(found: Array) -> Array:
        return (counts * found + NOISE_PRIOR * NOISE[noise][0] ** 2) / (counts + NOISE_PRIOR)

    if noise == "normal":
        return steadied(average(square))
    ratio = average(square / (mean * (1 - mean)))
    items = average(args["trials"])
    if noise == "beta_binomial":
        ratio = (items * ratio - 1) / jnp.maximum(items - 1, 1)
    ratio = jnp.clip(ratio, LEAST, 0.5)
    return steadied(ratio / (1 - ratio))


def _chosen(target: Target, z: Array, covariance: Array, args: Args) -> tuple[Args, Array]:
    """Arguments with every effect as centred as the data are telling, and the point in these."""
    parts, variance = split(target.sites, z), split(target.sites, jnp.diag(covariance))
    centred = dict(args)
    for kind, site in EFFECTS.items():
        sd = jnp.exp(parts[f"{kind}_sd"])
        degree = jnp.clip(1 - variance[site] / sd**2, 0.0, 1.0)
        centred[f"{kind}_centred"] = degree
        parts[site] = parts[site] * sd ** (degree - 1)
    return centred, joined(target.sites, parts)


@lru_cache(maxsize=IN_MEMORY)
def _compiled_whitening(target: Target) -> Any:
    """A root (dim, dim) of the covariance at a point: scales apart from all else."""
    scales = where_of(target, *SCALES)

    def whitening(z: Array, args: Args) -> Array:
        hessian = jax.hessian(target.potential)(z, args)
        own = jnp.clip(jnp.diag(hessian), 1 / LOG_SD**2, None)
        whole = jnp.where(scales[:, None] | scales, jnp.diag(jnp.where(scales, own, 0.0)), hessian)
        values, vectors = jnp.linalg.eigh(whole)
        return vectors / jnp.sqrt(jnp.maximum(jnp.abs(values), CURVATURE_FLOOR))

    return jitted(whitening)
