"""Laws of one covariate: the power law, bare and with a floor."""

from bayes_scaling.models import priors
from bayes_scaling.prior import Prior, lognormal
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
    aliases=("m1", "robomonkey_2025", "robomonkey"),
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
    aliases=("hestness_2017", "henighan_2020", "m2", "bleu_cross_entropy_2024"),
)  # fmt: skip
def power_law_with_floor(X, *, E, A, alpha):
    """A floor plus one power of any covariate (Henighan et al. 2020, eq. 1.1)."""
    return E + A * X**-alpha


def _kaplan(name: str, level: str, prior: Prior, unit: str) -> Param:
    return Param(name, prior, "constant", unit, level=level, pool="partial",
                 latex=f"{name[0]}_c")  # fmt: skip


def _kaplan_exponent(name: str, prior: Prior) -> Param:
    return Param(name, prior, "exponent of the whole loss", latex=rf"\alpha_{name[1]}",
                 spread=priors.SPREAD_EXPONENT)  # fmt: skip


_NO_FLOOR = "no floor: the exponent is that of the whole loss, smaller than beside a floor"


@law(
    params=(
        _kaplan("Nc", "(Nc / N)**aN", lognormal(2.4, 1.8, 3.2), "parameters"),
        _kaplan_exponent("aN", lognormal(0.076, 0.05, 0.12)),
    ),
    equation="(Nc / N)**aN",
    reference={"N": 1e9},
    topic="one covariate",
    cite="kaplan2020",
    valid={"N": (768, 1.5e9)},
    decreasing=("N",),
    asymptote="0",
    reduces_to=(Reduction("power_law", params={"A": "Nc**aN", "alpha": "aN"}, inputs={"X": "N"}),),
    traps=("N counts parameters without embeddings", _NO_FLOOR),
)  # fmt: skip
def kaplan_size(N, *, Nc, aN):
    """Loss by size alone, with data in plenty (Kaplan et al. 2020, eq. 1.1)."""
    return (Nc / N) ** aN


@law(
    params=(
        _kaplan("Dc", "(Dc / D)**aD", lognormal(2.1, 1.5, 3.0), "tokens"),
        _kaplan_exponent("aD", lognormal(0.1, 0.06, 0.2)),
    ),
    equation="(Dc / D)**aD",
    reference={"D": 2e10},
    topic="one covariate",
    cite="kaplan2020",
    valid={"D": (2.2e7, 2.3e10)},
    decreasing=("D",),
    asymptote="0",
    reduces_to=(Reduction("power_law", params={"A": "Dc**aD", "alpha": "aD"}, inputs={"X": "D"}),),
    traps=("D is not single-pass in the original runs, which stop early", _NO_FLOOR),
)  # fmt: skip
def kaplan_data(D, *, Dc, aD):
    """Loss by data alone, with large models stopped early (Kaplan et al. 2020, eq. 1.2)."""
    return (Dc / D) ** aD


@law(
    params=(
        _kaplan("Cc", "(Cc / C)**aC", lognormal(2.6, 1.9, 3.5), "FLOPs"),
        _kaplan_exponent("aC", lognormal(0.055, 0.035, 0.09)),
    ),
    equation="(Cc / C)**aC",
    reference={"C": 1e20},
    topic="one covariate",
    cite="kaplan2020",
    decreasing=("C",),
    asymptote="0",
    reduces_to=(Reduction("power_law", params={"A": "Cc**aC", "alpha": "aC"}, inputs={"X": "C"}),),
    traps=("C is in FLOPs; the paper's PF-day is 8.64e19 of them", _NO_FLOOR),
)  # fmt: skip
def kaplan_compute(C, *, Cc, aC):
    """Loss by compute alone, at the best size (Kaplan et al. 2020, eq. 1.3)."""
    return (Cc / C) ** aC


@law(
    params=(
        Param("A", priors.response_level(), "coefficient", "response * X^alpha",
              level="A * X**-alpha", pool="partial"),
        Param("alpha", lognormal(0.05, 0.01, 0.2), "exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="A * X**-alpha",
    response="",
    topic="one covariate",
    cite="yao2024",
    decreasing=("X",),
    asymptote="0",
    reduces_to=(Reduction("power_law"),),
    traps=(
        "a negative log-likelihood of time series can be negative: shift it first, by a stated "
        "amount",
        "in and out of distribution share the slope, not the offset",
    ),
    aliases=("tsfm_2024",),
)  # fmt: skip
def tsfm(X, *, A, alpha):
    """Time-series foundation models: one shallow power, no floor (Yao et al. 2024)."""
    return A * X**-alpha


@law(
    params=(
        Param("k", priors.response_level(), "coefficient", "response / X^p",
              level="k * X**p", pool="partial"),
        Param("p", lognormal(0.05, 0.01, 0.2), "exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="k * X**p",
    response="",
    topic="one covariate",
    cite="li2024t2i",
    traps=("a score with a bound, such as 1, must flatten before it: this one rises for ever",),
    aliases=("t2i_2024", "text_to_image"),
)  # fmt: skip
def rising_power(X, *, k, p):
    """A score that rises as a power, as text-to-image alignment does (Li et al. 2024)."""
    return k * X**p
