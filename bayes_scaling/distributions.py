"""NumPyro's distributions where this package needs them otherwise: coordinates, faster draws.

NumPyro samples the logarithm of a positive number. The log of a half-normal spread has an
exponential left tail, in which chains wander for long where families hardly differ. Here the
coordinate of `HalfNormal` is ``u`` with ``value = scale * fold(u)``, where ``fold`` is within a few
per cent of the half-normal quantile of ``Phi(u)`` but made of exp and log alone: the series in
``erfinv`` double the time that XLA takes to compile a fit.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import Array
from jax.nn import sigmoid, softplus
from jax.scipy.special import gammaln
from numpyro.distributions import biject_to, constraints
from numpyro.distributions.transforms import Transform

from bayes_scaling.gammas import log_rising

FLOOR = 0.147  # makes fold(0) and fold(-2) those of the half-normal to 4 %
NEWTON_STEPS = 8
EDGE = 1e-9  # shares closer to 0 or 1 are taken for this
HALF_NORMAL_PEAK = 0.5 * math.log(2.0 / math.pi)  # log density at zero, for scale one
STIRLING = (-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432)
SHIFT = 16  # where five terms of the series hold every digit


def log_fold(u: Any) -> Array:
    """Logarithm of the map from a nearly standard normal to a half-normal number."""
    above = softplus(u)
    return jnp.log(FLOOR + above) - 0.5 * (above - u) ** 2


def log_fold_density(u: Any) -> Array:
    """Log density of the coordinate of a half-normal number, whatever its scale."""
    log_value = log_fold(u)
    return log_value + jnp.log(_slope(u)) - 0.5 * jnp.exp(2.0 * log_value) + HALF_NORMAL_PEAK


def _slope(u: Any) -> Array:
    """Derivative of `log_fold`; positive everywhere."""
    above, share = softplus(u), sigmoid(u)
    return share / (FLOOR + above) + (above - u) * (1.0 - share)


@jax.custom_jvp
def unfold(log_value: Any) -> Array:
    """The inverse of `log_fold`, by Newton's method from its two asymptotes."""
    tail = -jnp.sqrt(jnp.maximum(-2.0 * (log_value + 0.4), 0.0))
    start = jnp.where(log_value > 0.0, jnp.exp(jnp.minimum(log_value, 20.0)) - FLOOR, tail)

    def newton(_: int, u: Array) -> Array:
        return u - (log_fold(u) - log_value) / _slope(u)

    return jax.lax.fori_loop(0, NEWTON_STEPS, newton, start)


@unfold.defjvp
def _(primals: Any, tangents: Any) -> Any:
    u = unfold(*primals)
    return u, tangents[0] / _slope(u)


def log_gamma_step(x: Any) -> Array:
    """``log Gamma(x + 1/2) - log Gamma(x)`` for positive ``x``, by its series (DLMF 5.11)."""
    far = jnp.asarray(x) + SHIFT
    series = sum(c * far ** -(2 * k + 1) for k, c in enumerate(STIRLING))
    steps = jnp.log1p(0.5 / (jnp.asarray(x)[..., None] + jnp.arange(SHIFT)))
    return 0.5 * jnp.log(far) + series - steps.sum(-1)


class _PositiveOfScale(constraints.Constraint):
    """Positive numbers whose natural unit is ``scale``."""

    def __init__(self, scale: Any) -> None:
        self.scale = scale

    def __call__(self, x: Any) -> Any:
        return x > 0

    def feasible_like(self, prototype: Any) -> Any:
        return jnp.broadcast_to(self.scale, jnp.shape(prototype))

    def tree_flatten(self) -> Any:
        return (self.scale,), (("scale",), {})


class _Fold(Transform):
    """From a nearly standard normal number to a half-normal one of this scale."""

    domain: Any = constraints.real

    def __init__(self, scale: Any) -> None:
        self.scale = scale

    @property
    def codomain(self) -> Any:
        return _PositiveOfScale(self.scale)

    def __call__(self, x: Any) -> Any:
        return self.scale * jnp.exp(log_fold(x))

    def _inverse(self, y: Any) -> Any:
        return unfold(jnp.log(y / self.scale))

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Array:
        return jnp.log(self.scale) + log_fold(x) + jnp.log(_slope(x))

    def tree_flatten(self) -> Any:
        return (self.scale,), (("scale",), {})


