"""Densities of parameters before and after the data, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling._arviz import array_stats
from bayes_scaling._errors import SpecError, did_you_mean, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.families import flatten_chains, link_of, sampled_coordinate
from bayes_scaling.posterior import Fit
from bayes_scaling.stats.intervals import contraction

POINTS = 400
PRIOR_SMOOTH = 2.0  # the prior is smoother than its thousand draws make it look
TAILS = 0.6  # sds that a smoothed density goes beyond the draws
PRIOR, POSTERIOR = "prior", "posterior"


class Scale(NamedTuple):
    """How a quantity is drawn: ``log`` axis, and the map to the line on which it is smoothed."""

    log: bool
    to_line: Callable[[np.ndarray], np.ndarray]
    from_line: Callable[[np.ndarray], np.ndarray]


def _same(values: np.ndarray) -> np.ndarray:
    return values


LINEAR, LOG = Scale(False, _same, _same), Scale(True, np.log, np.exp)


def default_names(fit: Fit) -> list[str]:
    """The law's sampled parameters, the spreads between families and the noise."""
    law = [n for n in fit.spec.law.param_names if not fit.spec.prior(n).is_fixed]
    rest = [n for n in fit.posterior.data_vars if str(n).startswith(("tau_", "sigma", "nu"))]
    return [*law, *(str(n) for n in rest if str(n) not in law)]


@in_float64
def density_table(fit: Fit, var_names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return densities of prior and posterior.

    Columns: ``name``, ``family`` ("" when there is one value), ``source`` ("prior" or
    "posterior"), ``x``, ``density`` (per unit of x, or of log x where ``log``), ``log``,
    ``contraction`` (1 - posterior variance / prior variance, on the scale that is smoothed).
    A law's parameter stands for its sampled coordinate: a coefficient for its level at the data's
    reference point, whose prior was chosen and which the data can tell.

    Raises
    ------
    SpecError
        When the fit has no such variable.
    """
    names = default_names(fit) if var_names is None else list(var_names)
    before, after = (flatten_chains(fit.data[g].to_dataset()) for g in (PRIOR, POSTERIOR))
    return pd.concat([_one(fit, name, before, after) for name in names], ignore_index=True)


def _one(fit: Fit, name: str, *samples: Mapping[str, np.ndarray]) -> pd.DataFrame:
    values = [_values(fit, name, each) for each in samples]
    scale = scale_of(fit, name)
    prior, posterior = map(scale.to_line, values)
    labels = _labels(fit, name, posterior)
    shrink = contraction(prior, posterior)
    before = _density(prior.ravel(), scale, PRIOR_SMOOTH)
    parts = [before.assign(family="", source=PRIOR, contraction=np.nan)]
    parts += [
        _density(posterior[:, i], scale).assign(family=f, source=POSTERIOR, contraction=shrink[i])
        for i, f in enumerate(labels)
    ]
    return pd.concat(parts, ignore_index=True).assign(name=name)


def _values(fit: Fit, name: str, samples: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draws (sample, family); one family where the variable has no families."""
    if name in fit.spec.law.param_names and not fit.spec.prior(name).is_fixed:
        found = np.asarray(sampled_coordinate(fit.spec, samples, name, fit.reference))
    elif name in samples:
        found = np.asarray(samples[name])
    else:
        known = [*default_names(fit), *samples]
        raise SpecError(
            f"the fit has no variable '{name}': it has {list_names(dict.fromkeys(known))}."
            + did_you_mean(name, known)
        )
    columns = found.reshape(len(found), -1)
    return columns if varies(fit, name) else columns[:, :1]


def varies(fit: Fit, name: str) -> bool:
    """Whether the quantity has a value for each family."""
    if name not in fit.spec.law.param_names:
        return fit.posterior[name].ndim > 2
    return bool(fit.spec.groups) and fit.spec.pooling(name) != "shared"


def _labels(fit: Fit, name: str, values: np.ndarray) -> list[str]:
    if values.shape[1] == 1 and not varies(fit, name):
        return [""]
    group = fit.spec.groups[-1]
    if name not in fit.spec.law.param_names:
        group = str(fit.posterior[name].dims[-1])
    return [str(v) for v in fit.posterior_labels(group)]


def scale_of(fit: Fit, name: str) -> Scale:
    """The scale on which a quantity's prior is wide but regular."""
    if name.startswith("tau_"):
        return LINEAR  # half-normal: its mode is zero
    if name in fit.spec.law.param_names:
        return _link_scale(fit, name)
    return LOG if bool((fit.data[PRIOR][name] > 0).all()) else LINEAR


def _link_scale(fit: Fit, name: str) -> Scale:
    kind = fit.spec.prior(name).kind
    if kind == "lognormal":
        return LOG
    if kind in ("normal", "uniform", "halfnormal"):
        return LINEAR
    link = link_of(fit.spec, name)
    return Scale(False, lambda v: np.asarray(link.inv(v)), lambda z: np.asarray(link(z)))


def _density(values: np.ndarray, scale: Scale, smooth: float = 1.0) -> pd.DataFrame:
    """A smoothed density on the line, carried to the axis."""
    room = TAILS * smooth * np.std(values)
    limits = {"custom_lims": (values.min() - room, values.max() + room)}
    options: dict[str, Any] = {"bound_correction": True} if scale is LINEAR else limits
    found = array_stats.kde(values, grid_len=POINTS, bw_fct=smooth, **options)
    grid, density = np.asarray(found[0]), np.asarray(found[1])
    x = scale.from_line(grid)
    if not scale.log and scale is not LINEAR:
        density = density / np.gradient(x, grid)
    return pd.DataFrame({"x": x, "density": density, "log": scale.log})
