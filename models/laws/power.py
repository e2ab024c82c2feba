"""Laws of one covariate: the power law, bare and with a floor."""

from bayes_scaling.models import priors
from bayes_scaling.spec import Param, Reduction, law


def _exponent() -> Param:
    return Param("alpha", priors.exponent_any(), "exponent", spread=priors.SPREAD_EXPONENT)


@law(
    params=(
        Param("A", priors.response_level(), "coefficient", "response * X^alpha",
              level="A * X**-alpha", pool="partial"),
        _exponent(),
    ),
    equation="A * X**-alpha",
    response="",
    topic="one covariate",
    cite="hestness2017",
    decreasing=("X",),
    asymptote="0",
    traps=("has no floor: an extrapolation falls for ever",),
    aliases=("m1",),
)  # fmt: skip
def power_law(X, *, A, alpha):
    """One power of any covariate, no floor (Hestness et al. 2017)."""
    return A * X**-alpha


@law(
    params=(
        Param("E", priors.response_floor(), "floor", "response", pool="partial"),
        Param("A", priors.response_part(), "coefficient", "response * X^alpha",
              level="A * X**-alpha", pool="partial"),
        _exponent(),
    ),
    equation="E + A * X**-alpha",
    response="",
    topic="one covariate",
    cite="henighan2020",
    decreasing=("X",),
    asymptote="E",
    reduces_to=(Reduction("power_law", when={"E": 0.0}),),
    traps=("floor and exponent trade against each other over less than three decades",),
    aliases=("hestness_2017", "henighan_2020", "m2"),
)  # fmt: skip
def power_law_with_floor(X, *, E, A, alpha):
    """A floor plus one power of any covariate (Henighan et al. 2020, eq. 1.1)."""
    return E + A * X**-alpha
