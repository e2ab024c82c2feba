"""Studies fitted again: on a table whose truth is known, on a published one, as a command."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from command_line import run

import bayes_scaling as bs
from bayes_scaling._registry import STUDIES
from bayes_scaling.published import beside, derived, verdict
from bayes_scaling.replication import replicated, score

TRUTH = {"A": 30.0, "alpha": 0.12}
NOISE = 0.004


def _rows(table):
    return table[table["params"] > 1e6]


STUDY = bs.Study(
    "made_up",
    _rows,
    law="power_law(N)",
    table="made/up.csv",
    published=(
        bs.Published("alpha", TRUTH["alpha"]),
        bs.Published("log(A)", float(np.log(TRUTH["A"]))),
        bs.Published("alpha", 0.2),
        bs.Published("alpha", 0.2, low=0.1, high=0.3),
        bs.Published("alpha", 0.2, kind="mem"),
    ),
    base=bs.Base("mape", 1.0, "nobody"),
    note="invented",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with the table of the made-up study; the smallest run is no part of it."""
    rng = np.random.default_rng(5)
    size = np.geomspace(1e5, 1e10, 40)
    loss = TRUTH["A"] * size ** -TRUTH["alpha"] * np.exp(NOISE * rng.normal(size=40))
    loss[size <= 1e6] *= 2
    role = np.where(size > 2e9, "forecast", "fit")
    folder = tmp_path_factory.mktemp("data")
    (folder / "made").mkdir()
    table = pd.DataFrame({"params": size, "loss": loss, "role": role})
    table.to_csv(folder / "made" / "up.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def found(data):
    return replicated(STUDY, data, progress=False)


def test_the_truth_is_in_and_another_value_out(found):
    assert list(found.parameters["verdict"]) == ["in", "in", "out", "near", "mem"]
    row = found.parameters.iloc[0]
    assert row["low"] < row["median"] < row["high"]
    # Half the width against the closed form of a slope in log-log, sigma / sqrt(sum of squares).
    x = np.log(np.geomspace(1e5, 1e10, 40)[8:])
    wanted = 1.96 * NOISE / np.sqrt(np.sum((x - x.mean()) ** 2))
    assert (row["high"] - row["low"]) / 2 == pytest.approx(wanted, rel=0.5)


def test_constants_and_forecast_have_fits_of_their_own(found):
    assert set(found.fits) == {"constants", "forecast"}
    assert found.fits["constants"].runs.n == 32
    assert found.fits["forecast"].runs.n == 26


def test_the_forecast_is_scored(found):
    scores = found.scores
    assert scores["runs"] == 6
    assert 0 < scores["mape"] < 3 * 100 * NOISE
    assert 0 < scores["law_mape"] < 3 * 100 * NOISE
    assert abs(scores["bias"]) <= scores["mape"]
    assert scores["r2"] > 0.9
    assert scores["coverage_90"] >= 4 / 6
    assert (scores["base_metric"], scores["base"]) == ("mape", 1.0)
    assert "invented" in str(found)


def test_one_fit_where_both_are_of_the_same_rows(data):
    again = replicated(replace(STUDY, constants=STUDY.fitted), data, progress=False)
    assert list(again.fits) == ["constants"]
    assert again.scores


def test_scores_are_those_of_their_definitions():
    table = pd.DataFrame({"median": [2.2, 4.0], "run_90_low": [2.1, 3], "run_90_high": [3, 5]})
    found = score(table, np.array([2.0, 5.0]))
    assert found["mape"] == pytest.approx(100 * (0.1 + 0.2) / 2)
    assert found["bias"] == pytest.approx(100 * (0.1 - 0.2) / 2)
    assert found["rmse"] == pytest.approx(np.sqrt((0.04 + 1) / 2))
    assert found["r2"] == pytest.approx(1 - 1.04 / 4.5)
    assert found["coverage_90"] == 0.5
    assert np.isnan(score(table, np.array([0.0, 0.0]))["mape"])


@pytest.mark.parametrize(
    ("interval", "kind", "said"),
    [((0.9, 1.1), "src", "in"), ((1.1, 2), "src", "near"), ((1.3, 2), "src", "out"),
     ((0.9, 1.1), "rerun", "in"), ((0.9, 1.1), "mem", "mem")],
)  # fmt: skip
def test_verdicts(interval, kind, said):
    assert verdict(bs.Published("E", 1.0, low=0.8, high=1.2, kind=kind), *interval) == said


@pytest.mark.parametrize(
    ("value", "decimals", "interval", "said"),
    [(0.17, 2, (0.1723, 0.1768), "near"), (0.17, 2, (0.1753, 0.18), "out"),
     (0.17, None, (0.1703, 0.18), "out"), (570, -1, (570.5, 576), "near"),
     (570, -1, (575.5, 580), "out"), (570, 0, (570.6, 576), "out"), (0.17, 2, (0.16, 0.18), "in")],
)  # fmt: skip
def test_a_rounded_value_is_known_to_half_a_unit_of_its_last_place(value, decimals, interval, said):
    assert verdict(bs.Published("E", value, decimals=decimals), *interval) == said


def test_expressions_are_evaluated_draw_by_draw(found):
    fit = found.fits["constants"]
    draws = fit.samples
    wanted = np.log(draws["A"]) / draws["alpha"]
    np.testing.assert_allclose(derived(fit, "log(A) / alpha"), wanted, rtol=1e-12)
    with pytest.raises(bs.SpecError, match="no single value"):
        derived(fit, "beta")


def test_a_study_is_entered_once_and_checked():
    entry = bs.study(law="chinchilla", table="a/b.csv", name="made_up_here")(_rows)
    try:
        assert STUDIES.get("made_up_here") is entry
        with pytest.raises(bs.LawError, match="exists already"):
            bs.study(law="chinchilla", table="a/b.csv", name="made_up_here")(_rows)
    finally:
        STUDIES.discard("made_up_here")
    with pytest.raises(bs.SpecError, match="kinds"):
        bs.study(published=(bs.Published("E", 1, kind="heard"),))(_rows)
    with pytest.raises(bs.SpecError, match="metric"):
        bs.study(base=bs.Base("luck", 1, "me"))(_rows)
    with pytest.raises(bs.SpecError, match="neither"):
        bs.study(ahead="")(_rows)


def test_studies_are_found_by_name_and_by_law():
    everything = bs.studies()
    assert list(bs.studies("besiroglu")["name"]) == ["besiroglu"]
    assert {"besiroglu", "gemstones"} <= set(bs.studies("chinchilla")["name"])
    assert set(bs.studies("hoffmann_2022")["name"]) == set(bs.studies("chinchilla")["name"])
    assert len(everything) == len(list(STUDIES))
    with pytest.raises(bs.SpecError, match=r"Did you mean 'besiroglu'\?"):
        bs.studies("besiroglou")
    with pytest.raises(bs.SpecError, match="no study of law 'kaplan'"):
        bs.studies("kaplan")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(bs.DataError, match=r"'besiroglu' needs 'chinchilla_epoch/"):
        bs.replicate("besiroglu", data=tmp_path)


def test_besiroglus_constants_are_ours_and_hoffmanns_are_not(shared_data):
    """As they found, on the same 240 runs."""
    (theirs,) = bs.replicate("hoffmann", data=shared_data, progress=False)
    verdicts = theirs.parameters.set_index("of")["verdict"]
    assert {"E", "B", "beta", "beta / (alpha + beta)"} <= set(verdicts.index[verdicts == "out"])
    published = STUDIES.get("besiroglu").published
    assert {beside(each, theirs.fits["constants"])["verdict"] for each in published} == {"in"}
    assert theirs.scores == {}


# --- the command ---------------------------------------------------------------------------


def test_without_data_the_studies_are_listed():
    code, out, err = run("replicate")
    assert (code, err) == (0, "")
    assert {"besiroglu", "gemstones"} <= set(out.split())
    code, out, _ = run("replicate", "tao", "--json")
    assert code == 0
    assert {row["law"] for row in json.loads(out)} == {"tao"}


@pytest.mark.parametrize("argv", [("nothing",), ("besiroglu", "--data", "nowhere")])
def test_faults_are_one_line(argv):
    code, out, err = run("replicate", *argv)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.fixture
def entered():
    """The made-up study among those that are entered."""
    STUDIES.add(STUDY.name, STUDY)
    yield STUDY
    STUDIES.discard(STUDY.name)


def test_the_command_shows_both(entered, data, found):
    code, out, _ = run("replicate", entered.name, "--data", data)
    assert code == 0
    assert "forecast of 6 rows" in out
    assert "to compare (nobody): mape 1" in out
    assert "invented" in out
    code, out, _ = run("replicate", entered.name, "--data", data, "--json")
    (record,) = json.loads(out)
    assert [row["verdict"] for row in record["parameters"]] == list(found.parameters["verdict"])
    assert record["forecast"]["source"] == "nobody"
    assert record["forecast"]["mape"] == pytest.approx(found.scores["mape"], rel=1e-9)
