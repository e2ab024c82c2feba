"""The law's value and the response's distribution for every posterior sample at given inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.build import response_distribution
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.spec import Law, ModelSpec


def law_values(law: Law, params: Mapping[str, Any], x: Mapping[str, Any], family: Any) -> Any:
    """Return the law, shape (sample, point).

    ``params`` have shape (sample, family), inputs ``x`` shape (point,), or (sample, point)
    where they differ between samples, ``family`` (point,) the index of every point's family.
    """
    columns = {n: jnp.take(jnp.asarray(v), family, axis=1) for n, v in params.items()}
    inputs = [jnp.atleast_2d(jnp.asarray(x[n])) for n in law.inputs]
    return with_fast_powers(lambda x, p: law(*x, **p))(inputs, columns)


def row_noise(
    spec: ModelSpec, sigma: Any, family: Any, slope: Any = None, decades: Any = None
) -> Any:
    """Return the noise sd, shape (sample, point), from that of the families (sample, family)."""
    scale = jnp.take(jnp.asarray(sigma), family, axis=1)
    if not spec.noise_trend:
        return scale
    return scale * jnp.exp(jnp.asarray(slope)[:, None] * jnp.asarray(decades)[None, :])


def responses(
    spec: ModelSpec,
    mean: Any,
    noise: Any,
    samples: Mapping[str, Any],
    se: Any = None,
    trials: Any = None,
) -> Any:
    """Return the distribution of the response, batch shape (sample, point)."""
    extra = {n: jnp.asarray(samples[n])[:, None] for n, _ in spec.observation.extra}
    return response_distribution(spec, mean, noise, extra, se, trials)


class Points(NamedTuple):
    """Where to evaluate: inputs (point,), the family of each, distance along the noise trend, known
    standard errors, numbers of items."""

    x: Mapping[str, Any]
    family: Any
    decades: Any = None
    se: Any = None
    trials: Any = None


class Curves(NamedTuple):
    """The law's value, a new run's response, the log density of ``y``, and the noise model's scale,
    (sample, point)."""

    mean: Any
    run: Any
    log_prob: Any
    noise: Any


@lru_cache(maxsize=IN_MEMORY)
def compiled_curves(spec: ModelSpec, same_luck: bool = False) -> Callable[..., Curves]:
    """Return ``curves(params, sigma, samples, points, y, key)`` as one jitted program (cached).

    ``params`` and ``sigma`` have shape (sample, family); ``samples`` holds the noise model's other
    parameters (sample,); ``y`` (point,) or None. With ``same_luck`` the new runs of a sample have
    one random number at all points.
    """

    def curves(
        params: Mapping[str, Any], sigma: Any, samples: Mapping[str, Any], points: Points, y: Any,
        key: Any,
    ) -> Curves:  # fmt: skip
        mean = law_values(spec.law, params, points.x, points.family)
        slope = samples.get("sigma_trend")
        noise = row_noise(spec, sigma, points.family, slope, points.decades) + 0.0 * mean
        found = responses(spec, mean, noise, samples, points.se, points.trials)

        def one(m: Any, s: Any, n: Any) -> Any:
            return responses(spec, m[:, None], s[:, None], samples, None, n).sample(key)[:, 0]

        smooth = jax.vmap(one, in_axes=(1, 1, None if points.trials is None else 0), out_axes=1)
        run = smooth(mean, noise, points.trials) if same_luck else found.sample(key)
        return Curves(mean, run, None if y is None else found.log_prob(y), noise)

    return jitted(curves)


def noise_samples(spec: ModelSpec, samples: Mapping[str, Any]) -> dict[str, Any]:
    """The noise model's parameters beside sigma, as `compiled_curves` takes them."""
    names = [name for name, _ in spec.observation.extra]
    return {n: samples[n] for n in [*names, *(["sigma_trend"] if spec.noise_trend else [])]}
