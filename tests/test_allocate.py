"""Allocations of a budget against closed forms, conditions of optimality and brute grids."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fitted import small_fit

import bayes_scaling as bs

BUDGETS = [1e21, 5.76e23]


@pytest.fixture(scope="module")
def params():
    """Family a's parameters, (sample,)."""
    samples = small_fit().samples
    return {n: samples[n][:, 0] if samples[n].ndim > 1 else samples[n]
            for n in ("E", "A", "B", "alpha", "beta")}  # fmt: skip


@pytest.fixture(scope="module")
def allocation():
    return bs.allocate(small_fit(), BUDGETS, family="a")


def flat(draws, name):
    return draws[name].values.reshape(-1, draws.sizes["point"])


def loss(p, N, D):
    return p["E"] + p["A"] * N ** -p["alpha"] + p["B"] * D ** -p["beta"]


def test_sizes_are_hoffmann_s_closed_form(allocation, params):
    """Equation 4 of Hoffmann et al. 2022, by hand."""
    p = params
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / (p["alpha"] + p["beta"]))
    a = p["beta"] / (p["alpha"] + p["beta"])
    for i, C in enumerate(BUDGETS):
        N, D = G * (C / 6) ** a, (C / 6) ** (1 - a) / G
        np.testing.assert_allclose(flat(allocation.draws, "N")[:, i], N, rtol=1e-9)
        np.testing.assert_allclose(flat(allocation.draws, "D")[:, i], D, rtol=1e-9)
        np.testing.assert_allclose(flat(allocation.draws, "L")[:, i], loss(p, N, D), rtol=1e-9)
        np.testing.assert_allclose(flat(allocation.draws, "a")[:, i], a, rtol=1e-7)
        np.testing.assert_allclose(flat(allocation.draws, "b")[:, i], 1 - a, rtol=1e-7)
        row = allocation.table.iloc[i]
        assert row["N"] == pytest.approx(np.median(N))
        assert row["M_90_high"] == pytest.approx(np.quantile(D / N, 0.95))


def test_draws_have_the_shape_of_the_posterior(allocation):
    assert allocation.draws["N"].dims == ("chain", "draw", "point")
    assert allocation.draws["N"].shape == (2, 200, 2)
    assert list(allocation.draws["C"].values) == BUDGETS
    assert list(allocation.draws["family"].values) == ["a", "a"]


def test_budgets_beyond_the_data_are_told(allocation):
    far = np.log10(5.76e23 / small_fit().runs.values["C"].max())
    assert list(allocation.table["beyond_C"]) == pytest.approx([0.0, far])
    assert [n.code for n in allocation.notes].count("extrapolation") >= 1
    assert "C lies up to" in str(allocation)


def test_every_family_has_its_rows():
    table = bs.allocate(small_fit(), BUDGETS, prob=0.9).table
    assert list(table["family"]) == ["a", "a", "b", "b", "c", "c"]
    assert list(table["C"]) == BUDGETS * 3


def test_served_tokens_meet_the_condition_of_optimality(params):
    """alpha A N^-alpha / (beta B D^-beta) = 1 + served / (3 D) where 6 N D + 2 N served = C, from
    the Lagrangian of Sardana et al. 2024, eq. 2."""
    found = bs.allocate(small_fit(), [1e23, 1e24], family="a", inference_tokens=1e12)
    N, D, p = flat(found.draws, "N")[:, 0], flat(found.draws, "D")[:, 0], params
    np.testing.assert_allclose(6 * N * D + 2 * N * 1e12, 1e23, rtol=1e-9)
    ratio = p["alpha"] * p["A"] * N ** -p["alpha"] / (p["beta"] * p["B"] * D ** -p["beta"])
    np.testing.assert_allclose(ratio, 1 + 1e12 / (3 * D), rtol=1e-7)
    plain = bs.allocate(small_fit(), 1e23, family="a").table
    assert found.table["M"][0] > plain["M"][0]


def test_a_limit_of_data_binds_where_the_optimum_lies_beyond(allocation):
    found = bs.allocate(small_fit(), BUDGETS, family="a", limits={"D": 2e11})
    free = flat(allocation.draws, "D")
    np.testing.assert_allclose(flat(found.draws, "D"), np.minimum(free, 2e11), rtol=1e-6)
    assert list(found.table["at_limit"]) == [np.mean(free[:, i] > 2e11) for i in (0, 1)]
    assert found.table["at_limit"][1] > 0.9
    bound = free[:, 1] > 2e11
    assert np.all(flat(found.draws, "a")[bound, 1] == pytest.approx(1.0))
    assert "at_limit" in {n.code for n in found.notes}
    assert found.table["no_optimum"].eq(0).all()


