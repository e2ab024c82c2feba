"""ArviZ's parts, untyped: their annotations omit lazily exported names and string options."""

from __future__ import annotations

from typing import Any

import arviz_stats
import numpy as np
from arviz_stats import base

stats: Any = arviz_stats
_base: Any = base
array_stats: Any = _base.array_stats


def summary(*args: Any, **options: Any) -> Any:
    """`arviz_stats.summary`; R-hat of draws that are all the same is NaN, without a warning."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return stats.summary(*args, **options)
