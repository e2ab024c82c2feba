"""Three intervals for the same runs, side by side: posterior, bootstrap, martingale posterior."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import BayesScalingError, ForecastError, Note
from bayes_scaling.baselines import Baseline
from bayes_scaling.bootstrapping import baseline
from bayes_scaling.by_family import family_names
from bayes_scaling.data.runs import Runs
from bayes_scaling.forecasting import checked_probs, forecast
from bayes_scaling.law_draws import points_of
from bayes_scaling.martingales import martingale
from bayes_scaling.posterior import Fit

POSTERIOR = "posterior"
METHODS: Mapping[str, Callable[..., Baseline]] = {"bootstrap": baseline, "martingale": martingale}


@dataclass(frozen=True)
class Intervals:
    """The same points forecast by several methods.

    Attributes
    ----------
    table
        One row for every method and point: ``method``, ``point`` (its place), then the columns of a
        `Forecast`'s table, and where the response is known ``actual`` and ``inside_90`` ...
        (whether the band of new runs holds it). Bands are NaN where a method cannot say anything:
        for a family that is not in the data, of those that pool nothing.
    fit
        The posterior.
    baselines
        The other methods by name.
    new
        The runs that were forecast, where they were given as runs.
    notes
        What to know before trusting it.
    """

    table: pd.DataFrame
    fit: Fit
    baselines: Mapping[str, Baseline]
    new: Runs | None = None
    notes: tuple[Note, ...] = ()

    def scores(self) -> pd.DataFrame:
        """Return one row a method: points, mean relative width of each band of new runs, and where
        responses are known coverage and mean absolute relative error of the median."""
        known = self.table.dropna(subset="median")
        rows = {str(name): _scored(part) for name, part in known.groupby("method", sort=False)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")

    def __str__(self) -> str:
        with pd.option_context("display.max_columns", None, "display.width", 160):
            text = self.table.to_string(index=False, float_format=lambda v: f"{v:.4g}")
        return "\n".join([text, *(f"[{n.severity}] {n.code}: {n.message}" for n in self.notes)])

    __repr__ = __str__


def compare_intervals(
    fit: Fit,
    at: Any,
    *,
    actual: Any = None,
    prob: float | Sequence[float] = (0.5, 0.9),
    replicates: int = 500,
    seed: int = 0,
) -> Intervals:
    """Return what the posterior, a bootstrap and a martingale posterior say of the same points.

    Parameters
    ----------
    fit
        A `Fit`: its runs and its law are what `baseline` and `martingale` fit too, with its fixed
        parameters and its noise model. They pool nothing and take no priors.
    at
        Points, as `forecast` takes them; `Runs` that were held out bring their responses along.
    actual
        Responses of the points, if known and not in ``at``.
    prob
        Probabilities of the bands.
    replicates
        Draws of the bootstrap and of the martingale posterior.

    Raises
    ------
    ForecastError
        As `forecast` does, and when there are not as many responses as points.

    Notes
    -----
    A method that the runs do not allow is left out, with a note that says why.
    """
    probs, points = checked_probs(prob), points_of(fit, at)
    known = _responses(fit, at, actual, len(points))
    ahead = forecast(fit, points, prob=probs, seed=seed)
    found, notes = _fitted(fit, replicates, seed)
    tables = {POSTERIOR: ahead.table}
    tables |= {name: _known_rows(each, points, probs, ahead.table) for name, each in found.items()}
    rows = [_tidy(name, table, known, probs) for name, table in tables.items()]
    new = at if isinstance(at, Runs) else None
    return Intervals(pd.concat(rows, ignore_index=True), fit, found, new, (*ahead.notes, *notes))


def _responses(fit: Fit, at: Any, actual: Any, count: int) -> np.ndarray | None:
    given = at.values.get(fit.spec.law.response) if isinstance(at, Runs) else None
    values = given if actual is None else actual
    if values is None:
        return None
    if np.ndim(values) != 1 or len(values) != count:
        raise ForecastError(
            f"actual has {np.size(values)} values for {count} points: give one number a point."
        )
    return np.asarray(values, float)


def _fitted(fit: Fit, replicates: int, seed: int) -> tuple[dict[str, Baseline], list[Note]]:
    found, notes = {}, []
    spec = fit.spec
    how = {"priors": dict(spec.priors), "noise": spec.observation}
    for name, method in METHODS.items():
        try:
            each = method(fit.runs, spec.law, replicates=replicates, seed=seed, **how)
        except BayesScalingError as error:
            notes.append(Note(f"no_{name}", "warning", f"{name} left out: {error}"))
            continue
        found[name] = each
        notes += [Note(n.code, n.severity, f"{name}: {n.message}", n.advice) for n in each.notes]
    return found, notes


def _known_rows(
    each: Baseline, points: pd.DataFrame, probs: Sequence[float], like: pd.DataFrame
) -> pd.DataFrame:
    """The method's table, with NaN for the bands of families that are not in the data."""
    groups = each.sampled.spec.groups
    known = points[groups[-1]].isin(family_names(each.sampled)) if groups else points.index >= 0
    bands = [c for c in like.columns if c == "median" or c.startswith(("law_", "run_"))]
    table = like.copy()
    table[bands] = np.nan
    if np.any(known):
        told = each.forecast(points[known], probs)
        table.loc[np.asarray(known), bands] = told[bands].to_numpy()
    return table


def _tidy(
    name: str, table: pd.DataFrame, actual: np.ndarray | None, probs: Sequence[float]
) -> pd.DataFrame:
    table = table.drop(columns=[c for c in table.columns if c.startswith("model_")])
    table.insert(0, "method", name)
    table.insert(1, "point", np.arange(len(table)))
    if actual is None:
        return table
    table["actual"] = actual
    for label in (f"{100 * p:g}" for p in probs):
        inside = table["actual"].between(table[f"run_{label}_low"], table[f"run_{label}_high"])
        table[f"inside_{label}"] = inside.astype(object).where(
            table["median"].notna() & table["actual"].notna()
        )
    return table


def band_labels(table: pd.DataFrame) -> list[str]:
    """Return the bands of new runs in a table, in per cent, as they come."""
    return [c[4:-4] for c in table.columns if c.startswith("run_") and c.endswith("_low")]


def _scored(rows: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {"points": len(rows)}
    for label in band_labels(rows):
        width = rows[f"run_{label}_high"] - rows[f"run_{label}_low"]
        found[f"width_{label}"] = float((width / rows["median"].abs()).mean())
        if "actual" in rows:
            found[f"coverage_{label}"] = float(rows[f"inside_{label}"].astype(float).mean())
    if "actual" in rows:
        found["mean_abs_error"] = float((rows["actual"] / rows["median"] - 1.0).abs().mean())
    return found
