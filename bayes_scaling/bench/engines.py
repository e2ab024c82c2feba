"""The samplers that are compared, one entry each: ours, and peers on the same posterior.

An engine prepares a problem and gives a function that samples it with a seed, so that the first
call can be told from later ones.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import jax
import numpy as np

from bayes_scaling._errors import SpecError, did_you_mean
from bayes_scaling.arguments import geometric_mean, group_index
from bayes_scaling.bench.by_hand import in_numpyro, in_pymc
from bayes_scaling.data.runs import Runs
from bayes_scaling.fitting import fit, numpyro_model

CHAINS, WARMUP, DRAWS = 4, 1000, 1000  # of every peer


@dataclass(frozen=True)
class Sampled:
    """Draws (chain, draw, ...) by name; seconds of the sampling alone; leapfrog steps a draw.

    ``worth`` is the number of independent draws that weighed ones stand for.
    """

    values: Mapping[str, np.ndarray]
    seconds: float
    leapfrogs: float = float("nan")
    worth: float = float("inf")
    numbers: dict[str, Any] = field(default_factory=dict)


Sample = Callable[[int], Sampled]


@dataclass(frozen=True)
class Engine:
    """A way to sample: ``prepare(runs)`` compiles what it can and returns ``sample(seed)``."""

    name: str
    summary: str
    prepare: Callable[[Runs], Sample]
    package: str = ""


def _ours(sampler: str, runs: Runs, **options: Any) -> Sample:
    def sample(seed: int) -> Sampled:
        found = fit(runs, sampler=sampler, seed=seed, progress=False, **options)
        stats = found.data["sample_stats"]
        leap = float(stats.to_dataset()["n_steps"].mean()) if "n_steps" in stats else float("nan")
        path = [step["sampler"] for step in found.path] or [sampler]
        verdict = found.diagnose().severity
        posterior = {str(n): np.asarray(v) for n, v in found.posterior.data_vars.items()}
        told = {"path": path, "verdict": verdict}
        worth = json.loads(found.data.attrs["sampling"]).get("weights_ess", float("inf"))
        return Sampled(posterior, float(found.data.attrs["seconds"]), leap, worth, told)

    return sample


def _inputs(runs: Runs, *, centred: bool) -> tuple[Any, ...]:
    """The arguments of the models written by hand."""
    N, D, L = (np.asarray(runs.values[k], float) for k in (*"ND", runs.response))
    size = len(runs.group_levels(runs.groups[-1])) if runs.groups else 0
    family = group_index(runs, runs.groups[-1]) if size else np.zeros(runs.n, int)
    centre = (geometric_mean(N), geometric_mean(D)) if centred else (1.0, 1.0)
    return N, D, L, family, size, centre


def _numpyro(centred: bool, runs: Runs) -> Sample:
    """NumPyro's NUTS and MCMC as they come, in double precision."""
    from numpyro.infer import MCMC, NUTS

    *arrays, size, centre = _inputs(runs, centred=centred)
    model = partial(in_numpyro, size=size, centre=centre)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of chains that run one after another
        mcmc = MCMC(
            NUTS(model),
            num_warmup=WARMUP,
            num_samples=DRAWS,
            num_chains=CHAINS,
            progress_bar=False,
        )

    def sample(seed: int) -> Sampled:
        with jax.enable_x64(True):
            clock = perf_counter()
            mcmc.run(jax.random.key(seed), *arrays, extra_fields=("num_steps", "diverging"))
            found = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
            seconds = perf_counter() - clock
            extra = {k: np.asarray(v) for k, v in mcmc.get_extra_fields().items()}
        told = {"divergences": int(np.sum(extra["diverging"]))}
        return Sampled(found, seconds, float(np.mean(extra["num_steps"])), numbers=told)

    return sample


