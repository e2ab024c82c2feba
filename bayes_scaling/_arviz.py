"""ArviZ's parts, untyped: their annotations omit lazily exported names and string options."""

from __future__ import annotations

from typing import Any

import arviz_stats

stats: Any = arviz_stats
