"""The arrays that a model takes, made from a table of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayes_scaling.build import stem
from bayes_scaling.data.runs import Runs
from bayes_scaling.spec import ModelSpec

MANY_FAMILIES = 16  # fewer families cost a row too little to put rows family after family
WORTH_PADDING = 1.5  # times as many rows at most, when they are
BY_ROW = ("y", "mask", "member", "se", "trials", "trend")  # arguments of a row each, beside x


def geometric_mean(x: np.ndarray) -> float:
    """The centre of a covariate: its geometric mean, or the median where it is not positive."""
    return float(np.exp(np.mean(np.log(x)))) if np.all(x > 0) else float(np.median(x))


def make_args(runs: Runs, spec: ModelSpec) -> dict[str, Any]:
    """Return the model's arguments as float64 NumPy arrays.

    ``x`` covariates (row,), ``y`` response (row,), ``mask`` (row,), ``member`` one-hot rows by
    families (``by_family`` once `by_families` has put them in order), ``parent`` the parent index
    of every group; ``basis``, ``information`` and ``pull`` the directions in which groups deviate
    and what the data say of them (nothing yet: `bayes_scaling.infer.prepare` fills them in);
    ``ref`` the data's reference point, ``scale`` the typical size of the response, ``blur`` extra
    noise (none; the search for the mode starts blurred), ``se``, ``trials`` and ``trend`` where the
    spec uses them.
    """
    x = {name: np.asarray(runs.values[name], float) for name in spec.law.inputs}
    y = np.asarray(runs.values[runs.response], float)
    args: dict[str, Any] = {
        "x": x,
        "y": y,
        "mask": np.ones(len(y), bool),
        "ref": {name: np.float64(geometric_mean(values)) for name, values in x.items()},
        "scale": typical_response(y),
        "blur": np.float64(0.0),
        **_group_args(runs, spec),
    }
    if spec.known_se and runs.se is not None:
        args["se"] = np.asarray(runs.se, float)
    if spec.observation.counts and runs.trials is not None:
        args["trials"] = np.asarray(runs.trials, float)
    if spec.noise_trend:
        args["trend"] = decades(runs.values[spec.noise_trend], runs.values[spec.noise_trend])
    return args


def known_errors(runs: Runs, spec: ModelSpec) -> np.ndarray:
    """Standard errors of the response that are known, or follow from its number of items."""
    if spec.observation.counts and runs.trials is not None:
        return share_error(
            (runs.values[runs.response] * runs.trials + 1.0) / (runs.trials + 2.0), runs.trials
        )
    return np.zeros(runs.n) if runs.se is None or not spec.known_se else runs.se


def share_error(share: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Standard error of a share of so many items."""
    inside = np.clip(share, 0.0, 1.0)
    return np.sqrt(inside * (1.0 - inside) / trials)


def typical_response(y: np.ndarray) -> np.float64:
    """The size of a response, which relative priors are multiples of."""
    return np.float64(np.median(np.abs(y)))


def decades(values: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Distance of ``values`` from the data's geometric mean, in decades."""
    return np.log10(np.asarray(values, float) / geometric_mean(np.asarray(data, float)))


def group_index(runs: Runs, name: str) -> np.ndarray:
    """Index of every row into the sorted levels of a grouping column, shape (row,)."""
    return np.searchsorted(runs.group_levels(name), runs.labels[name])


def _group_args(runs: Runs, spec: ModelSpec) -> dict[str, Any]:
    if not spec.groups:
        return {"parent": {}, "basis": {}, "information": {}, "pull": {}}
    rows = {g: group_index(runs, g) for g in spec.groups}
    inner = rows[spec.groups[-1]]
    bases = {
        stem(spec, p.name, g): start_basis(len(runs.group_levels(g)), outermost=i == 0)
        for p in spec.law.params
        if spec.pooling(p.name) == "partial" and not spec.prior(p.name).is_fixed
        for i, g in enumerate(spec.groups)
    }
    return {
        "parent": {g: _parents(rows, spec.groups, i) for i, g in enumerate(spec.groups)},
        "basis": bases,
        "information": {key: np.zeros(basis.shape[1]) for key, basis in bases.items()},
        "pull": {key: np.zeros(basis.shape[1]) for key, basis in bases.items()},
        "member": np.eye(inner.max() + 1)[inner],
    }


def start_basis(size: int, *, outermost: bool) -> np.ndarray:
    """Orthonormal directions of deviation: contrasts about the mean for the outermost groups."""
    if not outermost:
        return np.eye(size)
    helmert = np.tril(np.ones((size, size)), -1)[1:] - np.diag(np.arange(1.0, size), 1)[:-1]
    return (helmert / np.linalg.norm(helmert, axis=1, keepdims=True)).T


def _parents(rows: dict[str, np.ndarray], groups: tuple[str, ...], i: int) -> np.ndarray:
    """Parent index of every member of the i-th level (zeros for the outermost)."""
    own = rows[groups[i]]
    parents = np.zeros(own.max() + 1, int)
    if i:
        parents[own] = rows[groups[i - 1]]
    return parents


def padded(args: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Return the arguments with ``rows`` rows, the added ones masked copies of the last.

    Tables of up to that many rows then share one compiled program. The mask keeps the copies out
    of the likelihood; they hold valid numbers so that no gradient is NaN.
    """
    have = len(args["mask"])
    add = rows - have

    def stretch(value: Any) -> Any:
        by_row = np.ndim(value) > 0 and np.shape(value)[0] == have
        return np.concatenate([value, np.repeat(value[-1:], add, axis=0)]) if by_row else value

    named = {k: stretch(args[k]) for k in BY_ROW if k in args}
    named["mask"] = np.arange(rows) < have
    return {**args, **named, "x": {k: stretch(v) for k, v in args["x"].items()}}


def by_families(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with rows family after family, as many of each, where that pays.

    A product with ``member`` costs every row as many operations as there are families. Here the
    added rows are masked copies, and ``by_family`` (family, rows of each), which stands for
    ``member``, is the mask. A few families, or ones of very unlike sizes, stay as they are.
    """
    if "member" not in args or args["member"].shape[1] < MANY_FAMILIES:
        return dict(args)
    family = np.argmax(args["member"], axis=1)
    own = [np.flatnonzero((family == f) & args["mask"]) for f in range(args["member"].shape[1])]
    sizes = np.array([len(rows) for rows in own])
    most = -(-sizes.max() // 4) * 4  # so that tables a row longer share a program
    if sizes.min() == 0 or len(own) * most > WORTH_PADDING * len(family):
        return dict(args)
    take = np.concatenate([rows[np.minimum(np.arange(most), len(rows) - 1)] for rows in own])
    mask = np.arange(most) < sizes[:, None]
    without = {k: v for k, v in args.items() if k != "member"}
    return {**take_rows(without, take), "mask": mask.ravel(), "by_family": mask}


def take_rows(args: Mapping[str, Any], take: Any) -> dict[str, Any]:
    """Return the arguments with these rows, as NumPy indexes them, of everything that has rows."""
    named = {k: args[k][take] for k in BY_ROW if k in args}
    return {**args, **named, "x": {k: v[take] for k, v in args["x"].items()}}


def bucket(rows: int) -> int:
    """The least of 16, 24, 32, 48, 64, 96 ... that holds ``rows``."""
    power = 16
    while power < rows:
        power *= 2
    return power * 3 // 4 if rows <= power * 3 // 4 and power > 16 else power
