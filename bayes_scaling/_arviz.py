"""ArviZ's parts, untyped: their annotations omit lazily exported names and string options.

They are imported when first used: a second of loading, SciPy's statistics above all, that a fit
spends while XLA compiles.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np


class _Late:
    """An object of a module that is imported with the first look at an attribute."""

    def __init__(self, module: str, name: str = "") -> None:
        self._module, self._name = module, name

    def __getattr__(self, attribute: str) -> Any:
        module = import_module(self._module)
        return getattr(getattr(module, self._name) if self._name else module, attribute)


stats: Any = _Late("arviz_stats")
array_stats: Any = _Late("arviz_stats.base", "array_stats")


def load() -> None:
    """Import what a fit will need."""
    import_module("arviz_base")
    import_module("arviz_stats")


def summary(*args: Any, **options: Any) -> Any:
    """`arviz_stats.summary`; R-hat of draws that are all the same is NaN, without a warning."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return stats.summary(*args, **options)
