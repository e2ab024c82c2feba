"""Latent skills: what is fitted, forecast, kept and refused."""

import numpy as np
import pytest
from scipy import stats
from skill_tables import BENCHMARKS, CHANCE, drawn_table, layout_of, with_gaps

import bayes_scaling as bs
from bayes_scaling.latent.layout import make_args
from bayes_scaling.latent.table import read_scores

TABLES = 16
OPTIONS = {"chance": CHANCE, "noise": "beta", "model": "model", "anchors": ["alpha"]}
QUICK = {"chains": 2, "warmup": 200, "draws": 250, "progress": False}
AT = {"N": 7e10, "D": 2e12, "family": "f1"}


@pytest.fixture(scope="module")
def fits():
    """Fits of tables drawn from the prior, every one with gaps, and their parameters."""
    made = []
    for seed in range(TABLES):
        table, truth = drawn_table(seed)
        made.append((bs.skills(with_gaps(table), BENCHMARKS, **OPTIONS, **QUICK), truth))
    return made


@pytest.fixture(scope="module")
def fit(fits):
    return fits[3][0]


@pytest.fixture(scope="module")
def two():
    """Two skills, the anchors chosen, C alone."""
    table = drawn_table(1, n_skills=2)[0]
    return bs.skills(table, BENCHMARKS, n_skills=2, inputs=["C"], chance=CHANCE, **QUICK)


# --- recovery ------------------------------------------------------------------------------


def test_known_parameters_lie_in_the_intervals_as_often_as_they_say(fits):
    """90 % intervals of tables drawn from the prior hold 90 % of the parameters."""
    held = np.array([_share_held(fit, truth) for fit, truth in fits])
    error = held.std(ddof=1) / np.sqrt(len(held))
    assert 0.005 < error < 0.05, held
    assert abs(held.mean() - 0.9) < 3 * error, held


def _share_held(fit, truth):
    names = ("loading", "offset", "slope", "family_sd", "model_sd", "sigma")
    inside = []
    for name in names:
        low, high = np.percentile(fit.samples[name], [5, 95], axis=0)
        free = high > low
        inside.append(((low <= truth[name]) & (truth[name] <= high))[free])
    return np.concatenate(inside).mean()


def test_skills_follow_the_truth(fits):
    between = [
        np.corrcoef(fit.samples["model_skill"].mean(0)[:, 0], truth["model_skill"][:, 0])[0, 1]
        for fit, truth in fits
    ]
    assert np.median(between) > 0.9


def test_sampling_is_sound(fits):
    worst = [fit.diagnose().numbers["rhat_max"] for fit, _ in fits]
    assert np.median(worst) < 1.05
    assert np.median([fit.diagnose().numbers["divergences"] for fit, _ in fits]) <= 2


# --- what is fitted ------------------------------------------------------------------------


def test_anchors_fix_scale_sign_and_rotation(fit, two):
    assert (fit.samples["loading"][:, 0, 0] == 1).all()
    loading, (first, second) = two.samples["loading"], two.layout.anchors
    at = {name: i for i, name in enumerate(BENCHMARKS)}
    assert (loading[:, at[first]] == [1, 0]).all()
    assert (loading[:, at[second], 1] == 1).all()
    assert loading[:, at[second], 0].std() > 0
    assert first != second


def test_rows_without_scores_or_inputs_change_nothing():
    table = with_gaps(drawn_table(0)[0])
    more = table.reindex([*table.index, *table.index[:2]]).reset_index(drop=True)
    more["model"] = [f"m{i}" for i in range(len(more))]
    more.loc[len(table), list(BENCHMARKS)] = np.nan
    more.loc[len(table) + 1, "tokens"] = np.nan
    both = [read_scores(t, BENCHMARKS, model="model") for t in (table, more)]
    assert {n.code for n in both[0].notes} == {"scores_missing"}
    assert {n.code for n in both[1].notes} == {"scores_missing", "no_scores", "inputs_missing"}
    assert "row 26 left out: no N or D" in str(both[1].notes[0])
    assert "4 of 96 scores" in str(both[1].notes[2])
    plain, longer = (make_args(s, layout_of(s)) for s in both)
    for name, values in plain.items():
        np.testing.assert_array_equal(values, longer[name])


