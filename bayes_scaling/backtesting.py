"""Backtests: fit what lies below a scale, forecast what lies beyond, and score it.

The cut-offs of a backtest are fitted together by `fit_many`. Errors, widths and CRPS are of the log
response where the noise model is on the log scale (0.01 is one per cent), else of the response.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError, SpecError, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.extrapolation import model_error as learn_error
from bayes_scaling.fitting_many import ManyFits, fit_many
from bayes_scaling.law_draws import LawDraws, law_draws
from bayes_scaling.scales import decades_beyond, families_of, scale_name
from bayes_scaling.spec import Law, ModelSpec
from bayes_scaling.stats.intervals import equal_tailed
from bayes_scaling.stats.scores import crps, log_score, pit

SHARES = (0.4, 0.55, 0.7, 0.85)
PROBS = (0.5, 0.8, 0.9)
FAMILY, LARGEST = "family", "largest"
TAIL = 1 / 1000  # of draws, at either side
SAME = 1e-6  # relative difference of runs of one scale


class Split(NamedTuple):
    """One cut-off: its label and which rows (row,) are fitted and which are forecast."""

    label: str
    fitted: np.ndarray
    ahead: np.ndarray


class HeldOut(NamedTuple):
    """The rows held out at one cut-off, (point,), with the draws of their forecast.

    ``bands`` holds draws (sample, point) of the ``law``, of the law with its own error (``model``),
    where that was asked for, and of a new ``run``; ``drawn`` the density of what was seen;
    ``error`` what was learned of the law's own error.
    """

    split: Split
    family: np.ndarray
    distance: np.ndarray
    actual: np.ndarray
    drawn: LawDraws
    bands: Mapping[str, np.ndarray]
    error: ModelError | None = None


@dataclass(frozen=True)
class Backtest:
    """Scored forecasts of rows that were held out.

    Attributes
    ----------
    table
        One row for every cut-off and held-out run: ``cut``, ``row``, ``family``, ``distance``
        (decades beyond the largest run fitted), ``actual``, ``median``, ``error`` (actual less
        median), ``law_90_low`` ... ``model_90_low`` ... ``run_90_high``, ``inside_90``,
        ``width_90``, ``pit``, ``crps``, ``log_score``, ``doubt`` (why the cut-off's posterior is
        not to be trusted, else empty).
        ``error``, ``width_90`` and ``crps`` are relative (0.01 is 1 %) where the noise is on the
        log response, else in the response's unit.
    probs
        Levels of the bands.
    scale
        The covariate along which distances are measured.
    fits, held_out
        The posterior of every cut-off, and the rows held out with the draws of their forecasts.
    """

    table: pd.DataFrame
    probs: tuple[float, ...]
    scale: str
    fits: ManyFits
    held_out: tuple[HeldOut, ...]

    def scores(self, by: str | Sequence[str] | None = "cut") -> pd.DataFrame:
        """Return coverage, width, CRPS, log score, bias and error by a column, or over all rows.

        ``distance`` groups by half decades.
        """
        return summarise(self.table, self.probs, by)

    def __str__(self) -> str:
        return self.scores().to_string(float_format=lambda v: f"{v:.3g}")

    __repr__ = __str__


@in_float64
def backtest(
    runs: Any,
    law: str | Law = "chinchilla",
    *,
    by: str | None = None,
    cuts: Sequence[float] = SHARES,
    group: str | list[str] | None = None,
    prob: Sequence[float] = PROBS,
    model_error: bool = True,
    seed: int = 0,
    progress: bool | Callable[[int, int, str], None] = True,
    **options: Any,
) -> Backtest:
    """Fit the runs up to each cut-off, forecast those beyond it, and score the forecasts.

    Parameters
    ----------
    runs, law, group, options
        As in `fit` (pool, priors, noise, noise_by_family, noise_trend).
    by
        Covariate along which to cut, default compute (``"C"``), or the law's first input where
        there is none. Or ``"family"``: every family left out in turn; or ``"largest"``: the largest
        run of each.
    cuts
        Shares of every family's rows, in the order of ``by``, that are fitted (rows of one scale
        stay together); numbers above 1 are values of ``by`` up to which all rows are fitted.
    prob
        Levels of the bands.
    model_error
        Whether forecasts have the law's own error in, as `forecast` has by default.

    Raises
    ------
    DataError, SpecError
        When a cut-off leaves nothing to fit or nothing to forecast.
    """
    table = read_runs(runs, group=group)
    scale = by if by in table.covariates else scale_name(table, law)
    splits = list(splits_of(table, by or scale, cuts, scale))
    parts = [table.subset(s.fitted) for s in splits]
    fits = fit_many(parts, law, seed=seed, rows=table.n, progress=progress, **options)
    held_out = tuple(
        _held_out(fits, i, table, split, scale, model_error, seed) for i, split in enumerate(splits)
    )
    scored = [
        _scored(spec, held, prob).assign(doubt=result.doubt)
        for spec, held, result in zip(fits.specs, held_out, fits.results, strict=True)
    ]
    return Backtest(pd.concat(scored, ignore_index=True), tuple(prob), scale, fits, held_out)


def splits_of(table: Runs, by: str, cuts: Sequence[float], scale: str) -> Iterator[Split]:
    """Yield the cut-offs of a table; ``scale`` is the covariate that says how large a run is.

    Raises
    ------
    DataError, SpecError
        As `backtest` does.
    """
    family = families_of(table)
    if by == FAMILY:
        yield from _without_each(table, family)
    elif by == LARGEST:
        top = _tops(table.values[scale], family)
        yield Split("largest", ~top, top)
    elif by not in table.covariates:
        raise SpecError(
            f"by='{by}' is no covariate of these runs; they have "
            f"{list_names(list(table.covariates))}, and there are '{FAMILY}' and '{LARGEST}'."
        )
    else:
        yield from _by_scale(table.values[by], by, family, cuts)


def _without_each(table: Runs, family: np.ndarray) -> Iterator[Split]:
    if len(np.unique(family)) < 2:
        raise SpecError("by='family' needs at least two families: pass group=...")
    for name in np.unique(family):
        yield Split(f"without {name}", family != name, family == name)


def _tops(scale: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Whether a row is its family's largest."""
    largest = {name: scale[family == name].max() for name in np.unique(family)}
    return scale >= np.asarray([largest[name] for name in family])


