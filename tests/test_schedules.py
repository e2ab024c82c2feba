"""Schedules of the learning rate: sums against their definitions, tables, a fit, the command."""

import json
import re
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from command_line import run
from hypothesis import given
from hypothesis import strategies as st

import bayes_scaling as bs
from bayes_scaling.schedules.inputs import input_names
from bayes_scaling.schedules.pieces import BETA, GAM, C, pieces, sum_of, whole_sum
from bayes_scaling.schedules.shapes import SHAPES
from bayes_scaling.schedules.sums import area, drops, smoothed_drops

PEAK, LENGTH, WARM = 3e-4, 24000, 2160
USUAL = {"steps": LENGTH, "peak": PEAK, "warmup": WARM}
LOGGED = np.array([2500, 3000, 8010, 16000, 22000, 23900, 24000])
DECAYS = {
    "cosine": {"end": 3e-5},
    "cosine to zero": {"kind": "cosine"},
    "linear": {},
    "late linear": {"kind": "linear", "end": 3e-5, "decay_from": 20000},
    "exponential": {"end": 3e-5, "decay_from": 20000},
    "one_minus_sqrt": {"decay_from": 16000},
}


def rates_of(name):
    return bs.schedule(**{"kind": name, **USUAL, **DECAYS[name]})


def naive_sum(rates, t, c, beta, gam):
    """The law's sum as it is written, term by term; all rates before the first fall are its top."""
    total, fallen = 0.0, False
    for k in range(1, t):
        drop = rates[k - 1] - rates[k]
        fallen = fallen or drop > 0
        if fallen and drop:
            left = sum(rates[k:t])
            total += drop * (1 - (1 + c * rates[k] ** -gam * left) ** -beta)
    return total


some_rates = st.lists(st.floats(1e-5, 1e-3), min_size=2, max_size=40).map(np.array)


# --- the usual shapes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "more", "known"),
    [
        ("constant", {}, [2, 4, 4, 4, 4, 4]),
        ("linear", {}, [2, 4, 3, 2, 1, 0]),
        ("linear", {"decay_from": 4, "end": 1}, [2, 4, 4, 4, 2.5, 1]),
        ("cosine", {}, [2, 4, 2 + 2**0.5, 2, 2 - 2**0.5, 0]),
        ("exponential", {"end": 0.25}, [2, 4, 2, 1, 0.5, 0.25]),
        ("one_minus_sqrt", {}, [2, 4, 2, 4 - 8**0.5, 4 - 12**0.5, 0]),
        ("two_stage", {"decay_from": 3, "end": 1}, [2, 4, 4, 1, 1, 1]),
        ("cyclic", {"period": 2}, [2, 4, 0, 4, 0, 4]),
    ],
)
def test_rates_of_six_steps_with_two_of_warm_up(kind, more, known):
    found = bs.schedule(kind, steps=6, peak=4.0, warmup=2, **more)
    np.testing.assert_allclose(found, known, atol=1e-12)


def test_every_shape_is_tried():
    assert set(SHAPES) == {"constant", "linear", "cosine", "exponential", "one_minus_sqrt",
                           "two_stage", "cyclic"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "cosin"}, "'cosin' is none of .* Did you mean 'cosine'"),
        ({"peak": 0.0}, r"peak=0\.0 must be a rate above zero"),
        ({"peak": "3e-4"}, "peak='3e-4' must be a rate"),
        ({"end": 1.0}, r"end=1\.0 must be a rate from zero to the peak, 0\.0003"),
        ({"end": float("nan")}, "end=nan must be"),
        ({"kind": "exponential"}, "an exponential decay never ends at zero: give end="),
        ({"steps": 0}, "steps=0 must be a number of steps"),
        ({"steps": 10.5}, r"steps=10\.5 must be a number of steps"),
        ({"warmup": -1}, "warmup=-1 must be"),
        ({"decay_from": 100}, "warmup=2160, decay_from=100 and steps=24000 must follow"),
        ({"decay_from": 25000}, "must follow each other"),
        ({"kind": "two_stage"}, "two_stage needs decay_from="),
        ({"kind": "cyclic"}, "period= is the steps of a wave"),
        ({"period": 10}, "period= is the steps of a wave"),
    ],
)
def test_impossible_schedules_are_refused_in_one_line(change, said):
    with pytest.raises(bs.DataError, match=said) as refused:
        bs.schedule(**{"kind": "cosine", **USUAL, **change})
    assert "\n" not in str(refused.value)


