"""Hoffmann's three approaches on runs whose optimum is known."""

import numpy as np
import pandas as pd
import pytest
from fitted import TRUTH, small_fit

import bayes_scaling as bs
from bayes_scaling.decisions.hoffmann import envelope, isoflops, line, minimum, parabolas

BUDGETS = np.array([1e18, 1e19, 1e20, 1e21, 1e22])


def parabolic(a=0.6, sd=0.0, seed=0):
    """Runs at five budgets, nine sizes each, whose loss is a parabola about N* = 0.3 C^a."""
    rng = np.random.default_rng(seed)
    compute = np.repeat(np.log(BUDGETS), 9)
    best = np.log(0.3) + a * compute
    size = best + np.tile(np.linspace(-2, 2.2, 9), len(BUDGETS))
    loss = 2.0 + 60 * np.exp(-0.1 * compute) + 0.02 * (size - best) ** 2
    return size, compute, loss + sd * rng.normal(size=len(size))


def test_parabolas_are_recovered_exactly():
    size, compute, loss = parabolic()
    groups = isoflops(compute, size)
    assert [len(rows) for rows in groups] == [9] * 5
    np.testing.assert_allclose(parabolas(size, compute, loss, groups), [np.log(0.3), 0.6])


def test_budgets_that_scatter_do_not_bend_a_parabola():
    """A loss linear in log C about the group's mean leaves the minimum where it is."""
    rng = np.random.default_rng(1)
    size, shift = np.linspace(18, 22, 9), rng.uniform(-0.1, 0.1, 9)
    loss = 2.0 + 0.02 * (size - 20.3) ** 2 - 0.5 * shift
    assert minimum(size, 45 + shift, loss)[1] == pytest.approx(20.3)


def test_a_minimum_that_is_not_bracketed_is_none():
    size = np.linspace(18, 22, 9)
    assert np.isnan(minimum(size, np.full(9, 45.0), (size - 30) ** 2)[1])
    assert np.isnan(minimum(size, np.full(9, 45.0), -((size - 20) ** 2))[1])


def test_the_envelope_holds_the_runs_that_nothing_cheaper_beats():
    size, compute = np.array([1.0, 2.0, 3.0, 9.0]), np.array([10.0, 11.0, 12.0, 11.5])
    found = envelope(size, compute, np.array([3.0, 2.5, 2.2, 2.6]))
    np.testing.assert_allclose(found, line(np.array([10.0, 11.0, 12.0]), np.array([1.0, 2.0, 3.0])))


def test_isolated_runs_are_no_isoflop():
    compute = np.log(np.geomspace(1e18, 1e22, 20))
    assert isoflops(compute, np.linspace(18, 22, 20)) == []


@pytest.fixture(scope="module")
def runs():
    """Runs of the law of the small fit's family a at five budgets."""
    rng = np.random.default_rng(2)
    C = np.repeat(BUDGETS, 9)
    a = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
    G = (TRUTH["alpha"] * TRUTH["A"] / (TRUTH["beta"] * TRUTH["B"])) ** (
        1 / (TRUTH["alpha"] + TRUTH["beta"])
    )
    N = G * (C / 6) ** a * np.tile(np.geomspace(0.2, 5, 9), len(BUDGETS))
    D = C / (6 * N)
    loss = TRUTH["E"]["a"] + TRUTH["A"] * N ** -TRUTH["alpha"] + TRUTH["B"] * D ** -TRUTH["beta"]
    loss = loss * np.exp(0.0005 * rng.normal(size=len(N)))
    return pd.DataFrame({"params": N, "tokens": D, "loss": loss, "family": "a"})


def test_the_three_agree_with_the_truth(runs):
    """The parabola is biased a little (Hoffmann's isoFLOPs are not parabolas), the envelope picks
    lucky runs."""
    found = bs.three_approaches(runs, group="family", fit=small_fit(), C=1e21, replicates=200)
    table = found.table.set_index("approach")
    assert list(table.index) == ["envelope", "isoflop", "parametric"]
    truth = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
    assert table["a"]["isoflop"] == pytest.approx(truth, abs=0.03)
    assert table["a"]["parametric"] == pytest.approx(truth, abs=0.08)
    assert table["a"]["envelope"] == pytest.approx(truth, abs=0.15)
    assert np.allclose(table["a"] + table["b"], 1.0, atol=1e-3)
    known = bs.allocate(small_fit(), 1e21, family="a").table.iloc[0]
    assert table["N"]["parametric"] == known["N"]
    assert table["N"]["isoflop"] == pytest.approx(known["N"], rel=0.4)
    assert table["budgets"]["isoflop"] == 5
    assert (table["a_90_low"] < table["a_90_high"]).all()
    assert str(found).splitlines()[0].startswith("N* ~ C^a, D* ~ C^b, and both at 1e+21 FLOPs")


def test_an_approach_without_an_answer_says_so():
    found = bs.three_approaches(small_fit().runs, fit=small_fit(), replicates=20)
    assert {n.code for n in found.notes} == {"no_answer"}
    assert found.table[found.table["approach"] == "isoflop"]["a"].isna().all()


def test_faults_are_one_line(runs):
    with pytest.raises(bs.DecisionError, match="replicates=1: give two or more"):
        bs.three_approaches(runs, fit=small_fit(), replicates=1)
    with pytest.raises(bs.DecisionError, match="the runs lack C"):
        bs.three_approaches(runs.drop(columns="tokens"), fit=small_fit())
