"""Simulation-based calibration: its test of uniformity, and that it tells wrong posteriors."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import run
from scipy.stats import norm

import bayes_scaling as bs
from bayes_scaling.calibration import FALSE_ALARM, LIKELIHOOD, ranked
from bayes_scaling.plots.calibration import ecdf_table
from bayes_scaling.simulation import refit, simulate
from bayes_scaling.stats.uniformity import ecdf_band, holm, uniformity_p

TABLES = 128
CHEAP = {"pool": "shared", "noise": "normal_log", "rows": 6}


# --- the test of uniformity ------------------------------------------------------------------


@pytest.mark.parametrize("n", [20, 64, 250])
def test_uniform_numbers_are_refused_at_the_rate_stated(n, rng):
    """The observed rates lie within 4 Monte Carlo standard errors of 100,000 numbers."""
    runs = 100_000 // n
    p = np.asarray([uniformity_p(rng.uniform(size=n)) for _ in range(runs)])
    for level in (0.01, 0.05, 0.25):
        # the statistic is discrete, so that no more than the level is refused, and little less
        error = np.sqrt(level * (1 - level) / len(p))
        assert 0.7 * level - 4 * error < np.mean(p <= level) < level + 4 * error


def test_the_exact_p_value_is_that_of_simulation(rng):
    values = norm.cdf(rng.normal(size=40) / 0.8 + 0.1)
    p = uniformity_p(values)
    points = np.arange(1, 40) / 40

    def least(u):
        counts = np.searchsorted(np.sort(u), points, side="right")
        return np.minimum(BINOMIAL.cdf(counts, 40, points), BINOMIAL.sf(counts - 1, 40, points))

    from scipy.stats import binom as BINOMIAL

    own = least(values).min() * (1 + 1e-9)
    share = np.mean([least(rng.uniform(size=40)).min() <= own for _ in range(3000)])
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / 3000)


def test_the_band_holds_whole_curves_at_its_rate(rng):
    points, low, high = ecdf_band(64, 0.9)
    inside = 0
    for _ in range(3000):
        height = np.searchsorted(np.sort(rng.uniform(size=64)), points, side="right") / 64
        inside += bool(np.all((low <= height) & (height <= high)))
    assert 0.9 - 0.02 < inside / 3000 < 0.9 + 0.05


def test_a_curve_inside_the_band_is_not_refused(rng):
    points, low, high = ecdf_band(64, 0.95)
    for scale in np.linspace(0.5, 1.2, 30):
        values = norm.cdf(rng.normal(size=64) / scale)
        height = np.searchsorted(np.sort(values), points, side="right") / 64
        inside = np.all((low <= height) & (height <= high))
        assert inside == (uniformity_p(values) > 0.05)


def test_holm_is_bonferroni_for_the_least_and_nothing_for_the_largest(rng):
    p = rng.uniform(size=9) / 20
    found = holm(p)
    assert found[p.argmin()] == pytest.approx(9 * p.min())
    assert np.all(found >= p)
    assert np.all(np.diff(found[np.argsort(p)]) >= 0)


# --- right and wrong posteriors --------------------------------------------------------------


@pytest.fixture(scope="module")
def made():
    return simulate("power_law(N)", tables=TABLES, seed=7, **CHEAP)


@pytest.fixture(scope="module")
def found(made):
    return refit(made, seed=7)


def changed(results, move, names=("alpha",)):
    """Posteriors whose draws of some parameters are moved on the log scale."""

    def one(result):
        logs = {name: np.log(result.sites[name]) for name in names}
        moved = {n: np.exp(move(v, v.mean(), v.std())) for n, v in logs.items()}
        return result._replace(sites={**result.sites, **moved})

    return [one(result) for result in results]


def test_right_posteriors_pass(made, found):
    """At a level that of right posteriors one run in a thousand does not keep."""
    told = ranked(made, found)
    least = told.table()["p_holm"].min()
    assert least > 0.001, told
    assert told.ok == (least >= FALSE_ALARM) == told.verdict.startswith("Calibrated")
    assert set(told.samplers) == {"laplace"}
    assert told.names == ("A", "alpha", "sigma", LIKELIHOOD)


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (lambda v, mean, sd: mean + 0.5 * (v - mean), "posteriors too narrow"),
        (lambda v, mean, sd: mean + 1.6 * (v - mean), "posteriors too wide"),
        (lambda v, mean, sd: v + 0.6 * sd, "draws too high"),
        (lambda v, mean, sd: v - 0.6 * sd, "draws too low"),
    ],
)
def test_wrong_posteriors_are_told_with_what_is_wrong(made, found, move, words):
    told = ranked(made, changed(found, move))
    assert "alpha" in told.failed
    assert f"'alpha' ({words})" in told.verdict


def test_one_scalar_30_per_cent_too_narrow_is_told(made, found):
    """By the log likelihood too, which knows of parameters that no longer move together."""
    told = ranked(made, changed(found, lambda v, mean, sd: mean + 0.7 * (v - mean)))
    assert not told.ok
    assert LIKELIHOOD in told.failed


def test_posteriors_that_are_the_prior_are_told_by_the_likelihood(made, found):
    """Ranks of every parameter are uniform then (Modrák et al. 2023)."""
    other = simulate("power_law(N)", tables=TABLES, seed=8, **CHEAP).truth

    def prior(i, result):
        shape = result.sites["sigma"].shape
        pick = np.random.default_rng(i).integers(TABLES, size=shape)
        return result._replace(sites={n: other[n][pick] for n in result.sites})

    told = ranked(made, [prior(i, result) for i, result in enumerate(found)])
    assert LIKELIHOOD in told.failed


def test_doubted_posteriors_are_counted_and_named(made, found):
    wrong = changed(found[:40], lambda v, mean, sd: v + 4 * sd)
    doubted = [r._replace(doubt="R-hat 1.20") for r in wrong]
    told = ranked(made, [*doubted, *found[40:]])
    assert told.doubted == 40
    assert "alpha" in told.failed
    assert "doubts 40 of the posteriors (R-hat 1.20)" in told.verdict
    assert "without them no test fails" in told.verdict
    alone = told.table().set_index("parameter")
    assert alone.loc["alpha", "p_trusted"] > 0.01 > alone.loc["alpha", "p_value"]


def test_draws_are_thinned_to_what_they_are_worth(made, found):
    sites = found[0].sites
    sticky = {n: np.repeat(v[:, ::25], 25, axis=1) for n, v in sites.items()}
    told = ranked(made, [found[0]._replace(sites=sticky), *found[1:]])
    kept = told.ranks.groupby("table")["draws"].min()
    assert kept[0] < 60
    assert kept[1] > 90
    assert (told.ranks["rank"] <= told.ranks["draws"]).all()
    assert told.ranks["pit"].between(0, 1).all()


def test_sbc_is_the_simulation_and_the_refits_and_can_be_had_again(tmp_path):
    options = {"tables": 20, "seed": 1, "progress": False, **CHEAP}
    first = bs.sbc("power_law(N)", out=tmp_path, **options)
    again = bs.sbc("power_law(N)", out=tmp_path, **options)
    pd.testing.assert_frame_equal(first.ranks, again.ranks)
    assert first.tables == 20
    assert first.spec.observation.name == "normal_log"


def test_too_few_tables_are_refused():
    with pytest.raises(bs.SpecError, match="at least 20 tables"):
        bs.sbc("power_law(N)", tables=5)


# --- picture and command ---------------------------------------------------------------------


def test_the_picture_is_of_the_ranks_within_their_band(made, found):
    told = ranked(made, changed(found, lambda v, mean, sd: v + 4 * sd))
    curves = ecdf_table(told)
    out = (curves["ecdf"] < curves["low"]) | (curves["ecdf"] > curves["high"])
    assert set(curves.loc[out, "parameter"]) >= {"alpha"}
    figure = bs.plot_sbc(told, names=["alpha", "sigma"])
    off, fine = (axis.lines[1].get_color() for axis in figure.axes)
    assert off != fine
    with pytest.raises(bs.SpecError, match="Did you mean 'alpha'"):
        bs.plot_sbc(told, names=["alhpa"])


def test_the_command_writes_ranks_and_picture_and_tells_the_verdict(tmp_path):
    argv = ["sbc", "power_law(N)", "--pool", "shared", "--noise", "normal_log", "--tables", 20]
    files = ["--out", tmp_path / "ranks.csv", "--plot", tmp_path / "ranks.png"]
    code, out, err = run(*argv, *files, "--json")
    record = json.loads(out)
    assert code == (0 if record["ok"] else 3)
    assert record["tables"] == 20
    assert {test["parameter"] for test in record["tests"]} >= {"alpha", "sigma", LIKELIHOOD}
    assert len(pd.read_csv(tmp_path / "ranks.csv")) == 20 * len(record["tests"])
    assert (tmp_path / "ranks.png").read_bytes().startswith(b"\x89PNG")
    assert "fitting 20 simulated tables" in err
    code, out, err = run(*argv, *files)
    assert (code, out) == (2, "")
    assert "exists already" in err


def test_the_command_names_a_law_that_is_unknown():
    code, out, err = run("sbc", "chinchila")
    assert (code, out) == (2, "")
    assert "chinchilla" in err
