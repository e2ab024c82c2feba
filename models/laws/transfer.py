"""Laws of a model that learns from another one, another corpus or another task."""

from jax.numpy import exp, log, logaddexp, maximum

from bayes_scaling.models import priors
from bayes_scaling.models.laws.parts import (
    floor,
    optimal_size,
    size_coefficient,
    size_exponent,
)
from bayes_scaling.prior import halfnormal, lognormal
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "transfer"


def _translation_floor() -> Param:
    return Param("Linf", lognormal(1.0, 0.3, 2.5), "irreducible loss", "nats/token",
                 pool="partial", latex=r"L_\infty")  # fmt: skip


@law(
    params=(
        Param("c0", lognormal(2.5, 1.0, 5.0), "exponent of the teacher's loss",
              spread=priors.SPREAD_EXPONENT, latex="c_0"),
        Param("c1", lognormal(40.0, 5.0, 150.0), "what a better teacher gains", level="c1 * f1",
              spread=priors.SPREAD_CONSTANT, latex="c_1"),
        Param("d1", lognormal(1.3, 1.0, 1.8), "teacher's loss over own, where the capacity gap "
              "ends", spread=priors.SPREAD_EXPONENT, latex="d_1"),
        Param("f1", lognormal(0.1, 0.02, 0.5), "width of that break",
              spread=priors.SPREAD_CONSTANT, latex="f_1"),
        Param("A", priors.reducible_n(), "size coefficient", "N^alpha",
              level="L_teacher**-c0 * (A * N**-alpha)**gam", pool="partial"),
        Param("B", lognormal(0.1, 0.004, 2.5), "data coefficient", "D^beta",
              level="L_teacher**-c0 * (B * D**-beta)**gam", pool="partial"),
        Param("alpha", priors.exponent_n(), "size exponent inside the bracket",
              level="alpha * gam", spread=priors.SPREAD_EXPONENT),
        Param("beta", priors.exponent_d(), "data exponent inside the bracket",
              level="beta * gam", spread=priors.SPREAD_EXPONENT),
        Param("gam", lognormal(0.8, 0.3, 2.0), "exponent of the bracket",
              spread=priors.SPREAD_EXPONENT, latex=r"\gamma"),
    ),
    equation="L_teacher + L_teacher**-c0 * (1 + (L_teacher / (L_alone * d1))**(1 / f1))**(-c1 * f1)"
             " * (A * N**-alpha + B * D**-beta)**gam",
    reference={"N": 1e9, "D": 2e10, "L_teacher": 2.0, "L_alone": 2.3},
    topic=_TOPIC,
    cite="busbridge2025",
    valid={"N": (1.4e8, 1.26e10), "D": (2e9, 5e11), "L_teacher": (1.8, 3.0),
           "L_alone": (1.8, 4.0)},
    optimal_size=optimal_size(),
    traps=(
        "L_alone is the loss of this student on this data without a teacher: from a fit of "
        "generalized_chinchilla",
        "the break needs teachers both weaker and stronger than the student; away from it only "
        "c1 f1 is seen",
    ),
    aliases=("busbridge_2025",),
)  # fmt: skip
def distillation(N, D, L_teacher, L_alone, *, c0, c1, d1, f1, A, B, alpha, beta, gam):
    """Loss of a student by its size, its data and its teacher's loss (Busbridge et al. 2025)."""
    gap = c1 * f1 * logaddexp(0.0, log(L_teacher / (L_alone * d1)) / f1)
    bracket = (A * N**-alpha + B * D**-beta) ** gam
    return L_teacher + bracket * exp(-c0 * log(L_teacher) - gap)


@law(
    params=(
        floor(),
        size_coefficient(),
        Param("Bp", priors.reducible_d(), "coefficient of new data", "nats * D^bp * N^gam",
              level="Bp * D**-bp * N**-gam", pool="partial", latex="B'"),
        size_exponent(),
        Param("bp", priors.exponent_d(), "exponent of new data", latex=r"\beta'",
              pool="partial", spread=priors.SPREAD_EXPONENT),
        Param("gam", lognormal(0.08, 0.02, 0.3), "how size helps the transfer",
              pool="partial", spread=priors.SPREAD_EXPONENT, latex=r"\gamma"),
    ),
    equation="E + A * N**-alpha + Bp / (D**bp * N**gam)",
    reference={"N": 1e9, "D": 2e10},
    topic=_TOPIC,
    cite="zheng2024",
    valid={"N": (4e7, 5.5e9)},
    decreasing=("N", "D"),
    asymptote="E",
    optimal_size="(alpha * A / ((bp - gam) * Bp) * (C / 6)**bp)**(1 / (alpha + bp - gam))",
    reduces_to=(Reduction("chinchilla", when={"gam": 0.0}, params={"B": "Bp", "beta": "bp"}),),
    traps=(
        "D counts tokens of the new language; the share of replayed old data is no input",
        "E, A and alpha are those of training from scratch: hold or pool them",
        "an optimal size needs bp > gam",
    ),
    aliases=("zheng_cpt_2024", "continual_pretraining"),
)  # fmt: skip
def zheng_cpt(N, D, *, E, A, Bp, alpha, bp, gam):
    """Continual pre-training on another language (Zheng et al. 2024)."""
    return E + A * N**-alpha + Bp / (D**bp * N**gam)


