"""Twelve nasty posteriors: does the default agree with a long NUTS run, or escalate, or warn?

Run as ``python benchmarks/nasty.py [--only TEXT] [--out FILE] [--draws 2500]``. ``gap`` is the
largest difference of mean, sd or a tail point of the logarithm of any parameter in combined Monte
Carlo errors. Where the chains of the long run disagree or diverge, it is run again in the geometry
that the draws of `chees` suggest (`learned` in the record).
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import bayes_scaling as bs
from bayes_scaling._arviz import array_stats
from bayes_scaling._progress import no_progress
from bayes_scaling.arguments import bucket, by_families, make_args, padded
from bayes_scaling.bench.compare import about
from bayes_scaling.bench.quality import TAILS, moments, worst_gap
from bayes_scaling.bench.quality import columns as columns_of
from bayes_scaling.infer.base import Settings
from bayes_scaling.infer.prepare import GROUPS, compiled_prepare, plain_args
from bayes_scaling.infer.relearn import compiled_relearned
from bayes_scaling.infer.samplers import SAMPLERS
from bayes_scaling.infer.target import compiled_constrain, make_target

CAREFUL = 0.97  # of proposals of NUTS accepted
AGREED = 1.01  # R-hat


def law(n: int, seed: int = 0, *, noise: float = 0.008, **spans: Any) -> dict[str, np.ndarray]:
    """Runs of Chinchilla's law over the given decades of N and D."""
    rng = np.random.default_rng(seed)
    N, D = (10 ** rng.uniform(*spans.get(k, d), n) for k, d in (("N", (7.5, 10)), ("D", (9, 11.7))))
    mean = 1.7 + 420 * N**-0.335 + 1300 * D**-0.345
    return {"N": N, "D": D, "L": mean * np.exp(noise * rng.standard_t(6, n))}


def on_a_ray() -> dict[str, np.ndarray]:
    columns = law(40)
    ray = 20 * columns["N"]
    return {**columns, "D": ray, "L": 1.7 + 420 * columns["N"] ** -0.335 + 1300 * ray**-0.345}


def outliers() -> dict[str, np.ndarray]:
    columns = law(60)
    columns["L"][::7] *= 1.3
    return columns


def families(sizes: list[int], seed: int = 0, spread: float = 0.08) -> dict[str, Any]:
    """Families of these sizes."""
    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(len(sizes)), sizes)
    columns = law(len(family), seed)
    shift = np.exp(spread * rng.normal(size=len(sizes)))
    return {**columns, "L": columns["L"] * shift[family], "family": [f"f{i}" for i in family]}


def two_clouds() -> dict[str, np.ndarray]:
    """Half of the runs obey one curve, half another: two ways to read the table."""
    columns = law(40, noise=0.003)
    columns["L"][::2] *= 1.0 + 0.15 * (columns["N"][::2] > 1e9)
    return columns


GROUPED = {"group": "family"}
PROBLEMS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "six rows": (lambda: law(6), {}),
    "one ray D = 20 N": (on_a_ray, {}),
    "a narrow range": (lambda: law(30, N=(9.0, 9.3), D=(10.0, 10.3)), {}),
    "one size of model": (lambda: law(30, N=(9.0, 9.001)), {}),
    "outliers, 30 % high": (outliers, {}),
    "Cauchy noise": (lambda: {**(c := law(60)), "L": c["L"] * np.exp(
        0.005 * np.random.default_rng(3).standard_cauchy(60))}, {}),
    "two curves in one table": (two_clouds, {}),
    "hardly any noise": (lambda: law(50, noise=1e-5), {}),
    "one-row families": (lambda: families([20, 1, 1, 1]), GROUPED),
    "two families, equal (funnel)": (lambda: families([12, 12], spread=0.0), GROUPED),
    "eight families, all partial": (lambda: families([8] * 8), {**GROUPED, "pool": "partial"}),
    "100,000 rows": (lambda: law(100_000), {}),
}  # fmt: skip


def parameters(fit: bs.Fit) -> dict[str, np.ndarray]:
    """Draws (chain, draw, ...) of the posterior's variables."""
    return {str(name): np.asarray(values) for name, values in fit.posterior.data_vars.items()}


class Reference(NamedTuple):
    """Draws of a long NUTS run, where they ran, and how well."""

    values: dict[str, np.ndarray]
    learned: bool
    rhat: float
    divergences: int


def reference(fit: bs.Fit, columns: Any, options: dict[str, Any], draws: int) -> Reference:
    """A long run of NUTS, in the usual geometry if its chains agree there, with no divergence."""
    long = bs.fit(columns, draws=draws, seed=1, target_accept=CAREFUL, progress=False, **options)
    numbers = long.diagnose().numbers
    if numbers["rhat_max"] <= AGREED and not numbers["divergences"]:
        found = numbers["rhat_max"], int(numbers["divergences"])
        return Reference(parameters(long), False, *found)
    runs = bs.read_runs(columns, group=options.get("group"))
    with jax.enable_x64(True):
        return _learned_reference(runs, fit, draws)


def _learned_reference(runs: bs.Runs, fit: bs.Fit, draws: int) -> Reference:
    args = by_families(padded(make_args(runs, fit.spec), bucket(runs.n)))
    target, key = make_target(fit.spec, args), jax.random.key(1)
    prepared = compiled_prepare(target, GROUPS, GROUPS)(key, args, -1.0)
    many, nuts = SAMPLERS["chees"], SAMPLERS["nuts"]
    first = many.sample(target, prepared, many.settle(Settings(seed=1)), no_progress)
    prepared = compiled_relearned(target)(key, prepared, first.z)
    long = replace(nuts.settle(Settings(seed=1)), draws=draws, target_accept=CAREFUL)
    found = nuts.sample(target, prepared, long, no_progress)
    values = compiled_constrain(target)(found.z, plain_args(prepared))
    values = {str(name): np.asarray(values[name]) for name in fit.posterior.data_vars}
    rhat = max(float(np.max(array_stats.rhat(x))) for x in columns_of(values).values())
    return Reference(values, True, rhat, int(found.stats["diverging"].sum()))


def judge(name: str, draws: int) -> dict[str, Any]:
    """One problem: the way taken, the verdict, and the gap to a long NUTS run."""
    make, options = PROBLEMS[name]
    columns = make()
    clock = time.perf_counter()
    fit = bs.fit(columns, progress=False, **options)
    seconds = time.perf_counter() - clock
    long = reference(fit, columns, options, draws)
    ours = parameters(fit)
    gap, where = worst_gap(moments(ours), moments(long.values))
    verdict = fit.diagnose()
    return {
        "problem": name,
        "way": " > ".join(step["sampler"] for step in fit.path),
        "refused": [step["refused"] for step in fit.path if step["refused"]],
        "verdict": verdict.severity,
        "codes": [f.code for f in verdict.findings],
        "gap": round(gap, 2),
        "where": where,
        "compared": 4 * len(columns_of(ours)),
        "reference": f"R-hat {long.rhat:.3f}, {long.divergences} divergences",
        "learned": long.learned,
        "seconds": round(seconds, 1),
        "tails": TAILS,
    }


def main() -> None:
    """Print, and write, one record a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--draws", type=int, default=2500)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    records = []
    for name in PROBLEMS:
        if asked.only in name:
            records.append(judge(name, asked.draws))
            print(records[-1], flush=True)
            if asked.out:
                whole = {**about(), "records": records}
                asked.out.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
