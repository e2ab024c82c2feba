"""Quantiles of priors, also of NumPyro's distributions that have no quantile function."""

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

import bayes_scaling as bs
from bayes_scaling.catalogue import law_record
from bayes_scaling.prior import DRAWS_FOR_QUANTILES, quantile

pytestmark = pytest.mark.usefixtures("x64")
PROBS = (0.05, 0.5, 0.95)
EXP = dist.transforms.ExpTransform()
KNOWN = {  # a prior, and SciPy's distribution of the same name
    "gamma": (dist.Gamma(2.0, 1.0), stats.gamma(2.0)),
    "beta": (dist.Beta(1.5, 4.0), stats.beta(1.5, 4.0)),
    "inverse_gamma": (dist.InverseGamma(3.0, 2.0), stats.invgamma(3.0, scale=2.0)),
    "student_t": (dist.StudentT(1.0), stats.cauchy()),
    "log_gamma": (dist.TransformedDistribution(dist.Gamma(2.0, 1.0), EXP.inv), stats.loggamma(2.0)),
    "folded_t": (dist.FoldedDistribution(dist.StudentT(4.0)), stats.foldnorm),
    "normal": (dist.Normal(1.0, 2.0), stats.norm(1.0, 2.0)),
}


def true_quantile(name, prob):
    known = KNOWN[name][1]
    return stats.t(4).ppf((1 + prob) / 2) if name == "folded_t" else known.ppf(prob)


@pytest.mark.parametrize("name", KNOWN)
def test_quantiles_are_scipys(name):
    for prob in PROBS:
        found = quantile(KNOWN[name][0], prob)
        error = np.sqrt(prob * (1 - prob) / DRAWS_FOR_QUANTILES)  # of the level, by chance
        low, high = (true_quantile(name, prob + 4 * side * error) for side in (-1, 1))
        assert low <= found <= high, prob


@pytest.mark.parametrize("name", ["gamma", "student_t", "log_gamma", "folded_t"])
def test_a_law_with_such_a_prior_is_described_and_noted(name):
    """The page of the law, and what is said before a fit, need medians and quantiles."""
    priors = {"slope": KNOWN[name][0], "E": "normal(3, 1)"}
    law = bs.law_from_equation("E - slope * log(N)", inputs=("N",), priors=priors)
    record = law_record(law)
    told = next(p["prior"] for p in record["parameters"] if p["name"] == "slope")
    assert told["low"] < told["median"] < told["high"]
    assert told["median"] == pytest.approx(true_quantile(name, 0.5), abs=0.02)


def test_drawn_quantiles_are_the_same_at_every_call():
    first, again = (quantile(dist.Gamma(2.0, 1.0), 0.9) for _ in range(2))
    assert first == again
    with jax.enable_x64(False):
        assert quantile(dist.Gamma(2.0, 1.0), 0.9) == pytest.approx(first, abs=0.05)
