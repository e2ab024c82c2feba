"""Point fits: Huber losses of many weighted tables, minimised together from many starts.

The search is the engine's Newton method and not L-BFGS: on a Huber loss far narrower than the
scatter L-BFGS stops short from most starts. A wide loss is minimised first and then narrowed, which
leads nearly every start to the same minimum.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpyro.distributions import biject_to

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.build import distribution
from bayes_scaling.families import link_of
from bayes_scaling.infer.newton import find_mode
from bayes_scaling.levels import log_shift, sampling_order, to_paper
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.spec import ModelSpec

NARROWING = (1000.0, 100.0, 30.0, 10.0, 5.0, 2.0, 1.0)  # times delta, one search after the other
STEPS = (60, 30, 30, 30, 30, 30, 250)  # of Newton's method in each, at most
TOLERANCE = 1e-6  # Newton decrement, of a loss whose mean over the runs is one
LEAST = 1e-18  # mean loss below which a curve goes through all runs
AT_ONCE = 64  # searches in step with each other, which wait for the slowest


class Table(NamedTuple):
    """The rows of one family: inputs ``x``, response ``y`` and ``mask`` (row,), padded; ``ref`` the
    rows' reference point, ``scale`` the typical size of the response."""

    x: Mapping[str, Any]
    y: Any
    mask: Any
    ref: Mapping[str, Any]
    scale: Any


class PointFit(NamedTuple):
    """Where a search ended: coordinates (dim,), summed loss, Newton decrement of the mean loss."""

    z: Any
    loss: Any
    decrement: Any


def free_names(spec: ModelSpec) -> tuple[str, ...]:
    """The parameters that are searched, in the order of the coordinates."""
    return tuple(p.name for p in sampling_order(spec.law) if not spec.prior(p.name).is_fixed)


def paper_values(spec: ModelSpec, z: Any, ref: Mapping[str, Any]) -> dict[str, Any]:
    """Return the paper's parameters at coordinates ``z`` (dim,).

    The coordinates are those that are sampled: the parameter or its level at the rows' reference
    point, on the link scale of its prior's support.
    """
    values: dict[str, Any] = {n: p.args[0] for n, p in spec.priors if p.is_fixed}
    for i, name in enumerate(free_names(spec)):
        values[name] = to_paper(spec.law, name, link_of(spec, name)(z[i]), values, ref)
    return {name: values[name] for name in spec.law.param_names}


def law_at(spec: ModelSpec, z: Any, table: Table) -> Any:
    """Return the law on every row, (row,)."""
    evaluate = with_fast_powers(lambda x, p: spec.law(*x, **p))
    return evaluate([table.x[n] for n in spec.law.inputs], paper_values(spec, z, table.ref))


def misses(spec: ModelSpec, z: Any, table: Table) -> Any:
    """Return response less law, (row,): of logarithms, or in multiples of the typical response."""
    law = law_at(spec, z, table)
    if spec.observation.on == "log":
        return jnp.log(table.y) - jnp.log(law)
    return (table.y - law) / table.scale


def huber(miss: Any, delta: Any) -> Any:
    """Return Huber's loss: half the square up to ``delta``, then straight on."""
    beyond = jnp.maximum(jnp.abs(miss) - delta, 0.0)
    return 0.5 * (miss**2 - beyond**2)


def draw_start(spec: ModelSpec, key: Array, table: Table) -> Array:
    """Return the coordinates (dim,) of a draw from the priors, from which to search."""
    values: dict[str, Any] = {n: p.args[0] for n, p in spec.priors if p.is_fixed}
    drawn = []
    names = free_names(spec)
    for name, k in zip(names, jax.random.split(key, len(names)), strict=True):
        shift = log_shift(spec.law, name, values, table.ref)
        prior = distribution(spec.prior(name), table.scale, shift)
        value = prior.sample(k)
        drawn.append(biject_to(prior.support).inv(value))
        values[name] = to_paper(spec.law, name, value, values, table.ref)
    return jnp.stack(drawn)


def search(spec: ModelSpec, z: Array, table: Table, weights: Array, delta: Array) -> PointFit:
    """Minimise the weighted loss from ``z``, narrowing it step by step to ``delta``."""

    def loss(z: Array, delta: Array) -> Array:
        return jnp.sum(weights * huber(misses(spec, z, table), delta))

    def stage(z: Array, how: tuple[Array, Array]) -> tuple[Array, PointFit]:
        factor, steps = how
        unit = jnp.maximum(loss(z, factor * delta) / jnp.sum(weights), LEAST)
        potential = lambda z: loss(z, factor * delta) / unit  # noqa: E731
        found = find_mode(potential, z, max_steps=steps, tol=TOLERANCE)
        return found.z, PointFit(found.z, found.potential * unit, found.decrement)

    _, ends = jax.lax.scan(stage, z, (jnp.asarray(NARROWING), jnp.asarray(STEPS)))
    return jax.tree.map(lambda leaf: leaf[-1], ends)


@lru_cache(maxsize=IN_MEMORY)
def compiled_starts(spec: ModelSpec) -> Any:
    """Return ``starts(keys, table)``: the coordinates (start, dim) of draws from the priors, as one
    jitted program (cached)."""
    return jitted(jax.vmap(lambda key, table: draw_start(spec, key, table), (0, None)))


@lru_cache(maxsize=IN_MEMORY)
def _compiled_search(spec: ModelSpec) -> Any:
    """`search` over `AT_ONCE` coordinates, tables and weights, jitted (cached)."""
    return jitted(jax.vmap(lambda *lane: search(spec, *lane), (0, 0, 0, None)), runs_long=True)


def search_all(
    spec: ModelSpec,
    z: np.ndarray,
    tables: Table,
    weights: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    delta: float,
) -> PointFit:
    """Minimise the loss from every ``z`` (search, dim); arrays of shape (search, ...) are returned.

    The leaves of ``tables`` have a leading axis of families, ``weights`` the shape (copy, family,
    row); ``places`` are the copy and the family of each search. All searches run through one
    compiled program, `AT_ONCE` at a time; the last piece is filled up with the last search.
    """
    program, count = _compiled_search(spec), len(z)
    filled = np.arange(-(-count // AT_ONCE) * AT_ONCE).clip(max=count - 1)
    found = []
    for some in filled.reshape(-1, AT_ONCE):
        copy, family = (place[some] for place in places)
        own = jax.tree.map(lambda leaf: leaf[family], tables)  # noqa: B023 - called at once
        found.append(program(z[some], own, weights[copy, family], delta))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *found)


def best_of(ends: PointFit, searches: int) -> PointFit:
    """Return the end of lowest loss among each ``searches`` that follow each other."""
    folded = jax.tree.map(lambda leaf: leaf.reshape(-1, searches, *leaf.shape[1:]), ends)
    loss = np.where(np.isfinite(folded.loss), folded.loss, np.inf)
    place = np.arange(len(loss)), loss.argmin(axis=1)
    return jax.tree.map(lambda leaf: leaf[place], folded)
