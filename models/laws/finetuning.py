"""Laws of what comes after pretraining: fine-tuning, transfer, reinforcement learning, merging."""

from jax.nn import sigmoid
from jax.numpy import log, log10, maximum, sqrt

from bayes_scaling.models import priors
from bayes_scaling.models.laws.links import observed
from bayes_scaling.prior import Prior, logitnormal, lognormal, normal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "after pretraining"


def _floor() -> Param:
    return Param("E", lognormal(0.4, 0.1, 1.5), "irreducible loss", "nats/token", pool="partial")


@law(
    params=(
        _floor(),
        Param("B", lognormal(3.0, 1.0, 7.0), "coefficient", "nats * Df^beta", level="B / Dl",
              pool="partial"),
        Param("Dl", lognormal(3e4, 1e3, 1e6), "data that pretraining is worth", "Df^beta",
              level="Dl**(1 / beta)", pool="partial", spread=1.0, latex="D_l"),
        Param("beta", lognormal(0.25, 0.1, 0.6), "exponent", pool="partial", spread=0.35),
    ),
    equation="E + B / (Dl + Df**beta)",
    reference={"Df": 3e4},
    topic=_TOPIC,
    cite="lin2024",
    valid={"Df": (200, 1.6e6)},
    decreasing=("Df",),
    asymptote="E",
    reduces_to=(
        Reduction("hill", params={"T": "B / Dl", "X0": "Dl**(1 / beta)", "h": "beta"},
                  inputs={"X": "Df"}),
    ),
    traps=(
        "before the bend only the loss and its slope are seen, after it only a power law",
        "E and beta trade against each other: half of the published fits put E at zero",
        "rows without fine-tuning are no points of the curve",
    ),
    aliases=("rectified_sft_2024", "rectified"),
)  # fmt: skip
def rectified_sft(Df, *, E, B, Dl, beta):
    """Rectified law: a plateau before the power law of fine-tuning data (Lin et al. 2024)."""
    return E + B / (Dl + Df**beta)


@law(
    params=(
        _floor(),
        Param("A", lognormal(0.5, 0.1, 2.0), "coefficient", "nats * N^alpha * Df^beta",
              level="A * N**-alpha * Df**-beta", pool="partial"),
        Param("alpha", lognormal(0.03, 0.006, 0.15), "size exponent",
              spread=priors.SPREAD_EXPONENT),
        Param("beta", lognormal(0.05, 0.01, 0.25), "data exponent", pool="partial"),
    ),
    equation="E + A * N**-alpha * Df**-beta",
    reference={"N": 4e9, "Df": 3e5},
    topic=_TOPIC,
    cite="zhang2024",
    valid={"N": (1e9, 1.6e10), "Df": (8e3, 2.5e7)},
    decreasing=("N", "Df"),
    asymptote="E",
    traps=(
        "E trades with exponents as small as these",
        "write finetune_mult(D, Df) for pretraining tokens in place of size",
        "families are tasks and methods: full tuning has a larger beta than LoRA or prompts",
        "the exponent of the number of tuned parameters is nearly zero, of either sign",
    ),
    aliases=("finetune_mult_2024",),
)  # fmt: skip
def finetune_mult(N, Df, *, E, A, alpha, beta):
    """Fine-tuned loss, a product of powers of size and data (Zhang et al. 2024, eq. 1)."""
    return E + A * N**-alpha * Df**-beta


