"""Forecasts: what the law could be, and what a new run would show, at new inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import ForecastError, Note, did_you_mean, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.axes import axes_of
from bayes_scaling.data.runs import Runs
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.extrapolation import model_error as learn_error
from bayes_scaling.infer.prior_notes import forecast_note
from bayes_scaling.law_draws import law_draws
from bayes_scaling.posterior import Fit, Sampled
from bayes_scaling.stats.intervals import equal_tailed

FAR = 1.0  # decades beyond the data from which a note is made
KEPT = "_model_error"


@dataclass(frozen=True)
class Forecast:
    """A forecast.

    Attributes
    ----------
    table
        One row a point: inputs, family, ``median``, ``law_90_low`` ... (where the law's curve could
        be if the law is right), ``model_90_low`` ... (the same with the law's own error),
        ``run_90_low`` ... (where a new run would fall), ``beyond_N`` ... (decades outside the
        data; 0 inside), ``new_family``.
    data
        DataTree with ``predictions``: the law's value and a new run, dims (chain, draw, point); and
        ``predictions_constant_data``: the inputs.
    notes
        What to know before trusting it.
    """

    table: pd.DataFrame
    data: xr.DataTree
    notes: tuple[Note, ...] = ()

    def __str__(self) -> str:
        with pd.option_context("display.max_columns", None, "display.width", 160):
            text = self.table.to_string(index=False, float_format=lambda v: f"{v:.4g}")
        return "\n".join([text, *(f"[{n.severity}] {n.code}: {n.message}" for n in self.notes)])

    __repr__ = __str__


def grid(**axes: Any) -> pd.DataFrame:
    """Return all combinations of the values given, one row a point.

    Examples
    --------
    >>> len(grid(N=[1e9, 7e10], D=[1e12, 2e12], family="c4"))
    4
    """
    values = [list(v) if isinstance(v, (Sequence, np.ndarray)) and not isinstance(v, str) else [v]
              for v in axes.values()]  # fmt: skip
    return pd.DataFrame(list(product(*values)), columns=list(axes))


@in_float64
def forecast(
    fit: Fit,
    at: Any,
    *,
    prob: float | Sequence[float] = (0.5, 0.9),
    model_error: ModelError | bool = True,
    seed: int = 0,
) -> Forecast:
    """Return median, law band and new-run band of the response at new inputs.

    Parameters
    ----------
    fit
        A `Fit`.
    at
        Points: a mapping of input to number or list (lists of one length, scalars repeated), a
        DataFrame, or `Runs`. C, N, D are completed by C = 6ND. With families, the grouping column
        names each point's family; one that the data lack gets the population's forecast.
    prob
        Probabilities of the equal-tailed bands.
    model_error
        Whether the forecast has the law's own error in, learned from the fit's runs (kept with the
        fit, so that only its first forecast waits for it); or what `bayes_scaling.model_error`
        returned. The median and the band of new runs then include it. Where the points name the
        ``run`` that they are checkpoints of, they share that run's own deviation.

    Raises
    ------
    ForecastError
        When an input or the family is missing, not positive, or cannot be forecast.
    """
    probs = checked_probs(prob)
    at, run = _without_run(at)
    drawn = law_draws(fit, at, jax.random.key(seed))
    bands = {"law": drawn.mean}
    error, missing = error_for(fit, model_error)
    if error is not None:
        drawn = with_model_error(error, drawn, run, seed=seed)
        bands["model"] = drawn.mean
    bands["run"] = drawn.run
    table = forecast_table(fit, drawn.points, bands, probs)
    notes = (*missing, *forecast_notes(fit, table, bands["law"], error))
    return Forecast(table, predictions(fit, drawn.points, bands), notes)


def error_for(fit: Fit, asked: ModelError | bool) -> tuple[ModelError | None, tuple[Note, ...]]:
    """The model error to use; none, and a note why, where it cannot be learned."""
    if asked is not True:
        return asked or None, ()
    try:
        return kept_error(fit), ()
    except ForecastError as error:
        return None, (Note("no_model_error", "warning", f"the bands are the law's alone: {error}"),)


def kept_error(fit: Fit) -> ModelError:
    """Return the model error of a fit, learned once."""
    kept = vars(fit)
    if KEPT not in kept:
        kept[KEPT] = learn_error(fit)
    return kept[KEPT]


def _without_run(at: Any) -> tuple[Any, Any]:
    """The points without the column that says which run they are checkpoints of, and that."""
    if isinstance(at, Runs):
        return at, at.run
    if isinstance(at, (pd.DataFrame, Mapping)) and "run" in at:
        rest = {str(k): at[k] for k in at if k != "run"}
        return (pd.DataFrame(rest) if isinstance(at, pd.DataFrame) else rest), at["run"]
    return at, None


def checked_probs(prob: float | Sequence[float]) -> tuple[float, ...]:
    """Return the probabilities of bands.

    Raises
    ------
    ForecastError
        Unless they lie between 0 and 1.
    """
    probs = (prob,) if isinstance(prob, (int, float)) else tuple(prob)
    if not probs or not all(0 < p < 1 for p in probs):
        raise ForecastError(f"prob={prob} must lie between 0 and 1, such as 0.9 or (0.5, 0.9).")
    return probs


def forecast_table(
    fit: Fit | Sampled,
    points: pd.DataFrame,
    bands: Mapping[str, np.ndarray],
    probs: Sequence[float],
) -> pd.DataFrame:
    """Return the table of a `Forecast` from draws (sample, point) by the name of their band."""
    shown = [c for c in points.columns if c in {*fit.spec.law.inputs, *fit.spec.groups, "N", "D"}]
    table = points[shown].copy()
    table["median"] = np.median(bands.get("model", bands["law"]), axis=0)
    for name, draws in bands.items():
        for p in probs:
            low, high = equal_tailed(draws, p)
            table[f"{name}_{100 * p:g}_low"], table[f"{name}_{100 * p:g}_high"] = low, high
    table = table.assign(**distances(fit, points))
    if fit.spec.groups:
        known = set(fit.grouping.labels[fit.spec.groups[-1]])
        table["new_family"] = [v not in known for v in points[fit.spec.groups[-1]]]
    return table


def distances(fit: Fit | Sampled, points: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the columns ``beyond_N`` ... (point,) of all axes but shares of a mixture."""
    inputs = [n for n in axes_of(fit.spec.law) if n not in fit.spec.law.simplex]
    return {f"beyond_{n}": beyond(points[n].to_numpy(float), fit.runs.values[n]) for n in inputs}


def beyond(values: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the decades by which ``values`` lie outside the data's range: below negative, above
    positive, 0 inside; zero also where the data are not positive."""
    if not (np.all(data > 0) and np.all(values > 0)):
        return np.zeros(len(values))
    x, low, high = np.log10(values), np.log10(data.min()), np.log10(data.max())
    outside = np.where(x > high, x - high, np.where(x < low, x - low, 0.0))
    return np.where(np.abs(outside) < 1e-9, 0.0, outside)


def predictions(fit: Fit, points: pd.DataFrame, bands: Mapping[str, np.ndarray]) -> xr.DataTree:
    """Return draws (sample, point) by the name of their band in ArviZ's schema."""
    sizes = fit.posterior.sizes
    dims, shape = ("chain", "draw", "point"), (sizes["chain"], sizes["draw"], len(points))
    response = fit.spec.law.response
    names = {"law": f"{response}_law", "model": f"{response}_model", "run": response}
    coords = {d: fit.posterior[d].values for d in dims[:2]}
    predictions = xr.Dataset(
        {names[k]: (dims, v.reshape(shape)) for k, v in bands.items()},
        coords={**coords, "point": np.arange(len(points))},
    )
    inputs = xr.Dataset({str(c): ("point", points[c].to_numpy(copy=True)) for c in points.columns})
    return xr.DataTree.from_dict({"predictions": predictions, "predictions_constant_data": inputs})


def forecast_notes(
    fit: Fit, table: pd.DataFrame, law: np.ndarray, error: ModelError | None
) -> tuple[Note, ...]:
    """Return what to know before trusting a forecast: far points, new families, priors, the fit.

    ``table`` is that of the forecast, ``law`` the law's draws (sample, point), ``error`` the law's
    own error where the bands have it in.
    """
    unknown = "which no band here includes" if error is None else "by more than nearer runs tell"
    notes = far_notes(table, unknown)
    if fit.spec.groups and table["new_family"].any():
        names = table.loc[table["new_family"], fit.spec.groups[-1]]
        notes.append(new_family_note(fit, names))
    if error is not None and not error.settled:
        notes.append(
            Note(
                "model_error_unsettled",
                "warning",
                "the draws of the law with its own error have not settled: its bands are "
                "approximate; compare with model_error=False, or add runs.",
            )
        )
    notes += off_notes(table, np.median(law, axis=0))
    hangs = forecast_note(fit.data, fit.spec, law)
    if hangs is not None:
        notes.append(hangs)
    return (*notes, *bad_fit_notes(fit))


def far_notes(table: pd.DataFrame, unknown: str) -> list[Note]:
    """Return a note for every input that lies far beyond the data somewhere in a table."""
    notes = []
    for column in (c for c in table.columns if c.startswith("beyond_")):
        far = float(table[column].abs().max())
        if far >= FAR:
            notes.append(
                Note(
                    "extrapolation",
                    "warning",
                    f"{column[7:]} lies up to {far:.1f} decades beyond the data: the law itself "
                    f"may bend there, {unknown}.",
                )
            )
    return notes


def off_notes(table: pd.DataFrame, law: np.ndarray) -> list[Note]:
    """Return a note where the law's median (point,) lies outside every band with its own error."""
    ends = [c for c in table.columns if c.startswith("model_")]
    if not ends:
        return []
    off = (law < table[ends].min(axis=1)) | (law > table[ends].max(axis=1))
    if not off.any():
        return []
    moved = 100 * (table["median"] / law - 1)[off]
    most = moved[moved.abs().idxmax()]
    return [
        Note(
            "off_the_law",
            "info",
            f"at {off.sum()} of {len(table)} points the law's own median lies outside the band "
            f"with its error in, the forecast's up to {most:+.1f}% from it: the nearest runs lie "
            "off the law.",
            "Look at their residuals, and try a law that bends there.",
        )
    ]


def new_family_note(fit: Fit | Sampled, labels: Iterable[str]) -> Note:
    """Return the note on families that are not in the data."""
    group, names = fit.spec.groups[-1], sorted(set(labels))
    return Note(
        "new_family",
        "info",
        f"{group} {list_names(names, 5)} is not in the data: this is the population's "
        "forecast for a new one." + did_you_mean(names[0], fit.grouping.labels[group]),
    )


def bad_fit_notes(fit: Fit) -> list[Note]:
    """Return a note on a fit that failed its checks."""
    if fit.diagnose().severity != "error":
        return []
    return [Note("bad_fit", "error", "the fit failed its checks; see fit.diagnose() first.")]
