"""What a function says of itself: its arguments and the first line of its docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def arguments(fn: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of positional and of keyword-only arguments."""
    kinds = inspect.signature(fn).parameters.values()
    positional = tuple(p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD)
    return positional, tuple(p.name for p in kinds if p.kind is p.KEYWORD_ONLY)


def summary(fn: Callable[..., Any]) -> str:
    """Return the first line of the docstring without its full stop."""
    return (inspect.getdoc(fn) or "").split("\n")[0].rstrip(".")
