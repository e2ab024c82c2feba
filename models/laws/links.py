"""What laws of scores share: a floor of chance, a ceiling below one, a logistic curve between."""

from jax.nn import sigmoid

from bayes_scaling.models import priors
from bayes_scaling.prior import Prior
from bayes_scaling.spec import Param


def observed(scatter: Prior | None = None) -> dict:
    """Record of a law whose response is a score, with scatter on the raw scale."""
    noise = scatter or priors.score_scatter()
    return {"response": "acc", "observation": "student_t", "noise": noise}


def chance(prior: Prior | None = None) -> Param:
    """The floor: four options, unless said."""
    return Param("c", prior or priors.chance(), "score of guessing")


def lapse() -> Param:
    """What is missing at the ceiling."""
    return Param("lapse", priors.lapse(), "share that no model gets right", latex=r"\ell")


def score(c, lapse, logit):
    """Link from a logit to a score."""
    return c + (1 - c - lapse) * sigmoid(logit)
