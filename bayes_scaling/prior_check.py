"""What the priors say before any data: curves and responses on the rows of a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import Note, SpecError, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import make_args
from bayes_scaling.axes import axes_of
from bayes_scaling.build import Args
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.families import sampled_coordinate
from bayes_scaling.fitting import prior_draws
from bayes_scaling.infer.target import make_target
from bayes_scaling.law_draws import law_draws
from bayes_scaling.pointwise import row_curves
from bayes_scaling.posterior import (
    Fit,
    constant_data,
    constant_dims,
    group_coords,
    make_datatree,
    posterior_names,
    variable_dims,
)
from bayes_scaling.quantity import format_quantity
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec
from bayes_scaling.symbols import SYMBOLS

QUANTILES = (5, 25, 50, 75, 95)
ROOM = 10.0  # a response this many times outside the data's range is not sane
ENOUGH_SANE = 0.6  # share of the prior's law values that must be; the catalogue's laws have more
WIDEST = 1000.0  # factor over which a 90 % interval for a run may spread
ENOUGH_INSIDE = 0.5  # share of the rows that a 90 % interval must at the least hold


@dataclass(frozen=True)
class PriorCheck:
    """Draws from the prior and a verdict on them.

    Attributes
    ----------
    data
        DataTree in ArviZ's schema: ``prior``, ``prior_predictive``, ``observed_data``,
        ``constant_data``.
    spec
        The law, pooling, observation model and priors in force.
    table
        One row a run: inputs, family, ``observed``, the prior predictive's ``prior_5`` ...
        ``prior_95`` and ``rank``, the share of the prior predictive below the observed response.
    numbers
        ``sane_values`` and ``sane_curves``, the share of law values, and of whole curves, within
        ``bounds``; ``rows_inside_90`` and ``rows_inside_50``, the share of rows in the central
        intervals; ``median_ratio``, the prior predictive median over the observed response;
        ``factor_90``, the typical ratio of the ends of the central 90 % (log-scale noise only).
    bounds
        Where a response of this kind can lie: the vocabulary's plausible range, and within a factor
        of ten of the data (or ten times their range, when the noise is not on the log scale).
    notes
        The verdict as notes, of code ``prior_too_wide``, ``prior_misses_data`` or ``prior_ok``.
    """

    data: xr.DataTree
    spec: ModelSpec
    table: pd.DataFrame
    numbers: dict[str, float]
    bounds: tuple[float, float]
    notes: tuple[Note, ...]

    @property
    def ok(self) -> bool:
        """Whether the prior is neither absurdly wide nor far from the data."""
        return all(note.severity == "info" for note in self.notes)

    @property
    def as_fit(self) -> Fit:
        """The prior draws in the place of a posterior, for whatever reads a `Fit`."""
        same = {name: self.data[name].to_dataset() for name in ("observed_data", "constant_data")}
        tree = xr.DataTree.from_dict({"posterior": self.data["prior"].to_dataset(), **same})
        tree.attrs.update(self.data.attrs)
        return Fit(tree, self.spec)

    def __str__(self) -> str:
        verdict = "the prior is fit for use" if self.ok else "look at the prior"
        lines = [f"Verdict: {verdict}."]
        lines += [f"  [{n.severity}] {n.code}: {n}" for n in self.notes]
        return "\n".join(lines)

    __repr__ = __str__


@in_float64
def prior_predictive(
    runs: Any,
    law: str | Law = "chinchilla",
    *,
    group: str | list[str] | None = None,
    draws: int = 500,
    seed: int = 0,
    **options: Any,
) -> PriorCheck:
    """Return what a model's priors say of a table's rows, before it is fitted.

    Parameters
    ----------
    runs, law, group
        As in `fit`.
    draws
        Number of draws from the prior.
    options
        The modelling options of `fit`: ``pool``, ``priors``, ``noise`` ...

    Raises
    ------
    BayesScalingError
        As `fit` does.
    """
    if draws < 100:
        raise SpecError(f"draws={draws}: the tails of a prior need at least 100 draws.")
    table = read_runs(runs, group=group)
    spec = resolve(table, law, **options)
    args = make_args(table, spec)
    found = prior_draws(make_target(spec, args), args, draws, seed)
    prior = {name: found[name] for name in posterior_names(spec)}
    again = row_curves(spec, prior, args, jax.random.key(seed)).run
    tree = _tree(table, spec, args, prior, np.asarray(again)[None])
    return _checked(tree, spec, table)


def _tree(
    runs: Runs, spec: ModelSpec, args: Args, prior: dict[str, np.ndarray], again: np.ndarray
) -> xr.DataTree:
    response, constant = spec.law.response, constant_data(runs, spec, args)
    groups = {
        "prior": prior,
        "prior_predictive": {response: again},
        "observed_data": {response: runs.values[response]},
        "constant_data": constant,
    }
    dims = {**variable_dims(spec), **constant_dims(constant, spec), response: ["row"]}
    attrs = {
        "reference": json.dumps(dict(args["ref"])),
        "groups": json.dumps(list(runs.groups)),
        "inference_library": "numpyro",
    }
    return make_datatree(groups, group_coords(runs, spec), dims, attrs)


def _checked(tree: xr.DataTree, spec: ModelSpec, runs: Runs) -> PriorCheck:
    on_log = spec.observation.on == "log"
    bounds = sane_bounds(runs, on_log)
    bare = PriorCheck(tree, spec, _table(tree, spec, runs), {}, bounds, ())
    curves = np.asarray(law_draws(bare.as_fit, runs, jax.random.key(0)).mean)
    numbers = {**_sanity(curves, bounds), **_calibration(bare.table)}
    if on_log:
        numbers["factor_90"] = float(np.median(bare.table["prior_95"] / bare.table["prior_5"]))
    notes = _notes(bare.as_fit, numbers, bounds, curves)
    return PriorCheck(tree, spec, bare.table, numbers, bounds, notes)


def sane_bounds(runs: Runs, on_log: bool) -> tuple[float, float]:
    """Return the range in which a response like the observed one can sensibly lie."""
    y = runs.values[runs.response]
    symbol = SYMBOLS.get(runs.response)
    low, high = (symbol.low, symbol.high) if symbol else (-np.inf, np.inf)
    if on_log:
        return max(low, float(y.min()) / ROOM), min(high, float(y.max()) * ROOM)
    room = ROOM * float(np.ptp(y) or np.abs(y).max() or 1.0)
    return max(low, float(y.min()) - room), min(high, float(y.max()) + room)


def _table(tree: xr.DataTree, spec: ModelSpec, runs: Runs) -> pd.DataFrame:
    response = spec.law.response
    shown = [name for name in runs.covariates if name in {*axes_of(spec.law), "N", "D", "C"}]
    again = np.asarray(tree["prior_predictive"][response])[0]
    observed = runs.values[response]
    table = pd.DataFrame({**{g: runs.labels[g] for g in spec.groups},
                          **{n: runs.values[n] for n in shown}, "observed": observed})  # fmt: skip
    for q, value in zip(QUANTILES, np.percentile(again, QUANTILES, axis=0), strict=True):
        table[f"prior_{q}"] = value
    table["rank"] = np.mean(again < observed, axis=0)
    return table


def _sanity(curves: np.ndarray, bounds: tuple[float, float]) -> dict[str, float]:
    sane = (curves >= bounds[0]) & (curves <= bounds[1])
    return {"sane_values": float(sane.mean()), "sane_curves": float(sane.all(axis=1).mean())}


def _calibration(table: pd.DataFrame) -> dict[str, float]:
    y = table["observed"]
    return {
        "rows_inside_90": float(y.between(table["prior_5"], table["prior_95"]).mean()),
        "rows_inside_50": float(y.between(table["prior_25"], table["prior_75"]).mean()),
        "median_ratio": float(np.median(table["prior_50"] / y)),
    }


def _notes(
    fit: Fit, numbers: dict[str, float], bounds: tuple[float, float], curves: np.ndarray
) -> tuple[Note, ...]:
    found = (_too_wide(fit, numbers, bounds, curves), _misses(fit, numbers))
    bad = tuple(note for note in found if note is not None)
    return bad or (Note("prior_ok", "info", _in_words(fit, numbers, bounds)),)


def _too_wide(
    fit: Fit, numbers: dict[str, float], bounds: tuple[float, float], curves: np.ndarray
) -> Note | None:
    factor = numbers.get("factor_90", 1.0)
    if numbers["sane_values"] >= ENOUGH_SANE and factor <= WIDEST:
        return None
    spread = f" The 90 % span a factor of {factor:.2g}." if factor > WIDEST else ""
    return Note(
        "prior_too_wide",
        "warning",
        _in_words(fit, numbers, bounds) + spread,
        f"Narrow the prior that moves the curves most: {list_names(_movers(fit, curves)[:2])}.",
    )


def _misses(fit: Fit, numbers: dict[str, float]) -> Note | None:
    inside = numbers["rows_inside_90"]
    if inside >= ENOUGH_INSIDE:
        return None
    return Note(
        "prior_misses_data",
        "warning",
        f"only {inside:.0%} of the rows lie inside the central 90 % of the prior predictive, whose "
        f"median is {numbers['median_ratio']:.2g} times the observed {fit.spec.law.response}.",
        "Check the units of the table, then the priors of the floor and the coefficients.",
    )


def _in_words(fit: Fit, numbers: dict[str, float], bounds: tuple[float, float]) -> str:
    symbol = SYMBOLS.get(fit.spec.law.response)
    unit = f" {symbol.unit}" if symbol and symbol.unit else ""
    low, high = (format_quantity(b) for b in bounds)
    return (
        f"{numbers['sane_values']:.0%} of the prior's values of the law at the rows lie between "
        f"{low} and {high}{unit} ({numbers['sane_curves']:.0%} of its curves never leave it); "
        f"{numbers['rows_inside_90']:.0%} of the rows are inside the central 90 % of the prior "
        f"predictive and {numbers['rows_inside_50']:.0%} inside the central 50 %."
    )


def _movers(fit: Fit, curves: np.ndarray) -> list[str]:
    """Parameters in the order of how much of the spread between curves goes with them."""
    height = pd.Series(np.median(curves, axis=1)).rank()
    free = [n for n in fit.spec.law.param_names if not fit.spec.prior(n).is_fixed]
    coordinates = {n: sampled_coordinate(fit.spec, fit.samples, n, fit.reference) for n in free}
    strength = {
        name: abs(height.corr(pd.Series(_per_draw(np.asarray(value))).rank()))
        for name, value in coordinates.items()
    }
    return sorted(strength, key=lambda name: -strength[name])


def _per_draw(value: np.ndarray) -> np.ndarray:
    return value if value.ndim == 1 else np.median(value, axis=1)
