"""The picture of the best size and data by budget."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.reporting.axes import axis_label, scale_of
from bayes_scaling.reporting.charts import Chart, Curve, Series
from bayes_scaling.reporting.material import Material
from bayes_scaling.reporting.pictures import ENDS, array, ends, group_word

ROOM = 10.0  # factor by which bands may widen the axis beyond the medians
_TRADED = {"N": "parameters", "D": "tokens"}


def allocation_chart(material: Material) -> Chart | None:
    """Return the best size and data by budget, or None where the law trades none."""
    if material.allocation is None:
        return None
    table = material.allocation.table
    group = group_word(material)
    panels = list(dict.fromkeys(table[group])) if group else [""]
    values = [_spanned(table, n, material.percent) for n in _TRADED]
    return Chart(
        "allocation",
        "Best size N* and data D* against training compute C",
        panels,
        group,
        [Series(f"{n}* ({unit})", f"c{i}") for i, (n, unit) in enumerate(_TRADED.items())],
        "best",
        scale_of(axis_label("C"), table["C"].to_numpy(float), True),
        scale_of("parameters N*, tokens D*", np.concatenate(values), True),
        ("C", "best"),
        [_traded(material, panel, name) for panel in panels for name in _TRADED],
        [],
    )


def _spanned(table: pd.DataFrame, name: str, percent: str) -> np.ndarray:
    """The medians, and as much of their bands as leaves the medians legible."""
    middle = _finite(table[name])
    if not len(middle):
        return middle
    bands = np.concatenate([_finite(each) for each in _band_columns(table, name, percent)])
    return np.append(middle, np.clip(bands, middle.min() / ROOM, middle.max() * ROOM))


def _band_columns(table: pd.DataFrame, name: str, percent: str) -> list[pd.Series]:
    return [table[f"{name}_{percent}_{end}"] for end in ENDS]


def _finite(values: pd.Series) -> np.ndarray:
    found = values.to_numpy(float)
    return found[np.isfinite(found) & (found > 0)]


def _traded(material: Material, panel: str, name: str) -> Curve:
    """The curve of N or D of one family; draws without an optimum are as far as the axis goes."""
    assert material.allocation is not None
    table, group = material.allocation.table, group_word(material)
    rows = table[table[group] == panel] if group else table
    low, high = ends(rows, f"{name}_{material.percent}")
    bands = {f"{material.percent} %": (np.maximum(low, 1e-9), np.minimum(high, 1e40))}
    outside = rows["beyond_C"].to_numpy(float) != 0 if "beyond_C" in rows else np.zeros(len(rows))
    which = 0 if not group else list(dict.fromkeys(table[group])).index(panel)
    label = f"{name}*" + (f", {panel}" if panel else "")
    series = list(_TRADED).index(name)
    return Curve(which, series, label, array(rows, "C"), array(rows, name), bands,
                 np.asarray(outside, bool))  # fmt: skip
