"""Compiled programs: padded tables share them, and they are kept between processes."""

import os
import re
import subprocess
import sys

import jax
import numpy as np
import pytest

import bayes_scaling as bs
from bayes_scaling import _compile_cache, fitting, fitting_many  # noqa: F401 - all that compiles
from bayes_scaling._compile_cache import (
    FUSED,
    IN_MEMORY,
    LEVEL,
    ON_CPU,
    VARIABLE,
    WIDTH,
    cache_folder,
    is_known,
    jitted,
    programs_kept,
)
from bayes_scaling.arguments import bucket, make_args, padded
from bayes_scaling.infer.target import make_target
from bayes_scaling.resolve import resolve

# All that a fit compiles: its own programs and what JAX needs for a key.
PROGRAMS = {"prepare", "weigh", "slopes", "from_whitened", "constrain", "draw_prior", "curves",
            "_threefry_seed", "stage"}  # fmt: skip
CHILD = """
import sys
import numpy as np
import bayes_scaling as bs
rng = np.random.default_rng(0)
N, D = 10 ** rng.uniform(7, 10, 30), 10 ** rng.uniform(9, 12, 30)
L = 1.8 + 400 * N**-0.34 + 900 * D**-0.33
runs = {"N": N, "D": D, "L": L * np.exp(0.01 * rng.normal(size=30))}
fit = bs.fit(runs, "power_law(N)", progress=False)
import jax
assert jax.config.jax_compilation_cache_dir is None
print(float(fit.posterior["A"].mean()))
"""


def program_caches():
    """The caches of compiled programs in all modules that are loaded."""
    modules = [m for name, m in sys.modules.items() if name.startswith("bayes_scaling.")]
    cached = {f for m in modules for f in vars(m).values() if hasattr(f, "cache_parameters")}
    return [f for f in cached if "compiled" in f.__name__ or f.__name__ == "_programs"]


@pytest.mark.parametrize(
    ("rows", "size"), [(1, 16), (16, 16), (17, 24), (25, 32), (33, 48), (49, 64), (65, 96),
                       (97, 128), (240, 256), (100_000, 131_072)])  # fmt: skip
def test_buckets(rows, size):
    assert bucket(rows) == size


@pytest.mark.parametrize("options", [{}, {"noise_trend": "N"}, {"noise": "normal_log"}])
def test_padding_leaves_the_density_alone(options):
    runs = bs.published_runs(embeddings=False)
    spec = resolve(runs, "chinchilla", **options)
    args = make_args(runs, spec)
    wide = padded(args, 64)
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        narrow_target, wide_target = make_target(spec, args), make_target(spec, wide)
        for _ in range(3):
            z = 0.3 * rng.normal(size=narrow_target.dim)
            densities = (
                float(narrow_target.potential(z, args)),
                float(wide_target.potential(z, wide)),
            )
            assert densities[0] == pytest.approx(densities[1], rel=1e-12)
            slopes = [
                jax.grad(t.potential)(z, a) for t, a in ((narrow_target, args), (wide_target, wide))
            ]
            assert np.allclose(*slopes, rtol=1e-9)


def test_each_program_is_compiled_once_and_for_tables_of_other_lengths(caplog):
    rng = np.random.default_rng(1)

    def table(rows):
        N, D = 10 ** rng.uniform(7, 10, rows), 10 ** rng.uniform(9, 12, rows)
        L = 1.8 + 400 * N**-0.34 + 900 * D**-0.33
        return {"N": N, "D": D, "L": L * np.exp(0.01 * rng.normal(size=rows))}

    for cache in program_caches():
        cache.cache_clear()  # another test's fit may have left these very programs
    with jax.log_compiles():
        bs.fit(table(60), progress=False)
    names = re.findall(r"Finished XLA compilation of jit\((\w+)\)", caplog.text)
    assert set(names) <= PROGRAMS, "an operation outside of all programs is compiled by itself"
    ahead = {"prepare", "weigh", "start", "advance"}  # compiled on threads, which do not log
    assert names
    assert not ahead & set(names)
    compiled = []

    def record(event, seconds, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(record)
    try:
        fit = bs.fit(table(51), progress=False)
    finally:
        jax.monitoring.clear_event_listeners()
    assert fit.data["log_likelihood"]["L"].sizes["row"] == 51
    assert sum(compiled) < 0.3, compiled


def test_few_models_stay_loaded():
    """Every cache of compiled programs drops the oldest, or a process runs out of memory maps."""
    programs = program_caches()
    assert len(programs) >= 10
    assert {f.cache_parameters()["maxsize"] for f in programs} == {IN_MEMORY}


def test_programs_are_kept_in_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    first, second = (run_child() for _ in range(2))
    assert first == second
    assert any((tmp_path / "kept").iterdir())


def test_the_optimiser_is_set_unless_the_user_sets_it(monkeypatch):
    assert all(is_known(name, value) for name, value in {**ON_CPU, FUSED: False}.items())
    monkeypatch.setattr(jax, "jit", lambda function, **options: options)
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=somewhere")
    assert jitted(abs)["compiler_options"] == {LEVEL: 1, WIDTH: 512, FUSED: False}
    assert jitted(abs, runs_long=True)["compiler_options"] == {LEVEL: 1, WIDTH: 512}
    monkeypatch.setenv("XLA_FLAGS", f"--{LEVEL}=2 --{FUSED}=true")
    assert jitted(abs)["compiler_options"] == {WIDTH: 512}
    monkeypatch.setenv("XLA_FLAGS", f"--{LEVEL}=2 --{WIDTH}=256")
    assert jitted(abs, runs_long=True)["compiler_options"] is None
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert jitted(abs)["compiler_options"] is None


def test_an_option_that_xla_does_not_have_is_left_out(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setattr(_compile_cache, "ON_CPU", {LEVEL: 1, "xla_no_such_option": 1})
    assert jitted(lambda x: x + 1)(1) == 2


def test_keeping_can_be_switched_off(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "off")
    assert cache_folder() is None
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert cache_folder() == tmp_path / "bayes_scaling" / "xla"


def test_a_folder_of_the_users_own_is_left_alone(tmp_path):
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    try:
        with programs_kept():
            assert jax.config.jax_compilation_cache_dir == str(tmp_path)
        assert jax.config.jax_compilation_cache_dir == str(tmp_path)
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


def run_child():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        env={**os.environ, "XLA_FLAGS": ""},  # with XLA's optimiser, as users have it
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stderr
    return done.stdout
