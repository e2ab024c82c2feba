"""Tables with known parameters: drawn from the prior, simulated, and fitted again.

Priors in multiples of the response take their scale from the data, and levels sit at the data's
reference point. A truth drawn from such a prior has that prior in its own refit only if neither
moves: the reference point comes from the inputs, which all tables share, and the scale is the
typical response over the prior, held for every table. What is simulated and refitted is therefore
the model given its scale; that users' data set the scale is outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd
from numpyro import handlers

from bayes_scaling._progress import no_progress
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import make_args
from bayes_scaling.build import Args, numpyro_model_of
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.fitting_many import posteriors_of
from bayes_scaling.infer.base import Progress
from bayes_scaling.infer.batch import Result
from bayes_scaling.infer.density import trace_of
from bayes_scaling.infer.target import Target, make_target
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec, get_law, get_observation
from bayes_scaling.symbols import SYMBOLS

SCALE = 2.5  # stands for the typical response, which data-relative priors are multiples of
GOLDEN = (0.6180339887, 0.7548776662, 0.5698402910, 0.8191725134, 0.6710436067)
TRIALS = 200  # items of every share
KNOWN_SE = 0.01  # of known standard errors, in typical responses


class Simulated(NamedTuple):
    """Tables of one design with the parameters that made them.

    ``truth`` holds every sampled and deterministic site as an array (table, ...); ``args`` the
    arguments of each table's model, the response and the scale of its priors among them.
    """

    spec: ModelSpec
    truth: Mapping[str, np.ndarray]
    args: tuple[Args, ...]


def design(law: Law, *, families: int = 3, rows: int = 14, nested: bool = False) -> Runs:
    """Return a table of inputs to simulate on: ``rows`` per family, spread over the law's range."""
    n = families * rows
    place = {name: _spread_inputs(law, name, i, n) for i, name in enumerate(law.inputs)}
    whole = sum(place[name] for name in law.simplex)
    place |= {name: place[name] / whole for name in law.simplex}
    family = np.asarray([f"f{i % families}" for i in range(n)])
    table: dict[str, Any] = {**place, "Y_": np.full(n, SCALE), "family": family}
    groups = ["family"]
    if nested:
        table["lab"] = np.asarray([f"lab{(i % families) // 2}" for i in range(n)])
        groups = ["lab", "family"]
    response = law.response or "L"
    columns = {**{name: name for name in law.inputs}, response: "Y_"}
    units = dict.fromkeys(columns, 1.0)
    return read_runs(
        pd.DataFrame(table), group=groups, columns=columns, response=response, units=units
    )


def _spread_inputs(law: Law, name: str, i: int, n: int) -> np.ndarray:
    """At most three decades about the reference, by a golden-ratio sequence for each input."""
    place = (np.arange(n) * GOLDEN[i % len(GOLDEN)] + 0.5) % 1.0
    if name in law.simplex:
        return -np.log(place)  # shares of such weights are spread evenly over the simplex
    low, high = np.log(_span(law, name))
    return np.exp(low + place * (high - low))


def _span(law: Law, name: str) -> tuple[float, float]:
    """Where the law is valid and the input plausible: no less than one expert, no half of a bit."""
    centre, known = dict(law.reference).get(name, 1e9), SYMBOLS.get(name)
    ranges = [law.valid.get(name), (known.low, known.high) if known else None]
    lows, highs = zip((centre * 10**-1.5, centre * 10**1.5), *filter(None, ranges), strict=True)
    return max(lows), min(highs)


@in_float64
def simulate(
    law: str | Law,
    *,
    tables: int,
    families: int = 3,
    rows: int = 14,
    nested: bool = False,
    seed: int = 0,
    known_se: bool = False,
    **options: Any,
) -> Simulated:
    """Return ``tables`` tables of a `design`, each made with parameters of its own.

    ``options`` are those of `fit` (pool, priors, noise, noise_by_family, noise_trend).
    """
    chosen = get_law(law)
    runs = design(chosen, families=families, rows=rows, nested=nested)
    if known_se:
        runs = replace(runs, se=np.full(runs.n, KNOWN_SE * SCALE))
    if get_observation(options.get("noise") or chosen.observation).counts:
        runs = replace(runs, trials=np.full(runs.n, float(TRIALS)))
    spec = resolve(runs, chosen, **options)
    base = {**make_args(runs, spec), "scale": np.float64(SCALE)}
    target = make_target(spec, base)
    base["scale"] = _typical_response(spec, target, base)
    return _simulated(spec, target, base, tables, seed)


def _typical_response(spec: ModelSpec, target: Target, base: Args) -> float:
    """Median response over the prior, the unit of noise on the raw scale."""
    made = _simulated(spec, target, base, 64, seed=0)
    return np.float64(np.median([np.abs(a["y"]) for a in made.args]))


def _simulated(spec: ModelSpec, target: Target, base: Args, tables: int, seed: int) -> Simulated:
    keys = jax.random.split(jax.random.key(seed + 99), tables)
    model = numpyro_model_of(spec)
    blank = {k: v for k, v in base.items() if k != "y"}

    def one(key: Any) -> tuple[dict[str, Any], Any]:
        first, second = jax.random.split(key)
        z = target.draw_prior(first, base)
        sites = target.constrain(z, base)
        seeded = handlers.seed(handlers.substitute(model, data=sites), second)
        trace = trace_of(seeded, blank)
        return sites, trace[spec.law.response]["value"]

    sites, y = jax.jit(jax.vmap(one))(keys)
    args = tuple({**blank, "y": row} for row in np.asarray(y))
    return Simulated(spec, {k: np.asarray(v) for k, v in sites.items()}, args)


def refit(
    made: Simulated,
    *,
    seed: int = 0,
    out: Path | None = None,
    progress: Progress = no_progress,
) -> list[Result]:
    """Return the posterior of every table, sampled the way of `fit_many`; see there for ``out``."""
    return posteriors_of(made.spec, made.args, seed=seed, out=out, progress=progress)
