"""Laws of models that use a part of their parameters: mixtures of experts, and sparse weights."""

from jax.numpy import exp, log, log10

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import (
    data_coefficient,
    data_exponent,
    floor,
    optimal_size,
    size_coefficient,
    size_exponent,
)
from bayes_scaling.prior import lognormal, normal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "routed and sparse models"
_HAT = "(1 / (1 / (experts - 1 + 1 / (1 / Es - 1 / Em)) + 1 / Em))"
_OVER = "Es <= experts <= Em roughly bound the gain: neither is known unless the runs reach it"


def _hat(experts, Es, Em):
    """Saturating number of experts: Es at one expert, Em at infinitely many (Clark et al. 2022)."""
    return 1 / (1 / (experts - 1 + 1 / (1 / Es - 1 / Em)) + 1 / Em)


def _saturation() -> tuple[Param, Param]:
    return (
        Param("Es", lognormal(2.2, 1.3, 6.0), "effective experts of a dense model", "experts",
              pool="partial", latex=r"E_\mathrm{start}"),
        Param("Em", lognormal(350.0, 100.0, 1500.0), "effective experts at most", "experts",
              pool="partial", latex=r"E_\mathrm{max}"),
    )  # fmt: skip


@law(
    params=(
        Param("a", normal(-0.083, 0.015), "slope of log10 L in log10 N", spread=0.005),
        Param("b", lognormal(0.93, 0.86, 1.0), "slope of log10 L in log10 of effective experts",
              level="10**(b + c * log10(N))", pool="partial", spread=0.02),
        Param("c", normal(0.011, 0.0076), "how size wears the gain of experts", spread=0.003,
              pool="partial"),
        Param("d", lognormal(2.7, 2.1, 3.6), "log10 L of one parameter and one effective expert",
              level="10**(a * log10(N) + d)", spread=0.05),
        *_saturation(),
    ),
    equation=f"10**(a * log10(N) + (b + c * log10(N)) * log10{_HAT} + d)",
    reference={"N": 1e8, "experts": 32.0},
    topic=_TOPIC,
    cite="clark2022",
    valid={"N": (1.5e7, 1.3e9), "experts": (1.0, 512.0)},
    noise=lognormal(0.007, 0.002, 0.02),
    traps=(
        "constants are those of base-10 logarithms, as published",
        "N counts parameters used for one token; one number of training tokens, no floor",
        "that routing stops helping beyond 10^(-b/c) parameters is disputed by later work",
        _OVER,
    ),
    aliases=("clark_2022",),
)  # fmt: skip
def clark(N, experts, *, a, b, c, d, Es, Em):
    """Loss of routed models, bilinear in log size and log experts (Clark et al. 2022)."""
    x, y = log10(N), log10(_hat(experts, Es, Em))
    return 10 ** (a * x + (b + c * x) * y + d)


@law(
    params=(
        Param("c", priors.floor(), "irreducible loss", "nats/token", pool="partial"),
        Param("g", lognormal(0.11, 0.02, 0.6), "granularity coefficient", "nats * N^alpha",
              level="g / a * granularity**-gam", pool="partial"),
        Param("gam", lognormal(0.6, 0.2, 1.5), "granularity exponent",
              spread=priors.SPREAD_EXPONENT, latex=r"\gamma"),
        Param("a", priors.reducible_n(), "size coefficient", "nats * N^alpha",
              level="a * N**-alpha", pool="partial"),
        size_exponent(),
        Param("b", priors.reducible_d(), "data coefficient", "nats * D^beta",
              level="b * D**-beta", pool="partial"),
        data_exponent(),
    ),
    equation="c + (g / granularity**gam + a) / N**alpha + b / D**beta",
    reference={"N": 1e9, "D": 2e10, "granularity": 1.0},
    topic=_TOPIC,
    cite="krajewski2024",
    valid={"N": (1.3e8, 3.7e9), "D": (1.6e10, 1.3e11), "granularity": (1.0, 16.0)},
    decreasing=("N", "D", "granularity"),
    asymptote="c",
    optimal_size=optimal_size("(g / granularity**gam + a)", B="b"),
    traps=(
        "one number of experts, 64",
        "small exponents with a low floor, as published, are no more comparable with others than "
        "floor and exponents of any other ridge",
    ),
    aliases=("krajewski_2024", "fine_grained_moe"),
)  # fmt: skip
def krajewski(N, D, granularity, *, c, g, gam, a, alpha, b, beta):
    """Fine-grained mixtures of experts: size, data, granularity (Krajewski et al. 2024)."""
    return c + (g / granularity**gam + a) / N**alpha + b / D**beta


