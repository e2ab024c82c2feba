"""Parameters of known families, and of families that the data have not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import biject_to

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling._errors import ForecastError, did_you_mean, list_names
from bayes_scaling.build import distribution, public_name
from bayes_scaling.levels import sampling_order, to_paper, to_sampled
from bayes_scaling.spec import ModelSpec

Samples = Mapping[str, np.ndarray]
NOISE = "sigma"


class Grouping(NamedTuple):
    """Labels of every group, outer to inner, and the index of each family's parents."""

    labels: Mapping[str, Sequence[str]]
    parents: Mapping[str, np.ndarray]

    def place(self, group: str, label: str) -> int | None:
        """Place of a label, or None when the data do not have it."""
        known = list(self.labels[group])
        return known.index(label) if label in known else None


def flatten_chains(posterior: Any) -> dict[str, np.ndarray]:
    """Arrays (sample, ...) of a dataset with dims (chain, draw, ...)."""
    return {
        name: np.asarray(v).reshape(-1, *v.shape[2:]) for name, v in posterior.data_vars.items()
    }


def link_of(spec: ModelSpec, name: str) -> Any:
    """The map from the real line to the support of a parameter's sampled coordinate."""
    return biject_to(distribution(spec.prior(name)).support)


def sampled_coordinate(
    spec: ModelSpec, samples: Samples, name: str, ref: Mapping[str, float]
) -> Any:
    """The coordinate that was sampled for a parameter, such as the level of a coefficient at the
    data's reference point, shape (sample,) or (sample, family)."""
    constants = {n: p.args[0] for n, p in spec.priors if p.is_fixed}
    found = {n: samples[n] for n in spec.law.param_names if n in samples}
    wide = any(v.ndim > 1 for v in found.values())
    aligned = {n: v[:, None] if wide and v.ndim == 1 else v for n, v in found.items()}
    return to_sampled(spec.law, name, constants | aligned, ref)


