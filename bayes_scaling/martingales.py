"""An interval without a prior that is no bootstrap: the martingale posterior, family by family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import t as student_t

from bayes_scaling._errors import DataError, Note, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.baselines import NEW_RUNS, Baseline
from bayes_scaling.by_family import (
    Families,
    check_baseline,
    families_in,
    few_notes,
    point_fits,
    point_table,
    residuals_of,
    sampled_of,
    se_notes,
    search_notes,
    starts_of,
)
from bayes_scaling.data.load import read_runs
from bayes_scaling.infer.point_fits import PointFit, free_names
from bayes_scaling.infer.resampling import (
    NORMAL,
    Scatter,
    bent_names,
    compiled_resample,
    stretches,
)
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec, Observation

SQUARE = 1e3  # a Huber loss as wide as this is a sum of squares
NU = (2.0, 50.0)  # degrees of freedom that few runs can tell from each other
ROUNDS = 50  # of reweighting
STILL = 1e-6  # change of the weights
AT_ONCE = 256  # replicates in step
LEAST = 1e-12  # sigma
NEGLIGIBLE = 1e-3  # coefficient, in typical responses
SPARE = 2  # runs beyond the parameters that a scatter needs


@in_float64
def martingale(
    runs: Any,
    law: str | Law = "chinchilla",
    *,
    group: str | list[str] | None = None,
    replicates: int = 1000,
    starts: int = 8,
    priors: Mapping[str, Any] | None = None,
    noise: str | Observation | None = None,
    seed: int = 0,
) -> Baseline:
    """Return a martingale posterior of a law: uncertainty as that of the runs not seen.

    Were all runs that could be made known, the parameters would be too. Starting from the maximum
    likelihood fit of a family's n runs, future runs are imputed one after the other: covariates
    drawn from the family's own, a response from the predictive at the present parameters, whose
    coordinates z then move by

        z_m = z_{m-1} + (1/m) I(z)^{-1} s(z, y_m),    m = n + 1, n + 2, ...

    with score ``s`` and expected information ``I`` of one run (Fong, Holmes and Walker 2023, JRSS B
    85, 1357; Holmes and Walker 2023, Phil. Trans. A 381, 20220143; Fong and Yiu 2024,
    arXiv:2410.17692). The score has mean zero under the predictive, so that z is a martingale, and
    sum 1/m^2 is finite, so that it converges; the limit over many replicates is the posterior. No
    prior is needed and nothing is fitted again. For a law linear in its coordinates with normal
    noise the covariance is s^2 (X'X)^{-1}, up to 1/n.

    The log of sigma moves likewise, with n less the number of parameters in place of n; the degrees
    of freedom of Student-t noise are held at their estimate, 2 to 50. ``I`` is evaluated anew when
    the runs have grown by 5 %; directions that it says nothing of are held to an sd of about 4.5,
    as in the engine's whitening. Coefficients of sums (E, A, B) move on a linear scale that bends
    before zero, exponents on their log scale. After 10 n imputed runs, 4000 at most, the rest is
    its normal limit.

    The replicates do not look back at the runs: where these say little of a parameter, or put it at
    its bound (there is a note of that), the spread is a rough guess, and the posterior better.

    Parameters
    ----------
    runs, law, group, starts, priors
        As in `baseline`.
    replicates
        Number of draws.
    noise
        Observation model of the predictive, the law's own by default: ``"student_t_log"``,
        ``"normal_log"``, ``"student_t"`` or ``"normal"``.

    Raises
    ------
    BayesScalingError
        As `baseline` does, and when a family has fewer runs than parameters and two more.
    """
    table = read_runs(runs, group=group)
    spec = resolve(table, law, priors=priors, noise=noise)
    check_baseline(spec, replicates, starts)
    families = families_in(table, spec)
    _check_spare(spec, families)
    point, scatter = likelihood_fits(spec, families, starts_of(spec, families, starts, seed))
    z, log_sigma = _resampled(spec, families, point.z, scatter, replicates, seed)
    unit = np.ones(len(scatter.nu)) if spec.observation.on == "log" else families.tables.scale
    shape = (replicates, NEW_RUNS, len(families.names))
    luck = np.random.default_rng(seed).standard_t(scatter.nu, size=shape)
    notes = (
        *few_notes(spec, families),
        *search_notes(families, point),
        *_bound_notes(spec, families, point),
        *se_notes(table),
    )
    left = residuals_of(spec, families, point.z)
    return Baseline(
        "martingale",
        point_table(spec, families, point, left),
        sampled_of(table, spec, families, z),
        luck * (unit * np.exp(log_sigma))[:, None, :],
        notes,
    )


def _check_spare(spec: ModelSpec, families: Families) -> None:
    free = len(free_names(spec))
    few = [n for n, r in zip(families.names, families.rows, strict=True) if len(r) < free + SPARE]
    if few:
        raise DataError(
            f"{list_names(few, 5)}: a martingale posterior of law '{spec.law.name}' needs "
            f"{free + SPARE} runs of every family, {SPARE} more than its {free} parameters: leave "
            "such families out, hold parameters fixed, or use fit, which pools."
        )


def _bound_notes(spec: ModelSpec, families: Families, point: PointFit) -> list[Note]:
    """Warn of coefficients that the fit puts at zero, where no step moves them."""
    names, tables = free_names(spec), families.tables
    notes = []
    for name in bent_names(spec):
        size = np.exp(point.z[:, names.index(name)]) / tables.scale
        zero = [n for n, small in zip(families.names, size < NEGLIGIBLE, strict=True) if small]
        if zero:
            message = (
                f"{list_names(zero, 5)}: the fit puts {name} at zero, where the draws leave it."
            )
            notes.append(Note("at_bound", "warning", message, "Its uncertainty is understated."))
    return notes


def likelihood_fits(
    spec: ModelSpec, families: Families, starts: np.ndarray
) -> tuple[PointFit, Scatter]:
    """Return the maximum likelihood fit of every family and the scatter about it, (family, ...).

    Least squares for normal noise. For Student-t noise least squares again and again, a far run
    with less weight each time (the EM algorithm of Lange, Little and Taylor 1989). The sigma of few
    runs is made larger for the parameters that were fitted to them.
    """
    point = point_fits(spec, families, starts, SQUARE)
    free, runs = len(free_names(spec)), np.asarray([len(r) for r in families.rows])
    weights, sigma, nu = 1.0 * families.tables.mask, np.ones(len(runs)), np.ones(len(runs))
    for _ in range(ROUNDS):
        scatter = [_scatter_of(spec, left) for left in _own_misses(spec, families, point)]
        sigma, nu = np.array(scatter).T
        before, weights = weights, _weights(spec, families, point, sigma, nu)
        if np.abs(weights - before).max() < STILL:
            break
        point = point_fits(spec, families, point.z[:, None], SQUARE, weights)
    spare = runs - free
    return point, Scatter(np.log(sigma * np.sqrt(runs / spare)), nu, 1.0 * runs, 1.0 * spare)


def _own_misses(spec: ModelSpec, families: Families, point: PointFit) -> list[np.ndarray]:
    """Residuals of every family in the unit of the search."""
    unit = np.ones(len(families.names)) if spec.observation.on == "log" else families.tables.scale
    left = residuals_of(spec, families, point.z)
    return [each / u for each, u in zip(left, unit, strict=True)]


def _scatter_of(spec: ModelSpec, miss: np.ndarray) -> tuple[float, float]:
    """Sigma and degrees of freedom of highest likelihood, given the residuals (run,)."""
    rms = max(float(np.sqrt(np.mean(miss**2))), LEAST)
    if not spec.observation.extra:
        return rms, NORMAL

    def sigma_at(log_nu: float) -> float:
        sigma, nu = rms, np.exp(log_nu)
        for _ in range(ROUNDS):
            sigma = float(np.sqrt(np.mean((nu + 1) / (nu + (miss / sigma) ** 2) * miss**2)))
        return sigma

    def height(log_nu: float) -> float:
        return -student_t.logpdf(miss, np.exp(log_nu), scale=sigma_at(log_nu)).sum()

    best: Any = minimize_scalar(
        height, bounds=np.log(NU), method="bounded", options={"xatol": 1e-4}
    )
    return sigma_at(best.x), float(np.exp(best.x))


def _weights(
    spec: ModelSpec, families: Families, point: PointFit, sigma: np.ndarray, nu: np.ndarray
) -> np.ndarray:
    """Weights (family, row) of the next least squares."""
    weights = np.zeros(families.tables.mask.shape)
    for i, miss in enumerate(_own_misses(spec, families, point)):
        weights[i, : len(miss)] = (nu[i] + 1.0) / (nu[i] + (miss / sigma[i]) ** 2)
    return weights


def _resampled(
    spec: ModelSpec, families: Families, z: np.ndarray, scatter: Scatter, replicates: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates (replicate, family, dim) and log sigma (replicate, family)."""
    count = len(families.names)
    lanes = np.arange(-(-replicates * count // AT_ONCE) * AT_ONCE)
    keys = jax.random.split(jax.random.key(seed), len(lanes))
    ends = stretches(int(scatter.runs.max()), int(scatter.runs.min()))
    program, found = compiled_resample(spec), []
    for some in lanes.reshape(-1, AT_ONCE):
        family = some % count
        own = jax.tree.map(lambda leaf: leaf[family], (z, scatter, families.tables))  # noqa: B023
        found.append(program(keys[some], *own, ends))
    ends_z, log_sigma = jax.tree.map(lambda *leaves: np.concatenate(leaves), *found)
    kept = replicates * count
    return (
        ends_z[:kept].reshape(replicates, count, -1),
        log_sigma[:kept].reshape(replicates, count),
    )
