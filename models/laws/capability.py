"""Scores of tasks from compute, or from size and data, or from another score."""

from jax.nn import sigmoid
from jax.numpy import log, log10

from bayes_scaling.models import priors
from bayes_scaling.models.laws.links import chance, lapse, observed, score
from bayes_scaling.models.laws.parts import optimal_size
from bayes_scaling.prior import logitnormal, lognormal, normal
from bayes_scaling.spec import Param, law

_TOPIC = "scores of tasks"


@law(
    params=(
        chance(),
        lapse(),
        Param("Cmid", lognormal(1.0, 0.05, 20.0), "compute half-way up", "FLOPs",
              level="(C / Cmid)**(h / log(10))", pool="partial", spread=0.8,
              latex=r"C_\mathrm{mid}"),
        Param("h", priors.logit_slope(), "rise of the logit per decade", "1 / decade"),
    ),
    equation="c + (1 - c - lapse) * sigmoid(h * log10(C / Cmid))",
    **observed(),
    reference={"C": 1e23},
    topic=_TOPIC,
    cite="owen2024",
    valid={"C": (1e20, 1e25)},
    traps=(
        "C is the compute whose optimal loss the model has, not the compute it was trained with",
        "needs models past the take-off",
        "errors grow by 0.06 with each decade ahead",
    ),
    aliases=("compute_sigmoid_2024", "benchmark_sigmoid"),
)  # fmt: skip
def compute_sigmoid(C, *, c, lapse, Cmid, h):
    """Score as a logistic curve in the log of scaled compute (Owen 2024)."""
    return score(c, lapse, h * log10(C / Cmid))


@law(
    params=(
        chance(),
        Param("h", logitnormal(0.7, 0.45, 0.87), "from the floor to the ceiling"),
        Param("alpha", normal(-1.0, 1.5), "logit at 1e22 FLOPs", pool="partial", spread=0.8),
        Param("beta", priors.logit_slope(), "rise of the logit per decade", "1 / decade"),
    ),
    equation="c + h * sigmoid(alpha + beta * log10(C / 1e22))",
    **observed(),
    reference={"C": 1e22},
    topic=_TOPIC,
    cite="ruan2024",
    valid={"C": (1e19, 1e25)},
    traps=(
        "C is the equivalent compute, read off the first principal component of base benchmarks",
        "the component carries the noise of its benchmarks: a slope fitted to it is too flat",
        "h, c and beta cannot be told apart before half of the rise",
        "families are target tasks: the compute of a family is part of the equivalent compute",
    ),
    aliases=("obs_scaling_2024",),
)  # fmt: skip
def obs_scaling(C, *, c, h, alpha, beta):
    """Score as a logistic curve in log equivalent compute (Ruan et al. 2024, one component)."""
    return c + h * sigmoid(alpha + beta * log10(C / 1e22))


@law(
    params=(
        chance(),
        Param("a", normal(-0.5, 1.2), "logit of 7e9 parameters and 1e12 tokens",
              pool="partial", spread=0.8, latex=r"\alpha"),
        Param("bN", normal(0.9, 0.43), "rise of the logit per decade of size", "1 / decade",
              latex=r"\beta_N"),
        Param("bD", normal(0.4, 0.73), "rise of the logit per decade of data", "1 / decade",
              latex=r"\beta_D"),
        Param("bX", normal(0.0, 0.3), "rise per decade of both", "1 / decade^2",
              latex=r"\beta_{ND}"),
    ),
    equation="c + (1 - c) * sigmoid(a + bN * log10(N/7e9)"
    " + (bD + bX * log10(N/7e9)) * log10(D/1e12))",
    **observed(),
    reference={"N": 7e9, "D": 1e12},
    topic=_TOPIC,
    cite="polo2024",
    valid={"N": (7e7, 2e11), "D": (1e11, 2e13)},
    traps=(
        "inside a family size and data rise together: the slope of the data leans on its prior",
        "the interaction turns the sign of a slope outside the range",
        "tuned models are families of their own",
        "one skill only: benchmarks that measure others need their own fit",
    ),
    aliases=("sloth_2024",),
)  # fmt: skip
def sloth(N, D, *, c, a, bN, bD, bX):
    """Score in log size, log data and their product; families by level (Maia Polo et al. 2024)."""
    n, d = log10(N / 7e9), log10(D / 1e12)
    return c + (1 - c) * sigmoid(a + bN * n + (bD + bX * n) * d)


