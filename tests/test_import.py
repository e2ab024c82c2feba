"""What importing costs and touches, seen from a fresh interpreter."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import bayes_scaling

PROBE = """
import json, sys
import bayes_scaling
light = sorted({name.partition(".")[0] for name in sys.modules})
import jax
before = dict(jax.config.values)
from bayes_scaling._registry import LAWS
laws = list(LAWS)
after = dict(jax.config.values)
heavy = sorted({name.partition(".")[0] for name in sys.modules})
changed = [name for name in after if before.get(name) != after[name]]
live = len(jax.live_arrays())
import bayes_scaling.fitting, bayes_scaling.forecasting
fitting = sorted(sys.modules)
print(json.dumps({"light": light, "heavy": heavy, "laws": laws, "changed": changed, "live": live,
                  "fitting": fitting}))
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """What a new interpreter saw, away from the source tree."""
    here = tmp_path_factory.mktemp("away")
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE], cwd=here, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_importing_the_package_loads_nothing_heavy(fresh):
    heavy = {"jax", "numpyro", "numpy", "pandas", "scipy", "sympy", "matplotlib", "typer", "rich"}
    assert not heavy & set(fresh["light"])


def test_loading_the_catalogue_needs_no_sympy_plots_or_shell(fresh):
    assert "chinchilla" in fresh["laws"]
    assert not {"sympy", "matplotlib", "typer", "rich", "pandas"} & set(fresh["heavy"])


def test_loading_the_catalogue_makes_no_arrays_and_changes_no_setting(fresh):
    assert fresh["changed"] == []
    assert fresh["live"] == 0


def test_what_a_fit_imports_while_it_compiles_is_not_imported_before(fresh):
    late = {"arviz_base", "arviz_stats", "scipy.stats", "optax", "matplotlib"}
    assert not late & set(fresh["fitting"])


def test_the_names_that_type_checkers_see_are_those_found_at_run_time():
    tree = ast.parse(Path(bayes_scaling.__file__).read_text(encoding="utf-8"))
    (block,) = (n for n in tree.body if isinstance(n, ast.If))
    typed = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.name == alias.asname, "only `X as X` is exported"
            typed[alias.name] = node.module.removeprefix("bayes_scaling.")
    assert typed == bayes_scaling._HOME_OF


@pytest.mark.parametrize("name", bayes_scaling.__all__)
def test_every_public_name_is_there(name):
    assert getattr(bayes_scaling, name) is not None


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'fitt'"):
        _ = bayes_scaling.fitt
