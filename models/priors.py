"""Weakly informative priors by meaning, calibrated on published fits.

The numbers are medians and 5 %/95 % points over 15 published fits of E + A/N^alpha + B/D^beta
(Hoffmann, Besiroglu, Muennighoff, Sardana, Gemstones, Gadre ...), on nats per token.
Functions, so that importing the catalogue makes no arrays.
"""

from bayes_scaling.prior import Prior, logitnormal, lognormal, normal

SPREAD_CONSTANT = 0.25  # median between-family sd of log E, log dN, log dD
SPREAD_EXPONENT = 0.10  # and of log exponents: families differ in constants more


def floor() -> Prior:
    """Irreducible loss of 30-65k-token BPE text models, nats/token; published 0.47 to 2.5."""
    return lognormal(1.5, 0.6, 3.75)


def exponent_n() -> Prior:
    """Exponent of N beside a free floor; published 0.126 to 0.59."""
    return lognormal(0.32, 0.13, 0.75)


def exponent_d() -> Prior:
    """Exponent of D beside a free floor; published 0.127 to 0.80."""
    return lognormal(0.36, 0.15, 0.85)


def reducible_n(at: float = 1e9) -> Prior:
    """Reducible loss due to N at 1e9 parameters, nats; published 0.105 to 1.20.

    Carried to ``at`` parameters by the median exponent.
    """
    factor = (1e9 / at) ** 0.32
    return lognormal(0.45 * factor, 0.12 * factor, 1.6 * factor)


def reducible_d(at: float = 2e10) -> Prior:
    """Reducible loss due to D at 2e10 tokens, nats; published 0.116 to 1.31.

    Carried to ``at`` tokens by the median exponent.
    """
    factor = (2e10 / at) ** 0.36
    return lognormal(0.38 * factor, 0.12 * factor, 1.2 * factor)


def exponent_allocation() -> Prior:
    """Exponent a of N*(C) ~ C^a; careful studies give 0.46 to 0.53, sloppy ones up to 0.87."""
    return logitnormal(0.5, 0.40, 0.65)


def exponent_frontier() -> Prior:
    """Exponent of L*(C) - E: alpha beta / (alpha + beta) over the published fits."""
    return lognormal(0.16, 0.06, 0.30)


def exponent_any() -> Prior:
    """Exponent of a generic covariate; from Hestness et al. 2017 over four domains."""
    return lognormal(0.25, 0.05, 1.0)


def response_level() -> Prior:
    """Level of a law without a floor, in multiples of the typical response in the data."""
    return lognormal(1.0, 0.2, 5.0, relative=True)


def response_part() -> Prior:
    """One additive part of a response, in multiples of the typical response in the data."""
    return lognormal(0.4, 0.04, 2.0, relative=True)


def response_floor() -> Prior:
    """Floor of a generic response, in multiples of the typical response in the data."""
    return lognormal(0.5, 0.08, 1.5, relative=True)


def response_range() -> Prior:
    """From floor to plateau, in multiples of the typical response: error rates 1, losses log V."""
    return lognormal(1.5, 0.4, 6.0, relative=True)


def place() -> Prior:
    """A place along a covariate, in multiples of the data's centre: three decades about it."""
    return lognormal(1.0, 0.03, 30.0)


def fallen_odds() -> Prior:
    """Ratio t / (1 - t)^alpha at the data's centre, with a share t of the fall still to come."""
    return lognormal(0.4, 0.03, 5.0)


def bend() -> Prior:
    """Exponent of the distance from a plateau: 0 none of it, 1 a logistic curve in log X."""
    return lognormal(1.0, 0.2, 5.0)


def slope() -> Prior:
    """Exponent of one piece of a broken power law; a curve may start flat, or rise."""
    return normal(0.2, 0.3)


def slope_change() -> Prior:
    """What a break adds to an exponent: either sign."""
    return normal(0.0, 0.5)


def break_width() -> Prior:
    """Width of a break in e-foldings of the covariate; Mircea et al. 2025 find 0.2 to 0.76."""
    return lognormal(0.35, 0.1, 1.2)


def run_scatter() -> Prior:
    """Run-to-run sd of log loss: seeds of one model 0.0007, misfit of a good law 0.002 to 0.01."""
    return lognormal(0.005, 0.0015, 0.02)


def curve_scatter() -> Prior:
    """Sd of the log response about a curve: smoothed losses 0.002, few-shot error rates 0.03."""
    return lognormal(0.01, 0.002, 0.05)


def optimum_scatter() -> Prior:
    """Sd of the log of a fitted optimum (N*, D*, lr*); Porian et al. report 0.02 to 0.3."""
    return lognormal(0.1, 0.02, 0.5)


def degrees_of_freedom() -> Prior:
    """Student-t degrees of freedom: a few stray runs to nearly normal."""
    return lognormal(6.0, 2.0, 20.0)


# --- scores and other things beyond the loss -----------------------------------------------


def chance() -> Prior:
    """Score of guessing among four options; free fits put it anywhere from 0.14 to 0.54."""
    return logitnormal(0.25, 0.234, 0.267)


def no_chance() -> Prior:
    """Score of guessing where answers are generated: next to nothing."""
    return logitnormal(0.01, 0.002, 0.05)


def lapse() -> Prior:
    """Share of items that no model gets right: wrong labels."""
    return logitnormal(0.02, 0.003, 0.08)


def score_scatter() -> Prior:
    """Sd of a score about a law, in typical scores: checkpoints 0.01, sampled items to 0.05."""
    return lognormal(0.01, 0.002, 0.05)


def success_scatter() -> Prior:
    """Sd of a success rate over few trials, in typical rates."""
    return lognormal(0.04, 0.01, 0.16)


def logit_slope() -> Prior:
    """Rise of the logit of a score with a decade of compute, single tasks 0.4 to 3."""
    return lognormal(1.2, 0.4, 3.0)
