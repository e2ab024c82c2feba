"""Laws of many samples: coverage, pass rates, verifiers, tournaments."""

from jax.nn import sigmoid
from jax.numpy import exp, expm1, log, log1p, log2, minimum

from bayes_scaling.gammas import log_beta
from bayes_scaling.models import priors
from bayes_scaling.models.laws.links import observed
from bayes_scaling.prior import logitnormal, lognormal, normal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "test time"
_ONE_CURVE = "points of one curve share their samples: they are not independent"


# --- repeated sampling --------------------------------------------------------------------------


@law(
    params=(
        Param("a", lognormal(4.5, 2.0, 9.0), "minus log coverage of one sample", "k^b",
              level="a * k**-b", pool="partial"),
        Param("b", lognormal(0.33, 0.18, 0.55), "exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="exp(-a * k**-b)",
    **observed(),
    reference={"k": 1},
    topic=_TOPIC,
    cite="brown2024",
    valid={"k": (1, 1e4)},
    asymptote="1",
    traps=(
        "the slope over few samples exceeds that of the tail: extrapolations promise too much",
        _ONE_CURVE,
        "coverage is not accuracy without a verifier",
        "b rises with the size of the model, from 0.19 to 0.37 in Pythia",
    ),
    aliases=("coverage_exp_power_2024", "large_language_monkeys"),
)  # fmt: skip
def coverage_power(k, *, a, b):
    """Share of problems solved by any of k samples, exp(-a k^-b) (Brown et al. 2024)."""
    return exp(-a * k**-b)


def _beta_shape() -> tuple[Param, Param]:
    return (
        Param("al", lognormal(0.25, 0.08, 0.7), "weight of hard problems, the tail's exponent",
              latex=r"\alpha"),
        Param("be", lognormal(15.0, 3.0, 90.0), "failures of a typical problem", pool="partial",
              latex=r"\beta"),
    )  # fmt: skip


def _solved(k, al, be):
    return -expm1(log_beta(al, be + k) - log_beta(al, be))


@law(
    params=_beta_shape(),
    equation="-expm1(lbeta(al, be + k) - lbeta(al, be))",
    **observed(),
    reference={"k": 30},
    topic=_TOPIC,
    cite="schaeffer2025",
    valid={"k": (1, 1e4)},
    traps=(
        _ONE_CURVE,
        "problems that were never solved may be rare or impossible",
        "samples at low temperature are not independent",
    ),
    aliases=("coverage_mixture_2025", "coverage_mixture"),
)  # fmt: skip
def coverage_beta(k, *, al, be):
    """Coverage when success rates of problems follow a Beta distribution (Schaeffer et al. 2025).

    One sample solves al / (al + be); of many, Gamma(al + be) / Gamma(be) k^-al stay unsolved.
    """
    return _solved(k, al, be)


@law(
    params=(
        *_beta_shape(),
        Param("pi0", logitnormal(0.04, 0.008, 0.17), "share of problems that cannot be solved",
              pool="partial", latex=r"\pi_0"),
    ),
    equation="(1 - pi0) * -expm1(lbeta(al, be + k) - lbeta(al, be))",
    **observed(),
    reference={"k": 30},
    topic=_TOPIC,
    cite="schaeffer2025",
    valid={"k": (1, 1e4)},
    reduces_to=(Reduction("coverage_beta", when={"pi0": 0.0}),),
    traps=(
        _ONE_CURVE,
        "pi0 and the tail's exponent trade against each other until the curve goes flat",
    ),
)  # fmt: skip
def coverage_unsolvable(k, *, al, be, pi0):
    """Coverage of a Beta population with a share of problems beyond reach."""
    return (1 - pi0) * _solved(k, al, be)


@law(
    params=(
        Param("A", lognormal(2.0, 0.5, 8.0), "coefficient", "C^kappa",
              level="A * C**-kappa", pool="partial"),
        Param("kappa", lognormal(0.2, 0.05, 0.5), "exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="A * C**-kappa",
    response="Y",
    noise=priors.curve_scatter(),
    reference={"C": 1e21},
    topic=_TOPIC,
    cite="openai2023",
    valid={"C": (1e18, 1e25)},
    decreasing=("C",),
    asymptote="0",
    reduces_to=(Reduction("power_law", params={"alpha": "kappa"}, inputs={"X": "C"}),),
    traps=(
        "the response is the mean over problems of minus log pass rate, not the log of the mean",
        "leaving out problems that were never solved selects the set",
    ),
)  # fmt: skip
def log_pass_power(C, *, A, kappa):
    """Mean of minus log pass rate as a power of compute (GPT-4 report, OpenAI 2023)."""
    return A * C**-kappa


@law(
    params=(
        Param("c", lognormal(3.0, 0.7, 12.0), "minus log pass rate", "N^alpha",
              level="c * N**-alpha", pool="partial"),
        Param("alpha", lognormal(0.2, 0.05, 0.5), "exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="exp(-c * N**-alpha)",
    response="acc",
    noise=lognormal(0.05, 0.01, 0.25),
    reference={"N": 1e9},
    topic=_TOPIC,
    cite="hu2023",
    valid={"N": (3e7, 3e9)},
    asymptote="1",
    reduces_to=(Reduction("coverage_power", params={"a": "c", "b": "alpha"}, inputs={"k": "N"}),),
    traps=(
        "after r successes in K trials (r - 1) / (K - 1) is unbiased, r / K is not",
        "minus log pass rate grows with the length of the answer",
    ),
    aliases=("pass_until_2023", "passuntil"),
)  # fmt: skip
def pass_until(N, *, c, alpha):
    """Pass rate exp(-c N^-alpha), seen by sampling until success (Hu et al. 2023)."""
    return exp(-c * N**-alpha)


# --- verifiers and tournaments ------------------------------------------------------------------


def _false_positives() -> tuple[Param, Param]:
    return (
        Param("u0", normal(-2.0, 0.9), "logit of the rate of false passes at p = 1/2",
              pool="partial", spread=0.5),
        Param("u1", normal(0.5, 0.35), "fall of it with the logit of p"),
    )  # fmt: skip


def _false_pass(p, u0, u1):
    return sigmoid(u0 - u1 * log(p / (1 - p)))


@law(
    params=_false_positives(),
    equation="p / (p + (1 - p) * sigmoid(u0 - u1 * log(p / (1 - p))))",
    **observed(),
    reference={"p": 0.3},
    topic=_TOPIC,
    cite="stroebl2024",
    valid={"p": (0.02, 0.98)},
    traps=(
        "false passes are seen only through a better verifier",
        "one success rate for all problems: over a population, average the curve",
    ),
    aliases=("imperfect_verifier_2024", "imperfect_verifier"),
)  # fmt: skip
def verified_accuracy(p, *, u0, u1):
    """Accuracy of what an imperfect verifier passes, whatever the budget (Stroebl et al. 2024)."""
    return p / (p + (1 - p) * _false_pass(p, u0, u1))


@law(
    params=_false_positives(),
    equation="1 - ((1 - p) * (1 - sigmoid(u0 - u1 * log(p / (1 - p)))))**k",
    **observed(),
    reference={"p": 0.1, "k": 4},
    topic=_TOPIC,
    cite="stroebl2024",
    valid={"p": (0.02, 0.98), "k": (1, 1e3)},
    traps=("of what is accepted only verified_accuracy is right",),
)
def verified_share(p, k, *, u0, u1):
    """Share of problems for which a verifier passes one of k samples (Stroebl et al. 2024)."""
    return -expm1(k * (log1p(-p) + log1p(-_false_pass(p, u0, u1))))


@law(
    params=(
        Param("slack", logitnormal(0.3, 0.07, 0.75), "failure as a share of the bound",
              pool="partial", spread=0.5),
        Param("pg", logitnormal(0.3, 0.08, 0.7), "chance that a candidate is right",
              pool="partial", spread=0.5, latex="p_g"),
        Param("pc", logitnormal(0.3, 0.08, 0.7), "chance that a comparison is right",
              level="2 * pc - 1", latex="p_c"),
    ),
    equation="slack * min(1, (1 - pg)**k + log2(k) * exp(-2 * J * (pc - 0.5)**2))",
    response="err",
    observation="student_t",
    noise=priors.success_scatter(),
    reference={"k": 8, "J": 16},
    topic=_TOPIC,
    cite="chen2024",
    valid={"k": (2, 64), "J": (1, 128)},
    traps=(
        "a bound, used as a curve with slack; k is a power of two",
        "where comparisons are right less than half the time, more candidates do not help",
    ),
    aliases=("knockout_2024",),
)  # fmt: skip
def knockout(k, J, *, slack, pg, pc):
    """Failure of a knockout among k candidates, J comparisons a pair (Chen et al. 2024)."""
    bound = (1 - pg) ** k + log2(k) * exp(-2 * J * (pc - 0.5) ** 2)
    return slack * minimum(1.0, bound)
