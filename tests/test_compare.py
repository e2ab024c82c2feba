"""Recipes side by side: multipliers, crossings and ranks of families, against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from fitted import small_fit

import bayes_scaling as bs


def crossed_fit():
    """The small fit, with families a and b that share everything but E, A and B: those of b make
    it the worse below 1e22 FLOPs and the better above."""
    fit = small_fit()
    posterior = fit.posterior.copy(deep=True)
    for name, factor in (("A", 1.6), ("B", 1.6)):
        posterior[name].values[:, :, 1] = factor * posterior[name].values[:, :, 0]
    F, g = frontier({n: flat(posterior, n, 0) for n in ("A", "B", "alpha", "beta")})
    at = 1e22 * np.exp(0.3 * np.random.default_rng(0).normal(size=F.shape))
    E = flat(posterior, "E", 0) - 0.6 * F * (at / 6) ** -g
    posterior["E"].values[:, :, 1] = E.reshape(posterior["E"].shape[:2])
    data = fit.data.copy()
    data["posterior"] = type(data)(posterior)
    return replace(fit, data=data), at


def flat(posterior, name, place):
    values = posterior[name].values
    return (values[:, :, place] if values.ndim > 2 else values).ravel()


def frontier(p):
    a = p["beta"] / (p["alpha"] + p["beta"])
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / (p["alpha"] + p["beta"]))
    return p["A"] * G ** -p["alpha"] + p["B"] * G ** p["beta"], a * p["alpha"]


@pytest.fixture(scope="module")
def crossing():
    fit, at = crossed_fit()
    return bs.compare(fit, ["a", "b"], C=[1e20, 1e22, 1e24]), fit, at


def test_the_crossing_is_the_closed_form_s(crossing):
    found, _, at = crossing
    row = found.crossings.iloc[0]
    assert row["recipe"] == "b"
    assert row["crosses"] == 1.0
    assert row["C"] == pytest.approx(np.median(at), rel=1e-6)
    assert row["C_90_low"] == pytest.approx(np.quantile(at, 0.05), rel=1e-6)
    assert (row["ahead_below"], row["ahead_above"]) == (0.0, 1.0)
    assert row["several"] == 0.0


def test_multipliers_are_the_closed_form_s(crossing):
    """The first recipe's budget for the other's loss: E + F (C / 6)^-g solved for C."""
    found, fit, _ = crossing
    names = ("E", "A", "B", "alpha", "beta")
    one, two = ({n: flat(fit.posterior, n, i) for n in names} for i in (0, 1))
    (F, g), (F2, g2) = frontier(one), frontier(two)
    aim = two["E"] + F2 * (1e20 / 6) ** -g2
    known = 6 * (F / (aim - one["E"])) ** (1 / g) / 1e20
    np.testing.assert_allclose(found.draws["multiplier"][:, 1, 0], known, rtol=1e-7)
    row = found.table[(found.table["recipe"] == "b") & (found.table["C"] == 1e20)].iloc[0]
    assert row["multiplier"] == pytest.approx(np.median(known))
    assert row["multiplier"] < 1


def test_who_is_ahead_at_a_scale(crossing):
    found, _, at = crossing
    other = found.table[found.table["recipe"] == "b"].set_index("C")
    assert other["ahead"][1e22] == pytest.approx(np.mean(at < 1e22))
    assert list(other["best"]) == list(other["ahead"])
    assert other["rank"][1e20] == 2.0
    first = found.table[found.table["recipe"] == "a"].set_index("C")
    assert np.allclose(first["best"] + other["best"], 1.0)
    assert np.all(first["multiplier"] == 1.0)


def test_families_of_one_fit_keep_what_they_share():
    """With shared exponents the ratio of frontiers is known far better than either."""
    fit = small_fit()
    together = bs.compare(fit, ["a", "b"], C=1e24)
    apart = bs.compare({"one": fit, "two": replace(fit)}, ["a", "b"], C=1e24)
    width = [np.log(t["multiplier_90_high"] / t["multiplier_90_low"]).iloc[1]
             for t in (together.table, apart.table)]  # fmt: skip
    assert width[0] < width[1]
    assert list(apart.table["recipe"]) == ["one", "two"]


def test_all_families_by_default_and_recipes_without_a_crossing():
    found = bs.compare(small_fit(), fixed={"M": 20.0})
    assert list(found.table["recipe"].unique()) == ["a", "b", "c"]
    assert list(found.crossings["recipe"]) == ["b", "c"]
    assert np.all(found.crossings["crosses"] == 0.0)
    assert np.all(np.isnan(found.crossings["C"]))
    lines = str(found).splitlines()
    assert lines[0].startswith("L by C at M = 20; multiplier over 'a'")
    assert any(line.startswith("where each changes places") for line in lines)


def test_two_new_families_are_drawn_apart():
    found = bs.compare(small_fit(), ["one", "another"], C=1e24)
    assert 0.2 < found.table["ahead"][1] < 0.8
    assert "new_family" in {n.code for n in found.notes}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((small_fit, ["a"]), "there are not two recipes to compare"),
        ((small_fit, ["a", "a"]), "two recipes have one name"),
        ((lambda: [small_fit(), small_fit()],), "recipe '1' has the families 'a', 'b', 'c'"),
        ((lambda: [small_fit(), small_fit()], ["a"]), "2 fits but 1 families"),
    ],
)
def test_faults_are_one_line(asked, message):
    with pytest.raises(bs.DecisionError, match=message):
        bs.compare(asked[0](), *asked[1:])
