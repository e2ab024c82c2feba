"""Backtests: what is fitted and what is forecast, and the scores of it."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import run
from scipy.stats import kstest, norm

import bayes_scaling as bs
from bayes_scaling.backtesting import distances, score_table, splits_of
from bayes_scaling.resolve import resolve
from bayes_scaling.stats.scores import crps, log_score, pit


def table(rows=40, seed=0, families=0, exponent=0.3):
    rng = np.random.default_rng(seed)
    N = 10 ** rng.uniform(7, 10, rows)
    made = {"N": N, "L": 40.0 * N**-exponent * np.exp(0.02 * rng.normal(size=rows))}
    if families:
        made["family"] = [f"f{i % families}" for i in range(rows)]
    return made


def test_crps_is_that_of_the_normal_distribution(rng):
    """Gneiting and Raftery 2007, section 4.2."""
    actual = np.linspace(-3.0, 3.0, 7)
    draws = np.repeat(rng.normal(size=(200_000, 1)), 7, axis=1)
    exact = actual * (2 * norm.cdf(actual) - 1) + 2 * norm.pdf(actual) - 1 / np.sqrt(np.pi)
    assert np.allclose(crps(draws, actual), exact, atol=4 * 1.0 / np.sqrt(200_000))


def test_crps_of_a_few_draws_is_not_biased(rng):
    """The mean over many draws of five is that of the distribution."""
    found = crps(rng.normal(size=(5, 100_000)), np.zeros(100_000))
    exact = 2 * norm.pdf(0) - 1 / np.sqrt(np.pi)
    assert abs(found.mean() - exact) < 4 * found.std() / np.sqrt(100_000)


def test_stray_draws_do_not_decide_the_score(rng):
    spec = resolve(bs.read_runs(table()), "power_law(N)", noise="normal_log")
    runs = np.exp(0.01 * rng.normal(size=(4000, 1)))
    fair = score_table(spec, {"law": runs, "run": runs}, np.ones(1), (0.9,))["crps"].item()
    stray = runs.copy()
    stray[:2, 0] = 0.0, np.inf
    found = score_table(spec, {"law": runs, "run": stray}, np.ones(1), (0.9,))["crps"].item()
    assert found == pytest.approx(fair, rel=0.02)


def test_pit_is_uniform_where_the_forecast_is_right(rng):
    assert kstest(pit(rng.normal(size=(4000, 500)), rng.normal(size=500)), "uniform").pvalue > 1e-4
    assert pit(np.zeros((3, 1)), np.zeros(1)) == 0.5


def test_log_score_averages_densities():
    assert log_score(np.log([[0.2], [0.4]])) == pytest.approx(np.log(0.3))


def read(columns, **options):
    return bs.read_runs(columns, **options)


def test_shares_are_taken_family_by_family_and_keep_a_scale_together():
    N = np.repeat([1e7, 1e8, 1e9, 1e10], 3)
    columns = {"N": [*N, *(N * 30)], "L": np.full(24, 3.0), "family": ["a"] * 12 + ["b"] * 12}
    runs = read(columns, group="family", run_id=None)
    (split,) = splits_of(runs, "N", [0.6], "N")
    assert split.fitted.sum() == 18
    assert set(runs.values["N"][split.ahead]) == {1e10, 3e11}
    assert np.allclose(distances(runs.values["N"], runs.labels["family"], split), 1.0)


def test_the_largest_scale_is_never_fitted():
    runs = read(table())
    (split,) = splits_of(runs, "N", [1.0], "N")
    assert split.ahead.sum() == 1


def test_a_value_cuts_all_families_at_it():
    runs = read(table(families=2), group="family")
    (split,) = splits_of(runs, "N", [1e9], "N")
    assert (runs.values["N"][split.fitted] <= 1e9).all()
    assert (runs.values["N"][split.ahead] > 1e9).all()


def test_families_and_largest_runs_are_left_out():
    runs = read(table(families=3), group="family")
    left_out = list(splits_of(runs, "family", [], "N"))
    assert [set(runs.labels["family"][s.ahead]) for s in left_out] == [{"f0"}, {"f1"}, {"f2"}]
    (top,) = splits_of(runs, "largest", [], "N")
    assert top.ahead.sum() == 3


@pytest.mark.parametrize(
    ("by", "cuts", "said"),
    [("N", [1e12], "nothing to forecast"), ("N", [1e3], "nothing to fit"),
     ("lr", [0.5], "no covariate"), ("family", [], "two families")],
)  # fmt: skip
def test_bad_cut_offs_are_told(by, cuts, said):
    with pytest.raises(bs.BayesScalingError, match=said):
        bs.backtest(table(), "power_law(N)", by=by, cuts=cuts, progress=False)


def test_bands_hold_where_the_law_is_right():
    found = bs.backtest(
        table(80), "power_law(N)", by="N", cuts=(0.5, 0.7), noise="normal_log", progress=False
    )
    assert list(found.scores().index) == ["0.5", "0.7"]
    assert len(found.table) == 40 + 24
    whole = found.scores(None).iloc[0]
    # 40 runs, seen from two cut-offs: 3.5 standard errors of a share of 40
    assert abs(whole["coverage_90"] - 0.9) < 3.5 * np.sqrt(0.9 * 0.1 / 40)
    assert abs(whole["coverage_50"] - 0.5) < 3.5 * 0.5 / np.sqrt(40)
    assert 0 < whole["crps"] < 0.02
    assert (found.table["distance"] >= 0).all()


def test_a_law_that_bends_is_found_out():
    bent = table(80)
    bent["L"] = bent["L"] + 0.05 * (np.log10(bent["N"]) - 7) ** 2
    found = bs.backtest(bent, "power_law(N)", by="N", cuts=(0.5,), progress=False)
    assert found.scores(None)["coverage_90"].item() < 0.5
    assert found.scores(None)["bias"].item() > 0.05


def test_the_command_scores_and_tells_the_laws_error(tmp_path):
    path, scores = tmp_path / "runs.csv", tmp_path / "scores.csv"
    pd.DataFrame(table(80)).to_csv(path, index=False)
    argv = ["backtest", path, "--law", "power_law(N)", "--noise", "normal_log", "--by", "N"]
    code, out, _ = run(*argv, "--cut", "0.5", "--cut", "1B", "--out", scores)
    assert code == 0
    assert "inside 90 %" in out
    assert "an error of its own with probability" in out
    assert len(pd.read_csv(scores)) > 40
    code, out, _ = run(*argv, "--cut", "0.5", "--json")
    record = json.loads(out)
    assert code == 0
    assert record["cuts"][0]["runs"] == 40
    assert 0 <= record["model_errors"][0]["probability"] <= 1
    code, out, err = run(*argv, "--cut", "0.5", "--out", scores)
    assert (code, out, err.count("\n")) == (2, "", 1)
