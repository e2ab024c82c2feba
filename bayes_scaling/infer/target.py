"""The log-density of a model as a function of one flat unconstrained vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer.util import constrain_fn, potential_energy

from bayes_scaling.build import Args, numpyro_model_of
from bayes_scaling.infer.bend import bends, straighten
from bayes_scaling.spec import ModelSpec

OFFSET = "_offset"


class Site(NamedTuple):
    """One sampled site: its name, its unconstrained shape and its place in the flat vector."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int


class Target(NamedTuple):
    """A posterior in unconstrained coordinates ``z``, shape (dim,).

    ``potential(z, args)`` is minus the log joint density with the Jacobian; ``constrain(z, args)``
    gives every sampled and deterministic site; ``draw_prior(key, args)`` a draw from the prior;
    ``bent`` (dim,) marks the coordinates that ``args["bend"]``, if there, turns from logarithms to
    those of `bayes_scaling.infer.bend`;
    ``recentre(z, args, turns)`` the same point, given non-centred in the starting basis, in the
    basis (turned by ``turns[site]``) and centring that ``args`` hold.
    """

    sites: tuple[Site, ...]
    bent: tuple[bool, ...]
    potential: Callable[[Array, Args], Array]
    constrain: Callable[[Array, Args], dict[str, Array]]
    draw_prior: Callable[[Array, Args], Array]
    recentre: Callable[[Array, Args, Mapping[str, Array]], Array]

    @property
    def dim(self) -> int:
        """Number of unconstrained coordinates."""
        return self.sites[-1].stop

    def names(self) -> list[str]:
        """A name for every coordinate, such as ``E_offset[2]``."""
        return [
            site.name + (f"[{i}]" if site.shape else "")
            for site in self.sites
            for i in range(site.stop - site.start)
        ]


def shapes_of(args: Args) -> tuple:
    """A hashable description of the shapes in ``args``: what a compiled program depends on."""
    leaves, tree = jax.tree.flatten(args)
    return tree, tuple((np.shape(x), np.result_type(x).str) for x in leaves)


def make_target(spec: ModelSpec, args: Args) -> Target:
    """Return the target of a spec for arguments of these shapes (cached)."""
    return _target(spec, _ByShape(args))


class _ByShape:
    """Arguments hashed by their shapes, so that targets are shared between tables."""

    def __init__(self, args: Args) -> None:
        self.args, self.key = args, shapes_of(args)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByShape) and self.key == other.key


@lru_cache(maxsize=128)
def _target(spec: ModelSpec, frozen: _ByShape) -> Target:
    model = numpyro_model_of(spec)
    sites = _sites(model, frozen.args)

    bent = tuple(bends(spec, s.name) for s in sites for _ in range(s.stop - s.start))

    def unflatten(z: Array, args: Args) -> tuple[dict[str, Array], Array]:
        turn = jnp.zeros(())
        if "bend" in args:
            z, turn = straighten(z, args["bend"], bent)
        return {s.name: z[s.start : s.stop].reshape(s.shape) for s in sites}, turn

    def potential(z: Array, args: Args) -> Array:
        values, turn = unflatten(z, args)
        return jnp.asarray(potential_energy(model, (args,), {}, values)) - turn

    def constrain(z: Array, args: Args) -> dict[str, Array]:
        values, _ = unflatten(z, args)
        found = constrain_fn(model, (args,), {}, values, return_deterministic=True)
        return {k: v for k, v in found.items() if k != spec.law.response}

    def draw_prior(key: Array, args: Args) -> Array:
        trace = _latent(handlers.trace(handlers.seed(model, key)).get_trace(args))
        return _flat(trace)

    def recentre(z: Array, args: Args, turns: Mapping[str, Array]) -> Array:
        values, _ = unflatten(z, args)

        def place(site: dict[str, Any]) -> Array | None:
            if site["type"] != "sample" or site["name"] not in values:
                return None
            value, fn = values[site["name"]], site["fn"]
            if site["name"] in turns:
                spread = fn.base_dist
                return spread.loc + spread.scale * (turns[site["name"]].T @ value)
            return biject_to(fn.support)(value)

        seeded = handlers.seed(handlers.substitute(model, substitute_fn=place), 0)
        return _flat(_latent(handlers.trace(seeded).get_trace(args)))

    return Target(sites, bent, potential, constrain, draw_prior, recentre)


@lru_cache(maxsize=64)
def compiled_constrain(target: Target) -> Any:
    """`Target.constrain` over draws (chain, draw, dim), jitted (cached)."""
    return jax.jit(jax.vmap(jax.vmap(target.constrain, in_axes=(0, None)), in_axes=(0, None)))


def _flat(trace: Mapping[str, Any]) -> Array:
    parts = [biject_to(s["fn"].support).inv(s["value"]).reshape(-1) for s in trace.values()]
    return jnp.concatenate(parts)


def _latent(trace: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: site
        for name, site in trace.items()
        if site["type"] == "sample" and not site["is_observed"]
    }


def _sites(model: Callable[[Args], None], args: Args) -> tuple[Site, ...]:
    shapes: dict[str, tuple[int, ...]] = {}

    def probe() -> int:
        trace = handlers.trace(handlers.seed(model, jax.random.key(0))).get_trace(args)
        for name, site in _latent(trace).items():
            shapes[name] = jnp.shape(biject_to(site["fn"].support).inv(site["value"]))
        return 0

    jax.eval_shape(probe)
    sites, start = [], 0
    for name, shape in shapes.items():
        stop = start + int(np.prod(shape, dtype=int))
        sites.append(Site(name, shape, start, stop))
        start = stop
    return tuple(sites)
