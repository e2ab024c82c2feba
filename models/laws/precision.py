"""Laws of low precision: training in few bits, and rounding afterwards."""

from jax.numpy import exp, expm1, log2

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import (
    chinchilla_params,
    data_exponent,
    floor,
    optimal_size,
    size_exponent,
)
from bayes_scaling.prior import lognormal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "precision"
_ADDED = {"response": "dL", "observation": "student_t_log", "topic": _TOPIC}
_PAIRED = "near zero the difference has the noise of two runs: leave such rows out"


def _scale_bits(name: str, of: str) -> Param:
    return Param(name, lognormal(2.0, 0.7, 5.0), f"bits of {of} that keep 63 % of the size", "bits",
                 spread=priors.SPREAD_CONSTANT)  # fmt: skip


def _sensitivity(name: str, meaning: str, low: float, median: float, high: float) -> Param:
    return Param(name, lognormal(median, low, high), meaning, spread=priors.SPREAD_EXPONENT)


_KEPT = " * ".join(f"(1 - exp(-bits_{x} / g_{x}))" for x in ("w", "a", "kv"))


@law(
    params=(
        *chinchilla_params(5e8, 1e10),
        _scale_bits("g_w", "weights"),
        _scale_bits("g_a", "activations"),
        _scale_bits("g_kv", "cached keys and values"),
    ),
    equation=f"E + A * (N * {_KEPT})**-alpha + B * D**-beta",
    reference={"N": 5e8, "D": 1e10, "bits_w": 8.0, "bits_a": 8.0, "bits_kv": 8.0},
    topic=_TOPIC,
    cite="kumar2024",
    valid={"N": (3e7, 1.7e9), "D": (1e9, 2.6e10), "bits_w": (3, 16), "bits_a": (3, 16),
           "bits_kv": (3, 16)},
    decreasing=("N", "D"),
    asymptote="E",
    optimal_size=optimal_size(f"(A * ({_KEPT})**-alpha)"),
    traps=(
        "the bits of weights and activations cannot be told apart unless they vary apart",
        "flat from 8 bits on",
    ),
    aliases=("kumar_2024",),
)  # fmt: skip
def kumar(N, D, bits_w, bits_a, bits_kv, *, E, A, B, alpha, beta, g_w, g_a, g_kv):
    """Training in few bits leaves a part of the parameters (Kumar et al. 2024)."""
    kept = -expm1(-bits_w / g_w) * expm1(-bits_a / g_a) * expm1(-bits_kv / g_kv)
    return E + A * (N * kept) ** -alpha + B * D**-beta


@law(
    params=(
        Param("CT", lognormal(0.03, 0.003, 0.3), "coefficient", "nats",
              level="CT * D**gD * N**-gN * exp(-bits_w / gp)", pool="partial", latex="C_T"),
        _sensitivity("gD", "exponent of data", 0.2, 0.45, 0.9),
        _sensitivity("gN", "exponent of size", 0.2, 0.45, 0.9),
        Param("gp", lognormal(0.6, 0.3, 1.2), "bits in which the loss added falls by e", "bits",
              spread=priors.SPREAD_CONSTANT),
    ),
    equation="CT * D**gD * N**-gN * exp(-bits_w / gp)",
    noise=priors.optimum_scatter(),
    reference={"N": 1e9, "D": 2e10, "bits_w": 4.0},
    cite="kumar2024",
    valid={"N": (3e7, 1.7e9), "D": (1e9, 2.6e10), "bits_w": (3, 16)},
    decreasing=("N", "bits_w"),
    traps=("grows with data: beyond some length more data harm the rounded model", _PAIRED),
    **_ADDED,
)  # fmt: skip
def kumar_ptq(N, D, bits_w, *, CT, gD, gN, gp):
    """Loss added by rounding a trained model's weights (Kumar et al. 2024)."""
    return CT * D**gD * N**-gN * exp(-bits_w / gp)


@law(
    params=(
        Param("k", lognormal(0.05, 0.01, 0.25), "coefficient", "nats",
              level="k * D**be * N**-al * bits_w**-ga", pool="partial"),
        _sensitivity("be", "exponent of data", 0.25, 0.5, 0.9),
        _sensitivity("al", "exponent of size", 0.1, 0.25, 0.5),
        _sensitivity("ga", "exponent of bits", 3.0, 5.0, 8.0),
    ),
    equation="k * D**be * N**-al * bits_w**-ga",
    noise=priors.optimum_scatter(),
    reference={"N": 1e9, "D": 1e11, "bits_w": 4.0},
    cite="ouyang2024",
    valid={"N": (1.6e8, 1.2e10), "D": (1e9, 3e11), "bits_w": (2, 4)},
    decreasing=("N", "bits_w"),
    traps=("of one way of rounding: do not share k over methods", _PAIRED),
    aliases=("ouyang_qid_2024", "quantization_degradation"),
    **_ADDED,
)  # fmt: skip
def qid(N, D, bits_w, *, k, be, al, ga):
    """Loss added by quantisation grows with training (Ouyang et al. 2024)."""
    return k * D**be * N**-al * bits_w**-ga


