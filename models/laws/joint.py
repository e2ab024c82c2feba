"""Laws of size and data together: Chinchilla's, its nesting family, Kaplan's, Gadre's, errors."""

from jax.numpy import sqrt

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import chinchilla_params, floor, optimal_size
from bayes_scaling.prior import logitnormal, lognormal
from bayes_scaling.spec import Param, Reduction, law

_AT = {"N": 1e9, "D": 2e10}
_RANGE = {"N": (7e7, 1.6e10), "D": (5e9, 5e11)}


@law(
    params=chinchilla_params(),
    equation="E + A * N**-alpha + B * D**-beta",
    reference=_AT,
    topic="size and data",
    cite="hoffmann2022",
    valid=_RANGE,
    decreasing=("N", "D"),
    asymptote="E",
    optimal_size=optimal_size(),
    traps=(
        "on one ray D = k N, alpha and beta cannot be told apart",
        "rows with D/N < 1 break the form",
        "narrow isoFLOP grids over-estimate E",
    ),
    aliases=("hoffmann_2022", "besiroglu_2024", "minicpm", "minicpm_2024"),
)  # fmt: skip
def chinchilla(N, D, *, E, A, B, alpha, beta):
    """Loss as floor plus one power of size and one of data (Hoffmann et al. 2022, eq. 10)."""
    return E + A * N**-alpha + B * D**-beta


@law(
    params=(
        floor(),
        Param("A", priors.reducible_n(), "size coefficient", "nats^(1/gam) * N^alpha",
              level="(A * N**-alpha)**gam", pool="partial"),
        Param("B", priors.reducible_d(), "data coefficient", "nats^(1/gam) * D^beta",
              level="(B * D**-beta)**gam", pool="partial"),
        Param("alpha", priors.exponent_n(), "size exponent inside the bracket",
              level="alpha * gam", spread=priors.SPREAD_EXPONENT),
        Param("beta", priors.exponent_d(), "data exponent inside the bracket",
              level="beta * gam", spread=priors.SPREAD_EXPONENT),
        Param("gam", priors.lognormal(1.0, 0.3, 2.0), "exponent of the bracket",
              spread=priors.SPREAD_EXPONENT, latex=r"\gamma"),
    ),
    equation="E + (A * N**-alpha + B * D**-beta)**gam",
    reference=_AT,
    topic="size and data",
    cite="busbridge2025",
    valid=_RANGE,
    decreasing=("N", "D"),
    asymptote="E",
    optimal_size=optimal_size(),
    reduces_to=(Reduction("chinchilla", when={"gam": 1.0}),),
    traps=("gam needs strongly unbalanced N and D; otherwise it trades against E",),
)  # fmt: skip
def generalized_chinchilla(N, D, *, E, A, B, alpha, beta, gam):
    """Chinchilla's bracket to a power: nests Chinchilla and Kaplan (Busbridge et al. 2025)."""
    return E + (A * N**-alpha + B * D**-beta) ** gam


@law(
    params=(
        Param("Nc", priors.lognormal(2.4, 1.8, 3.2), "size constant", "parameters",
              level="(Nc / N)**aN", pool="partial"),
        Param("Dc", priors.lognormal(2.1, 1.5, 3.0), "data constant", "tokens",
              level="(Dc / D)**aD", pool="partial"),
        Param("aN", priors.lognormal(0.076, 0.05, 0.12), "size exponent",
              spread=priors.SPREAD_EXPONENT, latex=r"\alpha_N"),
        Param("aD", priors.lognormal(0.1, 0.06, 0.2), "data exponent",
              spread=priors.SPREAD_EXPONENT, latex=r"\alpha_D"),
    ),
    equation="((Nc / N)**(aN / aD) + Dc / D)**aD",
    reference=_AT,
    topic="size and data",
    cite="kaplan2020",
    valid={"N": (768, 1.5e9), "D": (2.2e7, 2.3e10)},
    decreasing=("N", "D"),
    asymptote="0",
    optimal_size="(aN / aD * Nc**(aN / aD) / Dc * C / 6)**(aD / (aN + aD))",
    reduces_to=(
        Reduction(
            "generalized_chinchilla",
            params={"E": "0", "A": "Nc**(aN/aD)", "B": "Dc", "alpha": "aN/aD", "beta": "1",
                    "gam": "aD"},
        ),
    ),
    traps=(
        "N counts parameters without embeddings",
        "D is not single-pass in the original runs; there is no floor",
    ),
    aliases=("kaplan_2020",),
)  # fmt: skip
def kaplan(N, D, *, Nc, Dc, aN, aD):
    """Kaplan's joint law of size and data, without a floor (Kaplan et al. 2020, eq. 1.5)."""
    return ((Nc / N) ** (aN / aD) + Dc / D) ** aD


