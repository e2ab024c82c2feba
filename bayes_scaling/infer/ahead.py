"""Compile the programs of a fit at once, on as many cores as there are programs.

XLA compiles one program on one core. Tracing stays on the calling thread, because NumPyro's handler
stack is shared between threads; only the compilations run beside each other. The later calls of the
same jitted functions find them compiled.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from bayes_scaling.build import Args
from bayes_scaling.infer.base import Settings
from bayes_scaling.infer.nuts import kernel_for
from bayes_scaling.infer.prepare import compiled_prepare
from bayes_scaling.infer.target import Target


def compile_ahead(target: Target, settings: Settings, args: Args) -> None:
    """Compile the search for the mode and the sampler for arguments of these shapes."""
    search = compiled_prepare(target, settings.n_starts, settings.chains)
    kernel = kernel_for(target, settings)
    key = jax.random.key(settings.seed)
    inputs = (key, args, np.float64(settings.centring))
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(search.lower(*inputs).compile)]
        prepared = jax.eval_shape(search, *inputs)
        keys = jax.random.split(key, settings.chains)
        begin = (keys, prepared.starts, prepared)
        states = jax.eval_shape(kernel.init, *begin)
        jobs.append(pool.submit(kernel.advance.lower(states, prepared).compile))
        jobs.append(pool.submit(kernel.init.lower(*begin).compile))
        _wait(jobs)


def _wait(jobs: list[Any]) -> None:
    for job in jobs:
        job.result()
