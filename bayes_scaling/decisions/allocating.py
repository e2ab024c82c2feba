"""The compute-optimal allocation of a budget, with its posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import Note
from bayes_scaling._x64 import in_float64
from bayes_scaling.decisions.asked import budgets_of, check_possible, check_trades, plan_of
from bayes_scaling.decisions.bands import (
    as_text,
    band_columns,
    band_texts,
    decimals,
    large,
    places_for,
    probs_of,
)
from bayes_scaling.decisions.frontier import (
    LARGER,
    LIMITED,
    SMALLER,
    Best,
    best_of,
    lacks_optimum,
)
from bayes_scaling.decisions.off_optimum import FACTORS, off_table
from bayes_scaling.decisions.plans import Plan, Terms
from bayes_scaling.decisions.results import (
    ALONE,
    FAR,
    Asked,
    beyond_columns,
    general_notes,
    no_optimum_note,
    outside_texts,
    points_for,
)
from bayes_scaling.decisions.samples import family_draws
from bayes_scaling.decisions.with_error import best_with_error
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.forecasting import checked_probs, far_notes, kept_error
from bayes_scaling.posterior import Fit

OWN_BEST = Note(
    "own_best",
    "info",
    "with the law's own error each draw is at its own best size, so that the response is better "
    "than that of one size that is trained: forecast the size you choose.",
)
ENDLESS = "there N is 0 or infinite, and response and exponents are those of the other draws"


@dataclass(frozen=True)
class Allocation:
    """How to spend budgets.

    Attributes
    ----------
    table
        One row for every family and budget: ``C`` (the budget), the family, then medians and bands
        (``N_90_low`` ...) of ``N``, ``D``, ``M`` (tokens per parameter), the response (``L``), and
        the local exponents ``a`` (d log N / d log C) and ``b`` (d log D / d log C). ``no_optimum``
        is the share of draws in which the response gets better without end towards small or large
        sizes; their N is 0 or infinite and counts as that. ``at_limit`` is the share in which a
        limit that was asked for binds. ``beyond_C``, ``beyond_N``, ``beyond_D``: decades by which
        budget and medians lie outside the data.
    draws
        The same for every draw, a dataset with dims (chain, draw, point); with the law's own error
        in no order.
    notes
        What to know before trusting it.
    asked
        What it was made of.
    law_alone
        Whether the law's own error is left out.
    """

    table: pd.DataFrame
    draws: xr.Dataset
    notes: tuple[Note, ...]
    asked: Asked
    law_alone: bool = True

    @in_float64
    def off_optimum(self, factors: Sequence[float] = FACTORS, prob: float = 0.9) -> pd.DataFrame:
        """Return what it costs to train another size than the recommended one.

        Parameters
        ----------
        factors
            Multiples of the recommended size, which is the median N of the table. 1 shows what not
            knowing the optimum better costs.
        prob
            Probability of the bands.

        Returns
        -------
        DataFrame
            One row for every family, budget and factor: ``N``, ``D``, ``penalty`` (how much worse
            the response is than at a draw's own optimum, in its unit) and ``compute`` (the budget
            over the one that reaches the same response at a draw's optimum), each with its band:
            always of the law alone.

        Raises
        ------
        DecisionError
            When a size was held, or a factor is not positive.
        ForecastError
            Unless ``prob`` lies between 0 and 1.
        """
        return off_table(self.asked, self.table, factors, checked_probs(prob))

    @property
    def title(self) -> str:
        """What was decided, in words."""
        return _title(self.asked.plan, self.asked.terms)

    @property
    def band(self) -> str:
        """What the bands hold, in words."""
        return "of the law" if self.law_alone else "with the law's own error"

    def texts(self) -> dict[str, list[str]]:
        """Return the columns of the table for people, ``median [low, high]`` of the widest band."""
        return _texts(self.asked, self.table, probs_of(self.table, "N")[-1])

    def __str__(self) -> str:
        prob = probs_of(self.table, "N")[-1]
        title = f"{self.title}; median [{prob} % band, {self.band}]"
        return as_text(title, self.texts(), self.notes)

    __repr__ = __str__


@in_float64
def allocate(
    fit: Fit,
    C: float | Sequence[float],
    *,
    family: str | Sequence[str] | None = None,
    prob: float | Sequence[float] = (0.5, 0.9),
    inference_tokens: float | None = None,
    fixed: Mapping[str, float] | None = None,
    limits: Mapping[str, Any] | None = None,
    model_error: ModelError | bool = False,
    maximise: bool | None = None,
    seed: int = 0,
) -> Allocation:
    """Return the posterior of the size and data that are best at budgets.

    Every draw of the law has an optimum of its own: by the law's closed form where it has one and
    nothing else is asked, else by a search over log N for all draws and budgets at once. The bands
    are the law's, unless ``model_error`` has its own error in.

    Parameters
    ----------
    fit
        A `Fit` of a law with two of N, D, C and M among its inputs.
    C
        Budgets in FLOPs, spent as C = 6 N D.
    family
        A family, several, or None for all of the data; a new name gets the population's.
    prob
        Probabilities of the equal-tailed bands.
    inference_tokens
        Tokens to be served, each at 2 N FLOPs: a budget is then 6 N D and 2 N times them (Sardana
        et al. 2024, eq. 2).
    fixed
        Values of the law's other inputs, such as ``{"U": 1e11}``, and at most one of N, D and M to
        hold while the rest follows.
    limits
        Limits of N, D or M: a number is an upper one, such as ``{"D": 1e12}`` for the unique tokens
        there are; a pair a lower and an upper one (None for none).
    model_error
        Whether size, data and response are those of the law with its own error (as `forecast` has
        it in), searched on a grid of sizes; the exponents stay the law's. The response is then
        each draw's at its own best size, and so better than a forecast at any one size. Or what
        `bayes_scaling.model_error` returned.
    maximise
        Whether the response should be large; known for losses, errors and scores.
    seed
        Of the draws of new families.

    Raises
    ------
    DecisionError
        When the law trades no size for data, an input is missing or unknown, or a budget cannot be
        spent within the limits.
    ForecastError
        When a probability is not one, or nothing is known of a new family.
    """
    probs, budgets, law = checked_probs(prob), budgets_of(C), fit.spec.law
    check_trades(law)
    how = {"fixed": fixed, "limits": limits, "maximise": maximise}
    plan, terms = plan_of(law, inference_tokens=inference_tokens, **how)
    check_possible(plan, terms, budgets)
    families = family_draws(fit, family, seed)
    place, points = points_for(families, budgets)
    plan, found = best_of(plan, families.at(place), terms, np.log(points))
    asked = Asked(fit, plan, terms, families, place)
    error = kept_error(fit) if model_error is True else model_error or None
    by_law = _arrays(found, asked.response)[asked.response]
    if error is not None:
        found = best_with_error(asked, error, np.log(points), found, seed)
    draws = _arrays(found, asked.response)
    table = _table(asked, points, draws, found, probs)
    notes = [*_optimum_notes(table), *far_notes(table, ALONE if error is None else FAR)]
    notes += [OWN_BEST] if error is not None and plan.chooses else []
    notes += general_notes(asked, by_law)
    data = asked.dataset(draws, C=points)
    return Allocation(table, data, tuple(notes), asked, law_alone=error is None)


def _arrays(found: Best, response: str) -> dict[str, np.ndarray]:
    """The draws (sample, point) by the name of their column."""
    small, big = found.place == SMALLER, found.place == LARGER

    def ended(values: np.ndarray, at_small: float, at_big: float) -> np.ndarray:
        return np.where(small, at_small, np.where(big, at_big, values))

    with np.errstate(over="ignore"):
        return {
            "N": ended(np.exp(found.size), 0.0, np.inf),
            "D": ended(np.exp(found.data), np.inf, 0.0),
            "M": ended(np.exp(found.data - found.size), np.inf, 0.0),
            response: ended(found.response, np.nan, np.nan),
            "a": ended(found.size_slope, np.nan, np.nan),
            "b": ended(found.data_slope, np.nan, np.nan),
        }


def _table(
    asked: Asked,
    budgets: np.ndarray,
    draws: Mapping[str, np.ndarray],
    found: Best,
    probs: Sequence[float],
) -> pd.DataFrame:
    columns: dict[str, Any] = {**asked.labels, "C": budgets}
    for name, values in draws.items():
        columns |= band_columns(name, values, probs)
    columns["no_optimum"] = lacks_optimum(found).mean(axis=0)
    columns["at_limit"] = (found.place == LIMITED).mean(axis=0)
    table = pd.DataFrame(columns)
    return table.assign(**beyond_columns(asked.fit, table, ("C", "N", "D")))


def _optimum_notes(table: pd.DataFrame) -> list[Note]:
    notes = no_optimum_note(table["no_optimum"].to_numpy(), ENDLESS)
    if (most := float(table["at_limit"].max())) > 0:
        notes.append(
            Note(
                "at_limit",
                "info",
                f"a limit binds in up to {most:.0%} of the draws: without it another allocation "
                "would be better.",
            )
        )
    return notes


# --- for people ------------------------------------------------------------------------------


def _title(plan: Plan, terms: Terms) -> str:
    served = float(np.exp(terms.served))
    spent = f"6 N D + 2 N x {large(served)} served" if served else "6 N D"
    held = f", {plan.held} held at {large(float(np.exp(terms.held)))}" if plan.held else ""
    return f"Allocation of C = {spent} by {plan.law.name}{held}"


def _texts(asked: Asked, table: pd.DataFrame, prob: str) -> dict[str, list[str]]:
    own = asked.response
    columns = {name: [str(v) for v in table[name]] for name in asked.labels}
    columns["C"] = [large(v) for v in table["C"]]
    columns |= {name: band_texts(table, name, large, prob) for name in ("N", "D")}
    columns["D/N"] = band_texts(table, "M", large, prob)
    columns[own] = band_texts(table, own, decimals(places_for(table, own, prob)), prob)
    columns["a"] = band_texts(table, "a", decimals(3), prob)
    for name in ("no_optimum", "at_limit"):
        if table[name].any():
            columns[name.replace("_", " ")] = [f"{v:.1%}" for v in table[name]]
    return columns | outside_texts(table)
