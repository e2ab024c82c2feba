"""How wrong a law is, and what that does to its forecasts.

Beside the law and the noise of runs the response has an error of the law itself: a process over
the covariates, smooth, of its own for every family or in part the same for all, perhaps larger for
small runs, and none where the law is right. It is learned together with the law from all runs, its
growth beyond them from forecasts rolled forward over scale (`bayes_scaling.stats.residual_fit`).
Its hyper-parameters have a prior learned from published tables (`bayes_scaling.data.model_errors`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from bayes_scaling._blas import one_thread
from bayes_scaling._errors import ForecastError
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import group_index, known_errors, typical_response
from bayes_scaling.data.model_errors import HYPERS, LOGGED, hyperprior
from bayes_scaling.data.runs import Runs
from bayes_scaling.law_coordinates import (
    Coordinates,
    coordinates_of,
    prior_moments,
    start_of,
)
from bayes_scaling.law_on_rows import law_and_slope, law_at
from bayes_scaling.posterior import Fit, Sampled
from bayes_scaling.scales import decades_beyond, in_decades, scale_name
from bayes_scaling.spec import ModelSpec
from bayes_scaling.stats.elliptical import settle
from bayes_scaling.stats.residual_fit import (
    GROWTHS,
    Learned,
    Normal,
    Particle,
    Problem,
    learn_all,
    likelier,
    model_weights,
    particles,
    problem_of,
)
from bayes_scaling.stats.residual_growth import growth_weights
from bayes_scaling.stats.residual_process import (
    COMMON,
    LENGTH,
    NOISE,
    NONE,
    RUN,
    SIZE,
    Rows,
)

MOST_ROWS = 300  # of a family, the largest and a spread of the others; more add cost, not knowledge
MOST_COORDINATES = 400
PARTICLES, CHAINS = 20, 50
WIDE = 1.3  # a normal approximation this much wider, so that its tails reach the posterior's


@dataclass(frozen=True)
class ModelError:
    """What the runs say of the law's own error.

    Attributes
    ----------
    runs
        The runs it was learned from; of a large family a part.
    coordinates
        The law's coordinates.
    problem
        Responses, places and priors.
    models
        The model in which every family has an error of its own, where possible the one in which
        they have a part in common, and last that in which the law is right.
    growth
        Posterior (growth,) of how fast the error grows beyond the data.
    particles
        Draws of the hyper-parameters, each for `CHAINS` draws of the law's coordinates.
    z, left
        Those draws (sample, coordinate), and the response less the law there (sample, row).
    settled
        Whether they have settled on the posterior.
    unit
        The response's unit: one on the log scale, else its typical size.
    """

    runs: Runs
    coordinates: Coordinates
    problem: Problem
    models: tuple[Learned, ...]
    growth: np.ndarray
    particles: tuple[Particle, ...]
    z: np.ndarray
    left: np.ndarray
    settled: bool
    unit: float

    @property
    def wrong(self) -> Learned:
        """The likelier of the models in which the law has an error."""
        return likelier(self.models)

    @property
    def hypers(self) -> dict[str, float]:
        """The hyper-parameters where the law has an error, in the units of the published table."""
        wrong = self.wrong
        return {
            name: float(np.exp(wrong.v[i]) if name in LOGGED else wrong.v[i])
            for i, name in enumerate(HYPERS)
            if i in wrong.free
        }

    @property
    def probability(self) -> float:
        """Posterior probability that the law has an error of its own (even odds before)."""
        return float(model_weights(self.models)[:-1].sum())

    def summary(self) -> pd.DataFrame:
        """Return median and 90 % interval of the error's size, reach, growth and of the noise.

        ``size``: sd of the law's error at the largest fitted run, relative to the response where
        its noise is on the log scale; ``reach``: decades over which errors are alike; ``noise``:
        scale of the scatter of runs there; ``run``: sd between runs of several rows; ``common``:
        the part of the error's variance that families have in common, where they do; ``growth``:
        relative increase of the size a decade beyond the data.
        """
        wrong = self.wrong
        sd = np.zeros(len(wrong.v))
        sd[wrong.free] = np.sqrt(np.diag(wrong.cov))
        ends = np.array([-1.645, 0.0, 1.645])
        names = {"size": SIZE, "reach": LENGTH, "noise": NOISE, "run": RUN}
        rows = {n: np.exp(wrong.v[i] + ends * sd[i]) for n, i in names.items() if i in wrong.free}
        if COMMON in wrong.free:
            rows["common"] = 1 / (1 + np.exp(-(wrong.v[COMMON] + ends * sd[COMMON])))
        total = np.cumsum(self.growth)
        rows["growth"] = np.array([GROWTHS[np.searchsorted(total, q)] for q in (0.05, 0.5, 0.95)])
        return pd.DataFrame.from_dict(rows, orient="index", columns=["low", "median", "high"])

    def __str__(self) -> str:
        share = f"probability that the law has an error of its own: {self.probability:.2f}"
        return f"{share}\n{self.summary().to_string(float_format=lambda v: f'{v:.4g}')}"

    __repr__ = __str__


@in_float64
@one_thread
def model_error(fit: Fit | Sampled, *, leave_out: str = "", seed: int = 0) -> ModelError:
    """Return what the runs of a fit say of its law's own error.

    Parameters
    ----------
    fit
        A `Fit`, or one of many fits (`ManyFits.sampled`).
    leave_out
        Source in the table of published errors to leave out of the prior: the one that is judged,
        or ``"all"``.

    Raises
    ------
    ForecastError
        When there are too many families for it, or the law has no finite value on some runs.
    """
    try:
        return _learned(fit, leave_out, seed)
    except np.linalg.LinAlgError as error:
        raise ForecastError(
            f"the law's own error cannot be learned ({error}): the law has no finite value at some "
            "runs. Look at fit.diagnose(), or forecast with model_error=False."
        ) from None


def _learned(fit: Fit | Sampled, leave_out: str, seed: int) -> ModelError:
    spec, runs = fit.spec, _thinned(fit.runs, fit.spec)
    families = len(fit.grouping.labels[spec.groups[-1]]) if spec.groups else 1
    coordinates = coordinates_of(spec, families, fit.reference)
    if coordinates.size > MOST_COORDINATES:
        raise ForecastError(
            f"the law's own error is not learned for {families} families ({coordinates.size} "
            f"parameters, at most {MOST_COORDINATES}): forecast with model_error=False, or fit "
            "fewer families at once."
        )
    scale = float(typical_response(fit.runs.values[fit.runs.response]))
    unit = 1.0 if spec.observation.on == "log" else scale
    prior = Normal(*prior_moments(coordinates, fit.grouping, scale))
    problem = _problem(coordinates, runs, unit, prior, start_of(coordinates, fit.samples))
    before = Normal(*hyperprior(leave_out))
    models = learn_all(problem, before)
    growth = growth_weights(problem, likelier(models))
    rng = np.random.default_rng(seed)
    parts = tuple(particles(problem, models, growth, PARTICLES, rng))
    left_at = partial(_left, coordinates, runs, problem, unit)
    z, settled = _law_draws(problem, parts, left_at, rng)
    return ModelError(
        runs, coordinates, problem, models, growth, parts, z, left_at(z), settled, unit
    )


def _left(
    coordinates: Coordinates, runs: Runs, problem: Problem, unit: float, z: np.ndarray
) -> np.ndarray:
    """The response less the law, (sample, row)."""
    values = dict(runs.values)
    return problem.response - law_at(coordinates, z, values, problem.rows.family, unit)


def _law_draws(
    problem: Problem,
    parts: Sequence[Particle],
    left_at: Callable[[np.ndarray], np.ndarray],
    rng: np.random.Generator,
) -> tuple[np.ndarray, bool]:
    """Draws of the law's coordinates, `CHAINS` for every particle, and whether they settled."""
    precision = np.linalg.inv(problem.prior.spread)

    def places(steps: np.ndarray, ends: np.ndarray) -> np.ndarray:
        own = np.split(steps, ends)
        return np.concatenate(
            [p.mode.z + WIDE * e @ p.root.T for p, e in zip(parts, own, strict=True)]
        )

    def log_ratio(steps: np.ndarray, chains: np.ndarray) -> np.ndarray:
        ends = np.searchsorted(chains, CHAINS * np.arange(1, len(parts)))
        z = places(steps, ends)
        left, away = np.split(left_at(z), ends), z - problem.prior.mean
        fit = [_misfit(part, own) for part, own in zip(parts, left, strict=True)]
        total = np.concatenate(fit) + np.sum((away @ precision) * away, axis=1)
        ratio = 0.5 * (np.sum(steps**2, axis=1) - total)
        return np.where(np.isfinite(ratio), ratio, -np.inf)

    start = rng.normal(size=(len(parts) * CHAINS, len(problem.prior.mean)))
    steps, settled = settle(log_ratio, start, rng)
    return places(steps, CHAINS * np.arange(1, len(parts))), settled


