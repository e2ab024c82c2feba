"""`Fit`: the posterior as an xarray DataTree in ArviZ's schema, with what made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._arviz import summary
from bayes_scaling._errors import Note
from bayes_scaling.build import public_name
from bayes_scaling.data.runs import Runs
from bayes_scaling.families import Grouping, flatten_chains
from bayes_scaling.infer.diagnose import Diagnosis, diagnose, with_nested_rhat
from bayes_scaling.spec import ModelSpec

SUMMARY_PROB = 0.9


@dataclass(frozen=True)
class Fit:
    """A fitted law.

    Attributes
    ----------
    data
        DataTree in ArviZ's schema: ``posterior`` (the paper's parameters), ``sample_stats``,
        ``prior``, ``observed_data``, ``constant_data``, ``unconstrained_posterior`` and, for tables
        of moderate size, ``log_likelihood`` and ``posterior_predictive``. ArviZ functions work on
        it directly.
    spec
        The law, pooling, observation model and priors in force.
    notes
        What was noticed while reading the runs and fitting.
    """

    data: xr.DataTree
    spec: ModelSpec
    notes: tuple[Note, ...] = ()

    @property
    def posterior(self) -> xr.Dataset:
        """The posterior group as a dataset with dims (chain, draw, ...)."""
        return self.data["posterior"].to_dataset()

    @cached_property
    def samples(self) -> dict[str, np.ndarray]:
        """Posterior variables as arrays (sample, ...), chains joined."""
        return flatten_chains(self.posterior)

    @cached_property
    def runs(self) -> Runs:
        """The table that was fitted."""
        return runs_of(self.data, self.spec)

    @property
    def reference(self) -> dict[str, float]:
        """The data's reference point, at which levels were sampled."""
        return {k: float(v) for k, v in json.loads(self.data.attrs["reference"]).items()}

    @property
    def grouping(self) -> Grouping:
        """Labels of the groups and each family's parents."""
        constant = self.data["constant_data"].to_dataset()
        labels = {g: [str(v) for v in self.posterior_labels(g)] for g in self.spec.groups}
        return Grouping(labels, {g: constant[f"parent_of_{g}"].values for g in self.spec.groups})

    def posterior_labels(self, group: str) -> np.ndarray:
        """Sorted labels of a grouping column."""
        return np.asarray(self.data["constant_data"].to_dataset()[group])

    def summary(self, var_names: list[str] | None = None, prob: float = SUMMARY_PROB) -> Any:
        """Return ArviZ's summary table: mean, sd, equal-tailed interval, ESS, R-hat, MCSE.

        R-hat is nested R-hat where chains started in groups (``sampler="chees"``).

        Parameters
        ----------
        var_names
            Variables to show; all by default.
        prob
            Probability of the interval.
        """
        table = summary(
            self.data, var_names=var_names, ci_prob=prob, ci_kind="eti", round_to="none"
        )
        return with_nested_rhat(self.data, table, var_names=var_names)

    @cached_property
    def _diagnosis(self) -> Diagnosis:
        return diagnose(self.data, self.spec, self.notes)

    @property
    def path(self) -> list[dict[str, Any]]:
        """The samplers tried, in order, with seconds, numbers and why each was refused ("" for the
        last, whose draws these are)."""
        return json.loads(self.data.attrs.get("path", "[]"))

    def diagnose(self) -> Diagnosis:
        """Return the verdict on the sampling and on what the data could tell, in words."""
        return self._diagnosis

    def prior_sensitivity(self) -> pd.DataFrame:
        """Return how far every parameter hangs on the priors, by power-scaling, without refitting.

        One row for every parameter (at the population where families are pooled), spread and noise
        parameter. ``prior`` and ``likelihood`` are the changes of its posterior per doubling of
        the weight of all priors or of the data, as a distance of which 0.05 matters (Kallioinen et
        al. 2024); ``place`` is the share of its own prior below its posterior median.
        """
        return self.diagnose().sensitivity.copy()

    def save(self, path: str | Path) -> Path:
        """Write the fit as one netCDF file; an existing file is replaced only when all is written.

        Raises
        ------
        FitFileError
            When the file cannot be written.
        """
        from bayes_scaling.storage import save

        return save(self, path)

    def __repr__(self) -> str:
        sizes = self.posterior.sizes
        groups = self.spec.groups
        families = f", {len(self.grouping.labels[groups[-1]])} families" if groups else ""
        return (
            f"Fit of '{self.spec.law.name}' to {self.runs.n} runs{families}: "
            f"{sizes['chain']} chains x {sizes['draw']} draws; {self.diagnose().verdict}"
        )


