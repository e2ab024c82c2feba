"""Optimal learning rates and batch sizes, and the loss about them."""

from jax.numpy import exp, log, tanh

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import floor, of_optimum, size_coefficient, size_exponent
from bayes_scaling.prior import lognormal, normal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "hyper-parameters"
_FLAT = "optima are flat: twice the optimal learning rate costs about 0.3 %"
_SCHEDULE = "holds for its schedule and weight decay: constants do not carry over to others"


def _exponent(name: str, of: str, mean: float, sd: float) -> Param:
    return Param(name, normal(mean, sd), f"exponent of {of}", spread=0.05)


@law(
    params=(
        Param("k", lognormal(1.5e-3, 3e-4, 7.5e-3), "coefficient", "1 / (N^cN D^cD)",
              level="k * N**cN * D**cD", pool="partial"),
        _exponent("cN", "size", -0.5, 0.21),
        _exponent("cD", "data", 0.15, 0.24),
    ),
    equation="k * N**cN * D**cD",
    **of_optimum("lr_opt"),
    topic=_TOPIC,
    reference={"N": 5e8, "D": 2e10},
    cite="li2025step",
    valid={"N": (6e7, 1.07e9), "D": (2e9, 1e11)},
    traps=("N counts parameters without embeddings", _FLAT, _SCHEDULE),
    aliases=("step_law", "step_law_2025"),
)  # fmt: skip
def step_law_lr(N, D, *, k, cN, cD):
    """Optimal peak learning rate of AdamW by size and data (Step Law, Li et al. 2025)."""
    return k * N**cN * D**cD


@law(
    params=(
        Param("k", lognormal(4.4e5, 1.1e5, 1.8e6), "coefficient", "tokens / D^bD",
              level="k * D**bD", pool="partial"),
        _exponent("bD", "data", 0.5, 0.15),
    ),
    equation="k * D**bD",
    **of_optimum("B_opt"),
    topic=_TOPIC,
    reference={"D": 2e10},
    cite="li2025step",
    valid={"D": (2e9, 1e11)},
    traps=(
        "published exponents disagree, 0.571 and 0.383, with schedule and weight decay: do not "
        "pool over recipes",
        _FLAT,
    ),
    aliases=("power_lines_batch",),
)  # fmt: skip
def step_law_batch(D, *, k, bD):
    """Optimal batch size in tokens by data (Step Law, Li et al. 2025)."""
    return k * D**bD


def _curvature(name: str, of: str) -> Param:
    return Param(name, lognormal(0.013, 0.004, 0.04), f"curvature of log loss in log {of}",
                 spread=priors.SPREAD_CONSTANT)  # fmt: skip


@law(
    params=(
        floor(),
        size_coefficient(5e8),
        Param("F", priors.reducible_d(), "data coefficient", "nats * D^beta",
              level="F * D**-beta", pool="partial"),
        size_exponent(),
        Param("beta", priors.exponent_d(), "data exponent", spread=priors.SPREAD_EXPONENT),
        Param("k", lognormal(1.5e-3, 3e-4, 7.5e-3), "coefficient of the learning rate",
              level="k * N**cN * D**cD", pool="partial"),
        _exponent("cN", "size in the learning rate", -0.5, 0.21),
        _exponent("cD", "data in the learning rate", 0.15, 0.24),
        Param("q", lognormal(4.4e5, 1.1e5, 1.8e6), "coefficient of the batch size",
              "tokens / D^bD", level="q * D**bD", pool="partial"),
        _exponent("bD", "data in the batch size", 0.5, 0.15),
        _curvature("h", "learning rate"),
        _curvature("g", "batch size"),
        Param("z", normal(-0.3, 0.2), "inverse hyperbolic tangent of the basin's correlation",
              spread=0.1),
    ),
    equation="(E + A * N**-alpha + F * D**-beta) * exp(h / 2 * log(lr / (k * N**cN * D**cD))**2"
             " + g / 2 * log(B / (q * D**bD))**2 + tanh(z) * sqrt(h * g)"
             " * log(lr / (k * N**cN * D**cD)) * log(B / (q * D**bD)))",
    reference={"N": 5e8, "D": 2e10, "lr": 1.5e-3, "B": 4.4e5},
    topic=_TOPIC,
    cite="li2025step",
    valid={"N": (6e7, 1.07e9), "D": (2e9, 1e11), "lr": (1e-4, 1e-2), "B": (3e4, 4e6)},
    traps=(
        "N counts parameters without embeddings",
        "the basin is a parabola in the logarithms: runs far from the optimum, and those that "
        "diverged, bend it",
        _FLAT,
    ),
    aliases=("lr_batch_basin",),
)  # fmt: skip
def step_law_surface(N, D, lr, B, *, E, A, F, alpha, beta, k, cN, cD, q, bD, h, g, z):
    """Chinchilla's loss times a basin in learning rate and batch size (after Step Law 2025)."""
    u = log(lr / (k * N**cN * D**cD))
    v = log(B / (q * D**bD))
    away = h / 2 * u**2 + g / 2 * v**2 + tanh(z) * (h * g) ** 0.5 * u * v
    return (E + A * N**-alpha + F * D**-beta) * exp(away)


