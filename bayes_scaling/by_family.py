"""Point fits family by family: the rows of each, the search, residuals, tables and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd

from bayes_scaling._errors import Note, SpecError, list_names
from bayes_scaling.arguments import bucket, geometric_mean, make_args, typical_response
from bayes_scaling.data.runs import Runs
from bayes_scaling.families import Grouping
from bayes_scaling.infer.point_fits import (
    PointFit,
    Table,
    best_of,
    compiled_starts,
    free_names,
    misses,
    paper_values,
    search_all,
)
from bayes_scaling.posterior import Sampled
from bayes_scaling.spec import ModelSpec

ALL = "all"  # the family of a table without families
CONVERGED = 0.05  # Newton decrement, of a loss whose mean over the runs is one
DOUBTFUL = 0.05  # share of replicates


class Families(NamedTuple):
    """The rows of every family: their indices, and padded tables with a leading axis of families.

    ``names`` are the families' labels.
    """

    names: list[str]
    rows: list[np.ndarray]
    tables: Table


def check_baseline(spec: ModelSpec, replicates: int, starts: int) -> None:
    """Check the numbers asked for.

    Raises
    ------
    SpecError
        When one is too small, or every parameter is fixed.
    """
    if replicates < 2 or starts < 1:
        raise SpecError(
            f"replicates={replicates}, starts={starts}: give at least 2 replicates and 1 start."
        )
    if not free_names(spec):
        raise SpecError(f"law '{spec.law.name}': every parameter is fixed, nothing is left to fit.")


def family_column(spec: ModelSpec) -> str:
    """The column that names a family: the innermost group, or ``family``."""
    return spec.groups[-1] if spec.groups else "family"


def family_names(sampled: Sampled) -> list[str]:
    """The families in the order of the draws."""
    groups = sampled.spec.groups
    return list(sampled.grouping.labels[groups[-1]]) if groups else [ALL]


def families_in(table: Runs, spec: ModelSpec) -> Families:
    """Return the families of a table, each padded to the rows of the largest."""
    names = table.group_levels(spec.groups[-1]) if spec.groups else [ALL]
    labels = table.labels[spec.groups[-1]] if spec.groups else np.full(table.n, ALL)
    rows = [np.flatnonzero(labels == name) for name in names]
    size = bucket(max(map(len, rows)))
    own = [np.resize(r[[-1]], size) for r in rows]
    for padded, r in zip(own, rows, strict=True):
        padded[: len(r)] = r
    x = {n: np.stack([table.values[n][r] for r in own]) for n in spec.law.inputs}
    y = np.stack([table.values[table.response][r] for r in own])
    mask = np.stack([np.arange(size) < len(r) for r in rows])
    ref = {
        n: np.asarray([geometric_mean(table.values[n][r]) for r in rows]) for n in spec.law.inputs
    }
    scale = np.asarray([typical_response(table.values[table.response][r]) for r in rows])
    return Families(names, rows, Table(x, y, mask, ref, scale))


def starts_of(spec: ModelSpec, families: Families, starts: int, seed: int) -> np.ndarray:
    """Return coordinates to search from, (family, start, dim)."""
    keys = jax.random.split(jax.random.key(seed), (len(families.names), starts))
    return np.stack(
        [
            np.asarray(compiled_starts(spec)(keys[i], family_table(families, i)))
            for i in range(len(families.names))
        ]
    )


def family_table(families: Families, i: int) -> Table:
    """Return the padded rows of one family."""
    return jax.tree.map(lambda leaf: leaf[i], families.tables)


def point_fits(
    spec: ModelSpec,
    families: Families,
    starts: np.ndarray,
    delta: float,
    weights: np.ndarray | None = None,
) -> PointFit:
    """Return the best fit of every family, (family, ...), from ``starts`` (family, start, dim).

    ``weights`` (family, row) are those of the runs, one each by default.
    """
    count, each = starts.shape[:2]
    places = np.zeros(count * each, int), np.arange(count).repeat(each)
    given = 1.0 * families.tables.mask if weights is None else weights
    z = starts.reshape(-1, starts.shape[-1])
    return best_of(search_all(spec, z, families.tables, given[None], places, delta), each)


def residuals_of(spec: ModelSpec, families: Families, z: np.ndarray) -> list[np.ndarray]:
    """Return the residuals of every family (run,): relative, or in the response's unit."""
    units = np.ones(len(families.names)) if spec.observation.on == "log" else families.tables.scale
    return [
        units[i] * np.asarray(misses(spec, z[i], family_table(families, i)))[: len(rows)]
        for i, rows in enumerate(families.rows)
    ]


def sampled_of(table: Runs, spec: ModelSpec, families: Families, z: np.ndarray) -> Sampled:
    """Return draws (replicate, family) of the free parameters from coordinates (..., dim)."""
    values = paper_values(spec, np.moveaxis(z, -1, 0), families.tables.ref)
    samples = {n: np.asarray(v) for n, v in values.items() if not spec.prior(n).is_fixed}
    reference = {n: geometric_mean(table.values[n]) for n in spec.law.inputs}
    return Sampled(spec, table, samples, grouping_of(table, spec), reference)


def grouping_of(table: Runs, spec: ModelSpec) -> Grouping:
    """Return the labels of a table's groups and each family's parents."""
    labels = {g: table.group_levels(g) for g in spec.groups}
    return Grouping(labels, make_args(table, spec)["parent"])


def point_table(
    spec: ModelSpec, families: Families, point: PointFit, residuals: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Return the table of point fits (see `Baseline`)."""
    values = paper_values(spec, point.z.T, families.tables.ref)
    told = {
        "loss": point.loss,
        "scatter": [float(np.sqrt(np.mean(r**2))) for r in residuals],
    }
    head = {family_column(spec): families.names, "runs": [len(r) for r in families.rows]}
    return pd.DataFrame({**head, **{n: np.asarray(v) for n, v in values.items()}, **told})


def few_notes(spec: ModelSpec, families: Families) -> list[Note]:
    """Warn of families with hardly more runs than the law has parameters."""
    free = len(free_names(spec))
    few = [n for n, r in zip(families.names, families.rows, strict=True) if len(r) < free + 2]
    if not few:
        return []
    message = (
        f"{list_names(few, 5)}: hardly more runs than the law's {free} parameters, so that the "
        "curve goes through them and its residuals say nothing of new runs."
    )
    return [Note("few_runs", "warning", message, "Hold parameters fixed, or use fit, which pools.")]


def search_notes(families: Families, point: PointFit, ends: PointFit | None = None) -> list[Note]:
    """Warn of searches that did not end at a minimum."""
    notes = []
    unsure = np.flatnonzero(~(point.decrement < CONVERGED))
    if len(unsure):
        names = list_names([families.names[i] for i in unsure], 5)
        message = f"{names}: the point fit did not converge, its loss is still falling."
        notes.append(Note("point_fit", "warning", message, "Try more starts."))
    share = 0.0 if ends is None else float(np.mean(~(ends.decrement < CONVERGED)))
    if share > DOUBTFUL:
        message = f"{share:.0%} of the replicates did not converge."
        notes.append(Note("replicates", "warning", message, "Their spread is not to be trusted."))
    return notes


def se_notes(table: Runs) -> list[Note]:
    """Say that known standard errors, and numbers of items, have no say here."""
    given = {"known standard errors": table.se, "numbers of items": table.trials}
    return [
        Note("se_unused", "info", f"{what} are not used by this method.")
        for what, each in given.items()
        if each is not None
    ]
