"""Laws of the model's build: width, streams, aspect, vocabulary, latents; Farseer's surface."""

from jax.numpy import exp, log, log10

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import floor, size_exponent
from bayes_scaling.prior import lognormal, normal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "architecture"


@law(
    params=(
        floor(),
        Param("A", priors.reducible_n(), "size constant", "parameters * nats^(1/alpha)",
              level="(A / N)**alpha", pool="partial"),
        Param("k", lognormal(0.35, 0.1, 1.0), "what e times the streams add, in sizes", "1",
              pool="partial"),
        size_exponent(),
    ),
    equation="E + (A / (N * (k * log(streams) + 1)))**alpha",
    reference={"N": 1e9, "streams": 2.0},
    topic=_TOPIC,
    cite="chen2025parscale",
    valid={"N": (5.4e8, 4.4e9), "streams": (1.0, 8.0)},
    decreasing=("N", "streams"),
    asymptote="E",
    reduces_to=(
        Reduction("power_law_with_floor", when={"k": 0.0}, params={"A": "A**alpha"},
                  inputs={"X": "N"}),
    ),
    traps=(
        "one number of training tokens: floor and exponent are a ridge",
        "N counts parameters without embeddings",
    ),
    aliases=("parscale_2025", "parallel_scaling"),
)  # fmt: skip
def parscale(N, streams, *, E, A, k, alpha):
    """P parallel streams are worth N (k log P + 1) parameters (ParScale, Chen et al. 2025)."""
    return E + (A / (N * (k * log(streams) + 1))) ** alpha