@law(
    params=(
        Param("kt", lognormal(0.22, 0.07, 0.7), "coefficient", level="kt * M**mt",
              pool="partial", latex="k_t"),
        _exponent("mt", "tokens per parameter", -0.5, 0.12),
    ),
    equation="kt * M**mt",
    **of_optimum("timescale"),
    topic=_TOPIC,
    reference={"M": 20.0},
    cite="bergsma2025",
    valid={"M": (1.0, 1000.0)},
    traps=(
        "only learning rate times weight decay enters: do not fit the two apart at one width",
        "linear in batch size only below the critical one",
    ),
    aliases=("power_lines", "power_lines_2025"),
)  # fmt: skip
def power_lines_timescale(M, *, kt, mt):
    """Optimal AdamW timescale B / (lr lambda D) by tokens per parameter (Power Lines 2025)."""
    return kt * M**mt


@law(
    params=(
        Param("kc", lognormal(5.5e6, 1.6e6, 1.8e7), "coefficient", "tokens / D^mc",
              level="kc * D**mc", pool="partial", latex="k_c"),
        _exponent("mc", "data", 0.47, 0.106),
    ),
    equation="kc * D**mc",
    **of_optimum("B_crit"),
    topic=_TOPIC,
    reference={"D": 2e10},
    cite="bergsma2025",
    traps=("the prior's level is 2700 sequences of 2048 tokens",),
    aliases=("critical_batch",),
)  # fmt: skip
def power_lines_critical_batch(D, *, kc, mc):
    """Critical batch size, where steps and tokens are both doubled (Power Lines 2025)."""
    return kc * D**mc


@law(
    params=(
        Param("k", lognormal(1.3e-3, 3e-4, 6e-3), "coefficient", "1 / C^p",
              level="k * C**p", pool="partial"),
        _exponent("p", "compute", -0.12, 0.076),
    ),
    equation="k * C**p",
    **of_optimum("lr_opt"),
    topic=_TOPIC,
    reference={"C": 1e19},
    cite="deepseek2024",
    valid={"C": (1e17, 2e19)},
    traps=("compute confounds size and data: holds at one number of tokens per parameter", _FLAT),
    aliases=("deepseek_llm_2024",),
)  # fmt: skip
def deepseek_lr(C, *, k, p):
    """Optimal learning rate by compute (DeepSeek LLM 2024)."""
    return k * C**p


@law(
    params=(
        Param("k", lognormal(4.8e5, 1.2e5, 1.9e6), "coefficient", "tokens / C^p",
              level="k * C**p", pool="partial"),
        _exponent("p", "compute", 0.33, 0.106),
    ),
    equation="k * C**p",
    **of_optimum("B_opt"),
    topic=_TOPIC,
    reference={"C": 1e19},
    cite="deepseek2024",
    valid={"C": (1e17, 2e19)},
    traps=("compute confounds size and data: holds at one number of tokens per parameter", _FLAT),
)  # fmt: skip
def deepseek_batch(C, *, k, p):
    """Optimal batch size in tokens by compute (DeepSeek LLM 2024)."""
    return k * C**p


