"""A law on the rows of a table, as a function of its coordinates, in buckets of few sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from bayes_scaling.arguments import bucket
from bayes_scaling.law_coordinates import Coordinates, compiled_law_on_rows
from bayes_scaling.spec import ModelSpec


def law_at(
    coordinates: Coordinates,
    z: np.ndarray,
    values: Mapping[str, np.ndarray],
    family: np.ndarray,
    unit: float,
) -> np.ndarray:
    """Return the law on the noise's scale, (sample, row)."""
    x, index = _in_bucket(coordinates.spec, values, family)
    many = np.pad(z, ((0, _bucket_of_samples(len(z)) - len(z)), (0, 0)), mode="edge")
    found = np.asarray(compiled_law_on_rows(coordinates).values(many, x, index, unit))
    return found[: len(z), : len(family)]


def law_and_slope(
    coordinates: Coordinates, values: Mapping[str, np.ndarray], family: np.ndarray, unit: float
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the function of one ``z`` to the law (row,) and its jacobian (row, coordinate)."""
    law, n = compiled_law_on_rows(coordinates), len(family)
    x, index = _in_bucket(coordinates.spec, values, family)

    def at(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        there = np.asarray(law.values(z[None], x, index, unit))[0, :n]
        return there, np.asarray(law.jacobian(z, x, index, unit))[:n]

    return at


def _in_bucket(
    spec: ModelSpec, values: Mapping[str, np.ndarray], family: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Inputs and families in a bucket of rows, so that tables of like size share a program."""
    add = (0, bucket(len(family)) - len(family))
    x = {name: np.pad(np.asarray(values[name], float), add, mode="edge")
         for name in spec.law.inputs}  # fmt: skip
    return x, np.pad(family, add, mode="edge")


def _bucket_of_samples(count: int) -> int:
    """Few sizes, so that few programs are compiled: powers of four from 64 on."""
    return 4 ** max(3, math.ceil(math.log(count, 4) - 1e-9))
