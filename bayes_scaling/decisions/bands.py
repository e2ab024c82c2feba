"""Medians and bands of draws that may be infinite, as columns of tables and as texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from bayes_scaling._errors import Note
from bayes_scaling.quantity import format_quantity


def quantiles(draws: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return quantiles (level, point) of draws (sample, point), NaN left out; infinite draws count
    as such, which interpolation could not do."""
    found = [_of_one(column[~np.isnan(column)], levels) for column in np.asarray(draws, float).T]
    return np.asarray(found).T


def _of_one(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    if not len(values):
        return np.full(len(levels), np.nan)
    method = "linear" if np.isfinite(values).all() else "inverted_cdf"
    return np.quantile(values, levels, method=method)


def band_columns(name: str, draws: np.ndarray, probs: Sequence[float]) -> dict[str, np.ndarray]:
    """Return the columns ``name`` (median), ``name_90_low``, ``name_90_high`` ... of draws."""
    columns = {name: quantiles(draws, [0.5])[0]}
    for p in probs:
        low, high = quantiles(draws, [0.5 - p / 2, 0.5 + p / 2])
        columns |= {f"{name}_{100 * p:g}_low": low, f"{name}_{100 * p:g}_high": high}
    return columns


def probs_of(table: pd.DataFrame, name: str) -> list[str]:
    """Return the bands of a quantity in a table, in per cent, as they come."""
    start = f"{name}_"
    lows = (c for c in map(str, table) if c.startswith(start) and c.endswith("_low"))
    return [p for p in (c.removeprefix(start).removesuffix("_low") for c in lows) if "_" not in p]


def band_texts(
    table: pd.DataFrame, name: str, write: Callable[[float], str], prob: str
) -> list[str]:
    """Return ``median [low, high]`` of a quantity for every row."""
    columns = (table[name], table[f"{name}_{prob}_low"], table[f"{name}_{prob}_high"])
    rows = zip(*columns, strict=True)
    return [f"{write(m)} [{write(low)}, {write(high)}]" for m, low, high in rows]


def large(value: float) -> str:
    """Return a count, such as 70B."""
    if math.isnan(value):
        return "-"
    return format_quantity(value) if math.isfinite(value) else "inf"


def decimals(places: int) -> Callable[[float], str]:
    """Return a writer of numbers with so many decimals."""
    return lambda value: "-" if math.isnan(value) else f"{value:.{places}f}"


def places_for(table: pd.DataFrame, name: str, prob: str) -> int:
    """Return the decimals that show two digits of the narrowest band."""
    width = (table[f"{name}_{prob}_high"] - table[f"{name}_{prob}_low"]).abs()
    least = width[np.isfinite(width) & (width > 0)].min()
    return 3 if not np.isfinite(least) else int(np.clip(1 - math.floor(math.log10(least)), 0, 6))


def as_text(title: str, columns: Mapping[str, Sequence[str]], notes: Sequence[Note]) -> str:
    """Return a title, a table of texts and notes, one a line."""
    table = pd.DataFrame(dict(columns)).to_string(index=False)
    told = [f"[{n.severity}] {n.code}: {n}" for n in notes]
    return "\n".join([title, table, *told])
