"""The field's habit beside the posterior: a robust point fit of every family, and a bootstrap.

Nothing is pooled and no prior has a say: priors give the starts of the search and the range of the
parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from bayes_scaling._errors import SpecError
from bayes_scaling._x64 import in_float64
from bayes_scaling.baselines import NEW_RUNS, Baseline
from bayes_scaling.by_family import (
    Families,
    check_baseline,
    families_in,
    few_notes,
    point_fits,
    point_table,
    residuals_of,
    sampled_of,
    se_notes,
    search_notes,
    starts_of,
)
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.infer.point_fits import PointFit, best_of, search_all
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec, Observation

RESTARTS = 3  # searches of a replicate beside that from the point fit


@in_float64
def baseline(
    runs: Any,
    law: str | Law = "chinchilla",
    *,
    group: str | list[str] | None = None,
    replicates: int = 200,
    delta: float = 1e-3,
    starts: int = 8,
    priors: Mapping[str, Any] | None = None,
    noise: str | Observation | None = None,
    seed: int = 0,
) -> Baseline:
    """Return the field's usual fit of a law, for comparison: Huber point fits and a bootstrap.

    Every family is fitted by itself: the sum over its runs of Huber's loss of log response less log
    law (Hoffmann et al. 2022, section 3.3) is minimised from several starts. The bootstrap
    (Besiroglu et al. 2024) draws runs with replacement, training runs with all their checkpoints
    where ``run=`` was given, and fits each replicate again. New runs scatter as the residuals of
    the point fit do. All searches are one batched program.

    Parameters
    ----------
    runs, law, group
        As in `fit`. Known standard errors are not used.
    replicates
        Number of bootstrap replicates.
    delta
        Where the loss turns from square to straight, in log response (in multiples of the typical
        response where the noise is on the raw response).
    starts
        Draws of the priors from which each family's point fit is searched. Replicates are searched
        from the point fit and from three of them.
    priors
        Only supports, values held fixed (``{"E": 0}``) and the starts come from them.
    noise
        Only its scale counts: ``"student_t"`` or ``"normal"`` for responses that are not positive.

    Raises
    ------
    BayesScalingError
        As `fit` does, and when there are fewer than two replicates or nothing to fit.
    """
    table = read_runs(runs, group=group)
    spec = resolve(table, law, priors=priors, noise=noise)
    check_baseline(spec, replicates, starts)
    if not delta > 0:
        raise SpecError(f"delta={delta} must be positive, such as 1e-3.")
    families = families_in(table, spec)
    rng = np.random.default_rng(seed)
    drawn = starts_of(spec, families, max(starts, RESTARTS), seed)
    point = point_fits(spec, families, drawn, delta)
    weights = bootstrap_weights(table, families, replicates, rng)
    ends = _replicates(spec, families, drawn, point, weights, delta)
    left = residuals_of(spec, families, point.z)
    size = (replicates, NEW_RUNS)
    luck = np.stack([rng.choice(each, size) for each in left], axis=-1)
    notes = (*few_notes(spec, families), *search_notes(families, point, ends), *se_notes(table))
    sampled = sampled_of(table, spec, families, ends.z)
    return Baseline(
        "bootstrap", point_table(spec, families, point, left), sampled, luck, tuple(notes)
    )


def bootstrap_weights(
    table: Runs, families: Families, replicates: int, rng: np.random.Generator
) -> np.ndarray:
    """Return how often each run is drawn, (replicate, family, row); checkpoints go together."""
    weights = np.zeros((replicates, *families.tables.mask.shape))
    for i, rows in enumerate(families.rows):
        unit = rows if table.run is None else table.run[rows]
        known, place = np.unique(unit, return_inverse=True)
        shares = np.full(len(known), 1.0 / len(known))
        counts = rng.multinomial(len(known), shares, size=replicates)
        weights[:, i, : len(rows)] = counts[:, place]
    return weights


def _replicates(
    spec: ModelSpec, families: Families, starts: np.ndarray, point: PointFit, weights: np.ndarray,
    delta: float,
) -> PointFit:  # fmt: skip
    """Return the fit to every replicate, (replicate, family, ...)."""
    first = np.concatenate([point.z[:, None], starts[:, :RESTARTS]], axis=1)
    copies, count, each = *weights.shape[:2], first.shape[1]
    copy, family, _ = (i.ravel() for i in np.indices((copies, count, each)))
    z = np.broadcast_to(first, (copies, *first.shape)).reshape(-1, first.shape[-1])
    ends = best_of(search_all(spec, z, families.tables, weights, (copy, family), delta), each)
    return jax.tree.map(lambda leaf: leaf.reshape(copies, count, *leaf.shape[1:]), ends)
