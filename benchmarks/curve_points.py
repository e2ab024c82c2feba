"""Point fits of learning curves, as the papers make them: least squares of log y, several starts.

Residuals and parameters are on scales that suit a search: logarithms of what is positive, the
response and covariate in units of their middle.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit

STARTS = 16
HALLEY = 6
Array = NDArray[np.float64]


class Form(NamedTuple):
    """A law of log x by a vector of free numbers, and where searches begin (low, high)."""

    curve: Callable[[Array, Array], Array]
    low: tuple[float, ...]
    high: tuple[float, ...]


def _floor_power(p: Array, u: Array) -> Array:
    return np.exp(p[0]) + np.exp(p[1] - np.exp(p[2]) * u)


def _m4(p: Array, u: Array) -> Array:
    power = np.exp(p[4])
    ratio = p[2] - np.exp(p[3]) * u
    z = np.where(ratio < 0, ratio, ratio / power)
    for _ in range(HALLEY):
        away = power * np.logaddexp(0, z) - np.logaddexp(0, -z) - ratio
        slope = power * expit(z) + expit(-z)
        z = z - away / (slope - 0.5 * away * (power - 1) * expit(z) * expit(-z) / slope)
    return np.exp(p[0]) + np.exp(p[1]) * expit(z)


def _bnsl(p: Array, u: Array) -> Array:
    width = np.exp(p[5])
    bend = width * np.logaddexp(0, (u - p[4]) / width)
    return np.exp(p[0]) + np.exp(p[1] - p[2] * u - p[3] * bend)


FORMS = {
    "power_law_with_floor": Form(_floor_power, (-3, -1, -2.5), (0, 1, 0)),
    "m4": Form(_m4, (-3, -0.5, -2, -2, -1), (0, 1, 1, 0.3, 1)),
    "bnsl": Form(_bnsl, (-3, -1, 0, -0.3, -2, -2), (0, 1, 0.5, 0.5, 2, 0.5)),
}
REACH = 30.0


class PointFit(NamedTuple):
    """Predictions (point,) at new places, and the sd of the log residuals of the fit."""

    y: Array
    sd: float


def point_fit(law: str, x: Array, y: Array, at: Array) -> PointFit:
    """Best of `STARTS` least-squares searches of log y, evaluated at new places."""
    form, centre, unit = FORMS[law], np.exp(np.log(x).mean()), np.median(y)
    u, target = np.log(x / centre), np.log(y / unit)

    def away(p: Array) -> Array:
        with np.errstate(all="ignore"):
            found = np.log(form.curve(p, u)) - target
        return np.nan_to_num(found, nan=1e3, posinf=1e3, neginf=-1e3)

    rng = np.random.default_rng(0)
    starts = rng.uniform(form.low, form.high, (STARTS, len(form.low)))
    tries = [least_squares(away, s, bounds=(-REACH, REACH), max_nfev=300) for s in starts]
    best = min(tries, key=lambda t: t.cost)
    sd = np.sqrt(2 * best.cost / max(1, len(x) - len(form.low)))
    return PointFit(unit * form.curve(best.x, np.log(at / centre)), float(sd))
