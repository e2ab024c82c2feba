"""Goals and candidate runs together: what every posterior sample says of both."""

from __future__ import annotations

import jax
import numpy as np
import pandas as pd

from bayes_scaling._errors import DecisionError, list_names
from bayes_scaling.decisions.goals import Goal
from bayes_scaling.error_draws import error_moments
from bayes_scaling.extrapolation import ModelError
from bayes_scaling.law_draws import LawDraws, law_draws
from bayes_scaling.posterior import Fit
from bayes_scaling.stats.designing import Joint
from bayes_scaling.stats.residual_process import NU

TINY = np.finfo(float).tiny


def joint_of(
    fit: Fit, goal: Goal, points: pd.DataFrame, error: ModelError | None, seed: int
) -> Joint:
    """Return the joint distribution of a goal and of runs at points, on the noise's scale.

    Raises
    ------
    DecisionError
        When the law's own error is in, and the goal is in a known family but a run is in a new one,
        or the other way round.
    """
    ahead = pd.concat([goal.points, points], join="inner") if len(goal.points) else points
    drawn = law_draws(fit, ahead.reset_index(drop=True), jax.random.key(seed))
    if error is None:
        return _beside(goal, _of_law(fit, drawn))
    _check_families(fit, goal, points)
    found, unit = error_moments(error, drawn), error.unit
    nu = np.full(len(found.mean), NU)
    both = Joint(
        found.mean * unit,
        found.part,
        lambda part: found.covariance(part) * unit**2,
        found.scale * unit,
        nu,
    )
    return _beside(goal, both)


def _of_law(fit: Fit, drawn: LawDraws) -> Joint:
    """The law right as it is, with its own noise."""
    on_log = fit.spec.observation.on == "log"
    mean = np.log(np.maximum(drawn.mean, TINY)) if on_log else drawn.mean
    nothing = np.zeros((mean.shape[1],) * 2)
    name, samples = fit.spec.observation.name, len(mean)
    nu = fit.samples["nu"] if "nu" in fit.samples else np.full(samples, np.inf)
    known = drawn.noise is not None and name in NOISE_IS_SCALE
    scale = drawn.noise if known else _scatter(drawn, on_log)
    return Joint(mean, np.zeros(samples, int), lambda part: nothing, np.asarray(scale), nu)


NOISE_IS_SCALE = ("student_t_log", "normal_log", "student_t", "normal")


def _scatter(drawn: LawDraws, on_log: bool) -> np.ndarray:
    """The sd of new runs about the law, for noise whose scale is no sd."""
    run, mean = (np.maximum(v, TINY) if on_log else v for v in (drawn.run, drawn.mean))
    away = np.log(run / mean) if on_log else run - mean
    return np.broadcast_to(np.sqrt(np.mean(away**2, axis=0)), mean.shape)


def _beside(goal: Goal, all_points: Joint) -> Joint:
    """Goals first; those that are no forecasts are known given a sample."""
    places = len(goal.points)
    scale = all_points.scale[:, places:]
    if places:
        return all_points._replace(scale=scale)
    goals, kept = goal.values.shape[1], goal.kept

    def covariance(part: int) -> np.ndarray:
        return np.pad(all_points.covariance(part), ((goals, 0), (goals, 0)))

    mean = np.concatenate([goal.values, all_points.mean], axis=1)[kept]
    return Joint(mean, all_points.part[kept], covariance, scale[kept], all_points.nu[kept])


def _check_families(fit: Fit, goal: Goal, points: pd.DataFrame) -> None:
    if not fit.spec.groups:
        return
    group = fit.spec.groups[-1]
    known = set(map(str, fit.grouping.labels[group]))
    asked = set(goal.points[group]) if len(goal.points) else known
    new = [n for n in dict.fromkeys(points[group]) if n not in known]
    if (asked & known and new) or (asked - known and len(new) < points[group].nunique()):
        strange = new or sorted(asked - known)
        raise DecisionError(
            f"{group} {list_names(strange, 5)} is not in the data, and what runs of new families "
            "tell of known ones is not known with the law's own error: leave such candidates out, "
            "or pass model_error=False."
        )