def _misfit(part: Particle, left: np.ndarray) -> np.ndarray:
    """Squared residuals (sample,) in units of their covariance."""
    each = [(left[:, b.rows], b.inverse) for b in part.mode.solved]
    with np.errstate(invalid="ignore", over="ignore"):  # such draws are refused by who asks
        return np.sum([np.sum((own @ inverse) * own, 1) for own, inverse in each], axis=0)


def _thinned(runs: Runs, spec: ModelSpec) -> Runs:
    """At most `MOST_ROWS` rows of every family: evenly over its runs by scale, the largest kept."""
    scale, family = runs.values[scale_name(runs, spec.law)], family_index(runs, spec)
    kept = []
    for f in np.unique(family):
        own = np.flatnonzero(family == f)
        own = own[np.argsort(scale[own], kind="stable")]
        steps = np.linspace(0, len(own) - 1, min(len(own), MOST_ROWS)).round().astype(int)
        kept.append(own[steps])
    return runs if runs.n == sum(map(len, kept)) else runs.subset(np.sort(np.concatenate(kept)))


def family_index(runs: Runs, spec: ModelSpec) -> np.ndarray:
    """Return the place of every row's family among the sorted families, (row,)."""
    return group_index(runs, spec.groups[-1]) if spec.groups else np.zeros(runs.n, int)


