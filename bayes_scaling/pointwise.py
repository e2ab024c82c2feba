"""Log likelihood and posterior predictive of the rows that were fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from bayes_scaling.build import Args
from bayes_scaling.curves import Curves, Points, compiled_curves, noise_samples
from bayes_scaling.spec import ModelSpec

LARGEST = 8_000_000  # draws x rows kept in a fit; beyond, the two groups are left out


def pointwise_groups(
    spec: ModelSpec, posterior: Mapping[str, np.ndarray], args: Args, rows: int, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return ``log_likelihood`` and ``posterior_predictive`` (chain, draw, row), if not too big.

    ``args`` may be padded beyond the table's ``rows``.
    """
    chains, draws = posterior["sigma"].shape[:2]
    if chains * draws * rows > LARGEST:
        return {}
    found = row_curves(spec, posterior, args, jax.random.key(seed + 3))
    shape, name = (chains, draws, rows), spec.law.response
    return {
        "log_likelihood": {name: np.asarray(found.log_prob)[:, :rows].reshape(shape)},
        "posterior_predictive": {name: np.asarray(found.run)[:, :rows].reshape(shape)},
    }


def row_curves(
    spec: ModelSpec, posterior: Mapping[str, np.ndarray], args: Args, key: Any
) -> Curves:
    """Return law, replicated response and log density on the fitted rows, (sample, row)."""
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in posterior.items()}
    family = np.argmax(args["member"], axis=1) if spec.groups else np.zeros(len(args["y"]), int)
    width = args["member"].shape[1] if spec.groups else 1
    params = {n: _columns(spec, flat, n, width) for n in spec.law.param_names}
    sigma = np.repeat(flat["sigma"][:, None], width, axis=1)
    if spec.noise_by_family:
        sigma = sigma * np.exp(flat["log_sigma_family"])
    points = Points(args["x"], family, args.get("trend"), args.get("se"), args.get("trials"))
    others = noise_samples(spec, flat)
    return compiled_curves(spec)(params, sigma, others, points, args["y"], key)


def _columns(spec: ModelSpec, flat: Mapping[str, np.ndarray], name: str, width: int) -> np.ndarray:
    """Samples of a parameter for every family, shape (sample, family)."""
    samples = len(flat["sigma"])
    fixed = spec.prior(name).is_fixed
    values = np.full(samples, spec.prior(name).args[0]) if fixed else flat[name]
    return np.broadcast_to(values if values.ndim > 1 else values[:, None], (samples, width))
