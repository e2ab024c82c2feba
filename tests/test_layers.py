"""The direction of imports, and the size of files and functions, read from the syntax trees.

A file imports from the lines of `LAYERS` above its own, and from its own package; units in one
line do not know each other. A new file is given a place there, which keeps the package free of
cycles.
"""

import ast
from functools import lru_cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = """
_arviz _blas _compile_cache _errors _progress centring gammas powers roots stats
_x64 distributions law_symbols
_files _registry _scan _signature prior quantity symbols references
spec study_spec equation
axes kept_traces mixing schedules
levels text_law models
data
build study_tables
arguments resolve identify curves families
pointwise infer
posterior
storage published
fitting fitting_many
law_draws law_coordinates scales simulation
law_on_rows
extrapolation calibration prior_check recovery
error_draws
backtesting forecasting
by_family decisions stacking chaining latent
replication baselines
bootstrapping martingales
comparing
law_text
catalogue
laws_page
plots
records rounding
reporting
quickstart
bench
PUBLIC
cli
__main__
"""
# The few imports against the direction, each inside a function, with its reason.
EXCEPTIONS = {
    ("posterior", "storage"),  # the method Fit.save
    ("resolve", "models"),  # the default prior of the scatter
}
KNOWN_TO_MODELS = {
    "centring",
    "spec",
    "mixing",
    "schedules",
    "study_spec",
    "prior",
    "distributions",
    "gammas",
    "roots",
}
SAMPLES = {"build", "models.pooling", "models.observation", "bench.by_hand", "latent.model"}
MAX_FILE, MAX_FUNCTION, MEDIAN_FUNCTION = 320, 60, 10


PUBLIC = "PUBLIC"  # the package itself, whose surface names everything


def rank_of():
    lines = LAYERS.strip().splitlines()
    return {unit: rank for rank, line in enumerate(lines) for unit in line.split()}


def sources():
    """Module name, without ``bayes_scaling``, to its file."""
    folders = {ROOT / "bayes_scaling": (), ROOT / "models": ("models",)}
    found = {}
    for folder, prefix in folders.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (*prefix, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(parts).removesuffix(".__init__")] = path
    del found["__init__"]
    return found


FILES = sources()
UNITS = sorted({name.partition(".")[0] for name in FILES})


@lru_cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    """Modules of ours that a file imports, with whether it does so while it is loaded."""
    tree = tree_of(path)
    inner = {id(n) for f in ast.walk(tree) if isinstance(f, FUNCTION) for n in ast.walk(f)}
    for node in ast.walk(tree):
        for name in _imported(node):
            if name.partition(".")[0] == "bayes_scaling":
                yield (
                    name.removeprefix("bayes_scaling").lstrip(".") or PUBLIC,
                    id(node) not in inner,
                )


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "write imports in full"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        modules = [n for n in names if n.removeprefix("bayes_scaling.") in FILES]
        return modules or [node.module or ""]
    return []


@pytest.mark.parametrize("unit", UNITS)
def test_every_module_has_its_place(unit):
    assert unit in rank_of(), f"give {unit} a place in LAYERS"


def test_every_place_has_its_module():
    assert sorted({*rank_of()} - {PUBLIC}) == UNITS


@pytest.mark.parametrize("name", FILES)
def test_imports_go_one_way(name):
    rank, own = rank_of(), name.partition(".")[0]
    for target, at_load in imports(FILES[name]):
        unit = target.partition(".")[0]
        allowed = unit == own or rank[unit] < rank[own]
        lazy = not at_load and (own, unit) in EXCEPTIONS
        assert allowed or lazy, f"{name} imports {target}"


def test_the_exceptions_are_needed():
    seen = {
        (name.partition(".")[0], t.partition(".")[0])
        for name in FILES
        for t, _ in imports(FILES[name])
    }
    assert seen >= EXCEPTIONS


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("models")])
def test_the_catalogue_imports_only_records_and_itself(name):
    targets = {target for target, _ in imports(FILES[name])}
    assert {t.partition(".")[0] for t in targets} - {"models"} <= KNOWN_TO_MODELS


def test_the_engine_finds_laws_by_name_alone():
    for name, path in FILES.items():
        if not name.startswith("models"):
            targets = {target for target, _ in imports(path) if target.startswith("models")}
            assert targets <= {"models.priors"}, name


def test_statistics_import_nothing_of_ours():
    for name, path in FILES.items():
        if name.startswith("stats"):
            assert all(target.startswith("stats") for target, _ in imports(path)), name


@pytest.mark.parametrize("name", FILES)
def test_only_builders_sample(name):
    calls = {
        node.attr
        for node in ast.walk(tree_of(FILES[name]))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "numpyro"
    }
    names = [n for node in ast.walk(tree_of(FILES[name])) for n in _imported(node)]
    assert name in SAMPLES or not {"sample", "plate", "factor"} & calls
    assert not {"numpyro.sample", "numpyro.plate"} & set(names)


# --- sizes ---------------------------------------------------------------------------------


def functions(path):
    """Every function of a file with its number of lines, docstring left out."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                text = node.body[0]
                lines -= (text.end_lineno or 0) - text.lineno + 1
            yield node.name, lines


@pytest.mark.parametrize("name", FILES)
def test_files_and_functions_are_short(name):
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= MAX_FILE
    long = {f: lines for f, lines in functions(FILES[name]) if lines > MAX_FUNCTION}
    assert not long


def test_functions_are_short_as_a_rule():
    lengths = [lines for path in FILES.values() for _, lines in functions(path)]
    assert median(lengths) < MEDIAN_FUNCTION
