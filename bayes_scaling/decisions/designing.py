"""Which runs to pay for next: those that tell most of a goal within a budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DecisionError, Note
from bayes_scaling._x64 import in_float64
from bayes_scaling.decisions.asked import positive
from bayes_scaling.decisions.bands import as_text, large
from bayes_scaling.decisions.candidates import COST, Candidates, read_candidates
from bayes_scaling.decisions.goals import Goal, goal_of
from bayes_scaling.decisions.joint_draws import joint_of
from bayes_scaling.decisions.results import outside_texts
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.forecasting import bad_fit_notes, distances, error_for
from bayes_scaling.posterior import Fit
from bayes_scaling.stats.designing import (
    Moments,
    Nested,
    after,
    alone,
    choose,
    moments_of,
    nested,
    parts_of,
)

OUTCOMES = 200  # simulated, for the nested estimate
MOST_NESTED = 40  # runs whose outcomes are weighed together
MOST_NORMAL, COPIES = 10, 25  # runs, for draws of the law's error weighed in place of samples
ENOUGH = 20.0  # samples that an outcome must leave for the nested estimate to count
ATOMS = 2000
APART = 0.1  # relative difference of the two estimates from which a note is made


@dataclass(frozen=True)
class Design:
    """The runs to make next.

    Attributes
    ----------
    table
        One row for every run, in the order in which it was chosen: ``row`` (its place in the
        candidates, from 0), the inputs and family, ``cost``, ``spent`` (with the earlier ones),
        ``gain`` (share of the goal's present variance that it takes away after the earlier ones),
        ``sd`` (root of the expected variance of the goal after it), ``beyond_N`` ... (decades
        outside the data).
    candidates
        All candidates in their order: inputs, family, ``cost``, ``gain`` (share of the present
        variance that the run takes away by itself) and ``gain_per_cost``.
    before, expected, with_all
        Root of the variance of the goal now, expected after the chosen runs, and expected if every
        candidate were run.
    nested
        The same variances by nested Monte Carlo (with the law's own error, where outcomes leave
        few samples, over draws of its hyper-parameters); None where that leaves too few.
    goal, unit, currency
        The goal in words, the unit of its sd (``"log"`` for a relative one), and that of costs.
    notes
        What to know before trusting it.
    law_alone
        Whether the law's own error is left out.
    """

    table: pd.DataFrame
    candidates: pd.DataFrame
    before: float
    expected: float
    with_all: float
    nested: Nested | None
    goal: str
    unit: str
    currency: str
    notes: tuple[Note, ...]
    law_alone: bool

    @property
    def title(self) -> str:
        """What was decided, in words."""
        way = "by the law alone" if self.law_alone else "with the law's own error"
        runs = f"{len(self.table)} run{'' if len(self.table) == 1 else 's'}"
        spent = large(float(self.table["cost"].sum()))
        now, then, most = map(self._shown, (self.before, self.expected, self.with_all))
        return (
            f"{runs} for {spent} {self.currency} to tell {self.goal}: its sd {now} now, {then} "
            f"expected after, {most} with all {len(self.candidates)} candidates ({way})"
        )

    def texts(self) -> dict[str, list[str]]:
        """Return the columns of the table for people."""
        told = {"cost", "spent", "gain", "sd", "row"}
        columns = {"run": [str(v) for v in self.table["row"]]}
        for name in (c for c in map(str, self.table) if c not in told and c[:7] != "beyond_"):
            values = self.table[name]
            counted = pd.api.types.is_numeric_dtype(values)
            columns[name] = [large(v) if counted else str(v) for v in values]
        columns |= {name: [large(v) for v in self.table[name]] for name in ("cost", "spent")}
        columns["gain"] = [f"{v:.1%}" for v in self.table["gain"]]
        columns["sd after"] = [self._shown(v) for v in self.table["sd"]]
        return columns | outside_texts(self.table)

    def _shown(self, sd: float) -> str:
        return f"{100 * sd:.3g} %" if self.unit == "log" else f"{sd:.3g}"

    def __str__(self) -> str:
        return as_text(self.title, self.texts(), self.notes)

    __repr__ = __str__


@in_float64
def design(
    fit: Fit,
    candidates: Any,
    *,
    budget: float,
    goal: Any,
    batch: int | None = None,
    repeats: int = 1,
    cost: str = COST,
    family: Any = None,
    fixed: Mapping[str, float] | None = None,
    model_error: ModelError | bool = True,
    maximise: bool | None = None,
    seed: int = 0,
) -> Design:
    """Return the runs that tell most of a goal within a budget.

    What is made small is the expected posterior variance of the goal after the runs: of the
    response at points (without the noise of a run there; on the log scale where the noise is on
    it; the mean over several points), of the log of a parameter, or of the log of the law's best
    size N at a budget. Runs are chosen greedily, each given the earlier ones, by the variance it
    takes away over a power of its cost; of four powers the choice that leaves least is taken.

    The expected variance is that of the best linear prediction of the goal from the outcomes,
    with moments over the posterior's samples: exact for a linear law with normal noise, else an
    upper bound, but for Student-t noise, which counts as the normal noise that tells as much. With
    the law's own error runs tell of the law and of its error near them, so that far runs and
    repeats tell less; the expected variance is then on the careful side, since it does not foresee
    that larger runs move the edge beyond which the error grows (``docs/design.md``). The chosen
    batch is judged again by nested Monte Carlo.

    Parameters
    ----------
    fit
        A `Fit` of the runs made so far.
    candidates
        Table of possible runs (path, frame, `Runs` or mapping) with the law's inputs, the family
        where there are families, and perhaps a column of costs; see also `candidate_grid`.
    budget
        What the runs may cost together, in the unit of the costs.
    goal
        Points to forecast, as `forecast` takes them; the name of a parameter; or a number, the
        budget in FLOPs at which the law's best size is wanted.
    batch
        At most so many runs; None for as many as the budget pays for.
    repeats
        How often one candidate may be run.
    cost
        Column of costs; without a column ``cost`` a run costs C = 6 N D FLOPs.
    family
        Families of a parameter or a best size; None for all of the data.
    fixed, maximise
        As in `allocate`, for a best size.
    model_error
        Whether the law has an error of its own, as in `forecast`.
    seed
        Of new families and simulated outcomes.

    Raises
    ------
    DecisionError
        When candidates, budget, batch or goal cannot be used, or no candidate can be paid for.
    """
    limit, most = positive("budget", budget), _counted("batch", batch, 10**6)
    often = _counted("repeats", repeats, 1)
    runs = read_candidates(fit, candidates, cost)
    if runs.cost.min() > limit:
        raise DecisionError(
            f"a budget of {limit:g} {runs.currency} pays for no candidate, the cheapest costs "
            f"{runs.cost.min():g}: raise the budget or add cheaper ones."
        )
    error, missing = error_for(fit, model_error)
    how = {"family": family, "fixed": fixed, "maximise": maximise}
    aim = goal_of(fit, goal, error, seed=seed, **how)
    moments = moments_of(joint_of(fit, aim, runs.points, error, seed))
    if not moments.variance > 0:
        raise DecisionError(f"goal {aim.title} does not vary in the posterior: nothing to learn.")
    chosen = choose(moments, runs.cost, limit, most, often)
    checked = _nested(fit, aim, runs.points.iloc[chosen], error, seed)
    table = _table(fit, runs, chosen, moments)
    notes = [*missing, *_notes(chosen, checked, table, moments, error), *bad_fit_notes(fit)]
    return Design(
        table,
        _ranked(fit, runs, moments),
        math.sqrt(moments.variance),
        math.sqrt(after(moments, chosen)),
        math.sqrt(max(after(moments, range(len(runs.cost))), 0.0)),
        checked,
        aim.title,
        aim.unit,
        runs.currency,
        tuple(notes),
        error is None,
    )


def _counted(what: str, value: Any, none: int) -> int:
    if value is None:
        return none
    number = positive(what, value)
    if number != int(number):
        raise DecisionError(f"{what} is {value}: give a whole number of runs.")
    return int(number)


def _nested(
    fit: Fit, goal: Goal, points: pd.DataFrame, error: ModelError | None, seed: int
) -> Nested | None:
    """The nested estimate for a batch; None where it cannot be trusted."""
    if not 0 < len(points) <= MOST_NESTED:
        return None
    joint, rng = joint_of(fit, goal, points, error, seed), np.random.default_rng(seed)
    found = nested(joint.take(_some(len(joint.mean), rng)), OUTCOMES, rng)
    if found.samples < ENOUGH and error is not None and len(points) <= MOST_NORMAL:
        found = nested(parts_of(joint, COPIES), OUTCOMES, rng)
    return found if found.samples >= ENOUGH else None


def _some(samples: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(samples)[:ATOMS])


def _described(fit: Fit, runs: Candidates, rows: Any) -> pd.DataFrame:
    points = runs.points.iloc[list(rows)].reset_index(drop=True)
    shown = [c for c in points if c in {*fit.spec.law.inputs, *fit.spec.groups, "N", "D"}]
    return points[shown].assign(cost=runs.cost[list(rows)])


def _table(fit: Fit, runs: Candidates, chosen: list[int], moments: Moments) -> pd.DataFrame:
    steps = np.array([after(moments, chosen[:i]) for i in range(len(chosen) + 1)])
    table = _described(fit, runs, chosen)
    table.insert(0, "row", chosen)
    table["spent"] = table["cost"].cumsum()
    table["gain"] = -np.diff(steps) / moments.variance
    table["sd"] = np.sqrt(np.maximum(steps[1:], 0.0))
    return table.assign(**distances(fit, table))


def _ranked(fit: Fit, runs: Candidates, moments: Moments) -> pd.DataFrame:
    gain = alone(moments) / moments.variance
    table = _described(fit, runs, range(len(runs.cost)))
    return table.assign(gain=gain, gain_per_cost=gain / runs.cost)


def _notes(
    chosen: list[int],
    checked: Nested | None,
    table: pd.DataFrame,
    moments: Moments,
    error: ModelError | None,
) -> list[Note]:
    if not chosen:
        return [Note("no_gain", "warning", "no candidate within the budget tells of the goal.",
                     "Add runs nearer to it, or more dear ones.")]  # fmt: skip
    notes = _nested_notes(checked, after(moments, chosen) / moments.variance)
    if error is not None and not error.settled:
        told = "the draws of the law with its own error have not settled: gains are approximate."
        notes.append(Note("model_error_unsettled", "warning", told))
    return notes


def _nested_notes(checked: Nested | None, share: float) -> list[Note]:
    """A note where the nested estimate is missing or far from the linear one, a share left."""
    if checked is None:
        told = "the runs leave too few posterior samples to judge them by nested Monte Carlo"
        return [Note("not_judged_again", "info", f"{told}: the sd after is the linear estimate's.")]
    left, error = checked.after / checked.before, checked.error / checked.before
    if abs(left - share) < max(APART * share, 2 * error):
        return []
    return [
        Note(
            "nested_differs",
            "info",
            f"of the goal's variance {share:.1%} is expected to be left by the linear estimate, "
            f"{left:.1%} +- {error:.1%} by nested Monte Carlo.",
        )
    ]
