"""The joint model of a table of scores, in NumPyro's words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax import Array
from jax.nn import sigmoid

from bayes_scaling.build import Args

OFFSET = (0.0, 1.5)  # logit of an average family's average model
LOADING_SD = 1.0
# Log-normal medians and log sds. Zero has no density: a spread of exactly nothing is no model of
# real families, and its neighbourhood is a funnel.
FAMILY_SD = (0.5, 0.7)
MODEL_SD = (0.25, 0.7)
NOISE = {"normal": (0.04, 0.5), "beta": (0.08, 0.5), "beta_binomial": (0.08, 0.5)}
SCALES = ("family_sd", "model_sd", "sigma")
FAMILY, MODEL = "family_z", "model_z"


@lru_cache(maxsize=8)
def skills_model(noise: str) -> Callable[[Args], None]:
    """Return the NumPyro model with this noise; it takes the arrays of `layout.make_args`."""
    return partial(_model, noise)


def _model(noise: str, args: Args) -> None:
    loading = _loading(args)
    numpyro.deterministic("loading", loading)
    offset: Any = numpyro.sample("offset", dist.Normal(*OFFSET).expand(args["chance"].shape))
    slope: Any = numpyro.sample("slope", dist.Normal(args["slope_loc"], args["slope_scale"]))
    family = _effect("family", FAMILY_SD, FAMILY, args)
    numpyro.deterministic("family_skill", family)
    own = _effect("model", MODEL_SD, MODEL, args)
    skill = family[args["family"]] + args["x"] @ slope + own
    numpyro.deterministic("model_skill", skill)
    sigma: Any = numpyro.sample("sigma", _lognormal(NOISE[noise], args["chance"].shape))
    mean = mean_score(args, offset + skill @ loading.T).ravel()[args["seen"]]
    spread = jnp.broadcast_to(sigma, (len(skill), len(sigma))).ravel()[args["seen"]]
    numpyro.sample("score", observed(noise, mean, spread, args["trials"]), obs=args["score"])


def _lognormal(prior: tuple[float, float], shape: tuple[int, ...]) -> Any:
    return dist.LogNormal(jnp.log(prior[0]), prior[1]).expand(shape)


def _loading(args: Args) -> Array:
    """Loadings (benchmark, skill): lower triangular with ones at the anchors."""
    free: Any = numpyro.sample("loading_free", dist.Normal(args["loading_loc"], LOADING_SD))
    known = jnp.asarray(args["known"])
    return known.ravel().at[args["free"]].set(free).reshape(known.shape)


def _effect(kind: str, prior: tuple[float, float], site: str, args: Args) -> Array:
    """Normal effects (label, skill) with a common sd, each centred to the degree in ``args``."""
    centred = args[f"{kind}_centred"]
    sd: Any = numpyro.sample(f"{kind}_sd", _lognormal(prior, centred.shape[1:]))
    z: Any = numpyro.sample(site, dist.Normal(jnp.zeros(()), sd**centred))
    return sd ** (1 - centred) * z


def mean_score(args: Args, logit: Any) -> Any:
    """Expected score (..., benchmark) at a logit, between chance and what lapses leave."""
    return args["chance"] + (1 - args["chance"] - args["lapse"]) * sigmoid(logit)


def observed(noise: str, mean: Any, sigma: Any, trials: Any) -> Any:
    """Distribution of a score, or of a count of items.

    ``normal``: sd ``sigma``. ``beta``: variance ``mean (1 - mean) / (1 + sigma^-2)``.
    ``beta_binomial``: counts whose share scatters so.
    """
    if noise == "normal":
        return dist.Normal(mean, sigma)
    precision = sigma**-2.0
    a, b = mean * precision, (1 - mean) * precision
    return dist.Beta(a, b) if noise == "beta" else dist.BetaBinomial(a, b, trials)