_LARGE = f"a * {_HAT}**dl * N**(gam * log{_HAT} - alpha)"
_LONG = f"b * {_HAT}**om * D**(zet * log{_HAT} - beta)"


@law(
    params=(
        Param("a", priors.reducible_n(), "size coefficient", "nats * N^alpha", level=_LARGE,
              pool="partial"),
        Param("dl", normal(0.0, 0.5), "exponent of experts in the size term", latex=r"\delta"),
        Param("alpha", lognormal(0.19, 0.07, 0.45), "size exponent",
              spread=priors.SPREAD_EXPONENT),
        Param("gam", normal(0.0, 0.03), "how experts change the size exponent", spread=0.005,
              latex=r"\gamma"),
        Param("b", priors.reducible_d(), "data coefficient", "nats * D^beta", level=_LONG,
              pool="partial"),
        Param("om", normal(0.0, 0.5), "exponent of experts in the data term", latex=r"\omega"),
        Param("beta", lognormal(0.19, 0.07, 0.45), "data exponent",
              spread=priors.SPREAD_EXPONENT),
        Param("zet", normal(0.0, 0.03), "how experts change the data exponent", spread=0.005,
              latex=r"\zeta"),
        Param("c", priors.floor(), "irreducible loss", "nats/token", pool="partial"),
        *_saturation(),
    ),
    equation=f"{_LARGE} + {_LONG} + c",
    reference={"N": 1e9, "D": 2e10, "experts": 8.0},
    topic=_TOPIC,
    cite="ludziejewski2025",
    optimal_size=optimal_size(f"(a * {_HAT}**dl)", f"(alpha - gam * log{_HAT})",
                              f"(b * {_HAT}**om)", f"(beta - zet * log{_HAT})"),
    traps=(
        "signs of dl, om, gam and zet are free: transcriptions of the published ones disagree, "
        "and some make the loss rise with experts",
        "N counts active parameters",
        _OVER,
    ),
    aliases=("ludziejewski_2025", "joint_moe"),
)  # fmt: skip
def ludziejewski(N, D, experts, *, a, dl, alpha, gam, b, om, beta, zet, c, Es, Em):
    """Joint law of active parameters, data and experts (Ludziejewski et al. 2025)."""
    hat = _hat(experts, Es, Em)
    large = a * hat**dl * N ** (gam * log(hat) - alpha)
    return large + b * hat**om * D ** (zet * log(hat) - beta) + c


@law(
    params=(
        Param("e", lognormal(1.0, 0.4, 2.5), "floor of dense models", "nats/token",
              pool="partial"),
        Param("a", priors.reducible_n(), "size coefficient", "nats * N^alpha",
              level="a * N**-alpha", pool="partial"),
        size_exponent(),
        Param("b", priors.reducible_d(), "data coefficient", "nats * D^beta",
              level="b * D**-beta", pool="partial"),
        data_exponent(),
        Param("c", lognormal(0.4, 0.1, 1.6), "density coefficient", "nats",
              level="c * density**-lam", pool="partial"),
        Param("lam", normal(0.0, 0.3), "density exponent", latex=r"\lambda", spread=0.05),
        Param("d", priors.reducible_n(), "coefficient of density and size", "nats * N^gam",
              level="d * density**-delta * N**-gam", pool="partial"),
        Param("delta", lognormal(0.16, 0.05, 0.5), "density exponent beside size",
              spread=priors.SPREAD_EXPONENT),
        Param("gam", lognormal(0.16, 0.065, 0.375), "size exponent beside density",
              spread=priors.SPREAD_EXPONENT, latex=r"\gamma"),
    ),
    equation="e + a * N**-alpha + b * D**-beta + c * density**-lam"
             " + d * density**-delta * N**-gam",
    reference={"N": 1e9, "D": 2e10, "density": 0.25},
    topic=_TOPIC,
    cite="abnar2025",
    valid={"density": (0.02, 1.0)},
    decreasing=("N", "D"),
    traps=(
        "density is 1 less the paper's sparsity: active over all experts; N counts all parameters",
        "two floors, e and c, and two size terms: only their sums are well known",
        "extrapolates poorly in sparsity",
    ),
    aliases=("abnar_2025", "optimal_sparsity"),
)  # fmt: skip
def abnar(N, D, density, *, e, a, alpha, b, beta, c, lam, d, delta, gam):
    """Mixtures of experts by all parameters, data and active share (Abnar et al. 2025)."""
    beside = d * density**-delta * N**-gam
    return e + a * N**-alpha + b * D**-beta + c * density**-lam + beside


