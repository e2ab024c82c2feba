"""The law's error beyond the data: none where the law is right, learned where it is not."""

import numpy as np
import pytest
from scipy.stats import halfnorm, multivariate_normal

import bayes_scaling as bs
from bayes_scaling import extrapolation
from bayes_scaling.extrapolation import SCATTERS, SPREADS, ModelError, Study, with_model_error

LAW = "power_law(N)"
SETTINGS = {"noise": "normal_log", "progress": False}


def table(bend=0.0, rows=60, seed=0):
    """A power law whose logarithm leaves the line beyond 1e9, ``bend`` a decade."""
    rng = np.random.default_rng(seed)
    N = 10 ** np.sort(rng.uniform(7, 11, rows))
    shift = bend * np.maximum(np.log10(N) - 8.5, 0.0)
    return {"N": N, "L": 40.0 * N**-0.15 * np.exp(shift + 0.01 * rng.normal(size=rows))}


def learned(columns):
    return bs.model_error(bs.backtest(columns, LAW, by="N", cuts=(0.4, 0.55, 0.7), **SETTINGS))


@pytest.fixture(scope="module")
def straight():
    return learned(table())


@pytest.fixture(scope="module")
def bent():
    return learned(table(0.08))


def test_likelihood_is_that_of_the_normal_distribution(x64, rng):
    root = rng.normal(size=(4, 4))
    study = Study("0.5", 0.02 * rng.normal(size=4), rng.uniform(0.1, 2, 4), 1e-5 * root @ root.T,
                  rng.uniform(1e-5, 1e-4, 4))  # fmt: skip
    found = extrapolation._log_likelihood(study)
    far = np.outer(study.distance, study.distance)
    exact = np.empty((3, 3))
    for a, i in enumerate((0, 10, 40)):
        for b, j in enumerate((0, 7, 18)):
            noise = np.diag(study.noise + SCATTERS[j] ** 2 + extrapolation.LEAST)
            covariance = study.covariance + SPREADS[i] ** 2 * far + noise
            exact[a, b] = multivariate_normal(cov=covariance).logpdf(study.error)
    ours = found[np.ix_((0, 10, 40), (0, 7, 18))]
    assert np.allclose(ours - ours[0, 0], exact - exact[0, 0], atol=1e-8)


def test_a_right_law_has_little_error(straight):
    """Its posterior is nearer to the law being right than the prior is."""
    share = (straight.spread == SPREADS[0]).mean()
    assert share > extrapolation.RIGHT
    assert straight.spread.std() < extrapolation.SPREAD * halfnorm.std()


def test_a_bend_is_learned(bent):
    assert bent.summary().loc["spread a decade", "low"] > 0.01


def test_forecasts_open_where_the_law_bends_and_stay_narrow_where_it_does_not(straight, bent):
    for bend, error, least, most in ((0.0, straight, 1.0, 1.25), (0.08, bent, 2.0, 20.0)):
        columns = table(bend)
        small = {k: v[columns["N"] < 1e10] for k, v in columns.items()}
        fit = bs.fit(small, LAW, **SETTINGS)
        at = {"N": [1e9, 1e11]}
        plain, wide = (bs.forecast(fit, at, prob=0.9, model_error=e) for e in (None, error))
        assert "model_90_low" not in plain.table
        widths = [f.table["run_90_high"] - f.table["run_90_low"] for f in (wide, plain)]
        assert widths[0][0] == widths[1][0], "nothing is added inside the data"
        assert least <= widths[0][1] / widths[1][1] < most
        assert "L_model" in wide.data["predictions"]
        rows = wide.table.iloc[1]
        assert rows["run_90_low"] < rows["model_90_low"] < rows["law_90_low"]
    true = 40.0 * 1e11**-0.15 * np.exp(0.08 * 2.5)
    assert not plain.table["run_90_high"][1] > true
    assert wide.table["run_90_high"][1] > true


def test_on_the_raw_scale_the_error_is_in_the_responses_unit():
    """The same runs in a unit a hundred times smaller: a hundred times the error."""
    found = [
        bs.model_error(bs.backtest({**(c := table(0.08)), "L": k * c["L"]}, LAW, by="N",
                                   cuts=(0.4, 0.55), noise="normal", progress=False))
        for k in (1.0, 100.0)
    ]  # fmt: skip
    small, large = (np.median(e.spread) for e in found)
    assert small > 0.01
    assert large == pytest.approx(100 * small, rel=0.25)  # a step of the grid


def test_points_of_a_family_share_a_slope():
    error = ModelError(np.full(10, 0.05), np.zeros(10), "N", 1)
    fit = bs.fit(table(), LAW, **SETTINGS)
    drawn = extrapolation.LawDraws(None, np.ones((500, 3)), np.ones((500, 3)))
    found = np.log(
        with_model_error(fit.spec, drawn, error, ["a", "a", "b"], np.array([1.0, 2.0, 1.0]), 0).mean
    )
    assert np.allclose(found[:, 1], 2 * found[:, 0])
    assert abs(np.corrcoef(found[:, 0], found[:, 2])[0, 1]) < 0.2
    assert found[:, 0].std() == pytest.approx(0.05, rel=0.15)


def test_errors_are_told():
    columns = table()
    same = bs.backtest({**columns, "family": np.arange(60) % 2}, LAW, by="family", group="family",
                       pool="partial", **SETTINGS)  # fmt: skip
    inside = bs.Backtest(same.table, same.probs, "N", same.fits, tuple(
        a._replace(distance=np.zeros(len(a.actual))) for a in same.held_out))  # fmt: skip
    with pytest.raises(bs.DataError, match="along which the runs grow"):
        bs.model_error(inside)
    error = ModelError(np.ones(2), np.ones(2), "D", 1)
    with pytest.raises(bs.ForecastError, match="'D' is missing"):
        bs.forecast(bs.fit(columns, LAW, **SETTINGS), {"N": 1e12}, model_error=error)
