"""Predictive resampling: the fit after ever more imputed runs, many replicates in step.

A parametric martingale posterior (Holmes and Walker 2023). With ``m - 1`` runs so far, the next one
has covariates drawn from the table and a response from the predictive at the present parameters,
and moves these by a natural-gradient step,

    z_m = z_{m-1} + (1/m) I(z)^{-1} s(z, y_m),    E[s | the past] = 0,

so that they are a martingale; what they converge to is a draw.

Nothing pulls back a replicate that strays from the data, so that it matters in which coordinates
the steps are straight: coefficients of sums are linear here, where their logarithms would let a
floor near zero jump to several times the loss.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.infer.bend import UNITS_TO_MODE, bends, straighten
from bayes_scaling.infer.point_fits import Table, free_names, misses
from bayes_scaling.infer.prepare import CURVATURE_FLOOR
from bayes_scaling.spec import ModelSpec

IMPUTED = 10  # times the runs of the largest family
MOST_IMPUTED = 4000
GROWTH = 1.05  # of the number of runs between evaluations of the information
NORMAL = 1e9  # degrees of freedom of a normal distribution


class Scatter(NamedTuple):
    """Scatter of the runs of a family: ``log_sigma``, degrees of freedom ``nu`` of its Student-t
    distribution, the number of ``runs`` and of those beyond the parameters, ``spare``."""

    log_sigma: Any
    nu: Any
    runs: Any
    spare: Any


class _Step(NamedTuple):
    """What the steps of a stretch are made of: slopes (row, dim), inverse information times the
    number of runs (dim, dim), its root, and sigma."""

    slopes: Array
    gain: Array
    root: Array
    sigma: Array


def student(uniform: Array, nu: Array) -> Array:
    """Return a standard Student-t variate from two uniform ones (Bailey 1994)."""
    far = jnp.sqrt(nu * jnp.expm1(-2.0 * jnp.log(uniform[0]) / nu))
    return far * jnp.cos(2.0 * jnp.pi * uniform[1])


def pull(miss: Array, nu: Array) -> Array:
    """Return the score of a location, of a miss in sds: the miss itself, less for far ones."""
    return (nu + 1.0) * miss / (nu + miss**2)


def stretches(most: int, least: int) -> np.ndarray:
    """Return the ends (stretch + 1,) of the stretches of imputed runs for which the information is
    evaluated once each; ``most`` and ``least`` are the runs of the largest and smallest family."""
    count = min(IMPUTED * most, MOST_IMPUTED)
    grown = least * GROWTH ** np.arange(1, 1 + np.ceil(np.log1p(count / least) / np.log(GROWTH)))
    return np.unique([0, *np.floor(grown - least).clip(max=count), count]).astype(int)


def bent_names(spec: ModelSpec) -> tuple[str, ...]:
    """The parameters that are coefficients of sums, whose coordinates are linear here."""
    sites = {n: f"{n}_level" if spec.law.param(n).level else n for n in free_names(spec)}
    return tuple(name for name, site in sites.items() if bends(spec, site))


def _bend(spec: ModelSpec, z: Array) -> tuple[Array, Any]:
    """The start in the coordinates of the steps, and the map from these to ``z``."""
    bent = tuple(name in bent_names(spec) for name in free_names(spec))
    unit = z - np.log(UNITS_TO_MODE)
    start = jnp.where(np.asarray(bent), np.log(np.expm1(UNITS_TO_MODE)), z)
    return start, lambda u: straighten(u, unit, bent)[0]


def _evaluated(miss: Any, u: Array, scatter: Scatter, log_sigma: Array) -> _Step:
    """The step's parts at the present parameters, flat directions held as in `prepare`.

    ``miss`` gives the residuals (row,) of coordinates (dim,).
    """
    slopes, sigma = -jax.jacfwd(miss)(u), jnp.exp(log_sigma)
    worth = (scatter.nu + 1.0) / (scatter.nu + 3.0) / sigma**2
    values, vectors = jnp.linalg.eigh(jnp.nan_to_num(worth * slopes.T @ slopes))
    held = jnp.maximum(values, CURVATURE_FLOOR)
    root = vectors * jnp.sqrt(scatter.runs * jnp.maximum(values, 0.0)) / held
    return _Step(jnp.nan_to_num(slopes), scatter.runs * (vectors / held) @ vectors.T, root, sigma)


def resample(
    spec: ModelSpec, key: Array, z: Array, scatter: Scatter, table: Table, ends: Array
) -> tuple[Array, Array]:
    """Return the coordinates (dim,) and log sigma after all future runs, for one replicate.

    ``ends`` are those of `stretches`. The runs after the last are taken together as their normal
    limit (Fong and Yiu 2024).
    """
    nu = scatter.nu
    noise_worth = 2.0 * nu / (nu + 3.0)
    start, straight = _bend(spec, z)

    def miss_at(u: Array) -> Array:
        return table.mask * misses(spec, straight(u), table)

    def stretch(
        state: tuple[Array, Array], bounds: tuple[Array, Array]
    ) -> tuple[tuple[Array, Array], None]:
        parts = _evaluated(miss_at, state[0], scatter, state[1])

        def step(i: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
            u, log_sigma = state
            luck = jax.random.uniform(jax.random.fold_in(key, i + 1), (3,), u.dtype, minval=1e-12)
            miss = student(luck[1:], nu)
            score = parts.slopes[jnp.floor(luck[0] * scatter.runs).astype(int)] * pull(miss, nu)
            u = u + parts.gain @ score / parts.sigma / (scatter.runs + i + 1)
            change = (pull(miss, nu) * miss - 1.0) / noise_worth
            return u, log_sigma + change / (scatter.spare + i + 1)

        return jax.lax.fori_loop(*bounds, step, state), None

    (u, log_sigma), _ = jax.lax.scan(stretch, (start, scatter.log_sigma), (ends[:-1], ends[1:]))
    last = _evaluated(miss_at, u, scatter, log_sigma)
    rest = jax.random.normal(jax.random.fold_in(key, 0), (len(u) + 1,), u.dtype)
    u = u + last.root @ rest[1:] / jnp.sqrt(scatter.runs + ends[-1] + 0.5)
    spread = jnp.sqrt(noise_worth * (scatter.spare + ends[-1] + 0.5))
    return straight(u), log_sigma + rest[0] / spread


@lru_cache(maxsize=IN_MEMORY)
def compiled_resample(spec: ModelSpec) -> Any:
    """`resample` over keys, coordinates, scatters and tables, jitted (cached)."""
    return jitted(jax.vmap(lambda *lane: resample(spec, *lane), (0, 0, 0, 0, None)), runs_long=True)
