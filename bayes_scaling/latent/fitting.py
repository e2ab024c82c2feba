"""`skills`: a table of models by benchmarks in, the posterior of its latent skills out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from time import perf_counter
from typing import Any

import jax
import numpy as np

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling._progress import shown_progress
from bayes_scaling._x64 import in_float64
from bayes_scaling.build import Args
from bayes_scaling.fitting import constrained, prior_draws
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.nuts import sample_nuts
from bayes_scaling.infer.prepare import plain_args
from bayes_scaling.infer.target import Target
from bayes_scaling.latent.geometry import prepare
from bayes_scaling.latent.layout import (
    Layout,
    checked_links,
    checked_skills,
    make_args,
    make_layout,
)
from bayes_scaling.latent.model import mean_score, observed
from bayes_scaling.latent.results import DIMS, Skills
from bayes_scaling.latent.start import choose_anchors, first_values
from bayes_scaling.latent.table import Scores, read_scores
from bayes_scaling.latent.target import make_target
from bayes_scaling.posterior import make_datatree
from bayes_scaling.storage import FORMAT

PRIOR_DRAWS = 500
LARGEST = 4_000_000  # draws x scores whose log likelihood is kept
PER_MODEL = ("model_skill", "family_skill")


@in_float64
def skills(
    table: Any,
    benchmarks: Sequence[str],
    *,
    n_skills: int = 1,
    inputs: Sequence[str] = ("N", "D"),
    interaction: bool = False,
    family: str = "family",
    model: str | None = None,
    columns: Mapping[str, str] | None = None,
    chance: float | Mapping[str, float] = 0.0,
    lapse: float | Mapping[str, float] = 0.0,
    trials: Mapping[str, float] | float | None = None,
    noise: str | None = None,
    anchors: Sequence[str] | None = None,
    chains: int = 4,
    draws: int = 1000,
    warmup: int = 500,
    target_accept: float = 0.9,
    max_tree_depth: int = 10,
    seed: int = 0,
    progress: bool | Progress = True,
) -> Skills:
    """Return the joint posterior of latent skills behind the scores of many models.

    The score of model i of family f on benchmark j is expected to be

        chance_j + (1 - chance_j - lapse_j) sigmoid(offset_j + loading_j . skill_i)
        skill_ik = family_skill_fk + slope_k . x_i + deviation_ik

    with x the standardised log10 of the inputs, and families and models normal about zero with sds
    ``family_sd`` and ``model_sd`` of each skill (Maia Polo et al. 2024; Ruan et al. 2024).

    Parameters
    ----------
    table
        One row a model: a path, a frame, or a mapping of columns.
    benchmarks
        Columns of scores from 0 to 1; empty cells are left out of the likelihood.
    n_skills
        1 to 3.
    inputs, interaction
        ``("N", "D")`` or ``("C",)``; the product of log N and log D too.
    family, model
        Columns of labels. Tuned models are best families of their own.
    columns
        Symbol to column, where names do not tell.
    chance, lapse
        Score of guessing, and what the best model falls short of 1: a number, or by benchmark.
    trials, noise
        Number of items by benchmark; scores are then counts, binomial with scatter beyond it
        (``"beta_binomial"``). Without: ``"beta"`` (default) or ``"normal"``, a scale a benchmark.
    anchors
        The benchmark whose logit each skill is in the units of, in order; chosen if not given.
        Loadings are one there, zero on later skills.
    chains, draws, warmup, target_accept, max_tree_depth, seed
        How to sample, by NUTS.
    progress
        Show a bar on standard error, or a function ``(done, total, phase)``.

    Returns
    -------
    Skills
        ``posterior`` with dims (chain, draw) and ``loading`` (benchmark, skill), ``offset``
        (benchmark), ``slope`` (term, skill), ``family_skill`` (family, skill), ``model_skill``
        (model, skill), ``family_sd`` and ``model_sd`` (skill), in logits of the anchors' scores.

    Raises
    ------
    BayesScalingError
        One line naming the column, rows or argument that does not fit, and the mend.
    """
    clock = perf_counter()
    scores = read_scores(
        table, benchmarks, inputs=inputs, family=family, model=model, columns=columns
    )
    settings = Settings(
        sampler="nuts",
        chains=chains,
        draws=draws,
        warmup=warmup,
        target_accept=target_accept,
        max_tree_depth=max_tree_depth,
        seed=seed,
        dense_up_to=0,
    )
    show = shown_progress(progress)
    show(0, 1, "compiling and finding the mode")
    links = checked_links(chance, lapse, scores.benchmarks)
    count = checked_skills(n_skills, scores.benchmarks)
    layout = make_layout(
        scores,
        n_skills=count,
        anchors=anchors or choose_anchors(scores, *links, count),
        noise=noise,
        links=links,
        trials=trials,
        interaction=interaction,
    )
    tree = _sampled(scores, layout, settings, show)
    tree.attrs.update(seconds=f"{perf_counter() - clock:.3f}")
    return Skills(tree, layout, scores.notes)


def _sampled(scores: Scores, layout: Layout, settings: Settings, show: Progress) -> Any:
    """The DataTree of a posterior: find the scales, whiten, sample, assemble."""
    args = make_args(scores, layout)
    target = make_target(layout.noise, args)
    first = first_values(scores, layout, args)
    prepared = prepare(target, layout.noise, args, first, settings.chains, settings.seed)
    drawn = sample_nuts(target, prepared, settings, show)
    return _assemble(scores, layout, settings, target, plain_args(prepared), drawn)


def _assemble(
    scores: Scores,
    layout: Layout,
    settings: Settings,
    target: Target,
    args: Args,
    drawn: Draws,
) -> Any:
    values = constrained(target, drawn.z, args)
    posterior = {n: values[n] for n in DIMS if n in values}
    before = prior_draws(target, args, PRIOR_DRAWS, settings.seed)
    groups = {
        "posterior": posterior,
        "sample_stats": drawn.stats,
        "prior": {n: before[n] for n in posterior if n not in PER_MODEL},
        "observed_data": {"score": scores.values},
        "constant_data": {
            **scores.inputs,
            "family_of_model": scores.family.astype(str),
            "chance": args["chance"],
            "lapse": args["lapse"],
        },
        **_log_likelihood(posterior, layout, args),
    }
    coords = {
        "benchmark": list(scores.benchmarks),
        "skill": np.arange(1, layout.n_skills + 1),
        "term": list(layout.terms),
        "family": scores.families,
        "model": scores.model,
    }
    return make_datatree(groups, coords, {**DIMS, **_dims(layout)}, _attrs(layout, settings))


def _dims(layout: Layout) -> dict[str, list[str]]:
    by_model = {n: ["model"] for n in (*layout.inputs, "family_of_model")}
    return {**by_model, "chance": ["benchmark"], "lapse": ["benchmark"]}


def _log_likelihood(
    posterior: Mapping[str, np.ndarray], layout: Layout, args: Args
) -> dict[str, dict[str, np.ndarray]]:
    """Of every known score, (chain, draw, observation), if not too big."""
    chains, draws = posterior["sigma"].shape[:2]
    if chains * draws * len(args["seen"]) > LARGEST:
        return {}
    found = _compiled_pointwise(layout.noise)({k: posterior[k] for k in _POINTWISE}, args)
    return {"log_likelihood": {"observed_score": np.asarray(found)}}


_POINTWISE = ("offset", "model_skill", "loading", "sigma")


@lru_cache(maxsize=IN_MEMORY)
def _compiled_pointwise(noise: str) -> Any:
    def one(values: dict[str, Any], args: Args) -> Any:
        logit = values["offset"] + values["model_skill"] @ values["loading"].T
        mean = mean_score(args, logit).ravel()[args["seen"]]
        sigma = values["sigma"][args["seen"] % len(values["sigma"])]
        return observed(noise, mean, sigma, args["trials"]).log_prob(args["score"])

    return jitted(jax.vmap(jax.vmap(one, in_axes=(0, None)), in_axes=(0, None)))


def _attrs(layout: Layout, settings: Settings) -> dict[str, str]:
    return {
        "format": str(FORMAT),
        "kind": "skills",
        "layout": json.dumps(asdict(layout)),
        "settings": json.dumps(vars(settings)),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "inference_library": "numpyro",
        "versions": json.dumps({p: version(p) for p in ("bayes_scaling", "jax", "numpyro")}),
    }