@lru_cache(maxsize=IN_MEMORY)
def compiled_coordinates(spec: ModelSpec) -> Callable[..., Any]:
    """``(sets of samples, ref)`` to what was sampled for every free parameter, on the real line
    (cached)."""
    free = [n for n in spec.law.param_names if not spec.prior(n).is_fixed]

    def one(samples: Samples, ref: Mapping[str, Any]) -> dict[str, Any]:
        return {n: link_of(spec, n).inv(sampled_coordinate(spec, samples, n, ref)) for n in free}

    def coordinates(sets: Sequence[Samples], ref: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [one(samples, ref) for samples in sets]

    return jitted(coordinates)


def family_parameters(
    spec: ModelSpec,
    samples: Samples,
    grouping: Grouping,
    wanted: Sequence[Mapping[str, str]],
    ref: Mapping[str, float],
    key: Any,
) -> tuple[dict[str, Any], Any]:
    """Return every parameter of the wanted families and the noise sd, shapes (sample, family).

    ``wanted`` holds one mapping of group to label for each family. One that the data lack is drawn
    from the population (or from its known parent group), which needs partial or shared pooling.

    Raises
    ------
    ForecastError
        When a new family is asked of a parameter that pools nothing.
    """
    columns = [
        _one_family(spec, samples, grouping, family, ref, partial(_split_off, key, i, len(wanted)))
        for i, family in enumerate(wanted)
    ]
    names = [*spec.law.param_names, NOISE]
    stacked = {n: np.stack([np.asarray(c[n]) for c in columns], axis=-1) for n in names}
    return {n: stacked[n] for n in spec.law.param_names}, stacked[NOISE]


def _one_family(
    spec: ModelSpec,
    samples: Samples,
    grouping: Grouping,
    family: Mapping[str, str],
    ref: Mapping[str, float],
    own_key: Callable[[], Any],
) -> dict[str, Any]:
    innermost = spec.groups[-1] if spec.groups else ""
    place = grouping.place(innermost, family[innermost]) if innermost else 0
    if place is None:
        _require_population(spec, grouping, family)
        return _new_family(spec, samples, grouping, family, ref, own_key())
    found = {p: _value(spec, samples, p, innermost, place) for p in spec.law.param_names}
    return {**found, NOISE: _known_noise(spec, samples, place)}


def _split_off(key: Any, place: int, count: int) -> Any:
    """The key at a place of ``count``: made on demand, since known families need none."""
    return jax.random.split(key, count)[place]


def _value(spec: ModelSpec, samples: Samples, name: str, level: str, place: int) -> Any:
    """Samples (sample,) of a parameter at one place of a level."""
    if spec.prior(name).is_fixed:
        size = len(next(iter(samples.values())))
        return np.full(size, spec.prior(name).args[0])
    variable = public_name(spec, name, level) or public_name(spec, name, "")
    values = samples[variable]
    return values[:, place] if values.ndim > 1 else values


def _known_noise(spec: ModelSpec, samples: Samples, place: int) -> Any:
    sigma = samples["sigma"]
    return sigma * np.exp(samples["log_sigma_family"][:, place]) if spec.noise_by_family else sigma


def _require_population(spec: ModelSpec, grouping: Grouping, family: Mapping[str, str]) -> None:
    group = spec.groups[-1]
    alone = [n for n, kind in spec.pool if kind == "separate" and not spec.prior(n).is_fixed]
    if alone:
        known = list(grouping.labels[group])
        raise ForecastError(
            f"{group} '{family[group]}' is not in the data and {', '.join(alone)} is pooled "
            f"'separate', so nothing is known of it: refit with pool={{'{alone[0]}': 'partial'}} "
            f"or use one of {list_names(known)}.{did_you_mean(family[group], known)}"
        )


def _new_family(
    spec: ModelSpec,
    samples: Samples,
    grouping: Grouping,
    family: Mapping[str, str],
    ref: Mapping[str, float],
    key: Any,
) -> dict[str, Any]:
    """Draw a family from the population, starting at its innermost known parent group."""
    known = _innermost_known(spec, grouping, family)
    base = {
        p: _value(spec, samples, p, known[0], known[1]) if known else _population(spec, samples, p)
        for p in spec.law.param_names
    }
    new_levels = spec.groups[spec.groups.index(known[0]) + 1 :] if known else spec.groups
    new: dict[str, Any] = {}
    for param in sampling_order(spec.law):
        key, subkey = jax.random.split(key)
        new[param.name] = _scattered(spec, samples, param.name, base, new, new_levels, ref, subkey)
    return {**new, NOISE: _new_noise(spec, samples, key)}


def _innermost_known(
    spec: ModelSpec, grouping: Grouping, family: Mapping[str, str]
) -> tuple[str, int] | None:
    for group in reversed(spec.groups[:-1]):
        place = grouping.place(group, family.get(group, ""))
        if place is not None:
            return group, place
    return None


def _population(spec: ModelSpec, samples: Samples, name: str) -> Any:
    return _value(spec, samples, name, "", 0)


def _scattered(
    spec: ModelSpec,
    samples: Samples,
    name: str,
    base: Mapping[str, Any],
    new: Mapping[str, Any],
    levels: Sequence[str],
    ref: Mapping[str, float],
    key: Any,
) -> Any:
    if spec.prior(name).is_fixed or spec.pooling(name) == "shared":
        return base[name]
    link = link_of(spec, name)
    value = link.inv(to_sampled(spec.law, name, base, ref))
    for level, k in zip(levels, jax.random.split(key, len(levels)), strict=True):
        tau = f"tau_{name}" if level == spec.groups[-1] else f"tau_{name}_{level}"
        value = value + samples[tau] * jax.random.normal(k, value.shape)
    return to_paper(spec.law, name, link(value), new, ref)


def _new_noise(spec: ModelSpec, samples: Samples, key: Any) -> Any:
    sigma = samples["sigma"]
    if not spec.noise_by_family:
        return sigma
    return sigma * jnp.exp(samples["tau_sigma"] * jax.random.normal(key, sigma.shape))
