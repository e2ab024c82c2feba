"""Which of several recipes is ahead, by how much compute, and where they cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import Note
from bayes_scaling._x64 import in_float64
from bayes_scaling.decisions.asked import budgets_of, check_possible
from bayes_scaling.decisions.bands import (
    as_text,
    band_columns,
    band_texts,
    decimals,
    large,
    places_for,
    probs_of,
)
from bayes_scaling.decisions.contestants import Contestant, contestants_of
from bayes_scaling.decisions.crossings import crossing_draws
from bayes_scaling.decisions.frontier import lacks_optimum
from bayes_scaling.decisions.results import (
    ALONE,
    beyond_columns,
    general_notes,
    no_optimum_note,
    outside_texts,
)
from bayes_scaling.forecasting import checked_probs, far_notes
from bayes_scaling.posterior import Fit

DEFAULT_STEPS = (1e-2, 1e-1, 1.0, 1e1, 1e2)  # budgets, in multiples of the largest in the data
AHEAD = 1e6  # how far beyond the data a crossing is searched
AT_END = "they count with the response there"


@dataclass(frozen=True)
class Comparison:
    """Several recipes side by side.

    Attributes
    ----------
    table
        One row for every budget and recipe: the budget (``C``), ``recipe``, the response with its
        bands, ``multiplier`` (the compute the first recipe needs for the same response over the
        budget: above 1 the recipe is ahead of the first) with its bands, ``ahead`` (probability of
        a better response than the first's), ``best`` (probability of the best response of all),
        ``rank`` (posterior mean, 1 for the best) and ``beyond_C`` (decades outside the data).
    crossings
        One row for every recipe but the first: probability ``crosses`` that it and the first change
        places in the range searched, the last such budget with its bands among the draws in which
        they do, ``ahead_below`` and ``ahead_above`` (probability of being ahead of the first at
        the two ends of the range) and ``several`` (share of draws with more than one crossing).
    draws
        Dataset of the response and the multiplier, dims (sample, recipe, budget).
    notes
        What to know before trusting it.
    recipes
        The recipes.
    """

    table: pd.DataFrame
    crossings: pd.DataFrame
    draws: xr.Dataset
    notes: tuple[Note, ...]
    recipes: tuple[Contestant, ...]

    @property
    def title(self) -> str:
        """What was compared, in words."""
        first = self.recipes[0]
        plan = first.plan
        held = f" at {plan.held} = {large(float(np.exp(first.terms.held)))}" if plan.held else ""
        way = " at the best size" if plan.chooses else held
        return f"{first.response} by {plan.scale}{way}; multiplier over '{first.name}'"

    def texts(self) -> dict[str, list[str]]:
        """Return the columns of the table for people, ``median [low, high]`` of the widest band."""
        return _texts(self.table, self.recipes[0])

    def crossing_texts(self) -> dict[str, list[str]]:
        """Return the columns of the crossings for people."""
        return _crossing_texts(self.crossings, self.recipes[0].plan.scale)

    def __str__(self) -> str:
        prob = probs_of(self.table, "multiplier")[-1]
        body = as_text(f"{self.title}; median [{prob} % band]", self.texts(), ())
        crossed = f"where each changes places with '{self.recipes[0].name}'"
        return f"{body}\n{as_text(crossed, self.crossing_texts(), self.notes)}"

    __repr__ = __str__


@in_float64
def compare(
    fit: Fit | Sequence[Fit] | Mapping[str, Fit],
    families: Sequence[str] | None = None,
    *,
    C: float | Sequence[float] | None = None,
    prob: float | Sequence[float] = (0.5, 0.9),
    inference_tokens: float | None = None,
    fixed: Mapping[str, float] | None = None,
    limits: Mapping[str, Any] | None = None,
    maximise: bool | None = None,
    scale: str = "",
    between: tuple[float, float] | None = None,
    seed: int = 0,
) -> Comparison:
    """Return which recipe is ahead: families of one fit, or several fits.

    Recipes are compared at equal budgets, each at the best size of its own draw unless one of N, D
    and M is held; and at equal response by their budgets (compute multiplier). Families of one fit
    are compared draw by draw, so that what they share cancels; fits of their own are paired at
    random.

    Parameters
    ----------
    fit
        A `Fit`; or several, by name or in a sequence.
    families
        Families to compare, the first is what the others are measured by; all of the data by
        default. With several fits one family for each of them.
    C
        Budgets (of a law that trades no size for data: values of its own scale); by default from a
        hundredth to a hundred times the largest of the data.
    prob, inference_tokens, fixed, limits, maximise, scale, seed
        As in `allocate` and `target`.
    between
        Range in which crossings are searched; by default from the least of the data to a million
        times the largest.

    Raises
    ------
    DecisionError
        When there is nothing to compare, the responses differ, or as `allocate` does.
    ForecastError
        When a probability is not one, or nothing is known of a new family.
    """
    probs = checked_probs(prob)
    how = {"fixed": fixed, "limits": limits, "maximise": maximise, "scale": scale,
           "inference_tokens": inference_tokens}  # fmt: skip
    recipes = contestants_of(fit, families, how, seed)
    least, most = _data_range(recipes)
    budgets = budgets_of(C if C is not None else [most * step for step in DEFAULT_STEPS])
    ends = tuple(budgets_of(between if between is not None else (least, most * AHEAD)))
    for each in recipes:
        check_possible(each.plan, each.terms, budgets)
    bests = [each.best_at(np.log(budgets)) for each in recipes]
    responses = np.stack([best.response for best in bests], axis=1)
    multipliers = _multipliers(recipes, responses, budgets)
    table = _table(recipes, budgets, responses, multipliers, probs)
    crossings = _crossings(recipes, np.log(ends), probs)
    lacking = np.stack([lacks_optimum(best).mean(axis=0) for best in bests])
    notes = [*far_notes(table, ALONE), *no_optimum_note(lacking, AT_END)]
    notes += _crossing_notes(crossings, recipes)
    return Comparison(
        table, crossings, _dataset(recipes, budgets, responses, multipliers), tuple(notes), recipes
    )


def _data_range(recipes: Sequence[Contestant]) -> tuple[float, float]:
    ranges = [each.data_range for each in recipes]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _multipliers(
    recipes: Sequence[Contestant], responses: np.ndarray, budgets: np.ndarray
) -> np.ndarray:
    """The first recipe's budget for the response of each, over the budget, (sample, recipe,
    budget)."""
    found = [recipes[0].budget_for(responses[:, i]) for i in range(1, len(recipes))]
    ratios = [np.exp(log_budget - np.log(budgets)) for log_budget in found]
    return np.stack([np.ones_like(responses[:, 0]), *ratios], axis=1)


def _table(
    recipes: Sequence[Contestant],
    budgets: np.ndarray,
    responses: np.ndarray,
    multipliers: np.ndarray,
    probs: Sequence[float],
) -> pd.DataFrame:
    first = recipes[0]
    short = first.plan.sign * responses
    rank = 1 + np.sum(short[:, :, None] > short[:, None, :], axis=2)
    rows = []
    for i, each in enumerate(recipes):
        columns: dict[str, Any] = {first.plan.scale: budgets, "recipe": each.name}
        columns |= band_columns(first.response, responses[:, i], probs)
        columns |= band_columns("multiplier", multipliers[:, i], probs)
        columns["ahead"] = np.mean(short[:, i] < short[:, 0], axis=0) if i else np.nan
        columns |= {"best": np.mean(rank[:, i] == 1, axis=0), "rank": rank[:, i].mean(axis=0)}
        frame = pd.DataFrame(columns)
        rows.append(frame.assign(**beyond_columns(each.fit, frame, (first.plan.scale,))))
    found = pd.concat(rows).sort_index(kind="stable")
    return found.reset_index(drop=True)


def _crossings(
    recipes: Sequence[Contestant], ends: np.ndarray, probs: Sequence[float]
) -> pd.DataFrame:
    rows, scale = [], recipes[0].plan.scale
    for other in recipes[1:]:
        found = crossing_draws(other, recipes[0], float(ends[0]), float(ends[1]))
        at = np.exp(found.last)[:, None]
        row: dict[str, Any] = {"recipe": other.name, "crosses": np.mean(~np.isnan(at))}
        row |= {k: v[0] for k, v in band_columns(scale, at, probs).items()}
        row |= {"ahead_below": found.ahead_below, "ahead_above": found.ahead_above}
        row |= {"several": found.several, "from": np.exp(ends[0]), "to": np.exp(ends[1])}
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.assign(**beyond_columns(recipes[0].fit, table, (scale,)))


def _crossing_notes(crossings: pd.DataFrame, recipes: Sequence[Contestant]) -> list[Note]:
    notes = []
    if (several := float(crossings["several"].max())) > 0.05:
        notes.append(
            Note(
                "several_crossings",
                "info",
                f"in up to {several:.0%} of the draws two recipes change places more than once: "
                "the last crossing is told.",
            )
        )
    told = {note.message: note for each in recipes for note in general_notes(each.asked)}
    return [*notes, *told.values()]


def _dataset(
    recipes: Sequence[Contestant],
    budgets: np.ndarray,
    responses: np.ndarray,
    multipliers: np.ndarray,
) -> xr.Dataset:
    dims = ("sample", "recipe", "budget")
    data = {recipes[0].response: (dims, responses), "multiplier": (dims, multipliers)}
    coords = {"recipe": [each.name for each in recipes], recipes[0].plan.scale: ("budget", budgets)}
    return xr.Dataset(data, coords=coords)


# --- for people ------------------------------------------------------------------------------


def _texts(table: pd.DataFrame, first: Contestant) -> dict[str, list[str]]:
    prob, own = probs_of(table, "multiplier")[-1], first.response
    columns = {"recipe": list(table["recipe"])}
    columns[first.plan.scale] = [large(v) for v in table[first.plan.scale]]
    columns[own] = band_texts(table, own, decimals(places_for(table, own, prob)), prob)
    columns["multiplier"] = band_texts(table, "multiplier", _factor, prob)
    columns |= {f"P({name})": [_percent(v) for v in table[name]] for name in ("ahead", "best")}
    columns["rank"] = [f"{v:.2f}" for v in table["rank"]]
    return columns | outside_texts(table)


def _factor(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3g}"


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1%}"


def _crossing_texts(table: pd.DataFrame, scale: str) -> dict[str, list[str]]:
    prob = probs_of(table, scale)[-1]
    columns = {"recipe": list(table["recipe"])}
    columns["P(crosses)"] = [_percent(v) for v in table["crosses"]]
    columns[scale] = band_texts(table, scale, large, prob)
    ends = {"from": "ahead_below", "to": "ahead_above"}
    for end, name in ends.items():
        columns[f"P(ahead at {large(table[end].iloc[0])})"] = [_percent(v) for v in table[name]]
    return columns | outside_texts(table)
