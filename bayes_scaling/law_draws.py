"""The law and a new run at new inputs, for every sample of a posterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from bayes_scaling._errors import ForecastError, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import decades
from bayes_scaling.curves import Points, compiled_curves, noise_samples
from bayes_scaling.data.runs import Runs
from bayes_scaling.families import family_parameters
from bayes_scaling.mixing import check_shares
from bayes_scaling.posterior import Fit, Sampled
from bayes_scaling.spec import ModelSpec
from bayes_scaling.symbols import COVARIATES, complete


class LawDraws(NamedTuple):
    """The checked points with the law's value and a new run there, shapes (sample, point).

    ``log_prob`` is the log density of a response that was given, else None; ``trials`` (point,)
    the number of items of a share; ``noise`` the scale of the law's noise.
    """

    points: pd.DataFrame
    mean: np.ndarray
    run: np.ndarray
    log_prob: np.ndarray | None = None
    trials: np.ndarray | None = None
    noise: np.ndarray | None = None


@in_float64
def law_draws(
    fit: Fit | Sampled,
    at: Any,
    key: Any,
    *,
    y: Any = None,
    same_luck: bool = False,
    given: Mapping[str, np.ndarray] | None = None,
) -> LawDraws:
    """Return the law and a new run at new points for every posterior sample.

    ``y`` (point,) is a response to give the log density of. With ``same_luck`` a sample's run has
    the same random number at every point, so that bands along a curve are smooth. ``given`` are
    inputs that differ from sample to sample, (sample, point), in place of the points' own.

    Raises
    ------
    ForecastError
        As `forecast` does.
    """
    points, (key_family, key_run) = points_of(fit, at), _two_keys(key)
    wanted, family = _wanted(fit.spec, points)
    params, sigma = family_parameters(
        fit.spec, fit.samples, fit.grouping, wanted, fit.reference, key_family
    )
    x = {n: points[n].to_numpy(float, copy=True) for n in fit.spec.law.inputs} | dict(given or {})
    place = Points(x, family, _trend(fit, points), trials=trials_at(fit, points))
    others = noise_samples(fit.spec, fit.samples)
    curves = compiled_curves(fit.spec, same_luck)(params, sigma, others, place, y, key_run)
    log_prob = None if y is None else np.asarray(curves.log_prob)
    mean, run, noise = (np.asarray(v) for v in (curves.mean, curves.run, curves.noise))
    return LawDraws(points, mean, run, log_prob, place.trials, noise)


@jax.jit
def _two_keys(key: Any) -> tuple[Any, Any]:
    first, second = jax.random.split(key)
    return first, second


def points_of(fit: Fit | Sampled, at: Any) -> pd.DataFrame:
    """Return the points as a checked frame with every input and grouping column.

    Raises
    ------
    ForecastError
        Naming what is missing or not a positive number.
    """
    frame = points_frame(at)
    groups = fit.spec.groups
    numeric = {c: frame[c] for c in frame.columns if c not in fit.runs.groups}
    values, _ = complete({str(c): _numbers(c, v) for c, v in numeric.items()})
    _check_inputs(fit, values)
    _check_groups(groups, frame, fit)
    labels = {g: frame[g].astype(str).to_numpy() for g in groups if g in frame.columns}
    return pd.DataFrame({**values, **labels})


def points_frame(at: Any) -> pd.DataFrame:
    """Return points, in whatever form, as a frame that is not checked yet.

    Raises
    ------
    ForecastError
        When they are no table, or of lengths that do not match.
    """
    if isinstance(at, Runs):
        counted = {} if at.trials is None else {"trials": at.trials}
        return pd.DataFrame({**at.covariates, **at.labels, **counted})
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


def _check_inputs(fit: Fit | Sampled, values: Mapping[str, np.ndarray]) -> None:
    needed = [*fit.spec.law.inputs, *([fit.spec.noise_trend] if fit.spec.noise_trend else [])]
    for name in needed:
        if name not in values:
            raise ForecastError(
                f"at: '{name}' is missing; law '{fit.spec.law.name}' takes "
                f"{', '.join(needed)} (given: {list_names(list(values))})."
            )
        zero = name in COVARIATES and -np.inf < COVARIATES[name].low <= 0  # such as drops of a rate
        may_be_nought = zero or name in fit.spec.law.simplex
        may_be_nought |= not np.all(fit.runs.values[name] > 0)
        if not (may_be_nought or np.all(values[name] > 0)):
            raise ForecastError(f"at: '{name}' must be positive.")
    check_shares(fit.spec.law, values, ForecastError, "at: ")


def _check_groups(groups: tuple[str, ...], frame: pd.DataFrame, fit: Fit | Sampled) -> None:
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


def trials_at(fit: Fit | Sampled, points: pd.DataFrame) -> np.ndarray | None:
    """Number of items of a new share (point,): as given, else the table's median."""
    if not fit.spec.observation.counts or fit.runs.trials is None:
        return None
    usual = np.full(len(points), np.median(fit.runs.trials).round())
    return points["trials"].to_numpy(float, copy=True) if "trials" in points else usual


def _trend(fit: Fit | Sampled, points: pd.DataFrame) -> np.ndarray | None:
    name = fit.spec.noise_trend
    if not name:
        return None
    return decades(points[name].to_numpy(float, copy=True), fit.runs.values[name])
