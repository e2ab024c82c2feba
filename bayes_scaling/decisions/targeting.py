"""The budget that reaches a loss, with its posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import DecisionError, Note
from bayes_scaling._x64 import in_float64
from bayes_scaling.decisions.asked import budgets_of, plan_of
from bayes_scaling.decisions.bands import (
    as_text,
    band_columns,
    band_texts,
    large,
    probs_of,
)
from bayes_scaling.decisions.frontier import best_of, compiled_reach, lacks_optimum
from bayes_scaling.decisions.plans import Plan, Terms, possible_budgets
from bayes_scaling.decisions.results import (
    ALONE,
    Asked,
    beyond_columns,
    general_notes,
    no_optimum_note,
    outside_texts,
    points_for,
)
from bayes_scaling.decisions.samples import family_draws
from bayes_scaling.forecasting import checked_probs, far_notes
from bayes_scaling.posterior import Fit

DECADE = np.log(10.0)
DOWN, UP = 15.0 * DECADE, 20.0 * DECADE  # how far from the data a budget is searched
AT_END = "they count with the size at that end of the search"


@dataclass(frozen=True)
class Target:
    """What it takes to reach a loss.

    Attributes
    ----------
    table
        One row for every family and target: the family, the target (``L``), then medians and bands
        of the budget (``C``; of a law that trades no size for data, its own scale), and of ``N``
        and ``D`` there. ``unreachable`` is the share of draws in which no budget within 20 decades
        of the data reaches the target; they count as infinite. ``within`` is the probability of
        reaching it with the budget that was given. ``beyond_C`` ...: decades by which medians lie
        outside the data.
    draws
        The same for every draw, a dataset with dims (chain, draw, point).
    notes
        What to know before trusting it.
    asked
        What it was made of.
    """

    table: pd.DataFrame
    draws: xr.Dataset
    notes: tuple[Note, ...]
    asked: Asked

    def within(self, budget: float) -> np.ndarray:
        """Return the probability (point,) of reaching each target with a budget.

        Raises
        ------
        DecisionError
            Unless the budget is a positive number.
        """
        (most,) = budgets_of(budget)
        spent = np.asarray(self.draws[self.asked.plan.scale]).reshape(-1, len(self.table))
        return np.mean(spent <= most, axis=0)

    @property
    def title(self) -> str:
        """What was decided, in words."""
        plan, terms = self.asked.plan, self.asked.terms
        held = f" at {plan.held} = {large(float(np.exp(terms.held)))}" if plan.held else ""
        way = " at the best size" if plan.chooses else held
        return f"{plan.scale} to reach {self.asked.response} by {plan.law.name}{way}"

    def texts(self) -> dict[str, list[str]]:
        """Return the columns of the table for people, ``median [low, high]`` of the widest band."""
        return _texts(self.asked, self.table)

    def __str__(self) -> str:
        prob = probs_of(self.table, self.asked.plan.scale)[-1]
        return as_text(f"{self.title}; median [{prob} % band]", self.texts(), self.notes)

    __repr__ = __str__


@in_float64
def target(
    fit: Fit,
    loss: float | Sequence[float],
    *,
    budget: float | None = None,
    family: str | Sequence[str] | None = None,
    prob: float | Sequence[float] = (0.5, 0.9),
    inference_tokens: float | None = None,
    fixed: Mapping[str, float] | None = None,
    limits: Mapping[str, Any] | None = None,
    maximise: bool | None = None,
    scale: str = "",
    seed: int = 0,
) -> Target:
    """Return the posterior of the least budget that reaches a loss.

    Parameters
    ----------
    fit
        A `Fit`.
    loss
        The response to reach, or several, in its unit.
    budget
        A budget to give the probability of reaching it with.
    family, prob, inference_tokens, fixed, limits, maximise, seed
        As in `allocate`; ``fixed={"N": 7e9}`` or ``fixed={"M": 20}`` hold the size or the tokens
        per parameter. With ``inference_tokens`` the budget is that of training and serving
        together (Sardana et al. 2024, eq. 2).
    scale
        The input that grows, of a law that trades no size for data; by default C, N, D or the
        first.

    Raises
    ------
    DecisionError
        As `allocate` does.
    ForecastError
        When a probability is not one, or nothing is known of a new family.
    """
    probs, aims, law = checked_probs(prob), _checked_aims(loss), fit.spec.law
    how = {"fixed": fixed, "limits": limits, "maximise": maximise, "scale": scale}
    plan, terms = plan_of(law, inference_tokens=inference_tokens, **how)
    most = None if budget is None else budgets_of(budget)[0]
    families = family_draws(fit, family, seed)
    place, points = points_for(families, aims)
    asked = Asked(fit, plan, terms, families, place)
    draws, lacking = _arrays(asked, points)
    table = _table(asked, points, draws, probs, most)
    notes = [*_reach_notes(draws[plan.scale]), *no_optimum_note(lacking, AT_END)]
    notes += [*far_notes(table, ALONE), *general_notes(asked)]
    coords = {asked.response: points}
    return Target(table, asked.dataset(draws, **coords), tuple(notes), asked)


def _checked_aims(loss: Any) -> np.ndarray:
    try:
        values = np.atleast_1d(np.asarray(loss, float))
    except (TypeError, ValueError):
        raise DecisionError(f"loss={loss!r}: give a number, or several.") from None
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise DecisionError(f"loss={loss!r}: give a finite number, or several.")
    return values


def search_range(fit: Fit, plan: Plan, terms: Terms) -> tuple[float, float]:
    """Return the log budgets among which one is searched.

    Raises
    ------
    DecisionError
        When none of them can be spent within the limits.
    """
    low, high = np.log(scale_range(fit, plan))
    ends = possible_budgets(plan, terms, low - DOWN, high + UP)
    if np.isnan(ends[0]):
        raise DecisionError(
            "no budget can be spent within what is held, limited or served: change fixed, limits "
            "or inference_tokens."
        )
    return ends


def scale_range(fit: Fit, plan: Plan) -> tuple[float, float]:
    """Return the least and the largest of the data's runs, as a budget counts them."""
    values = fit.runs.values[plan.scale] if plan.scale in fit.runs.values else np.array([1e20])
    positive = values[values > 0]
    return (float(positive.min()), float(positive.max())) if len(positive) else (1.0, 1.0)