@biject_to.register(_PositiveOfScale)
def _(constraint: _PositiveOfScale) -> Transform:
    return _Fold(constraint.scale)


_dependent: Any = constraints.dependent_property
_scalar_property = _dependent(is_discrete=False, event_dim=0)


class HalfNormal(dist.HalfNormal):
    """`numpyro.distributions.HalfNormal` with the coordinate of this module."""

    @_scalar_property
    def support(self) -> Any:
        """Positive numbers, in units of the scale."""
        return _PositiveOfScale(self.scale)


class StudentT(dist.StudentT):
    """`numpyro.distributions.StudentT` without gamma functions and variates.

    Whose derivatives, and the variates of whose draws, are loops that XLA is long in compiling.
    """

    def log_prob(self, value: Any) -> Array:
        """Log density; values that are not finite are not checked for."""
        own: Any = self
        unit = 1.0 / (own.scale**2 * own.df)  # no division of a row: each costs as much as an exp
        tails = -0.5 * (own.df + 1.0) * jnp.log1p((value - own.loc) ** 2 * unit)
        return tails + log_gamma_step(0.5 * own.df) - 0.5 * jnp.log(jnp.pi * own.df * own.scale**2)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Array:
        """Draw by the polar method of Bailey (1994, Mathematics of Computation 62, 779)."""
        first, second = jax.random.split(key)
        shape = self.shape(sample_shape)
        u = jax.random.uniform(first, shape, minval=jnp.finfo(float).tiny)
        angle = jax.random.uniform(second, shape, maxval=2.0 * jnp.pi)
        own: Any = self
        radius = jnp.sqrt(own.df * jnp.expm1(-2.0 / own.df * jnp.log(u)))
        return own.loc + own.scale * radius * jnp.cos(angle)


class ShareOfItems(dist.Distribution):
    """Share of ``trials`` items solved: beta-binomial about ``centre``.

    The share that a run would have of endless items has the sd ``2 scatter sqrt(p (1 - p))``, to
    first order, about the law's ``p``: ``scatter`` itself at one half. Shares that are no whole
    number of items, such as rounded ones, are allowed.
    """

    arg_constraints: Any = dict.fromkeys(("scatter", "trials"), constraints.positive)
    support: Any = constraints.unit_interval
    pytree_data_fields = ("centre", "scatter", "trials")

    def __init__(
        self, centre: Any, scatter: Any, trials: Any, *, validate_args: Any = None
    ) -> None:
        self.centre = jnp.clip(centre, EDGE, 1.0 - EDGE)
        self.scatter, self.trials = jnp.asarray(scatter), jnp.asarray(trials)
        shape = jnp.broadcast_shapes(*map(jnp.shape, (centre, scatter, trials)))
        super().__init__(batch_shape=shape, validate_args=validate_args)

    @property
    def _shapes(self) -> tuple[Any, Any]:
        """The two parameters of the beta distribution of a run's own share."""
        total = 0.25 / self.scatter**2
        return self.centre * total, (1.0 - self.centre) * total

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        """Log probability of the count that is this share of the items."""
        (a, b), n = self._shapes, self.trials
        parts = jnp.broadcast_arrays(value * n, (1.0 - value) * n, n, a, b, a + b)
        items, total = jnp.stack(parts[:3]), jnp.stack(parts[3:])
        gained, ways = log_rising(total, items), gammaln(items + 1.0)
        return gained[0] + gained[1] - gained[2] - ways[0] - ways[1] + ways[2]

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Array:
        """Draw shares, each a whole number of items."""
        first, second = jax.random.split(key)
        shape = self.shape(sample_shape)
        a, b = (jnp.broadcast_to(x, shape) for x in self._shapes)
        own = jax.random.beta(first, a, b)
        return jax.random.binomial(second, self.trials, own, shape) / self.trials
