"""The law's own error: none where the law is right, a band that opens where it is not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fitted import small_fit
from threadpoolctl import threadpool_info, threadpool_limits

import bayes_scaling as bs
from bayes_scaling import extrapolation
from bayes_scaling._blas import one_thread
from bayes_scaling.data.model_errors import ALL, HYPERS, hyperprior, published_errors
from bayes_scaling.extrapolation import MOST_ROWS, _thinned
from bayes_scaling.families import sampled_coordinate
from bayes_scaling.forecasting import KEPT, off_notes
from bayes_scaling.law_coordinates import coordinates_of, prior_moments, start_of
from bayes_scaling.law_on_rows import law_at

LAW = "power_law(N)"
SETTINGS = {"noise": "normal_log", "progress": False}


def table(bend=0.0, rows=60, seed=0):
    """A power law whose logarithm leaves the line beyond 10^8.5, ``bend`` a decade."""
    rng = np.random.default_rng(seed)
    N = 10 ** np.sort(rng.uniform(7, 11, rows))
    shift = bend * np.maximum(np.log10(N) - 8.5, 0.0)
    return {"N": N, "L": 40.0 * N**-0.15 * np.exp(shift + 0.01 * rng.normal(size=rows))}


def fit_below(columns, top=1e10, **options):
    small = {k: v[columns["N"] < top] for k, v in columns.items()}
    return bs.fit(small, LAW, **{**SETTINGS, **options})


@pytest.fixture(scope="module")
def straight():
    return fit_below(table())


@pytest.fixture(scope="module")
def bent():
    return fit_below(table(0.08))


def width(found, band="run"):
    t = found.table
    return np.log(t[f"{band}_90_high"] / t[f"{band}_90_low"]).to_numpy()


def test_a_right_law_is_thought_right(straight):
    assert bs.model_error(straight).probability < 0.5


def test_a_bend_is_learned(bent):
    error = bs.model_error(bent)
    assert error.probability > 0.9
    assert error.settled
    size, reach = error.summary()["median"][["size", "reach"]]
    assert 0.005 < size < 0.3
    assert 0.3 < reach < 10
    assert "0.9" in str(error) or "1.00" in str(error)


def test_forecasts_stay_narrow_where_the_law_is_right(straight):
    at = {"N": [1e9, 1e10, 10**10.5, 1e11]}
    with_error, without = (
        bs.forecast(straight, at, prob=0.9, model_error=e) for e in (True, False)
    )
    assert "model_90_low" not in without.table
    ratio = width(with_error) / width(without)
    assert (ratio < 1.25).all(), ratio


def test_forecasts_open_where_the_law_bends(bent):
    at = {"N": [1e9, 1e11]}
    with_error, without = (bs.forecast(bent, at, prob=0.9, model_error=e) for e in (True, False))
    true = 40.0 * 1e11**-0.15 * np.exp(0.08 * 2.5)
    assert without.table["run_90_high"][1] < true
    t = with_error.table
    assert t["run_90_low"][1] < true < t["run_90_high"][1]
    assert width(with_error)[1] > 1.5 * width(with_error)[0]
    assert (width(with_error, "model") < width(with_error)).all()


def test_a_law_that_its_own_error_leaves_out_is_told_of(straight, bent):
    at = {"N": [1e8, 10**9.9, 1e12]}
    found = {n.code: n for n in bs.forecast(bent, at, prob=(0.5, 0.9)).notes}
    assert "off_the_law" in found
    assert "off_the_law" not in {n.code for n in bs.forecast(straight, at).notes}
    alone = bs.forecast(bent, at, model_error=False)
    assert "off_the_law" not in {n.code for n in alone.notes}


def test_how_far_the_median_is_from_the_laws_is_told_of_the_widest_band():
    table = pd.DataFrame({"median": [2.0, 1.9, 3.0], "model_50_low": [1.95, 1.85, 2.95],
        "model_90_low": [1.9, 1.8, 2.8], "model_90_high": [2.1, 2.0, 3.2],
        "model_50_high": [2.05, 1.95, 3.05]})  # fmt: skip
    (note,) = off_notes(table, np.array([2.08, 2.0001, 2.7]))
    assert "at 2 of 3 points" in note.message
    assert "up to +11.1%" in note.message
    assert not off_notes(table, np.array([2.08, 1.99, 2.81]))


def test_errors_alike_in_all_families_are_told_to_one_that_has_not_come_so_far():
    """Four families leave their law's line the same way; one of them ends before it begins."""
    rng = np.random.default_rng(4)
    N = np.tile(np.geomspace(1e7, 1e10, 12), 4)
    family = np.repeat(list("abcd"), 12)
    level = 40.0 * np.repeat([1.0, 1.1, 0.95, 1.05], 12)
    truth = level * N**-0.15 * np.exp(0.06 * np.maximum(np.log10(N) - 8.5, 0.0))
    seen = ~((family == "d") & (N > 10**8.5))
    columns = {"N": N, "L": truth * np.exp(0.003 * rng.normal(size=48)), "family": family}
    fit = bs.fit({k: v[seen] for k, v in columns.items()}, LAW, group="family", **SETTINGS)
    error = bs.model_error(fit)
    assert error.probability > 0.99
    assert error.summary()["median"]["common"] > 0.7
    found = bs.forecast(fit, {"N": N[~seen], "family": family[~seen]}, prob=0.9)
    own, common, _ = error.models
    assert common.log_evidence > own.log_evidence + 5
    t = found.table
    inside = (t["run_90_low"] < truth[~seen]) & (truth[~seen] < t["run_90_high"])
    assert inside.all()
    assert np.abs(np.log(t["median"] / truth[~seen])).max() < 0.02