def test_what_is_held_is_held(params):
    by_size = bs.allocate(small_fit(), 1e22, family="a", fixed={"N": 1e10})
    np.testing.assert_allclose(flat(by_size.draws, "D"), 1e22 / 6e10, rtol=1e-9)
    by_ratio = bs.allocate(small_fit(), 1e22, family="a", fixed={"M": 20.0})
    N = np.sqrt(1e22 / 120)
    np.testing.assert_allclose(flat(by_ratio.draws, "N"), N, rtol=1e-9)
    np.testing.assert_allclose(flat(by_ratio.draws, "L")[:, 0], loss(params, N, 20 * N), rtol=1e-9)
    assert by_ratio.table["a"][0] == pytest.approx(0.5)


def test_a_response_without_an_optimum_is_told():
    """A law that gains by size alone: N grows without end."""
    fit, law = small_fit(), small_fit().spec.law

    def endless(N, D, *, E, A, B, alpha, beta):
        return E + A * N**-alpha + B * (N + 0 * D) ** -beta

    other = replace(law, name="endless", fn=endless, optimal_size="")
    found = bs.allocate(replace(fit, spec=replace(fit.spec, law=other)), [1e22], family="a")
    assert found.table["no_optimum"][0] == 1.0
    assert np.all(np.isinf(flat(found.draws, "N")))
    assert np.all(flat(found.draws, "D") == 0)
    assert np.isnan(found.table["L"][0])
    assert "no_optimum" in {n.code for n in found.notes}


def test_a_response_that_should_be_large(allocation):
    """The negative of the law has the same best sizes; which way is better has to be said."""
    law = small_fit().spec.law

    def fit_of(**record):
        spec = replace(small_fit().spec, law=replace(law, **record))
        return replace(small_fit(), spec=spec)

    gain = fit_of(name="gain", fn=lambda N, D, **p: -law(N, D, **p))
    found = bs.allocate(gain, BUDGETS, family="a", maximise=True)
    np.testing.assert_allclose(flat(found.draws, "N"), flat(allocation.draws, "N"), rtol=1e-9)
    np.testing.assert_allclose(flat(found.draws, "L"), -flat(allocation.draws, "L"), rtol=1e-9)
    with pytest.raises(bs.DecisionError, match="pass maximise=False or maximise=True"):
        bs.allocate(fit_of(response="Y"), BUDGETS)
    with pytest.raises(bs.DecisionError, match=r"predicts lr_opt .* no loss, error or score"):
        bs.allocate(fit_of(response="lr_opt"), BUDGETS)


def test_another_size_costs_what_a_grid_of_budgets_says(allocation, params):
    """The penalty from the law; the compute from a fine grid of the optimal losses."""
    found = allocation.off_optimum((0.5, 1.0, 3.0))
    assert list(found["factor"]) == [0.5, 1.0, 3.0] * 2
    row, p = found.iloc[2], params
    N = 3 * allocation.table["N"][0]
    assert row["N"] == pytest.approx(N)
    there = loss(p, N, 1e21 / (6 * N))
    penalty = there - flat(allocation.draws, "L")[:, 0]
    assert row["penalty"] == pytest.approx(np.median(penalty), rel=1e-6)
    assert row["penalty_90_high"] == pytest.approx(np.quantile(penalty, 0.95), rel=1e-6)
    C = np.geomspace(1e19, 1e21, 4001)[:, None]
    a = p["beta"] / (p["alpha"] + p["beta"])
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / (p["alpha"] + p["beta"]))
    frontier = loss(p, G * (C / 6) ** a, (C / 6) ** (1 - a) / G)
    equal = C[np.argmin(frontier > there, axis=0), 0]
    assert row["compute"] == pytest.approx(np.median(1e21 / equal), rel=3e-3)
    own = found[found["factor"] == 1.0]
    assert (own["penalty"] >= 0).all()
    assert (own["compute"] < 1.05).all()


def test_a_new_family_is_the_population():
    found = bs.allocate(small_fit(), 1e22, family="unheard-of")
    assert "new_family" in {n.code for n in found.notes}
    known = bs.allocate(small_fit(), 1e22, family="a").table
    width = [t["L_90_high"][0] - t["L_90_low"][0] for t in (found.table, known)]
    assert width[0] > 2 * width[1]


