"""Before sampling: modes, centring of the families, whitening, starting points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.build import Args
from bayes_scaling.infer.bend import bend_at, straighten
from bayes_scaling.infer.newton import Mode, find_mode
from bayes_scaling.infer.streams import at_once, over_points, tangents_at_once, thinned
from bayes_scaling.infer.target import OFFSET, Target
from bayes_scaling.kept_traces import in_programs, kept_program

CURVATURE_FLOOR = 0.05  # flatter directions are whitened as if the sd were 4.5
FLOOR = 1e-6
BLURS = (0.3, 0.05, 0.008, 0.0)  # noise added to the data while searching, in responses
GROUPS = 8  # starting points, one for each group of chains
SAME_MODE = 1.0  # sds apart, and
MODE_GAP = 8.0  # nats below the best, for a second mode to matter
CONVERGED = 1e-3  # Newton decrement
SAME_PATH = 0.01  # sds apart, of the most blurred data
CANDIDATES = 8  # starting points tried for a chain, before the mode
HIGH_PER_DIM, HIGH = 1.5, 10.0  # nats above the mode, of which draws are half a nat a dimension


@in_programs
class Prepared(NamedTuple):
    """The geometry that sampling runs in: ``z = mode + scale @ w`` with ``w`` near standard normal.

    ``args`` hold the chosen centring; ``starts`` (chain, dim) are starting points in ``w``;
    ``potentials`` (start,) and ``decrement`` (start,) describe the searches, ``modes`` (start,
    dim) where they ended and ``distances`` (start,) how far that is from the best in sds.
    """

    args: Args
    mode: Array
    scale: Array
    starts: Array
    potentials: Array
    decrement: Array
    modes: Array
    distances: Array


def prepare_fn(target: Target, n_starts: int, n_chains: int) -> Callable[..., Prepared]:
    """Return ``prepare(key, args, centring)``: pure, jit- and vmap-safe.

    ``centring`` is a number: below zero the degree of centring is chosen family by family from
    the data's information, otherwise it is used for all.
    """

    def prepare(key: Array, args: Args, centring: Array) -> Prepared:
        key_start, key_chain = jax.random.split(key)
        keys = jax.random.split(key_start, n_starts)
        starts = jax.vmap(lambda k: target.draw_prior(k, args))(keys)
        few = thinned(args)
        found = _found_from(target, starts, few)
        place = jnp.argmin(jnp.where(jnp.isfinite(found.potential), found.potential, jnp.inf))
        best, hessian = found.z[place], found.hessian[place]
        distances = jnp.linalg.norm((found.z - best) @ _root(hessian), axis=1)
        if few is not args:
            whole = _mode_from(target, best, args)
            best, hessian = whole.z, whole.hessian
        centred, turns = _adapt_groups(target, best, hessian, args, centring)
        factor = _inverse_root(hessian)
        unit, mode, scale = bend_at(*_move(target, best, factor, centred, turns), target.bent)
        centred = {**centred, "bend": unit}
        return Prepared(
            centred,
            mode,
            scale,
            dispersed_starts(target, key_chain, centred, mode, scale, n_chains),
            found.potential,
            found.decrement,
            found.z,
            distances,
        )

    return prepare


def other_modes(prepared: Prepared) -> int:
    """Number of searches that ended at another mode of similar height."""
    potentials, distances = np.asarray(prepared.potentials), np.asarray(prepared.distances)
    near = (potentials < np.nanmin(potentials) + MODE_GAP) & (distances > SAME_MODE)
    return int((near & (np.asarray(prepared.decrement) < CONVERGED)).sum())


@lru_cache(maxsize=IN_MEMORY)
def compiled_prepare(target: Target, n_starts: int, n_chains: int) -> Any:
    """The jitted `prepare_fn` (cached)."""
    return kept_program(
        "prepare", prepare_fn(target, n_starts, n_chains), target, n_starts, n_chains
    )


def _found_from(target: Target, starts: Array, args: Args) -> Mode:
    """Where the searches from ``starts`` (start, dim) end."""
    if at_once(args, target.dim) > 1:
        return over_points(lambda z: _sharpen(target, z, args), args, width=target.dim)(starts)
    return _in_turn(target, starts, args)


def _mode_from(target: Target, z: Array, args: Args) -> Mode:
    together = tangents_at_once(args)
    return find_mode(lambda v: target.potential(v, args), z, together=together)


def _sharpen(target: Target, z: Array, args: Args, blurs: tuple[float, ...] = BLURS) -> Mode:
    """Follow the mode from blurred data, whose log density is smooth, to the data as they are."""

    def stage(z: Array, blur: Array) -> tuple[Array, Mode]:
        found = _mode_from(target, z, {**args, "blur": blur})
        return found.z, found

    _, modes = jax.lax.scan(stage, z, jnp.asarray(blurs))
    return jax.tree.map(lambda leaf: leaf[-1], modes)


def _in_turn(target: Target, starts: Array, args: Args) -> Mode:
    """`_sharpen` from one start after another.

    A start that ends where an earlier one did on the most blurred data would follow the same path
    from there, and is given its end.
    """

    def follow(seen: tuple[Mode, Mode], xs: tuple[Array, Array]) -> tuple[tuple[Mode, Mode], None]:
        firsts, ends = seen
        place, start = xs
        first = _sharpen(target, start, args, BLURS[:1])
        apart = jax.vmap(lambda z: (z - first.z) @ first.hessian @ (z - first.z))(firsts.z)
        same = (apart < SAME_PATH**2) & (firsts.decrement < CONVERGED)
        same &= first.decrement < CONVERGED
        end = jax.lax.cond(
            same.any(),
            lambda: jax.tree.map(lambda leaf: leaf[jnp.argmax(same)], ends),
            lambda: _sharpen(target, first.z, args, BLURS[1:]),
        )
        kept = jax.tree.map(lambda old, new: old.at[place].set(new), seen, (first, end))
        return kept, None

    count, dim = starts.shape
    never = jnp.full(count, jnp.inf, starts.dtype)
    blank = Mode(starts, never, jnp.zeros((count, dim, dim), starts.dtype), never)
    (_, ends), _ = jax.lax.scan(follow, (blank, blank), (jnp.arange(count), starts))
    return ends


def whitened_potential(target: Target, prepared: Prepared) -> Callable[[Array], Array]:
    """The potential as a function of whitened coordinates (dim,)."""
    return lambda w: target.potential(prepared.mode + prepared.scale @ w, prepared.args)


def from_whitened(target: Target, prepared: Prepared, w: Array) -> Array:
    """NumPyro's own unconstrained coordinates of whitened draws (..., dim); see `plain_args`."""

    def one(w: Array) -> Array:
        z = prepared.mode + prepared.scale @ w
        return straighten(z, prepared.args["bend"], target.bent)[0]

    return jax.vmap(one)(w.reshape(-1, w.shape[-1])).reshape(w.shape)