def test_the_tree_is_arviz_s(fit):
    assert fit.posterior["model_skill"].dims == ("chain", "draw", "model", "skill")
    assert fit.data["log_likelihood"]["observed_score"].shape == (2, 250, 92)
    assert np.isnan(fit.data["observed_data"]["score"]).sum() == 4
    assert fit.summary().index[1] == "loading[beta, 1]"
    assert "Verdict" in str(fit.diagnose())
    assert "24 models in 6 families, from 4 benchmarks" in repr(fit)


def test_the_kept_log_likelihood_is_scipy_s(fit):
    first = {k: v[0] for k, v in fit.samples.items()}
    mean = 1 / (1 + np.exp(-(first["offset"] + first["model_skill"] @ first["loading"].T)))
    mean[:, 1] = 0.25 + 0.75 * mean[:, 1]
    score = np.clip(fit.data["observed_data"]["score"].values, 1e-3, 1 - 1e-3)
    total = 1 / first["sigma"] ** 2
    by_hand = stats.beta.logpdf(score, mean * total, (1 - mean) * total)
    kept = fit.data["log_likelihood"]["observed_score"].values[0, 0]
    np.testing.assert_allclose(kept, by_hand[np.isfinite(score)], rtol=1e-5, atol=1e-5)


def test_efficiency_is_the_compute_another_family_would_need(two):
    table = two.efficiency(prob=0.5)
    slope = two.samples["slope"][:, 0, 0] / two.layout.scale[0]
    factor = 10 ** (two.samples["family_skill"][:, 2, 0] / slope)
    assert table["family"][2] == "f2"
    assert table["median"][2] == pytest.approx(np.median(factor), rel=0.01)
    assert (table["low"] < table["high"]).all()


# --- forecasts -----------------------------------------------------------------------------


def test_a_new_family_s_forecast_is_wider(fit):
    known = fit.forecast(AT, prob=0.9)
    new = fit.forecast({**AT, "family": "f9"}, prob=0.9)
    width = [t["law_90_high"] - t["law_90_low"] for t in (known.table, new.table)]
    assert (width[1] > width[0]).all()
    assert list(known.table["benchmark"]) == list(BENCHMARKS)
    assert not known.table["new_family"].any()
    assert new.table["new_family"].all()
    assert [n.code for n in new.notes if n.severity == "info"] == ["new_family"]


def test_bands_grow_from_law_to_run(fit):
    table = fit.forecast(AT, ["alpha", "delta"], prob=[0.5, 0.9]).table
    widths = [table[f"{b}_90_high"] - table[f"{b}_90_low"] for b in ("law", "model", "run")]
    assert (widths[0] < widths[1]).all()
    assert (widths[1] < widths[2]).all()
    assert (table["run_50_low"] > table["run_90_low"]).all()
    assert (table["beyond_N"] >= 0).all()


def test_the_law_s_band_is_the_formula(fit):
    draws = fit.forecast(AT, "beta").data["predictions"]["score_law"].values.ravel()
    s, (n, d) = fit.samples, np.log10([7e10, 2e12])
    x = (np.array([n, d]) - fit.layout.centre) / fit.layout.scale
    logit = s["offset"][:, 1] + s["loading"][:, 1, 0] * (
        s["family_skill"][:, 1, 0] + s["slope"][:, :, 0] @ x
    )
    np.testing.assert_allclose(draws, 0.25 + 0.75 / (1 + np.exp(-logit)), rtol=1e-9)


def test_an_unknown_score_is_told_by_the_model_s_others(fits):
    """The model's own skill, from its other scores, says more than its family."""
    fit, _ = fits[3]
    own = fit.forecast({"model": "m7"}, "delta", prob=0.9).table
    point = {n: fit.data["constant_data"][n].values[7] for n in ("N", "D")}
    blind = fit.forecast({**point, "family": "f1"}, "delta", prob=0.9).table
    assert "law_90_low" not in own
    gap = [float(t["model_90_high"][0] - t["model_90_low"][0]) for t in (own, blind)]
    assert gap[0] < gap[1]


