"""Laws of time: what models can do at a date, and how long the tasks are that they can do."""

from jax.nn import sigmoid
from jax.numpy import exp, log2

from bayes_scaling.models import priors
from bayes_scaling.models.laws.links import observed
from bayes_scaling.prior import lognormal
from bayes_scaling.spec import Param, law

_TOPIC = "trends in time"


@law(
    params=(
        Param("h50", lognormal(1.0, 0.05, 20.0), "length done half of the time", "minutes",
              level="(h50 / H)**(s / log(2))", pool="partial", spread=1.5, latex="h_{50}"),
        Param("s", lognormal(0.4, 0.22, 0.6), "fall of the logit per doubling", "1 / doubling",
              spread=0.2),
    ),
    equation="sigmoid(s * log2(h50 / H))",
    **{**observed(priors.success_scatter()), "observation": "normal"},
    reference={"H": 30},
    topic=_TOPIC,
    cite="kwa2025",
    valid={"H": (0.02, 2900)},
    decreasing=("H",),
    asymptote="0",
    traps=(
        "tasks of one length differ: intervals without task effects are 2.5 times too narrow",
        "agents that solve almost nothing send h50 to zero",
        "rates of exactly 0 or 1 can be met without error: Student-t noise then shrinks to nothing",
        "families are agents; 80 % success is h50 * 2^(-1.386 / s), an eleventh at s = 0.4",
    ),
    aliases=("metr_horizon_2025", "metr_horizon"),
)  # fmt: skip
def metr_success(H, *, h50, s):
    """Success as a logistic curve in the log of the time a person needs (Kwa et al. 2025)."""
    return sigmoid(s * log2(h50 / H))


@law(
    params=(
        Param("h0", lognormal(30.0, 3.0, 300.0), "horizon at the origin of time", "minutes",
              level="h0 * 2**(t / Td)", pool="partial", spread=0.5, latex="h_0"),
        Param("Td", lognormal(0.58, 0.29, 1.17), "time in which it doubles", "years",
              spread=0.2, latex="T_d"),
    ),
    equation="h0 * 2**(t / Td)",
    response="Y",
    noise=lognormal(0.3, 0.1, 0.9),
    reference={"t": 14.9},
    topic=_TOPIC,
    cite="kwa2025",
    valid={"t": (9, 17)},
    traps=(
        "the frontier is the largest of noisy estimates, biased upwards",
        "t counts years since 2010-01-01, so that it is positive; the response is in minutes",
    ),
    aliases=("metr_doubling",),
)  # fmt: skip
def metr_trend(t, *, h0, Td):
    """Time horizon of the frontier, doubling every Td years (Kwa et al. 2025)."""
    return h0 * 2 ** (t / Td)


@law(
    params=(
        Param("rho0", lognormal(1.0, 0.1, 10.0), "density at the origin of time",
              level="rho0 * exp(A * t)", pool="partial", spread=0.5, latex=r"\rho_0"),
        Param("A", lognormal(2.6, 1.1, 5.5), "growth", "1 / year"),
    ),
    equation="rho0 * exp(A * t)",
    response="Y",
    noise=lognormal(0.4, 0.1, 1.2),
    reference={"t": 14.0},
    topic=_TOPIC,
    cite="xiao2024",
    valid={"t": (13, 17)},
    traps=(
        "the response is effective over actual size, whose error explodes near the ceiling",
        "the largest density at each date is biased upwards: a quantile is not",
        "depends on the benchmark and on the reference models",
        "t counts years since 2010-01-01; the paper's growth of 0.007 a day is 2.6 a year",
    ),
    aliases=("densing_2024", "densing"),
)  # fmt: skip
def densing_trend(t, *, rho0, A):
    """Capacity density of the best open models, exponential in time (Xiao et al. 2024)."""
    return rho0 * exp(A * t)
