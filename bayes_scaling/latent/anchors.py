"""Anchors that the model itself finds telling: a noisy one would leave a skill's scale open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from bayes_scaling.build import Args
from bayes_scaling.latent.geometry import settle
from bayes_scaling.latent.layout import Layout, checked_skills, make_args, make_layout
from bayes_scaling.latent.model import mean_score, observed
from bayes_scaling.latent.start import first_anchors, first_values, leading
from bayes_scaling.latent.table import Scores
from bayes_scaling.latent.target import make_target

TRIES = 3


def laid_out(
    scores: Scores,
    n_skills: int,
    anchors: Sequence[str] | None,
    *,
    links: tuple[np.ndarray, np.ndarray],
    **options: Any,
) -> Layout:
    """Return the layout, its anchors chosen where none are given; ``options`` as `make_layout`."""
    count = checked_skills(n_skills, scores.benchmarks)
    first = anchors or first_anchors(scores, *links, count)
    layout = make_layout(scores, n_skills=count, anchors=first, links=links, **options)
    return layout if anchors else well_anchored(scores, layout)


def well_anchored(scores: Scores, layout: Layout) -> Layout:
    """Return the layout with the anchors that tell most at the mode of the model."""
    for _ in range(TRIES):
        chosen = _most_telling(scores, layout)
        if chosen == layout.anchors:
            break
        layout = replace(layout, anchors=chosen)
    return layout


def _most_telling(scores: Scores, layout: Layout) -> tuple[str, ...]:
    args = make_args(scores, layout)
    target = make_target(layout.noise, args)
    z, _ = settle(target, layout.noise, args, first_values(scores, layout, args))
    found = {k: np.asarray(v) for k, v in jax.jit(target.constrain)(z, args).items()}
    worth = np.sqrt(_information(found, layout, args))
    places = leading(found["model_skill"], found["loading"], worth)
    return tuple(scores.benchmarks[i] for i in places)


def _information(found: dict[str, np.ndarray], layout: Layout, args: Args) -> np.ndarray:
    """Of every benchmark's logits in its scores, summed over models, shape (benchmark,)."""
    logit = found["offset"] + found["model_skill"] @ found["loading"].T
    mean = np.asarray(mean_score(args, logit))
    n = mean.shape[1]
    row, column = np.divmod(args["seen"], n)
    share = 1 / (1 + np.exp(-logit[row, column]))
    step = (1 - args["chance"] - args["lapse"])[column] * share * (1 - share)
    noise = observed(layout.noise, mean[row, column], found["sigma"][column], args["trials"])
    variance = np.asarray(noise.variance) / args["trials"] ** 2
    return np.bincount(column, step**2 / variance, minlength=n)
