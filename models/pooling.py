"""Pooling structures: from a parameter's prior to its value in every family.

Each takes a `bayes_scaling.build.Slot` and returns the sampled coordinate at every level of the
grouping: ``""`` the population, then the groups from outer to inner, the last being the families.
"""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from bayes_scaling.centring import given_spread
from bayes_scaling.distributions import HalfNormal
from bayes_scaling.prior import HALF_NORMAL_MEDIAN
from bayes_scaling.spec import pooling


@pooling
def shared(slot):
    """One value for all families (complete pooling)."""
    value = numpyro.sample(slot.site, slot.prior(slot.shift("")))
    return dict.fromkeys(["", *slot.levels], value)


@pooling
def separate(slot):
    """A value for each family with nothing shared (no pooling)."""
    family = slot.levels[-1]
    with numpyro.plate(family, slot.sizes[-1]):
        value = numpyro.sample(slot.site, slot.prior(slot.shift(family)))
    link = slot.link()
    average = link(jnp.mean(link.inv(value)))
    return {**dict.fromkeys(["", *slot.levels], average), family: value}


@pooling
def partial(slot):
    """Families scattered about a population: normal on the link scale, spread learned.

    The outermost groups are written as their mean and contrasts. The mean is what the data know,
    whatever the spread; the population's centre then lies about it by ``tau / sqrt(groups)`` times
    a standard normal number on which the data hardly bear. This removes the funnel between the
    centre and the spread that both the centred and the non-centred form have with few families.
    """
    outer, values = slot.levels[0], {}
    tau, link = _spread(slot, outer), slot.link()
    drift = numpyro.sample(f"{slot.name}_drift", dist.Normal(0.0, 1.0))
    away = tau * drift / jnp.sqrt(slot.sizes[0])
    mean = numpyro.sample(f"{slot.name}_mean", slot.link_prior(slot.shift(""), away))
    values[""] = link(mean - away)
    location = mean + slot.basis(outer) @ _deviations(slot, outer, tau)
    values[outer] = link(location)
    for level, parent in zip(slot.levels[1:], slot.parents[1:], strict=True):
        inner = _deviations(slot, level, _spread(slot, level))
        location = location[parent] + slot.basis(level) @ inner
        values[level] = link(location)
    return values


def _spread(slot, level):
    prior = HalfNormal(slot.spread / HALF_NORMAL_MEDIAN)
    return numpyro.sample(f"tau_{slot.label(level)}", prior)


def _deviations(slot, level, tau):
    """Deviations with sd ``tau``, in coordinates that are near standard normal at every ``tau``.

    `bayes_scaling.centring` says which.
    """
    mean, sd = given_spread(tau, slot.information(level), slot.pull(level))
    spread = dist.Normal(-mean / sd, tau / sd).to_event(1)
    return mean + sd * numpyro.sample(f"{slot.label(level)}_offset", spread)
