"""Chains on several devices, of one process or of two: the same draws as on one device."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

import bayes_scaling as bs
from bayes_scaling.bench.problems import simulated

CHILD = """
import sys
import jax
if len(sys.argv) > 2:
    jax.distributed.initialize(sys.argv[2], num_processes=2, process_id=int(sys.argv[3]))
import numpy as np
import bayes_scaling as bs
from bayes_scaling.bench.problems import simulated
from bayes_scaling.infer.devices import layout_of
assert len(jax.devices()) == 2
assert layout_of(64) is not None
assert layout_of(63) is None
fit = bs.fit(simulated(1, 20), "power_law(N)", sampler="chees", warmup=50, draws=25, progress=False)
np.save(sys.argv[1], fit.posterior["A"])
"""


def start(path, *options, devices=1):
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), *options],
        env={**os.environ, "XLA_FLAGS": flags},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def alone():
    few = {"warmup": 50, "draws": 25, "progress": False}
    fitted = bs.fit(simulated(1, 20), "power_law(N)", sampler="chees", **few)
    return np.asarray(fitted.posterior["A"])


@pytest.fixture(scope="module")
def on_two_devices(tmp_path_factory):
    path = tmp_path_factory.mktemp("devices") / "draws.npy"
    finish(start(path, devices=2))
    return np.load(path)


def test_two_devices_draw_what_one_draws(alone, on_two_devices):
    """Up to the order of sums over chains."""
    assert on_two_devices.shape == (64, 25)
    assert np.allclose(on_two_devices, alone, rtol=1e-8)


def test_two_processes_draw_what_two_devices_draw(tmp_path, on_two_devices):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    paths = [tmp_path / f"{i}.npy" for i in range(2)]
    running = [start(path, address, str(i)) for i, path in enumerate(paths)]
    for process in running:
        finish(process)
    for path in paths:
        assert np.array_equal(np.load(path), on_two_devices)