_OWN = "(proportion + c1 * proportion**c2 * max(1 - proportion, 1e-15)**c3)"


@law(
    params=(
        _translation_floor(),
        Param("b1", lognormal(0.4, 0.1, 1.5), "size coefficient of the task alone",
              "nats * N^alpha", level="b1 * N**-alpha", pool="partial", latex=r"\beta_1"),
        Param("alpha", lognormal(0.3, 0.1, 0.7), "size exponent",
              spread=priors.SPREAD_EXPONENT),
        Param("c1", halfnormal(0.2), "synergy of the tasks", latex="c_1",
              spread=priors.SPREAD_CONSTANT),
        Param("c2", lognormal(1.0, 0.3, 3.0), "exponent of the task's share", latex="c_2",
              spread=priors.SPREAD_EXPONENT),
        Param("c3", lognormal(1.0, 0.3, 3.0), "exponent of the other's share", latex="c_3",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation=f"Linf + b1 * ({_OWN} * N)**-alpha",
    reference={"N": 2e8, "proportion": 0.5},
    topic=_TOPIC,
    cite="fernandes2023",
    valid={"N": (2e7, 1e9), "proportion": (0.02, 1.0)},
    decreasing=("N",),
    asymptote="Linf",
    traps=(
        "two tasks; c1 near zero means that they do not help each other",
        "N counts parameters without embeddings",
        "a positive c1 is assumed, or the effective size could be negative",
    ),
    aliases=("fernandes_2023", "multilingual"),
)  # fmt: skip
def fernandes(N, proportion, *, Linf, b1, alpha, c1, c2, c3):
    """One of two translation tasks by size and its share of the data (Fernandes et al. 2023)."""
    other = maximum(1 - proportion, 1e-15)
    own = proportion + c1 * proportion**c2 * other**c3
    return Linf + b1 * (own * N) ** -alpha


def _share_exponent(name: str, of: str, symbol: str) -> Param:
    return Param(name, lognormal(0.2, 0.05, 0.6), f"exponent of {of}", latex=symbol,
                 spread=priors.SPREAD_EXPONENT)  # fmt: skip


@law(
    params=(
        _translation_floor(),
        Param("a", lognormal(0.4, 0.1, 1.5), "coefficient", "nats * N_enc^pe * N_dec^pd",
              level="a * N_enc**-pe * N_dec**-pd", pool="partial"),
        _share_exponent("pe", "the encoder", "p_e"),
        _share_exponent("pd", "the decoder", "p_d"),
    ),
    equation="Linf + a * N_enc**-pe * N_dec**-pd",
    reference={"N_enc": 1e8, "N_dec": 1e8},
    topic=_TOPIC,
    cite="ghorbani2021",
    decreasing=("N_enc", "N_dec"),
    asymptote="Linf",
    traps=(
        "scaled in proportion, encoder and decoder show only pe + pd",
        "test sets written in the source language differ from those translated into it",
    ),
    aliases=("ghorbani_2021", "encoder_decoder"),
)  # fmt: skip
def ghorbani(N_enc, N_dec, *, Linf, a, pe, pd):
    """Translation by encoder and decoder size (Ghorbani et al. 2021)."""
    return Linf + a * N_enc**-pe * N_dec**-pd


@law(
    params=(
        Param("P", lognormal(0.3, 0.08, 1.2), "coefficient of share and steps",
              "nats * steps^beta", level="P * proportion**-alpha * S**-beta", pool="partial"),
        Param("Q", lognormal(2.0, 0.8, 3.5), "coefficient of the share", "nats",
              level="Q * proportion**-alpha", pool="partial"),
        Param("alpha", lognormal(0.06, 0.01, 0.25), "exponent of the share", pool="partial"),
        Param("beta", lognormal(0.4, 0.15, 0.9), "exponent of steps",
              spread=priors.SPREAD_EXPONENT),
    ),
    equation="P * proportion**-alpha * S**-beta + Q * proportion**-alpha",
    reference={"proportion": 0.1, "S": 2e4},
    topic=_TOPIC,
    cite="ge2024",
    valid={"proportion": (0.01, 0.5), "S": (1e4, 2e5)},
    decreasing=("proportion", "S"),
    traps=(
        "one domain's own share: domains are families, and no domain helps another",
        "the published A, B, C have one constant too many: here P = A B and Q = A C",
    ),
    aliases=("bimix_2024",),
)  # fmt: skip
def bimix(proportion, S, *, P, Q, alpha, beta):
    """Loss on a domain by its share of the mixture and steps (BiMix, Ge et al. 2024)."""
    return proportion**-alpha * (P * S**-beta + Q)
