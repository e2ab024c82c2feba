"""The log-density of a model as a function of one flat unconstrained vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.build import Args, numpyro_model_of
from bayes_scaling.infer.bend import bends, straighten
from bayes_scaling.infer.density import (
    Model,
    Site,
    all_sites,
    draw_prior,
    log_joint,
    recentre,
    sites_of,
    split,
)
from bayes_scaling.kept_traces import UnnamedError, name_of
from bayes_scaling.spec import ModelSpec

OFFSET = "_offset"


class Target(NamedTuple):
    """A posterior in unconstrained coordinates ``z``, shape (dim,).

    ``potential(z, args)`` is minus the log joint density with the Jacobian; ``constrain(z, args)``
    gives every sampled and deterministic site; ``draw_prior(key, args)`` a draw from the prior;
    ``bent`` (dim,) marks the coordinates that ``args["bend"]``, if there, turns from logarithms to
    those of `bayes_scaling.infer.bend`;
    ``recentre(z, args, turns)`` the same point, given non-centred in the starting basis, in the
    basis (turned by ``turns[site]``) and centring that ``args`` hold; ``trace_name`` tells it from
    all other models' to `bayes_scaling.kept_traces`, and is empty where nothing can.
    """

    sites: tuple[Site, ...]
    bent: tuple[bool, ...]
    potential: Callable[[Array, Args], Array]
    constrain: Callable[[Array, Args], dict[str, Array]]
    draw_prior: Callable[[Array, Args], Array]
    recentre: Callable[[Array, Args, Mapping[str, Array]], Array]
    trace_name: str = ""

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
    return _target(spec, ByShape(args))


class ByShape:
    """Arguments hashed by their shapes, so that targets are shared between tables."""

    def __init__(self, args: Args) -> None:
        self.args, self.key = args, shapes_of(args)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByShape) and self.key == other.key


@lru_cache(maxsize=128)
def _target(spec: ModelSpec, frozen: ByShape) -> Target:
    model = numpyro_model_of(spec)
    target = target_of(model, frozen.args, spec.law.response, lambda site: bends(spec, site))
    return target._replace(trace_name=_trace_name(spec, frozen))


def _trace_name(spec: ModelSpec, frozen: ByShape) -> str:
    try:
        return f"{name_of(spec)} {frozen.key}"
    except UnnamedError:
        return ""


def target_of(
    model: Model, args: Args, response: str, bent_site: Callable[[str], bool] = lambda _: False
) -> Target:
    """The target of a NumPyro model for arguments of these shapes.

    ``response`` is the observed site; ``bent_site(name)`` tells whose coordinates are bent.
    """
    sites = sites_of(model, args)
    bent = tuple(bent_site(s.name) for s in sites for _ in range(s.stop - s.start))

    @partial(jax.jit, inline=True)  # traced once, however often programs hold it
    def joint(z: Array, args: Args) -> Array:
        return log_joint(model, sites, z, args)

    def unbend(z: Array, args: Args) -> tuple[Array, Array]:
        return straighten(z, args["bend"], bent) if "bend" in args else (z, jnp.zeros(()))

    def potential(z: Array, args: Args) -> Array:
        straight, turn = unbend(z, args)
        return -joint(straight, {k: v for k, v in args.items() if k != "bend"}) - turn

    def constrain(z: Array, args: Args) -> dict[str, Array]:
        values = split(sites, unbend(z, args)[0])
        found = all_sites(model, args, values)
        return {k: v for k, v in found.items() if k != response}

    draw, move = (partial(f, model, sites) for f in (draw_prior, recentre))
    return Target(sites, bent, potential, constrain, draw, move)


@lru_cache(maxsize=IN_MEMORY)
def compiled_constrain(target: Target) -> Any:
    """`Target.constrain` over draws (chain, draw, dim), jitted (cached)."""
    return jitted(jax.vmap(jax.vmap(target.constrain, in_axes=(0, None)), in_axes=(0, None)))
