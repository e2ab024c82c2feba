"""How far a posterior hangs on its priors, without fitting again: power-scaling.

All priors are raised to a power near one, the draws reweighted, and the change of a posterior
measured per doubling of that power; the same for the likelihood (Kallioinen, Paananen, Bürkner and
Vehtari 2024, Statistics and Computing 34, 57). Priors of families given their population are part
of the model and stay. Densities are those on the scale on which a prior is normal, so that a higher
power narrows a prior about its median and a lower one widens it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._arviz import array_stats
from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import typical_response
from bayes_scaling.build import NOISE_SPREAD, TREND_SD, public_name, stem
from bayes_scaling.families import link_of
from bayes_scaling.levels import log_shift, sampling_order, to_sampled
from bayes_scaling.prior import HALF_NORMAL_MEDIAN, Z95, Prior
from bayes_scaling.spec import ModelSpec

ALPHAS = (0.99, 1.01)
SENSITIVE = 0.05  # Kallioinen et al. 2024, sec. 2.4


class _Draws:
    """The draws (chain, draw, ...) of a group with what priors need beside them."""

    def __init__(self, data: xr.DataTree, spec: ModelSpec, group: str) -> None:
        self.spec, variables = spec, data[group].to_dataset()
        self.values = {str(k): np.asarray(v) for k, v in variables.data_vars.items()}
        self.reference = reference_of(data)
        self.scale = float(typical_response(np.asarray(data["observed_data"][spec.law.response])))
        self.shape = self.values["sigma"].shape[:2]
        self.population = self._population()

    def _population(self) -> dict[str, np.ndarray]:
        """Every parameter at the population, (chain, draw): what shared levels refer to."""
        found: dict[str, np.ndarray] = {}
        for param in sampling_order(self.spec.law):
            name, prior = param.name, self.spec.prior(param.name)
            if prior.is_fixed:
                found[name] = np.full(self.shape, prior.args[0])
            elif self.spec.pooling(name) == "separate":
                link, values = link_of(self.spec, name), self.values[name]
                found[name] = np.asarray(link(np.mean(np.asarray(link.inv(values)), axis=-1)))
            else:
                found[name] = self.values[public_name(self.spec, name, "")]
        return found

    def at_the_top(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For every free parameter the coordinate that has the prior, and its level's shift, each
        (chain, draw[, family])."""
        own = {n: self.values[n] for n in self.spec.law.param_names if n in self.values}
        found = compiled_tops(self.spec)(own, self.population, self.reference)
        return {n: (np.asarray(value), np.asarray(shift)) for n, (value, shift) in found.items()}


@lru_cache(maxsize=IN_MEMORY)
def compiled_tops(spec: ModelSpec) -> Callable[..., dict[str, tuple[Any, Any]]]:
    """``(values, population, reference)`` to `_Draws.at_the_top`, as one program (cached)."""

    def one(name: str, values: Mapping[str, Any], population: Mapping[str, Any], ref: Any) -> Any:
        params = population
        if spec.pooling(name) == "separate":
            wide = {n: values.get(n, v) for n, v in params.items()}
            params = {n: v if v.ndim > 2 else v[..., None] for n, v in wide.items()}
        return to_sampled(spec.law, name, params, ref), log_shift(spec.law, name, params, ref)

    def tops(values: Mapping[str, Any], population: Mapping[str, Any], ref: Any) -> Any:
        return {name: one(name, values, population, ref) for name in _free(spec)}

    return jitted(tops)


def reference_of(data: xr.DataTree) -> dict[str, float]:
    """The data's reference point, at which levels were sampled."""
    return {k: float(v) for k, v in json.loads(data.attrs["reference"]).items()}


def log_density(prior: Prior, value: np.ndarray, factor: Any) -> np.ndarray:
    """Log density, but for a constant, of a prior multiplied by ``exp(factor)``.

    On the log scale for a log-normal prior and on the logit scale for a logit-normal one.
    """
    return _DENSITIES[prior.kind](prior, np.asarray(value), np.asarray(factor))


def _lognormal(prior: Prior, value: np.ndarray, factor: np.ndarray) -> np.ndarray:
    median, low, high = prior.args
    return -0.5 * ((np.log(value / median) - factor) / (np.log(high / low) / (2 * Z95))) ** 2


def _logitnormal(prior: Prior, value: np.ndarray, factor: np.ndarray) -> np.ndarray:
    p = value * np.exp(-factor)
    median, low, high = (np.log(a) - np.log1p(-a) for a in prior.args)
    return -0.5 * ((np.log(p) - np.log1p(-p) - median) / ((high - low) / (2 * Z95))) ** 2