@pytest.mark.parametrize(
    ("at", "benchmark", "message"),
    [
        ({"N": 7e10, "family": "f1"}, None, "at: give D, or model="),
        ({"N": 7e10, "D": 1e12}, None, "at: give family"),
        ({**AT, "N": -1.0}, None, "at: N must be numbers above zero"),
        (AT, "alhpa", "no benchmark 'alhpa' was fitted. Did you mean 'alpha'"),
        ({"model": "m99"}, None, "no model 'm99' was fitted"),
    ],
)
def test_forecasts_that_cannot_be_given(fit, at, benchmark, message):
    with pytest.raises(bs.ForecastError, match=message.replace("?", r"\?")):
        fit.forecast(at, benchmark)


# --- files ---------------------------------------------------------------------------------


def test_saved_and_read_again(fit, tmp_path):
    path = fit.save(tmp_path / "skills.nc")
    again = bs.Skills.load(path)
    assert again.layout == fit.layout
    assert again.notes == fit.notes
    np.testing.assert_array_equal(again.samples["loading"], fit.samples["loading"])
    assert again.forecast(AT).table.equals(fit.forecast(AT).table)
    with pytest.raises(bs.FitFileError, match=r"holds skills, not a fit: read it with bs\.Skills"):
        bs.load(path)


def test_a_changed_file_is_refused(fit, tmp_path):
    import h5py

    path = fit.save(tmp_path / "skills.nc")
    with h5py.File(path, "r+") as file:
        file["posterior/offset"][0, 0, 0] += 1.0
    with pytest.raises(bs.FitFileError, match="was changed after it was saved"):
        bs.Skills.load(path)
    with pytest.raises(bs.FitFileError, match="no fit at"):
        bs.Skills.load(tmp_path / "other.nc")


# --- refusals ------------------------------------------------------------------------------


def _with(**cells):
    table = drawn_table(0)[0]
    for name, (row, value) in cells.items():
        table[name] = table[name].astype(object)
        table.loc[row, name] = value
    return table


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"beta": (2, 71.0)}, {}, "'beta' must lie between 0 and 1, they do not in row 3: divide"),
        ({"family": (4, None)}, {}, "column 'family' has no label in row 5"),
        ({"params": (4, 0.0)}, {}, "'params' must be above zero, it is not in row 5"),
        ({"alpha": (1, "good")}, {}, "'alpha' is not a number in row 2"),
        ({}, {"benchmarks": ["alpah"]}, "no column 'alpah'. Did you mean 'alpha'"),
        ({}, {"benchmarks": ["alpha", "alpha"]}, "must name each column once"),
        ({}, {"family": "famly"}, "no column 'famly'. Did you mean 'family'"),
        ({}, {"columns": {"C": "x"}, "inputs": ["C"]}, "no column 'x'"),
        ({}, {"inputs": ["M"]}, "must name each of 'N', 'D', 'C'"),
        ({}, {"n_skills": 4}, "pass 1 to 3, and more benchmarks"),
        ({}, {"n_skills": 2, "anchors": ["beta"]}, "name one benchmark for each of 2 skills"),
        ({}, {"anchors": ["zeta"]}, "anchors names no benchmark 'zeta'"),
        ({}, {"chance": {"bta": 0.2}}, "chance names no benchmark 'bta'. Did you mean 'beta'"),
        ({}, {"chance": 0.6, "lapse": 0.4}, "together below 1"),
        ({}, {"trials": {"alpha": 100}}, "trials['beta'] must be a whole number of items"),
        ({}, {"noise": "beta_binomial"}, "goes with trials="),
        ({}, {"noise": "cauchy"}, "noise 'cauchy' is none of"),
        ({}, {"inputs": ["C"], "interaction": True}, "the product of log N and log D"),
    ],
)
def test_bad_tables_and_arguments_are_told_in_one_line(change, options, message):
    asked = {"benchmarks": BENCHMARKS, **options}
    with pytest.raises(bs.BayesScalingError) as caught:
        bs.skills(_with(**change), **asked, **QUICK)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_benchmark_without_scores_and_too_few_models_are_refused():
    table = drawn_table(0)[0]
    with pytest.raises(bs.DataError, match="'beta' has no score in any usable row"):
        bs.skills(table.assign(beta=np.nan), BENCHMARKS, **QUICK)
    with pytest.raises(bs.DataError, match="0 models have a score and all inputs"):
        bs.skills(table.assign(**dict.fromkeys(BENCHMARKS, np.nan)), BENCHMARKS, **QUICK)
    with pytest.raises(bs.DataError, match="N is the same for all models"):
        bs.skills(table.assign(params=1e9), BENCHMARKS, **QUICK)
