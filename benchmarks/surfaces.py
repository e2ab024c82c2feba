"""Published tables with the runs to fit and those to forecast: loss surfaces L(N, D) and others.

The tables are not part of the project (their licences differ); every loader takes the folder that
holds them and returns `Runs`, which rows (row,) are held back, and the law to fit.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import bayes_scaling as bs

PORIAN = ("base_short_chinchilla_standard_val", "tuned_short_const_standard_val")
ROLES = ("fit", "forecast")
EPOCHS = 1.0


class Surface(NamedTuple):
    """Runs, whether each row is to be forecast, and the law."""

    runs: bs.Runs
    ahead: np.ndarray
    law: str = "chinchilla"


def _surface(table: pd.DataFrame, law: str = "chinchilla", **how: Any) -> Surface:
    used = table[table["role"].isin(ROLES)].reset_index(drop=True)
    return Surface(bs.read_runs(used, **how), (used["role"] == "forecast").to_numpy(), law)


def _read(data: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(data / name / f"{name}.csv")


def chinchilla_epoch(data: Path) -> Surface:
    """Epoch's reconstruction of Hoffmann's runs without the five excluded points."""
    return _surface(_read(data, "chinchilla_epoch"), group=None)


def gadre_overtraining(data: Path) -> Surface:
    """Three training corpora, loss on C4."""
    columns = {"L": "loss_c4_val", "lr": None}
    return _surface(_read(data, "gadre_overtraining"), group="family", columns=columns)


def porian_isoflop(data: Path) -> Surface:
    """The clean procedures of both corpora: family = corpus / procedure."""
    table = _read(data, "porian_isoflop")
    clean = table[table["procedure"].isin(PORIAN)]
    return _surface(clean, group="family_full", columns={"N": "params", "C": "flops"})


def misfitting_lr(data: Path) -> Surface:
    """The best learning rate of every size and horizon."""
    table = _read(data, "misfitting_lr")
    single = table[~table["duplicate_loss"].astype(bool)]
    best = single.loc[single.groupby(["params", "tokens"])["loss"].idxmin()]
    return _surface(best, group=None, columns={"N": "params", "C": "flops", "lr": None})


def gemstones(data: Path) -> Surface:
    """Checkpoints of the constant learning rate, every third of a run."""
    table = _read(data, "gemstones")
    hot = table[table["variant"] == "hot"].sort_values(["run_id", "tokens"])
    thin = hot[hot.groupby("run_id").cumcount() % 3 == 2]
    return _surface(thin, group=None, run="run_id", columns={"L": "loss", "C": "flops_6nd"})


def xlstm_isoflop(data: Path) -> Surface:
    """Architectures and context lengths as families."""
    table = _read(data, "xlstm_isoflop")
    columns = {"C": "flops_6nd", "lr": None, "L": "loss"}
    return _surface(table, group="family", columns=columns)


def data_constrained(data: Path) -> Surface:
    """Runs of no more than one epoch."""
    table = _read(data, "data_constrained")
    once = table[table["epochs"] <= EPOCHS + 1e-6]
    return _surface(once, group=None, run_id=None, columns={"N": "params", "D": "tokens"})


def sft_flan(data: Path) -> Surface:
    """Fine-tuning loss by examples (Lin et al. 2024): thirty models, the largest sets held back."""
    table = _read(data, "sft_flan")
    columns = {"L": "loss", "N": None, "Df": "examples"}
    return _surface(table, "rectified_sft", group="model", columns=columns)


def openclip(data: Path) -> Surface:
    """Zero-shot ImageNet error by compute (Cherti et al. 2023): training sets as families."""
    table = _read(data, "openclip")
    own = table[(table["eval_dataset"] == "imagenet1k") & (table["family"] == "openclip_laion")]
    columns = {"err": "error", "C": "flops", "lr": None, "N": None}
    return _surface(
        own, "power_law_with_floor(C)", group="train_dataset", response="err", columns=columns
    )


SURFACES: dict[str, Callable[[Path], Surface]] = {
    make.__name__: make
    for make in (
        chinchilla_epoch,
        gadre_overtraining,
        porian_isoflop,
        misfitting_lr,
        gemstones,
        xlstm_isoflop,
        data_constrained,
    )
}
"""Loss surfaces, to which Chinchilla's law is fitted."""

TABLES = {**SURFACES, "sft_flan": sft_flan, "openclip": openclip}
"""The same with fine-tuning and downstream error."""
