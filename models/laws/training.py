"""Laws along one training run: learning-rate annealing, and the deceleration of the loss."""

from jax.numpy import exp, log, logaddexp

from bayes_scaling.models import priors
from bayes_scaling.prior import lognormal
from bayes_scaling.spec import Param, law

_TOPIC = "training"


@law(
    params=(
        Param("L0", lognormal(2.5, 1.5, 4.2), "loss at the end of endless training", "nats/token",
              pool="partial", latex="L_0"),
        Param("A", lognormal(0.2, 0.07, 0.65), "coefficient", "nats * S1^alpha",
              level="A * S1**-alpha", pool="partial"),
        Param("alpha", lognormal(0.47, 0.25, 0.8), "exponent", spread=priors.SPREAD_EXPONENT),
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
        "learning rate by x lowers the loss by kappa x; before any drop give a tiny number",
        "the prior of kappa is for a peak learning rate of 3e-4: it goes with one over the peak",
        "promises unbounded gain from instant decay; leave warm-up out or add its area to S1",
        "points of one run are not independent: thin them",
    ),
    aliases=("tissue_2024", "lr_annealing"),
)  # fmt: skip
def tissue(S1, S2, *, L0, A, alpha, kappa):
    """Loss along any learning-rate schedule, by its area and its drops (Tissue et al. 2024).

    S1 = sum of the learning rates so far. S2 = (1 - lam) sum of m so far, with m' = lam m + drop at
    every step and lam about 0.999. The paper's constant is C = kappa (1 - lam): the two are one.
    """
    return L0 + A * S1**-alpha - kappa * S2


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