def _normal(prior: Prior, value: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return -0.5 * ((value * np.exp(-factor) - prior.args[0]) / prior.args[1]) ** 2 - factor


def _halfnormal(prior: Prior, value: np.ndarray, factor: np.ndarray) -> np.ndarray:
    sd = prior.args[0] / HALF_NORMAL_MEDIAN
    return -0.5 * (value * np.exp(-factor) / sd) ** 2 - factor


def _custom(prior: Prior, value: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return np.asarray(prior.custom.log_prob(value * np.exp(-factor))) - factor


_DENSITIES: dict[str, Callable[[Prior, np.ndarray, np.ndarray], np.ndarray]] = {
    "lognormal": _lognormal,
    "logitnormal": _logitnormal,
    "normal": _normal,
    "halfnormal": _halfnormal,
    "uniform": lambda prior, value, factor: np.zeros(value.shape) - factor,
    "numpyro": _custom,
}


@in_float64
def log_priors(data: xr.DataTree, spec: ModelSpec) -> dict[str, np.ndarray]:
    """Return the log density (chain, draw) of every prior at the draws of the posterior.

    Keyed by parameter, with ``tau_...`` for the spreads between groups; each but for a constant.
    """
    return dict(_log_priors(_Draws(data, spec, "posterior")))


def _log_priors(draws: _Draws) -> Iterator[tuple[str, np.ndarray]]:
    spec = draws.spec
    for name, (value, shift) in draws.at_the_top().items():
        prior = spec.prior(name)
        found = log_density(prior, value, shift + (np.log(draws.scale) if prior.relative else 0.0))
        yield name, _per_draw(found)
        if spec.pooling(name) == "partial":
            yield from _spreads(draws, name)
    unit = np.log(draws.scale)
    on_raw, noise = spec.observation.on == "raw", spec.prior("sigma")
    factor = unit * (on_raw + noise.relative)
    yield "sigma", log_density(noise, draws.values["sigma"], factor)
    for name, _ in spec.observation.extra:
        yield name, log_density(spec.prior(name), draws.values[name], 0.0)
    if spec.noise_by_family:
        yield "tau_sigma", _half(draws.values["tau_sigma"], NOISE_SPREAD)
    if spec.noise_trend:
        yield "sigma_trend", -0.5 * (draws.values["sigma_trend"] / TREND_SD) ** 2


def _free(spec: ModelSpec) -> list[str]:
    return [n for n in spec.law.param_names if not spec.prior(n).is_fixed]


def _spreads(draws: _Draws, name: str) -> Iterator[tuple[str, np.ndarray]]:
    for group in draws.spec.groups:
        label = f"tau_{stem(draws.spec, name, group)}"
        yield label, _half(draws.values[label], draws.spec.law.param(name).spread)


def _half(value: np.ndarray, median: float) -> np.ndarray:
    return -0.5 * (value * HALF_NORMAL_MEDIAN / median) ** 2


def _per_draw(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 2 else values.sum(axis=-1)


# --- sensitivity -----------------------------------------------------------------------------


@in_float64
def prior_sensitivity(data: xr.DataTree, spec: ModelSpec) -> pd.DataFrame:
    """Return how far every parameter's posterior hangs on the priors and on the likelihood.

    One row for every parameter at the population (the family that is worst, where nothing is
    pooled), spread and noise parameter: ``prior`` and ``likelihood``, the sensitivity to power-
    scaling all priors or the likelihood (0.05 and more matters; NaN for the likelihood of tables
    whose pointwise values were too many to keep), and ``place``, the share of the parameter's own
    prior below its posterior median.
    """
    coordinates = _coordinates(_Draws(data, spec, "posterior"))
    before = _coordinates(_Draws(data, spec, "prior"))
    densities = {"prior": sum(log_priors(data, spec).values())}
    if "log_likelihood" in data.children:
        densities["likelihood"] = log_likelihood(data, spec)
    weights = {kind: power_weights(np.asarray(d)) for kind, d in densities.items()}
    rows = {}
    for name, draws in coordinates.items():
        found = {kind: float(np.max(sensitivity(draws, w))) for kind, w in weights.items()}
        below = np.mean(before[name] < np.median(draws, axis=(0, 1)), axis=(0, 1))
        off = np.atleast_1d(below)[np.argmax(np.abs(np.atleast_1d(below) - 0.5))]
        rows[name] = {"prior": found["prior"], "likelihood": found.get("likelihood", np.nan),
                      "place": float(off)}  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def log_likelihood(data: xr.DataTree, spec: ModelSpec) -> np.ndarray:
    """Return the log likelihood of every draw, (chain, draw)."""
    return np.asarray(data["log_likelihood"][spec.law.response]).sum(axis=-1)


def _coordinates(draws: _Draws) -> dict[str, np.ndarray]:
    """What is sampled for every parameter, on its link scale, (chain, draw[, family])."""
    spec, found = draws.spec, {}
    for name, (value, _) in draws.at_the_top().items():
        found[name] = np.asarray(link_of(spec, name).inv(value))
        if spec.pooling(name) == "partial":
            labels = [f"tau_{stem(spec, name, group)}" for group in spec.groups]
            found |= {label: draws.values[label] for label in labels}
    for name in ("sigma", *(n for n, _ in spec.observation.extra)):
        found[name] = np.log(draws.values[name])
    more = [*(["tau_sigma"] if spec.noise_by_family else []),
            *(["sigma_trend"] if spec.noise_trend else [])]  # fmt: skip
    return found | {name: draws.values[name] for name in more}


def power_weights(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (chain, draw) of draws whose log density is scaled by each of `ALPHAS`.

    Not smoothed: a hundredth of a log density has no tail, and draws that repeat, as resampled ones
    of a poor approximation do, have none that could be smoothed.
    """
    below, above = (np.exp((alpha - 1.0) * (density - np.median(density))) for alpha in ALPHAS)
    return below / below.sum(), above / above.sum()


def sensitivity(draws: np.ndarray, weights: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the sensitivity of draws (chain, draw) or (chain, draw, ...), flat.

    NaN for draws that are all the same.
    """
    columns = draws.reshape(*draws.shape[:2], -1)
    return np.asarray([_sensitivity(x, weights) for x in np.moveaxis(columns, -1, 0)])


def _sensitivity(draws: np.ndarray, weights: tuple[np.ndarray, np.ndarray]) -> float:
    if np.ptp(draws) == 0.0:
        return np.nan
    return float(array_stats.power_scale_sense(draws, *weights, *ALPHAS))
