"""The map from coordinates in which the posterior is near standard normal to the model's.

Affine at the mode, except that directions the data determine widen with the noise: with few runs
``sigma`` is open to a factor of two or three, and what the runs say of everything else with it.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array


class Whitening(NamedTuple):
    """``mode`` (dim,), ``scale`` (dim, dim) and ``share`` (dim,), the prior's share of precision.

    The first column of ``scale`` is the only one that moves ``log sigma``.
    """

    mode: Array
    scale: Array
    share: Array


def unwhiten(whitening: Whitening, sigma: int, w: Array) -> tuple[Array, Array]:
    """Model coordinates of ``w`` (dim,) and the log-Jacobian, up to a constant.

    A direction whose precision is ``m`` from the prior and ``1 - m`` from the data has the sd
    ``(m + (1 - m) exp(-2 t))**-0.5`` where ``log sigma`` lies ``t`` above the mode.
    """
    t = whitening.scale[sigma, 0] * w[0]
    share = whitening.share
    growth = -0.5 * jnp.log(share + (1.0 - share) * jnp.exp(-2.0 * t))
    return whitening.mode + whitening.scale @ (jnp.exp(growth) * w), jnp.sum(growth)


def whitening_at(mode: Array, scale: Array, shares: Array, sigma: int) -> Whitening:
    """Turn a root ``scale`` of the covariance at the mode into a whitening.

    ``shares`` (dim, dim) is the prior's precision in the coordinates that ``scale`` whitens.
    """
    first = scale[sigma] / jnp.linalg.norm(scale[sigma])
    others = jnp.eye(mode.shape[0]) - jnp.outer(first, first)
    shares = others @ shares @ others
    last = 2.0 * jnp.max(jnp.abs(shares)) + 1.0
    values, turn = jnp.linalg.eigh(0.5 * (shares + shares.T) + last * jnp.outer(first, first))
    turn = jnp.roll(turn, 1, axis=1)
    turn = turn.at[:, 0].set(first)
    share = jnp.clip(jnp.roll(values, 1), 0.0, 1.0).at[0].set(1.0)
    return Whitening(mode, scale @ turn, share)
