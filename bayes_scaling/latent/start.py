"""First values: a low-rank fit to logits of the scores, and the anchors it points to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular

from bayes_scaling.latent.layout import Layout
from bayes_scaling.latent.table import Scores

Array = NDArray[Any]
ROUNDS = 60
RIDGE = 1.0  # added observations' worth, in the low-rank fit
INSIDE = 0.02  # of the way from floor to ceiling, where logits are cut
LEAST_SD = 0.1


class LowRank(NamedTuple):
    """``logit = offset + skill @ loading.T``: skill (model, skill) of unit variance, and the sd of
    what is left, per benchmark."""

    offset: Array
    skill: Array
    loading: Array
    left: Array


def logits(scores: Scores, chance: Array, lapse: Array) -> Array:
    """Logits (model, benchmark) of the scores between floor and ceiling; NaN where unknown."""
    share = (scores.values - chance) / (1 - chance - lapse)
    share = np.clip(share, INSIDE, 1 - INSIDE)
    return np.log(share / (1 - share))


def low_rank(y: Array, rank: int) -> LowRank:
    """Fit ``y`` (model, benchmark) with gaps by alternating ridge regressions."""
    seen = np.isfinite(y)
    offset, filled = np.nanmean(y, axis=0), np.where(seen, y, 0.0)
    start = np.where(seen, y - offset, 0.0)
    skill = np.linalg.svd(start, full_matrices=False)[0][:, :rank] * np.sqrt(len(y))
    loading = np.zeros((y.shape[1], rank))
    for _ in range(ROUNDS):
        loading = _regress(skill, np.where(seen, filled - offset, 0.0).T, seen.T)
        skill = _regress(loading, np.where(seen, filled - offset, 0.0), seen)
        skill -= skill.mean(axis=0)
        skill = skill / np.maximum(skill.std(axis=0), 1e-6)
        offset = np.nanmean(y - skill @ loading.T, axis=0)
    left = np.sqrt(np.nanmean((y - offset - skill @ loading.T) ** 2, axis=0))
    return LowRank(offset, skill, loading, np.maximum(left, LEAST_SD))


def _regress(known: Array, y: Array, seen: Array) -> Array:
    """Coefficients (row, rank) of every row of ``y`` (row, column) on ``known`` (column, rank)."""
    gram = np.einsum("rc,ci,cj->rij", seen, known, known) + RIDGE * np.eye(known.shape[1])
    return np.linalg.solve(gram, (y @ known)[..., None])[..., 0]


def choose_anchors(scores: Scores, chance: Array, lapse: Array, n: int) -> list[str]:
    """Return the benchmarks that tell most of the skills, each of what those before leave open.

    By the logits' low-rank fit: loadings over what is left, by the root of the number of scores.
    """
    y = logits(scores, chance, lapse)
    found = low_rank(y, n)
    worth = np.sqrt(np.isfinite(y).sum(axis=0)) / found.left
    told = worth[:, None] * (found.loading @ _root(found.skill))
    pivoted: Any = qr(told.T, pivoting=True, mode="r")
    return [scores.benchmarks[i] for i in pivoted[1][:n]]


def _root(skill: Array) -> Array:
    """Lower root of the skills' covariance."""
    covariance = np.cov(skill.T).reshape(skill.shape[1], -1)
    return np.linalg.cholesky(covariance + 1e-6 * np.eye(len(covariance)))


def anchored(found: LowRank, rows: list[int]) -> tuple[Array, Array]:
    """Skills and loadings with the anchors' loadings lower triangular with ones.

    Skills are first made uncorrelated, as families are in the model.
    """
    own = _root(found.skill)
    loading = found.loading @ own
    q, r = np.linalg.qr(loading[rows].T)
    sizes = np.where(np.abs(np.diag(r)) > 1e-3, np.diag(r), 1e-3)
    skill = solve_triangular(own, found.skill.T, lower=True).T @ q * sizes
    return skill, loading @ q / sizes


def first_values(scores: Scores, layout: Layout, args: dict[str, Any]) -> dict[str, Array]:
    """Values of the model's sites from the low-rank fit, scales as logarithms."""
    y = logits(scores, args["chance"], args["lapse"])
    found = low_rank(y, layout.n_skills)
    rows = [scores.benchmarks.index(a) for a in layout.anchors]
    skill, loading = anchored(found, rows)
    slope = np.linalg.lstsq(args["x"], skill, rcond=None)[0]
    left, n_families = skill - args["x"] @ slope, args["family_centred"].shape[0]
    counts = np.bincount(args["family"], minlength=n_families)[:, None]
    sums = np.zeros((n_families, layout.n_skills))
    np.add.at(sums, args["family"], left)
    family = sums / (counts + 1.0)
    own = left - family[args["family"]]
    return {
        "offset": found.offset,
        "loading_free": np.clip(loading.ravel()[args["free"]], -4, 4),
        "slope": slope,
        "family_z": family,
        "model_z": own,
        "family_sd": np.log(np.maximum(family.std(axis=0), LEAST_SD)),
        "model_sd": np.log(np.maximum(own.std(axis=0), LEAST_SD)),
        "sigma": _noise(found, scores, layout),
    }


def _noise(found: LowRank, scores: Scores, layout: Layout) -> Array:
    """Log of the noise's scale: what is left of logits, in scores."""
    share = 1 / (1 + np.exp(-(found.offset + found.skill @ found.loading.T)))
    step = share * (1 - share) * (1 - np.array(layout.chance) - np.array(layout.lapse))
    sd = found.left * np.sqrt(np.mean(step**2, axis=0))
    if layout.noise == "normal":
        return np.log(np.maximum(sd, 0.005))
    middle = np.clip(np.nanmean(scores.values, axis=0), 0.02, 0.98)
    return np.log(np.clip(sd / np.sqrt(middle * (1 - middle)), 0.02, 0.5))
