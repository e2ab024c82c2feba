"""The budget that reaches a loss, against closed forms and fine grids."""

from dataclasses import replace

import numpy as np
import pytest
from fitted import small_fit

import bayes_scaling as bs


@pytest.fixture(scope="module")
def params():
    """Family a's parameters, (sample,)."""
    samples = small_fit().samples
    return {n: samples[n][:, 0] if samples[n].ndim > 1 else samples[n]
            for n in ("E", "A", "B", "alpha", "beta")}  # fmt: skip


def flat(draws, name):
    return draws[name].values.reshape(-1, draws.sizes["point"])


def frontier(p):
    """Coefficient and exponent of the reducible loss of Hoffmann's optimum in C / 6."""
    a = p["beta"] / (p["alpha"] + p["beta"])
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / (p["alpha"] + p["beta"]))
    return p["A"] * G ** -p["alpha"] + p["B"] * G ** p["beta"], a * p["alpha"]


def test_budgets_are_the_inverse_of_the_closed_frontier(params):
    """L = E + F (C / 6)^-g solved for C; draws whose E lies above the target are infinite."""
    aims = [2.2, np.quantile(params["E"], 0.7)]
    found = bs.target(small_fit(), aims, family="a", budget=1e24)
    F, g = frontier(params)
    for i, aim in enumerate(aims):
        left = aim - params["E"]
        with np.errstate(invalid="ignore"):
            known = np.where(left > 0, 6 * (F / left) ** (1 / g), np.inf)
        known = np.where(known > 1e20 * small_fit().runs.values["C"].max(), np.inf, known)
        C = flat(found.draws, "C")[:, i]
        finite = np.isfinite(known)
        assert np.array_equal(np.isfinite(C), finite)
        np.testing.assert_allclose(C[finite], known[finite], rtol=1e-7)
        row = found.table.iloc[i]
        assert row["unreachable"] == np.mean(~finite)
        assert row["within"] == np.mean(known <= 1e24)
        ordered = np.sort(known)
        assert ordered[199] * 0.999 <= row["C"] <= ordered[200] * 1.001
    assert 0 < found.table["unreachable"][1] < 0.5
    assert found.table["C_90_high"][1] == np.inf
    assert "unreachable" in {n.code for n in found.notes}
    assert list(found.within(1e24)) == list(found.table["within"])


def test_what_is_bought_gives_the_loss(params):
    found = bs.target(small_fit(), 2.2, family="a")
    N, D, p = flat(found.draws, "N")[:, 0], flat(found.draws, "D")[:, 0], params
    loss = p["E"] + p["A"] * N ** -p["alpha"] + p["B"] * D ** -p["beta"]
    np.testing.assert_allclose(loss, 2.2, rtol=1e-9)
    np.testing.assert_allclose(6 * N * D, flat(found.draws, "C")[:, 0], rtol=1e-9)


def test_a_held_size_needs_its_own_data(params):
    """D = (B / (L - E - A N^-alpha))^(1 / beta), infinite where the size alone costs too much."""
    found = bs.target(small_fit(), 2.15, family="a", fixed={"N": 1e9})
    left = 2.15 - params["E"] - params["A"] * 1e9 ** -params["alpha"]
    with np.errstate(invalid="ignore"):
        D = np.where(left > 0, (params["B"] / left) ** (1 / params["beta"]), np.inf)
    C = flat(found.draws, "C")[:, 0]
    finite = np.isfinite(C)
    np.testing.assert_allclose(C[finite], 6e9 * D[finite], rtol=1e-7)
    assert np.all(6e9 * D[~finite] > 1e40)
    assert 0 < found.table["unreachable"][0] < 1
    assert np.all(flat(found.draws, "N") == pytest.approx(1e9))


def test_a_held_ratio(params):
    found = bs.target(small_fit(), 2.3, family="a", fixed={"M": 20.0})
    N, p = np.sqrt(flat(found.draws, "C")[:, 0] / 120), params
    loss = p["E"] + p["A"] * N ** -p["alpha"] + p["B"] * (20 * N) ** -p["beta"]
    np.testing.assert_allclose(loss, 2.3, rtol=1e-9)


def test_serving_is_paid_for(params):
    """The least of 6 N D(N) + 2 N served over a fine grid of sizes, D(N) reaching the loss."""
    found = bs.target(small_fit(), 2.2, family="a", inference_tokens=1e12)
    p = params
    N = np.geomspace(3e8, 3e10, 8001)[:, None]
    left = 2.2 - p["E"] - p["A"] * N ** -p["alpha"]
    with np.errstate(invalid="ignore"):
        D = np.where(left > 0, (p["B"] / left) ** (1 / p["beta"]), np.inf)
    total = 6 * N * D + 2 * N * 1e12
    np.testing.assert_allclose(flat(found.draws, "C")[:, 0], total.min(axis=0), rtol=1e-5)
    best = N[np.argmin(total, axis=0), 0]
    np.testing.assert_allclose(flat(found.draws, "N")[:, 0], best, rtol=2e-2)


def test_a_limit_of_data_makes_it_dearer_or_impossible():
    free = bs.target(small_fit(), 2.0, family="a")
    bound = bs.target(small_fit(), 2.0, family="a", limits={"D": 1e11})
    assert np.all(flat(bound.draws, "C") >= flat(free.draws, "C") * (1 - 1e-9))
    assert np.all(flat(bound.draws, "D")[np.isfinite(flat(bound.draws, "C"))] <= 1e11 * (1 + 1e-9))


def of_compute(C, *, E, A, B, alpha, beta):
    """A law of compute alone with Chinchilla's parameters."""
    return E + A * C ** (-alpha / 3) + 0 * B * beta


def test_a_law_of_compute_alone(params):
    """Its own scale is the budget; the inverse by hand."""
    fit = small_fit()
    named = tuple(replace(p, level="") for p in fit.spec.law.params)
    law = replace(fit.spec.law, name="of_compute", fn=of_compute, inputs=("C",), params=named,
                  optimal_size="")  # fmt: skip
    other = replace(fit, spec=replace(fit.spec, law=law))
    found = bs.target(other, 2.6, family="a")
    known = (params["A"] / (2.6 - params["E"])) ** (3 / params["alpha"])
    np.testing.assert_allclose(flat(found.draws, "C")[:, 0], known, rtol=1e-7)
    assert "N" not in found.table
    with pytest.raises(bs.DecisionError, match="law 'of_compute' takes C: an allocation"):
        bs.allocate(other, 1e21)
    with pytest.raises(bs.DecisionError, match="trades no size for data: leave out limits"):
        bs.target(other, 2.0, limits={"D": 1e9})
    with pytest.raises(bs.DecisionError, match="'N' is no scale of law 'of_compute'"):
        bs.target(other, 2.0, scale="N")


def test_a_loss_that_any_run_beats_costs_nothing():
    found = bs.target(small_fit(), 1e9, family="a", fixed={"M": 20.0})
    assert found.table["C"][0] == 0.0
    assert {"reached"} <= {n.code for n in found.notes}


@pytest.mark.parametrize("loss", ["low", [], np.nan, [[1.0, 2.0]]])
def test_a_loss_that_is_none_is_refused(loss):
    with pytest.raises(bs.DecisionError, match=r"give a (finite )?number, or several"):
        bs.target(small_fit(), loss)
