"""Tables of scores drawn from the model itself, with the parameters they were drawn with."""

import jax
import numpy as np
import pandas as pd

from bayes_scaling.latent.layout import checked_links, make_args, make_layout
from bayes_scaling.latent.model import mean_score
from bayes_scaling.latent.table import read_scores
from bayes_scaling.latent.target import make_target

BENCHMARKS = ("alpha", "beta", "gamma", "delta")
CHANCE = {"beta": 0.25}
FAMILIES, SIZES = 6, 4


def bare_table(seed, families=FAMILIES, sizes=SIZES):
    """Models without scores: families whose members differ in size, and in data."""
    rng = np.random.default_rng(seed)
    n = families * sizes
    return pd.DataFrame(
        {
            "model": [f"m{i}" for i in range(n)],
            "family": [f"f{i // sizes}" for i in range(n)],
            "params": 10 ** (8 + 3 * (np.arange(n) % sizes) / sizes + rng.uniform(0, 0.5, n)),
            "tokens": 10 ** rng.uniform(11, 13, n),
        }
    )


def layout_of(scores, n_skills=1, noise="beta", trials=None, interaction=False):
    return make_layout(
        scores,
        n_skills=n_skills,
        anchors=scores.benchmarks[:n_skills],
        noise=noise,
        links=checked_links(CHANCE, 0.0, scores.benchmarks),
        trials=trials,
        interaction=interaction,
    )


def drawn_table(seed, n_skills=1):
    """A table with scores whose parameters, also returned, were drawn from the prior."""
    table = bare_table(seed)
    empty = table.assign(**dict.fromkeys(BENCHMARKS, 0.5))
    scores = read_scores(empty, BENCHMARKS, model="model")
    layout = layout_of(scores, n_skills)
    args = make_args(scores, layout)
    with jax.enable_x64(True):
        target = make_target(layout.noise, args)
        z = target.draw_prior(jax.random.key(seed), args)
        truth = {k: np.asarray(v) for k, v in target.constrain(z, args).items()}
        logit = truth["offset"] + truth["model_skill"] @ truth["loading"].T
        mean = np.asarray(mean_score(args, logit))
    precision, rng = truth["sigma"] ** -2, np.random.default_rng(seed)
    values = rng.beta(mean * precision, (1 - mean) * precision)
    return table.assign(**dict(zip(BENCHMARKS, values.T, strict=True))), truth


def with_gaps(table):
    """The same with four scores unknown, always the same cells."""
    gaps = table.copy()
    for row, name in ((0, "alpha"), (3, "gamma"), (7, "delta"), (8, "delta")):
        gaps.loc[row, name] = np.nan
    return gaps
