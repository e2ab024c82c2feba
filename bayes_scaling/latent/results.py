"""`Skills`: the posterior of latent skills as a DataTree in ArviZ's schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._arviz import summary
from bayes_scaling._errors import Note
from bayes_scaling.families import flatten_chains
from bayes_scaling.forecasting import Forecast
from bayes_scaling.infer.diagnose import Diagnosis, verdict_of
from bayes_scaling.latent.layout import Layout
from bayes_scaling.stats.intervals import equal_tailed

DIMS = {
    "loading": ["benchmark", "skill"],
    "offset": ["benchmark"],
    "slope": ["term", "skill"],
    "family_sd": ["skill"],
    "model_sd": ["skill"],
    "sigma": ["benchmark"],
    "family_skill": ["family", "skill"],
    "model_skill": ["model", "skill"],
    "score": ["model", "benchmark"],
    "observed_score": ["observation"],
}
SHOWN = ("loading", "offset", "slope", "family_sd", "model_sd", "sigma")


@dataclass(frozen=True)
class Skills:
    """Fitted latent skills.

    Attributes
    ----------
    data
        DataTree in ArviZ's schema. ``posterior`` has ``loading`` (benchmark, skill), ``offset``
        and ``sigma`` (benchmark,), ``slope`` (term, skill), ``family_sd`` and ``model_sd``
        (skill,), ``family_skill`` (family, skill) and ``model_skill`` (model, skill), skills in
        logits of their anchors and slopes per sd of an input's log10. Beside it ``prior``,
        ``sample_stats``, ``observed_data`` (NaN where a score is not known), ``constant_data``
        and, for tables of moderate size, ``log_likelihood``.
    layout
        Inputs with their centre and scale, anchors, noise, chance and lapse.
    notes
        What was noticed while reading the table.
    """

    data: xr.DataTree
    layout: Layout
    notes: tuple[Note, ...] = ()

    @property
    def posterior(self) -> xr.Dataset:
        """The posterior group as a dataset with dims (chain, draw, ...)."""
        return self.data["posterior"].to_dataset()

    @cached_property
    def samples(self) -> dict[str, np.ndarray]:
        """Posterior variables as arrays (sample, ...), chains joined."""
        return flatten_chains(self.posterior)

    def labels(self, dim: str) -> list[str]:
        """Labels of ``benchmark``, ``family``, ``model`` or ``term``, in order."""
        return [str(v) for v in self.posterior[dim].values]

    def summary(self, var_names: list[str] | None = None, prob: float = 0.9) -> Any:
        """Return ArviZ's summary table; without families and models unless they are named."""
        names = var_names or list(SHOWN)
        return summary(self.data, var_names=names, ci_prob=prob, ci_kind="eti", round_to="none")

    @cached_property
    def _diagnosis(self) -> Diagnosis:
        quality = summary(self.data, kind="diagnostics", round_to="none").astype(float)
        fixed = quality.index.astype(str).str.startswith("loading[") & quality["r_hat"].isna()
        numbers, found = verdict_of(self.data, pd.DataFrame(quality[~fixed]), self.notes)
        return Diagnosis(found, numbers, {}, pd.DataFrame())

    def diagnose(self) -> Diagnosis:
        """Return the verdict on the sampling in words; loadings of anchors are not sampled."""
        return self._diagnosis

    def forecast(
        self,
        at: Any,
        benchmark: str | Sequence[str] | None = None,
        *,
        prob: float | Sequence[float] = (0.5, 0.9),
        seed: int = 0,
    ) -> Forecast:
        """Return median and bands of the scores of further models, or of fitted ones.

        Parameters
        ----------
        at
            Points with the inputs and a ``family``; a family that is not in the table is a draw
            of the population's. Or with ``model``: models of the table, whose own skills then
            tell, for scores that are not known.
        benchmark
            One or several benchmarks; all by default.
        prob
            Probabilities of the equal-tailed bands: ``law`` for an average model of the family,
            ``model`` with the model's own deviation, ``run`` with the benchmark's noise.

        Raises
        ------
        ForecastError
            When an input, a model or a benchmark is not known.
        """
        from bayes_scaling.latent.forecasts import forecast_scores

        return forecast_scores(self, at, benchmark, prob, seed)

    def efficiency(self, prob: float = 0.9) -> pd.DataFrame:
        """Return how much less compute every family needs for the first skill than the average one.

        Columns ``family``, ``median``, ``low``, ``high``: the factor of compute, above one where
        less is needed, at the table's centre and N and D growing alike where both are inputs.
        """
        inputs, scale = self.layout.inputs, np.array(self.layout.scale)
        weight = np.array([1.0 if n == "C" else 0.5 for n in inputs]) / scale
        per_decade = self.samples["slope"][:, : len(inputs), 0] @ weight
        decades = self.samples["family_skill"][:, :, 0] / per_decade[:, None]
        low, high = equal_tailed(decades, prob)
        return pd.DataFrame(
            {
                "family": self.labels("family"),
                "median": 10 ** np.median(decades, axis=0),
                "low": 10**low,
                "high": 10**high,
            }
        )

    def save(self, path: str | Path) -> Path:
        """Write the skills as one netCDF file, nothing pickled.

        Raises
        ------
        FitFileError
            When the file cannot be written.
        """
        from bayes_scaling.latent.files import save

        return save(self, path)

    @staticmethod
    def load(path: str | Path) -> Skills:
        """Read skills that `Skills.save` wrote; nothing in the file is executed.

        Raises
        ------
        FitFileError
            When the file is missing, of another kind, damaged or changed.
        """
        from bayes_scaling.latent.files import load

        return load(path)

    def __repr__(self) -> str:
        sizes = self.posterior.sizes
        return (
            f"Skills: {sizes['skill']} of {sizes['model']} models in {sizes['family']} families, "
            f"from {sizes['benchmark']} benchmarks: {sizes['chain']} chains x {sizes['draw']} "
            f"draws; {self.diagnose().verdict}"
        )
