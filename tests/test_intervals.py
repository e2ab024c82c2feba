"""Three methods side by side: the table, the picture and the command."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from command_line import run
from test_baseline import power_table

import bayes_scaling as bs
from bayes_scaling.comparing import _fitted, _known_rows, _tidy
from bayes_scaling.resolve import resolve

LAW = "power_law(N)"


@pytest.fixture(scope="module")
def fit():
    return bs.fit(power_table(24), LAW, progress=False)


@pytest.fixture(scope="module")
def new():
    more = power_table(8, seed=1)
    return bs.read_runs({"N": 30 * more["N"], "L": 30**-0.3 * more["L"]})


@pytest.fixture(scope="module")
def found(fit, new):
    return bs.compare_intervals(fit, new, replicates=200)


def test_the_table_has_every_method_at_every_point(found, new):
    t = found.table
    assert list(t.columns[:2]) == ["method", "point"]
    assert t.groupby("method").size().to_dict() == dict.fromkeys(
        ["bootstrap", "martingale", "posterior"], 8
    )
    assert (t["run_90_low"] < t["run_50_low"]).all()
    assert (t["run_50_low"] < t["run_50_high"]).all()
    inside = (t["actual"] >= t["run_90_low"]) & (t["actual"] <= t["run_90_high"])
    assert (inside == t["inside_90"].astype(bool)).all()
    assert (t.loc[t["method"] == "martingale", "actual"].to_numpy() == new.values["L"]).all()


def test_each_methods_rows_are_its_own_forecast(fit, found, new):
    bands = ["median", "law_90_low", "run_50_high"]
    for name, each in found.baselines.items():
        rows = found.table.loc[found.table["method"] == name, bands]
        assert np.array_equal(rows, each.forecast(new)[bands])
    rows = found.table.loc[found.table["method"] == "posterior", bands]
    assert np.array_equal(rows, bs.forecast(fit, new).table[bands])


def test_the_methods_agree_where_the_data_say_enough(found):
    scores = found.scores()
    assert list(scores.index) == ["posterior", "bootstrap", "martingale"]
    assert (scores["coverage_90"] >= 0.5).all()
    assert scores["width_90"].max() < 2 * scores["width_90"].min()
    medians = found.table.pivot(index="point", columns="method", values="median")
    assert (medians.std(axis=1) / medians.mean(axis=1)).max() < 0.05


def test_a_family_without_runs_is_known_to_the_posterior_alone():
    columns = {**power_table(24), "family": ["a", "b"] * 12}
    own = bs.baseline(bs.read_runs(columns, group="family"), LAW, replicates=20)
    points = pd.DataFrame({"N": [1e9, 1e9], "family": ["mine", "a"]})
    like = own.forecast({"N": [1e9, 1e9], "family": ["a", "b"]}, 0.9)
    table = _known_rows(own, points, (0.9,), like)
    assert table["run_90_low"].isna().tolist() == [True, False]
    assert table["median"][1] == like["median"][0]
    inside = _tidy("bootstrap", table, np.array([0.08, like["median"][0]]), (0.9,))["inside_90"]
    assert inside.isna()[0]
    assert inside[1]


def test_a_method_that_cannot_be_had_is_left_out_with_its_reason():
    runs = bs.read_runs(power_table(3))
    few = SimpleNamespace(runs=runs, spec=resolve(runs, LAW))
    found, notes = _fitted(few, 20, 0)
    assert set(found) == {"bootstrap"}
    assert {n.code for n in notes} == {"no_martingale", "few_runs"}
    assert "needs 4 runs" in str(notes[-1])


def test_responses_must_fit_the_points(fit):
    with pytest.raises(bs.ForecastError, match="actual has 1 values for 2 points"):
        bs.compare_intervals(fit, {"N": [1e9, 1e10]}, actual=[0.1])


def test_the_picture_has_a_panel_a_method(found):
    figure = bs.plot_intervals(found)
    titles = [axis.get_title() for axis in figure.axes]
    assert [t.split(":")[0] for t in titles] == ["posterior", "bootstrap", "martingale"]
    held = found.table.loc[found.table["method"] == "bootstrap", "inside_90"]
    assert titles[1] == f"bootstrap: {int(held.sum())} of 8 inside 90%"
    assert len({axis.get_ylim() for axis in figure.axes}) == 1
    plain = bs.plot_intervals(replace(found, new=None), prob=0.5)
    assert [axis.get_title() for axis in plain.axes] == ["posterior", "bootstrap", "martingale"]
    with pytest.raises(bs.SpecError, match="no run of"):
        bs.plot_intervals(found, family="c")


def test_the_command_prints_the_methods_and_what_they_held(tmp_path):
    path, ahead, scores = (tmp_path / n for n in ("runs.csv", "ahead.csv", "out.csv"))
    pd.DataFrame(power_table(24)).to_csv(path, index=False)
    pd.DataFrame(power_table(4, seed=1)).to_csv(ahead, index=False)
    argv = ["baseline", path, "--law", LAW, "--replicates", "50"]
    code, out, _ = run(*argv, "--at", "N=1e11", "--at", "N=2e11")
    assert code == 0
    assert out.count("posterior ") >= 2
    assert out.count("martingale ") >= 2
    assert "nan" not in out
    code, out, _ = run(*argv, "--at-file", ahead, "--out", scores, "--json")
    record = json.loads(out)
    assert code == 0
    assert len(record["table"]) == len(pd.read_csv(scores)) == 12
    assert {row["method"] for row in record["scores"]} == {"posterior", "bootstrap", "martingale"}
    assert record["table"][0]["inside_90"] in (True, False)
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert "no point is given" in err
