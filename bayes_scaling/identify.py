"""What a table can tell about a law, before any sampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling._errors import DataError, Note, list_names
from bayes_scaling.axes import axes_of
from bayes_scaling.build import Args
from bayes_scaling.data.runs import Runs
from bayes_scaling.levels import log_shift, sampling_order, to_paper
from bayes_scaling.spec import ModelSpec

FLAT = 1e-4  # singular value, relative to the largest, below which a direction is not seen
PART = 0.2  # share of a flat direction that makes a parameter part of it


def identification_notes(runs: Runs, spec: ModelSpec, args: Args) -> tuple[Note, ...]:
    """Return notes on constant covariates, single-row families, few families and checkpoints.

    Raises
    ------
    DataError
        When there are fewer rows than parameters.
    """
    free = require_rows(runs, spec)
    found = (*_flat_notes(spec, args, free), *_family_notes(runs, spec), *_row_notes(runs))
    return found


def require_rows(runs: Runs, spec: ModelSpec) -> list[str]:
    """Return the parameters that are free.

    Raises
    ------
    DataError
        When there are fewer rows.
    """
    free = [n for n in spec.law.param_names if not spec.prior(n).is_fixed]
    if runs.n < len(free):
        raise DataError(
            f"{runs.n} row(s) cannot fit the {len(free)} parameters of '{spec.law.name}' "
            f"({', '.join(free)}): add runs, fix a parameter with priors={{'{free[0]}': value}}, "
            "or choose a law with fewer."
        )
    return free


def _flat_notes(spec: ModelSpec, args: Args, free: list[str]) -> tuple[Note, ...]:
    still = [n for n in axes_of(spec.law) if np.ptp(x := args["x"][n]) <= 1e-9 * np.abs(x).max()]
    names = unseen_parameters(spec, args, free)
    if not names:
        return ()
    why = f" because {', '.join(still)} does not vary" if still else ""
    return (
        Note(
            "unidentified",
            "warning",
            f"the runs cannot tell {', '.join(names)} apart{why}: their posterior leans on the "
            "priors.",
            "Vary what is constant, fix one of them, or use a law without them.",
        ),
    )


def unseen_parameters(spec: ModelSpec, args: Args, free: list[str]) -> list[str]:
    """Return the parameters that take part in a direction the covariates do not show.

    The law's sensitivity to the logs of the sampled coordinates, at the prior medians, has a
    singular value near zero for such a direction.
    """
    medians = np.asarray([_median(spec, n, args) for n in free])
    slopes = compiled_slopes(spec, tuple(free))(medians, args["x"], args["ref"])
    jacobian = np.asarray(slopes) * np.maximum(np.abs(medians), 1e-3)
    if not np.isfinite(jacobian).all():
        return []
    triangle = np.linalg.qr(jacobian, mode="r")  # small, however many the rows
    _, values, directions = np.linalg.svd(triangle, full_matrices=True)
    padded = np.zeros(len(free))
    padded[: len(values)] = values
    flat = directions[padded < FLAT * padded.max()]
    return [n for i, n in enumerate(free) if np.any(np.abs(flat[:, i]) > PART)]


@lru_cache(maxsize=IN_MEMORY)
def compiled_slopes(spec: ModelSpec, free: tuple[str, ...]) -> Callable[..., Any]:
    """``(theta, x, ref)`` to the law's slopes (row, parameter) in the coordinates sampled for
    ``free`` (cached)."""
    constants = {n: p.args[0] for n, p in spec.priors if p.is_fixed}

    def curve(theta: Any, x: Mapping[str, Any], ref: Mapping[str, Any]) -> Any:
        values = {**constants}
        sampled = dict(zip(free, theta, strict=True))
        for param in sampling_order(spec.law):
            if param.name in sampled:
                shift = log_shift(spec.law, param.name, values, ref)
                level = sampled[param.name] * jnp.exp(shift)
                values[param.name] = to_paper(spec.law, param.name, level, values, ref)
        return spec.law(*(jnp.asarray(x[n]) for n in spec.law.inputs), **values)

    def slopes(theta: Any, x: Mapping[str, Any], ref: Mapping[str, Any]) -> Any:
        return jax.jacfwd(curve)(theta, x, ref)

    return jitted(slopes)


def _median(spec: ModelSpec, name: str, args: Mapping[str, Any]) -> float:
    prior = spec.prior(name)
    if prior.kind == "normal" and prior.args[0] == 0.0:
        return prior.args[1]
    return prior.median * (args["scale"] if prior.relative else 1.0)


def _family_notes(runs: Runs, spec: ModelSpec) -> tuple[Note, ...]:
    if not spec.groups:
        return ()
    group = spec.groups[-1]
    partial = [n for n, kind in spec.pool if kind == "partial"]
    families = runs.group_levels(group)
    notes = []
    if partial and len(families) < 5:
        notes.append(
            Note(
                "few_families",
                "info",
                f"{len(families)} families say little about the spread between families: the "
                "tau of each partially pooled parameter leans on its prior.",
            )
        )
    return (*notes, *_separate_notes(runs, spec, group))


def _separate_notes(runs: Runs, spec: ModelSpec, group: str) -> tuple[Note, ...]:
    alone = [n for n, kind in spec.pool if kind == "separate"]
    counts = {f: int(np.sum(runs.labels[group] == f)) for f in runs.group_levels(group)}
    thin = [f for f, count in counts.items() if count < len(alone)]
    if not alone or not thin:
        return ()
    return (
        Note(
            "thin_family",
            "warning",
            f"{group} {list_names(thin, 5)} has fewer rows than the {len(alone)} parameters it "
            "has to itself.",
            f"Pool them: pool={{'{alone[0]}': 'partial'}}.",
        ),
    )


def _row_notes(runs: Runs) -> tuple[Note, ...]:
    if runs.run is None:
        return ()
    count = len(np.unique(runs.run))
    if count == runs.n:
        return ()
    return (
        Note(
            "correlated_rows",
            "warning",
            f"{runs.n} rows are checkpoints of {count} runs: their errors are correlated, and the "
            "intervals are too narrow by up to the square root of the rows per run.",
            "Keep the last checkpoint of each run to be safe.",
        ),
    )
