"""What a command found, as one record: the JSON document, and what the tables print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_scaling._arviz import stats
from bayes_scaling._errors import Note
from bayes_scaling.data.runs import Runs
from bayes_scaling.forecasting import Forecast
from bayes_scaling.posterior import Fit
from bayes_scaling.symbols import SYMBOLS

if TYPE_CHECKING:
    from bayes_scaling.decisions.designing import Design

PROB = 0.9


def notes_record(notes: Iterable[Note]) -> list[dict[str, str]]:
    """Notes as records of code, severity, message and advice."""
    return [dict(vars(note)) for note in notes]


def runs_record(runs: Runs) -> dict[str, Any]:
    """What was read of a table."""
    return {
        "rows": runs.n,
        "response": runs.response,
        "columns": [_column_record(runs, name) for name in _in_order(runs.values)],
        "groups": {name: _counts(runs.labels[name]) for name in runs.groups},
        "training_runs": None if runs.run is None else len(np.unique(runs.run)),
        "standard_errors": runs.se is not None,
        "counts": runs.trials is not None,
        "notes": notes_record(runs.notes),
    }


def _in_order(names: Iterable[str]) -> list[str]:
    """Symbols in the vocabulary's order, then names of the user's own."""
    own = list(names)
    return [*(name for name in SYMBOLS if name in own), *(n for n in own if n not in SYMBOLS)]


def _column_record(runs: Runs, name: str) -> dict[str, Any]:
    values, known = runs.values[name], SYMBOLS.get(name)
    return {
        "symbol": name,
        "meaning": known.meaning if known else "",
        "unit": known.unit if known else "",
        "column": runs.columns.get(name),
        "low": float(values.min()),
        "high": float(values.max()),
        "distinct": len(np.unique(values)),
    }


def _counts(labels: np.ndarray) -> dict[str, int]:
    names, counts = np.unique(labels, return_counts=True)
    return {str(n): int(c) for n, c in zip(names, counts, strict=True)}


def fit_record(fit: Fit) -> dict[str, Any]:
    """The posterior, the verdict on it, and how it was made."""
    return {
        "law": fit.spec.law.name,
        "equation": fit.spec.law.equation,
        "response": fit.spec.law.response,
        "rows": fit.runs.n,
        "interval": PROB,
        "posterior": posterior_table(fit).to_dict("records"),
        "diagnosis": diagnosis_record(fit),
        "made": made_record(fit),
    }


def diagnosis_record(fit: Fit) -> dict[str, Any]:
    """The verdict, its numbers and findings."""
    found = fit.diagnose()
    return {
        "severity": found.severity,
        "verdict": found.verdict,
        "numbers": found.numbers,
        "contraction": found.contraction,
        "findings": notes_record(found.findings),
    }


def made_record(fit: Fit) -> dict[str, Any]:
    """Model, settings, versions and time of a fit."""
    spec, attrs = fit.spec, fit.data.attrs
    return {
        "inputs": list(spec.law.inputs),
        "parameters": [
            {
                "name": p.name,
                "meaning": p.meaning,
                "pooling": spec.pooling(p.name),
                "prior": str(spec.prior(p.name)),
                "prior_of": p.level or p.name,
            }
            for p in spec.law.params
        ],
        "observation": spec.observation.name,
        "noise_priors": {n: str(p) for n, p in spec.priors if n not in spec.law.param_names},
        "noise_by_family": spec.noise_by_family,
        "noise_trend": spec.noise_trend or None,
        "known_standard_errors": spec.known_se,
        "groups": {name: _counts(fit.runs.labels[name]) for name in spec.groups},
        "reference": fit.reference,
        "settings": json.loads(attrs["settings"]),
        "seconds": float(attrs["seconds"]),
        "created_at": attrs["created_at"],
        "versions": json.loads(attrs["versions"]),
    }


def posterior_table(fit: Fit) -> pd.DataFrame:
    """Median, mean, sd, interval and diagnostics of every parameter, one row each."""
    full = fit.summary(prob=PROB).astype(float)
    middle = stats.summary(fit.data, kind="stats_median", ci_prob=PROB, round_to="none")
    low, high = (full[c] for c in full.columns if c.startswith("eti"))
    return pd.DataFrame(
        {
            "name": [str(name) for name in full.index],
            "median": middle["median"].astype(float).to_numpy(),
            "mean": full["mean"].to_numpy(),
            "sd": full["sd"].to_numpy(),
            "low": low.to_numpy(),
            "high": high.to_numpy(),
            "mcse_mean": full["mcse_mean"].to_numpy(),
            "r_hat": full["r_hat"].to_numpy(),
            "ess_bulk": full["ess_bulk"].to_numpy(),
            "ess_tail": full["ess_tail"].to_numpy(),
        }
    )


def forecast_record(forecast: Forecast) -> dict[str, Any]:
    """The forecast's table and notes."""
    return {
        "table": forecast.table.to_dict("records"),
        "notes": notes_record(forecast.notes),
    }


def design_record(found: Design) -> dict[str, Any]:
    """The runs chosen, what they are expected to tell, all candidates and the notes."""
    again = found.nested
    return {
        "goal": found.goal,
        "unit": found.unit,
        "law_alone": found.law_alone,
        "sd": {
            "before": found.before,
            "expected": found.expected,
            "with_all": found.with_all,
            "expected_nested": None if again is None else again.after**0.5,
        },
        "table": found.table.to_dict("records"),
        "candidates": found.candidates.to_dict("records"),
        "notes": notes_record(found.notes),
    }
