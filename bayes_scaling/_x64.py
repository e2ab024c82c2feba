"""Double precision inside the package's own calls, leaving the user's setting alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import jax

from bayes_scaling._compile_cache import programs_kept

F = TypeVar("F", bound=Callable[..., Any])


def in_float64(function: F) -> F:
    """Run ``function`` in double precision, compiled programs kept; both restored after."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with jax.enable_x64(True), programs_kept():
            return function(*args, **kwargs)

    return wrapped  # type: ignore[return-value]
