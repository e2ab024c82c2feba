"""Programs whose traces are kept between processes, beside what XLA compiled of them.

JAX finds a compiled program by its instructions, for which it traces and lowers the function anew
in every process: a second for the search of a mode. Those instructions are kept too, exported by
`jax.export`, under a name that holds all that they depend on: the model's record, the shapes of the
arguments, JAX's settings, the package's own source and the releases of what takes part. What cannot
be named so, such as a function or a distribution of the user's, is traced in every process; so is
what takes under a tenth of a second, as long as it takes to keep it.
"""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

import jax
import numpy as np

from bayes_scaling._compile_cache import TRACE, cache_folder, jitted
from bayes_scaling._registry import POOLINGS
from bayes_scaling.spec import Law, ModelSpec

ON = True  # switched off where functions of the package are replaced
DIGEST = 16  # bytes
PACKAGE = __name__.partition(".")[0]
OF_EQUATIONS = f"{PACKAGE}.text_law"  # whose functions are made from the equation in the record
TAKE_PART = ("jax", "jaxlib", "numpyro", "numpy", "sympy")

T = TypeVar("T", bound=type)


class UnnamedError(Exception):
    """What a program is of has no name that another process could know it by."""


def kept_program(what: str, function: Callable[..., Any], *of: Any, runs_long: bool = False) -> Any:
    """`jitted`, with its trace kept between processes.

    ``what`` with the things that the function is ``of`` must tell it from all others: models,
    texts, numbers, functions of this package, tuples of these, and whatever has a ``trace_name``,
    made by `name_of` or empty. NamedTuples among arguments and results are marked `in_programs`;
    no result is a key of `jax.random`.
    """
    return _Kept(what, function, of, runs_long)


class _Kept:
    """A jitted function with one program for each kind of arguments."""

    def __init__(
        self, what: str, function: Callable[..., Any], of: tuple[Any, ...], runs_long: bool
    ) -> None:
        self._what, self._of, self._runs_long = what, of, runs_long
        self._plain = self._jitted(function)
        self._programs: dict[Any, Any] = {}
        self._one_at_a_time = Lock()

    def _jitted(self, function: Callable[..., Any]) -> Any:
        return jitted(_called(self._what, function), runs_long=self._runs_long)

    def __call__(self, *args: Any) -> Any:
        """The result, in NumPy's arrays where the program is an exported one.

        JAX binds what such a program returns to its device, and compiles anew whatever takes that.
        """
        program = self._program(args)
        found = program(*args)
        return found if program is self._plain else jax.tree.map(np.asarray, found)

    def lower(self, *args: Any) -> Any:
        """The program lowered for arguments, or for their shapes, as `jax.jit` does."""
        return self._program(args).lower(*args)

    def result(self, *args: Any) -> Any:
        """Shapes of the result."""
        return jax.eval_shape(self._program(args), *args)

    def _program(self, args: tuple[Any, ...]) -> Any:
        leaves, tree = jax.tree.flatten(args)
        kind = tree, tuple(map(_kind, leaves))
        with self._one_at_a_time:
            if kind not in self._programs:
                self._programs[kind] = self._made(args, kind)
            return self._programs[kind]

    def _made(self, args: tuple[Any, ...], kind: tuple[Any, ...]) -> Any:
        path = self._path(kind)
        if path is None:
            return self._plain
        exported = _read(path)
        if exported is None and os.access(path.parent, os.W_OK):
            exported = _export(path, self._plain, args)
        return self._jitted(exported.call) if exported else self._plain

    def _path(self, kind: tuple[Any, ...]) -> Path | None:
        folder, config = cache_folder(), cast("Any", jax.config)
        alone = jax.default_backend() == "cpu" and jax.device_count() == 1
        if not (ON and alone and _can_serialize()) or folder is None or config.jax_disable_jit:
            return None
        try:
            text = "\n".join([self._what, name_of(*self._of), *map(str, kind), _environment()])
        except UnnamedError:
            return None
        return folder / f"{self._what}-{_digest(text.encode()).hex()}{TRACE}"


def result_of(program: Any, *args: Any) -> Any:
    """Shapes in place of the arrays that a program returns for arguments or their shapes."""
    return program.result(*args) if isinstance(program, _Kept) else jax.eval_shape(program, *args)