@law(
    params=(
        size_coefficient(5e8),
        Param("B", lognormal(0.2, 0.04, 0.8), "experts coefficient", "nats",
              level=f"B * {_HAT}**-beta", pool="partial"),
        Param("C", priors.reducible_d(1e10), "data coefficient", "nats * D^gam",
              level="C * D**-gam", pool="partial"),
        floor("F"),
        size_exponent(),
        Param("beta", lognormal(0.3, 0.1, 1.0), "experts exponent",
              spread=priors.SPREAD_EXPONENT),
        Param("gam", priors.exponent_d(), "data exponent", spread=priors.SPREAD_EXPONENT,
              latex=r"\gamma"),
        Param("d", normal(0.0, 0.003), "interaction of log size and log experts", spread=0.001),
        *_saturation(),
    ),
    equation=f"(A * N**-alpha + B * {_HAT}**-beta + C * D**-gam + F) * exp(d * log(N) * log{_HAT})",
    reference={"N": 5e8, "D": 1e10, "experts": 8.0},
    topic=_TOPIC,
    cite="yun2024",
    valid={"N": (8e7, 6.8e8), "D": (2.5e9, 2e10), "experts": (1.0, 32.0)},
    noise=lognormal(0.004, 0.0015, 0.012),
    traps=("N counts parameters of the dense base model", _OVER),
    aliases=("yun_2024", "inference_optimal_moe"),
)  # fmt: skip
def yun(N, D, experts, *, A, B, C, F, alpha, beta, gam, d, Es, Em):
    """Mixtures of experts by base size, data and experts (Yun et al. 2024)."""
    hat = _hat(experts, Es, Em)
    total = A * N**-alpha + B * hat**-beta + C * D**-gam + F
    return total * exp(d * log(N) * log(hat))


@law(
    params=(
        Param("aS", lognormal(0.14, 0.03, 0.6), "density coefficient", "nats * N^bN",
              level="aS * density**bS * N**-bN", pool="partial", latex="a_S"),
        Param("bS", lognormal(0.7, 0.25, 2.0), "density exponent",
              spread=priors.SPREAD_EXPONENT, latex="b_S"),
        Param("cS", priors.reducible_n(1e7), "size coefficient", "nats * N^bN",
              level="cS * N**-bN", pool="partial", latex="c_S"),
        Param("bN", priors.exponent_n(), "size exponent", spread=priors.SPREAD_EXPONENT,
              latex="b_N"),
        Param("aD", priors.reducible_d(), "data constant", "tokens", level="(aD / D)**bD",
              pool="partial", latex="a_D"),
        Param("bD", priors.exponent_d(), "data exponent", spread=priors.SPREAD_EXPONENT,
              latex="b_D"),
        Param("c", lognormal(1.0, 0.4, 2.5), "irreducible loss", "nats", pool="partial"),
    ),
    equation="(aS * density**bS + cS) * N**-bN + (aD / D)**bD + c",
    reference={"N": 1e7, "D": 2e10, "density": 0.5},
    topic=_TOPIC,
    cite="frantar2023",
    decreasing=("N", "D"),
    optimal_size=optimal_size("(aS * density**bS + cS)", "bN", "aD**bD", "bD"),
    traps=(
        "density is 1 less the paper's sparsity; N counts weights that are not zero",
        "at a given N of weights that are not zero, sparser models are larger ones and do better",
    ),
    aliases=("frantar_2023", "sparse_foundation"),
)  # fmt: skip
def frantar(N, D, density, *, aS, bS, cS, bN, aD, bD, c):
    """Sparsely connected models by non-zero weights, data, density (Frantar et al. 2023)."""
    return (aS * density**bS + cS) * N**-bN + (aD / D) ** bD + c


@law(
    params=(
        floor(),
        Param("A", priors.reducible_n(), "size coefficient", "nats * N^alpha",
              level="A * N_avg**-alpha", pool="partial"),
        data_coefficient(),
        size_exponent(),
        data_exponent(),
    ),
    equation="E + A * N_avg**-alpha + B * D**-beta",
    reference={"N_avg": 1e9, "D": 2e10},
    topic=_TOPIC,
    cite="jin2025",
    decreasing=("N_avg", "D"),
    asymptote="E",
    reduces_to=(Reduction("chinchilla", inputs={"N": "N_avg"}),),
    traps=(
        "average over training, not over layers; with or without embeddings, but always the same",
        "fails for pruning that is very late or severe",
    ),
    aliases=("jin_journey_2025", "average_parameters"),
)  # fmt: skip
def jin(N_avg, D, *, E, A, B, alpha, beta):
    """Chinchilla in the parameters averaged over a pruning schedule (Jin et al. 2025)."""
    return E + A * N_avg**-alpha + B * D**-beta
