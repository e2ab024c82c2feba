"""A schedule's drops as a few pieces, from which the multi-power law's sum can be had.

The law of Luo et al. 2025 sums over all steps k, up to step t, the drop of the rate there times
``1 - (1 + C rate_k^-gamma S_k)^-beta``, with S_k the sum of the rates from k to t. A sum over 10^5
steps for every draw and row is too dear, and its terms depend on the parameters; but they are
smooth. Drops of one sign that are next to each other are put together where the law hardly tells
them apart, until `PIECES` are left. A piece has the sum of its drops, the geometric mean of their
rates, and that area at which the published constants give exactly its part of the sum.

The error is zero while there are no more drops than pieces (constant rates, stages), and else of
second order in how far a piece reaches and of first order in how far the constants are from the
published ones. In units of a whole drop, from the peak to zero, worth some 0.13 nats, it is below
0.001 at the published constants for cosine, linear, exponential and square-root decays; over the
law's priors its worst of six steps is 0.0005 for the median draw and below 0.01 for each of 60; for
waves that come back four times 0.03. A schedule whose pieces miss by more, at the ends of the
priors, is refused. `tests/test_schedules.py` holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayes_scaling._errors import DataError
from bayes_scaling.law_symbols import PIECES
from bayes_scaling.schedules.sums import drops

FINE = 128  # bins, even in what the published constants make of a drop, that pieces are made of
C, BETA, GAM = 2.05, 0.59, 0.64  # published constants, the middle of three sizes
LEAST = 1e-6  # of the peak: rates below stand for zero in the geometric mean
AREA, TOTAL = "S1", "lr_drop"
MOST = 0.03  # of a whole drop, by which pieces may miss the sum
PROBES = (
    (C, BETA, GAM),
    *((c, BETA, GAM) for c in (0.5, 8.0)),
    *((C, beta, GAM) for beta in (0.2, 1.5)),
    *((C, BETA, gam) for gam in (0.2, 1.2)),
)  # the published constants, and each at the ends of its prior


def piece_names() -> tuple[tuple[str, str, str], ...]:
    """Return the inputs' names for every piece: its share of all drops, its rate, its area."""
    return tuple((f"drop_share{i}", f"drop_lr{i}", f"drop_area{i}") for i in range(1, PIECES + 1))


def done(
    area: np.ndarray, rate: np.ndarray, c: float = C, beta: float = BETA, gam: float = GAM
) -> np.ndarray:
    """Return which part of a drop has come, by default at the published constants, (...)."""
    return 1.0 - (1.0 + c * rate**-gam * area) ** -beta


