"""Estimates and bands as texts, rounded to what the draws support."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.axes import axes_of
from bayes_scaling.posterior import Fit
from bayes_scaling.quantity import format_quantity

POSTERIOR = ("parameter", "median", "5 %", "95 %", "R-hat", "ESS bulk", "ESS tail")


def digits_of(median: float, error: float) -> int:
    """Significant digits of an estimate with this Monte Carlo error: two to four.

    Examples
    --------
    >>> digits_of(1.6934, 0.004), digits_of(406.4, 40.0)
    (4, 2)
    """
    if not (math.isfinite(median) and median and error > 0):
        return 3
    return min(4, max(2, 1 + _place(median) - _place(error)))


def _place(x: float) -> int:
    return math.floor(math.log10(abs(x)))


def rounded(values: Sequence[float], error: float) -> list[str]:
    """Return the first value to the digits that ``error`` leaves it, the rest to as many decimals.

    Examples
    --------
    >>> rounded([1.6934, 1.5, 1.812], 0.02)
    ['1.69', '1.50', '1.81']
    """
    digits = digits_of(values[0], error)
    decimals = digits - 1 - _place(values[0]) if values[0] else 3
    if 0 <= decimals <= 5 and max(map(abs, values)) < 1e5:
        return [f"{v:.{decimals}f}" for v in values]
    return [f"{v:.{digits}g}" for v in values]


def posterior_row(row: Mapping[str, Any]) -> list[str]:
    """Return a record of `bayes_scaling.records.posterior_table` as texts, under `POSTERIOR`."""
    # The error of the median is near that of the mean, unless the tail makes the latter useless.
    spread = (row["high"] - row["low"]) / 3.3
    error = min(row["mcse_mean"], spread / math.sqrt(max(row["ess_bulk"], 1.0)))
    numbers = rounded([row["median"], row["low"], row["high"]], error)
    ends = (f"{row['r_hat']:.3f}", f"{row['ess_bulk']:.0f}", f"{row['ess_tail']:.0f}")
    return [row["name"], *numbers, *ends]


def forecast_texts(table: pd.DataFrame, fit: Fit) -> dict[str, list[str]]:
    """Return the numbers of a forecast's table as texts by column: inputs, median, law and new-run
    bands, distance from the data."""
    probs = [c[4:-4] for c in table.columns if c.startswith("law_") and c.endswith("_low")]
    decimals = decimals_of(table, probs)
    inputs = dict.fromkeys(c for c in ("N", "D", *axes_of(fit.spec.law)) if c in table)
    columns = {c: [format_quantity(v) for v in table[c]] for c in inputs}
    columns["median"] = [number(v, decimals) for v in table["median"]]
    shown = [("law", p) for p in probs]
    if "model_" + probs[-1] + "_low" in table and "actual" not in table:
        shown.append(("model", probs[-1]))
    for kind, p in [*shown, *(("run", p) for p in probs)]:
        columns[f"{kind} {p} %"] = bands(table, f"{kind}_{p}", decimals)
    if "actual" in table:
        columns["actual"] = [number(v, max(3, decimals)) for v in table["actual"]]
    far = beyond(table) if "actual" not in table else []  # its loss says more
    return columns | {f"{c[7:]} outside": [f"{v:+.1f} dec" for v in table[c]] for c in far}


def beyond(table: pd.DataFrame) -> list[str]:
    """Columns of distances beyond the data, of those inputs that are beyond somewhere."""
    names = [c for c in table.columns if c.startswith("beyond_")]
    return [c for c in names if np.any(table[c].to_numpy())]


def decimals_of(table: pd.DataFrame, probs: Sequence[str]) -> int:
    """Decimals that show two digits of the narrowest law band."""
    low, high = (table[f"law_{probs[-1]}_{end}"].to_numpy() for end in ("low", "high"))
    width = float((high - low).min())
    return min(6, max(0, 1 - _place(width))) if width > 0 else 3


def bands(table: pd.DataFrame, name: str, decimals: int) -> list[str]:
    """Return the intervals of a table as ranges."""
    ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
    return [f"{number(low, decimals)}..{number(high, decimals)}" for low, high in ends]


def number(value: float, decimals: int) -> str:
    """Return a number with so many decimals, or four digits of a large one."""
    return f"{value:.{decimals}f}" if abs(value) < 1e5 else f"{value:.4g}"
