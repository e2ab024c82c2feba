"""Forecasts: bands, distances beyond the data, new families, points in every form."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fitted import SIGMA, TRUTH, small_fit

import bayes_scaling as bs
from bayes_scaling.forecasting import beyond

AT = {"N": [1e9, 7e10], "D": 1e11, "family": "a"}


@pytest.fixture(scope="module")
def forecast():
    return bs.forecast(small_fit(), AT, prob=(0.5, 0.9))


def test_bands_nest_and_runs_are_wider_than_the_law(forecast):
    t = forecast.table
    order = ["run_90_low", "model_90_low", "model_50_low", "median", "model_50_high",
             "model_90_high", "run_90_high"]  # fmt: skip
    values = t[order].to_numpy()
    assert (np.diff(values, axis=1) > 0).all()


def test_law_band_is_the_curve_of_the_posterior(forecast):
    """Recomputed by hand from the paper's parameters."""
    p = small_fit().samples
    mean = p["E"][:, 0] + p["A"][:, 0] * 1e9 ** -p["alpha"] + p["B"][:, 0] * 1e11 ** -p["beta"]
    row = forecast.table.iloc[0]
    alone = bs.forecast(small_fit(), AT, model_error=False).table.iloc[0]
    assert alone["median"] == pytest.approx(np.median(mean), rel=1e-6)
    assert row["law_90_low"] == pytest.approx(np.quantile(mean, 0.05), rel=1e-6)


def test_run_band_carries_the_noise():
    """Inside the data, where the law is known to a fraction of the noise."""
    t = bs.forecast(small_fit(), {"N": 1e9, "D": 3e10, "family": "a"}, prob=0.9).table.iloc[0]
    half = 0.5 * (t["run_90_high"] - t["run_90_low"]) / t["median"]
    assert 1.3 * SIGMA < half < 4 * SIGMA


def test_truth_lies_inside(forecast):
    value = TRUTH["E"]["a"] + TRUTH["A"] * 7e10**-0.33 + TRUTH["B"] * 1e11**-0.31
    row = forecast.table.iloc[1]
    width = row["law_90_high"] - row["law_90_low"]
    assert abs(row["median"] - value) < 2 * width


def test_distance_beyond_the_data():
    data = np.array([1e8, 1e10])
    assert beyond(np.array([1e7, 1e9, 1e12]), data) == pytest.approx([-1.0, 0.0, 2.0])


def test_datatree_has_draws_and_inputs(forecast):
    predictions = forecast.data["predictions"]
    assert predictions["L"].dims == ("chain", "draw", "point")
    assert predictions["L_law"].sizes["point"] == 2
    assert list(forecast.data["predictions_constant_data"]["N"].values) == [1e9, 7e10]


def test_points_in_every_form_agree(forecast):
    frame = pd.DataFrame({"N": [1e9, 7e10], "D": [1e11, 1e11], "family": ["a", "a"]})
    for at in (frame, pl.from_pandas(frame), bs.grid(N=[1e9, 7e10], D=1e11, family="a")):
        assert bs.forecast(small_fit(), at).table.equals(forecast.table)
    by_compute = {"N": [1e9, 7e10], "C": [6e20, 4.2e22], "family": "a"}
    same = bs.forecast(small_fit(), by_compute).table
    assert np.allclose(same["median"], forecast.table["median"])


def test_new_family_is_the_population_and_wider(forecast):
    found = bs.forecast(small_fit(), {**AT, "family": "unheard-of"})
    assert found.table["new_family"].all()
    assert {n.code for n in found.notes} >= {"new_family"}
    wide = found.table["law_90_high"] - found.table["law_90_low"]
    narrow = forecast.table["law_90_high"] - forecast.table["law_90_low"]
    assert (wide > 2 * narrow).all()


def test_far_points_are_flagged():
    found = bs.forecast(small_fit(), {"N": 1e13, "D": 1e15, "family": "a"})
    assert "extrapolation" in {n.code for n in found.notes}
    assert found.table["beyond_N"][0] > 2.5
