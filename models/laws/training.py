"""Laws along one training run: learning-rate annealing, and the deceleration of the loss.

The inputs of `tissue` and `multi_power` are made from schedules by `bayes_scaling.add_schedules`.
"""

from jax.numpy import exp, log, logaddexp

from bayes_scaling.mixing import signed
from bayes_scaling.models import priors
from bayes_scaling.prior import lognormal
from bayes_scaling.schedules.pieces import piece_names
from bayes_scaling.spec import Param, Reduction, law

_TOPIC = "training"


def _along_the_area():
    """L0, A and alpha of the loss along a constant learning rate."""
    return (
        Param("L0", lognormal(2.5, 1.5, 4.2), "loss at the end of endless training", "nats/token",
              pool="partial", latex="L_0"),
        Param("A", lognormal(0.2, 0.07, 0.65), "coefficient", "nats * S1^alpha",
              level="A * S1**-alpha", pool="partial"),
        Param("alpha", lognormal(0.47, 0.25, 0.8), "exponent", spread=priors.SPREAD_EXPONENT),
    )  # fmt: skip


def _without_drops(gain):
    """At a constant rate, or without a gain of drops, what is left is a power of the area."""
    named = {"E": "L0", "A": "A", "alpha": "alpha"}
    return Reduction("power_law_with_floor", when={gain: 0.0}, params=named, inputs={"X": "S1"})


@law(
    params=(
        *_along_the_area(),
        Param("kappa", lognormal(480.0, 150.0, 1500.0), "gain of a drop of the learning rate",
              "nats", spread=priors.SPREAD_CONSTANT),
    ),
    equation="L0 + A * S1**-alpha - kappa * S2",
    noise=priors.curve_scatter(),
    reference={"S1": 10.0, "S2": 2e-5},
    topic=_TOPIC,
    cite="tissue2024",
    valid={"S1": (0.3, 30.0), "S2": (1e-7, 3e-4)},
    decreasing=("S1", "S2"),
    traps=(
        "S2 is the paper's annealing area times 1 - lambda, so that a finished drop of the "
        "learning rate by x lowers the loss by kappa x; add_schedules makes both sums",
        "the prior of kappa is for a peak learning rate of 3e-4: it goes with one over the peak",
        "promises unbounded gain from instant decay; leave warm-up out or add its area to S1",
        "points of one run are not independent: thin them",
    ),
    reduces_to=(_without_drops("kappa"),),
    aliases=("tissue_2024", "lr_annealing"),
)  # fmt: skip
def tissue(S1, S2, *, L0, A, alpha, kappa):
    """Loss along any learning-rate schedule, by its area and its drops (Tissue et al. 2024).

    S1 = sum of the learning rates so far. S2 = (1 - lam) sum of m so far, with m' = lam m + drop at
    every step and lam about 0.999. The paper's constant is C = kappa (1 - lam): the two are one.
    """
    return L0 + A * S1**-alpha - kappa * S2


_PIECES = tuple(name for names in piece_names() for name in names)
_EVEN = 1 / len(piece_names())
_SHARES_DONE = " + ".join(
    f"{share} * (1 - (1 + C * {area} * {rate}**-gam)**-beta)" for share, rate, area in piece_names()
)


def _for_pieces(*values):
    """The same values for every piece's share, rate and area."""
    return {n: v for names in piece_names() for n, v in zip(names, values, strict=True)}


def _multi_power(S1, lr_drop, *parts, L0, A, alpha, B, C, beta, gam):
    """The law for any number of pieces, share, rate and area of each."""
    pieces = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    done = sum(w * (1.0 - (1.0 + C * s * rate**-gam) ** -beta) for w, rate, s in pieces)
    return L0 + A * S1**-alpha - B * lr_drop * done