def _called(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def program(*args: Any) -> Any:
        return function(*args)

    program.__name__ = program.__qualname__ = name
    return program


def _kind(leaf: Any) -> tuple[Any, ...]:
    if isinstance(leaf, np.ndarray):
        return leaf.shape, str(jax.dtypes.canonicalize_dtype(leaf.dtype)), False
    there = leaf if isinstance(leaf, jax.ShapeDtypeStruct) else jax.typeof(leaf)
    return there.shape, str(there.dtype), there.weak_type


def _export(path: Path, plain: Any, args: tuple[Any, ...]) -> Any:
    """Trace, and keep the trace; None where JAX cannot export the program or the disk is full."""
    _register_tuples()
    try:
        exported = jax.export.export(plain)(*args)
        content = bytes(exported.serialize())
        part = path.with_name(f"{path.name}-{os.getpid()}{TRACE}")
        part.write_bytes(_digest(content) + content)
        part.replace(path)
    except Exception:  # whatever keeps it from being kept; a fault of the model comes again below
        return None
    return exported


def _read(path: Path) -> Any:
    """The trace kept at ``path``; None where there is none, or not as it was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if content[:DIGEST] != _digest(content[DIGEST:]):
        return None
    _register_tuples()
    try:
        return jax.export.deserialize(bytearray(content[DIGEST:]))
    except ValueError:  # of another release of JAX's format
        return None


@cache
def _can_serialize() -> bool:
    """Whether what `jax.export` needs is installed: tracing in vain takes as long as tracing."""
    return find_spec("flatbuffers") is not None


_tuples: list[type] = []
_registering = Lock()


def in_programs(kind: T) -> T:
    """Mark a NamedTuple that goes into programs or comes out of them."""
    _tuples.append(kind)
    return kind


def _register_tuples() -> None:
    importlib.import_module("jax.export")
    with _registering:
        while _tuples:
            kind = _tuples.pop()
            name = f"{kind.__module__}.{kind.__qualname__}"
            jax.export.register_namedtuple_serialization(kind, serialized_name=name)


# --- names ---------------------------------------------------------------------------------------


def name_of(*things: Any) -> str:
    """A text that tells what programs are made of from all others.

    Raises
    ------
    UnnamedError
        When another process could not know it by that.
    """
    return "; ".join(map(_name, things))


def _name(thing: Any) -> str:
    if isinstance(thing, ModelSpec):
        return _name_of_model(thing)
    if isinstance(thing, str | int | float | bool | None):
        return repr(thing)
    if (own := getattr(thing, "trace_name", None)) is not None:
        if not own:
            raise UnnamedError
        return own
    if isinstance(thing, tuple):
        return f"({name_of(*thing)})"
    if callable(thing) and _is_known(thing):
        return f"{thing.__module__}.{thing.__qualname__}"
    raise UnnamedError


def _name_of_model(spec: ModelSpec) -> str:
    priors = [prior for _, prior in (*spec.priors, *spec.observation.extra)]
    functions = [spec.law.fn, spec.observation.build, *(POOLINGS.get(k) for _, k in spec.pool)]
    if any(p.kind == "numpyro" for p in priors) or not all(map(_is_known, functions)):
        raise UnnamedError
    return repr(spec)


def _is_known(function: Any) -> bool:
    """Whether a function, with all that it closes over, is of this package or what it stands on.

    By where its code is, which `functools.wraps` does not copy as it does ``__module__``.
    """
    if isinstance(function, Law):
        return _is_known(function.fn)
    home = getattr(function, "__globals__", {}).get("__name__") or function.__module__ or ""
    if home == OF_EQUATIONS:
        return True
    if home.partition(".")[0] not in (PACKAGE, *TAKE_PART):
        return False
    inner = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    inner.append(getattr(function, "__wrapped__", None))
    return all(_is_known(f) for f in inner if callable(f))


def _environment() -> str:
    """What tracing depends on beside the function: releases, the backend, JAX's settings."""
    settings = {
        name: getattr(jax.config, name, value)
        for name, value in jax.config.values.items()
        if "cache" not in name and "log" not in name
    }
    package = importlib.import_module(PACKAGE)
    if _youngest(_source_files()) > package._IMPORTED:
        raise UnnamedError  # what is on disk may not be what runs
    return f"{_releases()} {jax.default_backend()} {settings}"


@cache
def _releases() -> str:
    """The package's source, as a digest of every file, and the releases of what takes part."""
    source = _source(_source_files())
    return f"{source} {platform.python_version()} {[version(name) for name in TAKE_PART]}"


@cache
def _source_files() -> tuple[Path, ...]:
    parts = [importlib.import_module(name) for name in (PACKAGE, f"{PACKAGE}.models")]
    folders = [Path(p) for part in parts for p in part.__path__]
    return tuple(sorted({file for folder in folders for file in folder.rglob("*.py")}))


def _source(files: Sequence[Path]) -> str:
    if not files:  # installed without its source
        raise UnnamedError
    return _digest(b"".join(_digest(file.read_bytes()) for file in files)).hex()


def _youngest(files: Sequence[Path]) -> float:
    """When the last of the files was written, in seconds since the epoch."""
    found = [file.stat() for file in files]
    return max((max(s.st_mtime, s.st_ctime) for s in found), default=0.0)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=DIGEST).digest()
