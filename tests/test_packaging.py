"""What is installed is what is on disk: the list of packages, the wheel, the version, the guard."""

import importlib.util
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version

import pytest

import bayes_scaling

SUFFIXES = (".py", ".csv", ".bib", ".md", ".typed", ".css", ".html", ".js")
NOT_CODE = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")


@pytest.fixture(scope="module")
def project(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def on_disk(repository):
    """Path inside the wheel of every file that belongs there."""
    found = {}
    for folder, inside in (("bayes_scaling", "bayes_scaling"), ("models", "bayes_scaling/models")):
        for path in (repository / folder).rglob("*"):
            if path.is_file() and path.suffix in SUFFIXES:
                found[f"{inside}/{path.relative_to(repository / folder).as_posix()}"] = path
            elif path.name == "py.typed":
                found[f"{inside}/py.typed"] = path
    return found


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """Names of the files in a wheel, built from a copy so that nothing is left in the tree."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, copy)
    for name in ("bayes_scaling", "models", "tests"):
        shutil.copytree(repository / name, copy / name, ignore=NOT_CODE)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"]
    done = subprocess.run(build, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_packages_are_those_on_disk(project, on_disk):
    packages = {
        name.rpartition("/")[0].replace("/", ".") for name in on_disk if name.endswith(".py")
    }
    assert project["tool"]["setuptools"]["packages"] == sorted(packages)
    assert {f"{name.replace('.', '/')}/__init__.py" for name in packages} <= set(on_disk)


def test_the_wheel_holds_every_file_and_nothing_else(wheel, on_disk):
    inside = {name for name in wheel if ".dist-info/" not in name}
    assert inside == set(on_disk)
    assert {"bayes_scaling/py.typed", "bayes_scaling/models/references.bib"} <= inside
    assert any(name.startswith("bayes_scaling/data/") and name.endswith(".csv") for name in inside)


def test_the_wheel_has_its_command_licence_and_metadata(wheel, project):
    info = f"bayes_scaling-{bayes_scaling.__version__}.dist-info"
    assert b"bayes-scaling = bayes_scaling.cli:main" in wheel[f"{info}/entry_points.txt"]
    assert wheel[f"{info}/licenses/LICENSE"]
    metadata = wheel[f"{info}/METADATA"].decode()
    assert f"Requires-Python: {project['project']['requires-python']}" in metadata


def test_one_version(project):
    assert project["project"]["version"] == bayes_scaling.__version__ == version("bayes_scaling")


def test_the_catalogue_cannot_be_imported_twice(repository):
    """From the root of a clone Python can also see a bare ``models``."""
    spec = importlib.util.spec_from_file_location("models", repository / "models" / "__init__.py")
    with pytest.raises(ImportError, match=r"import bayes_scaling\.models.*pip install -e"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
