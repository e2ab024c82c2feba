"""The gathered density is that of NumPyro, for every law, pooling and noise.

One law of each kind in every run; the others, four seconds each, with ``-m slow``.
"""

from concurrent.futures import ThreadPoolExecutor

import jax
import mpmath
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from kinds import each_law
from numpyro import handlers
from numpyro.infer.util import potential_energy
from scipy.stats import kstest

import bayes_scaling as bs
from bayes_scaling._registry import OBSERVATIONS, POOLINGS
from bayes_scaling.arguments import make_args
from bayes_scaling.build import numpyro_model_of
from bayes_scaling.distributions import log_gamma_step
from bayes_scaling.infer.density import log_joint, sites_of
from bayes_scaling.infer.target import make_target
from bayes_scaling.resolve import resolve
from bayes_scaling.simulation import design

CONTINUOUS = [name for name in OBSERVATIONS if not OBSERVATIONS.get(name).counts]
MORE = [
    *[("chinchilla", {"pool": pool}) for pool in POOLINGS],
    *[("chinchilla", {"pool": "shared", "noise": noise}) for noise in CONTINUOUS],
    ("chinchilla", {"noise_by_family": True, "noise_trend": "N"}),
    ("chinchilla", {"priors": {"E": bs.uniform(0.5, 3.0), "alpha": bs.logitnormal(0.5, 0.4, 0.6)}}),
    ("kaplan", {"pool": "separate", "noise": "student_t"}),
    (
        "gadre",
        {"pool": "shared", "priors": {"E": dist.Gamma(9.0, 5.0), "eta": dist.Beta(3.0, 6.0)}},
    ),
]
CASES = [
    *[pytest.param((law.values[0].name, {}), marks=law.marks, id=law.id) for law in each_law()],
    *[pytest.param(case, id=f"{case[0]}-{'-'.join(case[1])}-{i}") for i, case in enumerate(MORE)],
]


@pytest.fixture(params=CASES)
def problem(request, x64):
    """A spec with its arguments and target."""
    law, options = request.param
    runs = design(bs.get_law(law))
    spec = resolve(runs, law, **options)
    args = make_args(runs, spec)
    return spec, args, make_target(spec, args)


def test_density_is_numpyros(problem, rng):
    spec, args, target = problem
    model = numpyro_model_of(spec)
    for key in jax.random.split(jax.random.key(rng.integers(2**31)), 3):
        z = np.asarray(target.draw_prior(key, args))  # far from the prior some laws have no value
        sites = {s.name: z[s.start : s.stop].reshape(s.shape) for s in target.sites}
        theirs = potential_energy(model, (args,), {}, sites)
        assert float(target.potential(z, args)) == pytest.approx(float(theirs), rel=1e-11)


def test_scaled_sites_keep_their_weight(x64, rng):
    """As with `numpyro.handlers.scale`."""

    def model(args):
        with handlers.scale(scale=3.0):
            a = numpyro.sample("a", dist.Normal(args["loc"], 2.0))
            b = numpyro.sample("b", dist.Gamma(2.0, 1.5))
        c = numpyro.sample("c", dist.LogNormal(0.3, 0.7))
        with handlers.scale(scale=10.0):
            numpyro.sample("y", dist.Normal(a + b * c, 1.0), obs=args["y"])

    args = {"loc": 0.5, "y": rng.normal(size=4)}
    sites = sites_of(model, args)
    z = rng.normal(size=3)
    theirs = potential_energy(model, (args,), {}, dict(zip("abc", z, strict=True)))
    assert -float(log_joint(model, sites, z, args)) == pytest.approx(float(theirs), rel=1e-11)


def test_draws_from_the_prior_have_its_distribution(x64):
    """Scores of each coordinate, made with NumPyro's own distributions, are uniform."""
    runs = design(bs.get_law("chinchilla"))
    spec = resolve(runs, "chinchilla", priors={"E": bs.uniform(0.5, 3.0)})
    args = make_args(runs, spec)
    target = make_target(spec, args)
    keys = jax.random.split(jax.random.key(5), 2000)
    z = jax.jit(jax.vmap(lambda k: target.draw_prior(k, args)))(keys)
    sites = jax.vmap(lambda v: target.constrain(v, args))(z)
    expected = {"tau_A": spec.law.param("A").spread, "alpha": 0.32, "nu": 6.0, "E_drift": 0.0}
    for name, median in expected.items():
        below = float(np.mean(np.asarray(sites[name]) < median))
        assert abs(below - 0.5) < 4 * 0.5 / np.sqrt(2000), (name, below)
    assert kstest(np.asarray(sites["tau_A"]) / median_scale(spec), "halfnorm").pvalue > 1e-4
    mean, sd = log_nu(spec)
    assert kstest((np.log(np.asarray(sites["nu"])) - mean) / sd, "norm").pvalue > 1e-4


def median_scale(spec):
    """Scale of the half-normal prior of the spread of A."""
    return spec.law.param("A").spread / 0.6744897501960817


def log_nu(spec):
    """Mean and sd of the logarithm of nu."""
    prior = spec.prior("nu")
    return np.log(prior.args[0]), np.log(prior.args[2] / prior.args[1]) / (2 * 1.6448536269514722)


@pytest.mark.parametrize("x", [1e-3, 0.1, 0.5, 1.0, 2.5, 17.0, 400.0, 1e6])
def test_step_of_log_gamma(x, x64):
    with mpmath.workdps(40):
        exact = float(mpmath.loggamma(mpmath.mpf(x) + 0.5) - mpmath.loggamma(mpmath.mpf(x)))
        slope = float(mpmath.digamma(mpmath.mpf(x) + 0.5) - mpmath.digamma(mpmath.mpf(x)))
    assert float(log_gamma_step(x)) == pytest.approx(exact, rel=1e-13, abs=1e-13)
    assert float(jax.grad(log_gamma_step)(x)) == pytest.approx(slope, rel=1e-12)


def test_threads_trace_models_side_by_side(x64):
    """NumPyro's handlers are one stack a process: sites of two threads must not mix."""
    spec = resolve(design(bs.get_law("chinchilla")), "chinchilla", pool="partial")
    args = make_args(design(bs.get_law("chinchilla")), spec)
    target = make_target(spec, args)
    z = np.zeros(target.dim)
    names = set(jax.eval_shape(lambda z: target.constrain(z, args), z))

    def trace(_):
        with jax.enable_x64(True):
            return set(jax.eval_shape(lambda z: target.constrain(z, args), z))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(trace, range(24))) == [names] * 24