@law(
    params=(
        floor(),
        Param("a", priors.reducible_n(), "coefficient that grows with over-training",
              level="a * M**eta * C**-eta", pool="partial"),
        Param("b", priors.reducible_d(), "coefficient that falls with over-training",
              level="b * M**-eta * C**-eta", pool="partial"),
        Param("eta", priors.lognormal(0.16, 0.07, 0.37), "compute exponent",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="E + (a * M**eta + b * M**-eta) * C**-eta",
    reference={"C": 1.2e20, "M": 20.0},
    topic="size and data",
    cite="gadre2024",
    valid={"C": (3e15, 3e22), "M": (5, 640)},
    decreasing=("C",),
    asymptote="",
    optimal_size="(C / 6)**0.5 * (a / b)**(1 / (4 * eta))",
    reduces_to=(
        Reduction(
            "chinchilla",
            params={"E": "E", "A": "a*6**-eta", "B": "b*6**-eta", "alpha": "2*eta",
                    "beta": "2*eta"},
            inputs={"N": "(C/(6*M))**0.5", "D": "(C*M/6)**0.5"},
        ),
    ),
    traps=("alpha = beta by construction, so size and data grow in proportion at the optimum",),
    aliases=("gadre_2024",),
)  # fmt: skip
def gadre(C, M, *, E, a, b, eta):
    """Over-training law in compute and tokens per parameter (Gadre et al. 2024, eq. 4)."""
    return E + (a * M**eta + b * M**-eta) * C**-eta


@law(
    params=(
        Param("e0", logitnormal(0.85, 0.5, 0.97), "error of a model that guesses",
              latex=r"\epsilon_0", pool="partial", spread=0.1),
        Param("A", lognormal(0.15, 0.02, 1.0), "size coefficient", "N^alpha",
              level="A * N**-alpha", pool="partial"),
        Param("B", lognormal(0.15, 0.02, 1.0), "data coefficient", "D^beta",
              level="B * D**-beta", pool="partial"),
        Param("c", lognormal(0.1, 0.01, 0.7), "what no model and no data remove", pool="partial"),
        Param("alpha", priors.exponent_any(), "size exponent", spread=priors.SPREAD_EXPONENT),
        Param("beta", priors.exponent_any(), "data exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="e0 * (A * N**-alpha + B * D**-beta + c)"
    " / sqrt(1 + (A * N**-alpha + B * D**-beta + c)**2)",
    response="err",
    observation="student_t",
    noise=priors.score_scatter(),
    reference={"N": 1e7, "D": 1e6},
    topic="size and data",
    cite="rosenfeld2020",
    valid={"N": (1e4, 1e9), "D": (1e3, 1e9)},
    decreasing=("N", "D"),
    asymptote="e0 * c / sqrt(1 + c**2)",
    optimal_size=optimal_size(),
    traps=(
        "D counts training examples, words for language models",
        "A, B and c are in units of the paper's eta, which only scales the three",
        "without runs near guessing e0 is its prior",
    ),
)  # fmt: skip
def rosenfeld(N, D, *, e0, A, B, c, alpha, beta):
    """Error from guessing to a floor by size and data (Rosenfeld et al. 2020)."""
    fallen = A * N**-alpha + B * D**-beta + c
    return e0 * fallen / sqrt(1 + fallen**2)
