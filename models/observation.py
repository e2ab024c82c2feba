"""Observation models: how a run's response scatters about the law.

Each builds a NumPyro distribution of the response itself, so that predictive draws are losses and
elpd values are comparable between models on the log and on the raw scale.
"""

import numpyro.distributions as dist

from bayes_scaling.distributions import ShareOfItems, StudentT
from bayes_scaling.models import priors
from bayes_scaling.spec import observation

_EXP = dist.transforms.ExpTransform


@observation(on="log", extra={"nu": priors.degrees_of_freedom()})
def student_t_log(location, sigma, nu):
    """Student-t on the log response: relative scatter with room for stray runs."""
    return dist.TransformedDistribution(StudentT(nu, location, sigma), _EXP())


@observation(on="log")
def normal_log(location, sigma):
    """Normal on the log response: relative scatter."""
    return dist.LogNormal(location, sigma)


@observation(on="raw", extra={"nu": priors.degrees_of_freedom()})
def student_t(location, sigma, nu):
    """Student-t on the response: for losses that may be negative, with stray runs."""
    return StudentT(nu, location, sigma)


@observation(on="raw")
def normal(location, sigma):
    """Normal on the response: for losses that may be negative."""
    return dist.Normal(location, sigma)


@observation(on="raw", counts=True)
def beta_binomial(location, sigma, trials):
    """Counted share: binomial over the items, with scatter between runs beyond it."""
    return ShareOfItems(location, sigma, trials)
