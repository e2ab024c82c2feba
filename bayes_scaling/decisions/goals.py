"""What a design should tell of: forecasts at points, a parameter, or the best size at a budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DecisionError, did_you_mean, list_names
from bayes_scaling.decisions.asked import check_possible, check_trades, plan_of, positive
from bayes_scaling.decisions.frontier import best_of, lacks_optimum
from bayes_scaling.decisions.samples import FamilyDraws, family_draws
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.law_coordinates import paper_draws
from bayes_scaling.law_draws import points_of
from bayes_scaling.posterior import Fit
from bayes_scaling.quantity import format_quantity

NO_BEST = 0.05  # share of samples without a best size that may be left out


@dataclass(frozen=True)
class Goal:
    """What runs should tell of.

    ``title`` in words and ``unit`` of its sd; ``points`` to forecast at, or none and ``values``
    (sample, goal) of other quantities, of which ``kept`` (sample,) are defined.
    """

    title: str
    unit: str
    points: pd.DataFrame = field(default_factory=pd.DataFrame)
    values: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    kept: np.ndarray = field(default_factory=lambda: np.empty(0, bool))


def goal_of(
    fit: Fit,
    asked: Any,
    error: ModelError | None,
    *,
    family: Any = None,
    fixed: Mapping[str, float] | None = None,
    maximise: bool | None = None,
    seed: int = 0,
) -> Goal:
    """Return the goal that ``asked`` names: points, a parameter's name, or a budget.

    Raises
    ------
    DecisionError
        When it is none of them, or the best size at a budget is not defined.
    ForecastError
        When a point cannot be forecast at.
    """
    if isinstance(asked, str):
        draws = _law_parameters(fit, family, error, seed)
        return _parameter(fit, asked, draws)
    if isinstance(asked, (int, float)) and not isinstance(asked, bool):
        budget = positive("goal", asked)
        draws = _law_parameters(fit, family, error, seed)
        return _best_size(fit, budget, draws, {"fixed": fixed, "maximise": maximise})
    _no_more(family, fixed)
    points = points_of(fit, asked)
    unit = "log" if fit.spec.observation.on == "log" else ""
    return Goal(_places(fit, points), unit, points)


def _no_more(family: Any, fixed: Any) -> None:
    if family is not None or fixed:
        raise DecisionError(
            "family and fixed belong to a goal that is a parameter or a budget: write them into "
            "the points."
        )


def _places(fit: Fit, points: pd.DataFrame) -> str:
    shown = [n for n in ("N", "D") if n in points] or list(fit.spec.law.inputs)
    first = points.iloc[0]
    place = ", ".join(f"{n} = {format_quantity(float(first[n]))}" for n in shown)
    groups = f", {fit.spec.groups[-1]} {first[fit.spec.groups[-1]]}" if fit.spec.groups else ""
    more = f" and {len(points) - 1} more" if len(points) > 1 else ""
    return f"{fit.spec.law.response or 'Y'} at {place}{groups}{more}"


def _law_parameters(fit: Fit, family: Any, error: ModelError | None, seed: int) -> FamilyDraws:
    """Draws of the law's parameters, with its own error beside it those of ``error``."""
    draws = family_draws(fit, family, seed)
    if error is None:
        return draws
    known = list(map(str, fit.grouping.labels[fit.spec.groups[-1]])) if fit.spec.groups else [""]
    if strange := [n for n in draws.names if n not in known]:
        raise DecisionError(
            f"family {list_names(strange)} is not in the data, so that the law's own error there "
            "is not known: pass model_error=False, or name one of "
            f"{list_names(known)}.{did_you_mean(strange[0], known)}"
        )
    place = [known.index(n) for n in draws.names]
    params = paper_draws(error.coordinates, error.z)
    return FamilyDraws({n: v[:, place] for n, v in params.items()}, draws.names)


def _parameter(fit: Fit, name: str, draws: FamilyDraws) -> Goal:
    free = [n for n in fit.spec.law.param_names if not fit.spec.prior(n).is_fixed]
    if name not in free:
        raise DecisionError(
            f"goal '{name}' is no parameter that law '{fit.spec.law.name}' leaves free: name one "
            f"of {list_names(free)}, give a budget, or points.{did_you_mean(name, free)}"
        )
    values = draws.params[name]
    if np.all(values == values[:, :1]):
        values = values[:, :1]
    on_log = bool(np.all(values > 0))
    values = np.log(values) if on_log else values
    return Goal(name, "log" if on_log else "", values=values, kept=np.ones(len(values), bool))


def _best_size(fit: Fit, budget: float, draws: FamilyDraws, how: Mapping[str, Any]) -> Goal:
    check_trades(fit.spec.law)
    plan, terms = plan_of(fit.spec.law, **how)
    if not plan.chooses:
        raise DecisionError("with N, D or M held there is no best size: leave it out of fixed.")
    check_possible(plan, terms, np.array([budget]))
    families = np.arange(len(draws.names))
    _, found = best_of(plan, draws.at(families), terms, np.full(len(families), math.log(budget)))
    values = np.where(lacks_optimum(found), np.nan, found.size)
    kept = np.asarray(np.isfinite(values).all(axis=1))
    if kept.mean() < 1 - NO_BEST:
        raise DecisionError(
            f"in {1 - kept.mean():.0%} of the draws there is no best size at "
            f"{format_quantity(budget)} FLOPs: choose runs for a forecast first, at several ratios "
            "of tokens to parameters."
        )
    return Goal(f"best N at C = {format_quantity(budget)}", "log", values=values, kept=kept)
