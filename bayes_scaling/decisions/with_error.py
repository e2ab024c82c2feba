"""Allocations by a law that is not exact: the optimum of the law together with its own error."""

from __future__ import annotations

import jax
import numpy as np
import pandas as pd

from bayes_scaling._errors import DecisionError
from bayes_scaling.decisions.frontier import FREE, LARGER, LIMITED, SMALLER, Best
from bayes_scaling.decisions.plans import inputs_at, log_data, size_range
from bayes_scaling.decisions.results import Asked
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.law_draws import law_draws

PLACES = 61  # sizes that are looked at, of every budget
SIDE = np.log(50.0)  # how far beyond the law's own optima they reach


def best_with_error(
    asked: Asked, error: ModelError, budget: np.ndarray, found: Best, seed: int
) -> Best:
    """Return the best at log budgets (point,) by the law with its error, draw by draw.

    The law and its error are drawn together at `PLACES` sizes about the law's own optima, within
    the limits, and the least of them refined by the parabola through it and its neighbours.
    Exponents stay the law's; an optimum at the end of the sizes is none, unless a limit that was
    asked for ends them. Where the size is held, the response alone changes.

    Raises
    ------
    DecisionError
        When no draw of the law has an optimum at a budget.
    """
    if not asked.plan.chooses:
        held = np.median(found.size, axis=0)[:, None]
        return found._replace(response=_curves(asked, error, budget, held, seed)[:, :, 0])
    sizes, limited = _sizes(asked, found, budget)
    curves = _curves(asked, error, budget, sizes, seed)
    place = np.argmin(asked.plan.sign * curves, axis=2)
    size, response = _refined(sizes, curves, place)
    data = np.asarray(log_data(asked.terms, size, budget))
    ends = (np.where(limited[i], LIMITED, end) for i, end in enumerate((SMALLER, LARGER)))
    at_low, at_high = ends
    where = np.where(place == 0, at_low, np.where(place == PLACES - 1, at_high, FREE))
    return found._replace(size=size, data=data, response=response, place=where)


def _sizes(asked: Asked, found: Best, budget: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log sizes to look at, (point, place), and whether a limit ends them, (2, point)."""
    if np.isnan(found.size).all(axis=0).any():
        raise DecisionError("no draw of the law has an optimum at a budget: leave out model_error.")
    low, high = np.nanquantile(found.size, [0.01, 0.99], axis=0)
    least, most, *asked_for = map(np.asarray, size_range(asked.terms, budget))
    limited = np.stack([low - SIDE <= least, high + SIDE >= most]) & np.stack(asked_for)
    low, high = np.maximum(low - SIDE, least), np.minimum(high + SIDE, most)
    return low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, PLACES), limited


def _curves(
    asked: Asked, error: ModelError, budget: np.ndarray, sizes: np.ndarray, seed: int
) -> np.ndarray:
    """The response along the sizes, (sample, point, place); draws are joint over all of them."""
    inputs = inputs_at(asked.plan, asked.terms, sizes, budget[:, None])
    shape = sizes.shape
    columns = {
        name: np.broadcast_to(np.asarray(inputs[name]), shape).ravel()
        for name in asked.plan.law.inputs
    }
    labels = {name: np.repeat(values, shape[1]) for name, values in asked.labels.items()}
    drawn = law_draws(asked.fit, pd.DataFrame(columns | labels), jax.random.key(seed))
    return with_model_error(error, drawn, seed=seed).mean.reshape(-1, *shape)


def _refined(
    sizes: np.ndarray, curves: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The vertex of the parabola through the least place and its neighbours, (sample, point)."""
    middle = np.clip(place, 1, sizes.shape[1] - 2)
    left, at, right = (
        np.take_along_axis(curves, (middle + i)[:, :, None], axis=2)[:, :, 0] for i in (-1, 0, 1)
    )
    bend, slope = left - 2 * at + right, 0.5 * (right - left)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(middle == place, np.clip(-slope / bend, -1.0, 1.0), place - middle)
    step = np.nan_to_num(step)
    width = sizes[:, 1] - sizes[:, 0]
    size = sizes[np.arange(len(sizes)), middle]
    return size + step * width, at + slope * step + 0.5 * bend * step**2