@law(
    params=(
        Param("k", lognormal(3e8, 3e6, 3e10), "coefficient", "characters^(1 - alpha) / N^beta",
              level="k * Df**alpha * N**beta", pool="partial", spread=0.7),
        Param("alpha", lognormal(0.15, 0.05, 0.4), "data exponent", pool="partial", spread=0.3),
        Param("beta", lognormal(0.38, 0.2, 0.6), "size exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="k * Df**alpha * N**beta",
    response="Y",
    observation="normal_log",
    noise=priors.optimum_scatter(),
    reference={"N": 1e7, "Df": 3e6},
    topic=_TOPIC,
    cite="hernandez2021",
    valid={"N": (1e5, 1e9), "Df": (1e5, 1e8)},
    traps=(
        "the response is the data that pretraining is worth, in characters",
        "holds where Df is at most a tenth of what the model could use",
        "the response comes from two inversions of noisy losses",
        "N counts parameters without embeddings",
    ),
    aliases=("transfer_hernandez_2021", "transfer", "effective_data_transferred"),
)  # fmt: skip
def hernandez(N, Df, *, k, alpha, beta):
    """Effective data transferred, k Df^alpha N^beta (Hernandez et al. 2021, eq. 1.2)."""
    return k * Df**alpha * N**beta


@law(
    params=(
        Param("s0", normal(-0.5, 1.2), "logit at 1000 examples", pool="partial", spread=0.8),
        Param("s1", lognormal(0.35, 0.08, 1.1), "rise of the logit per decade", "1 / decade"),
    ),
    equation="sigmoid(s0 + s1 * log10(Df / 1000))",
    **observed(priors.success_scatter()),
    reference={"Df": 1000},
    topic=_TOPIC,
    cite="dong2023",
    valid={"Df": (50, 1e6)},
    traps=(
        "three or four points cannot tell it from a curve that saturates: compare with m4",
        "general ability saturates near a thousand examples, mathematics and code do not",
    ),
    aliases=("sft_loglinear", "skywork_swe"),
)  # fmt: skip
def sft_score(Df, *, s0, s1):
    """Score whose logit rises with the log of fine-tuning data (after Dong et al. 2023)."""
    return sigmoid(s0 + s1 * log10(Df / 1000))


# --- reinforcement learning ---------------------------------------------------------------------


def _goodhart(penalty: Prior) -> dict:
    """What both laws of over-optimisation share."""
    return {
        "params": (
            Param("alpha", lognormal(1.0, 0.3, 3.0), "gain per root nat", "score", pool="partial"),
            Param("beta", penalty, "how fast it is lost", "score", pool="partial"),
        ),
        "response": "Y",
        "observation": "normal",
        "noise": priors.success_scatter(),
        "topic": _TOPIC,
        "cite": "gao2022",
    }


@law(
    **_goodhart(lognormal(0.1, 0.02, 0.5)),
    equation="sqrt(KL) * (alpha - beta * sqrt(KL))",
    reference={"KL": 3},
    valid={"KL": (0.05, 10)},
    traps=(
        "of n samples KL = log n - (n - 1) / n",
        "KL of best-of-n and of reinforcement learning are not comparable",
        "families are reward models: alpha and beta are smooth in the log of their size",
    ),
    aliases=("rm_overopt_2022", "goodhart_bon"),
)  # fmt: skip
def rm_overopt_bon(KL, *, alpha, beta):
    """Gold reward of best-of-n, d (alpha - beta d) with d = sqrt(KL) (Gao et al. 2022)."""
    d = sqrt(KL)
    return d * (alpha - beta * d)


@law(
    **_goodhart(lognormal(0.3, 0.07, 1.0)),
    equation="sqrt(KL) * (alpha - beta * log(sqrt(KL)))",
    reference={"KL": 10},
    valid={"KL": (0.5, 200)},
    traps=(
        "the slope at zero is infinite",
        "KL of best-of-n and of reinforcement learning are not comparable",
        "alpha hardly changes with the size of the reward model, beta falls",
    ),
    aliases=("goodhart_rl",),
)  # fmt: skip
def rm_overopt_rl(KL, *, alpha, beta):
    """Gold reward under RL, d (alpha - beta log d) with d = sqrt(KL) (Gao et al. 2022)."""
    d = sqrt(KL)
    return d * (alpha - beta * log(d))


@law(
    params=(
        Param("R0", logitnormal(0.2, 0.05, 0.5), "pass rate before training", pool="partial",
              spread=0.5, latex="R_0"),
        Param("A", logitnormal(0.5, 0.2, 0.8), "pass rate at the end",
              level="(A - R0) / (1 - R0)", pool="partial", spread=0.5),
        Param("Cmid", lognormal(1.0, 0.03, 30.0), "compute half-way up", "FLOPs",
              level="(C / Cmid)**B", pool="partial", spread=1.0, latex=r"C_\mathrm{mid}"),
        Param("B", lognormal(1.5, 0.5, 4.0), "steepness"),
    ),
    equation="R0 + (A - R0) / (1 + (Cmid / C)**B)",
    **observed(),
    reference={"C": 1e22},
    topic=_TOPIC,
    cite="khatri2025",
    valid={"C": (1e20, 1e24)},
    asymptote="A",
    traps=(
        "A and Cmid cannot be told apart before C reaches Cmid: choose recipes by A, not early R",
        "drop the first steps; neighbours along a run are correlated",
    ),
    aliases=("rl_compute_sigmoid_2025", "scalerl"),
)  # fmt: skip
def rl_compute(C, *, R0, A, Cmid, B):
    """Pass rate in the compute of reinforcement learning, a sigmoid (Khatri et al. 2025)."""
    return R0 + (A - R0) * sigmoid(B * log(C / Cmid))


# --- merging, translation -----------------------------------------------------------------------


@law(
    params=(
        Param("L0", lognormal(0.35, 0.15, 0.8), "irreducible loss", "nats/token", pool="partial",
              latex="L_*"),
        Param("B", lognormal(0.2, 0.05, 0.8), "size coefficient", "nats * N^beta",
              level="B * N**-beta", pool="partial"),
        Param("A0", lognormal(0.1, 0.02, 0.4), "merging coefficient", "nats * N^gam",
              level="A0 * N**-gam", pool="partial"),
        Param("beta", lognormal(0.15, 0.05, 0.4), "size exponent", spread=priors.SPREAD_EXPONENT),
        Param("gam", lognormal(0.2, 0.06, 0.6), "size exponent of what merging mends",
              spread=priors.SPREAD_EXPONENT, latex=r"\gamma"),
        Param("b", lognormal(0.5, 0.1, 3.0), "experts that the base model is worth", "experts",
              pool="partial", spread=0.5),
    ),
    equation="L0 + B * N**-beta + A0 * N**-gam / (k + b)",
    reference={"N": 7e9, "k": 3},
    topic=_TOPIC,
    cite="wang2025",
    valid={"N": (5e8, 7.2e10), "k": (1, 9)},
    decreasing=("N", "k"),
    asymptote="L0",
    traps=(
        "b and A0 are correlated over the nine experts of the paper",
        "cross-entropy only: benchmarks of a merge may fall while it improves",
    ),
    aliases=("merging_2025",),
)  # fmt: skip
def merging(N, k, *, L0, B, A0, beta, gam, b):
    """Loss of k experts merged with equal weight (Wang et al. 2025)."""
    return L0 + B * N**-beta + A0 * N**-gam / (k + b)


@law(
    params=(
        Param("A", lognormal(1e13, 1e9, 1e17), "coefficient", "1 / D^alpha",
              level="A * D**alpha", pool="partial", spread=2.0),
        Param("alpha", lognormal(0.4, 0.1, 1.0), "exponent", spread=priors.SPREAD_EXPONENT),
        Param("beta", lognormal(1.0, 0.7, 1.4), "power of the logarithm"),
    ),
    equation="max(1e-6, log(A * D**alpha))**beta",
    response="Y",
    observation="normal",
    noise=priors.curve_scatter(),
    reference={"D": 1e10},
    topic=_TOPIC,
    cite="isik2024",
    valid={"D": (1e9, 1.3e11)},
    traps=(
        "the response is BLEU in points",
        "A, alpha and beta are nearly redundant over one decade: try priors={'beta': 1}",
        "with data that are not aligned, BLEU falls and rises while the loss improves",
    ),
    aliases=("bleu_log_2024",),
)  # fmt: skip
def bleu_log(D, *, A, alpha, beta):
    """BLEU after D tokens of pretraining, (log(A D^alpha))^beta (Isik et al. 2024).

    Next to nothing where the logarithm is negative, of which the paper does not speak.
    """
    return maximum(1e-6, log(A) + alpha * log(D)) ** beta
