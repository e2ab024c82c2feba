"""What another size than the recommended one costs: in the response, and in compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DecisionError
from bayes_scaling.decisions.bands import (
    band_columns,
    band_texts,
    decimals,
    large,
    places_for,
    probs_of,
)
from bayes_scaling.decisions.frontier import best_of, compiled_reach, compiled_response
from bayes_scaling.decisions.plans import log_data, possible_budgets
from bayes_scaling.decisions.results import Asked

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
DOWN = 20.0 * np.log(10.0)  # how far below a budget its equal is searched


def off_table(
    asked: Asked,
    table: pd.DataFrame,
    factors: Sequence[float],
    probs: Sequence[float],
) -> pd.DataFrame:
    """Return the table of `Allocation.off_optimum` from that of the allocation.

    Raises
    ------
    DecisionError
        When a size was held, or a factor is not positive.
    """
    if asked.plan.held:
        raise DecisionError(f"{asked.plan.held} is held: there is no optimum to be off from.")
    if not len(factors) or not all(f > 0 for f in factors):
        raise DecisionError(f"factors={factors!r}: give positive numbers, such as (0.5, 2).")
    budget = np.log(table["C"].to_numpy())
    best = best_of(asked.plan, asked.params, asked.terms, budget)[1].response
    rows = [_rows(asked, table, best, float(factor), probs) for factor in factors]
    found = pd.concat(rows).sort_index(kind="stable")
    return found.reset_index(drop=True)


def _rows(
    asked: Asked, table: pd.DataFrame, best: np.ndarray, factor: float, probs: Sequence[float]
) -> pd.DataFrame:
    plan, terms, params = asked.plan, asked.terms, asked.params
    budget, recommended = np.log(table["C"].to_numpy()), table["N"].to_numpy()
    known = np.isfinite(recommended) & (recommended > 0)
    size = np.log(np.where(known, recommended * factor, np.nan))
    there = np.asarray(compiled_response(plan)(params, terms, size, budget))
    ends = possible_budgets(plan, terms, budget.min() - DOWN, budget.max() + 1e-6)
    same = np.asarray(compiled_reach(plan)(params, terms, there, *ends))
    columns: dict[str, Any] = {**asked.labels, "C": table["C"], "factor": factor}
    columns |= {"N": np.exp(size), "D": np.exp(np.asarray(log_data(terms, size, budget)))}
    columns |= band_columns("penalty", plan.sign * (there - best), probs)
    return pd.DataFrame(columns | band_columns("compute", np.exp(budget - same), probs))


def off_texts(table: pd.DataFrame, asked: Asked) -> dict[str, list[str]]:
    """Return the columns of `off_table` for people."""
    prob = probs_of(table, "penalty")[-1]
    columns = {name: [str(v) for v in table[name]] for name in asked.labels}
    columns |= {"C": [large(v) for v in table["C"]], "size": [f"x {v:g}" for v in table["factor"]]}
    columns |= {name: [large(v) for v in table[name]] for name in ("N", "D")}
    places = decimals(places_for(table, "penalty", prob))
    columns[f"{asked.response} lost"] = band_texts(table, "penalty", places, prob)
    return columns | {"compute wasted": band_texts(table, "compute", _wasted, prob)}


def _wasted(ratio: float) -> str:
    """The share of a budget that the recommended size would save."""
    return "-" if np.isnan(ratio) else f"{1.0 - 1.0 / ratio:.1%}"