def test_forecasts_do_not_change_from_call_to_call(bent):
    at = {"N": [3e9, 1e11]}
    first, second = (bs.forecast(bent, at).table for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    other = bs.forecast(bent, at, seed=1).table
    assert np.allclose(other["median"], first["median"], rtol=0.02)
    assert not other.equals(first)


def test_on_the_raw_scale_the_error_is_relative_to_the_response():
    """The same runs in a unit a hundred times smaller: the same bands, a hundred times as wide."""
    bands = []
    for k in (1.0, 100.0):
        c = table(0.08)
        fit = fit_below({**c, "L": k * c["L"]}, noise="normal")
        t = bs.forecast(fit, {"N": 1e11}, prob=0.9).table
        bands.append((t["run_90_high"] - t["run_90_low"]).item() / k)
    assert bands[1] == pytest.approx(bands[0], rel=0.1)


def test_checkpoints_share_their_runs_deviation():
    """Runs that lie 3 % apart: a later checkpoint of a known one is known better than a new run."""
    rng = np.random.default_rng(3)
    run, N = np.repeat(np.arange(12), 5), np.tile(np.geomspace(1e7, 1e9, 5), 12)
    own = 0.03 * rng.normal(size=12)
    L = 40.0 * N**-0.15 * np.exp(own[run] + 0.003 * rng.normal(size=60))
    runs = bs.read_runs({"N": N, "L": L, "run": run}, run="run")
    fit = bs.fit(runs, LAW, **SETTINGS)
    best = int(np.argmin(own))
    at = pd.DataFrame({"N": [2e9, 2e9], "run": [str(best), "new"]})
    found = bs.forecast(fit, at, prob=0.9)
    known, new = width(found)
    assert known < 0.5 * new
    assert new > 2 * 1.645 * 0.02  # runs' own sd is 0.03, of which 12 runs may show two thirds
    unnamed = bs.forecast(fit, {"N": 2e9}, prob=0.9)
    assert width(unnamed)[0] == pytest.approx(new, rel=0.15)
    true = 40.0 * 2e9**-0.15 * np.exp(own[best])
    assert abs(np.log(found.table["median"][0] / true)) < 0.015
    assert abs(np.log(found.table["median"][1] / true)) > 0.015


def test_a_new_family_has_the_populations_law_and_an_error_of_its_own():
    fit = small_fit()
    at = {"N": 1e10, "D": 2e11, "family": ["a", "new"]}
    found = bs.forecast(fit, at, prob=0.9)
    assert found.table["new_family"].tolist() == [False, True]
    known, new = width(found)
    assert new > known
    alone = bs.forecast(fit, at, prob=0.9, model_error=False)
    assert np.allclose(found.table["law_90_low"], alone.table["law_90_low"])


def test_prior_in_coordinates_is_the_models_prior():
    """Moments of the model's own draws from the prior, within their Monte Carlo error."""
    fit = small_fit()
    coordinates = coordinates_of(fit.spec, 3, fit.reference)
    mean, cov = prior_moments(coordinates, fit.grouping, 1.0)
    before = {k: np.asarray(v)[0] for k, v in fit.data["prior"].to_dataset().data_vars.items()}
    for name, place in coordinates.parts:
        at = dict(coordinates.reference)
        z = np.log(np.asarray(sampled_coordinate(fit.spec, before, name, at)))
        z = z[:, None] if z.ndim == 1 else z
        error = np.sqrt(np.diag(cov[place, place]) / len(z))
        assert (np.abs(z.mean(axis=0) - mean[place]) < 5 * error).all(), name
        assert np.allclose(np.cov(z.T), cov[place, place], rtol=0.25), name


def test_law_in_coordinates_is_the_law(x64):
    fit = small_fit()
    coordinates = coordinates_of(fit.spec, 3, fit.reference)
    one = {k: v[:1] for k, v in fit.samples.items()}
    z = start_of(coordinates, one)
    values = {"N": np.array([1e8, 1e9, 3e9]), "D": np.array([1e10, 2e10, 1e11])}
    family = np.array([0, 1, 0])
    found = law_at(coordinates, z[None], values, family, 1.0)[0]
    p = {k: v[0][family] if np.ndim(v[0]) else v[0] for k, v in one.items()}
    exact = p["E"] + p["A"] * values["N"] ** -p["alpha"] + p["B"] * values["D"] ** -p["beta"]
    assert np.allclose(found, np.log(exact), atol=1e-9)


def test_long_tables_are_thinned_and_keep_their_largest_runs(rng):
    N = 10 ** rng.uniform(7, 10, 2 * MOST_ROWS)
    runs = bs.read_runs({"N": N, "L": 40.0 * N**-0.15})
    few = _thinned(runs, bs.fit({"N": N[:20], "L": 40.0 * N[:20] ** -0.15 * 1.001}, LAW, chains=1,
                                draws=50, warmup=50, **SETTINGS).spec)  # fmt: skip
    assert few.n == MOST_ROWS
    assert few.values["N"].max() == N.max()


def test_published_errors_make_the_prior():
    table = published_errors()
    assert set(HYPERS) < set(table.columns)
    assert table["source"].nunique() >= 7
    mean, sd = hyperprior()
    guess, guess_sd = hyperprior(ALL)
    assert not np.allclose(mean, guess)
    assert (sd > 0).all()
    assert (guess_sd > 0).all()
    without = hyperprior("porian_isoflop")[0]
    assert without[0] < mean[0]


def test_a_forecast_without_model_error_says_so(bent, monkeypatch):
    monkeypatch.setattr(extrapolation, "MOST_COORDINATES", 1)
    monkeypatch.delitem(vars(bent), KEPT, raising=False)
    found = bs.forecast(bent, {"N": [1e11]})
    assert "no_model_error" in {n.code for n in found.notes}
    assert "model_90_low" not in found.table
    with pytest.raises(bs.ForecastError, match="at most 1"):
        bs.model_error(bent)


def test_draws_that_have_not_settled_are_told_of(bent):
    error = replace(bs.model_error(bent), settled=False)
    found = bs.forecast(bent, {"N": [1e11]}, model_error=error)
    assert "model_error_unsettled" in {n.code for n in found.notes}


def test_errors_are_told(straight):
    with pytest.raises(bs.ForecastError, match="'N' is missing"):
        bs.forecast(straight, {"D": 1e12})


def test_matrices_have_one_thread_and_others_theirs_again():
    def threads():
        return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}

    with threadpool_limits(limits=2, user_api="blas"):
        assert one_thread(threads)() == {1}
        assert threads() == {2}
