"""The joint density of latent skills against a sum written out with SciPy."""

import jax
import numpy as np
import pytest
from scipy import stats
from skill_tables import BENCHMARKS, bare_table, layout_of

from bayes_scaling.infer.density import split
from bayes_scaling.latent.layout import make_args
from bayes_scaling.latent.model import NOISE
from bayes_scaling.latent.table import read_scores
from bayes_scaling.latent.target import make_target

ITEMS = 40


@pytest.fixture(scope="module")
def table():
    """Eight models with scores in whole fortieths, three of them unknown."""
    rng = np.random.default_rng(5)
    scores = rng.integers(2, 39, (8, 4)) / ITEMS
    scores[1, 0] = scores[4, 2] = scores[5, 3] = np.nan
    return bare_table(5, families=2).assign(**dict(zip(BENCHMARKS, scores.T, strict=True)))


def lognormal(x, median, sd):
    """Of a logarithm, which is what is sampled."""
    return stats.norm.logpdf(np.log(x), np.log(median), sd).sum()


def by_hand(table, part, noise):
    """Log joint density of two skills with the interaction, families and models non-centred."""
    loading = np.zeros((4, 2))
    loading[0, 0] = loading[1, 1] = 1.0
    loading[1, 0], loading[2], loading[3] = (
        part["loading_free"][0],
        *np.reshape(part["loading_free"][1:], (2, 2)),
    )
    logs = np.log10(table[["params", "tokens"]].to_numpy())
    x = (logs - logs.mean(0)) / logs.std(0)
    x = np.column_stack([x, x[:, 0] * x[:, 1]])
    family_sd, model_sd, sigma = (np.exp(part[n]) for n in ("family_sd", "model_sd", "sigma"))
    family = np.repeat(part["family_z"] * family_sd, 4, axis=0)
    skill = family + x @ part["slope"] + part["model_z"] * model_sd
    chance = np.array([0, 0.25, 0, 0])
    mean = chance + (1 - chance) / (1 + np.exp(-(part["offset"] + skill @ loading.T)))
    total = stats.norm.logpdf(part["offset"], 0, 1.5).sum()
    total += stats.norm.logpdf(part["loading_free"], [1, 1, 0, 1, 0], 1).sum()
    wanted = np.array([[0.8, 0], [0.3, 0], [0, 0]])
    total += stats.norm.logpdf(part["slope"], wanted, [[0.5, 0.5], [0.5, 0.5], [0.3, 0.3]]).sum()
    total += lognormal(family_sd, 0.5, 0.7) + lognormal(model_sd, 0.25, 0.7)
    total += lognormal(sigma, *NOISE[noise])
    total += stats.norm.logpdf(part["family_z"]).sum() + stats.norm.logpdf(part["model_z"]).sum()
    for i, j in np.argwhere(table[list(BENCHMARKS)].notna().to_numpy()):
        score, a = table[BENCHMARKS[j]][i], mean[i, j] / sigma[j] ** 2
        b = (1 - mean[i, j]) / sigma[j] ** 2
        total += {
            "normal": lambda y, a, b, m, s: stats.norm.logpdf(y, m, s),
            "beta": lambda y, a, b, m, s: stats.beta.logpdf(y, a, b),
            "beta_binomial": lambda y, a, b, m, s: stats.betabinom.logpmf(
                round(y * ITEMS), ITEMS, a, b
            ),
        }[noise](score, a, b, mean[i, j], sigma[j])
    return total


def target_of(table, noise):
    scores = read_scores(table, BENCHMARKS)
    trials = ITEMS if noise == "beta_binomial" else None
    layout = layout_of(scores, 2, noise, trials, interaction=True)
    args = make_args(scores, layout)
    return make_target(noise, args), args


@pytest.mark.parametrize("noise", ["normal", "beta", "beta_binomial"])
def test_the_density_is_the_sum_by_hand(x64, table, noise):
    target, args = target_of(table, noise)
    apart = {**args, "family_centred": np.zeros((2, 2)), "model_centred": np.zeros((8, 2))}
    for seed in range(3):
        z = 0.3 * jax.random.normal(jax.random.key(seed), (target.dim,))
        part = {k: np.asarray(v) for k, v in split(target.sites, z).items()}
        expected = by_hand(table, part, noise)
        assert -float(target.potential(z, apart)) == pytest.approx(
            expected, rel=1e-7
        )  # SciPy's own sums


def test_an_unknown_score_takes_its_own_term_out_of_the_sum(x64, table):
    """The density with one score fewer differs by that score's density alone."""
    fewer = table.copy()
    fewer.loc[2, "gamma"] = np.nan
    (target, args), (other, less) = target_of(table, "normal"), target_of(fewer, "normal")
    z = 0.3 * jax.random.normal(jax.random.key(7), (target.dim,))
    values = {k: np.asarray(v) for k, v in target.constrain(z, args).items()}
    logit = values["offset"][2] + values["model_skill"][2] @ values["loading"][2]
    mean = 1 / (1 + np.exp(-logit))
    term = stats.norm.logpdf(table["gamma"][2], mean, values["sigma"][2])
    apart = float(other.potential(z, less) - target.potential(z, args))
    assert apart == pytest.approx(term, rel=1e-9)


def test_centring_changes_coordinates_alone(x64, table):
    """The same point in centred coordinates has the same density, by the Jacobian."""
    target, args = target_of(table, "normal")
    half = {**args, "family_centred": np.full((2, 2), 0.3), "model_centred": np.full((8, 2), 0.6)}
    z = 0.3 * jax.random.normal(jax.random.key(9), (target.dim,))
    part = split(target.sites, z)
    for kind in ("family", "model"):
        power = half[f"{kind}_centred"] - args[f"{kind}_centred"]
        part[f"{kind}_z"] = part[f"{kind}_z"] * np.exp(part[f"{kind}_sd"]) ** power
    moved = np.concatenate([np.ravel(part[s.name]) for s in target.sites])
    turn = sum(
        float((np.asarray(part[f"{k}_sd"]) * (half[f"{k}_centred"] - 1.0)).sum())
        for k in ("family", "model")
    )
    apart = float(target.potential(moved, half) - target.potential(z, args))
    assert apart == pytest.approx(turn, rel=1e-8)