@law(
    params=(
        Param("d", priors.chance(), "score of guessing"),
        Param("c", logitnormal(0.7, 0.5, 0.85), "from the floor to the ceiling"),
        Param("u", normal(1.5, 1.0), "logit of a model without loss", pool="partial", spread=0.5),
        Param("a", lognormal(0.75, 0.15, 3.0), "size coefficient", "logit * N^alpha",
              level="a * N**-alpha", pool="partial"),
        Param("b", lognormal(0.75, 0.15, 3.0), "data coefficient", "logit * D^beta",
              level="b * D**-beta", pool="partial"),
        Param("alpha", priors.exponent_n(), "size exponent", spread=priors.SPREAD_EXPONENT),
        Param("beta", priors.exponent_d(), "data exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="d + c * sigmoid(u - a * N**-alpha - b * D**-beta)",
    **observed(),
    reference={"N": 1e9, "D": 2e10},
    topic=_TOPIC,
    cite="xiao2024",
    valid={"N": (5e6, 1e10), "D": (5e7, 1e12)},
    asymptote="d + c*sigmoid(u)",
    optimal_size=optimal_size("a", B="b"),
    traps=(
        "the loss between size and score is left out: a and b are in logits, not nats",
        "an effective size read off the curve diverges at the ceiling",
        "the reference models are a hundred times smaller than those compared with them",
    ),
    aliases=("densing_score",),
)  # fmt: skip
def densing_reference(N, D, *, d, c, u, a, b, alpha, beta):
    """Score of the reference models, through their law of loss (Xiao et al. 2024)."""
    return d + c * sigmoid(u - a * N**-alpha - b * D**-beta)


@law(
    params=(
        Param("c", normal(-0.5, 0.3), "score of small models", "score", pool="partial"),
        Param("A1", lognormal(0.4, 0.12, 1.2), "rise once the task is learned", "score",
              pool="partial"),
        Param("A2", logitnormal(0.35, 0.08, 0.75), "fall while the distractor is learned", "score",
              level="A2 / A1"),
        Param("k1", lognormal(2.0, 0.7, 6.0), "steepness of the rise", "1 / decade"),
        Param("k2", lognormal(2.0, 0.7, 6.0), "steepness of the fall", "1 / decade"),
        Param("C1", lognormal(5.0, 1.3, 25.0), "compute of the rise", "FLOPs", level="C1 / C2",
              spread=0.5),
        Param("C2", lognormal(3e21, 2e20, 4.5e22), "compute of the fall", "FLOPs", pool="partial",
              spread=1.0),
    ),
    equation="c + A1 * sigmoid(k1 * log10(C / C1)) - A2 * sigmoid(k2 * log10(C / C2))",
    response="Y",
    observation="student_t",
    noise=priors.score_scatter(),
    reference={"C": 1e22},
    topic=_TOPIC,
    cite="wu2024",
    valid={"C": (1e20, 1e24)},
    traps=(
        "before the turn, its place is known from the prior alone",
        "the sum of two logistic curves stands for the paper's polynomials, which explode outside",
    ),
    aliases=("u_shape_sum",),
)  # fmt: skip
def u_shape(C, *, c, A1, A2, k1, k2, C1, C2):
    """U-shaped scores: a distractor is learned first, the task later (after Wu and Lo 2024)."""
    rise, fall = (sigmoid(k * log10(C / at)) for k, at in ((k1, C1), (k2, C2)))
    return c + A1 * rise - A2 * fall


@law(
    params=(
        Param("k", lognormal(1.7, 0.7, 3.5), "slope in the gap of logits", pool="partial"),
        Param("b", normal(-0.8, 1.2), "logit at equal capability", pool="partial", spread=0.8),
    ),
    equation="sigmoid(k * (log(p / (1 - p)) - log(q / (1 - q))) + b)",
    **observed(priors.success_scatter()),
    reference={"p": 0.5, "q": 0.5},
    topic=_TOPIC,
    cite="panfilov2025",
    valid={"p": (0.1, 0.9), "q": (0.1, 0.9)},
    traps=(
        "p and q are benchmark scores of attacker and target, with their own errors",
        "the best of 25 tries is steeper at the top than a logistic curve",
        "families are targets",
    ),
    aliases=("redteam_gap_2025",),
)  # fmt: skip
def redteam_gap(p, q, *, k, b):
    """Attack success in the gap of attacker's and target's capability (Panfilov et al. 2025)."""
    return sigmoid(k * (log(p / (1 - p)) - log(q / (1 - q))) + b)
