"""Where two recipes change places, on tables simulated from known parameters: coverage.

Run as ``python benchmarks/crossings.py [--tables 200] [--out FILE]``. Two families of Chinchilla's
law with floors and coefficients of their own, drawn from the priors; of the truths those are kept
that cross within the range asked for, so that the posterior given that they do is calibrated if
the engine is right.
"""

from typing import Any

import numpy as np
from keeping import keep_simulated
from right_law import drawn, law

import bayes_scaling as bs
from bayes_scaling.models import priors

BETWEEN = (1e18, 1e26)  # FLOPs
ROWS = 24  # a family, from 1e18 to 3e20 FLOPs
NAMES = np.array(["a", "b"])
PROBS = (0.5, 0.8, 0.9)


def truth(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Parameters of two families from the priors, coefficients as terms' sizes."""
    return {
        "E": drawn(priors.floor(), rng, 0.25, 2),
        "A": drawn(priors.reducible_n(), rng, 0.25, 2),
        "B": drawn(priors.reducible_d(), rng, 0.25, 2),
        "alpha": drawn(priors.exponent_n(), rng, 0.0, 1),
        "beta": drawn(priors.exponent_d(), rng, 0.0, 1),
        "sigma": drawn(priors.run_scatter(), rng, 0.0, 1),
    }


def crossing(p: dict[str, np.ndarray]) -> float:
    """FLOPs at which both are equally good at their best sizes, NaN for never: on the frontier
    L = E + F (C / 6)^-g with one g for both (Hoffmann et al. 2022, eq. 4)."""
    alpha, beta = p["alpha"], p["beta"]
    A, B = p["A"] * 1e9**alpha, p["B"] * 2e10**beta
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    F, g = A * G**-alpha + B * G**beta, alpha * beta / (alpha + beta)
    with np.errstate(invalid="ignore"):
        return float(6 * ((p["E"][0] - p["E"][1]) / (F[1] - F[0])) ** (-1 / g[0]))


def table(p: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Runs of both families at and about 20 tokens per parameter."""
    family = np.repeat([0, 1], ROWS)
    C = 10 ** np.tile(np.linspace(18, 20.5, ROWS), 2)
    N = np.sqrt(C / 6 / (20 * 10 ** rng.uniform(-0.6, 0.6, len(C))))
    noise = p["sigma"] * rng.standard_t(6, len(C))
    L = law(p, N, C / 6 / N, family) * np.exp(noise)
    return {"N": N, "D": C / 6 / N, "L": L, "family": NAMES[family]}


def simulated(tables: int) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
    """Tables whose truths cross within the range, and where."""
    rng, made, places = np.random.default_rng(0), [], []
    while len(made) < tables:
        p = truth(rng)
        if BETWEEN[0] < (at := crossing(p)) < BETWEEN[1]:
            made.append(table(p, rng))
            places.append(at)
    return made, np.asarray(places)


def judged(tables: int) -> dict[str, Any]:
    """How often the interval of the crossing holds the true one, all and beyond the data."""
    made, places = simulated(tables)
    inside, widths, crosses = np.empty((len(PROBS), tables)), np.empty(tables), np.empty(tables)
    doubted = 0
    for i, at in enumerate(places):
        fit = bs.fit(made[i], group="family", seed=i, progress=False)
        doubted += fit.diagnose().severity == "error"
        row = bs.compare(fit, C=1e21, prob=PROBS, between=BETWEEN).crossings.iloc[0]
        ends = [(row[f"C_{100 * p:g}_low"], row[f"C_{100 * p:g}_high"]) for p in PROBS]
        inside[:, i] = [low <= at <= high for low, high in ends]
        widths[i], crosses[i] = np.log10(ends[-1][1] / ends[-1][0]), row["crosses"]
    beyond = places > 10**20.5
    return {
        "tables": tables,
        "beyond_the_data": int(beyond.sum()),
        "monte_carlo_error_90": round(float(np.sqrt(0.09 / tables)), 3),
        **{
            f"coverage_{100 * p:g}": round(float(v.mean()), 3)
            for p, v in zip(PROBS, inside, strict=True)
        },
        "coverage_90_beyond": round(float(inside[-1][beyond].mean()), 3),
        "median_width_90_decades": round(float(np.nanmedian(widths)), 2),
        "mean_probability_of_a_crossing": round(float(crosses.mean()), 3),
        "doubted_by_the_engine": doubted,
    }


if __name__ == "__main__":
    keep_simulated(__doc__, judged, tables=200)