def _by_scale(
    scale: np.ndarray, by: str, family: np.ndarray, cuts: Sequence[float]
) -> Iterator[Split]:
    seen = set()
    for cut in cuts:
        fitted = scale <= cut if cut > 1 else _smallest(scale, family, cut)
        if fitted.all() or not fitted.any():
            what = "forecast" if fitted.all() else "fit"
            raise DataError(f"cut-off {cut:g} of '{by}' leaves nothing to {what}: choose another.")
        if fitted.tobytes() not in seen:
            seen.add(fitted.tobytes())
            yield Split(f"{cut:g}", fitted, ~fitted)


def _smallest(scale: np.ndarray, family: np.ndarray, share: float) -> np.ndarray:
    """Whether a row is among that share of its family's smallest, rows of one scale together."""
    fitted = np.zeros(len(scale), bool)
    for name in np.unique(family):
        own = family == name
        levels = np.sort(scale[own])
        edge = levels[max(0, int(np.ceil(share * len(levels))) - 1)]
        top = levels[-1]
        fitted |= own & (scale <= edge * (1 + SAME)) & (scale < top * (1 - SAME))
    return fitted


def _held_out(
    fits: ManyFits, i: int, table: Runs, split: Split, scale: str, with_error: bool, seed: int
) -> HeldOut:
    rows, fit = table.subset(split.ahead), fits.sampled(i)
    actual, family = rows.values[rows.response], families_of(table)
    drawn = law_draws(fit, rows, jax.random.key(seed + i), y=actual)
    bands, error = {"law": drawn.mean}, learn_error(fit) if with_error else None
    if error is not None:
        drawn = with_model_error(error, drawn, rows.run, y=actual, seed=seed + i)
        bands["model"] = drawn.mean
    bands["run"] = drawn.run
    away = distances(table.values[scale], family, split)
    return HeldOut(split, family[split.ahead], away, actual, drawn, bands, error)


