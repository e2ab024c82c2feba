"""Scores of further models, and unknown scores of fitted ones, with credible bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._errors import ForecastError, Note, did_you_mean, list_names
from bayes_scaling.forecasting import Forecast, beyond, checked_probs, far_notes
from bayes_scaling.latent.layout import design
from bayes_scaling.law_draws import points_frame
from bayes_scaling.stats.intervals import equal_tailed

if TYPE_CHECKING:
    from bayes_scaling.latent.results import Skills

Draws = dict[str, np.ndarray]
NEVER = 1e-9  # expected scores are kept so far from 0 and 1, for Beta draws


def forecast_scores(
    fit: Skills, at: Any, benchmark: Any, prob: float | Sequence[float], seed: int
) -> Forecast:
    """Return the forecast of `Skills.forecast`: one row for every point and benchmark."""
    probs, rng = checked_probs(prob), np.random.default_rng(seed)
    frame = points_frame(at)
    asked = _benchmarks(fit, benchmark)
    drawn = _of_models(fit, frame) if "model" in frame else _of_families(fit, frame, rng)
    bands = {k: _scores(fit, skill, asked) for k, skill in drawn.items()}
    bands["run"] = _noisy(fit, bands["model"], asked, rng)
    flat = {k: v.reshape(len(v), -1) for k, v in bands.items()}
    table = _table(fit, frame, asked, flat, probs)
    return Forecast(table, _dataset(fit, table, flat), tuple(_notes(fit, table)))


def _benchmarks(fit: Skills, asked: Any) -> list[int]:
    """Places of the benchmarks asked for."""
    names = fit.labels("benchmark")
    wanted = names if asked is None else [asked] if isinstance(asked, str) else list(asked)
    return [_place(names, str(w), "benchmark") for w in wanted]


def _place(names: Sequence[str], name: str, what: str) -> int:
    if name in names:
        return list(names).index(name)
    hint = did_you_mean(name, names)
    raise ForecastError(f"at: no {what} {name!r} was fitted.{hint} Fitted: {list_names(names)}.")


def _of_models(fit: Skills, frame: pd.DataFrame) -> Draws:
    """Skills (sample, point, skill) of models that were fitted, their deviations known."""
    names = fit.labels("model")
    place = [_place(names, str(m), "model") for m in frame["model"]]
    return {"model": fit.samples["model_skill"][:, place]}


def _of_families(fit: Skills, frame: pd.DataFrame, rng: np.random.Generator) -> Draws:
    """Skills (sample, point, skill) of an average model of the family, and of a further one."""
    x = design(fit.layout, _inputs(fit, frame))
    law = np.einsum("pt,stk->spk", x, fit.samples["slope"]) + _family(fit, frame, rng)
    own = fit.samples["model_sd"][:, None] * rng.standard_normal(law.shape)
    return {"law": law, "model": law + own}


def _inputs(fit: Skills, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    found = {}
    for name in fit.layout.inputs:
        if name not in frame:
            raise ForecastError(f"at: give {name}, or model= of the table; it has {list(frame)}.")
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
        if not (np.isfinite(values) & (values > 0)).all():
            raise ForecastError(f"at: {name} must be numbers above zero.")
        found[name] = values
    return found


def _family(fit: Skills, frame: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Effects (sample, point, skill); rows of one new family share theirs."""
    if "family" not in frame:
        raise ForecastError("at: give family, any name for a new one.")
    names, labels = fit.labels("family"), frame["family"].astype(str)
    known, sd = fit.samples["family_skill"], fit.samples["family_sd"]
    drawn = {f: sd * rng.standard_normal(sd.shape) for f in dict.fromkeys(labels) if f not in names}
    each = [drawn[f] if f in drawn else known[:, names.index(f)] for f in labels]
    return np.stack(each, axis=1)


def _scores(fit: Skills, skill: np.ndarray, asked: list[int]) -> np.ndarray:
    """Expected scores (sample, point, benchmark)."""
    loading, offset = fit.samples["loading"][:, asked], fit.samples["offset"][:, None, asked]
    logit = offset + np.einsum("spk,sbk->spb", skill, loading)
    low, lapse = (np.array(v)[asked] for v in (fit.layout.chance, fit.layout.lapse))
    return low + (1 - low - lapse) / (1 + np.exp(-logit))


def _noisy(fit: Skills, mean: np.ndarray, asked: list[int], rng: np.random.Generator) -> np.ndarray:
    """Scores as they would be measured, (sample, point, benchmark)."""
    sigma = fit.samples["sigma"][:, None, asked]
    if fit.layout.noise == "normal":
        return np.clip(mean + sigma * rng.standard_normal(mean.shape), 0, 1)
    inside = np.clip(mean, NEVER, 1 - NEVER)
    share = rng.beta(inside / sigma**2, (1 - inside) / sigma**2)
    if fit.layout.noise == "beta":
        return share
    items = np.array(fit.layout.trials)[asked].astype(int)
    return rng.binomial(items, share) / items


def _table(
    fit: Skills,
    frame: pd.DataFrame,
    asked: list[int],
    bands: Mapping[str, np.ndarray],
    probs: Sequence[float],
) -> pd.DataFrame:
    names = fit.labels("benchmark")
    kept = [c for c in (*fit.layout.inputs, "family", "model") if c in frame]
    table = frame[kept].loc[frame.index.repeat(len(asked))].reset_index(drop=True)
    table["benchmark"] = [names[i] for i in asked] * len(frame)
    table["median"] = np.median(bands["model"], axis=0)
    for name, draws in bands.items():
        for p in probs:
            low, high = equal_tailed(draws, p)
            table[f"{name}_{100 * p:g}_low"], table[f"{name}_{100 * p:g}_high"] = low, high
    if "model" in frame:
        return table
    data = fit.data["constant_data"].to_dataset()
    for n in fit.layout.inputs:
        table[f"beyond_{n}"] = beyond(table[n].to_numpy(float), np.asarray(data[n]))
    return table.assign(new_family=~table["family"].astype(str).isin(fit.labels("family")))


def _dataset(fit: Skills, table: pd.DataFrame, bands: Mapping[str, np.ndarray]) -> xr.DataTree:
    """Draws in ArviZ's schema, dims (chain, draw, point), a point for every row."""
    sizes, dims = fit.posterior.sizes, ("chain", "draw", "point")
    shape, names = (sizes["chain"], sizes["draw"], len(table)), {"run": "score"}
    draws = {names.get(k, f"score_{k}"): (dims, v.reshape(shape)) for k, v in bands.items()}
    inputs = {str(c): ("point", table[c].to_numpy(copy=True)) for c in table.columns[:4]}
    return xr.DataTree.from_dict(
        {"predictions": xr.Dataset(draws), "predictions_constant_data": xr.Dataset(inputs)}
    )


def _notes(fit: Skills, table: pd.DataFrame) -> list[Note]:
    notes = far_notes(table, "which no band here includes")
    new = table.loc[table["new_family"], "family"] if "new_family" in table else []
    if len(new):
        names = sorted({str(f) for f in new})
        told = f"family {list_names(names, 5)} is not in the data: the population's forecast."
        hint = did_you_mean(names[0], fit.labels("family"))
        notes.append(Note("new_family", "info", told + hint))
    if fit.diagnose().severity == "error":
        notes.append(Note("bad_fit", "error", "the fit failed its checks; see diagnose() first."))
    return notes
