"""Logarithms of ratios of gamma functions, to all digits where the functions are huge."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaln

SHIFT = 10  # from here on seven terms of Stirling's series (DLMF 5.11) reach the last digit
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def log_beta(a: Any, b: Any) -> Array:
    """Return the logarithm of the Beta function of positive arguments, shapes that broadcast.

    JAX's ``betaln`` is good to six digits only, in value and in slope.

    Examples
    --------
    >>> print(f"{log_beta(1.0, 4.0):.4f}")  # log(1 / 4)
    -1.3863
    """
    small, large = jnp.minimum(a, b), jnp.maximum(a, b)
    return gammaln(small) - log_rising(large, small)


def log_rising(x: Any, step: Any) -> Array:
    """Return ``log Gamma(x + step) - log Gamma(x)`` of positive ``x``, shapes that broadcast.

    No number on the way is larger than the step makes it.
    """
    far = x + SHIFT
    rise = (far - 0.5) * jnp.log1p(step / far) + step * (jnp.log(far + step) - 1.0)
    rise = rise + _stirling(far + step) - _stirling(far)
    below = jnp.asarray(x)[..., None] + jnp.arange(SHIFT)
    return rise - jnp.log1p(jnp.asarray(step)[..., None] / below).sum(axis=-1)


def _stirling(x: Any) -> Any:
    return sum(c * x ** -(2 * i + 1) for i, c in enumerate(STIRLING))
