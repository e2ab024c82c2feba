"""How large a run is, which family it is of, and how far it lies beyond a family's runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayes_scaling.data.runs import Runs
from bayes_scaling.spec import Law, get_law


def scale_name(table: Runs, law: str | Law) -> str:
    """Return the covariate that says how large a run is: compute, or the law's first input.

    A share of a mixture says so only where there is nothing else.
    """
    entry = get_law(law)
    sizes = [name for name in entry.inputs if name not in entry.simplex]
    return "C" if "C" in table.covariates else [*sizes, *entry.inputs][0]


def families_of(table: Runs) -> np.ndarray:
    """Return the family of every row, (row,); one for all where there are no groups."""
    return joined_labels([table.labels[g] for g in table.groups], table.n)


def joined_labels(groups: Sequence[Any], n: int) -> np.ndarray:
    """Return one label (row,) for each combination of the groups' labels."""
    parts = [[str(label) for label in group] for group in groups]
    return np.asarray(["/".join(p) for p in zip(*parts, strict=True)] if parts else ["all"] * n)


def decades_beyond(
    scale: np.ndarray, family: np.ndarray, data_scale: np.ndarray, data_family: np.ndarray
) -> np.ndarray:
    """Return the decades (point,) beyond the largest run of a point's family, or of all."""
    edges = {name: data_scale[data_family == name].max() for name in np.unique(data_family)}
    edge = np.asarray([edges.get(name, data_scale.max()) for name in family])
    return np.maximum(np.log10(scale / edge), 0.0)


def in_decades(values: np.ndarray, data: np.ndarray, share: bool = False) -> np.ndarray:
    """Return a covariate in decades, or in sds of the data for shares and where not positive."""
    if not share and np.all(data > 0) and np.all(values > 0):
        return np.log10(values)
    return values / (np.std(data) or 1.0)