@law(
    params=(
        Param("k", lognormal(1.3e6, 3e5, 5e6), "coefficient", "tokens * nats^p",
              level="k * L_target**-p", pool="partial"),
        Param("p", lognormal(6.0, 3.0, 10.0), "exponent of the loss",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="k * L_target**-p",
    **of_optimum("B_opt"),
    topic=_TOPIC,
    reference={"L_target": 3.0},
    cite="hu2024",
    valid={"L_target": (2.0, 6.0)},
    decreasing=("L_target",),
    asymptote="0",
    traps=("depends on the tokenizer and the corpus through the loss", _FLAT),
    aliases=("minicpm_batch_2024",),
)  # fmt: skip
def minicpm_batch(L_target, *, k, p):
    """Optimal batch size in tokens by the loss aimed at (MiniCPM, Hu et al. 2024)."""
    return k * L_target**-p


@law(
    params=(
        Param("k", lognormal(4e-3, 1e-3, 1.5e-2), "coefficient", "1 / tokens^(1 + b)",
              level="k * B * D**b", pool="partial"),
        _exponent("b", "tokens", -0.5, 0.12),
    ),
    equation="k * B * D**b",
    **of_optimum("lr_opt"),
    topic=_TOPIC,
    reference={"B": 5.2e5, "D": 1e10},
    cite="shen2024power",
    traps=(
        "linear in the batch size only well below the critical one",
        "one law for all sizes only under muP",
    ),
    aliases=("shen_power_2024",),
)  # fmt: skip
def power_scheduler(B, D, *, k, b):
    """Optimal learning rate by batch size and tokens seen (Power Scheduler, Shen et al. 2024)."""
    return k * B * D**b


@law(
    params=(
        Param("A", lognormal(2.5e-4, 5e-5, 1.3e-3), "coefficient", "1 / N^alpha",
              level="A * N**alpha * replicas**beta", pool="partial"),
        _exponent("alpha", "size", -0.8, 0.2),
        _exponent("beta", "replicas", 0.3, 0.2),
    ),
    equation="A * N**alpha * replicas**beta",
    **of_optimum("lr_opt"),
    topic=_TOPIC,
    reference={"N": 1e9, "replicas": 1.0},
    cite="charles2025",
    valid={"N": (3.5e7, 2.4e9), "replicas": (1.0, 8.0)},
    traps=("of the inner optimiser, at 20 tokens per parameter and 30 steps apart", _FLAT),
)  # fmt: skip
def diloco_lr(N, replicas, *, A, alpha, beta):
    """Optimal inner learning rate of DiLoCo (Charles et al. 2025)."""
    return A * N**alpha * replicas**beta


@law(
    params=(
        Param("A", lognormal(2.4e5, 5e4, 1.2e6), "coefficient", "tokens / N^alpha",
              level="A * N**alpha * replicas**beta", pool="partial"),
        _exponent("alpha", "size", 0.4, 0.15),
        _exponent("beta", "replicas", 0.3, 0.2),
    ),
    equation="A * N**alpha * replicas**beta",
    **of_optimum("B_opt"),
    topic=_TOPIC,
    reference={"N": 1e9, "replicas": 1.0},
    cite="charles2025",
    valid={"N": (3.5e7, 2.4e9), "replicas": (1.0, 8.0)},
    traps=(
        "published coefficients look like sequences of 2048 tokens; here tokens",
        _FLAT,
    ),
)  # fmt: skip
def diloco_batch(N, replicas, *, A, alpha, beta):
    """Optimal global batch size of DiLoCo in tokens (Charles et al. 2025)."""
    return A * N**alpha * replicas**beta


@law(
    params=(
        Param("A", lognormal(2.5, 2.2, 2.9), "coefficient", "nats * N^alpha",
              level="A * N**-alpha * replicas**beta", pool="partial"),
        Param("alpha", lognormal(0.095, 0.07, 0.125), "exponent of size",
              spread=priors.SPREAD_EXPONENT),
        Param("beta", normal(0.012, 0.009), "exponent of replicas", spread=0.005),
    ),
    equation="A * N**-alpha * replicas**beta",
    reference={"N": 1e9, "replicas": 1.0},
    topic="training",
    cite="charles2025",
    valid={"N": (3.5e7, 2.4e9), "replicas": (1.0, 8.0)},
    decreasing=("N",),
    asymptote="",
    reduces_to=(
        Reduction("power_law", when={"beta": 0.0}, params={"A": "A"}, inputs={"X": "N"}),
    ),
    traps=("no floor and 20 tokens per parameter: alpha is that of the whole loss",),
    aliases=("charles_2025", "local_sgd"),
)  # fmt: skip
def diloco(N, replicas, *, A, alpha, beta):
    """Loss of models trained apart by size and number of replicas (DiLoCo, Charles et al. 2025)."""
    return A * N**-alpha * replicas**beta
