"""Coordinates for coefficients of sums: linear where the data know a sum, logarithmic near zero.

A few runs fix ``E + A + B`` at the reference point to a fraction of a per cent while each of the
three stays open to tens of per cent. In logarithms that plane is a curved sheet, which forces steps
of a tenth of the posterior's width; in ``u`` with ``value = unit * softplus(u)`` it is flat.
"""

from __future__ import annotations

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.nn import log_sigmoid, softplus

from bayes_scaling.equation import parse_equation
from bayes_scaling.equation.terms import additive_terms, linear_terms
from bayes_scaling.infer.pieces import replaced, some
from bayes_scaling.spec import Law, ModelSpec

UNITS_TO_MODE = 3.0  # the mode lies three units up, where softplus is within 2 % of linear
FAR_BELOW = 1e-12  # of a unit, where softplus is an exponential
OPEN = 1.0  # sd of the logarithm


@lru_cache(maxsize=128)
def summands(law: Law) -> frozenset[str]:
    """Names of the parameters that scale one of several added terms of the law."""
    if not law.equation:
        return frozenset()
    expr = parse_equation(law.equation, positive=frozenset({*law.inputs, *law.param_names})).expr
    if len(additive_terms(expr)) < 2:
        return frozenset()
    return frozenset(linear_terms(expr, law.param_names, law.inputs))


def bends(spec: ModelSpec, site: str) -> bool:
    """Whether a site's coordinate is the log of such a parameter, or of its mean over families."""
    for name in summands(spec.law):
        if site in (name, f"{name}_level", f"{name}_mean"):
            return spec.prior(name).kind == "lognormal"
    return False


def straighten(u: Array, unit: Array, bent: tuple[bool, ...]) -> tuple[Array, Array]:
    """From coordinates ``u`` (dim,) to logarithms, with the log-Jacobian of the change."""
    where = np.asarray(bent)
    if not where.any():
        return u, jnp.zeros(())
    own = some(where, u)
    log_softplus = jnp.log(softplus(own))
    value = replaced(where, u, some(where, unit) + log_softplus)
    return value, jnp.sum(log_sigmoid(own) - log_softplus)


def bend(z: Array, unit: Array, bent: tuple[bool, ...]) -> Array:
    """From logarithms ``z`` (dim,) to coordinates: the inverse of `straighten`."""
    where = np.asarray(bent)
    if not where.any():
        return z
    ratio = jnp.exp(some(where, z) - some(where, unit))
    return replaced(where, z, ratio + jnp.log(-jnp.expm1(-ratio)))


def bend_at(mode: Array, scale: Array, bent: tuple[bool, ...]) -> tuple[Array, Array, Array]:
    """Units that fit a mode given in logarithms, and the mode and whitening in new coordinates.

    A coefficient that is open to more than `OPEN` keeps its logarithm, by a unit far above it: its
    posterior may reach over decades, of which a linear coordinate would make thousands of units.
    """
    where = np.asarray(bent)
    known = jnp.linalg.norm(scale, axis=1) < OPEN
    ratio = jnp.where(known, UNITS_TO_MODE, FAR_BELOW)
    stretch = jnp.where(where, ratio / -jnp.expm1(-ratio), 1.0)
    place = jnp.where(where, jnp.log(jnp.expm1(ratio)), mode)
    return mode - jnp.log(ratio), place, stretch[:, None] * scale