@law(
    params=(
        floor(),
        Param("A", priors.reducible_n(3e8), "size coefficient", "nats * N^alpha",
              level="A * N**-alpha", pool="partial"),
        Param("B", priors.reducible_d(), "data coefficient", "nats * D^alpha",
              level="B * D**-alpha", pool="partial"),
        Param("alpha", priors.exponent_n(), "exponent of size and of data",
              spread=priors.SPREAD_EXPONENT),
        Param("eps", lognormal(0.01, 0.002, 0.05), "penalty of width",
              level="eps * aspect**gam", latex=r"\epsilon", spread=priors.SPREAD_CONSTANT),
        Param("gam", lognormal(0.5, 0.2, 1.2), "exponent of the aspect ratio", latex=r"\gamma",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="(E + A * N**-alpha + B * D**-alpha) * (1 + eps * aspect**gam)",
    reference={"N": 3e8, "D": 2e10, "aspect": 128.0},
    topic=_TOPIC,
    cite="bian2025",
    valid={"N": (7.8e7, 1.1e9), "D": (1.6e9, 1.8e11), "aspect": (20.0, 900.0)},
    decreasing=("N", "D"),
    optimal_size="(A / B)**(1 / (2 * alpha)) * (C / 6)**0.5",
    traps=(
        "monotone in the aspect ratio: cannot show an optimum near 100",
        "the authors set gam to alpha, which pushes alpha to 0.6",
    ),
    aliases=("bian_2025", "aspect_ratio"),
)  # fmt: skip
def bian(N, D, aspect, *, E, A, B, alpha, eps, gam):
    """Chinchilla times a penalty for width over depth (Bian et al. 2025)."""
    return (E + A * N**-alpha + B * D**-alpha) * (1 + eps * aspect**gam)


@law(
    params=(
        Param("E", lognormal(5.5, 4.0, 7.0), "gain over the unigram model at best", "nats/token",
              pool="partial"),
        Param("A1", lognormal(0.1, 0.02, 0.5), "size coefficient", "nats * N^alpha",
              level="A1 * N**-alpha", pool="partial"),
        Param("A2", lognormal(0.02, 0.004, 0.1), "vocabulary coefficient", "nats * Nv^a2",
              level="A2 * Nv**-a2", pool="partial"),
        Param("B", lognormal(0.5, 0.15, 1.5), "data coefficient", "nats * D^alpha",
              level="B * D**-alpha", pool="partial"),
        Param("alpha", priors.exponent_n(), "exponent of size and of data",
              spread=priors.SPREAD_EXPONENT),
        Param("a2", lognormal(0.7, 0.2, 1.5), "vocabulary exponent",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="A1 * N**-alpha + A2 * Nv**-a2 + B * D**-alpha - E",
    response="L_unigram",
    observation="student_t",
    noise=lognormal(0.04, 0.01, 0.15),
    reference={"N": 1e9, "Nv": 3e7, "D": 1e10},
    topic=_TOPIC,
    cite="tao2024",
    valid={"N": (3.3e7, 2.9e9)},
    decreasing=("N", "Nv", "D"),
    asymptote="-E",
    traps=(
        "D is true tokens; the published constants stand for characters times f(V / 1000), a slip "
        "of the authors' script, and do not fit here",
        "N is without the vocabulary's parameters, Nv is vocabulary times width",
        "checkpoints of one run are one trajectory, and their learning rate is not decayed",
    ),
    aliases=("tao_2024", "vocabulary"),
)  # fmt: skip
def tao(N, Nv, D, *, E, A1, A2, B, alpha, a2):
    """Loss less the unigram model's by size, vocabulary parameters, data (Tao et al. 2024)."""
    return A1 * N**-alpha + A2 * Nv**-a2 + B * D**-alpha - E


@law(
    params=(
        Param("c0", lognormal(2.6, 1.8, 3.8), "loss at 1e5 entries", "nats/token", pool="partial",
              latex="c_0", spread=0.1),
        Param("c1", lognormal(0.025, 0.008, 0.06), "gain of ten times the entries", "nats/token",
              latex="c_1"),
    ),
    equation="c0 - c1 * log10(V / 1e5)",
    reference={"V": 1e5},
    topic=_TOPIC,
    cite="huang2025",
    decreasing=("V",),
    traps=("falls for ever: the n-grams that the corpus supports are a limit",),
    aliases=("huang_2025",),
)  # fmt: skip
def over_tokenized(V, *, c0, c1):
    """Loss log-linear in the input vocabulary at one size (Huang et al. 2025)."""
    return c0 - c1 * log10(V / 1e5)


@law(
    params=(
        floor("Lrest"),
        Param("Cm", priors.reducible_n(), "width coefficient", "nats * m^am",
              level="Cm * width**-am", pool="partial", latex="C_m"),
        Param("am", lognormal(0.95, 0.7, 1.3), "width exponent", latex=r"\alpha_m",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="Lrest + Cm * width**-am",
    reference={"width": 2048.0},
    topic=_TOPIC,
    cite="liu2025",
    decreasing=("width",),
    asymptote="Lrest",
    reduces_to=(Reduction("power_law", when={"Lrest": 0.0},
                          params={"A": "Cm", "alpha": "am"}, inputs={"X": "width"}),),
    traps=("depth moves with width in families of models",),
    aliases=("superposition_2025",),
)  # fmt: skip
def superposition(width, *, Lrest, Cm, am):
    """Loss by width: representations overlap, exponent near one (Liu et al. 2025)."""
    return Lrest + Cm * width**-am


_FREE = "exp(b3 - a3 * N**gam)"
_DATA = "exp(b2 + a2 * N**-bet) * D**-exp(b1 - a1 * N**alp)"


@law(
    params=(
        Param("a3", lognormal(0.12, 0.03, 0.4), "size coefficient", level="a3 * gam * N**gam",
              latex="a_3"),
        Param("gam", lognormal(0.17, 0.06, 0.5), "size exponent", latex=r"\gamma",
              spread=priors.SPREAD_EXPONENT),
        Param("b3", lognormal(0.5, 0.35, 0.7), "log of the part without data", level=_FREE,
              pool="partial", latex="b_3"),
        Param("a2", lognormal(0.8, 0.2, 3.0), "size coefficient of the data term",
              level="a2 * bet * N**-bet", latex="a_2"),
        Param("bet", lognormal(0.1, 0.03, 0.3), "size exponent of the data term", latex=r"\beta",
              spread=priors.SPREAD_EXPONENT),
        Param("b2", lognormal(0.07, 0.02, 0.25), "log coefficient of the data term", level=_DATA,
              pool="partial", latex="b_2"),
        Param("a1", lognormal(0.15, 0.04, 0.5), "size coefficient of the data exponent",
              level="a1 * alp * N**alp", latex="a_1"),
        Param("alp", lognormal(0.12, 0.04, 0.4), "size exponent of the data exponent",
              latex=r"\alpha", spread=priors.SPREAD_EXPONENT),
        Param("b1", lognormal(0.31, 0.15, 0.6), "log of the data exponent",
              level="exp(b1 - a1 * N**alp)", pool="partial", latex="b_1"),
    ),
    equation=f"{_FREE} + {_DATA}",
    response="bpc",
    reference={"N": 1e9, "D": 2e10},
    topic="size and data",
    cite="li2025farseer",
    valid={"N": (2e8, 6.4e9), "D": (2e9, 1e12)},
    decreasing=("D",),
    traps=(
        "a1, a3 and bet are those of the paper with the other sign, all positive",
        "N counts parameters without embeddings; the loss is in bits per character",
        "stretched exponentials: five sizes with five D each are the least",
        "the data exponent falls with size by assumption, and the loss may rise with N far out",
    ),
    aliases=("farseer_2025",),
)  # fmt: skip
def farseer(N, D, *, a3, gam, b3, a2, bet, b2, a1, alp, b1):
    """Data coefficient and exponent that vary with size (Farseer, Li et al. 2025, eq. 15)."""
    power = exp(b1 - a1 * N**alp)
    return exp(b3 - a3 * N**gam) + exp(b2 + a2 * N**-bet - power * log(D))


_SPARSE = "exp(al + bk * log(active_latents) + bn * log(latents)" \
          " + g * log(active_latents) * log(latents))"  # fmt: skip


@law(
    params=(
        Param("al", lognormal(0.2, 0.06, 0.7), "log coefficient of the falling part",
              level=_SPARSE, pool="partial", latex=r"\alpha"),
        Param("bk", normal(0.2, 0.2), "exponent of active latents", latex=r"\beta_k",
              pool="partial", spread=0.05),
        Param("bn", normal(0.0, 0.1), "exponent of latents", latex=r"\beta_n", pool="partial",
              spread=0.03),
        Param("g", normal(-0.04, 0.03), "interaction of the two", latex=r"\gamma",
              pool="partial", spread=0.01),
        Param("ze", lognormal(0.2, 0.06, 0.7), "log coefficient of the floor",
              level="exp(ze + et * log(active_latents))", pool="partial", latex=r"\zeta"),
        Param("et", normal(-0.1, 0.1), "exponent of active latents in the floor",
              latex=r"\eta", spread=0.03),
    ),
    equation=f"{_SPARSE} + exp(ze + et * log(active_latents))",
    response="mse",
    noise=priors.curve_scatter(),
    reference={"latents": 1e5, "active_latents": 32.0},
    topic=_TOPIC,
    cite="gao2024",
    valid={"latents": (2e3, 1.6e7), "active_latents": (8.0, 512.0)},
    traps=("the exponents of active latents in the two parts trade against each other",),
    aliases=("gao_2024", "sparse_autoencoder"),
)  # fmt: skip
def sae(latents, active_latents, *, al, bk, bn, g, ze, et):
    """Error of sparse autoencoders by latents and active latents (Gao et al. 2024)."""
    k, n = log(active_latents), log(latents)
    return exp(al + bk * k + bn * n + g * k * n) + exp(ze + et * k)