multi_power = law(
    name="multi_power",
    summary="Loss along any learning-rate schedule, each drop done by a power (Luo et al. 2025)",
    params=(
        *_along_the_area(),
        Param(
            "B",
            lognormal(450.0, 150.0, 1500.0),
            "gain of a drop of the learning rate",
            "nats",
            spread=priors.SPREAD_CONSTANT,
        ),
        Param(
            "C",
            lognormal(2.0, 0.5, 8.0),
            "how fast a drop's gain comes",
            "rate^gam / S1",
            spread=priors.SPREAD_CONSTANT,
        ),
        Param(
            "beta",
            lognormal(0.6, 0.2, 1.5),
            "exponent of a drop's gain still to come",
            spread=priors.SPREAD_EXPONENT,
        ),
        Param(
            "gam",
            lognormal(0.6, 0.2, 1.2),
            "exponent of the rate after a drop",
            spread=priors.SPREAD_EXPONENT,
        ),
    ),
    equation=f"L0 + A * S1**-alpha - B * lr_drop * ({_SHARES_DONE})",
    noise=priors.curve_scatter(),
    reference={"S1": 10.0, "lr_drop": 2e-4, **_for_pieces(_EVEN, 1e-4, 0.5)},
    topic=_TOPIC,
    cite="luo2025multipower",
    pieces=_PIECES,
    valid={
        "S1": (0.3, 30.0),
        "lr_drop": (1e-7, 3e-4),
        **_for_pieces((0.01, _EVEN), (3e-5, 3e-4), (1e-3, 10.0)),
    },
    decreasing=("S1", "lr_drop"),
    traps=(
        "the sum over all steps is put together to six pieces by add_schedules: exact for six "
        "drops or fewer, else within 0.002 of a whole drop (see bayes_scaling.schedules.pieces)",
        "the prior of B is for a peak learning rate of 3e-4: it goes with one over the peak",
        "C, beta and gam are told apart by runs whose rate drops at once and then stays",
        "points of one run are not independent: thin them",
    ),
    reduces_to=(_without_drops("B"),),
    aliases=("multi_power_2025", "mpl"),
)(signed(_multi_power, ("S1", "lr_drop", *_PIECES), ("L0", "A", "alpha", "B", "C", "beta", "gam")))


@law(
    params=(
        Param("Ld", lognormal(3.2, 2.4, 4.5), "loss at which the fall slows down", "nats/token",
              pool="partial", latex="L_d"),
        Param("td", lognormal(5e3, 1.5e3, 1.5e4), "step at which the fall slows down", "steps",
              spread=priors.SPREAD_CONSTANT, latex="t_d"),
        Param("c0", lognormal(0.22, 0.12, 0.4), "slope before", latex="c_0",
              spread=priors.SPREAD_EXPONENT),
        Param("rd", lognormal(0.03, 0.008, 0.08), "slope after", latex="r_d", pool="partial"),
        Param("f1", lognormal(0.4, 0.1, 1.2), "width of the break", latex="f_1",
              spread=priors.SPREAD_CONSTANT),
    ),
    equation="Ld * (S / td)**-c0 * (1 + (S / td)**(1 / f1))**((c0 - rd) * f1)",
    noise=priors.curve_scatter(),
    reference={"S": 5e3},
    topic=_TOPIC,
    cite="mircea2025",
    valid={"S": (1e2, 1e6)},
    decreasing=("S",),
    asymptote="0",
    traps=(
        "of a constant learning rate: the drop of its decay is not in the form",
        "points of one run are not independent: thin them",
    ),
    aliases=("mircea_2025", "loss_deceleration"),
)  # fmt: skip
def mircea(S, *, Ld, td, c0, rd, f1):
    """Loss curve with one break where learning decelerates (Mircea et al. 2025).

    In the paper's (b, c0, c1, d1, f1): td = d1, Ld = b d1^-c0, rd = c0 + c1.
    """
    bend = f1 * logaddexp(0.0, log(S / td) / f1)
    return Ld * exp(-c0 * log(S / td) + (c0 - rd) * bend)
