"""Pooling structures mean what they say, however they are parametrised.

`partial` is written in rotated, shifted and rescaled coordinates for the sampler's sake. None of
that may change the prior of the population, the spreads and the families: it is compared here with
the plain hierarchical model, both by change of variables and by simulation.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import pytest
from jax.flatten_util import ravel_pytree
from numpyro import handlers
from numpyro.infer.util import log_density
from scipy import stats

from bayes_scaling._registry import POOLINGS
from bayes_scaling.arguments import start_basis
from bayes_scaling.build import Slot
from bayes_scaling.levels import log_shift
from bayes_scaling.prior import (
    HALF_NORMAL_MEDIAN,
    halfnormal,
    logitnormal,
    lognormal,
    normal,
    uniform,
)
from bayes_scaling.spec import ModelSpec, Param, get_observation, make_law

pytestmark = pytest.mark.usefixtures("x64")
SCALE, REF, SPREAD = 2.5, {"X": 40.0}, 0.3
NESTED = {"lab": np.array([0, 0, 0]), "family": np.array([0, 0, 1, 2, 2])}
FLAT = {"family": np.array([0, 0, 0, 0])}
PRIORS = [
    lognormal(1.25, 0.6, 2.6),
    lognormal(0.4, 0.1, 1.6, relative=True),
    normal(0.3, 2.0),
    logitnormal(0.5, 0.4, 0.65),
    halfnormal(0.7),
    uniform(-1.0, 3.0),
]


def scaled(X, *, A):
    """A law whose one parameter is sampled as its term at a reference point."""
    return A * X**-0.5


def spec_of(prior, groups, level=""):
    param = Param("A", prior, "coefficient", level=level, pool="partial", spread=SPREAD)
    law = make_law(scaled, params=(param,), equation="A * X**-0.5", reference={"X": 10.0})
    return ModelSpec(
        law, get_observation("normal_log"), (("A", "partial"),), (("A", prior),), groups
    )


def stems(groups):
    return {group: "A" if group == groups[-1] else f"A_{group}" for group in groups}


def adapted(parents, kind, seed=0):
    """Bases turned at random with some information and pull: ``none``, ``some`` or ``large``."""
    rng, found = np.random.default_rng(seed), {"basis": {}, "information": {}, "pull": {}}
    size = {"none": 0.0, "some": 30.0, "large": 1e6}[kind]
    for i, (group, stem) in enumerate(stems(tuple(parents)).items()):
        basis = start_basis(len(parents[group]), outermost=i == 0)
        turn = np.linalg.qr(rng.normal(size=(basis.shape[1],) * 2))[0]
        found["basis"][stem] = basis if kind == "none" else basis @ turn
        found["information"][stem] = size * rng.uniform(0, 1, basis.shape[1])
        found["pull"][stem] = found["information"][stem] * rng.normal(size=basis.shape[1])
    return found


def slot_of(prior, parents, kind="none", level="", name="partial"):
    spec = spec_of(prior, tuple(parents), level)
    args = {"parent": parents, "ref": REF, "scale": SCALE, **adapted(parents, kind)}
    return Slot(spec, spec.law.params[0], args, {g: {} for g in ("", *parents)})


# --- partial pooling, by change of variables -----------------------------------------------


def sampled_sites(slot, key):
    trace = handlers.trace(handlers.seed(POOLINGS.get("partial"), key)).get_trace(slot)
    return {name: site["value"] for name, site in trace.items() if site["type"] == "sample"}


def hierarchy(slot, values):
    """Spreads, population and groups on the link scale, from the sites that are sampled."""
    found = {}

    def keep(slot):
        found.update(POOLINGS.get("partial")(slot))

    handlers.substitute(keep, values)(slot)
    link = slot.link()
    taus = [values[f"tau_{slot.label(level)}"] for level in slot.levels]
    return {"tau": jnp.stack(taus), **{name: link.inv(v) for name, v in found.items()}}


def plain_log_density(slot, point):
    """The textbook hierarchy: normal about the parent on the link scale, half-normal spreads."""
    link, above = slot.link(), point[""]
    total = slot.prior(slot.shift("")).log_prob(link(above))
    total += link.log_abs_det_jacobian(above, link(above))
    for tau, level, parent in zip(point["tau"], slot.levels, slot.parents, strict=True):
        total += stats.halfnorm.logpdf(tau, scale=SPREAD / HALF_NORMAL_MEDIAN)
        about = above if parent is None else above[parent]
        total += stats.norm.logpdf(point[level], about, tau).sum()
        above = point[level]
    return float(total)


KINDS = ("none", "some", "large")
LEVEL = "A * X**-0.5"
CASES = [
    *itertools.product(PRIORS[:1], ("", LEVEL), (FLAT, NESTED), KINDS),
    *itertools.product(PRIORS[1:], (LEVEL,), (NESTED,), ("some",)),
]


def case_id(case):
    prior, level, parents, kind = case
    return f"{prior}-{'level' if level else 'itself'}-{'-'.join(parents)}-{kind}"


@pytest.mark.parametrize(("prior", "level", "parents", "kind"), CASES, ids=map(case_id, CASES))
def test_partial_has_the_density_of_the_plain_hierarchy(prior, level, parents, kind):
    slot = slot_of(prior, parents, kind, level)
    for key in jax.random.split(jax.random.key(3), 2):
        density, point = changed(slot, key)
        known = plain_log_density(slot, point)
        assert float(density) == pytest.approx(known, rel=1e-7, abs=1e-7)


def changed(slot, key):
    """A point of the hierarchy, and the log density there that the sampled sites imply."""
    values = sampled_sites(slot, key)
    flat, unravel = ravel_pytree(values)
    jacobian = jax.jacfwd(lambda v: ravel_pytree(hierarchy(slot, unravel(v)))[0])(flat)
    density, _ = log_density(POOLINGS.get("partial"), (slot,), {}, values)
    return density - jnp.linalg.slogdet(jacobian)[1], hierarchy(slot, values)


# --- and by simulation ---------------------------------------------------------------------

DRAWS = 20_000


def simulate(slot):
    """Link values of every level in draws from the pooling structure."""
    keys = jax.random.split(jax.random.key(5), DRAWS)
    draws = jax.vmap(lambda k: hierarchy(slot, sampled_sites(slot, k)))(keys)
    return {name: np.asarray(v) for name, v in draws.items()}


def simulate_plainly(slot, rng):
    """The same by hand."""
    population = np.asarray(
        slot.link().inv(slot.prior(slot.shift("")).sample(jax.random.key(9), (DRAWS,)))
    )
    found, above = {"": population}, population[:, None]
    taus = np.abs(rng.normal(0, SPREAD / HALF_NORMAL_MEDIAN, (DRAWS, len(slot.levels))))
    for i, (level, parent) in enumerate(zip(slot.levels, slot.parents, strict=True)):
        about = above if parent is None else above[:, parent]
        noise = rng.normal(size=(DRAWS, len(slot.args["parent"][level])))
        above = about + taus[:, [i]] * noise
        found[level] = above
    return {"tau": taus, **found}


def columns(draws):
    return np.column_stack([draws[name].reshape(DRAWS, -1) for name in sorted(draws)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parents", [FLAT, NESTED], ids=["flat", "nested"])
def test_partial_draws_are_those_of_the_plain_hierarchy(parents, kind, rng):
    slot = slot_of(PRIORS[0], parents, kind)
    found, known = columns(simulate(slot)), columns(simulate_plainly(slot, rng))
    for one, other in zip(found.T, known.T, strict=True):
        assert stats.ks_2samp(one, other).pvalue > 1e-4
    for moment in (first_moments, second_moments):
        a, b = moment(found), moment(known)
        error = np.sqrt((a.var(0) + b.var(0)) / DRAWS)
        assert np.all(np.abs(a.mean(0) - b.mean(0)) < 4.5 * error)


def first_moments(x):
    return x


def second_moments(x):
    """Products of every pair of centred columns, shape (draw, pair)."""
    centred = x - x.mean(0)
    return np.einsum("di,dj->dij", centred, centred).reshape(len(x), -1)


@pytest.mark.parametrize("kind", KINDS)
def test_families_given_the_population_are_independent_standard_normals(kind):
    draws = simulate(slot_of(PRIORS[0], FLAT, kind))
    z = (draws["family"] - draws[""][:, None]) / draws["tau"]
    assert stats.kstest(z.ravel()[:: z.shape[1]], "norm").pvalue > 1e-3
    error = 4.5 * np.sqrt(2 / DRAWS)
    np.testing.assert_allclose(np.cov(z.T), np.eye(z.shape[1]), atol=error)
    against = np.corrcoef(np.column_stack([z, draws[""], draws["tau"]]).T)[
        : z.shape[1], z.shape[1] :
    ]
    assert np.abs(against).max() < 4.5 / np.sqrt(DRAWS)


# --- all structures ------------------------------------------------------------------------


@pytest.mark.parametrize("parents", [FLAT, NESTED], ids=["flat", "nested"])
def test_every_level_gets_its_values(pooling, parents):
    slot = slot_of(PRIORS[0], parents, "some")
    values = handlers.seed(pooling, 0)(slot)
    sizes = {level: len(parents[level]) for level in parents}
    assert set(values) == {"", *sizes}
    assert np.shape(values[""]) == ()
    innermost = list(parents)[-1]
    assert np.shape(values[innermost]) in ((), (sizes[innermost],))
    assert all(np.all(np.isfinite(v)) for v in values.values())
    assert all(np.all(v > 0) for v in values.values())


def test_only_known_distributions_are_sampled(pooling):
    """Every site has a finite log density at its own draw, with its plate where it has one."""
    slot = slot_of(PRIORS[0], NESTED, "some")
    trace = handlers.trace(handlers.seed(pooling, 0)).get_trace(slot)
    sites = {n: s for n, s in trace.items() if s["type"] == "sample"}
    assert sites
    assert all(np.isfinite(s["fn"].log_prob(s["value"])).all() for s in sites.values())


def test_shared_is_one_value_from_the_moved_prior(key):
    slot = slot_of(PRIORS[0], FLAT, level=LEVEL)
    with numpyro.handlers.seed(rng_seed=key), handlers.trace() as trace:
        values = POOLINGS.get("shared")(slot)
    assert {float(v) for v in values.values()} == {float(trace["A_level"]["value"])}
    shift = float(log_shift(slot.spec.law, "A", {}, REF))
    assert shift == pytest.approx(-0.5 * np.log(4.0))
    assert trace["A_level"]["fn"].icdf(0.5) == pytest.approx(1.25 * np.exp(shift))


def test_separate_families_are_independent_draws_of_the_prior(key):
    slot = slot_of(PRIORS[0], FLAT)

    def one(k):
        return handlers.seed(POOLINGS.get("separate"), k)(slot)["family"]

    draws = np.log(jax.vmap(one)(jax.random.split(key, DRAWS)))
    prior = slot.prior(0.0)
    known = stats.norm(float(prior.loc), float(prior.scale))
    assert stats.kstest(draws[:, 0], known.cdf).pvalue > 1e-3
    correlation = np.corrcoef(draws.T) - np.eye(draws.shape[1])
    assert np.abs(correlation).max() < 4.5 / np.sqrt(DRAWS)
