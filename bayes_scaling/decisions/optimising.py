"""The best value of any inputs of a law, and how far one may stray from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import DecisionError, Note, did_you_mean, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.decisions.asked import direction, positive, refuse_shares
from bayes_scaling.decisions.bands import (
    as_text,
    band_columns,
    band_texts,
    decimals,
    large,
    places_for,
    probs_of,
)
from bayes_scaling.decisions.best_inputs import BestInputs, compiled_optimum, law_at
from bayes_scaling.decisions.plans import TRADED, Plan, Terms, completed
from bayes_scaling.decisions.results import ALONE, Asked, beyond_columns, general_notes, points_for
from bayes_scaling.decisions.samples import family_draws
from bayes_scaling.forecasting import checked_probs, far_notes
from bayes_scaling.posterior import Fit
from bayes_scaling.spec import Law

MOST = 3  # inputs that are searched together
WIDER = 2.0  # decades beyond the data that are searched


@dataclass(frozen=True)
class Optimum:
    """The best value of some inputs.

    Attributes
    ----------
    table
        One row a family: the family, the inputs given, then medians and bands of each input that
        was searched (``lr``, ``lr_90_low`` ...), of the ends of the region in which the response is
        within a share of the best (``lr_from``, ``lr_to``; 0 or infinite where it has no end in
        the range searched) and of the best response. ``no_optimum`` is the share of draws in which
        the best lies at an end of the range searched.
    draws
        The same for every draw, a dataset with dims (chain, draw, point).
    within
        The share of the best response by which the region is drawn.
    notes
        What to know before trusting it.
    asked
        What it was made of.
    """

    table: pd.DataFrame
    draws: xr.Dataset
    within: float
    notes: tuple[Note, ...]
    asked: Asked
    over: tuple[str, ...]

    @in_float64
    def probability(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the probability (point,) that a setting of the searched inputs is in the region.

        Raises
        ------
        DecisionError
            When an input that was searched is missing, or is not positive.
        """
        if missing := [name for name in self.over if name not in values]:
            raise DecisionError(f"'{missing[0]}' is missing: give {list_names(self.over)}.")
        at = np.log([positive(f"'{name}'", values[name]) for name in self.over])
        there = _value_at(self.asked, self.over, at)
        sign = self.asked.plan.sign
        best = np.asarray(self.draws[self.asked.response]).reshape(there.shape)
        return np.mean(sign * there <= _level(sign, best, self.within), axis=0)

    @property
    def title(self) -> str:
        """What was decided, in words."""
        given = ", ".join(f"{n} = {large(v)}" for n, v in self.asked.terms.others.items())
        at = f" at {given}" if given else ""
        return f"Best {' and '.join(self.over)} by {self.asked.plan.law.name}{at}"

    def texts(self) -> dict[str, list[str]]:
        """Return the columns of the table for people, ``median [low, high]`` of the widest band."""
        return _texts(self.asked, self.table, self.over, self.within)

    def __str__(self) -> str:
        prob = probs_of(self.table, self.over[0])[-1]
        return as_text(f"{self.title}; median [{prob} % band]", self.texts(), self.notes)

    __repr__ = __str__


@in_float64
def optimum(
    fit: Fit,
    over: str | Sequence[str],
    at: Mapping[str, float | str] | None = None,
    *,
    family: str | Sequence[str] | None = None,
    within: float = 0.005,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    prob: float | Sequence[float] = (0.5, 0.9),
    maximise: bool | None = None,
    seed: int = 0,
) -> Optimum:
    """Return the posterior of the best value of inputs such as learning rate and batch size.

    The search is in logarithms, for every draw by itself.

    Parameters
    ----------
    fit
        A `Fit`.
    over
        The inputs to choose, at most three, such as ``("lr", "B")``.
    at
        The other inputs; of N, D, C and M any that give the ones the law takes.
    family, prob, maximise, seed
        As in `allocate`.
    within
        Share of the best response by which the region of good values is drawn, such as 0.005.
    bounds
        Range (low, high) of an input that is searched; by default two decades beyond the data.

    Raises
    ------
    DecisionError
        When an input is missing, unknown, given twice or not positive.
    ForecastError
        When a probability is not one, or nothing is known of a new family.
    """
    probs, law = checked_probs(prob), fit.spec.law
    names = (over,) if isinstance(over, str) else tuple(over)
    refuse_shares(law, names)
    given = _checked_at(law, names, at or {})
    share = positive("within", within)
    box = _box(fit, names, bounds or {})
    families = family_draws(fit, family, seed)
    place, _ = points_for(families, [0.0])
    terms = Terms(given, 0.0, -np.inf, {})
    asked = Asked(fit, Plan(law, "", "", direction(law, maximise)), terms, families, place)
    found = compiled_optimum(law, names, asked.plan.sign)(asked.params, given, *box, share)
    draws = _arrays(names, asked.response, found)
    table = _table(asked, names, draws, _at_end(found, box), probs)
    notes = [*_end_notes(table), *far_notes(table, ALONE)]
    notes += general_notes(asked, draws[asked.response])
    return Optimum(table, asked.dataset(draws), share, tuple(notes), asked, names)


