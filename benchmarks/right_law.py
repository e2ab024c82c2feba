"""Forecasts where the law is right: coverage, and how much the law's own error widens the bands.

Run as ``python benchmarks/right_law.py [--tables 60] [--out FILE]``. Tables are simulated from
Chinchilla's law with independent noise; the law's own posterior, which knows that, is the oracle.
Parameters come from the priors, so that coverage should be nominal for both.
"""

from typing import Any

import jax
import numpy as np
from keeping import keep_simulated

import bayes_scaling as bs
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.law_draws import law_draws
from bayes_scaling.models import priors

FURTHER = np.array([0.0, 0.5, 1.0, 1.5])  # decades of compute beyond the largest run
PROBS = (0.5, 0.8, 0.9)
FAMILIES, ROWS = 3, 24


def law(p: dict[str, np.ndarray], N: np.ndarray, D: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Chinchilla's law with the terms' sizes at 1e9 parameters and 2e10 tokens."""
    size = p["A"][family] * (N / 1e9) ** -p["alpha"]
    return p["E"][family] + size + p["B"][family] * (D / 2e10) ** -p["beta"]


def drawn(prior: Any, rng: np.random.Generator, spread: float, n: int) -> np.ndarray:
    """A draw of a log-normal prior, with ``n`` families about it."""
    median, low, high = prior.args
    centre = np.log(median) + np.log(high / low) / 3.29 * rng.normal()
    between = spread / 0.6745 * abs(rng.normal())
    return np.exp(centre + between * rng.normal(size=n))


def table(seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """A table of runs, further points, and new runs there (point,)."""
    rng = np.random.default_rng(seed)
    p = {
        "E": drawn(priors.floor(), rng, 0.25, FAMILIES),
        "A": drawn(priors.reducible_n(), rng, 0.25, FAMILIES),
        "B": drawn(priors.reducible_d(), rng, 0.25, FAMILIES),
        "alpha": drawn(priors.exponent_n(), rng, 0.0, 1),
        "beta": drawn(priors.exponent_d(), rng, 0.0, 1),
    }
    sigma = drawn(priors.run_scatter(), rng, 0.0, 1)[0]
    family = np.repeat(np.arange(FAMILIES), ROWS)
    C = 10 ** np.tile(np.linspace(18, 20.5, ROWS), FAMILIES)
    N = np.sqrt(C / 6 / (20 * 10 ** rng.uniform(-0.6, 0.6, len(C))))
    far = np.repeat(np.arange(FAMILIES), len(FURTHER))
    at = 10 ** (20.5 + np.tile(FURTHER, FAMILIES))
    size = np.sqrt(at / 120)
    noise = sigma * rng.standard_t(6, len(C) + len(at))
    L = law(p, N, C / 6 / N, family) * np.exp(noise[: len(C)])
    actual = law(p, size, at / 6 / size, far) * np.exp(noise[len(C) :])
    names = np.array([f"f{i}" for i in range(FAMILIES)])
    runs = {"N": N, "D": C / 6 / N, "L": L, "family": names[family]}
    return runs, {"N": size, "D": at / 6 / size, "family": names[far]}, actual


def ends(draws: np.ndarray, prob: float) -> np.ndarray:
    """Ends (2, point) of the central interval."""
    return np.quantile(draws, [(1 - prob) / 2, (1 + prob) / 2], axis=0)


def judged(tables: int) -> dict[str, Any]:
    """Coverage of both, and the ratio of their widths, by distance."""
    made = [table(seed) for seed in range(tables)]
    fits = bs.fit_many([m[0] for m in made], group="family")
    inside = {k: np.empty((len(PROBS), tables, len(made[0][2]))) for k in ("oracle", "ours")}
    ratio, wrong = np.empty((tables, len(made[0][2]))), np.empty(tables)
    for i, (_, at, actual) in enumerate(made):
        fit = fits.sampled(i)
        plain = law_draws(fit, at, jax.random.key(i))
        error = bs.model_error(fit, seed=i)
        ours = with_model_error(error, plain, seed=i)
        wrong[i] = error.probability
        for k, draws in (("oracle", plain.run), ("ours", ours.run)):
            for j, prob in enumerate(PROBS):
                low, high = ends(draws, prob)
                inside[k][j, i] = (low <= actual) & (actual <= high)
        widths = [np.diff(np.log(ends(d, 0.9)), axis=0)[0] for d in (ours.run, plain.run)]
        ratio[i] = widths[0] / widths[1]
    by = [np.tile(np.arange(len(FURTHER)), FAMILIES) == d for d in range(len(FURTHER))]
    return {
        "tables": tables,
        "decades_beyond": FURTHER.tolist(),
        "width_ratio_median": [round(float(np.median(ratio[:, d])), 3) for d in by],
        "width_ratio_mean": [round(float(ratio[:, d].mean()), 3) for d in by],
        **{
            f"coverage_{100 * p:g}_{k}": [round(float(v[j][:, d].mean()), 3) for d in by]
            for k, v in inside.items()
            for j, p in enumerate(PROBS)
        },
        "monte_carlo_error_90": round(float(np.sqrt(0.09 / tables)), 3),
        "mean_probability_of_error": round(float(wrong.mean()), 3),
        "doubted_by_the_engine": sum(bool(r.doubt) for r in fits.results),
    }


if __name__ == "__main__":
    keep_simulated(__doc__, judged, tables=60)
