"""Chains of laws: a sharp link only bends the bands of the loss; two stages are too sure."""

import numpy as np
import pandas as pd
import pytest

import bayes_scaling as bs

OPTIONS = {"sampler": "laplace", "draws": 500, "progress": False}
FLOOR, K, MIDDLE = 0.6, 6.0, 0.9


def loss_of(N):
    return FLOOR + 0.4 * (N / 1e9) ** -0.3


def score_of(loss):
    return 0.25 + 0.73 / (1 + np.exp(K * (loss - MIDDLE)))


def table(rows, noise, seed=0):
    """Models of one family: size, task loss, and a score that follows from the measured loss."""
    rng = np.random.default_rng(seed)
    N = np.geomspace(2e8, 2e9, rows)
    loss = loss_of(N) * np.exp(0.01 * rng.normal(size=rows))
    return pd.DataFrame({"N": N, "T": loss, "acc": score_of(loss) + noise * rng.normal(size=rows)})


def fits(noise=0.002, rows=40):
    runs = table(rows, noise)
    first = bs.read_runs(runs[["N", "T"]].rename(columns={"T": "L"}))
    second = bs.read_runs(runs[["T", "acc"]], response="acc", columns={"T": "T"})
    priors = {"c": 0.25, "lapse": 0.02}
    return (
        bs.fit(first, "power_law_with_floor(N)", noise="normal_log", **OPTIONS),
        bs.fit(second, "ladder_accuracy", priors=priors, noise="normal", **OPTIONS),
    )


@pytest.fixture(scope="module")
def pair():
    return fits()


@pytest.fixture(scope="module")
def ahead(pair):
    at = {"N": [5e8, 1e10]}
    options = {"prob": 0.9, "model_error": False}
    return [bs.chain(*pair).forecast(at, two_stage=stage, **options) for stage in (False, True)]


def test_bands_are_those_of_the_loss_bent_by_a_link_that_is_well_known(pair, ahead):
    loss = bs.forecast(pair[0], {"N": [5e8, 1e10]}, prob=0.9, model_error=False).table
    found = ahead[0].table
    for band in ("law", "run"):
        low, high = (score_of(loss[f"{band}_90_{end}"]) for end in ("high", "low"))
        width = (high - low).to_numpy()
        assert np.abs(found[f"{band}_90_low"] - low).max() < 0.15 * width.max()
        assert np.abs(found[f"{band}_90_high"] - high).max() < 0.15 * width.max()


def test_the_variance_is_that_of_the_loss_and_of_the_link(pair, ahead):
    """Var acc = slope^2 Var loss + Var of the link at a known loss, to first order."""
    tree = ahead[0].data["predictions"]
    own = bs.forecast(pair[0], {"N": 5e8}, prob=0.9, model_error=False).data["predictions"]
    loss = np.asarray(own["L_law"]).ravel()
    step = 1e-4
    slope = (score_of(loss.mean() + step) - score_of(loss.mean() - step)) / (2 * step)
    link = bs.forecast(pair[1], {"T": loss.mean()}, prob=0.9, model_error=False)
    known = slope**2 * loss.var() + np.asarray(link.data["predictions"]["acc_law"]).var()
    found = np.asarray(tree["acc_law"].isel(point=0)).var()
    error = 3 * np.sqrt(2 / loss.size) + 0.05  # Monte Carlo, and the link's curvature
    assert found == pytest.approx(known, rel=error)


def test_two_stages_leave_the_first_laws_uncertainty_out(ahead):
    whole, stages = (a.table["law_90_high"] - a.table["law_90_low"] for a in ahead)
    assert (stages < 0.5 * whole).all()
    np.testing.assert_allclose(ahead[0].table["median"], ahead[1].table["median"], atol=0.005)


def test_what_lies_outside_is_told_for_both_laws(ahead):
    table_ = ahead[0].table
    assert table_["beyond_N"].tolist() == pytest.approx([0.0, np.log10(5.0)])
    assert table_["beyond_T"].iloc[1] < 0 == table_["beyond_T"].iloc[0]
    assert "link_extrapolated" in {note.code for note in ahead[0].notes}


def test_the_first_laws_own_error_is_carried_on(pair):
    found = bs.chain(*pair).forecast({"N": [1e10]}, prob=0.9)
    widths = [found.table[f"{b}_90_high"] - found.table[f"{b}_90_low"] for b in ("law", "model")]
    assert float(widths[1].iloc[0]) >= 0.9 * float(widths[0].iloc[0])
    assert set(found.data["predictions"]) == {"acc_law", "acc_model", "acc"}


def test_links_that_cannot_be_are_refused(pair):
    assert bs.chain(*pair).via == ("T",)
    assert str(bs.chain(*pair)) == "power_law_with_floor(N) -> L; ladder_accuracy(T) -> acc"
    with pytest.raises(bs.SpecError, match="two fits or more, 1 given"):
        bs.chain(pair[0])
    with pytest.raises(bs.SpecError, match="none of which is acc: name the input"):
        bs.chain(pair[1], pair[0])
    with pytest.raises(bs.SpecError, match="via names 2 inputs for 1 links"):
        bs.chain(*pair, via=["T", "T"])
    with pytest.raises(bs.ForecastError, match="'N' is missing"):
        bs.chain(*pair).forecast({"D": 1e9})