# --- sums ----------------------------------------------------------------------------------


@given(some_rates, st.sampled_from([0.0, 0.5, 0.99, 0.999]))
def test_smoothed_drops_are_the_double_sum(rates, lam):
    falls = drops(rates)
    momentum = [sum(lam ** (j - i) * falls[i] for i in range(j + 1)) for j in range(len(rates))]
    known = (1 - lam) * np.cumsum(momentum)
    np.testing.assert_allclose(smoothed_drops(rates, lam), known, atol=1e-15)


@given(some_rates)
def test_areas_and_drops_are_those_of_their_definitions(rates):
    np.testing.assert_allclose(area(rates)[-1], sum(rates), rtol=1e-12)
    falls, top = drops(rates), 0
    while top + 1 < len(rates) and rates[top + 1] >= rates[top]:
        top += 1
    assert not falls[: top + 1].any()
    np.testing.assert_allclose(falls[top:].sum(), rates[top] - rates[-1], atol=1e-15)


def test_a_finished_drop_counts_whole():
    """Its S2 is the drop itself, which makes kappa the gain of a drop whatever the memory."""
    rates = bs.schedule("two_stage", steps=40000, peak=PEAK, end=1e-4, decay_from=10000)
    for lam in (0.99, 0.999):
        found = bs.schedule_inputs(rates, [10000, 40000], lam=lam)["S2"]
        np.testing.assert_allclose(found, [0, 2e-4], rtol=1e-9, atol=0)


# --- pieces --------------------------------------------------------------------------------


@given(some_rates)
def test_the_whole_sum_is_the_sum_as_written(rates):
    for constants in ((C, BETA, GAM), (0.5, 1.4, 0.3)):
        known = naive_sum(rates, len(rates), *constants)
        found = whole_sum(rates, len(rates), *constants)
        assert found == pytest.approx(known, rel=1e-10, abs=1e-15)


@pytest.fixture(scope="module")
def priors():
    """Draws of C, beta and gam: medians and 90 % ranges of the law's priors."""
    z = np.random.default_rng(0).normal(size=(60, 3))
    return np.array([2.0, 0.6, 0.6]) * np.exp(z * np.array([0.84, 0.61, 0.54]))


def missed(rates, steps, constants):
    """By how much the pieces miss the sum, in whole drops, (step,)."""
    known = [whole_sum(rates, int(t), *constants) for t in steps]
    return np.abs(sum_of(pieces(rates, steps), *constants) - known) / rates.max()


@pytest.mark.parametrize("name", DECAYS)
def test_pieces_give_the_whole_sum_within_the_stated_error(name, priors):
    rates = rates_of(name)
    assert missed(rates, LOGGED, (C, BETA, GAM)).max() < 0.001
    worst = [missed(rates, LOGGED, each).max() for each in priors]
    assert np.median(worst) < 0.001
    assert max(worst) < 0.01


def test_waves_are_kept_within_the_stated_error(priors):
    rates = bs.schedule("cyclic", **USUAL, end=3e-5, period=5000)
    assert max(missed(rates, LOGGED, each).max() for each in priors) < 0.03


def test_stages_are_exact(priors):
    levels = [3e-4, 1e-4, 2e-4, 5e-5, 3e-5, 1e-5, 2e-6]
    rates = np.repeat(levels, 1000)
    for each in priors:
        assert missed(rates, np.array([900, 1500, 4100, 7000]), each).max() < 1e-12