@lru_cache(maxsize=IN_MEMORY)
def compiled_from_whitened(target: Target) -> Any:
    """`from_whitened`, jitted (cached): ``(prepared, w)``."""
    return jitted(partial(from_whitened, target))


def plain_args(prepared: Prepared) -> Args:
    """The prepared arguments for points in NumPyro's coordinates."""
    return {k: v for k, v in prepared.args.items() if k != "bend"}


def _eigen(hessian: Array) -> tuple[Array, Array]:
    values, vectors = jnp.linalg.eigh(jnp.nan_to_num(hessian))
    return jnp.maximum(jnp.abs(values), CURVATURE_FLOOR), vectors


def _inverse_root(hessian: Array) -> Array:
    values, vectors = _eigen(hessian)
    return vectors / jnp.sqrt(values)


def _root(hessian: Array) -> Array:
    values, vectors = _eigen(hessian)
    return vectors * jnp.sqrt(values)


def _adapt_groups(
    target: Target, mode: Array, hessian: Array, args: Args, asked: Array
) -> tuple[Args, dict[str, Array]]:
    """Choose each group's directions, and what the data say of them, at the mode.

    Given the spreads, a non-centred direction has posterior precision 1 + (what the data add); the
    directions are turned to where that matrix is diagonal.
    """
    covariance = jnp.linalg.inv(_without_spreads(target, hessian))
    values = target.constrain(mode, args)
    adapted: dict[str, dict[str, Array]] = {"basis": {}, "information": {}, "pull": {}}
    turns = {}
    for key, old in args["basis"].items():
        offsets, tau = offset_slice(target, key), values[f"tau_{key}"]
        block = covariance[offsets, offsets]
        variance, turn = jnp.linalg.eigh(0.5 * (block + block.T))
        precision = jnp.where(asked < 0, 1.0 / jnp.clip(variance, FLOOR, 1.0), asked / FLOOR + 1.0)
        adapted["basis"][key] = old @ turn
        adapted["information"][key] = (precision - 1.0) / tau**2
        adapted["pull"][key] = jnp.where(asked == 0, 0.0, turn.T @ mode[offsets] * precision / tau)
        turns[f"{key}{OFFSET}"] = turn
    return {**args, **adapted}, turns


def offset_slice(target: Target, key: str) -> slice:
    """Where a parameter's deviations are among the coordinates."""
    site = next(s for s in target.sites if s.name == f"{key}{OFFSET}")
    return slice(site.start, site.stop)


def _without_spreads(target: Target, hessian: Array) -> Array:
    """The Hessian's positive part given the between-group spreads."""
    values, vectors = _eigen(hessian)
    positive = (vectors * values) @ vectors.T
    spread = np.zeros(target.dim, bool)
    for site in target.sites:
        spread[site.start : site.stop] = site.name.startswith("tau_")
    return jnp.where(spread[:, None] | spread[None, :], jnp.diag(1.0 * spread), positive)


def _move(
    target: Target, z: Array, factor: Array, args: Args, turns: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Carry the mode and a root of its covariance into the chosen basis and centring."""
    if not turns:
        return z, factor
    jacobian = jax.jacfwd(target.recentre)(z, args, turns)
    return target.recentre(z, args, turns), jacobian @ factor


def dispersed_starts(
    target: Target, key: Array, args: Args, mode: Array, scale: Array, n_chains: int
) -> Array:
    """Dispersed starting points in whitened coordinates, shape (chain, dim).

    None so far up a wall that a step fit for the posterior cannot leave it: the first candidate
    below a height, of which the last is the mode.
    """
    tries = jax.random.normal(key, (n_chains, CANDIDATES, target.dim), mode.dtype)
    tries = tries * jnp.linspace(1.5, 0.25, CANDIDATES)[:, None]
    tries = jnp.concatenate([tries, jnp.zeros_like(tries[:, :1])], axis=1)
    height = over_points(lambda w: target.potential(mode + scale @ w, args), args)
    heights = height(tries.reshape(-1, target.dim)).reshape(tries.shape[:2])
    low = heights <= heights[:, -1:] + HIGH_PER_DIM * target.dim + HIGH
    low = low.at[:, -1].set(True)
    return jnp.take_along_axis(tries, jnp.argmax(low, axis=1)[:, None, None], axis=1)[:, 0]
