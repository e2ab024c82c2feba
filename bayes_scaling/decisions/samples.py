"""Posterior draws of a law's parameters for the families that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from bayes_scaling._errors import DecisionError, list_names
from bayes_scaling.families import family_parameters
from bayes_scaling.posterior import Fit, Sampled


class FamilyDraws(NamedTuple):
    """The law's parameters, name to (sample, family), and the families' names."""

    params: Mapping[str, np.ndarray]
    names: tuple[str, ...]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(next(iter(self.params.values())))

    def at(self, family: np.ndarray) -> dict[str, np.ndarray]:
        """Return the parameters of points (point,) given by the place of their family, (sample,
        point)."""
        return {name: np.asarray(v)[:, family] for name, v in self.params.items()}


def family_draws(fit: Fit | Sampled, family: Any = None, seed: int = 0) -> FamilyDraws:
    """Return draws of the law's parameters.

    Parameters
    ----------
    fit
        A posterior.
    family
        A label, several, or None for all families of the data. A label that the data lack is drawn
        from the population.

    Raises
    ------
    DecisionError
        When a family is named and there are none.
    ForecastError
        When a new family is asked of a parameter that pools nothing.
    """
    groups = fit.spec.groups
    names = _asked(fit, family)
    wanted = [{groups[-1]: name} if groups else {} for name in names]
    params, _ = family_parameters(
        fit.spec, fit.samples, fit.grouping, wanted, fit.reference, jax.random.key(seed)
    )
    return FamilyDraws({n: np.asarray(v, float) for n, v in params.items()}, names)


def _asked(fit: Fit | Sampled, family: Any) -> tuple[str, ...]:
    groups = fit.spec.groups
    if not groups:
        if family is not None:
            raise DecisionError(f"family={family!r}: the fit has no families; leave family out.")
        return ("",)
    known = fit.grouping.labels[groups[-1]]
    if family is None:
        return tuple(map(str, known))
    several = isinstance(family, Sequence) and not isinstance(family, str)
    names = tuple(map(str, family if several else [family]))
    if not names or len(set(names)) < len(names):
        raise DecisionError(f"family={family!r}: name one, or several once each, of "
                            f"{list_names(known)}.")  # fmt: skip
    return names
