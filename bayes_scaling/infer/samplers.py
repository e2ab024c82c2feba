"""The samplers: one entry each, and the rest of the package picks it up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from bayes_scaling._errors import SpecError, did_you_mean
from bayes_scaling.infer.approximate import (
    at_mode,
    by_gradients,
    compiled_weigh,
    pool_size,
    sample_approximate,
)
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.ensemble import TARGET_ACCEPT, compiled_ensemble, sample_ensemble
from bayes_scaling.infer.nuts import kernel_for, sample_nuts
from bayes_scaling.infer.prepare import GROUPS, Prepared
from bayes_scaling.infer.target import Target
from bayes_scaling.kept_traces import result_of

Sample = Callable[[Target, Prepared, Settings, Progress], Draws]


@dataclass(frozen=True)
class Sampler:
    """One way to sample a prepared target.

    ``lowered(target, settings, key, prepared)`` yields the programs to compile ahead; ``chains``,
    ``draws`` and ``warmup`` are what it takes unless told; chains come in ``groups`` of one
    starting point each where nested R-hat judges them; ``target_accept`` sets the size of steps.
    """

    name: str
    summary: str
    sample: Sample
    lowered: Callable[[Target, Settings, Array, Any], Iterable[Any]]
    chains: int
    draws: int
    warmup: int
    groups: int = 0
    target_accept: float = 0.9

    def settle(self, settings: Settings) -> Settings:
        """The settings with this sampler's own choices where none was made.

        Raises
        ------
        SpecError
            When the number of chains is not a multiple of the starting points.
        """
        chains = settings.chains or self.chains
        if self.groups and chains % self.groups:
            raise SpecError(
                f"chains={chains}: '{self.name}' starts chains in {self.groups} groups of equal "
                f"size; pass a multiple of {self.groups}, or sampler='nuts'."
            )
        return replace(
            settings,
            sampler=self.name,
            chains=chains,
            draws=settings.draws or self.draws,
            warmup=settings.warmup or self.warmup,
            target_accept=settings.target_accept or self.target_accept,
        )


def _nuts_programs(target: Target, settings: Settings, key: Array, prepared: Any) -> Iterable[Any]:
    kernel = kernel_for(target, settings)
    keys = jax.eval_shape(lambda: jax.random.split(key, settings.chains))
    begin = (keys, jax.ShapeDtypeStruct((settings.chains, target.dim), float), prepared)
    states = jax.eval_shape(kernel.init, *begin)
    yield kernel.advance.lower(states, prepared)
    yield kernel.init.lower(*begin)


def _chees_programs(target: Target, settings: Settings, key: Array, prepared: Any) -> Iterable[Any]:
    programs = compiled_ensemble(target, settings.chains)
    start = (np.int64(settings.seed + 1), np.float64(settings.target_accept), prepared)
    state = result_of(programs.begin, *start)
    yield programs.advance.lower(state, prepared, True, True)
    yield programs.begin.lower(*start)


def _weigh_programs(
    family: Any, target: Target, settings: Settings, key: Array, prepared: Any
) -> Iterable[Any]:
    yield compiled_weigh(target, family, pool_size(settings, prepared)).lower(key, prepared)


def _approximate(name: str, summary: str, family: Any) -> Sampler:
    sample, lowered = partial(sample_approximate, family), partial(_weigh_programs, family)
    return Sampler(name, summary, sample, lowered, chains=4, draws=1000, warmup=1)


SAMPLERS = {
    entry.name: entry
    for entry in (
        Sampler(
            "nuts",
            "NumPyro's NUTS, chains as one program: the reference",
            sample_nuts,
            _nuts_programs,
            chains=4,
            draws=1000,
            warmup=500,
        ),
        Sampler(
            "chees",
            "many short chains of HMC that tune themselves together",
            sample_ensemble,
            _chees_programs,
            chains=64,
            draws=100,
            warmup=150,
            groups=GROUPS,
            target_accept=TARGET_ACCEPT,
        ),
        _approximate("laplace", "the Gaussian at the mode, importance-weighed", at_mode),
        _approximate("svi", "a Gaussian of highest evidence bound, weighed", by_gradients),
    )
}
AUTO = "auto"


def get_sampler(name: str) -> Sampler:
    """Return the sampler of that name.

    Raises
    ------
    SpecError
        When there is none.
    """
    if name in SAMPLERS:
        return SAMPLERS[name]
    known = [AUTO, *SAMPLERS]
    raise SpecError(
        f"unknown sampler '{name}'.{did_you_mean(name, known)} Known: {', '.join(known)}."
    )
