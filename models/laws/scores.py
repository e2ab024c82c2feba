"""Scores of tasks, read off the loss of a model."""

from jax.nn import softplus
from jax.numpy import exp

from bayes_scaling.models import priors
from bayes_scaling.models.laws.links import chance, lapse, observed, score
from bayes_scaling.models.laws.parts import optimal_size
from bayes_scaling.prior import Prior, logitnormal, lognormal, normal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "scores of tasks"

# --- the ladder: size and data to task loss, task loss to accuracy ----------------------------


def _task_term() -> Prior:
    return lognormal(0.15, 0.03, 0.5)


@law(
    params=(
        Param("E", lognormal(0.5, 0.2, 1.2), "irreducible task loss", "bits/byte", pool="partial"),
        Param("A", _task_term(), "size coefficient", "bits/byte * N^alpha",
              level="A * N**-alpha", pool="partial"),
        Param("B", _task_term(), "data coefficient", "bits/byte * D^beta",
              level="B * D**-beta", pool="partial"),
        Param("alpha", lognormal(0.4, 0.2, 0.8), "size exponent", pool="partial", spread=0.3),
        Param("beta", lognormal(0.25, 0.1, 0.5), "data exponent", pool="partial", spread=0.3),
    ),
    equation="E + A * N**-alpha + B * D**-beta",
    reference={"N": 1e9, "D": 2e10},
    topic=_TOPIC,
    cite="bhagia2024",
    valid={"N": (1.9e8, 1.3e9), "D": (3.8e9, 2.6e11)},
    decreasing=("N", "D"),
    asymptote="E",
    optimal_size=optimal_size(),
    reduces_to=(Reduction("chinchilla"),),
    traps=(
        "families are tasks here: exponents differ between them, from 0.2 to 0.8",
        "N counts parameters without embeddings",
        "where E runs to zero, as on CommonsenseQA, the link to accuracy absorbs it",
        "tasks whose last checkpoints scatter by a percent (BoolQ, WinoGrande) cannot be forecast",
    ),
    aliases=("task_ladder_2024", "task_ladder_loss"),
)  # fmt: skip
def ladder_loss(N, D, *, E, A, B, alpha, beta):
    """Task loss in bits/byte of the answer, from size and data (Bhagia et al. 2024, step 1)."""
    return E + A * N**-alpha + B * D**-beta


@law(
    params=(
        chance(),
        lapse(),
        Param("k", lognormal(5.0, 2.0, 13.0), "slope of the logit", "1 / loss"),
        Param("L0", lognormal(0.86, 0.6, 1.15), "loss half-way up", "bits/byte",
              pool="partial", spread=0.2),
    ),
    equation="c + (1 - c - lapse) * sigmoid(k * (L0 - T))",
    **observed(),
    reference={"T": 0.86},
    topic=_TOPIC,
    cite="bhagia2024",
    valid={"T": (0.4, 1.8)},
    decreasing=("T",),
    asymptote="c",
    traps=(
        "c is the chance of four options: pass priors={'c': 0.5} for two, {'c': 0} for none",
        "floor and ceiling are both extrapolated: a free floor is not chance",
        "points of one run are not independent",
        "an error of 5 % in the loss costs up to 7 points of accuracy",
    ),
    aliases=("task_ladder_accuracy", "llama3_score"),
)  # fmt: skip
def ladder_accuracy(T, *, c, lapse, k, L0):
    """Accuracy as a logistic curve in the task loss (Bhagia et al. 2024, step 2)."""
    return score(c, lapse, k * (L0 - T))


# --- from the loss ------------------------------------------------------------------------------


@law(
    params=(
        Param("eps", logitnormal(0.8, 0.72, 0.87), "error of a model that guesses",
              latex=r"\epsilon", spread=0.1),
        Param("k", lognormal(0.13, 0.03, 0.45), "coefficient", level="k * exp(-gam * T)",
              pool="partial"),
        Param("gam", lognormal(1.0, 0.4, 2.5), "fall per nat", "1 / nats",
              spread=priors.SPREAD_EXPONENT, latex=r"\gamma"),
    ),
    equation="eps - k * exp(-gam * T)",
    response="err",
    observation="student_t",
    noise=priors.score_scatter(),
    reference={"T": 3.0},
    topic=_TOPIC,
    cite="gadre2024",
    valid={"T": (2.2, 4.5)},
    asymptote="eps",
    traps=(
        "eps is near chance, 0.76 for the 46 tasks of the paper and 0.85 for its 17, not chance",
        "the curve has no floor: forecasts of small losses pass below zero",
        "losses on another validation set or of another tokenizer are another axis",
        "gam and k are collinear over a short range of losses",
    ),
    aliases=("loss_error_exp_2024", "gadre_error"),
)  # fmt: skip
def loss_error(T, *, eps, k, gam):
    """Average error of tasks, exponential in the loss in nats (Gadre et al. 2024, eq. 5)."""
    return eps - k * exp(-gam * T)


@law(
    params=(
        Param("eta", normal(2.2, 0.25), "loss below which the score rises", "nats/token",
              pool="partial", spread=0.1),
        Param("s", lognormal(0.5, 0.17, 1.3), "slope below it", "1 / nats", pool="partial"),
        Param("w", lognormal(0.05, 0.015, 0.17), "width of the bend", "nats"),
    ),
    equation="s * w * log1p(exp((eta - T) / w))",
    **observed(),
    reference={"T": 1.8},
    topic=_TOPIC,
    cite="du2024",
    valid={"T": (1.5, 2.6)},
    decreasing=("T",),
    asymptote="0",
    traps=(
        "scores are normalised: zero at chance, one where all is right",
        "losses of different tokenizers are not comparable",
        "runs with losses above the threshold alone say nothing of it",
        "eight of the twelve tasks of the paper have no threshold",
    ),
    aliases=("loss_threshold_2024",),
)  # fmt: skip
def loss_threshold(T, *, eta, s, w):
    """Score that rises below a threshold of the loss; a smooth hinge (Du et al. 2024)."""
    return s * w * softplus((eta - T) / w)
