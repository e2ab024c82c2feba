"""Notebooks: every script runs, and its executed twin is in step with it."""

import os
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))
LARGEST = 1_000_000  # bytes of an executed notebook

# Scripts that take 25 seconds or longer, for most of which XLA compiles, run with the long checks.
LONG = {
    "01_quickstart", "02_pooling", "05_learning_rate", "07_ladder", "08_next_runs", "09_samplers",
    "10_own_law",
}  # fmt: skip

each = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
each_run = pytest.mark.parametrize(
    "script",
    [pytest.param(s, marks=pytest.mark.slow if s.stem in LONG else ()) for s in SCRIPTS],
    ids=lambda path: path.stem,
)


def twin(script):
    return nbformat.read(script.with_suffix(".ipynb"), as_version=4)


def outputs(script):
    return [o for cell in twin(script).cells for o in cell.get("outputs", [])]


def test_there_are_notebooks():
    assert SCRIPTS


@pytest.fixture
def settings(request, script):
    """Few draws, no windows, and the folder of data sets for those that read them."""
    few = {"BAYES_SCALING_NOTEBOOK_DRAWS": "100", "MPLBACKEND": "agg"}
    if "BAYES_SCALING_DATA" not in script.read_text(encoding="utf-8"):
        return few
    return few | {"BAYES_SCALING_DATA": str(request.getfixturevalue("shared_data").resolve())}


@each_run
def test_the_script_runs_with_few_draws(script, settings, tmp_path):
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list(tmp_path.iterdir()), "a notebook leaves no files behind"


@each
def test_script_and_notebook_hold_the_same_cells(script):
    written = jupytext.read(script)
    assert [(c.cell_type, c.source) for c in written.cells] == [
        (c.cell_type, c.source) for c in twin(script).cells
    ]
    assert twin(script).metadata["jupytext"]["formats"] == "ipynb,py:percent"


@each
def test_the_notebook_was_executed_from_top_to_bottom_without_error(script):
    code = [cell for cell in twin(script).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [o for o in outputs(script) if o.output_type == "error"]
    pictures = [o for o in outputs(script) if "image/png" in o.get("data", {})]
    assert pictures


@each
def test_the_notebook_is_small_and_names_no_machine(script):
    assert script.with_suffix(".ipynb").stat().st_size < LARGEST
    texts = [
        o.get("text", "") or str(o.get("data", {}).get("text/plain", "")) for o in outputs(script)
    ]
    assert not [t for t in texts if "site-packages" in t or "/tmp/" in t or "Warning:" in t]
