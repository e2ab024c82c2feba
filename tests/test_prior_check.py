"""What the priors say before the data."""

import numpy as np
import pytest
from scipy import stats

import bayes_scaling as bs
from bayes_scaling.prior_check import sane_bounds

Z95 = 1.6448536269514722


def runs(scale=1.0, families=("a", "b")):
    N = np.geomspace(1e8, 1e10, 6)
    D = 20 * N
    loss = scale * (1.8 + 400 * N**-0.34 + 400 * D**-0.28)
    count = len(families)
    return bs.read_runs(
        {"params": np.tile(N, count), "tokens": np.tile(D, count), "loss": np.tile(loss, count),
         "family": np.repeat(families, len(N))},
        group="family", units={"L": 1.0},
    )  # fmt: skip


@pytest.fixture(scope="module")
def check():
    return bs.prior_predictive(runs(), "chinchilla", draws=400)


def test_the_tree_has_declared_dims_and_one_chain(check):
    assert set(check.data.children) == {
        "prior",
        "prior_predictive",
        "observed_data",
        "constant_data",
    }
    prior = check.data["prior"]
    assert prior["alpha"].dims == ("chain", "draw")
    assert prior["E"].dims == ("chain", "draw", "family")
    assert (prior.sizes["chain"], prior.sizes["draw"]) == (1, 400)
    assert check.data["prior_predictive"]["L"].dims == ("chain", "draw", "row")
    assert list(prior["family"].values) == ["a", "b"]


def test_draws_follow_the_declared_prior(check):
    median, low, high = bs.get_law("chinchilla").param("alpha").prior.args
    sd = np.log(high / low) / (2 * Z95)
    drawn = np.log(check.data["prior"]["alpha"].values.ravel())
    assert stats.kstest(drawn, stats.norm(np.log(median), sd).cdf).pvalue > 1e-4


def test_responses_scatter_about_the_law_of_their_own_draw(check):
    prior = {name: value.values[0] for name, value in check.data["prior"].data_vars.items()}
    table = runs()
    x = [table.values[name] for name in ("N", "D")]
    family = np.searchsorted(["a", "b"], table.labels["family"])
    mean = bs.get_law("chinchilla")(
        *x, **{n: prior[n][:, family] for n in "EAB"},
        **{n: prior[n][:, None] for n in ("alpha", "beta")},
    )  # fmt: skip
    again = check.data["prior_predictive"]["L"].values[0]
    away = np.log(again / np.asarray(mean)) / prior["sigma"][:, None]
    assert np.median(np.abs(away)) == pytest.approx(0.7, abs=0.1)  # 0.67 for a normal, 0.72 for t6


def test_the_table_and_the_numbers_agree_with_the_draws(check):
    again = check.data["prior_predictive"]["L"].values[0]
    observed = check.data["observed_data"]["L"].values
    np.testing.assert_allclose(check.table["prior_95"], np.percentile(again, 95, axis=0))
    np.testing.assert_allclose(check.table["rank"], (again < observed).mean(axis=0))
    inside = check.table["observed"].between(check.table["prior_5"], check.table["prior_95"])
    assert check.numbers["rows_inside_90"] == inside.mean()
    assert check.numbers["sane_curves"] <= check.numbers["sane_values"] <= 1


def test_the_catalogues_prior_is_fit_for_use(check):
    assert check.ok
    assert [note.code for note in check.notes] == ["prior_ok"]
    assert "fit for use" in str(check)
    assert check.bounds == sane_bounds(runs(), on_log=True)
    assert check.bounds[1] == 12.0  # the vocabulary's highest loss


def test_a_prior_far_from_the_data_is_said_to_miss_them():
    found = bs.prior_predictive(runs(), priors={"E": "lognormal(6, 5.9, 6.1)"}, draws=200)
    assert [note.code for note in found.notes] == ["prior_misses_data"]
    assert found.numbers["rows_inside_90"] == 0.0
    assert found.numbers["median_ratio"] > 2
    assert not found.ok


def test_a_prior_without_scale_is_said_to_be_too_wide_and_named():
    vague = {"A": "lognormal(1, 1e-6, 1e6)"}
    (note,) = bs.prior_predictive(runs(), priors=vague, draws=200).notes
    assert note.code == "prior_too_wide"
    assert "'A'" in note.advice


def test_one_family_and_a_raw_scale_are_taken():
    found = bs.prior_predictive(runs(families=["a"]), "power_law(C)", noise="normal", draws=200)
    assert found.data["prior"]["A"].dims == ("chain", "draw")
    y = found.data["observed_data"]["L"].values
    low, high = sane_bounds(runs(families=["a"]), on_log=False)
    assert (low, high) == (pytest.approx(max(-12.0, y.min() - 10 * np.ptp(y))), 12.0)


def test_the_same_seed_gives_the_same_draws_and_few_are_refused():
    first, again = (bs.prior_predictive(runs(), draws=100, seed=3) for _ in range(2))
    assert first.data["prior_predictive"].to_dataset().identical(
        again.data["prior_predictive"].to_dataset().assign_attrs(
            first.data["prior_predictive"].attrs
        )
    )  # fmt: skip
    with pytest.raises(bs.SpecError, match="at least 100"):
        bs.prior_predictive(runs(), draws=10)
