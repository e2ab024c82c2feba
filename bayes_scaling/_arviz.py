"""ArviZ's parts, untyped: their annotations omit lazily exported names and string options."""

from __future__ import annotations

from typing import Any

import arviz_stats
from arviz_stats import base

stats: Any = arviz_stats
_base: Any = base
array_stats: Any = _base.array_stats
