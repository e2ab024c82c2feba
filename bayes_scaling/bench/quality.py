"""How good draws are: effective sample sizes of all parameters and their squares, R-hat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayes_scaling._arviz import array_stats

JUDGED = ("E", "A", "B", "alpha", "beta", "sigma", "nu", "tau_E", "tau_A", "tau_B")
TAILS = (0.05, 0.95)


def columns(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Logarithms of every scalar that all engines have in common, (chain, draw) by name."""
    found = {}
    for name in JUDGED:
        if name in values:
            flat = np.log(np.maximum(values[name], 1e-300)).reshape(*values[name].shape[:2], -1)
            many = flat.shape[2] > 1
            found |= {f"{name}[{i}]" if many else name: flat[..., i] for i in range(flat.shape[2])}
    return found


def halves(x: np.ndarray) -> np.ndarray:
    """Chains too short to be judged each by itself, joined end to end eight at a time."""
    chains, draws = x.shape
    return x if chains < 32 else x.reshape(chains // 8, 8 * draws)


def quality(values: Mapping[str, np.ndarray], worth: float = np.inf) -> dict[str, float]:
    """Least bulk and tail ESS, least bulk ESS of squares, largest R-hat."""
    bulk, tail, square, rhat = [], [], [], []
    for x in columns(values).values():
        squared = (x - x.mean()) ** 2
        bulk.append(array_stats.ess(x))
        tail.append(array_stats.ess(x, method="tail", prob=TAILS))
        square.append(array_stats.ess(squared))
        rhat.append(array_stats.rhat(halves(x)))
    return {
        "ess_bulk": float(min(worth, np.min(bulk))),
        "ess_tail": float(min(worth, np.min(tail))),
        "ess_square": float(min(worth, np.min(square))),
        "rhat": float(np.max(rhat)),
    }


def moments(values: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Mean, sd and 5/95 % points of the logarithm of every scalar, with Monte Carlo errors."""
    found = {}
    for name, x in columns(values).items():
        low, high = np.quantile(x, TAILS)
        size = float(array_stats.ess(x))
        squares = float(array_stats.ess((x - x.mean()) ** 2))
        found[name] = {
            "mean": float(x.mean()),
            "mean_se": float(x.std() / np.sqrt(size)),
            "sd": float(x.std()),
            "sd_se": _sd_error(x, squares),
            "q5": float(low),
            "q5_se": float(array_stats.mcse(x, method="quantile", prob=TAILS[0])),
            "q95": float(high),
            "q95_se": float(array_stats.mcse(x, method="quantile", prob=TAILS[1])),
        }
    return found


def _sd_error(x: np.ndarray, size: float) -> float:
    """Monte Carlo error of the sd, from the effective size of the squares (delta method)."""
    squared = (x - x.mean()) ** 2
    return float(squared.std() / np.sqrt(size) / (2 * x.std()))


def worst_gap(ours: Mapping[str, Mapping[str, float]], theirs: Mapping) -> tuple[float, str]:
    """Largest difference of mean, sd or tail point, in combined Monte Carlo errors; and where."""
    gaps = {}
    for name in ours:
        for what in ("mean", "sd", "q5", "q95"):
            error = np.hypot(ours[name][f"{what}_se"], theirs[name][f"{what}_se"])
            gaps[f"{what} of {name}"] = abs(ours[name][what] - theirs[name][what]) / error
    where = max(gaps, key=lambda k: gaps[k])
    return float(gaps[where]), where
