"""Settings and fixtures that every test can use.

Double precision is off unless a test asks for it: the package must work with the user's setting.
"""

from __future__ import annotations

import gc
import os
import tempfile
import zlib
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import settings

from bayes_scaling import kept_traces
from bayes_scaling._compile_cache import FUSED, LEVEL, ON_CPU
from bayes_scaling._registry import load_catalogue

ROOT = Path(__file__).resolve().parents[1]

# A cache of compiled programs of this run's own, which its workers share and inherit by name.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _CACHE = tempfile.TemporaryDirectory(prefix="bayes_scaling_tests_")
    os.environ["BAYES_SCALING_CACHE"] = _CACHE.name

# Most of a test's time XLA compiles programs that then run for a second: its optimiser is off, and
# the emitters of fused loops, which take half of that time, unless asked for by flags of one's own
# (XLA_FLAGS= for the defaults, with which benchmarks run and the processes that `test_programs`
# starts) or by the fixture `optimised`. A flag that XLA does not know ends the process, hence the
# release.
FLAGS = f"--{LEVEL}=0"
if version("jaxlib").startswith("0.10."):
    FLAGS += f" --{FUSED}=false"
os.environ.setdefault("XLA_FLAGS", FLAGS)

# Tests replace functions and constants of the package, which the name of a trace does not tell.
kept_traces.ON = False

# A worker keeps to one core: XLA's threads would wait for each other by spinning, and two workers
# on two cores took three times the processor time.
if (_WORKER := os.environ.get("PYTEST_XDIST_WORKER", "")) and hasattr(os, "sched_setaffinity"):
    _CORES = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {_CORES[int(_WORKER.removeprefix("gw")) % len(_CORES)]})

# The same examples on every run, so that a failure is there again; `search` looks for new ones.
settings.register_profile("fixed", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


# A compiled program holds a few memory maps, of which Linux allows a process 65,530, and XLA ends
# the process when it gets no more: past this many a worker gives up what its last file compiled.
MAPS = 20_000


def pytest_runtest_teardown(item, nextitem):
    """Between two files, so that no test waits for programs of its own file twice."""
    if (nextitem is None or nextitem.path != item.path) and _maps() > MAPS:
        jax.clear_caches()
        gc.collect()


def _maps():
    maps = Path("/proc/self/maps")
    return maps.read_bytes().count(b"\n") if maps.exists() else 0


def pytest_sessionstart():
    """Loading the package and its catalogue must not touch a device."""
    load_catalogue()
    assert len(jax.live_arrays()) == 0, "importing the package made device arrays"


@pytest.fixture
def x64():
    """Double precision for tests of the maths."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def optimised(monkeypatch):
    """The package's own programs as its users compile them, for tests that run them for long."""
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setitem(ON_CPU, FUSED, True)  # XLA has read the flags by now, and keeps to them


@pytest.fixture
def seed(request):
    """A number of the test's own, printed when it fails."""
    number = zlib.crc32(request.node.nodeid.encode())
    print(f"seed {number}")
    return number


@pytest.fixture
def key(seed):
    """A random key of the test's own."""
    return jax.random.key(seed)


@pytest.fixture
def rng(seed):
    """A NumPy generator of the test's own."""
    return np.random.default_rng(seed)


@pytest.fixture(scope="session")
def repository():
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data():
    """The folder of published data sets, which is kept beside the repository.

    A clone without it skips; where the folder is, or is named in the environment, whatever a test
    does not find in it is a failure.
    """
    named = os.environ.get("BAYES_SCALING_DATA")
    if not named and not (ROOT.parent / "shared").exists():
        pytest.skip("no data sets: put them in ../shared/data or set BAYES_SCALING_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    assert folder.is_dir(), f"the data sets should be in {folder}"
    return folder