def test_pieces_of_a_falling_rate_share_the_drop():
    found = pieces(rates_of("cosine"), LOGGED)
    shares = sum(found[f"drop_share{i}"] for i in range(1, 7))
    np.testing.assert_allclose(shares, 1.0, rtol=1e-12)
    np.testing.assert_allclose(found["lr_drop"], PEAK - rates_of("cosine")[LOGGED - 1], rtol=1e-9)


def test_a_rate_that_never_fell_has_no_pieces_and_finite_ones():
    found = bs.schedule_inputs(bs.schedule("constant", **USUAL), [100, 24000])
    assert not found["S2"].any()
    assert not found["lr_drop"].any()
    assert all(np.isfinite(each).all() for each in found.values())
    assert np.all(found["drop_lr1"] == PEAK)


def test_too_many_waves_are_refused_for_multi_power_alone():
    rates = bs.schedule("cyclic", **USUAL, end=3e-5, period=500)
    with pytest.raises(
        bs.DataError, match=r"too often, or .* for the 6 pieces .* pass pieces=False"
    ):
        bs.schedule_inputs(rates, LOGGED)
    assert list(bs.schedule_inputs(rates, LOGGED, pieces=False)) == ["S1", "S2"]


def test_many_steps_are_cheap():
    """A matrix of steps by steps would be 80 GB."""
    rates = bs.schedule("cosine", steps=100_000, peak=PEAK, warmup=2000)
    found = bs.schedule_inputs(rates, np.arange(500, 100_001, 500))
    assert all(len(each) == 200 for each in found.values())


# --- the laws ------------------------------------------------------------------------------

PUBLISHED = {  # L0, A, alpha, B, C, beta, gam of Luo et al. 2025, and the error they give
    "25m": ((3.040, 0.525, 0.508, 363.8, 2.066, 0.583, 0.641), 0.0047),
    "100m": ((2.651, 0.601, 0.453, 437.9, 2.132, 0.598, 0.655), 0.0059),
    "400m": ((2.375, 0.654, 0.429, 523.4, 2.025, 0.594, 0.635), 0.0073),
}
NAMES = ("L0", "A", "alpha", "B", "C", "beta", "gam")


def law_at(rates, steps, values):
    law, found = bs.get_law("multi_power"), bs.schedule_inputs(rates, steps)
    return np.asarray(law(*(found[n] for n in law.inputs), **dict(zip(NAMES, values, strict=True))))


@pytest.mark.usefixtures("x64")
def test_multi_power_is_its_published_formula():
    values, _ = PUBLISHED["100m"]
    L0, A, alpha, B, *rest = values
    for name in DECAYS:
        rates = rates_of(name)
        known = [L0 + A * rates[:t].sum() ** -alpha - B * whole_sum(rates, t, *rest)
                 for t in LOGGED]  # fmt: skip
        np.testing.assert_allclose(law_at(rates, LOGGED, values), known, atol=1.3e-4)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("size", PUBLISHED)
def test_published_constants_give_the_published_error(size, shared_data):
    """Their L0 is that of a rate of zero: it counts the rise of the warm-up as a drop undone."""
    from bayes_scaling.models.studies.schedules import luo_schedules

    table = pd.read_csv(shared_data / "lr_schedule_curves" / "lr_schedule_curves.csv")
    own = table[(table["family"] == size) & (table["role"] == "forecast")]
    values, published = PUBLISHED[size]
    values = (values[0] + values[3] * PEAK, *values[1:])
    away = []
    for name, curve in own.groupby("schedule"):
        steps = curve["step"].to_numpy()
        away.append(law_at(luo_schedules()[name], steps, values) - curve["loss"].to_numpy())
    errors = [np.sqrt(np.mean(each**2)) for each in away]
    assert 0.7 * published < np.mean(errors) < 1.5 * published


# --- tables --------------------------------------------------------------------------------

