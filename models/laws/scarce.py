"""Laws of scarce data: repeated, synthetic, pruned, private, and ensembles on a fixed corpus."""

from jax.numpy import exp, expm1, log, minimum

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import chinchilla_params
from bayes_scaling.prior import logitnormal, lognormal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "limited data"
_UNIQUE = "min(U, D)"
_BEST = f"min(N, (alpha * A / (beta * B) * {_UNIQUE}**beta)**(1 / alpha))"


def _worth_text(amount: str, unique: str, half_life: str) -> str:
    fade = f"exp((1 - {amount} / {unique}) / {half_life})"
    return f"({unique} * (1 + {half_life} * (1 - {fade})))"


def _worth(amount, unique, half_life):
    return unique * (1 - half_life * expm1((1 - amount / unique) / half_life))


@law(
    params=(
        *chinchilla_params(),
        Param("RD", lognormal(15.0, 5.0, 45.0), "epochs in which a repeated token fades", "epochs",
              spread=priors.SPREAD_CONSTANT, latex="R_D"),
        Param("RN", lognormal(5.0, 1.0, 40.0), "sizes in which excess parameters fade", "1",
              spread=priors.SPREAD_CONSTANT, latex="R_N"),
    ),
    equation=f"E + A * {_worth_text('N', _BEST, 'RN')}**-alpha"
             f" + B * {_worth_text('D', _UNIQUE, 'RD')}**-beta",
    reference={"N": 1e9, "D": 2e10, "U": 5e9},
    topic=_TOPIC,
    cite="muennighoff2023",
    valid={"N": (7e6, 9e9), "D": (1e8, 9e11), "U": (1e8, 2e11)},
    traps=(
        "RD leans on its prior: on less than 60 epochs alone it runs away",
        "RD and beta trade against each other unless U varies at one D",
        "weight decay moves RD much; runs whose loss rises again were left out of the published "
        "fit",
    ),
    aliases=("muennighoff_2023", "data_constrained"),
)  # fmt: skip
def muennighoff(N, D, U, *, E, A, B, alpha, beta, RD, RN):
    """Repeated data fade (Muennighoff et al. 2023): N, D worth less beyond what U supports.

    Parameters beyond the compute-optimal size for U unique tokens, by this law's own A, B, alpha
    and beta, are in excess. U above D counts as D.
    """
    unique = minimum(U, D)
    log_best = (log(alpha * A / (beta * B)) + beta * log(unique)) / alpha
    best = N * exp(minimum(0.0, log_best - log(N)))
    size = A * _worth(N, best, RN) ** -alpha
    return E + size + B * _worth(D, unique, RD) ** -beta


def _asymptote(meaning: str) -> Param:
    return Param("E", lognormal(2.5, 1.2, 5.0), meaning, "nats/token", pool="partial")


