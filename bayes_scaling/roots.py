"""Roots of equations that have no closed form, in a fixed number of steps and exact in gradient."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import sigmoid, softplus

STEPS = 5  # four reach the last digit for powers between 0.02 and 50; one to spare


def share(ratio: Any, power: Any) -> Any:
    """Return the one ``t`` between 0 and 1 with ``t / (1 - t)**power = ratio``.

    Parameters
    ----------
    ratio, power
        Positive, shapes that broadcast.

    Examples
    --------
    >>> print(f"{share(1.0, 1.0):.3f}")
    0.500
    """
    return share_of_log(jnp.log(ratio), power)


def share_of_log(log_ratio: Any, power: Any) -> Any:
    """Return `share`, given the logarithm of its ratio; its slope is exact where it rounds to 1."""
    return jnp.exp(-softplus(-logit_share(log_ratio, power)))


@jax.custom_jvp
def logit_share(log_ratio: Any, power: Any) -> Any:
    """Return the logit of `share`, given the logarithm of its ratio.

    The left side, ``power * softplus(z) - softplus(-z)`` in the logit ``z``, rises everywhere, has
    slopes between 1 and ``power`` and a curvature of one sign: Halley's steps from the asymptote
    cannot stray.
    """
    z = jnp.where(log_ratio < 0, log_ratio, log_ratio / power)
    for _ in range(STEPS):
        z = _halley(z, log_ratio, power)
    return z


def _halley(z: Any, log_ratio: Any, power: Any) -> Any:
    away = power * softplus(z) - softplus(-z) - log_ratio
    up, down = sigmoid(z), sigmoid(-z)
    slope = power * up + down
    return z - away / (slope - 0.5 * away * (power - 1) * up * down / slope)


@logit_share.defjvp
def _implicit(values: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Any, Any]:
    """Differentiate the equation, not the steps: exact, and again in higher derivatives."""
    _, power = values
    d_ratio, d_power = tangents
    z = logit_share(*values)
    slope = power * sigmoid(z) + sigmoid(-z)
    return z, (d_ratio - softplus(z) * d_power) / slope
