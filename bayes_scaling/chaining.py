"""Chains of laws: the loss by size and data, then the score by the loss, as one posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import pandas as pd

from bayes_scaling._errors import ForecastError, Note, SpecError, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.forecasting import (
    Forecast,
    checked_probs,
    forecast,
    forecast_notes,
    forecast_table,
    predictions,
)
from bayes_scaling.law_draws import law_draws, points_frame
from bayes_scaling.posterior import Fit

TASK_LOSS = "T"


@dataclass(frozen=True)
class Chain:
    """Fits in a row; the response of each is an input of the next.

    Every law is fitted to measured responses of the one before it, and no two share a parameter:
    the joint posterior is then the product of those of the fits, and a forecast carries every draw
    of a response on to a draw of the next law.

    Attributes
    ----------
    fits
        The first law's fit, then those after it.
    via
        For each fit but the first the input that the response before it stands for.
    """

    fits: tuple[Fit, ...]
    via: tuple[str, ...]

    def __str__(self) -> str:
        laws = [fit.spec.law for fit in self.fits]
        steps = [f"{law.name}({', '.join(law.inputs)}) -> {law.response}" for law in laws]
        return "; ".join(steps)

    __repr__ = __str__

    @in_float64
    def forecast(
        self,
        at: Any,
        *,
        prob: float | Sequence[float] = (0.5, 0.9),
        model_error: ModelError | bool = True,
        two_stage: bool = False,
        seed: int = 0,
    ) -> Forecast:
        """Return median and bands of the last response at new inputs of the first law.

        Parameters
        ----------
        at
            Points, as for `bayes_scaling.forecast`; with the grouping columns, and further inputs,
            of every law.
        prob
            Probabilities of the equal-tailed bands.
        model_error
            As in `bayes_scaling.forecast`, of the first law. A later law's own error is in no band.
        two_stage
            Carry the median of each response on instead of its draws, as is usual; for comparison:
            its bands leave out the uncertainty of all laws but the last.

        Raises
        ------
        ForecastError
            As `bayes_scaling.forecast` does.
        """
        probs, frame, first = checked_probs(prob), points_frame(at), self.fits[0]
        own = _columns(first, frame)
        made = forecast(first, own, prob=probs, model_error=model_error, seed=seed)
        links = zip(pairwise(self.fits), self.via, strict=True)
        for key, ((before, fit), via) in enumerate(links, start=seed + 1):
            carried = _carried(before, made, two_stage)
            made = _joined(made, _onward(fit, via, carried, frame, probs, key))
        return made


def chain(*fits: Fit, via: str | Sequence[str] | None = None) -> Chain:
    """Return fits in a row, the response of each an input of the next.

    Parameters
    ----------
    fits
        Two or more `Fit`, such as one of ``ladder_loss`` (loss by N and D) and one of
        ``ladder_accuracy`` (accuracy by the loss).
    via
        The input that stands for the response before it, one for each fit but the first. By default
        the one of the response's name, else ``T``, the loss of a task.

    Raises
    ------
    SpecError
        With fewer than two fits, or where no input can stand for a response.
    """
    if len(fits) < 2:
        raise SpecError(f"a chain takes two fits or more, {len(fits)} given: chain(loss, score).")
    names = [via] if isinstance(via, str) else list(via or [])
    if names and len(names) != len(fits) - 1:
        raise SpecError(f"via names {len(names)} inputs for {len(fits) - 1} links: give one each.")
    links = zip(pairwise(fits), names or [None] * (len(fits) - 1), strict=True)
    return Chain(fits, tuple(_via(before, after, name) for (before, after), name in links))


def _via(before: Fit, after: Fit, name: str | None) -> str:
    """The input of a law that the response of the one before stands for."""
    response, inputs = before.spec.law.response, after.spec.law.inputs
    found = name or next((n for n in (response, TASK_LOSS) if n in inputs), None)
    if found not in inputs:
        raise SpecError(
            f"law '{after.spec.law.name}' takes {list_names(list(inputs))}, none of which is "
            f"{name or response}: name the input that '{before.spec.law.name}' gives, via='...'."
        )
    return found


def _columns(fit: Fit, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that a fit can use: numbers, and its own grouping columns."""
    groups = fit.spec.groups
    return frame[[c for c in frame if c in groups or pd.api.types.is_numeric_dtype(frame[c])]]


def _onward(
    fit: Fit,
    via: str,
    carried: Mapping[str, np.ndarray],
    frame: pd.DataFrame,
    probs: Sequence[float],
    seed: int,
) -> Forecast:
    """The forecast of a response from draws (sample, point) of the one before it, by their band."""
    middle = np.median(carried["run"], axis=0)
    points = _columns(fit, frame).assign(**{via: middle})
    order = _order(len(carried["run"]), fit, seed)
    drawn = {
        name: law_draws(fit, points, jax.random.key(seed), given={via: draws[order]})
        for name, draws in carried.items()
    }
    bands = {name: each.run if name == "run" else each.mean for name, each in drawn.items()}
    if not all(np.isfinite(draws).all() for draws in bands.values()):
        raise ForecastError(
            f"law '{fit.spec.law.name}' has no value at some draws of {via}, "
            f"{middle.min():.3g} to {middle.max():.3g} by their medians: forecast nearer the data."
        )
    where = drawn["run"].points
    table = forecast_table(fit, where, bands, probs)
    notes = (*forecast_notes(fit, table, bands["law"], None), *_outside(via, table))
    return Forecast(table, predictions(fit, where, bands), notes)


def _order(count: int, fit: Fit, seed: int) -> np.ndarray:
    """Which of so many draws goes with each of a fit, at random."""
    sizes = fit.posterior.sizes
    each = np.resize(np.arange(count), sizes["chain"] * sizes["draw"])
    return np.random.default_rng(seed).permutation(each)


def _joined(before: Forecast, after: Forecast) -> Forecast:
    """The later forecast, with what the earlier one says of its own inputs."""
    further = {c: before.table[c] for c in map(str, before.table) if c.startswith("beyond_")}
    notes = dict.fromkeys((*before.notes, *after.notes))
    return Forecast(after.table.assign(**further), after.data, tuple(notes))


def _carried(before: Fit, made: Forecast, two_stage: bool) -> dict[str, np.ndarray]:
    """Draws (sample, point) of each band of a forecast, or its median in place of all."""
    found, response = made.data["predictions"], before.spec.law.response
    names = {"law": f"{response}_law", "model": f"{response}_model", "run": response}
    draws = {k: np.asarray(found[v]) for k, v in names.items() if v in found}
    flat = {k: v.reshape(-1, v.shape[-1]) for k, v in draws.items()}
    if not two_stage:
        return flat
    middle = np.median(flat.get("model", flat["law"]), axis=0)
    return {k: np.tile(middle, (len(v), 1)) for k, v in flat.items() if k != "model"}


def _outside(via: str, table: pd.DataFrame) -> list[Note]:
    """Say where a later law is asked beyond its own data: its error there is in no band."""
    count = int((table[f"beyond_{via}"] != 0).sum())
    if not count:
        return []
    return [
        Note(
            "link_extrapolated",
            "warning",
            f"{via} lies outside the data of the law that takes it at {count} of {len(table)} "
            "points: that law may bend there, which no band includes.",
        )
    ]
