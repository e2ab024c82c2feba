"""The commands that decide: what they print, their JSON and their faults."""

import json

import pandas as pd
import pytest
from command_line import run
from fitted import small_fit

import bayes_scaling as bs


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture(scope="module")
def fit_file(tmp_path_factory):
    return small_fit().save(tmp_path_factory.mktemp("fit") / "fit.nc")


def test_allocate_prints_the_table_of_the_library(fit_file, tmp_path):
    asked = ("allocate", fit_file, "--budget", "1e21", "--family", "a")
    out_file = tmp_path / "allocation.csv"
    code, out, err = run(*asked, "--off", "0.5", "--out", out_file)
    assert (code, err) == (0, "")
    known = bs.allocate(small_fit(), 1e21, family=["a"])
    assert "Allocation of C = 6 N D by chinchilla" in out
    assert known.texts()["N"][0] in out
    assert "Cost of another size" in out
    assert "x 0.5" in out
    pd.testing.assert_frame_equal(pd.read_csv(out_file), known.table, check_dtype=False)
    record = json.loads(run(*asked, "--off", "0.5", "--json")[1])
    assert record["table"][0]["N"] == pytest.approx(known.table["N"][0])
    assert record["off_optimum"][0]["factor"] == 0.5


def test_allocate_takes_limits_and_served_tokens(fit_file):
    code, out, _ = run(
        "allocate", fit_file, "--budget", "1e23", "--family", "a", "--inference-tokens", "1T",
        "--limit", "D=0.5T", "--json",
    )  # fmt: skip
    known = bs.allocate(
        small_fit(), 1e23, family="a", inference_tokens=1e12, limits={"D": 5e11}
    ).table.iloc[0]
    row = json.loads(out)["table"][0]
    assert code == 0
    assert row["D"] == pytest.approx(known["D"])
    assert row["at_limit"] == known["at_limit"]


def test_target_gives_the_probability_within_a_budget(fit_file):
    asked = ("target", fit_file, "--loss", "2.2", "--loss", "1.6", "--family", "a")
    code, out, _ = run(*asked, "--budget", "1e22")
    assert code == 0
    assert "within 1e+22" in out
    assert "inf" in out
    assert "[warning] unreachable" in out
    record = json.loads(run(*asked, "--json")[1])
    assert record["table"][1]["C_90_high"] is None
    assert record["table"][1]["unreachable"] > 0.5
    assert {note["code"] for note in record["notes"]} >= {"unreachable"}


def test_optimum_of_an_input(fit_file):
    code, out, _ = run("optimum", fit_file, "--over", "N", "--at", "C=1e21", "--family", "a")
    assert code == 0
    assert "Best N by chinchilla at C = 1e+21" in out
    assert "N within 0.005" in out


def test_compare_prints_both_tables(fit_file):
    asked = ("compare", fit_file, "--family", "a", "--family", "b", "--budget", "1e21")
    code, out, _ = run(*asked)
    assert code == 0
    assert "multiplier over 'a'" in out
    assert "Where each changes places with 'a'" in out
    record = json.loads(run(*asked, "--json")[1])
    assert [row["recipe"] for row in record["table"]] == ["a", "b"]
    assert record["crossings"][0]["crosses"] == 0.0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("allocate", "--budget", "much"), "'much' is not a number"),
        (("allocate", "--budget", "1e21", "--fixed", "U=1B"), "fixed names 'U', which is not"),
        (("allocate", "--budget", "1e21", "--limit", "D"), "--limit 'D': write it as NAME=VALUE"),
        (("allocate", "--budget", "1e21", "--limit", "D=1..x"), "'x' is not a number"),
        (("allocate", "--budget", "1e21", "--limit", "D=1B", "--limit", "N=1B"), "cannot be spent"),
        (("target", "--loss", "2", "--family", "a", "--budget", "-1"), "a budget C is -1"),
        (("optimum", "--over", "lr"), "'lr' is no input of law 'chinchilla'"),
        (("compare", "--family", "a"), "there are not two recipes to compare"),
        (("compare", "--between", "1e20"), "--between '1e20': write it as LOW..HIGH"),
    ],
)
def test_faults_are_one_line_and_exit_with_2(fit_file, argv, message):
    code, out, err = run(argv[0], fit_file, *argv[1:])
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
