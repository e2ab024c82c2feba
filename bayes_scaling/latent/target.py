"""The joint model as one flat density, with the maps to its values."""

from __future__ import annotations

from functools import lru_cache, partial

import jax
import numpy as np
from jax import Array

from bayes_scaling.build import Args
from bayes_scaling.infer.density import (
    all_sites,
    draw_prior,
    log_joint,
    recentre,
    sites_of,
    split,
)
from bayes_scaling.infer.target import ByShape, Target
from bayes_scaling.latent.model import skills_model


def make_target(noise: str, args: Args) -> Target:
    """Return the target for arguments of these shapes (cached)."""
    return _target(noise, ByShape(args))


@lru_cache(maxsize=32)
def _target(noise: str, frozen: ByShape) -> Target:
    model = skills_model(noise)
    sites = sites_of(model, frozen.args)

    @partial(jax.jit, inline=True)
    def potential(z: Array, args: Args) -> Array:
        return -log_joint(model, sites, z, {k: v for k, v in args.items() if k != "bend"})

    def constrain(z: Array, args: Args) -> dict[str, Array]:
        found = all_sites(model, args, split(sites, z))
        return {k: v for k, v in found.items() if k != "score"}

    draw, move = (partial(f, model, sites) for f in (draw_prior, recentre))
    return Target(sites, (False,) * sites[-1].stop, potential, constrain, draw, move)


def where_of(target: Target, *names: str) -> np.ndarray:
    """A mask (dim,) of the coordinates of these sites."""
    parts = [np.full(s.stop - s.start, s.name in names) for s in target.sites]
    return np.concatenate(parts)
