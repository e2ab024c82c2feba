"""Learning curves: laws of one covariate with a plateau before, a bend within or a floor beyond."""

from jax.numpy import exp, log, logaddexp

from bayes_scaling.models import priors
from bayes_scaling.roots import share_of_log
from bayes_scaling.spec import Param, Reduction, law

_CURVE = {"response": "", "noise": priors.curve_scatter(), "topic": "one covariate"}


def _floor(name: str) -> Param:
    return Param(name, priors.response_floor(), "floor", "response", pool="partial")


def _exponent(name: str) -> Param:
    return Param(name, priors.exponent_any(), "exponent", spread=priors.SPREAD_EXPONENT)


@law(
    params=(
        _floor("e"),
        Param("b", priors.response_part(), "coefficient", "response * X^c",
              level="b * (1 / X + g)**c", pool="partial"),
        _exponent("c"),
        Param("g", priors.place(), "inverse of the covariate at which the curve goes flat",
              "1 / X", level="g * X", spread=priors.SPREAD_CONSTANT),
    ),
    equation="e + b * (1 / X + g)**c",
    **_CURVE,
    cite="alabdulmohsin2022",
    decreasing=("X",),
    asymptote="e + b * g**c",
    reduces_to=(
        Reduction("power_law_with_floor", when={"g": 0.0},
                  params={"E": "e", "A": "b", "alpha": "c"}),
    ),
    traps=("e and g both make a floor: only e + b g^c is seen beyond 1/g",),
    aliases=("m3",),
)  # fmt: skip
def shifted_power(X, *, e, b, c, g):
    """Power law that goes flat beyond a size 1/g (M3 of Alabdulmohsin et al. 2022)."""
    return e + b * (1 / X + g) ** c


@law(
    params=(
        _floor("e"),
        Param("e0", priors.response_range(), "plateau before learning", "response",
              level="e0 - e", pool="partial"),
        Param("b", priors.fallen_odds(), "coefficient", "response^(1 - alpha) * X^c",
              level="b * X**-c * (e0 - e)**(alpha - 1)", pool="partial"),
        _exponent("c"),
        Param("alpha", priors.bend(), "how slowly the plateau is left",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="e + (e0 - e) * share(b * X**-c * (e0 - e)**(alpha - 1), alpha)",
    **_CURVE,
    cite="alabdulmohsin2022",
    decreasing=("X",),
    asymptote="e",
    reduces_to=(
        Reduction("power_law_with_floor", when={"alpha": 0.0},
                  params={"E": "e", "A": "b", "alpha": "c"}),
        Reduction("hill", when={"alpha": 1.0},
                  params={"E": "e", "T": "e0 - e", "X0": "b**(1 / c)", "h": "c"}),
    ),
    traps=(
        "no response lies above e0",
        "alpha and e0 lean on their priors where the runs show no plateau",
    ),
    aliases=("alabdulmohsin_2022",),
)  # fmt: skip
def m4(X, *, e, e0, b, c, alpha):
    """Plateau, power law, floor: (y - e) / (e0 - y)^alpha = b X^-c (Alabdulmohsin et al. 2022).

    M4 of the paper, whose c is negative; y is the root.
    """
    log_ratio = log(b) - c * log(X) + (alpha - 1) * log(e0 - e)
    return e + (e0 - e) * share_of_log(log_ratio, alpha)


@law(
    params=(
        _floor("a"),
        Param("b", priors.response_part(), "coefficient", "response * X^c0",
              level="b * X**-c0 * (1 + (X / d1)**(1 / f1))**(-c1 * f1)", pool="partial"),
        Param("c0", priors.slope(), "exponent before the break", spread=priors.SPREAD_EXPONENT),
        Param("c1", priors.slope_change(), "what the break adds to the exponent",
              spread=priors.SPREAD_EXPONENT),
        Param("d1", priors.place(), "place of the break", "X", level="d1 / X",
              spread=priors.SPREAD_CONSTANT),
        Param("f1", priors.break_width(), "width of the break, e-foldings of X",
              spread=priors.SPREAD_CONSTANT),
    ),
    equation="a + b * X**-c0 * (1 + (X / d1)**(1 / f1))**(-c1 * f1)",
    **_CURVE,
    cite="caballero2022",
    traps=(
        "a break beyond the data is known from its prior alone",
        "the break may fit a bump of the noise: compare with power_law_with_floor",
    ),
    reduces_to=(
        Reduction("power_law_with_floor", when={"c1": 0.0},
                  params={"E": "a", "A": "b", "alpha": "c0"}),
    ),
    aliases=("broken_power_law", "caballero_2022"),
)  # fmt: skip
def bnsl(X, *, a, b, c0, c1, d1, f1):
    """Broken neural scaling law with one break (Caballero et al. 2022, eq. 1)."""
    bend = f1 * logaddexp(0.0, log(X / d1) / f1)
    return a + b * exp(-c0 * log(X) - c1 * bend)


@law(
    params=(
        _floor("E"),
        Param("T", priors.response_range(), "from plateau to floor", "response", pool="partial"),
        Param("X0", priors.fallen_odds(), "place half-way down", "X", level="(X0 / X)**h",
              spread=priors.SPREAD_CONSTANT),
        _exponent("h"),
    ),
    equation="E + T / (1 + (X / X0)**h)",
    **_CURVE,
    cite="arora2024",
    decreasing=("X",),
    asymptote="E",
    traps=("before the bend T and X0, beyond it T and E lean on their priors",),
    aliases=("logistic_in_log", "icl_logistic"),
)  # fmt: skip
def hill(X, *, E, T, X0, h):
    """Hill curve: logistic in log X, from a plateau to a floor (as in Arora et al. 2024)."""
    return E + T / (1 + (X / X0) ** h)


@law(
    params=(
        _floor("E"),
        Param("A", priors.response_part(), "from plateau to floor", "response",
              level="A * (1 + X / X0)**-alpha", pool="partial"),
        Param("X0", priors.place(), "place where the fall begins", "X", level="X0 / X",
              spread=priors.SPREAD_CONSTANT),
        _exponent("alpha"),
    ),
    equation="E + A * (1 + X / X0)**-alpha",
    **_CURVE,
    cite="arora2024",
    decreasing=("X",),
    asymptote="E",
    traps=("where all runs lie beyond X0, only A X0^alpha is seen",),
    aliases=("icl_bounded_power",),
)  # fmt: skip
def bounded_power(X, *, E, A, X0, alpha):
    """Power law with a plateau before it (as in Arora et al. 2024)."""
    return E + A * (1 + X / X0) ** -alpha
