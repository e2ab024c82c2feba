"""Shares of counted items: the density against SciPy's, and that the width follows the items."""

import jax
import numpy as np
import numpyro.distributions as dist
import pandas as pd
import pytest
from numpyro import handlers
from scipy import stats

import bayes_scaling as bs
from bayes_scaling.distributions import ShareOfItems
from bayes_scaling.law_draws import law_draws

pytestmark = pytest.mark.usefixtures("x64")
DRAWS = 40_000


@pytest.mark.parametrize("n", [1, 7, 400])
@pytest.mark.parametrize("mean", [0.02, 0.5, 0.93])
@pytest.mark.parametrize("scatter", [0.004, 0.1, 0.4])
def test_the_density_is_the_beta_binomial(n, mean, scatter):
    total = 0.25 / scatter**2
    solved = np.arange(n + 1)
    found = ShareOfItems(mean, scatter, n).log_prob(solved / n)
    known = stats.betabinom.logpmf(solved, n, mean * total, (1 - mean) * total)
    near = known > -200  # SciPy's own digits are lost in the far tails
    np.testing.assert_allclose(np.asarray(found)[near], known[near], rtol=1e-7, atol=1e-8)
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-9)


def test_without_scatter_it_is_the_binomial():
    solved = np.arange(101)
    found = ShareOfItems(0.3, 1e-5, 100.0).log_prob(solved / 100)
    np.testing.assert_allclose(found, stats.binom.logpmf(solved, 100, 0.3), atol=1e-5)


def test_draws_have_the_frequencies_of_the_density(key):
    found = ShareOfItems(0.7, 0.15, 12.0)
    drawn = np.asarray(found.sample(key, (DRAWS,))) * 12
    np.testing.assert_allclose(drawn, np.round(drawn), atol=1e-9)
    share = np.exp(found.log_prob(np.arange(13) / 12))
    seen = np.bincount(np.round(drawn).astype(int), minlength=13) / DRAWS
    assert np.all(np.abs(seen - share) < 4.5 * np.sqrt(share * (1 - share) / DRAWS) + 1e-4)


@pytest.mark.parametrize("mean", [-0.2, 0.0, 0.4, 1.0, 1.3])
def test_gradients_stay_finite_beyond_the_edges(mean):
    slopes = jax.grad(lambda m, s: ShareOfItems(m, s, 50.0).log_prob(0.1), (0, 1))(mean, 0.05)
    assert np.isfinite(slopes).all()


# --- as noise of a law -----------------------------------------------------------------------


def table(items, rows=24, seed=0):
    """Scores of a sigmoid in log compute, counted on ``items``, without other scatter."""
    rng = np.random.default_rng(seed)
    C = np.geomspace(1e20, 1e25, rows)
    n = np.broadcast_to(items, rows)
    p = 0.25 + 0.73 / (1 + (C / 3e22) ** -0.6)
    return pd.DataFrame({"flops": C, "accuracy": rng.binomial(n, p) / n, "items": n})


@pytest.fixture(scope="module")
def fitted():
    runs = bs.read_runs(table([40, 4000] * 12), response="accuracy", trials="items")
    return bs.fit(runs, "compute_sigmoid", progress=False)


def test_counts_are_the_default_noise_of_counted_shares(fitted):
    assert fitted.spec.observation.name == "beta_binomial"
    assert "shares of 40 to 4000 items" in repr(fitted.runs)


def test_the_model_is_one_written_by_hand(fitted):
    """The observed site has the density of NumPyro's beta-binomial about the law."""
    model, args = bs.numpyro_model(fitted.runs, "compute_sigmoid")
    seeded = handlers.seed(model, jax.random.key(3))
    trace = handlers.trace(seeded).get_trace(*args)
    params = {name: trace[name]["value"] for name in fitted.spec.law.param_names}
    p = fitted.spec.law(args[0]["x"]["C"], **params)
    total, n = 0.25 / trace["sigma"]["value"] ** 2, args[0]["trials"]
    solved = np.round(args[0]["y"] * n)
    by_hand = dist.BetaBinomial(p * total, (1 - p) * total, n).log_prob(solved)
    seen = trace["acc"]["fn"].log_prob(trace["acc"]["value"])
    np.testing.assert_allclose(seen, by_hand, rtol=1e-6)


def test_a_new_score_scatters_by_its_own_items(fitted):
    at = {"C": [1e23, 1e23], "trials": [10, 10_000]}
    few, many = law_draws(fitted, at, jax.random.key(1)).run.T
    assert np.allclose(few * 10, np.round(few * 10))
    error = np.sqrt(0.25 / 10)
    assert 0.8 * error < few.std() < 1.3 * error
    assert many.std() < 0.3 * few.std()


def test_forecasts_with_model_error_stay_shares(fitted):
    table = bs.forecast(fitted, {"C": [1e21, 1e26], "trials": [100, 100]}).table
    bands = table.filter(like="run_").to_numpy(float)
    assert np.isfinite(bands).all()
    assert bands.min() >= 0.0
    assert bands.max() <= 1.0


def test_items_survive_saving(fitted, tmp_path):
    again = bs.load(fitted.save(tmp_path / "fit.nc"))
    np.testing.assert_array_equal(again.runs.trials, fitted.runs.trials)
    assert again.spec.observation.counts


# --- what cannot be --------------------------------------------------------------------------

GOOD = table(50, rows=8)
BAD = {
    "half an item": (GOOD.assign(items=2.5), {"trials": "items"}, "'items'.*whole numbers >= 1"),
    "no such column": (GOOD, {"trials": "n"}, "trials names no column 'n'"),
    "per cent": (GOOD.assign(accuracy=40.0), {"trials": "items"}, r"not a share.*units=\{'acc'"),
    "errors too": (GOOD.assign(se=0.1), {"trials": "items", "se": "se"}, "without standard errors"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_says_so(name):
    source, how, words = BAD[name]
    with pytest.raises(bs.BayesScalingError, match=words):
        bs.fit(bs.read_runs(source, response="accuracy", **how), "compute_sigmoid")


def test_counts_need_the_items():
    runs = bs.read_runs(GOOD, response="accuracy")
    with pytest.raises(bs.SpecError, match="trials='column'"):
        bs.fit(runs, "compute_sigmoid", noise="beta_binomial")