def _scored(spec: ModelSpec, held: HeldOut, probs: Sequence[float]) -> pd.DataFrame:
    scored = score_table(spec, held.bands, held.actual, probs)
    assert held.drawn.log_prob is not None
    scored["log_score"] = log_score(held.drawn.log_prob)
    rows = {"row": np.flatnonzero(held.split.ahead), "family": held.family}
    head = pd.DataFrame({"cut": held.split.label, **rows, "distance": held.distance})
    return pd.concat([head, scored], axis=1)


def distances(scale: np.ndarray, family: np.ndarray, split: Split) -> np.ndarray:
    """Return how many decades beyond its family's largest fitted run each held-out row lies.

    A family without fitted rows is measured from the largest of all; rows inside have zero.
    """
    fitted = (scale[split.fitted], family[split.fitted])
    return decades_beyond(scale[split.ahead], family[split.ahead], *fitted)


def on_log(spec: ModelSpec) -> bool:
    """Whether errors of a model are relative: its noise is on the log response."""
    return spec.observation.on == "log"


def score_table(
    spec: ModelSpec, bands: Mapping[str, np.ndarray], actual: np.ndarray, probs: Sequence[float]
) -> pd.DataFrame:
    """Return one row a point with bands and scores of draws (sample, point).

    ``bands`` has draws of the ``law``, of a new ``run``, and of the ``model`` if the law has an
    error of its own; the median is the model's, else the law's.
    """
    middle, run = bands.get("model", bands["law"]), bands["run"]
    known: dict[str, Any] = {"actual": actual, "median": np.median(middle, axis=0)}
    to = np.log if on_log(spec) else np.asarray
    known["error"] = to(actual) - to(known["median"])
    for p in probs:
        label = f"{100 * p:g}"
        ends = {name: equal_tailed(draws, p) for name, draws in bands.items()}
        known |= {f"{n}_{label}_{side}": v for n, e in ends.items()
                  for side, v in zip(("low", "high"), e, strict=True)}  # fmt: skip
        low, high = ends["run"]
        known[f"inside_{label}"] = (actual >= low) & (actual <= high)
        known[f"width_{label}"] = to(high) - to(low)
    with np.errstate(divide="ignore"):  # a stray run's logarithm may be infinite, and is winsorised
        known["crps"] = crps(winsorised(to(run)), to(actual))
    return pd.DataFrame({**known, "pit": pit(run, actual)})


def winsorised(draws: np.ndarray) -> np.ndarray:
    """Return draws (sample, point) with the outermost `TAIL` of either side at that quantile.

    One draw from a Student-t tail would otherwise decide what the mean of them all is.
    """
    low, high = np.quantile(draws, [TAIL, 1.0 - TAIL], axis=0, method="nearest")
    return np.clip(draws, low, high)


def summarise(
    table: pd.DataFrame, probs: Sequence[float], by: str | Sequence[str] | None
) -> pd.DataFrame:
    """Return the mean scores of the rows of a backtest's table by columns, or of all."""
    if by is None:
        return pd.DataFrame([_means(table, probs)])
    keys = [by] if isinstance(by, str) else list(by)
    half_decades = table.assign(distance=np.floor(2 * table["distance"]) / 2)
    rows = [
        {**dict(zip(keys, key, strict=True)), **_means(table.loc[part.index], probs)}
        for key, part in half_decades.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows).set_index(keys)


def _means(rows: pd.DataFrame, probs: Sequence[float]) -> dict[str, float]:
    found = {"runs": len(rows), "mean_distance": rows["distance"].mean()}
    for p in probs:
        label = f"{100 * p:g}"
        found[f"coverage_{label}"] = rows[f"inside_{label}"].mean()
        found[f"width_{label}"] = rows[f"width_{label}"].mean()
    found |= {name: rows[name].mean() for name in ("crps", "log_score") if name in rows}
    found["bias"], found["mean_abs_error"] = rows["error"].mean(), rows["error"].abs().mean()
    return found
