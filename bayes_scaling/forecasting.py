"""Forecasts: what the law could be, and what a new run would show, at new inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import ForecastError, Note, did_you_mean, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import decades
from bayes_scaling.curves import Points, compiled_curves, noise_samples
from bayes_scaling.data.runs import Runs
from bayes_scaling.families import family_parameters
from bayes_scaling.posterior import Fit
from bayes_scaling.spec import ModelSpec
from bayes_scaling.stats.intervals import equal_tailed
from bayes_scaling.symbols import complete

FAR = 1.0  # decades beyond the data from which a note is made


@dataclass(frozen=True)
class Forecast:
    """A forecast.

    Attributes
    ----------
    table
        One row a point: inputs, family, ``median``, ``law_90_low`` ... (where the mean curve could
        be), ``run_90_low`` ... (where a new run would fall), ``beyond_N`` ... (decades outside the
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

    Raises
    ------
    ForecastError
        When an input or the family is missing, not positive, or cannot be forecast.
    """
    probs = _probs(prob)
    points, mean, runs = law_draws(fit, at, jax.random.key(seed))
    table = _table(fit, points, mean, runs, probs)
    return Forecast(table, _tree(fit, points, mean, runs), _notes(fit, table))


class LawDraws(NamedTuple):
    """The checked points with the law's value and a new run there, shapes (sample, point)."""

    points: pd.DataFrame
    mean: np.ndarray
    run: np.ndarray


@in_float64
def law_draws(fit: Fit, at: Any, key: Any, *, same_luck: bool = False) -> LawDraws:
    """Return the law and a new run at new points for every posterior sample.

    With ``same_luck`` a sample's run has the same random number at every point, so that bands along
    a curve are smooth.

    Raises
    ------
    ForecastError
        As `forecast` does.
    """
    points, (key_family, key_run) = points_of(fit, at), jax.random.split(key)
    wanted, family = _wanted(fit.spec, points)
    params, sigma = family_parameters(
        fit.spec, fit.samples, fit.grouping, wanted, fit.reference, key_family
    )
    x = {n: points[n].to_numpy(float, copy=True) for n in fit.spec.law.inputs}
    place = Points(x, family, _trend(fit, points))
    others = noise_samples(fit.spec, fit.samples)
    curves = compiled_curves(fit.spec, same_luck)(params, sigma, others, place, None, key_run)
    return LawDraws(points, np.asarray(curves.mean), np.asarray(curves.run))


def _probs(prob: float | Sequence[float]) -> tuple[float, ...]:
    probs = (prob,) if isinstance(prob, (int, float)) else tuple(prob)
    if not probs or not all(0 < p < 1 for p in probs):
        raise ForecastError(f"prob={prob} must lie between 0 and 1, such as 0.9 or (0.5, 0.9).")
    return probs


def points_of(fit: Fit, at: Any) -> pd.DataFrame:
    """Return the points as a checked frame with every input and grouping column.

    Raises
    ------
    ForecastError
        Naming what is missing or not a positive number.
    """
    frame = _frame(at)
    groups = fit.spec.groups
    numeric = {c: frame[c] for c in frame.columns if c not in fit.runs.groups}
    values, _ = complete({str(c): _numbers(c, v) for c, v in numeric.items()})
    _check_inputs(fit, values)
    _check_groups(groups, frame, fit)
    labels = {g: frame[g].astype(str).to_numpy() for g in groups if g in frame.columns}
    return pd.DataFrame({**values, **labels})


def _frame(at: Any) -> pd.DataFrame:
    if isinstance(at, Runs):
        return pd.DataFrame({**at.covariates, **at.labels})
    if isinstance(at, pd.DataFrame):
        return at.reset_index(drop=True)
    if isinstance(at, Mapping):
        return _broadcast(at)
    import narwhals as nw

    try:
        return nw.from_native(at, eager_only=True).to_pandas()
    except TypeError:
        raise ForecastError(
            f"cannot forecast at a {type(at).__name__}: pass a mapping such as "
            "{'N': 7e10, 'D': 1.4e12}, a DataFrame, or bs.grid(...)."
        ) from None


def _broadcast(at: Mapping[str, Any]) -> pd.DataFrame:
    columns = {k: v if np.ndim(v) else [v] for k, v in at.items()}
    longest = max((len(v) for v in columns.values()), default=0)
    odd = [k for k, v in columns.items() if len(v) not in (1, longest)]
    if odd or not longest:
        raise ForecastError(
            f"at: '{odd[0]}' has {len(columns[odd[0]])} values beside {longest}: give lists of one "
            "length, or bs.grid(...) for all combinations."
            if odd
            else "at: no point is given; pass for example {'N': 7e10, 'D': 1.4e12}."
        )
    return pd.DataFrame({k: list(v) * (longest // len(v)) for k, v in columns.items()})


def _numbers(name: Any, values: pd.Series) -> np.ndarray:
    try:
        numbers = pd.to_numeric(values).to_numpy(float, copy=True)
    except (ValueError, TypeError):
        raise ForecastError(f"at: '{name}' holds text: give numbers, such as 70e9.") from None
    if not np.all(np.isfinite(numbers)):
        raise ForecastError(f"at: '{name}' has missing or infinite values: give finite numbers.")
    return numbers


def _check_inputs(fit: Fit, values: Mapping[str, np.ndarray]) -> None:
    needed = [*fit.spec.law.inputs, *([fit.spec.noise_trend] if fit.spec.noise_trend else [])]
    for name in needed:
        if name not in values:
            raise ForecastError(
                f"at: '{name}' is missing; law '{fit.spec.law.name}' takes "
                f"{', '.join(needed)} (given: {list_names(list(values))})."
            )
        if np.all(fit.runs.values[name] > 0) and not np.all(values[name] > 0):
            raise ForecastError(f"at: '{name}' must be positive.")


def _check_groups(groups: tuple[str, ...], frame: pd.DataFrame, fit: Fit) -> None:
    if not groups or groups[-1] in frame.columns:
        return
    known = fit.grouping.labels[groups[-1]]
    raise ForecastError(
        f"at: the {groups[-1]} is missing; add it as '{groups[-1]}': one of {list_names(known)}, "
        "or a new name for the population's forecast."
    )


def _wanted(spec: ModelSpec, points: pd.DataFrame) -> tuple[list[dict[str, str]], np.ndarray]:
    """The distinct families asked for, and the index of each point's."""
    groups = [g for g in spec.groups if g in points.columns]
    if not groups:
        return [{}], np.zeros(len(points), int)
    keys = list(points[groups].itertuples(index=False, name=None))
    unique = list(dict.fromkeys(keys))
    index = np.asarray([unique.index(k) for k in keys])
    return [dict(zip(groups, k, strict=True)) for k in unique], index


def _trend(fit: Fit, points: pd.DataFrame) -> np.ndarray | None:
    name = fit.spec.noise_trend
    if not name:
        return None
    return decades(points[name].to_numpy(float, copy=True), fit.runs.values[name])


def _table(
    fit: Fit, points: pd.DataFrame, mean: np.ndarray, runs: np.ndarray, probs: Sequence[float]
) -> pd.DataFrame:
    shown = [c for c in points.columns if c in {*fit.spec.law.inputs, *fit.spec.groups, "N", "D"}]
    table = points[shown].copy()
    table["median"] = np.median(mean, axis=0)
    for name, draws in (("law", mean), ("run", runs)):
        for p in probs:
            low, high = equal_tailed(draws, p)
            table[f"{name}_{100 * p:g}_low"], table[f"{name}_{100 * p:g}_high"] = low, high
    for name in fit.spec.law.inputs:
        table[f"beyond_{name}"] = beyond(points[name].to_numpy(float), fit.runs.values[name])
    if fit.spec.groups:
        known = set(fit.grouping.labels[fit.spec.groups[-1]])
        table["new_family"] = [v not in known for v in points[fit.spec.groups[-1]]]
    return table


def beyond(values: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the decades by which ``values`` lie outside the data's range: below negative, above
    positive, 0 inside; zero also where the data are not positive."""
    if not (np.all(data > 0) and np.all(values > 0)):
        return np.zeros(len(values))
    x, low, high = np.log10(values), np.log10(data.min()), np.log10(data.max())
    outside = np.where(x > high, x - high, np.where(x < low, x - low, 0.0))
    return np.where(np.abs(outside) < 1e-9, 0.0, outside)


def _tree(fit: Fit, points: pd.DataFrame, mean: np.ndarray, runs: np.ndarray) -> xr.DataTree:
    sizes = fit.posterior.sizes
    dims, shape = ("chain", "draw", "point"), (sizes["chain"], sizes["draw"], len(points))
    response = fit.spec.law.response
    coords = {d: fit.posterior[d].values for d in dims[:2]}
    predictions = xr.Dataset(
        {f"{response}_law": (dims, mean.reshape(shape)), response: (dims, runs.reshape(shape))},
        coords={**coords, "point": np.arange(len(points))},
    )
    inputs = xr.Dataset({str(c): ("point", points[c].to_numpy(copy=True)) for c in points.columns})
    return xr.DataTree.from_dict({"predictions": predictions, "predictions_constant_data": inputs})


def _notes(fit: Fit, table: pd.DataFrame) -> tuple[Note, ...]:
    notes = []
    for name in fit.spec.law.inputs:
        far = float(table[f"beyond_{name}"].abs().max())
        if far >= FAR:
            notes.append(
                Note(
                    "extrapolation",
                    "warning",
                    f"{name} lies up to {far:.1f} decades beyond the data: the law itself may "
                    "bend there, which no band here includes.",
                )
            )
    if fit.spec.groups and table["new_family"].any():
        group = fit.spec.groups[-1]
        names = sorted(set(table.loc[table["new_family"], group]))
        notes.append(
            Note(
                "new_family",
                "info",
                f"{group} {list_names(names, 5)} is not in the data: this is the population's "
                "forecast for a new one." + did_you_mean(names[0], fit.grouping.labels[group]),
            )
        )
    severity = fit.diagnose().severity
    if severity == "error":
        notes.append(
            Note("bad_fit", "error", "the fit failed its checks; see fit.diagnose() first.")
        )
    return tuple(notes)
