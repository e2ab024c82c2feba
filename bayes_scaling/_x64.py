"""Double precision inside the package's own calls, leaving the user's setting alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import jax

from bayes_scaling._compile_cache import programs_kept

P = ParamSpec("P")
R = TypeVar("R")


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Run ``function`` in double precision, compiled programs kept; both restored after."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with jax.enable_x64(True), programs_kept():
            return function(*args, **kwargs)

    return wrapped
