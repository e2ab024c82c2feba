import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from command_line import run

import bayes_scaling
from bayes_scaling import storage
from bayes_scaling._errors import Note
from bayes_scaling.cli.app import ORDER
from bayes_scaling.cli.shell_words import for_shell, quoted_labels
from bayes_scaling.posterior import with_notes
from bayes_scaling.rounding import rounded

HELD_OUT = ["Cerebras-GPT-13B", "Cerebras-GPT-muP-2.7B", "Pythia-12B"]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A window of known width, whatever runs the tests."""
    monkeypatch.setenv("COLUMNS", "120")


def shell(*argv, **more):
    """Run a command as a process of its own."""
    command = [sys.executable, "-m", "bayes_scaling", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def contents(folder):
    return {p.name: p.read_bytes() for p in sorted(Path(folder).iterdir()) if p.is_file()}


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """One small quick-start: its folder, its JSON record and its standard error."""
    folder = tmp_path_factory.mktemp("tour") / "quickstart"
    code, out, err = run("quickstart", "--out", folder, "--draws", "100", "--json")
    return folder, code, json.loads(out), err


@pytest.fixture
def fit_file(tour):
    return tour[0] / "fit.nc"


@pytest.fixture
def here(tmp_path, monkeypatch, tour):
    """A folder with a table of runs, a saved fit and files that must not change."""
    monkeypatch.chdir(tmp_path)
    Path("runs.csv").write_bytes((tour[0] / "quickstart.csv").read_bytes())
    Path("fit.nc").write_bytes((tour[0] / "fit.nc").read_bytes())
    Path("notes.csv").write_text("colour,shape\nred,round\n")
    Path("points.csv").write_text("N,D,L\n70B,1.4T,2.0\n")
    Path("mine").mkdir()
    Path("mine/fit.nc").write_text("somebody's work")
    return tmp_path


# --- what every command has ----------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *ORDER])
def test_help_has_examples(command):
    code, out, err = run(*([command] if command else []), "--help")
    assert (code, err) == (0, "")
    assert re.search(r"Examples:\n\s+bayes-scaling ", out)
    assert "--json" in out or not command


def test_no_command_shows_help():
    assert run() == run("--help")


def test_version_is_the_package_s():
    assert run("--version") == (0, f"bayes-scaling {bayes_scaling.__version__}\n", "")
    code, out, _ = run("version", "--json")
    assert code == 0
    assert json.loads(out)["bayes_scaling"] == bayes_scaling.__version__


def test_help_loads_nothing_heavy():
    code = "import sys; from bayes_scaling.cli import main; main(['fit', '--help'])"
    heavy = "sorted({'jax', 'pandas', 'matplotlib', 'rich', 'arviz_stats'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}; print({heavy}, file=sys.stderr)"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stderr.strip() == "[]"


# --- quickstart ----------------------------------------------------------------------------


def test_quickstart_writes_its_three_files_and_says_what_it_does(tour):
    folder, code, record, err = tour
    assert code == (3 if record["fit"]["diagnosis"]["severity"] == "error" else 0)
    assert sorted(p.name for p in folder.iterdir()) == [
        "fit.nc", "quickstart.csv", "quickstart.png"]  # fmt: skip
    assert (folder / "quickstart.png").read_bytes().startswith(b"\x89PNG")
    assert "20 published losses of 3 families; 3 held out" in err
    assert "warm-up ..." in err


def test_quickstart_forecasts_the_largest_run_of_each_family(tour):
    held_out = tour[2]["held_out"]
    assert [row["model"] for row in held_out] == HELD_OUT
    for row in held_out:
        assert row["run_90_low"] < row["run_50_low"] < row["median"] < row["run_50_high"]
        assert row["run_50_high"] < row["run_90_high"]
        assert row["inside_90"] == (row["run_90_low"] <= row["actual"] <= row["run_90_high"])
        assert row["median"] == pytest.approx(row["actual"], rel=0.06)


def test_quickstart_lists_the_runs_with_their_role(tour):
    table = pd.read_csv(tour[0] / "quickstart.csv")
    assert list(table.loc[table["role"] == "held out", "model"]) == HELD_OUT
    assert (table["role"] == "fit").sum() == tour[2]["fit"]["rows"] == 17


def test_quickstart_replaces_only_a_former_quickstart(here):
    before = contents(here / "mine")
    code, out, err = run("quickstart", "--out", "mine")
    assert (code, out) == (2, "")
    assert (
        err == "error: 'mine/fit.nc' exists and is not of a quick-start: choose another folder.\n"
    )
    assert contents(here / "mine") == before


def test_quickstart_knows_its_own_files(fit_file, here):
    from bayes_scaling.quickstart import is_quickstart

    assert is_quickstart(fit_file)
    assert not is_quickstart(here / "mine" / "fit.nc")
    assert not is_quickstart(here / "absent.nc")


# --- laws, check ---------------------------------------------------------------------------


def test_laws_are_listed_and_described():
    assert "generalized_chinchilla" in run("laws")[1]
    assert "gadre" not in run("laws", "--topic", "one covariate")[1]
    assert "E + A * N**-alpha" in run("laws", "chinchilla")[1]
    assert json.loads(run("laws", "chinchilla", "--json")[1])["name"] == "chinchilla"
    assert len(json.loads(run("laws", "--json")[1])) >= 8


def test_check_shows_what_is_read(here):
    reading = ["runs.csv", "--group", "family", "--column", "N=params_non_embed"]
    code, out, err = run("check", *reading, "--law", "chinchilla")
    assert (code, err) == (0, "")
    assert re.search(r"N +parameters +params_non_embed +parameters +18.9M +12.6B", out)
    assert re.search(r"C +training compute +\(computed\)", out)
    assert "Cerebras-GPT-muP (5)" in out
    assert "few_families" in out
    record = json.loads(run("check", *reading, "--where", "role=fit", "--json")[1])
    assert record["rows"] == 17
    assert record["groups"]["family"]["Pythia"] == 7


def test_check_tells_what_a_law_cannot_learn(here):
    code, out, _ = run("check", "runs.csv", "--where", "family=Pythia", "--law", "chinchilla")
    assert code == 0
    assert "unidentified" in out
    assert "every parameter changes the curve" not in out


def test_where_keeps_any_of_several_values(here):
    some = run("check", "runs.csv", "--json", "--where", "family=Pythia",
               "--where", "family=Cerebras-GPT")  # fmt: skip
    assert json.loads(some[1])["rows"] == 15


# --- fit, show, forecast -------------------------------------------------------------------


def test_the_fit_that_quickstart_proposes_is_its_own(here, tour):
    code, out, err = run(
        "fit", "runs.csv", "--column", "N=params_non_embed", "--group", "family", "--pool",
        "A=shared", "--pool", "B=shared", "--target-accept", "0.97", "--where", "role=fit",
        "--draws", "100", "--out", "again.nc", "--json",
    )  # fmt: skip
    record = json.loads(out)
    assert code == tour[1]
    assert record["saved"] == "again.nc"
    assert "fitting 17 runs" in err
    same = zip(record["posterior"], tour[2]["fit"]["posterior"], strict=True)
    assert all(a["name"] == b["name"] for a, b in same)
    assert record["posterior"][0]["median"] == pytest.approx(
        tour[2]["fit"]["posterior"][0]["median"]
    )


def test_show_says_how_the_fit_was_made(fit_file):
    code, out, err = run("show", fit_file)
    assert code in (0, 3)
    assert err == ""
    for part in ("E[Pythia]", "Verdict:", "A * N**-alpha", "student_t_log", "seed 0", "jax"):
        assert part in out
    made = json.loads(run("show", fit_file, "--json")[1])["made"]
    assert made["settings"]["draws"] == 100
    assert made["parameters"][1]["prior_of"] == "A * N**-alpha"


def test_forecast_takes_numbers_as_people_write_them(fit_file):
    code, out, _ = run("forecast", fit_file, "--at", "N=70B,D=1.4T,family=Pythia", "--json",
                       "--at", "N=70e9,C=588e21,family=newcomer", "--prob", "0.8")  # fmt: skip
    record = json.loads(out)
    first, second = record["table"]
    assert code in (0, 3)
    assert second["D"] == pytest.approx(first["D"])
    assert (first["new_family"], second["new_family"]) == (False, True)
    assert {"law_80_low", "run_80_high"} <= set(first)
    assert "law_90_low" not in first
    assert {"new_family"} <= {note["code"] for note in record["notes"]}


def test_forecast_reads_points_and_writes_a_table(here):
    Path("points.csv").write_text("params,tokens,family,remark\n70B,1.4T,Pythia,x\n7B,2T,new,y\n")
    code, out, _ = run("forecast", "fit.nc", "--at-file", "points.csv", "--out", "ahead.csv")
    assert code in (0, 3)
    assert "Wrote ahead.csv." in out
    table = pd.read_csv("ahead.csv")
    assert list(table["N"]) == [70e9, 7e9]
    assert (table["law_90_low"] < table["median"]).all()


def test_forecast_never_replaces_a_file_unasked(here):
    Path("ahead.csv").write_text("mine")
    at = ["--at", "N=7B,D=2T,family=new", "--out", "ahead.csv"]
    assert run("forecast", "fit.nc", *at)[0] == 2
    assert Path("ahead.csv").read_text() == "mine"
    assert run("forecast", "fit.nc", *at, "--force")[0] in (0, 3)
    assert Path("ahead.csv").read_text() != "mine"


# --- printing ------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_no_number_is_lost_in_a_narrow_window(fit_file, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    at = ["--at", "N=70B,D=1.4T,family=Pythia"]
    row = json.loads(run("forecast", fit_file, *at, "--json")[1])["table"][0]
    out = run("forecast", fit_file, *at)[1]
    assert f"{row['run_90_low']:.3f}..{row['run_90_high']:.3f}" in out
    assert "…" not in out


def test_plain_pipes_get_plain_text(here, tour):
    os.rename("runs.csv", "[red]runs.csv")
    more = {"env": {**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "ascii"}}
    done = shell("check", "[red]runs.csv", "--group", "family", **more)
    assert (done.returncode, done.stderr) == (0, "")
    assert "[red]runs.csv: 20 runs" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_reader_that_leaves_early_is_no_fault():
    pipe = f"{sys.executable} -m bayes_scaling laws | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_posteriors_are_rounded_to_their_error():
    assert rounded([1.69342, 1.5, 1.812], 0.004) == ["1.693", "1.500", "1.812"]
    assert rounded([406.4, 12.0, 9311.0], 40.0) == ["4.1e+02", "12", "9.3e+03"]
    assert rounded([0.0, -0.1, 0.1], 0.01) == ["0.000", "-0.100", "0.100"]


def test_messages_speak_the_shell_s_language():
    assert (
        for_shell("pass columns={'N': 'size', 'lr': None}") == "pass --column N=size --column lr="
    )
    assert for_shell("units={'N': 1e9} or response='bpb'") == "--unit N=1e9 or --response bpb"
    assert for_shell("pool={'A': 'partial'}, draws=2000") == "--pool A=partial, --draws 2000"
    assert for_shell("maximise=False, limits={'D': 1e12}") == "--minimise, --limit D=1e12"
    assert quoted_labels("N=7B, size=7B", ["size"]) == "N=7B, size='7B'"


# --- exit codes ----------------------------------------------------------------------------

FIT = ["fit", "runs.csv", "--out", "new.nc"]
AHEAD = ["forecast", "fit.nc", "--at"]
BAD = [
    (["fti"], "Did you mean 'fit'"),
    (["fit"], "Missing argument"),
    (["laws", "--sort"], "No such option"),
    (["fit", "nope.csv"], "exists already"),
    ([*FIT, "--chains", "0"], "--chains"),
    ([*FIT, "--draws", "many"], "--draws"),
    (["fit", "nope.csv", "--out", "new.nc"], "was not found"),
    (["fit", "runs.csv", "--out", "no/such/fit.nc"], "choose a folder"),
    (["fit", "runs.csv", "--out", "mine"], "is a folder"),
    (["fit", "notes.csv", "--out", "new.nc"], "no column is recognised as the loss"),
    ([*FIT, "--law", "chinchila"], "Did you mean 'chinchilla'"),
    ([*FIT, "--law", "[bold]x[/bold]"], "[bold]x"),
    ([*FIT, "--pool", "alpha=partail"], "Did you mean 'partial'"),
    ([*FIT, "--pool", "zeta=partial"], "no parameter 'zeta'"),
    ([*FIT, "--prior", "E"], "NAME=VALUE"),
    ([*FIT, "--prior", "E=lognormal(1,2)"], "takes 3 number(s)"),
    ([*FIT, "--prior", "Q=normal(0,1)"], "'Q'"),
    ([*FIT, "--prior", "E=1", "--prior", "E=2"], "twice"),
    ([*FIT, "--noise", "gauss"], "observation model"),
    ([*FIT, "--noise-by-family"], "--group"),
    ([*FIT, "--noise-trend", "Z"], "not a covariate"),
    ([*FIT, "--input", "V"], "--equation"),
    ([*FIT, "--equation", "E + A*N**-a", "--law", "kaplan"], "exclude each other"),
    ([*FIT, "--equation", "E + __import__('os').system('x')"], ""),
    ([*FIT, "--equation", "E + A*Q**-a"], "names no input"),
    ([*FIT, "--group", "famly"], "famly"),
    ([*FIT, "--column", "N"], "NAME=VALUE"),
    ([*FIT, "--column", "N=nope"], "nope"),
    ([*FIT, "--unit", "N=large"], "is not a number"),
    ([*FIT, "--where", "role=none"], "no row"),
    (["check", "notes.csv"], "no column is recognised"),
    (["check", "runs.csv", "--law", "power_law"], "power_law(N)"),
    (["show", "absent.nc"], "no fit at"),
    (["show", "runs.csv"], "not a readable fit"),
    (["forecast", "fit.nc"], "no point is given"),
    ([*AHEAD, "N=70B,family=Pythia"], "'D' is missing"),
    ([*AHEAD, "N=70B,D=1T"], "family is missing"),
    ([*AHEAD, "N=lots,D=1T,family=Pythia"], "'N' holds text"),
    ([*AHEAD, "N=70B,D=1T,famly=Pythia"], "Did you mean 'family'"),
    ([*AHEAD, "70B"], "has no '='"),
    ([*AHEAD, "N=-7,D=1T,family=x"], "must be positive"),
    ([*AHEAD, "N=7B,D=1T,family=x", "--prob", "2"], "--prob"),
    ([*AHEAD, "N=7B,D=1T,family=x", "--out", "runs.csv"], "exists already"),
    (["forecast", "fit.nc", "--at-file", "absent.csv"], "was not found"),
    (["forecast", "fit.nc", "--at-file", "points.csv"], "family is missing"),
    (["laws", "nope"], "unknown law"),
    (["laws", "--topic", "nope"], "no law has the topic"),
    (["quickstart", "--out", "runs.csv"], "cannot make the folder"),
]


@pytest.mark.parametrize(("argv", "told"), BAD, ids=[" ".join(argv) for argv, _ in BAD])
def test_bad_input_is_one_line_and_touches_nothing(here, argv, told):
    before = contents(here)
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert told in err
    assert "Traceback" not in err
    assert contents(here) == before


def test_bad_input_of_a_process_is_one_line(here):
    done = shell("fit", "nope.csv", "--out", "new.nc")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_fit_that_failed_its_checks_exits_with_3(here):
    bad = with_notes(storage.load("fit.nc"), (Note("made_up", "error", "for this test."),))
    bad.save("bad.nc")
    assert run("show", "bad.nc")[0] == 3
    code, out, _ = run("forecast", "bad.nc", "--at", "N=7B,D=1T,family=x", "--json")
    assert code == 3
    assert "bad_fit" in {note["code"] for note in json.loads(out)["notes"]}


def _raise(error):
    def load(path):
        raise error

    return load


def test_a_fault_of_the_package_is_one_line_and_can_be_traced(monkeypatch):
    monkeypatch.setattr(storage, "load", _raise(RuntimeError("boom\nand more")))
    monkeypatch.delenv("BAYES_SCALING_DEBUG", raising=False)
    code, out, err = run("show", "x.nc")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "RuntimeError: boom and more" in err
    assert "please report" in err
    monkeypatch.setenv("BAYES_SCALING_DEBUG", "1")
    code, _, err = run("show", "x.nc")
    assert code == 1
    assert "Traceback" in err


def test_an_interrupt_exits_with_130(monkeypatch):
    monkeypatch.setattr(storage, "load", _raise(KeyboardInterrupt()))
    assert run("show", "x.nc") == (130, "", "interrupted\n")
