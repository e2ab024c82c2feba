"""Laws of the compute-optimal frontier (Hoffmann's approaches 1 and 2)."""

from jax.numpy import log, log10

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import of_optimum
from bayes_scaling.spec import Param, Reduction, law

_AT = {"C": 1e20}


def _allocation() -> tuple[Param, Param]:
    size = priors.lognormal(7.5e8, 2e8, 3e9)
    return (
        Param("kN", size, "size coefficient of the optimum", "parameters / C^a",
              level="kN * C**a", pool="partial", latex="k_N"),
        Param("a", priors.exponent_allocation(), "exponent of the optimal size",
              spread=priors.SPREAD_EXPONENT),
    )  # fmt: skip


@law(
    params=(
        Param("E", priors.floor(), "irreducible loss", "nats/token", pool="partial"),
        Param("F", priors.lognormal(0.8, 0.3, 2.2), "frontier coefficient", "nats * C^g",
              level="F * C**-g", pool="partial"),
        Param("K", priors.lognormal(0.06, 0.015, 0.2), "curvature coefficient", "nats * C^g",
              level="K * C**-g", pool="partial"),
        *_allocation(),
        Param("g", priors.exponent_frontier(), "frontier exponent",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="E + C**-g * (F + K / 2 * log(N / (kN * C**a))**2)",
    reference={**_AT, "N": 7.5e8},
    topic="compute-optimal frontier",
    cite="hoffmann2022",
    valid={"C": (1e16, 3e21)},
    asymptote="",
    optimal_size="kN * C**a",
    traps=(
        "a parabola in log N is an approximation: its bias grows with the width of the grid",
        "curvature is tied to the reducible loss, as Hoffmann's approach 3 implies",
    ),
    aliases=("isoflop",),
)  # fmt: skip
def isoflop_frontier(N, C, *, E, F, K, kN, a, g):
    """All isoFLOP parabolas at once: optimum, frontier and curvature (Hoffmann approach 2)."""
    return E + C**-g * (F + K / 2 * log(N / (kN * C**a)) ** 2)


@law(
    params=_allocation(),
    equation="kN * C**a",
    **of_optimum("N_opt"),
    reference=_AT,
    topic="compute-optimal frontier",
    cite="porian2024",
    valid={"C": (1e16, 3e21)},
    asymptote="",
    traps=("the exponents of N* and D* add to one by identity: no check of the fit",),
)
def optimal_size(C, *, kN, a):
    """Compute-optimal size of fitted minima, N* = kN C^a (Hoffmann approaches 1 and 2)."""
    return kN * C**a


@law(
    params=(
        Param("kD", priors.lognormal(2.2e10, 5.6e9, 8.3e10), "data coefficient of the optimum",
              "tokens / C^b", level="kD * C**b", pool="partial", latex="k_D"),
        Param("b", priors.logitnormal(0.5, 0.35, 0.60), "exponent of the optimal data",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="kD * C**b",
    **of_optimum("D_opt"),
    reference=_AT,
    topic="compute-optimal frontier",
    cite="porian2024",
    valid={"C": (1e16, 3e21)},
    traps=("what Llama 3 publishes as its optimum is in tokens, not parameters",),
    aliases=("llama3_optimal_data",),
)  # fmt: skip
def optimal_data(C, *, kD, b):
    """Compute-optimal data of fitted minima, D* = kD C^b (Hoffmann approaches 1 and 2)."""
    return kD * C**b


@law(
    params=(
        Param("kM", priors.lognormal(1.5e9, 4e8, 6e9), "scale coefficient of the optimum",
              "FLOPs/token / C^a", level="kM * C**a", pool="partial", latex="k_M"),
        Param("a", priors.exponent_allocation(), "exponent of the optimal scale",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="kM * C**a",
    **of_optimum("scale_opt"),
    reference={"C": 1e19},
    topic="compute-optimal frontier",
    cite="deepseek2024",
    valid={"C": (1e17, 3e20)},
    traps=(
        "the better the data, the larger a: do not share it over corpora",
        "counts attention: 6 N without embeddings is 0.43 to 0.92 of it, so that a differs too",
    ),
)  # fmt: skip
def deepseek_scale(C, *, kM, a):
    """Compute-optimal model scale in FLOPs per token without embeddings (DeepSeek LLM 2024)."""
    return kM * C**a


@law(
    params=(
        Param("E", priors.floor(), "irreducible loss", "nats/token", pool="partial"),
        Param("F", priors.lognormal(0.8, 0.3, 2.2), "coefficient", "nats * C^g",
              level="F * C**-g", pool="partial"),
        Param("g", priors.exponent_frontier(), "exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="E + F * C**-g",
    reference=_AT,
    topic="compute-optimal frontier",
    cite="dey2023",
    valid={"C": (1e16, 3e23)},
    decreasing=("C",),
    asymptote="E",
    reduces_to=(Reduction("power_law", when={"E": 0.0},
                          params={"A": "F", "alpha": "g"}, inputs={"X": "C"}),),
    traps=(
        "E and g trade against each other over less than three decades",
        "public models mix tokenizers: losses per token of different ones are not comparable",
    ),
    aliases=("compute_only", "cerebras_2023"),
)  # fmt: skip
def compute_frontier(C, *, E, F, g):
    """Loss of compute-optimal models by compute, (C / C0)^-g + E (Cerebras-GPT, Dey et al. 2023).

    F is C0^g.
    """
    return E + F * C**-g


@law(
    params=(
        Param("u", priors.lognormal(0.8, 0.5, 1.3), "bits per character at 1e21 FLOPs", "bits",
              pool="partial", spread=0.1),
        Param("v", priors.lognormal(0.03, 0.01, 0.08), "gain in a decade of compute", "bits"),
    ),
    equation="u - v * log10(C / 1e21)",
    response="bpc",
    reference={"C": 1e21},
    topic="compute-optimal frontier",
    cite="guo2024",
    decreasing=("C",),
    traps=("has no floor: falls below zero far outside the data",),
    aliases=("more_compute_2024",),
)  # fmt: skip
def more_compute(C, *, u, v):
    """Bits per character linear in log compute, whatever the split (More Compute, 2024)."""
    return u - v * log10(C / 1e21)
