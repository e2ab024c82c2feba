"""What is chosen and what is given: from a budget and a size to a law's inputs.

A budget is training compute C = 6 N D, or with inference the sum of 6 N D and 2 N for every token
served (Sardana et al. 2024). The size N is chosen, or one of N, D and M = D / N is held.
Everything is in logarithms, which keep budgets of any size finite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from bayes_scaling.spec import Law

TRADED = ("N", "D", "C", "M")  # two of them give the others
CHOSEN = ("N", "D", "M")
TRAINING, INFERENCE = math.log(6.0), math.log(2.0)  # FLOPs for a parameter and token
PLACES = 20_001  # at which a range of budgets is looked at, 0.3 % apart or so
LEAST_RATIO, MOST_RATIO = math.log(1e-6), math.log(1e9)  # tokens per parameter that are searched


@dataclass(frozen=True)
class Plan:
    """What decides a compiled program: the law, what is held, and which way is better.

    ``scale`` is what a budget counts: ``"C"``, or the one input of size of a law that has no two of
    N, D, C and M. ``held`` is one of N, D, M, or empty where the size is chosen. ``sign`` is -1 for
    responses that should be large. With ``closed`` the law's declared optimal size is used, which
    knows neither inference nor limits.
    """

    law: Law
    scale: str = "C"
    held: str = ""
    sign: float = 1.0
    closed: bool = False

    @property
    def trades(self) -> bool:
        """Whether a budget is spent on size and data."""
        return self.scale == "C" and trades(self.law)

    @property
    def chooses(self) -> bool:
        """Whether the size is chosen."""
        return self.trades and not self.held


class Terms(NamedTuple):
    """The numbers given: other inputs, the log of what is held, the log of tokens served (-inf for
    none), and the logs of the limits of N, D and M (low, high)."""

    others: Mapping[str, Any]
    held: Any
    served: Any
    limits: Mapping[str, tuple[Any, Any]]


def trades(law: Law) -> bool:
    """Whether a law has two of N, D, C and M, so that size can be traded for data."""
    return len({*law.inputs} & {*TRADED}) > 1


def completed(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return logarithms of inputs with those of N, D, C and M that follow from two of them."""
    have = dict(logs)
    known = [name for name in TRADED if name in have]
    if len(known) < 2:
        return have
    # log C = log 6 + n + d, log M = d - n: each as weights of n = log N and d = log D, and a shift
    rows = {
        "N": (1.0, 0.0, 0.0),
        "D": (0.0, 1.0, 0.0),
        "C": (1.0, 1.0, TRAINING),
        "M": (-1.0, 1.0, 0.0),
    }
    (a, b, s), (c, d, t) = (rows[name] for name in known[:2])
    x, y, det = have[known[0]] - s, have[known[1]] - t, a * d - b * c
    n, m = (d * x - b * y) / det, (a * y - c * x) / det
    return {name: w * n + v * m + u for name, (w, v, u) in rows.items()} | have


def inputs_at(plan: Plan, terms: Terms, size: Any, budget: Any) -> dict[str, Any]:
    """Return the law's inputs at a log size and log budget, arrays that broadcast."""
    if not plan.trades:
        return {**terms.others, plan.scale: jnp.exp(budget)}
    data = log_data(terms, size, budget)
    traded = {"N": size, "D": data, "C": TRAINING + size + data, "M": data - size}
    return {**terms.others, **{name: jnp.exp(traded[name]) for name in traded}}


def log_data(terms: Terms, size: Any, budget: Any) -> Any:
    """Return log D of what a budget leaves for training at a log size."""
    spent = jnp.exp(INFERENCE + terms.served + size - budget)
    return budget - size - TRAINING + jnp.log1p(-spent)


def size_of_data(terms: Terms, data: Any, budget: Any) -> Any:
    """Return log N at which a budget pays for D tokens of training."""
    return budget - jnp.logaddexp(TRAINING + data, INFERENCE + terms.served)


def size_of_ratio(terms: Terms, ratio: Any, budget: Any) -> Any:
    """Return log N at which a budget pays for M N tokens of training: the root of
    6 M N^2 + 2 N served = budget."""
    root = 0.5 * jnp.logaddexp(2.0 * terms.served, TRAINING + ratio + budget)
    return budget - jnp.logaddexp(terms.served, root)


def held_size(plan: Plan, terms: Terms, budget: Any) -> Any:
    """Return the log size where one of N, D and M is held."""
    if plan.held == "D":
        return size_of_data(terms, terms.held, budget)
    if plan.held == "M":
        return size_of_ratio(terms, terms.held, budget)
    return terms.held + 0.0 * budget


def size_range(terms: Terms, budget: Any) -> tuple[Any, Any, Any, Any]:
    """Return the log sizes within which to choose, and whether each end is a limit that was asked
    for rather than the end of the search."""
    asked = [_asked_end(terms, budget, end) for end in (0, 1)]
    searched = [size_of_ratio(terms, ratio, budget) for ratio in (MOST_RATIO, LEAST_RATIO)]
    low, high = jnp.maximum(asked[0], searched[0]), jnp.minimum(asked[1], searched[1])
    return low, high, asked[0] >= searched[0], asked[1] <= searched[1]


def _asked_end(terms: Terms, budget: Any, end: int) -> Any:
    """The narrowest lower (0) or upper (1) log size that the limits allow; more data or more
    tokens per parameter leave a smaller size."""
    limits = (
        terms.limits["N"][end] + 0.0 * budget,
        size_of_data(terms, terms.limits["D"][1 - end], budget),
        size_of_ratio(terms, terms.limits["M"][1 - end], budget),
    )
    narrow = jnp.maximum if end == 0 else jnp.minimum
    return narrow(narrow(limits[0], limits[1]), limits[2])


def possible_budgets(plan: Plan, terms: Terms, low: float, high: float) -> tuple[float, float]:
    """Return the part of a range of log budgets that can be spent within the limits; NaN for none.

    Each end of `size_range` moves one way with the budget, so that what can be spent is one range.
    """
    budgets = np.linspace(low, high, PLACES)
    if plan.held == "N":
        fits = budgets > INFERENCE + terms.served + terms.held + 1e-9
    elif plan.chooses:
        least, most, *_ = (np.asarray(v) for v in size_range(terms, budgets))
        fits = least < most
    else:
        return low, high
    return (budgets[fits][0], budgets[fits][-1]) if fits.any() else (math.nan, math.nan)
