"""Observation models: densities of the response itself, on whatever scale they are written."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from catalogue_draws import draw_prior
from numpyro.distributions import biject_to
from scipy import integrate, stats

from bayes_scaling._registry import OBSERVATIONS

pytestmark = pytest.mark.usefixtures("x64")
PLACES = [(2.5, 0.005), (0.7, 0.1), (9.0, 0.5)]  # a response, and a noise sd on its own scale
DRAWS = 40_000

# The same densities by SciPy, on the response scale with their Jacobian; an entry that is not
# here has the generic tests only.
SCIPY = {
    "student_t_log": lambda y, at, sd, nu: stats.t.logpdf(np.log(y), nu, at, sd) - np.log(y),
    "normal_log": lambda y, at, sd: stats.lognorm.logpdf(y, sd, scale=np.exp(at)),
    "student_t": lambda y, at, sd, nu: stats.t.logpdf(y, nu, at, sd),
    "normal": lambda y, at, sd: stats.norm.logpdf(y, at, sd),
}


def cases(observation, count=3):
    """Its distribution at several places and draws of its own parameters."""
    for i, (mean, sd) in enumerate(PLACES):
        location = np.log(mean) if observation.on == "log" else mean
        keys = jax.random.split(jax.random.key(i), len(observation.extra))
        drawn = [draw_prior(p, k, count) for (_, p), k in zip(observation.extra, keys, strict=True)]
        for row in zip(*drawn, strict=True) if drawn else [()]:
            extra = dict(zip([name for name, _ in observation.extra], map(float, row), strict=True))
            yield mean, location, sd, extra


def coordinate(found, mean):
    """A map from standardised real numbers to responses, about the centre of the draws."""
    to_response = biject_to(found.support)
    sample = to_response.inv(found.sample(jax.random.key(0), (1001,)))
    centre, width = jnp.median(sample), jnp.subtract(*jnp.quantile(sample, jnp.array([0.75, 0.25])))
    return lambda u: to_response(centre + width * u)


def density(found, mean):
    """The density over the standardised coordinate, as a function of floats."""
    response = coordinate(found, mean)

    @jax.jit
    def function(u):
        y, slope = jax.jvp(response, (u,), (1.0,))
        return jnp.exp(found.log_prob(y)) * slope

    # exp overflows far out, where an infinite density times nothing is not a number
    return lambda u: float(np.nan_to_num(function(u), nan=0.0))


def test_density_of_the_response_integrates_to_one(observation):
    for mean, location, sd, extra in cases(observation, 2):
        pdf = density(observation.build(location, sd, **extra), mean)
        ends = [-np.inf, -30.0, -3.0, 3.0, 30.0, np.inf]
        total = sum(integrate.quad(pdf, *pair, epsabs=1e-8)[0] for pair in pairwise(ends))
        assert total == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", SCIPY)
def test_log_density_agrees_with_scipy(name):
    observation = OBSERVATIONS.get(name)
    for mean, location, sd, extra in cases(observation):
        found = observation.build(location, sd, **extra)
        spread = sd * mean if observation.on == "log" else sd
        y = mean + spread * np.array([-4.0, -1.0, 0.0, 0.3, 2.0, 6.0])
        y = y[y > 0] if observation.on == "log" else y
        known = SCIPY[name](y, location, sd, **extra)
        np.testing.assert_allclose(found.log_prob(y), known, rtol=1e-10)


def test_samples_have_the_quantiles_of_the_density(observation, key):
    """The law's value is the median, and the share of draws below a point its probability."""
    for mean, location, sd, extra in cases(observation, 1):
        found = observation.build(location, sd, **extra)
        draws = np.asarray(found.sample(key, (DRAWS,)))
        assert abs((draws < mean).mean() - 0.5) < 4 * 0.5 / np.sqrt(DRAWS)
        pdf, response = density(found, mean), coordinate(found, mean)
        for u in (-1.5, -0.4, 0.9, 2.5):
            below = integrate.quad(pdf, -np.inf, -3.0)[0] + integrate.quad(pdf, -3.0, u)[0]
            error = np.sqrt(below * (1 - below) / DRAWS)
            assert abs((draws < float(response(u))).mean() - below) < 4 * error


def test_location_and_scale_broadcast(observation):
    sd = np.full((4, 1), 0.1)
    location = np.linspace(0.5, 1.5, 3)
    extra = {name: np.full((4, 1), prior.median) for name, prior in observation.extra}
    found = observation.build(location, sd, **extra)
    y = found.sample(jax.random.key(0))
    assert y.shape == found.log_prob(y).shape == (4, 3)
    assert np.isfinite(found.log_prob(y)).all()


def test_gradients_in_location_and_scale_are_finite(observation):
    for mean, location, sd, extra in cases(observation, 1):

        def log_prob(values, y=mean):
            return observation.build(**values).log_prob(y * 1.01)

        grads = jax.grad(log_prob)({"location": location, "sigma": sd, **extra})
        assert np.isfinite(list(grads.values())).all()


def test_record_is_complete(observation):
    assert observation.on in ("log", "raw")
    assert observation.summary
    assert OBSERVATIONS.get(observation.name) is observation
    assert all(not prior.is_fixed for _, prior in observation.extra)
