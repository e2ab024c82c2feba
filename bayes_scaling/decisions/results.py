"""What answers share: the points they are for, draws as datasets, distances, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import Note
from bayes_scaling.decisions.plans import Plan, Terms
from bayes_scaling.decisions.samples import FamilyDraws
from bayes_scaling.forecasting import bad_fit_notes, beyond, new_family_note
from bayes_scaling.infer.prior_notes import forecast_note
from bayes_scaling.posterior import Fit

ALONE = "which no band here includes"  # what lies beyond the data
FAR = "by more than nearer runs tell"


class Asked(NamedTuple):
    """What an answer is made of: the fit, the plan with its numbers, draws of the families, and the
    place (point,) of every point's family among them."""

    fit: Fit
    plan: Plan
    terms: Terms
    families: FamilyDraws
    place: np.ndarray

    @property
    def response(self) -> str:
        """Name of the response."""
        return self.fit.spec.law.response or "Y"

    @property
    def group(self) -> str:
        """Name of the column of families; empty without."""
        return self.fit.spec.groups[-1] if self.fit.spec.groups else ""

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The law's parameters at every point, (sample, point)."""
        return self.families.at(self.place)

    @property
    def labels(self) -> dict[str, np.ndarray]:
        """The column of families, (point,)."""
        names = np.asarray(self.families.names)[self.place]
        return {self.group: names} if self.group else {}

    def dataset(self, draws: Mapping[str, np.ndarray], **coords: np.ndarray) -> xr.Dataset:
        """Return draws (sample, point) as a dataset with dims (chain, draw, point)."""
        posterior, dims = self.fit.posterior, ("chain", "draw", "point")
        shape = (posterior.sizes["chain"], posterior.sizes["draw"], len(self.place))
        own = {d: posterior[d].values for d in dims[:2]}
        by_point = {name: ("point", values) for name, values in (coords | self.labels).items()}
        data = {name: (dims, np.reshape(values, shape)) for name, values in draws.items()}
        return xr.Dataset(data, coords={**own, **by_point})


def points_for(families: FamilyDraws, values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return every value (value,) for every family: the family's place and the value, (point,)."""
    place = np.repeat(np.arange(len(families.names)), len(values))
    return place, np.tile(np.asarray(values, float), len(families.names))


def beyond_columns(fit: Fit, table: pd.DataFrame, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the decades by which medians lie outside the data; NaN for those that are 0 or
    infinite."""
    found = {}
    for name in (n for n in names if n in fit.runs.values and n in table):
        data, values = fit.runs.values[name], table[name].to_numpy(float)
        known = np.isfinite(values) & (values > 0)
        far = beyond(np.where(known, values, data[0]), data)
        found[f"beyond_{name}"] = np.where(known, far, np.nan)
    return found


def general_notes(asked: Asked, response: np.ndarray | None = None) -> list[Note]:
    """Return notes on new families, on a response (sample, point) that hangs on the priors, and on
    a fit that failed."""
    fit = asked.fit
    new = [n for n in asked.families.names if asked.group
           and n not in fit.grouping.labels[asked.group]]  # fmt: skip
    notes = [new_family_note(fit, new)] if new else []
    if response is not None and np.isfinite(response).all():
        hangs = forecast_note(fit.data, fit.spec, response)
        notes += [hangs] if hangs is not None else []
    return [*notes, *bad_fit_notes(fit)]


def no_optimum_note(share: np.ndarray, told: str) -> list[Note]:
    """Return a note where draws have no best size, from their share (point,), and what is told of
    them instead."""
    if not (worst := float(np.max(share))):
        return []
    return [
        Note(
            "no_optimum",
            "warning",
            f"in up to {worst:.1%} of the draws the response gets better without end towards one "
            f"end of the sizes: {told}.",
            "Runs at several ratios of tokens to parameters tell size from data.",
        )
    ]


def outside_texts(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns of distances beyond the data, of inputs that are beyond somewhere."""
    names = [c for c in table.columns if c.startswith("beyond_") and np.any(table[c])]
    return {f"{c[7:]} outside": [_decades(v) for v in table[c]] for c in names}


def _decades(value: Any) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:+.1f} dec" if abs(value) >= 0.05 else ""