def test_the_text_is_a_table_for_people(allocation):
    lines = str(allocation).splitlines()
    assert lines[0] == "Allocation of C = 6 N D by chinchilla; median [90 % band, of the law]"
    assert "family" in lines[1]
    assert "D/N" in lines[1]
    assert lines[2].split()[:2] == ["a", "1e+21"]
    assert isinstance(allocation.table, pd.DataFrame)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"C": -1e21}, "a budget C is -1e\\+21: it must be a positive number"),
        ({"C": []}, "no budget is given"),
        ({"C": 1e21, "fixed": {"U": 1e9}}, "fixed names 'U', which is not to be given for law"),
        ({"C": 1e21, "fixed": {"N": 1e9, "D": 1e9}}, "holds N and D: at a budget only one"),
        ({"C": 1e21, "fixed": {"N": -1e9}}, "fixed: 'N' is -1e\\+09: it must be a positive"),
        ({"C": 1e21, "fixed": {"N": "big"}}, "fixed: 'N' is 'big': give one number"),
        ({"C": 1e21, "limits": {"U": 1e9}}, "limits names 'U': give limits of N, D or M"),
        ({"C": 1e21, "limits": {"D": (1e9, 1e8)}}, "limits: 'D' from 1e\\+09 to 1e\\+08"),
        ({"C": 1e21, "limits": {"D": (1, 2, 3)}}, "limits: 'D' takes a number, or a lower and"),
        ({"C": 1e21, "limits": {"D": 1e9}, "fixed": {"N": 1e9}}, "with N held there is nothing"),
        ({"C": 1e21, "limits": {"D": 1e9, "N": 1e9}}, "a budget of 1e\\+21 FLOPs cannot be spent"),
        ({"C": 1e21, "fixed": {"N": 1e12}, "inference_tokens": 1e12}, "cannot be spent within"),
        ({"C": 1e21, "inference_tokens": -1}, "inference_tokens is -1: it must be a positive"),
        ({"C": 1e21, "family": ["a", "a"]}, "name one, or several once each, of 'a', 'b', 'c'"),
        ({"C": 1e21, "prob": 2.0}, "prob=2.0 must lie between 0 and 1"),
    ],
)
def test_faults_are_one_line(asked, message):
    with pytest.raises(bs.BayesScalingError, match=message) as caught:
        bs.allocate(small_fit(), **asked)
    assert "\n" not in str(caught.value)


def test_the_law_s_own_error_widens_the_bands(allocation):
    """The response is the forecast's with its error at the recommended size, to the Monte Carlo
    error of 400 draws, and a little less, as each draw is at its own best."""
    found = bs.allocate(small_fit(), BUDGETS, family="a", model_error=True)
    assert found.title == allocation.title
    assert "with the law's own error" in str(found)
    sizes = [np.log(t["N_90_high"] / t["N_90_low"]) for t in (found.table, allocation.table)]
    assert np.all(sizes[0] > 0.8 * sizes[1])
    points = found.table[["N", "D"]].assign(family="a")
    known = bs.forecast(small_fit(), points).table
    widths = known["model_90_high"] - known["model_90_low"]
    ratio = (found.table["L_90_high"] - found.table["L_90_low"]) / widths
    assert np.all((ratio > 0.7) & (ratio < 1.3))
    assert np.all(np.abs(found.table["L"] - known["median"]) < 0.25 * widths)
    assert "own_best" in {n.code for n in found.notes}
    np.testing.assert_allclose(
        6 * flat(found.draws, "N") * flat(found.draws, "D"), [BUDGETS] * 400, rtol=1e-9
    )
    limited = {"limits": {"D": 2e11}, "model_error": True}
    bound = bs.allocate(small_fit(), BUDGETS, family="a", **limited)
    assert np.all(flat(bound.draws, "D") <= 2e11 * (1 + 1e-9))
    assert bound.table["at_limit"][1] > 0.9
    assert bound.table["no_optimum"].eq(0).all()
    held = bs.allocate(small_fit(), 1e22, family="a", fixed={"N": 1e10}, model_error=True)
    known = bs.forecast(small_fit(), {"N": 1e10, "D": 1e22 / 6e10, "family": "a"}).table.iloc[0]
    assert held.table["L"][0] == pytest.approx(known["median"], rel=2e-3)
    assert held.table["L_90_low"][0] == pytest.approx(known["model_90_low"], rel=5e-3)
