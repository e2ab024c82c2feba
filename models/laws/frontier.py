"""Laws of the compute-optimal frontier (Hoffmann's approaches 1 and 2)."""

from jax.numpy import log

from bayes_scaling.models import priors
from bayes_scaling.spec import Param, law

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
    response="N_opt",
    observation="normal_log",
    noise=priors.optimum_scatter(),
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