def _arrays(asked: Asked, aims: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The budget and what it buys, (sample, point), infinite where no budget reaches the aim; and
    the share of draws (point,) without a best size there."""
    ends = search_range(asked.fit, asked.plan, asked.terms)
    plan, params = asked.plan, asked.params
    if plan.closed:
        shape = next(iter(params.values())).shape
        plan = best_of(plan, params, asked.terms, np.full(shape, np.mean(ends)))[0]
    log_budget = np.asarray(compiled_reach(plan)(params, asked.terms, aims, *ends))
    with np.errstate(over="ignore"):
        found = {plan.scale: np.exp(log_budget)}
    if not plan.trades:
        return found, np.zeros(len(aims))
    inside = np.clip(log_budget, *ends)
    _, best = best_of(plan, params, asked.terms, inside)
    for name, values in (("N", best.size), ("D", best.data)):
        bought = np.where(log_budget == np.inf, np.inf, np.exp(values))
        found[name] = np.where(log_budget == -np.inf, 0.0, bought)
    if plan.held in found:
        found[plan.held] = np.full_like(log_budget, np.exp(asked.terms.held))
    return found, np.mean(lacks_optimum(best) & np.isfinite(inside), axis=0)


def _table(
    asked: Asked,
    aims: np.ndarray,
    draws: Mapping[str, np.ndarray],
    probs: Sequence[float],
    budget: float | None,
) -> pd.DataFrame:
    columns: dict[str, Any] = {**asked.labels, asked.response: aims}
    for name, values in draws.items():
        columns |= band_columns(name, values, probs)
    spent = draws[asked.plan.scale]
    columns["unreachable"] = np.mean(np.isinf(spent), axis=0)
    if budget is not None:
        columns |= {"budget": budget, "within": np.mean(spent <= budget, axis=0)}
    table = pd.DataFrame(columns)
    names = dict.fromkeys((asked.plan.scale, "N", "D"))
    return table.assign(**beyond_columns(asked.fit, table, tuple(names)))


def _reach_notes(spent: np.ndarray) -> list[Note]:
    """Notes on budgets (sample, point) that are infinite, zero or unknown."""
    told = {
        "unreachable": (np.isinf(spent), "no budget within 20 decades of the data reaches the "
                        "target, by the law's limit or by what is held or limited: they count as "
                        "infinite"),
        "reached": (spent == 0, "the least budget searched reaches the target already: it counts "
                    "as 0"),
        "unknown": (np.isnan(spent), "the law has no value at an end of the search: they are left "
                    "out"),
    }  # fmt: skip
    shares = {code: float(where.mean(axis=0).max()) for code, (where, _) in told.items()}
    return [
        Note(code, "warning", f"in up to {share:.1%} of the draws {told[code][1]}.")
        for code, share in shares.items()
        if share
    ]


def _texts(asked: Asked, table: pd.DataFrame) -> dict[str, list[str]]:
    prob = probs_of(table, asked.plan.scale)[-1]
    columns = {name: [str(v) for v in table[name]] for name in asked.labels}
    columns[asked.response] = [f"{v:g}" for v in table[asked.response]]
    shown = dict.fromkeys((asked.plan.scale, *(n for n in ("N", "D") if n in table)))
    columns |= {name: band_texts(table, name, large, prob) for name in shown}
    columns["unreachable"] = [f"{v:.1%}" for v in table["unreachable"]]
    if "within" in table:
        columns[f"within {large(table['budget'].iloc[0])}"] = [f"{v:.1%}" for v in table["within"]]
    return columns | outside_texts(table)
