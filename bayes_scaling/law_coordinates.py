"""A law in coordinates with a normal prior: each parameter's level on the real line, by family.

Coefficients are their level at the law's reference point (the data's where the law has none), on
the scale of their link (log, logit). A parameter that families share is one coordinate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.build import distribution
from bayes_scaling.families import Grouping, Samples, link_of, sampled_coordinate
from bayes_scaling.levels import sampling_order, to_paper
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.prior import HALF_NORMAL_MEDIAN
from bayes_scaling.spec import ModelSpec

PRIOR_DRAWS = 4000


class Coordinates(NamedTuple):
    """Names and sizes of a law's coordinates, and the point at which its levels are taken."""

    spec: ModelSpec
    families: int
    reference: tuple[tuple[str, float], ...]

    @property
    def parts(self) -> tuple[tuple[str, slice], ...]:
        """Every sampled parameter with its place in the vector of coordinates."""
        found, end = [], 0
        for param in self.spec.law.params:
            if not self.spec.prior(param.name).is_fixed:
                size = 1 if self.spec.pooling(param.name) == "shared" else self.families
                found.append((param.name, slice(end, end + size)))
                end += size
        return tuple(found)

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.parts[-1][1].stop if self.parts else 0


def coordinates_of(spec: ModelSpec, families: int, ref: Mapping[str, float]) -> Coordinates:
    """Return the coordinates of a model; ``ref`` is the data's reference point."""
    return Coordinates(spec, families, tuple(sorted((dict(spec.law.reference) or ref).items())))


def start_of(coordinates: Coordinates, samples: Samples) -> np.ndarray:
    """Return the median of posterior ``samples``, (coordinate,)."""
    spec, z = coordinates.spec, np.zeros(coordinates.size)
    for name, place in coordinates.parts:
        value = sampled_coordinate(spec, samples, name, dict(coordinates.reference))
        middle = np.median(np.asarray(link_of(spec, name).inv(value)), axis=0)
        z[place] = np.mean(middle) if place.stop - place.start == 1 else middle
    return z


def prior_moments(
    coordinates: Coordinates, grouping: Grouping, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean (coordinate,) and covariance (coordinate, coordinate) of the prior.

    ``scale`` is the typical size of the response, of which relative priors are multiples. A family
    deviates from its group with the mean square of the between-group sd.
    """
    spec, size = coordinates.spec, coordinates.size
    mean, cov = np.zeros(size), np.zeros((size, size))
    drawn = _compiled_prior_draws(coordinates)(scale)
    for name, place in coordinates.parts:
        z = np.asarray(drawn[name])
        mean[place] = z.mean()
        own = np.full((place.stop - place.start,) * 2, z.var())
        if spec.pooling(name) == "separate":
            own = np.diag(np.diag(own))
        elif len(own) > 1:
            variance = (spec.law.param(name).spread / HALF_NORMAL_MEDIAN) ** 2
            own = own + variance * sum(_same_group(spec, grouping))
        elif spec.pooling(name) == "partial":
            own = own + (spec.law.param(name).spread / HALF_NORMAL_MEDIAN) ** 2
        cov[place, place] = own
    return mean, cov


@lru_cache(maxsize=IN_MEMORY)
def _compiled_prior_draws(coordinates: Coordinates) -> Callable[..., dict[str, Any]]:
    """From the response's scale to draws (draw,) of every parameter's prior, on the real line."""
    spec = coordinates.spec

    def draws(scale: Any) -> dict[str, Any]:
        key = jax.random.key(0)
        priors = {name: distribution(spec.prior(name), scale) for name, _ in coordinates.parts}
        drawn = {name: prior.sample(key, (PRIOR_DRAWS,)) for name, prior in priors.items()}
        return {name: link_of(spec, name).inv(values) for name, values in drawn.items()}

    return jitted(draws)


def _same_group(spec: ModelSpec, grouping: Grouping) -> list[np.ndarray]:
    """For every level of the grouping, whether two families are of one group (family, family)."""
    members = np.arange(len(grouping.labels[spec.groups[-1]]))
    found = []
    for group in reversed(spec.groups):
        found.append((members[:, None] == members[None]).astype(float))
        members = grouping.parents[group][members] if group != spec.groups[0] else members
    return found


class LawOnRows(NamedTuple):
    """Compiled functions of coordinates (sample, coordinate), inputs (row,), family (row,) and the
    response's unit: the law on the noise's scale (sample, row), and its jacobian at one ``z``
    (row, coordinate)."""

    values: Callable[..., Any]
    jacobian: Callable[..., Any]


@lru_cache(maxsize=IN_MEMORY)
def compiled_law_on_rows(coordinates: Coordinates) -> LawOnRows:
    """Return the law as a function of its coordinates (cached)."""
    law, on_log = coordinates.spec.law, coordinates.spec.observation.on == "log"

    def one(z: Any, x: Mapping[str, Any], family: Any, unit: Any) -> Any:
        paper = _paper(coordinates, z)
        columns = {n: v if jnp.ndim(v) == 0 else v[family] for n, v in paper.items()}
        mean = with_fast_powers(lambda x, p: law(*x, **p))([x[n] for n in law.inputs], columns)
        return jnp.log(mean) if on_log else mean / unit

    many = jax.vmap(one, in_axes=(0, None, None, None))
    return LawOnRows(jitted(many), jitted(jax.jacfwd(one)))


def paper_draws(coordinates: Coordinates, z: np.ndarray) -> dict[str, np.ndarray]:
    """Return the paper's parameters of coordinates (sample, coordinate), each (sample, family)."""
    shape = (len(z), coordinates.families)
    found = {n: np.asarray(v) for n, v in _compiled_paper(coordinates)(z).items()}
    return {n: np.broadcast_to(np.reshape(v, (len(z), -1)), shape) for n, v in found.items()}


@lru_cache(maxsize=IN_MEMORY)
def _compiled_paper(coordinates: Coordinates) -> Callable[..., dict[str, Any]]:
    return jitted(jax.vmap(lambda z: _paper(coordinates, z)))


def _paper(coordinates: Coordinates, z: Any) -> dict[str, Any]:
    """The paper's parameters, each () or (family,)."""
    spec, places = coordinates.spec, dict(coordinates.parts)
    found: dict[str, Any] = {}
    for param in sampling_order(spec.law):
        name = param.name
        if name not in places:
            found[name] = jnp.asarray(spec.prior(name).args[0])
            continue
        value = link_of(spec, name)(z[places[name]])
        value = value[0] if value.shape[0] == 1 else value
        found[name] = to_paper(spec.law, name, value, found, dict(coordinates.reference))
    return found
