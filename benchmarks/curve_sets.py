"""Published learning curves: what is fitted of each, and what is held back.

The tables are not part of the project (their licences differ); every loader takes the folder that
holds them and returns a frame with one row a point: ``curve``; ``pool``, the curves that are fitted
together; the covariate ``X``; the response ``Y``; and ``ahead``, whether it is held back.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ["curve", "pool", "X", "Y", "ahead"]
EARLY = 0.1  # share of a training run that is fitted
POOL, EVERY = 12, 3  # curves of a pool where families are too small or large; curves taken


def _named(table: pd.DataFrame, **names: str) -> pd.DataFrame:
    return table.rename(columns={old: new for new, old in names.items()})


def images(data: Path) -> pd.DataFrame:
    """Few-shot error rate by examples seen; an architecture's tasks together, the published split.

    36 of the 72 curves of Alabdulmohsin et al. 2022.
    """
    table = pd.read_csv(data / "bench_vision_curves" / "bench_vision_curves.csv")
    named = _named(table, curve="curve_id", pool="family", X="examples_seen", Y="error_rate")
    return named.assign(ahead=table["role"] == "forecast")[COLUMNS]


def training(data: Path) -> pd.DataFrame:
    """Training loss by step (Mircea et al. 2025): the first tenth of every run is fitted."""
    table = pd.read_csv(data / "zsl_loss_curves" / "zsl_loss_curves.csv")
    last = table.groupby("run_id")["step"].transform("max")
    named = _named(table, curve="run_id", X="step", Y="loss")
    return named.assign(pool="all", ahead=table["step"] > EARLY * last)[COLUMNS]


def language(data: Path) -> pd.DataFrame:
    """Validation loss by tokens (Choshen et al. 2024): the first half of every run is fitted.

    Every third of 120 curves; pools are neighbours by family and size.
    """
    table = pd.read_csv(data / "colpret_curves" / "colpret_curves.csv.gz")
    table = table.sort_values(["family", "params", "curve_id", "tokens"], ignore_index=True)
    place = pd.factorize(table["curve_id"])[0]
    named = _named(table, curve="curve_id", X="tokens", Y="loss")
    whole = named.assign(pool=place // EVERY // POOL, ahead=table["role"] == "forecast")[COLUMNS]
    return whole[place % EVERY == 0]


def double_descent(data: Path) -> pd.DataFrame:
    """Test error of translation models by width and by samples: the first half is fitted."""
    table = pd.read_csv(data / "double_descent" / "double_descent.csv")
    size = table["embed_dim"].where(table["train_samples"].isna(), table["train_samples"])
    curves = table.groupby("dataset")["dataset"]
    place = curves.cumcount() / curves.transform("size")
    named = _named(table, curve="dataset")
    return named.assign(
        pool=table["dataset"], X=size, Y=table["test_error"] / 100, ahead=place >= 0.5
    )[COLUMNS]


SETS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "images": images,
    "training": training,
    "language": language,
    "double descent": double_descent,
}


def thinned(curve: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most that many rows of a curve, near even in log X, the first and last among them."""
    place = np.log(curve["X"].to_numpy(float))
    wanted = np.linspace(place[0], place[-1], most)
    rows = np.unique(np.abs(place[:, None] - wanted).argmin(axis=0))
    return curve.iloc[rows] if len(curve) > most else curve
