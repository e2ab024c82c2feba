"""What was published beside a posterior: draws of any expression in its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_scaling._errors import SpecError, did_you_mean
from bayes_scaling._x64 import in_float64
from bayes_scaling.equation import compile_jax, parse_equation
from bayes_scaling.posterior import Fit
from bayes_scaling.stats.intervals import equal_tailed
from bayes_scaling.study_spec import Published

PROB = 0.95
IN, NEAR, OUT, SHOWN = "in", "near", "out", "mem"


def beside(published: Published, found: Fit) -> dict[str, Any]:
    """Return a published constant beside our posterior of it."""
    draws = derived(found, published.of, published.family)
    low, high = (float(end) for end in equal_tailed(draws, PROB))
    return {
        "of": published.of,
        "family": published.family,
        "published": published.value,
        "published_low": published.low,
        "published_high": published.high,
        "kind": published.kind,
        "mean": float(draws.mean()),
        "median": float(np.median(draws)),
        "low": low,
        "high": high,
        "verdict": verdict(published, low, high),
    }


def verdict(published: Published, low: float, high: float) -> str:
    """Return ``in``, ``near`` or ``out`` of our interval, or ``mem`` where that is not judged."""
    if published.kind == "mem":
        return SHOWN
    if low <= published.value <= high:
        return IN
    start, stop = published.interval
    return NEAR if start <= high and low <= stop else OUT


@in_float64
def derived(found: Fit, expression: str, family: str = "") -> np.ndarray:
    """Return draws (sample,) of an expression in a fit's parameters, of one family or of all.

    Without a family, a parameter that is partially pooled is that of the population.

    Raises
    ------
    SpecError
        When a parameter has no single value for that, or there is no such family.
    """
    names = set(found.spec.law.param_names)
    equation = parse_equation(expression, positive=names)
    values = {name: _draws(found, name, family) for name in equation.names}
    return np.asarray(compile_jax(equation.expr, equation.names)(**values))


def _draws(found: Fit, name: str, family: str) -> np.ndarray:
    samples, prior = found.samples, dict(found.spec.priors).get(name)
    if prior is not None and prior.is_fixed:
        return np.asarray(prior.median)
    draws = samples.get(name)
    if draws is not None and draws.ndim == 1:
        return draws
    if draws is None or not (family or f"{name}_pop" in samples):
        raise SpecError(f"'{name}' has no single value in this fit: name a family.")
    if not family:
        return samples[f"{name}_pop"]
    labels = found.grouping.labels[found.spec.groups[-1]]
    if family not in labels:
        raise SpecError(f"the fit has no family '{family}'.{did_you_mean(family, labels)}")
    return draws[:, labels.index(family)]