_KEPT_BITS = "(gam * (bits_e + 0.5)**delta * (bits_m + 0.5)**mu)"
_ROUNDING = f"D**beta * N**-alpha * log2(block) / {_KEPT_BITS}"


@law(
    params=(
        floor("eps"),
        Param("n", priors.reducible_n(), "size coefficient", "nats * N^alpha",
              level="n * N**-alpha", pool="partial"),
        size_exponent(),
        Param("d", priors.reducible_d(1e11), "data coefficient", "nats * D^beta",
              level="d * D**-beta", pool="partial"),
        data_exponent(),
        Param("gam", lognormal(0.03, 0.003, 0.3), "how little rounding harms",
              "D^beta / (N^alpha nats)", level=_ROUNDING, pool="partial", latex=r"\gamma"),
        Param("delta", lognormal(3.0, 1.5, 5.0), "exponent of exponent bits",
              spread=priors.SPREAD_EXPONENT),
        Param("mu", lognormal(3.0, 1.5, 5.0), "exponent of mantissa bits",
              spread=priors.SPREAD_EXPONENT, latex=r"\nu"),
    ),
    equation=f"eps + n * N**-alpha + d * D**-beta + {_ROUNDING}",
    reference={"N": 1e9, "D": 1e11, "bits_e": 2.0, "bits_m": 1.0, "block": 128.0},
    topic=_TOPIC,
    cite="sun2025",
    valid={"N": (4e7, 1.2e9), "D": (1e10, 1e11), "bits_e": (1, 5), "bits_m": (1, 5),
           "block": (32, 512)},
    decreasing=("N", "bits_e", "bits_m"),
    traps=(
        "turns up: beyond (d N^alpha / kappa)^(1 / (2 beta)) tokens more data harm, with kappa = "
        "log2(block) / (gam (bits_e + 0.5)^delta (bits_m + 0.5)^mu)",
        "gam stands outside the logarithm; a transcription in circulation has it within",
    ),
    aliases=("sun_2025", "floating_point"),
)  # fmt: skip
def sun(N, D, bits_e, bits_m, block, *, eps, n, alpha, d, beta, gam, delta, mu):
    """Training in floating point of few bits (Sun et al. 2025, eq. 26); mu is the paper's nu."""
    kept = gam * (bits_e + 0.5) ** delta * (bits_m + 0.5) ** mu
    return eps + n * N**-alpha + d * D**-beta + D**beta * N**-alpha * log2(block) / kept


@law(
    params=(
        *chinchilla_params(5e8, 1e11),
        Param("k", lognormal(0.06, 0.012, 0.3), "coefficient of the loss added", "nats",
              level="k * D**gD * log2(block)**gG * N**-gN", pool="partial"),
        _sensitivity("gD", "exponent of data in the loss added", 0.02, 0.1, 0.3),
        _sensitivity("gG", "exponent of log block size", 0.2, 0.6, 1.2),
        _sensitivity("gN", "exponent of size in the loss added", 0.1, 0.25, 0.5),
    ),
    equation="E + A * N**-alpha + B * D**-beta + k * D**gD * log2(block)**gG * N**-gN",
    reference={"N": 5e8, "D": 1e11, "block": 128.0},
    topic=_TOPIC,
    cite="chen2025qat",
    valid={"N": (7e7, 9.7e8), "D": (1e10, 2e11), "block": (32, 4096)},
    decreasing=("N",),
    reduces_to=(Reduction("chinchilla", when={"k": 0.0}),),
    traps=(
        "of one format, such as 4-bit weights and activations: each has its own k, gD, gN",
        "a scale for each channel needs the channel's length as the block",
    ),
    aliases=("chen_qat", "chen_qat_2025"),
)  # fmt: skip
def qat(N, D, block, *, E, A, B, alpha, beta, k, gD, gG, gN):
    """Quantisation-aware training: loss added by size, data, block size (Chen et al. 2025)."""
    return E + A * N**-alpha + B * D**-beta + k * D**gD * log2(block) ** gG * N**-gN