TABLE = {"run": ["a", "a", "b"], "step": [10, 20, 15], "loss": [3.0, 2.9, 2.95]}
BOTH = {
    "a": {"kind": "linear", "steps": 20, "peak": PEAK, "end": 1e-4, "warmup": 2},
    "b": bs.schedule("constant", steps=20, peak=PEAK),
}


def test_a_table_gets_the_inputs_of_each_run():
    made = bs.add_schedules(TABLE, BOTH)
    assert list(made.columns) == ["run", "step", "loss", *input_names()]
    a = bs.schedule_inputs(bs.schedule(**BOTH["a"]), [10, 20])
    b = bs.schedule_inputs(BOTH["b"], 15)
    for name in input_names():
        np.testing.assert_array_equal(made[name], [*a[name], *b[name]])


def test_schedules_come_as_tables_too(tmp_path):
    wanted = bs.add_schedules(TABLE, BOTH)
    said = "run,kind,steps,peak,end,warmup\na,linear,20,3e-4,1e-4,2\nb,constant,20,3e-4,,\n"
    (tmp_path / "said.csv").write_text(said)
    pd.testing.assert_frame_equal(bs.add_schedules(TABLE, tmp_path / "said.csv"), wanted)
    every = [(r, s, lr) for r, rates in (("a", bs.schedule(**BOTH["a"])), ("b", BOTH["b"]))
             for s, lr in enumerate(rates, start=1)]  # fmt: skip
    listed = pd.DataFrame(every, columns=["run", "step", "lr"])
    pd.testing.assert_frame_equal(bs.add_schedules(TABLE, listed), wanted)
    corners = listed[listed["step"].isin([1, 2, 20])]
    between = bs.add_schedules(TABLE, corners, between="line")
    pd.testing.assert_frame_equal(between, wanted, rtol=1e-10)


def test_a_rate_can_be_held_until_the_next_step_that_is_listed():
    listed = pd.DataFrame({"run": ["a"] * 2, "step": [1, 13], "lr": [PEAK, 1e-4]})
    points = {"run": ["a"] * 3, "step": [12, 13, 13], "loss": [3.0, 2.9, 2.9]}
    made = bs.add_schedules(points, listed, between="hold")
    np.testing.assert_allclose(made["lr_drop"], [0, 2e-4, 2e-4], rtol=1e-12, atol=1e-18)
    np.testing.assert_allclose(made["S1"][0], 12 * PEAK)


