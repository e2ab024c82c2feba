"""`fit_many`: hundreds of independent posteriors as batched programs, resumable."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import BayesScalingError, DataError, FitFileError
from bayes_scaling._files import write_whole
from bayes_scaling._progress import no_progress, shown_progress
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import bucket, make_args, padded
from bayes_scaling.build import Args
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.families import Grouping, flatten_chains
from bayes_scaling.identify import require_rows
from bayes_scaling.infer.base import Progress
from bayes_scaling.infer.batch import BATCH, SIZES, Result, posteriors
from bayes_scaling.infer.target import Target, make_target, shapes_of
from bayes_scaling.posterior import Sampled, posterior_names, variable_dims
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec
from bayes_scaling.storage import spec_to_json


@dataclass(frozen=True)
class ManyFits:
    """Posteriors of many tables, in the order given.

    Attributes
    ----------
    runs, specs, results
        For every table its runs, its model, and its draws with how they were got.
    """

    runs: tuple[Runs, ...]
    specs: tuple[ModelSpec, ...]
    results: tuple[Result, ...]

    def __len__(self) -> int:
        return len(self.results)

    def posterior(self, i: int) -> xr.Dataset:
        """The posterior of table ``i`` with dims (chain, draw, ...), as `Fit.posterior`."""
        spec, sites, dims = self.specs[i], self.results[i].sites, variable_dims(self.specs[i])
        coords = {g: self.runs[i].group_levels(g) for g in spec.groups}
        values = {n: (["chain", "draw", *dims.get(n, [])], sites[n]) for n in posterior_names(spec)}
        return xr.Dataset(values, coords=coords)

    def sampled(self, i: int) -> Sampled:
        """The posterior of table ``i`` in the form that forecasts take."""
        spec, runs, flat = self.specs[i], self.runs[i], flatten_chains(self.posterior(i))
        args = make_args(runs, spec)
        labels = {g: runs.group_levels(g) for g in spec.groups}
        grouping = Grouping(labels, args["parent"])
        return Sampled(spec, runs, flat, grouping, {k: float(v) for k, v in args["ref"].items()})

    def table(self, prob: float = 0.9) -> pd.DataFrame:
        """One row for every table and scalar: median, interval, sampler, and doubt if any."""
        return pd.concat([self._rows(i, prob) for i in range(len(self))], ignore_index=True)

    def _rows(self, i: int, prob: float) -> pd.DataFrame:
        sites = self.results[i].sites
        names, columns = [], []
        for name in posterior_names(self.specs[i]):
            flat = sites[name].reshape(sites[name].shape[0] * sites[name].shape[1], -1)
            names += [name if flat.shape[1] == 1 else f"{name}[{k}]" for k in range(flat.shape[1])]
            columns.append(flat)
        low, middle, high = np.quantile(
            np.concatenate(columns, axis=1), [(1 - prob) / 2, 0.5, (1 + prob) / 2], axis=0
        )
        found = {"table": i, "parameter": names, "median": middle, "low": low, "high": high}
        how = {"sampler": self.results[i].sampler, "doubt": self.results[i].doubt}
        return pd.DataFrame({**found, **how})


@dataclass(frozen=True)
class _Job:
    """Tables of one shape and model, by their place in the order given."""

    spec: ModelSpec
    target: Target
    places: tuple[int, ...]
    args: tuple[Args, ...]

    def parts(self) -> Iterator[_Job]:
        for start in range(0, len(self.places), BATCH):
            part = slice(start, start + BATCH)
            yield replace(self, places=self.places[part], args=self.args[part])


@in_float64
def fit_many(
    tables: Sequence[Any],
    law: str | Law = "chinchilla",
    *,
    group: str | list[str] | None = None,
    seed: int = 0,
    rows: int = 0,
    out: str | Path | None = None,
    progress: bool | Progress = True,
    **options: Any,
) -> ManyFits:
    """Return the posteriors of many tables: cut-offs, bootstrap replicates, simulations, tasks.

    Parameters
    ----------
    tables
        Each what `fit` takes. Lengths and families may differ; tables of like size share programs.
    law, group, options
        As in `fit` (pool, priors, noise, noise_by_family, noise_trend).
    seed
        Table ``i`` is sampled with ``seed + i``, whatever else is in the list.
    rows
        Pad every table to this many rows or more, so that tables of all lengths share one program.
    out
        Folder that keeps every finished batch; called again with it, only the rest is computed.
    progress
        Show a bar on standard error, or a function ``(done, total, phase)``.

    Returns
    -------
    ManyFits
        A thousand draws or more of every posterior. A table whose fast answer is refused is
        sampled by the next sampler of `fit`, in the end by NUTS; where even that did not
        converge, its ``doubt`` says so.

    Raises
    ------
    BayesScalingError
        Naming the place of the table that does not fit.
    """
    folder = None if out is None else _folder(Path(out))
    runs = tuple(_named(i, lambda t=t: read_runs(t, group=group)) for i, t in enumerate(tables))
    specs = tuple(_named(i, lambda r=r: resolve(r, law, **options)) for i, r in enumerate(runs))
    for i, (table, spec) in enumerate(zip(runs, specs, strict=True)):
        _named(i, lambda table=table, spec=spec: require_rows(table, spec))
    show = shown_progress(progress)
    parts = [part for job in _jobs(runs, specs, rows) for part in job.parts()]
    return ManyFits(runs, specs, tuple(_results(parts, len(runs), seed, folder, show)))


@in_float64
def posteriors_of(
    spec: ModelSpec,
    args: Sequence[Args],
    *,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Progress = no_progress,
) -> list[Result]:
    """Return the posteriors of tables of one model whose arguments are given.

    As `fit_many`, but the arguments are taken as they are, the scale of priors and the reference
    point among them.
    """
    folder = None if out is None else _folder(Path(out))
    job = _Job(spec, make_target(spec, args[0]), tuple(range(len(args))), tuple(args))
    return _results(list(job.parts()), len(args), seed, folder, progress)


def _results(
    parts: Sequence[_Job], tables: int, seed: int, folder: Path | None, show: Progress
) -> list[Result]:
    """The results of all parts in the order of their tables."""
    results: dict[int, Result] = {}
    for part, found in _each(parts, seed, folder):
        results.update(zip(part.places, found, strict=True))
        show(len(results), tables, "fitting")
    show(tables, tables, "done")
    return [results[i] for i in range(tables)]


def _named(place: int, make: Any) -> Any:
    try:
        return make()
    except BayesScalingError as error:
        raise DataError(f"table {place}: {error}") from None


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FitFileError(f"cannot make the folder '{path}': {error.strerror}.") from None
    return path


def _jobs(runs: Sequence[Runs], specs: Sequence[ModelSpec], rows: int) -> Iterable[_Job]:
    jobs: dict[Any, list[tuple[int, Args]]] = {}
    for i, (table, spec) in enumerate(zip(runs, specs, strict=True)):
        args = padded(make_args(table, spec), bucket(max(table.n, rows)))
        jobs.setdefault((spec, shapes_of(args)), []).append((i, args))
    for (spec, _), held in jobs.items():
        places, args = zip(*held, strict=True)
        yield _Job(spec, make_target(spec, args[0]), places, args)


def _each(
    parts: Sequence[_Job], seed: int, folder: Path | None
) -> Iterator[tuple[_Job, list[Result]]]:
    """Results of every part as they come: the first of a model alone, since it compiles."""
    seen, later = set(), []
    for part in parts:
        if part.target in seen:
            later.append(part)
            continue
        seen.add(part.target)
        yield part, _kept(part, seed, folder)
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        work = in_float64(_kept)
        jobs = {pool.submit(work, part, seed, folder): part for part in later}
        for job in as_completed(jobs):
            yield jobs[job], job.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _kept(part: _Job, seed: int, folder: Path | None) -> list[Result]:
    """The results of a part, from its file if an earlier call left one."""
    if folder is None:
        return _sampled(part, seed)
    path = folder / f"{_digest(part, seed)}.npz"
    if not path.exists():
        found = _sampled(part, seed)
        write_whole(path, lambda temporary: _write(temporary, found))
        return found
    return _read(path)


def _sampled(part: _Job, seed: int) -> list[Result]:
    return posteriors(part.target, np.asarray([seed + i for i in part.places]), part.args)


# --- files ---------------------------------------------------------------------------------


def _digest(part: _Job, seed: int) -> str:
    """A name that changes with the data, the model, the sizes and the seed."""
    parts = [spec_to_json(part.spec), json.dumps(SIZES), str([seed + i for i in part.places])]
    text = hashlib.sha256("\n".join(parts).encode())
    for leaf in jax.tree.leaves(part.args):
        text.update(np.ascontiguousarray(leaf).tobytes())
    return text.hexdigest()[:32]


def _write(path: Path, results: Sequence[Result]) -> None:
    about = [{"sampler": r.sampler, "doubt": r.doubt, "numbers": r.numbers} for r in results]
    arrays = {f"{i}/{name}": v for i, r in enumerate(results) for name, v in r.sites.items()}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, about=np.asarray(json.dumps(about)), **arrays)


def _read(path: Path) -> list[Result]:
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            sites: list[dict[str, np.ndarray]] = [{} for _ in about]
            for key in file.files:
                place, _, name = key.partition("/")
                if name:
                    sites[int(place)][name] = file[key]
    except (OSError, ValueError, KeyError) as error:
        raise FitFileError(
            f"'{path}' cannot be read ({error}): delete it and call again."
        ) from None
    return [Result(s, **a) for s, a in zip(sites, about, strict=True)]