def _checked_at(law: Law, over: tuple[str, ...], at: Mapping[str, float | str]) -> dict[str, float]:
    traded = TRADED if {*law.inputs} & {*TRADED} else ()
    known = list(dict.fromkeys((*law.inputs, *traded)))
    for name in (*over, *at):
        if name not in known:
            raise DecisionError(
                f"'{name}' is no input of law '{law.name}': it takes {list_names(law.inputs)}."
                + did_you_mean(name, known)
            )
    if not over or len(over) > MOST or len({*over}) < len(over):
        raise DecisionError(f"over={over!r}: name one to {MOST} inputs, each once.")
    if both := [name for name in over if name in at]:
        raise DecisionError(f"'{both[0]}' is both searched and given: leave it out of at.")
    given = {name: positive(f"at: '{name}'", value) for name, value in at.items()}
    have = completed(dict.fromkeys((*over, *given), 0.0))
    if missing := [name for name in law.inputs if name not in have]:
        raise DecisionError(
            f"at: '{missing[0]}' is missing; law '{law.name}' takes {list_names(law.inputs)}."
        )
    if len(extra := [n for n in (*over, *given) if n in TRADED]) > 2:
        raise DecisionError(f"{' and '.join(extra)} are too many: two of N, D, C and M do.")
    return given


def _box(
    fit: Fit, over: Sequence[str], bounds: Mapping[str, tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """The logs of the lower and upper ends that are searched, (coordinate,)."""
    if stray := [name for name in bounds if name not in over]:
        raise DecisionError(f"bounds names '{stray[0]}', which is not searched.")
    ends = [_ends(fit, name, bounds.get(name)) for name in over]
    low, high = (np.log([end[i] for end in ends]) for i in (0, 1))
    return low, high


def _ends(fit: Fit, name: str, asked: tuple[float, float] | None) -> tuple[float, float]:
    if asked is not None:
        if np.shape(asked) != (2,):
            raise DecisionError(f"bounds: '{name}' takes a lower and an upper end.")
        low, high = (positive(f"bounds: '{name}'", v) for v in asked)
        if not low < high:
            raise DecisionError(f"bounds: '{name}' from {low:g} to {high:g}: give the lower first.")
        return low, high
    data = fit.runs.values.get(name)
    if data is None or not np.all(data > 0):
        raise DecisionError(f"'{name}' is not positive in the data: give its range in bounds.")
    return float(data.min()) / 10**WIDER, float(data.max()) * 10**WIDER


def _value_at(asked: Asked, over: tuple[str, ...], place: np.ndarray) -> np.ndarray:
    """The response at one log place, (sample, point)."""
    there = law_at(asked.plan.law, over, asked.params, asked.terms.others, place)
    shape = np.shape(next(iter(asked.params.values())))
    return np.broadcast_to(np.asarray(there), shape)


def _level(sign: float, best: np.ndarray, within: float) -> np.ndarray:
    return sign * best + within * np.abs(best)


# --- results ---------------------------------------------------------------------------------


def _arrays(over: tuple[str, ...], response: str, found: BestInputs) -> dict[str, np.ndarray]:
    draws = {}
    for i, name in enumerate(over):
        for suffix, logs in (("", found.best), ("_from", found.start), ("_to", found.stop)):
            draws[f"{name}{suffix}"] = np.exp(np.asarray(logs)[..., i])
    return draws | {response: np.asarray(found.response)}


def _at_end(
    found: BestInputs,
    box: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Whether a draw's best lies at an end of the range searched, (sample, point)."""
    best = np.asarray(found.best)
    return np.any((best <= box[0] + 1e-9) | (best >= box[1] - 1e-9), axis=-1)


def _table(
    asked: Asked,
    over: tuple[str, ...],
    draws: Mapping[str, np.ndarray],
    at_end: np.ndarray,
    probs: Sequence[float],
) -> pd.DataFrame:
    columns: dict[str, Any] = {**asked.labels, **asked.terms.others}
    for name, values in draws.items():
        columns |= band_columns(name, values, probs)
    table = pd.DataFrame(columns | {"no_optimum": at_end.mean(axis=0)})
    names = (*asked.terms.others, *over)
    return table.assign(**beyond_columns(asked.fit, table, names))


def _end_notes(table: pd.DataFrame) -> list[Note]:
    if not (worst := float(table["no_optimum"].max())):
        return []
    return [
        Note(
            "no_optimum",
            "warning",
            f"in up to {worst:.1%} of the draws the best lies at an end of the range searched: "
            "the law may have no optimum there.",
            "Widen bounds, or add runs on both sides.",
        )
    ]


def _texts(
    asked: Asked, table: pd.DataFrame, over: tuple[str, ...], within: float
) -> dict[str, list[str]]:
    prob, own = probs_of(table, over[0])[-1], asked.response
    columns = {name: [str(v) for v in table[name]] for name in asked.labels}
    for name in over:
        columns[name] = band_texts(table, name, large, prob)
        ends = zip(table[f"{name}_from"], table[f"{name}_to"], strict=True)
        columns[f"{name} within {within:.2g}"] = [f"{large(a)}..{large(b)}" for a, b in ends]
    columns[own] = band_texts(table, own, decimals(places_for(table, own, prob)), prob)
    if table["no_optimum"].any():
        columns["no optimum"] = [f"{v:.1%}" for v in table["no_optimum"]]
    return columns
