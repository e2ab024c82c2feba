"""Compile the programs of a fit at once, on as many cores as there are programs.

XLA compiles one program on one core. Tracing stays on the calling thread, because NumPyro's handler
stack is shared between threads; only the compilations run beside each other. The later calls of the
same jitted functions find them compiled.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from bayes_scaling import _arviz
from bayes_scaling.build import Args
from bayes_scaling.infer.base import Settings
from bayes_scaling.infer.prepare import GROUPS, compiled_prepare
from bayes_scaling.infer.samplers import Sampler
from bayes_scaling.infer.target import Target
from bayes_scaling.kept_traces import result_of


def search_for(target: Target, sampler: Sampler, settings: Settings) -> Any:
    """The compiled search for the mode, with as many starting points as the sampler takes."""
    points = GROUPS if sampler.groups else max(GROUPS, settings.chains)
    return compiled_prepare(target, settings.n_starts, points)


def compile_ahead(target: Target, sampler: Sampler, settings: Settings, args: Args) -> None:
    """Compile the search for the mode and the sampler for arguments of these shapes."""
    search = search_for(target, sampler, settings)
    key = jax.random.key(settings.seed)
    inputs = (key, args, np.float64(settings.centring))

    def programs() -> Iterable[Any]:
        yield search.lower(*inputs)
        yield from sampler.lowered(target, settings, key, result_of(search, *inputs))

    _compile(programs())


def compile_sampler(target: Target, sampler: Sampler, settings: Settings, prepared: Any) -> None:
    """Compile a sampler for a target that is already prepared."""
    _compile(sampler.lowered(target, settings, jax.random.key(settings.seed), prepared))


def _compile(lowered: Iterable[Any]) -> None:
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(program.compile) for program in lowered]
        _arviz.load()  # which the fit will need, and which holds up nothing here
        for job in jobs:
            job.result()