@dataclass(frozen=True)
class Sampled:
    """What a forecast takes from a posterior, under the names that `Fit` has it by.

    ``samples`` hold the posterior variables as arrays (sample, ...), ``reference`` the data's
    reference point, input to value.
    """

    spec: ModelSpec
    runs: Runs
    samples: Mapping[str, np.ndarray]
    grouping: Grouping
    reference: Mapping[str, float]


def variable_dims(spec: ModelSpec) -> dict[str, list[str]]:
    """Dimensions of every posterior variable that has any."""
    dims: dict[str, list[str]] = {}
    for name in spec.law.param_names:
        if spec.prior(name).is_fixed or spec.pooling(name) == "shared":
            continue
        for group in spec.groups:
            variable = public_name(spec, name, group)
            if variable:
                dims[variable] = [group]
    if spec.noise_by_family:
        dims["log_sigma_family"] = [spec.groups[-1]]
    return dims


def posterior_names(spec: ModelSpec) -> list[str]:
    """The public posterior variables, families first, in the order of the law."""
    innermost = spec.groups[-1] if spec.groups else ""
    levels = ["", *[g for g in spec.groups if g != innermost]]
    sampled = [n for n in spec.law.param_names if not spec.prior(n).is_fixed]
    names = [public_name(spec, n, innermost) or n for n in sampled]
    for level in levels:
        names += [public_name(spec, n, level) for n in sampled if spec.pooling(n) == "partial"]
    for group in spec.groups:
        suffix = "" if group == innermost else f"_{group}"
        names += [f"tau_{n}{suffix}" for n in sampled if spec.pooling(n) == "partial"]
    return [*dict.fromkeys(names), *_noise_names(spec)]


def _noise_names(spec: ModelSpec) -> list[str]:
    names = ["sigma", *[name for name, _ in spec.observation.extra]]
    if spec.noise_by_family:
        names += ["tau_sigma", "log_sigma_family"]
    return [*names, *(["sigma_trend"] if spec.noise_trend else [])]


def group_coords(runs: Runs, spec: ModelSpec) -> dict[str, Any]:
    """Coordinates of the rows and of every grouping column."""
    return {"row": runs.run_id, **{g: runs.group_levels(g) for g in spec.groups}}


def constant_data(runs: Runs, spec: ModelSpec, args: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of the table but the response, as named arrays (row,) and group parents."""
    data: dict[str, Any] = dict(runs.covariates)
    data |= {f"label_of_{g}": runs.labels[g].astype(str) for g in runs.groups}
    data |= {f"parent_of_{g}": args["parent"][g] for g in spec.groups}
    data |= {"run": runs.run} if runs.run is not None else {}
    known = {"se": runs.se, "trials": runs.trials}
    return data | {name: each for name, each in known.items() if each is not None}


def constant_dims(data: Mapping[str, Any], spec: ModelSpec) -> dict[str, list[str]]:
    """Dimensions of the constant data."""
    groups = {f"parent_of_{g}": [g] for g in spec.groups}
    return {name: groups.get(name, ["row"]) for name in data}


def runs_of(data: xr.DataTree, spec: ModelSpec) -> Runs:
    """Rebuild the table of runs from a fit's data."""
    constant, observed = data["constant_data"].to_dataset(), data["observed_data"].to_dataset()
    arrays = {str(k): np.asarray(v) for k, v in constant.data_vars.items()}
    labels = {k[9:]: v.astype(str) for k, v in arrays.items() if k.startswith("label_of_")}
    special = {k for k in arrays if k.startswith(("label_of_", "parent_of_"))}
    special |= {"run", "se", "trials"}
    response = spec.law.response
    values = {k: v for k, v in arrays.items() if k not in special}
    values[response] = np.asarray(observed[response])
    table = pd.DataFrame({**values, **labels})
    groups = tuple(json.loads(data.attrs["groups"]))
    return Runs(
        values=values,
        response=response,
        groups=groups,
        labels=labels,
        run_id=np.asarray(observed["row"]).astype(str),
        run=arrays["run"].astype(str) if "run" in arrays else None,
        se=arrays.get("se"),
        trials=arrays.get("trials"),
        notes=(),
        table=table,
    )


def make_datatree(
    groups: Mapping[str, Mapping[str, Any]],
    coords: Mapping[str, Any],
    dims: Mapping[str, list[str]],
    attrs: Mapping[str, str],
) -> xr.DataTree:
    """Assemble the groups; every variable's dims are declared, so none is guessed or doubted."""
    import arviz_base

    tree = arviz_base.from_dict(
        dict(groups), coords=dict(coords), dims=dict(dims), check_conventions=False
    )
    tree.attrs.update(attrs)
    return tree


def with_notes(fit: Fit, notes: tuple[Note, ...]) -> Fit:
    """Return the fit with more notes."""
    return replace(fit, notes=(*fit.notes, *notes))
