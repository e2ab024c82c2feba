"""The quick-start: published losses, one hierarchical fit, and a forecast of runs held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from bayes_scaling._errors import FitFileError, Note
from bayes_scaling._files import temporary_beside, write_whole
from bayes_scaling.data.embedded import published_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.fitting import fit
from bayes_scaling.forecasting import Forecast, forecast
from bayes_scaling.infer.base import Progress
from bayes_scaling.posterior import Fit

FAMILIES = ("Cerebras-GPT", "Cerebras-GPT-muP", "Pythia")
LAW = "chinchilla"
POOL = {"A": "shared", "B": "shared"}  # 17 runs cannot tell them apart family by family
FIT, PICTURE, TABLE = "fit.nc", "quickstart.png", "quickstart.csv"
COLUMNS = ["family", "model", "params_non_embed", "params", "tokens", "loss", "role", "source"]
WHY_NON_EMBEDDING = (
    "N counts parameters without embeddings: Pythia has an input and an output embedding, "
    "Cerebras-GPT one for both, so that totals of small models compare unlike things."
)
CAREFUL = 0.97  # target acceptance: so few runs leave E narrow where A and B are large
Say = Callable[[str], None]


@dataclass(frozen=True)
class Quickstart:
    """What the quick-start found.

    Attributes
    ----------
    fit
        The posterior given all runs but the held-out ones.
    held_out
        The largest run of each family.
    forecast
        The forecast at the held-out runs.
    table
        One row a held-out run: the forecast's columns, ``model``, ``actual``, and whether the
        actual loss is ``inside_50``, ``inside_90`` of the new-run bands.
    files
        The files written: the fit, the table of runs, the picture.
    seconds
        How long everything took.
    """

    fit: Fit
    held_out: Runs
    forecast: Forecast
    table: pd.DataFrame
    files: tuple[Path, ...]
    seconds: float


def run_quickstart(
    out: str | Path | None = "quickstart",
    *,
    seed: int = 0,
    draws: int | None = 1000,
    warmup: int | None = 500,
    chains: int | None = None,
    progress: bool | Progress = True,
    say: Say = lambda line: None,
) -> Quickstart:
    """Return a fit of published losses and its forecast of the largest run of each family.

    Parameters
    ----------
    out
        Folder for the fit, the table of runs and a picture; made if need be. A former
        quick-start there is replaced. None writes nothing.
    seed, draws, warmup, chains, progress
        As in `fit`.
    say
        Called with a line of text at every step.

    Raises
    ------
    FitFileError
        When the folder cannot be written, or holds such files of somebody else's.
    """
    clock = perf_counter()
    folder = None if out is None else _claimed(Path(out))
    runs = published_runs(families=FAMILIES, embeddings=False)
    held = largest_of_each(runs)
    say(f"{runs.n} published losses of {len(FAMILIES)} families; {held.sum()} held out")
    say(f"fitting '{LAW}' to {runs.n - held.sum()} runs (compiling takes most of the time)")
    fitted = fit(
        _training(runs, held),
        LAW,
        pool=POOL,
        chains=chains,
        draws=draws,
        warmup=warmup,
        target_accept=CAREFUL,
        seed=seed,
        progress=progress,
    )
    held_out = runs.subset(held)
    ahead = forecast(fitted, held_out, prob=(0.5, 0.9), seed=seed)
    files = _write(folder, fitted, runs, held, say) if folder else ()
    table = with_actual(ahead.table, held_out)
    return Quickstart(fitted, held_out, ahead, table, files, perf_counter() - clock)


def largest_of_each(runs: Runs) -> np.ndarray:
    """Whether a run is the one with the most parameters of its family, shape (row,)."""
    group = runs.labels[runs.groups[-1]]
    largest = pd.Series(runs.values["N"]).groupby(group).idxmax().to_numpy()
    return np.isin(np.arange(runs.n), largest)


def _training(runs: Runs, held: np.ndarray) -> Runs:
    names = ", ".join(runs.run_id[held])
    told = f"held out, to be forecast: {names}. A and B are one for all families, E is pooled."
    note = Note("quickstart", "info", told)
    return replace(runs.subset(~held), notes=(*runs.notes, note))


def with_actual(table: pd.DataFrame, held_out: Runs) -> pd.DataFrame:
    """Return a forecast table with the actual losses and whether the new-run bands hold them."""
    actual = held_out.values[held_out.response]
    inside = {
        f"inside_{p}": (table[f"run_{p}_low"] <= actual) & (actual <= table[f"run_{p}_high"])
        for p in (50, 90)
    }
    return table.assign(model=held_out.run_id, actual=actual, **inside)


# --- files ---------------------------------------------------------------------------------


def _claimed(folder: Path) -> Path:
    """Make the folder, and check that whatever would be replaced came from a quick-start."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FitFileError(f"cannot make the folder '{folder}': {error.strerror}.") from None
    there = [folder / name for name in (FIT, TABLE, PICTURE) if (folder / name).exists()]
    if there and not is_quickstart(folder / FIT):
        raise FitFileError(
            f"'{there[0]}' exists and is not of a quick-start: choose another folder."
        )
    temporary_beside(folder / FIT).unlink()
    return folder


def is_quickstart(path: Path) -> bool:
    """Whether a file is a fit that a quick-start saved."""
    import h5py

    try:
        with h5py.File(path) as file:
            return '"code": "quickstart"' in str(file.attrs.get("notes", ""))
    except OSError:
        return False


def _write(folder: Path, fitted: Fit, runs: Runs, held: np.ndarray, say: Say) -> tuple[Path, ...]:
    say(f"writing {FIT}, {TABLE} and {PICTURE} to '{folder}'")
    saved = fitted.save(folder / FIT)
    table = runs.table.assign(role=np.where(held, "held out", "fit"))[COLUMNS]
    listed = write_whole(folder / TABLE, lambda path: table.to_csv(path, index=False))
    drawn = write_whole(folder / PICTURE, lambda path: _draw(fitted, runs.subset(held), path))
    return saved, listed, drawn


def _draw(fitted: Fit, held_out: Runs, path: Path) -> None:
    from bayes_scaling.plots import plot_fit

    figure = plot_fit(fitted, against="C", new=held_out)
    figure.savefig(path, format="png", dpi=150, bbox_inches="tight")
