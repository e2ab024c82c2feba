"""Between the centred and the non-centred form of families' deviations: how much of each.

With information ``i`` and pull ``g`` of the data, a deviation given the spread ``tau`` between
families has precision ``1 / tau^2 + i`` and mean ``g`` over that; it is sampled as its distance
from there. ``i = g = 0`` is the non-centred form, a large ``i`` the centred one. Gorinova, Moore
and Hoffman (2020, arXiv:1906.03028) learn such a degree by variational inference; here draws tell.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

DECADES = (-3.0, 7.0)  # of information, in units of one over the spread squared
PER_DECADE = 10


def given_spread(tau: Array, information: Array, pull: Array) -> tuple[Array, Array]:
    """Mean and sd of deviations on the link scale, given ``tau``; shapes broadcast."""
    shrink = 1.0 / (1.0 + information * tau**2)
    return pull * tau**2 * shrink, tau * jnp.sqrt(shrink)


def centring_of(away: Array, tau: Array) -> tuple[Array, Array]:
    """Information and pull (direction,) under which deviations are likeliest given the spreads.

    ``away`` (draw, direction) and ``tau`` (draw, 1) are draws of them. Given the information, the
    likeliest pull is known; the information is searched on a grid.
    """
    steps = jnp.linspace(*DECADES, int(PER_DECADE * (DECADES[1] - DECADES[0])) + 1)
    grid = 10.0**steps / jnp.median(tau) ** 2

    def pulled(information: Array) -> tuple[Array, Array]:
        precision = 1.0 / tau**2 + information
        return precision, jnp.mean(away, axis=0) / jnp.mean(1.0 / precision, axis=0)

    def loss(information: Array) -> Array:
        precision, pull = pulled(information)
        missed = precision * (away - pull / precision) ** 2
        return jnp.mean(missed - jnp.log(precision), axis=0)

    best = grid[jnp.argmin(jax.lax.map(loss, grid), axis=0)]
    return best, pulled(best)[1]