def area_of(done: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Return the area after which that part has come; the inverse of `done`."""
    return rate**GAM / C * ((1.0 - done) ** (-1.0 / BETA) - 1.0)


def pieces(rates: np.ndarray, steps: np.ndarray) -> dict[str, np.ndarray]:
    """Return ``lr_drop`` and the pieces at logged steps, each (row,), under `piece_names`.

    ``lr_drop`` is the sum of all changes of the rate since it first fell, rises counted too. The
    shares add up to one where it only fell; those of rises are negative. Shares and areas of pieces
    that are not needed are zero, and their rate the peak.

    Parameters
    ----------
    rates
        Learning rate of the steps 1, 2 ..., (step,).
    steps
        Logged steps, (row,), whole numbers from 1 to the number of rates.
    """
    falls, fine = drops(rates), []
    for sign in (1.0, -1.0):
        if np.any(sign * falls > 0):
            fine.append(_fine(rates, np.maximum(sign * falls, 0.0), steps, sign))
    none = np.zeros((5, len(steps), PIECES))
    kept = _merged(np.concatenate(fine, axis=2)) if fine else none
    return _named(kept, float(rates.max()))


def whole_sum(rates: np.ndarray, step: int, c: float, beta: float, gam: float) -> float:
    """Return the law's sum over all steps to ``step``: drops, each times what has come of it."""
    falls, total = drops(rates)[:step], np.cumsum(rates)
    left = total[step - 1] - (total - rates)[:step]
    some = (falls != 0) & (left > 0)
    rate = np.maximum(rates[:step][some], LEAST * rates.max())
    return float(np.sum(falls[some] * done(left[some], rate, c, beta, gam)))


def sum_of(found: Mapping[str, np.ndarray], c: float, beta: float, gam: float) -> np.ndarray:
    """Return the same sum, (row,), from what `pieces` found."""
    parts = (
        found[share] * done(found[area], found[rate], c, beta, gam)
        for share, rate, area in piece_names()
    )
    return found[TOTAL] * sum(parts)


def require_close(
    rates: np.ndarray, steps: np.ndarray, found: Mapping[str, np.ndarray], what: str
) -> None:
    """Check that pieces give the law's sum at the last logged step and one half way.

    Raises
    ------
    DataError
        When they miss it by more than `MOST` of a whole drop.
    """
    order = np.argsort(steps)
    rows = order[[len(order) // 2, -1]]
    for probe in PROBES:
        known = np.array([whole_sum(rates, int(steps[row]), *probe) for row in rows])
        away = np.abs(sum_of(found, *probe)[rows] - known).max() / rates.max()
        if away > MOST:
            raise DataError(
                f"{what} goes up and down too often, or is too short, for the {PIECES} pieces of "
                f"the multi-power law, which miss {away:.2g} of a whole drop: pass pieces=False "
                "and use 'tissue'."
            )


# Statistics of a bin: the drops' sum, their sum times what has come of them, the same with its
# square, and with the log of the rate; and the sign.
_MASS, _DONE, _DONE2, _LOG_RATE, _SIGN = range(5)


def _fine(rates: np.ndarray, falls: np.ndarray, steps: np.ndarray, sign: float) -> np.ndarray:
    """The statistics (5, row, bin) of drops in bins by their remaining area, oldest first."""
    area = np.cumsum(rates)
    before, here = area - rates, area[steps - 1][:, None]
    # A rate of zero has no area left: that of the step before keeps it out of the geometric mean.
    positive = np.where(rates > 0, rates, np.concatenate([rates[:1], rates[:-1]]))
    log_rate = np.log(np.maximum(positive, LEAST * rates.max()))
    edges = area_of(np.linspace(0.0, 1.0, FINE + 1)[1:-1] * done(here, rates.max()), rates.max())
    inner = np.searchsorted(before, here - edges, side="right")[:, ::-1]
    ends = np.concatenate([np.zeros_like(here, int), inner, steps[:, None]], axis=1)
    ends = np.minimum(ends, steps[:, None])
    mass, of_area, of_rate = (
        np.diff(np.concatenate([[0.0], np.cumsum(falls * each)])[ends], axis=1)
        for each in (1.0, before, log_rate)
    )
    some = mass > 1e-14 * falls.sum()
    mass, safe = np.where(some, mass, 0.0), np.where(some, mass, 1.0)
    left, log_mean = np.maximum(here - of_area / safe, 0.0), of_rate / safe
    come = done(left, np.exp(log_mean))
    parts = [np.ones_like(come), come, come**2, log_mean]
    return np.stack([*(mass * part for part in parts), np.full_like(mass, sign)])


def _merged(bins: np.ndarray) -> np.ndarray:
    """The statistics with as many bins as there are pieces: least loss first (Ward)."""
    while bins.shape[2] > PIECES:
        left, right = bins[:, :, :-1], bins[:, :, 1:]
        cost = _spread(left + right) - _spread(left) - _spread(right)
        cost = np.where(left[_SIGN] == right[_SIGN], cost, np.inf)
        place = np.argmin(cost, axis=1)[:, None]
        columns = np.arange(bins.shape[2] - 1)[None]
        joined = np.where(columns == place, left + right, np.where(columns < place, left, right))
        joined[_SIGN] = np.where(columns <= place, left[_SIGN], right[_SIGN])
        bins = joined
    return bins


def _spread(bins: np.ndarray) -> np.ndarray:
    """How unlike the drops of a bin are, (row, bin): their squared deviations."""
    mass = np.where(bins[_MASS] > 0, bins[_MASS], 1.0)
    return bins[_DONE2] - bins[_DONE] ** 2 / mass


def _named(bins: np.ndarray, peak: float) -> dict[str, np.ndarray]:
    some = bins[_MASS] > 0
    safe = np.where(some, bins[_MASS], 1.0)
    rate = np.where(some, np.exp(bins[_LOG_RATE] / safe), peak)
    area = np.where(some, area_of(np.minimum(bins[_DONE] / safe, 1.0 - 1e-12), rate), 0.0)
    total = bins[_MASS].sum(axis=1)
    share = bins[_SIGN] * bins[_MASS] / np.where(total > 0, total, 1.0)[:, None]
    named = {TOTAL: total}
    for i, names in enumerate(piece_names()):
        named |= dict(zip(names, (share[:, i], rate[:, i], area[:, i]), strict=True))
    return named