@law(
    params=(
        _asymptote("loss of infinitely large models on this corpus"),
        Param("A", lognormal(0.1, 0.02, 0.5), "size coefficient", "nats * N^a", level="A * N**-a",
              pool="partial"),
        Param("a", lognormal(1.0, 0.4, 2.0), "size exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="E + A * N**-a",
    reference={"N": 5e8},
    topic=_TOPIC,
    cite="kim2025",
    valid={"N": (1.5e8, 1.4e9)},
    decreasing=("N",),
    asymptote="E",
    reduces_to=(Reduction("power_law", when={"E": 0.0}, params={"alpha": "a"},
                          inputs={"X": "N"}),),
    traps=(
        "only with weight decay tuned for each size, up to 30 times the usual",
        "four or five sizes leave the asymptote wide",
    ),
    aliases=("kim_2025", "infinite_compute_size"),
)  # fmt: skip
def kim_size(N, *, E, A, a):
    """Regularised models of growing size on one fixed corpus (Kim et al. 2025)."""
    return E + A * N**-a


@law(
    params=(
        _asymptote("loss of infinitely many members"),
        Param("A", lognormal(0.12, 0.03, 0.5), "coefficient", "nats * K^a",
              level="A * members**-a", pool="partial"),
        Param("a", lognormal(1.0, 0.5, 1.6), "exponent", spread=priors.SPREAD_EXPONENT),
    ),
    equation="E + A * members**-a",
    reference={"members": 2.0},
    topic=_TOPIC,
    cite="kim2025",
    valid={"members": (1.0, 8.0)},
    decreasing=("members",),
    asymptote="E",
    reduces_to=(Reduction("power_law", when={"E": 0.0}, params={"alpha": "a"},
                          inputs={"X": "members"}),),
    traps=("members tuned for themselves are not those tuned for the ensemble",),
    aliases=("infinite_compute_ensemble",),
)  # fmt: skip
def kim_ensemble(members, *, E, A, a):
    """Ensembles of models of one size on one fixed corpus (Kim et al. 2025)."""
    return E + A * members**-a


@law(
    params=(
        Param("A", lognormal(0.02, 0.003, 0.12), "data coefficient", "D^c", level="A * D**-c",
              pool="partial"),
        Param("F", lognormal(0.02, 0.003, 0.12), "cut coefficient", "k^(c / (1 - c))",
              level="F * cutoff**(-c / (1 - c))", pool="partial"),
        Param("c", logitnormal(0.33, 0.09, 0.6), "data exponent, 1 - 1/b of a Zipf law of rank^-b",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="A * D**-c + F * cutoff**(-c / (1 - c))",
    response="err",
    reference={"D": 1e6, "cutoff": 1e3},
    noise=priors.curve_scatter(),
    topic=_TOPIC,
    cite="dohmatob2024",
    decreasing=("D", "cutoff"),
    asymptote="0",
    traps=(
        "theory of one memorising learner: F grows in proportion to the generations of synthetic "
        "data",
    ),
    aliases=("tails", "model_collapse"),
)  # fmt: skip
def tale_of_tails(D, cutoff, *, A, F, c):
    """Test error on synthetic data whose tail is cut at a rank (Dohmatob et al. 2024)."""
    return A * D**-c + F * cutoff ** (-c / (1 - c))


@law(
    params=(
        Param("E", priors.response_floor(), "floor", "response", pool="partial"),
        Param("a", priors.response_range(), "fall from no data to the floor", "response",
              pool="partial"),
        Param("X0", priors.place(), "covariate of the first e-folding", "X", level="X0 / X",
              spread=priors.SPREAD_CONSTANT, latex="X_0"),
        Param("q", lognormal(0.3, 0.1, 1.0), "stretch", spread=priors.SPREAD_EXPONENT),
    ),
    equation="E + a * exp(-(X / X0)**q)",
    response="",
    noise=priors.curve_scatter(),
    topic="one covariate",
    cite="sorscher2022",
    asymptote="E",
    traps=(
        "a stand-in of this catalogue: the paper on data pruning gives no formula for real data",
        "compare it with power_law_with_floor by leave-one-out",
    ),
    aliases=("data_pruning",),
)  # fmt: skip
def stretched_exponential(X, *, E, a, X0, q):
    """Faster than any power, for data pruned well (after Sorscher et al. 2022)."""
    return E + a * exp(-((X / X0) ** q))


@law(
    params=(
        Param("E", priors.floor(), "irreducible loss", "nats/token", pool="partial"),
        Param("A", lognormal(0.5, 0.1, 2.5), "size coefficient", "nats * N^alpha",
              level="A * N**-alpha", pool="partial"),
        Param("B", lognormal(0.5, 0.1, 2.5), "steps coefficient", "nats * S^beta",
              level="B * S**-beta", pool="partial"),
        Param("F", lognormal(0.3, 0.03, 3.0), "noise coefficient", "nats",
              level="F * noise_batch_ratio**g * N**h", pool="partial"),
        Param("alpha", priors.exponent_n(), "size exponent", spread=priors.SPREAD_EXPONENT),
        Param("beta", priors.exponent_d(), "steps exponent", spread=priors.SPREAD_EXPONENT),
        Param("g", lognormal(0.5, 0.2, 1.5), "exponent of noise", spread=priors.SPREAD_EXPONENT),
        Param("h", lognormal(0.2, 0.05, 0.8), "exponent of size under noise",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="E + A * N**-alpha + B * S**-beta + F * noise_batch_ratio**g * N**h",
    reference={"N": 1e8, "S": 1e4, "noise_batch_ratio": 6e-5},
    topic=_TOPIC,
    cite="mckenna2025",
    valid={"N": (4e6, 7.8e8), "noise_batch_ratio": (1.2e-7, 1.6e-2)},
    decreasing=("S",),
    traps=(
        "a stand-in of this catalogue: the paper interpolates, without a formula",
        "the noise of a privacy budget comes from an accountant, not from the fit",
    ),
    aliases=("dp_lm_2025", "private"),
)  # fmt: skip
def dp_lm(N, S, noise_batch_ratio, *, E, A, B, F, alpha, beta, g, h):
    """Differentially private training: noise harms large models more (after McKenna et al.)."""
    noise = F * noise_batch_ratio**g * N**h
    return E + A * N**-alpha + B * S**-beta + noise