@pytest.mark.parametrize(
    ("table", "schedules", "more", "said"),
    [
        ({}, {"a": BOTH["a"]}, {}, "no schedule is given for run 'b': there are schedules of 'a'"),
        ({"step": [10, 21, 15]}, BOTH, {}, "schedule of run 'a' has steps 1 to 20, not '21'"),
        ({"step": [10, 0.5, 15]}, BOTH, {}, "has steps 1 to 20, not '0.5'"),
        ({"S1": [1, 2, 3]}, BOTH, {}, "has a column 'S1' already"),
        ({}, BOTH, {"run": "curve"}, "run names no column 'curve'"),
        ({}, BOTH, {"between": "cubic"}, "between='cubic' is none of 'hold'"),
        ({}, BOTH, {"lam": 1.0}, r"lam=1\.0 must lie between 0 and 1"),
        ({}, {**BOTH, "b": [PEAK, -1.0, 3]}, {}, r"'b': .* below zero at step\(s\) '?2"),
        ({}, {**BOTH, "b": [0.0] * 20}, {}, "is zero at every step"),
        ({}, {**BOTH, "b": "fast"}, {}, "'b': the learning rates are not all numbers"),
        ({}, {**BOTH, "b": [[PEAK] * 20]}, {}, r"as one list, not shape \(1, 20\)"),
        ({}, {**BOTH, "b": {"kind": "constant", "steps": 20}}, {}, "'b': 'peak' is missing"),
        ({}, {**BOTH, "b": {**BOTH["a"], "warm_up": 3}}, {}, "Did you mean 'warmup'"),
        ({}, {**BOTH, "b": {**BOTH["a"], "end": 1}}, {}, "run 'b': end=1 must be a rate"),
        ({}, {"run": ["a"], "step": [1]}, {}, "run' is not"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(table, schedules, more, said):
    if schedules == {"run": ["a"], "step": [1]}:
        schedules, said = pd.DataFrame(schedules), "a table of schedules names no column 'lr'"
    with pytest.raises(bs.DataError, match=said) as refused:
        bs.add_schedules({**TABLE, **table}, schedules, **more)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([1, 2, 4], r"'a' leaves out step\(s\) '3': list every step, or say between="),
        ([2, 3, 4], "must list whole steps from 1 on, each once: it lists '2'"),
        ([1, 1, 2], "each once"),
        ([1, 1.5, 2], "whole steps"),
    ],
)
def test_gaps_in_a_list_of_rates_are_not_guessed(steps, said):
    listed = pd.DataFrame({"run": "a", "step": steps, "lr": PEAK})
    with pytest.raises(bs.DataError, match=said):
        bs.add_schedules({"run": ["a"], "step": [1], "loss": [3.0]}, listed)


def test_a_law_of_schedules_says_where_its_inputs_come_from():
    with pytest.raises(bs.DataError, match=r"needs S1 .*sums .* add them with bs\.add_schedules"):
        bs.fit(bs.read_runs({"N": [1e9, 2e9], "loss": [3.0, 2.9]}), "tissue")


# --- a fit ---------------------------------------------------------------------------------

TRUTH = dict(zip(NAMES, (3.1, 0.55, 0.5, 420.0, 2.0, 0.6, 0.6), strict=True))
FITTED = {
    "cosine": {"kind": "cosine", **USUAL, "end": 3e-5},
    "constant": {"kind": "constant", **USUAL},
    "stages": {"kind": "two_stage", **USUAL, "end": 9e-5, "decay_from": 8000},
}
NEW = {"wsd": {"kind": "linear", **USUAL, "end": 3e-5, "decay_from": 20000}}


def true_loss(rates, steps):
    constants = TRUTH["C"], TRUTH["beta"], TRUTH["gam"]
    done = np.array([whole_sum(rates, int(t), *constants) for t in steps])
    return TRUTH["L0"] + TRUTH["A"] * area(rates)[steps - 1] ** -TRUTH["alpha"] - TRUTH["B"] * done


def curves(schedules, every=1500):
    """Logged points (run, step, loss) of curves made by the whole sum, with scatter."""
    rng, steps = np.random.default_rng(4), np.arange(2500, LENGTH + 1, every)
    parts = []
    for name, said in schedules.items():
        loss = true_loss(bs.schedule(**said), steps) * np.exp(rng.normal(0, 0.001, len(steps)))
        parts.append(pd.DataFrame({"run": name, "step": steps, "loss": loss}))
    return pd.concat(parts, ignore_index=True)


@lru_cache
def fitted(law):
    runs = bs.read_runs(bs.add_schedules(curves(FITTED), FITTED), run="run")
    return bs.fit(runs, law, progress=False)


def planned():
    made = bs.add_schedules(curves(NEW), NEW)
    return made[input_names()], true_loss(bs.schedule(**NEW["wsd"]), made["step"].to_numpy())


def test_zeros_of_sums_are_read_without_a_word():
    runs = bs.read_runs(bs.add_schedules(curves(FITTED), FITTED), run="run")
    codes = {note.code for note in runs.notes}
    assert not codes & {"covariate_not_positive", "units_suspect", "column_left_out"}


def test_multi_power_finds_what_the_curves_were_made_with():
    fit = fitted("multi_power")
    assert fit.diagnose().severity != "error"
    for name, truth in TRUTH.items():
        draws = np.log(np.asarray(fit.posterior[name]))
        assert abs(draws.mean() - np.log(truth)) < 4 * draws.std(), name
    at, known = planned()
    table = bs.forecast(fit, at, prob=0.9, model_error=False).table
    assert np.abs(table["median"] / known - 1).max() < 0.004
    inside = (table["law_90_low"] < known) & (known < table["law_90_high"])
    assert inside.mean() > 0.6


def test_a_saved_fit_forecasts_schedules(tmp_path):
    fit = fitted("multi_power")
    loaded = bs.load(fit.save(tmp_path / "fit.nc"))
    assert loaded.spec.law == fit.spec.law
    at, known = planned()
    table = bs.forecast(loaded, at, prob=0.9).table
    assert [c for c in table if c.startswith("beyond_")] == ["beyond_S1", "beyond_lr_drop"]
    assert np.abs(table["median"] / known - 1).max() < 0.006


def test_tissue_takes_the_same_table():
    at, known = planned()
    table = bs.forecast(fitted("tissue"), at, prob=0.9, model_error=False).table
    assert np.abs(table["median"] / known - 1).max() < 0.01


def test_a_report_names_what_a_run_is_known_by(tmp_path):
    """The pieces, which say nothing one by one, head no column of its tables."""
    fit, (at, _) = fitted("multi_power"), planned()
    made = bs.report(fit, tmp_path / "report.html", at=at)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not [note for note in made.notes if note.severity == "error"]
    headings = set(re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', text))
    assert {"S1", "lr_drop"} <= headings
    assert not [name for name in headings if name.startswith("drop_")]


@pytest.mark.slow
def test_schedules_that_are_left_out_are_forecast():
    schedules = FITTED | NEW
    runs = bs.read_runs(bs.add_schedules(curves(schedules), schedules), group="run")
    found = bs.backtest(runs, "multi_power", by="S1", cuts=(0.6,), pool="shared", progress=False)
    assert not found.table["doubt"].any()
    assert found.table["error"].abs().mean() < 0.005


# --- the command ---------------------------------------------------------------------------


def test_the_command_writes_a_table_that_is_fitted(tmp_path):
    pd.DataFrame(TABLE).to_csv(tmp_path / "curves.csv", index=False)
    said = "run,kind,steps,peak,end,warmup\na,linear,20,3e-4,1e-4,2\nb,constant,20,3e-4,,\n"
    (tmp_path / "said.csv").write_text(said)
    asked = ["schedules", tmp_path / "curves.csv", tmp_path / "said.csv"]
    code, out, err = run(*asked, "--out", tmp_path / "made.csv", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["columns"] == input_names()
    made = pd.read_csv(tmp_path / "made.csv")
    pd.testing.assert_frame_equal(made, bs.add_schedules(TABLE, BOTH))
    code, out, err = run(*asked, "--out", tmp_path / "made.csv")
    assert code == 2
    assert "exists already" in err
    code, out, err = run("check", tmp_path / "made.csv", "--run", "run")
    assert code == 0
    assert "lr_drop" in out


def test_the_command_refuses_in_the_words_of_the_shell(tmp_path):
    pd.DataFrame(TABLE).to_csv(tmp_path / "curves.csv", index=False)
    (tmp_path / "rates.csv").write_text("run,step,lr\na,1,3e-4\na,20,1e-4\nb,1,3e-4\nb,20,3e-4\n")
    asked = ["schedules", tmp_path / "curves.csv", tmp_path / "rates.csv"]
    code, out, err = run(*asked, "--out", tmp_path / "made.csv")
    assert (code, out) == (2, "")
    assert "or say --between hold" in err
    code, out, err = run(*asked, "--out", tmp_path / "made.csv", "--between", "line", "--no-pieces")
    assert (code, err) == (0, "")
    assert "6" not in out.partition("rows")[0].partition("made.csv")[2]
    assert list(pd.read_csv(tmp_path / "made.csv").columns[3:]) == ["S1", "S2"]