def _nutpie(centred: bool, runs: Runs) -> Sample:
    """Nutpie with its default settings and Numba, chains on all cores."""
    import nutpie  # pyright: ignore[reportMissingImports]

    compiled = nutpie.compile_pymc_model(in_pymc(*_inputs(runs, centred=centred)))

    def sample(seed: int) -> Sampled:
        clock = perf_counter()
        trace = nutpie.sample(
            compiled, draws=DRAWS, tune=WARMUP, chains=CHAINS, seed=seed, progress_bar=False
        )
        seconds = perf_counter() - clock
        found = {str(n): np.asarray(v) for n, v in trace.posterior.data_vars.items()}
        told = {"divergences": int(np.sum(np.asarray(trace.sample_stats["diverging"])))}
        return Sampled(found, seconds, float(np.mean(trace.sample_stats["n_steps"])), numbers=told)

    return sample


def _blackjax(runs: Runs) -> Sample:
    """BlackJAX's window adaptation and NUTS, dense, on this package's plain NumPyro model."""
    import blackjax  # pyright: ignore[reportMissingImports]
    from numpyro.infer.util import constrain_fn, initialize_model

    model, (args,) = numpyro_model(runs)
    with jax.enable_x64(True):
        made = initialize_model(jax.random.key(0), model, model_args=(args,))
        start, potential = made.param_info.z, made.potential_fn

        def log_density(z: Any) -> Any:
            return -potential(z)

        def chain(key: Any) -> Any:
            warm, draw = jax.random.split(key)
            adapt = blackjax.window_adaptation(
                blackjax.nuts, log_density, is_mass_matrix_diagonal=False
            )
            (state, tuned), _ = adapt.run(warm, start, num_steps=WARMUP)
            kernel = blackjax.nuts(log_density, **tuned)

            def step(state: Any, key: Any) -> Any:
                state, info = kernel.step(key, state)
                return state, (state.position, info.num_integration_steps, info.is_divergent)

            return jax.lax.scan(step, state, jax.random.split(draw, DRAWS))[1]

        program = jax.jit(jax.vmap(chain))

        def constrain(z: Any) -> Any:
            return constrain_fn(model, (args,), {}, z, return_deterministic=True)

        to_paper = jax.jit(jax.vmap(jax.vmap(constrain)))

    def sample(seed: int) -> Sampled:
        with jax.enable_x64(True):
            clock = perf_counter()
            z, steps, diverged = program(jax.random.split(jax.random.key(seed), CHAINS))
            found = {k: np.asarray(v) for k, v in to_paper(z).items()}
            seconds = perf_counter() - clock
            steps, diverged = np.asarray(steps), np.asarray(diverged)
        told = {"divergences": int(np.sum(diverged))}
        return Sampled(found, seconds, float(np.mean(steps)), numbers=told)

    return sample


ENGINES = {
    entry.name: entry
    for entry in (
        Engine("auto", "fit as it comes", partial(_ours, "auto")),
        Engine("nuts", "fit with NUTS", partial(_ours, "nuts")),
        Engine("chees", "fit with the ensemble", partial(_ours, "chees")),
        Engine("reference", "fit with NUTS, 4 x 10,000", partial(_ours, "nuts", draws=10_000)),
        Engine("numpyro", "NumPyro, the law as printed", partial(_numpyro, False), "numpyro"),
        Engine("numpyro-centred", "NumPyro, centred", partial(_numpyro, True), "numpyro"),
        Engine("nutpie", "nutpie, the law as printed", partial(_nutpie, False), "nutpie"),
        Engine("nutpie-centred", "nutpie, centred", partial(_nutpie, True), "nutpie"),
        Engine("blackjax", "BlackJAX NUTS, dense, centred", _blackjax, "blackjax"),
    )
}


def get_engine(name: str) -> Engine:
    """Return the engine of that name.

    Raises
    ------
    SpecError
        When there is none, or its package is not installed.
    """
    from importlib.util import find_spec

    if name not in ENGINES:
        known = ", ".join(ENGINES)
        raise SpecError(f"unknown engine '{name}'.{did_you_mean(name, ENGINES)} Known: {known}.")
    found = ENGINES[name]
    needs = [p for p in (found.package, "pymc" * (found.package == "nutpie")) if p]
    missing = [p for p in needs if find_spec(p) is None]
    if missing:
        raise SpecError(
            f"engine '{name}' needs {' and '.join(missing)}: python -m pip install "
            f"{' '.join(missing)}."
        )
    return found
