"""Compiled programs kept between processes, in the user's cache folder, by JAX's own cache.

JAX's setting is changed only while a function of this package runs, and not at all where the user
has chosen a folder. ``BAYES_SCALING_CACHE`` names another folder; ``off`` keeps nothing.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

LEVEL, WIDTH = "xla_backend_optimization_level", "xla_cpu_prefer_vector_width"
FUSED = "xla_cpu_use_fusion_emitters"
# 512 bits: gradients take 0.85 of the time that they do at 256.
ON_CPU: dict[str, int | bool] = {LEVEL: 1, WIDTH: 512}
VARIABLE = "BAYES_SCALING_CACHE"
WORTH_KEEPING = 0.01  # seconds of compilation
IN_MEMORY = 8  # models whose programs stay loaded, of up to 10,000 of the 65,530 maps Linux allows
TRACE = "-trace"  # end of the names of what `bayes_scaling.kept_traces` keeps
FILES = (TRACE, "-cache", "-atime")  # and of JAX's own
LARGEST = 2 * 1024**3  # bytes; what was used longest ago goes first

_lock = threading.Lock()
_inside = 0
_before: dict[str, object] = {}


def jitted(function: Callable[..., Any], *, runs_long: bool = False, **options: Any) -> Any:
    """`jax.jit`, on a CPU at the first level of XLA's optimiser and with its widest vectors.

    The third level, XLA's default, compiles a fit in half as long again to twice the time, and the
    programs run no faster. A program that ``runs_long`` keeps XLA's newer emitters of fused loops,
    with which it compiles two to three times as long and runs in 0.8 to 0.9 of the time; others go
    without. What the user's flags choose stays.
    """
    return jax.jit(function, compiler_options=_compiler_options(runs_long) or None, **options)


def _compiler_options(runs_long: bool) -> dict[str, int | bool]:
    if jax.default_backend() != "cpu":
        return {}
    flags = os.environ.get("XLA_FLAGS", "")
    wanted = ON_CPU if runs_long else {**ON_CPU, FUSED: False}
    return {k: v for k, v in wanted.items() if k not in flags and is_known(k, v)}


@cache
def is_known(option: str, value: int | bool) -> bool:
    """Whether this release of XLA has an option: it refuses every program with one it has not."""
    try:
        jax.jit(lambda: 0, compiler_options={option: value}).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def cache_folder() -> Path | None:
    """Where compiled programs are kept; None when they are not."""
    asked = os.environ.get(VARIABLE, "")
    if asked.lower() in ("off", "0", "no", "none"):
        return None
    return Path(asked).expanduser() if asked else _user_cache() / "bayes_scaling" / "xla"


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home()))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache")


@contextmanager
def programs_kept() -> Iterator[None]:
    """Let JAX keep what is compiled inside; nests, and may be entered by several threads."""
    global _inside
    with _lock:
        if _inside == 0:
            _switch_on()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _switch_off()


def _switch_on() -> None:
    config: Any = jax.config
    folder = None if config.jax_compilation_cache_dir else cache_folder()
    if folder is None or not _writable(folder):
        return
    wanted = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": WORTH_KEEPING,
        "jax_compilation_cache_max_size": -1,  # JAX would look at every file for each new one
    }
    _make_room(folder)
    _before.update({name: getattr(config, name) for name in wanted})
    for name, value in wanted.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def _switch_off() -> None:
    if not _before:
        return
    for name, value in _before.items():
        jax.config.update(name, value)
    _before.clear()
    compilation_cache.reset_cache()


@cache
def _make_room(folder: Path) -> None:
    """Remove the programs used longest ago where there is more than `LARGEST`; once a process."""
    try:
        found = [(f.path, f.stat()) for f in os.scandir(folder) if f.name.endswith(FILES)]
    except OSError:  # another process removes them too
        return
    over = sum(s.st_size for _, s in found) - LARGEST
    for path, stat in sorted(found, key=lambda f: max(f[1].st_atime, f[1].st_mtime)):
        if over <= 0:
            return
        Path(path).unlink(missing_ok=True)
        over -= stat.st_size


def _writable(folder: Path) -> bool:
    """Make the folder; a home that cannot be written to costs time, not the fit."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