def _problem(
    coordinates: Coordinates, runs: Runs, unit: float, prior: Normal, start: np.ndarray
) -> Problem:
    spec = coordinates.spec
    response = runs.values[runs.response]
    se = known_errors(runs, spec)
    relative = se / response if spec.observation.on == "log" else se / unit
    rows = rows_at(spec, runs, dict(runs.values), family_index(runs, spec), _runs(runs), relative)
    at = law_and_slope(coordinates, runs.values, rows.family, unit)
    y = np.log(response) if spec.observation.on == "log" else response / unit
    return problem_of(at, rows, y, prior, start)


def _runs(runs: Runs) -> np.ndarray:
    if runs.run is None:
        return np.full(runs.n, NONE)
    return np.unique(runs.run, return_inverse=True)[1]


def rows_at(
    spec: ModelSpec,
    fitted: Runs,
    values: Mapping[str, np.ndarray],
    family: np.ndarray,
    run: np.ndarray,
    se: np.ndarray,
) -> Rows:
    """Return where rows lie, as seen from the fitted runs."""
    name = scale_name(fitted, spec.law)
    name = name if name in values else spec.law.inputs[0]
    data, here = fitted.values[name], np.asarray(values[name], float)
    shares = spec.law.simplex
    axes = [
        in_decades(np.asarray(values[n], float), fitted.values[n], n in shares)
        for n in spec.law.inputs
    ]
    if name in shares or not (np.all(data > 0) and np.all(here > 0)):
        scale = beyond = np.zeros(len(here))
    else:
        scale = np.log10(here / data.max())
        beyond = decades_beyond(here, family, data, family_index(fitted, spec))
    return Rows(np.stack(axes, axis=1), scale, beyond, family, run, se**2)
