"""`replicate`: published studies fitted again on their own data, published beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import ForecastError, Note
from bayes_scaling._x64 import in_float64
from bayes_scaling.data.runs import Runs
from bayes_scaling.extrapolation import model_error
from bayes_scaling.fitting import fit
from bayes_scaling.forecasting import Forecast, forecast
from bayes_scaling.infer.base import Progress
from bayes_scaling.posterior import Fit
from bayes_scaling.published import beside
from bayes_scaling.study_spec import Study
from bayes_scaling.study_tables import (
    chosen,
    constant_rows,
    fitted_rows,
    forecast_rows,
    read_study,
    study_rows,
    table_path,
)

BAND = 0.9  # of a new run
COLUMNS = (
    "study", "of", "family", "published", "published_low", "published_high", "kind", "mean",
    "median", "low", "high", "verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Replication:
    """One study fitted again.

    Attributes
    ----------
    study
        Its record.
    parameters
        One row for every published constant: ``published`` with its interval and ``kind``, our
        posterior ``mean``, ``median`` and 95 % interval, ``verdict``: ``in`` or ``out`` of our
        interval, ``near`` where only the published interval, or what rounds to the published value,
        overlaps ours, ``mem`` where it is not judged.
    scores
        Of the forecast, empty without one: ``runs``, ``mape``, ``mae``, ``rmse``, ``r2``, ``bias``
        (mean of forecast less measured, in per cent; above zero is too high), ``coverage_90`` and
        ``width_90`` (relative to the measured) of the intervals of new runs, ``law_mape`` of the
        law without its own error, and ``base_metric``, ``base``.
    fits
        What was fitted: ``constants`` and, where it is another, ``forecast``.
    forecast
        The forecast itself.
    notes
        The study's own, and what went wrong.
    """

    study: Study
    parameters: pd.DataFrame
    scores: dict[str, Any]
    fits: dict[str, Fit]
    forecast: Forecast | None
    notes: tuple[Note, ...]

    def __str__(self) -> str:
        parts = [f"{self.study.name} ({self.study.law}): {self.study.summary}"]
        if len(self.parameters):
            shown = self.parameters.drop(columns=["study"])
            parts.append(shown.to_string(index=False, float_format=lambda v: f"{v:.4g}"))
        if self.scores:
            parts.append(pd.Series(self.scores).to_string())
        return "\n".join([*parts, *(str(note) for note in self.notes)])

    __repr__ = __str__


@in_float64
def replicate(
    what: str | None = None,
    *,
    data: str | Path,
    seed: int = 0,
    progress: bool | Progress = True,
) -> list[Replication]:
    """Fit published studies again on their own data and set what was published beside ours.

    The data are not part of the package (their licences differ).

    Parameters
    ----------
    what
        Name of a study or of a law, see `studies`; all studies by default.
    data
        Folder that holds the tables under the paths that `studies` gives.
    progress
        Show a bar on standard error, or a function ``(done, total, phase)``.

    Raises
    ------
    SpecError
        When there is no such study or law.
    DataError
        When a table is missing or cannot be read.
    """
    entries = chosen(what)
    for entry in entries:
        table_path(entry, data)
    return [replicated(entry, data, seed=seed, progress=progress) for entry in entries]


@in_float64
def replicated(
    study: Study, data: str | Path, *, seed: int = 0, progress: bool | Progress = True
) -> Replication:
    """Return one study fitted again; as `replicate`, which takes names."""
    rows = study_rows(study, data)
    options = {**study.modelling(), "seed": seed, "progress": progress}
    fits: dict[str, Fit] = {}
    kept = constant_rows(study, rows)
    fitted, ahead = fitted_rows(study, rows), forecast_rows(study, rows)
    if study.published:
        fits["constants"] = fit(read_study(study, kept), study.law, **options)
    if len(ahead) and not (study.published and kept.index.equals(fitted.index)):
        fits["forecast"] = fit(read_study(study, fitted), study.law, **options)
    constants = _parameters(study, fits["constants"]) if study.published else _frame([])
    made, scores, notes = None, {}, []
    if len(ahead):
        made, scores, notes = _forecast(study, [*fits.values()][-1], read_study(study, ahead), seed)
    own = [Note("study", "info", study.note)] if study.note else []
    doubts = [_doubt(name, found) for name, found in fits.items()]
    notes = (*own, *notes, *(note for note in doubts if note))
    return Replication(study, constants, scores, fits, made, notes)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _parameters(study: Study, found: Fit) -> pd.DataFrame:
    return _frame([{"study": study.name, **beside(each, found)} for each in study.published])


def _forecast(
    study: Study, found: Fit, ahead: Runs, seed: int
) -> tuple[Forecast, dict[str, Any], list[Note]]:
    """The forecast of the rows held back, the table's own errors left out of the prior of ours."""
    error, notes = False, []
    try:
        error = model_error(found, leave_out=Path(study.table).parent.name, seed=seed)
    except ForecastError as refused:
        notes.append(Note("no_model_error", "warning", f"the bands are the law's alone: {refused}"))
    made = forecast(found, ahead, prob=BAND, model_error=error, seed=seed)
    base = {"base_metric": study.base.metric, "base": study.base.value} if study.base else {}
    actual = ahead.values[ahead.response]
    alone = np.asarray(made.data["predictions"][f"{ahead.response}_law"]).reshape(-1, ahead.n)
    law = {"law_mape": mape(np.median(alone, axis=0), actual)}
    return made, {**score(made.table, actual), **law, **base}, notes


def score(table: pd.DataFrame, actual: np.ndarray) -> dict[str, Any]:
    """Return the scores of a forecast's table against what was measured, (point,)."""
    away = table["median"].to_numpy(float) - actual
    low, high = (table[f"run_{100 * BAND:g}_{end}"].to_numpy(float) for end in ("low", "high"))
    spread = np.sum((actual - actual.mean()) ** 2)
    size = _size(actual)
    return {
        "runs": len(actual),
        "mape": mape(table["median"].to_numpy(float), actual),
        "bias": 100 * float(np.mean(away / size)),
        "mae": float(np.mean(np.abs(away))),
        "rmse": float(np.sqrt(np.mean(away**2))),
        "r2": float(1 - np.sum(away**2) / spread) if spread > 0 else float("nan"),
        "coverage_90": float(np.mean((low <= actual) & (actual <= high))),
        "width_90": float(np.mean((high - low) / size)),
    }


def mape(predicted: np.ndarray, actual: np.ndarray) -> float:
    """Return the mean absolute error in per cent, NaN where something measured is zero."""
    return 100 * float(np.mean(np.abs(predicted - actual) / _size(actual)))


def _size(actual: np.ndarray) -> np.ndarray:
    return np.where(actual == 0, np.nan, np.abs(actual))


def _doubt(name: str, found: Fit) -> Note | None:
    """A note where a fit failed its checks."""
    verdict = found.diagnose()
    if verdict.severity != "error":
        return None
    return Note("bad_fit", "error", f"the fit of the {name} failed its checks: {verdict.verdict}.")
