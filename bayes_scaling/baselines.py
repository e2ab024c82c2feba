"""`Baseline`: fits of every family by itself, without priors or pooling, and their forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import ForecastError, Note, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.backtesting import on_log
from bayes_scaling.by_family import family_column, family_names
from bayes_scaling.curves import law_values
from bayes_scaling.forecasting import checked_probs, forecast_table
from bayes_scaling.law_draws import points_of
from bayes_scaling.posterior import Sampled
from bayes_scaling.stats.intervals import equal_tailed

NEW_RUNS = 20  # of each family, that go with every draw


@dataclass(frozen=True)
class Baseline:
    """Point fits family by family, with draws that say how uncertain they are.

    Attributes
    ----------
    method
        ``"bootstrap"`` or ``"martingale"``: how the draws were made.
    point
        One row a family: its label, ``runs``, the paper's parameters at the point fit, ``loss``
        (what was minimised) and ``scatter`` (rms of the residuals: relative, or in the response's
        unit where the noise is on the raw response).
    sampled
        The draws as `forecast` takes them: parameters (replicate, family).
    new_runs
        Residuals of new runs that go with every draw, (replicate, new run, family), in the unit of
        ``scatter``.
    notes
        What to know before trusting it.
    """

    method: str
    point: pd.DataFrame
    sampled: Sampled
    new_runs: np.ndarray
    notes: tuple[Note, ...] = ()

    @property
    def draws(self) -> pd.DataFrame:
        """One row for every replicate and family, with the paper's parameters."""
        names, samples = family_names(self.sampled), self.sampled.samples
        count = len(self.new_runs)
        rows = {"replicate": np.arange(count).repeat(len(names))}
        rows |= {family_column(self.sampled.spec): np.tile(names, count)}
        return pd.DataFrame(rows | {name: np.ravel(v) for name, v in samples.items()})

    def summary(self, prob: float = 0.9) -> pd.DataFrame:
        """Return one row for every family and parameter: point fit, sd and interval of the draws.

        Raises
        ------
        ForecastError
            Unless ``prob`` lies between 0 and 1.
        """
        (prob,), column = checked_probs(prob), family_column(self.sampled.spec)
        rows = []
        for name in (n for n in self.sampled.spec.law.param_names if n in self.sampled.samples):
            values = self.sampled.samples[name]
            low, high = equal_tailed(values, prob)
            told = {"point": self.point[name], "sd": values.std(axis=0), "low": low, "high": high}
            rows.append(pd.DataFrame({column: self.point[column], "parameter": name, **told}))
        return pd.concat(rows, ignore_index=True)

    def forecast(self, at: Any, prob: float | Sequence[float] = (0.5, 0.9)) -> pd.DataFrame:
        """Return the table of `bayes_scaling.forecast`: median, law bands and bands of new runs.

        Parameters
        ----------
        at, prob
            As `bayes_scaling.forecast` takes them.

        Raises
        ------
        ForecastError
            When an input is missing or not positive, or a family is not in the data: nothing is
            pooled, so that nothing is known of a new one.
        """
        probs = checked_probs(prob)
        points, mean, run = self.law_and_runs(at)
        return forecast_table(self.sampled, points, {"law": mean, "run": run}, probs)

    @in_float64
    def law_and_runs(self, at: Any) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Return the checked points, the law (replicate, point) and new runs (sample, point).

        A sample has the same luck at all points of a family, so that bands along a curve are
        smooth.
        """
        points, spec = points_of(self.sampled, at), self.sampled.spec
        family = _places(self.sampled, points)
        x = {n: points[n].to_numpy(float, copy=True) for n in spec.law.inputs}
        mean = np.asarray(law_values(spec.law, _with_fixed(self.sampled), x, family))
        luck, wide = self.new_runs[:, :, family], mean[:, None, :]
        run = wide * np.exp(luck) if on_log(spec) else wide + luck
        return points, mean, run.reshape(-1, len(points))

    def __str__(self) -> str:
        text = self.summary().to_string(index=False, float_format=lambda v: f"{v:.4g}")
        return "\n".join([text, *(f"[{n.severity}] {n.code}: {n.message}" for n in self.notes)])

    __repr__ = __str__


def _places(sampled: Sampled, points: pd.DataFrame) -> np.ndarray:
    """The place of every point's family in the draws."""
    if not sampled.spec.groups:
        return np.zeros(len(points), int)
    group = sampled.spec.groups[-1]
    known = family_names(sampled)
    strange = [v for v in dict.fromkeys(points[group]) if v not in known]
    if strange:
        raise ForecastError(
            f"at: {group} {list_names(strange, 5)} is not in the data, and nothing is pooled, so "
            f"that nothing is known of it: use one of {list_names(known)}, or fit and forecast."
        )
    return np.asarray([known.index(v) for v in points[group]])


def _with_fixed(sampled: Sampled) -> dict[str, np.ndarray]:
    shape = next(iter(sampled.samples.values())).shape
    spec = sampled.spec
    return {
        n: sampled.samples[n] if n in sampled.samples else np.full(shape, spec.prior(n).args[0])
        for n in spec.law.param_names
    }
