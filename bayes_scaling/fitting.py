"""`fit`: runs and a law in, a checked posterior out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from time import perf_counter
from typing import Any

import jax
import numpy as np

from bayes_scaling._errors import Note
from bayes_scaling._progress import no_progress, progress_bar
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import make_args
from bayes_scaling.build import Args, numpyro_model_of
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.identify import identification_notes
from bayes_scaling.infer.ahead import compile_ahead
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.nuts import sample_nuts
from bayes_scaling.infer.prepare import Prepared, compiled_prepare
from bayes_scaling.infer.target import Target, make_target
from bayes_scaling.pointwise import pointwise_groups
from bayes_scaling.posterior import (
    Fit,
    constant_data,
    constant_dims,
    group_coords,
    make_datatree,
    posterior_names,
    variable_dims,
)
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import Law, ModelSpec, Observation
from bayes_scaling.storage import FORMAT, spec_to_json

PRIOR_DRAWS = 1000
SAME_MODE = 1.0  # sds apart, and
MODE_GAP = 8.0  # nats below the best, for a second mode to matter


@in_float64
def fit(
    runs: Any,
    law: str | Law = "chinchilla",
    *,
    group: str | list[str] | None = None,
    pool: Mapping[str, str] | str | None = None,
    priors: Mapping[str, Any] | None = None,
    noise: str | Observation | None = None,
    noise_by_family: bool = False,
    noise_trend: str = "",
    chains: int = 4,
    draws: int = 1000,
    warmup: int = 500,
    target_accept: float = 0.9,
    max_tree_depth: int = 10,
    centring: float | str = "auto",
    seed: int = 0,
    progress: bool | Progress = True,
) -> Fit:
    """Return the posterior of a scaling law, families pooled as the law's authors would.

    Parameters
    ----------
    runs
        `Runs` from `read_runs`, or anything `read_runs` takes (with ``group``).
    law
        Name of a catalogue law, ``"power_law(C)"`` for a generic one, or a `Law`.
    pool
        Per parameter ``"shared"``, ``"partial"`` or ``"separate"``; one word for all; default the
        law's natural pooling.
    priors
        Per parameter a prior (`lognormal`, `normal`, `fixed` ..., its text, a number to hold it
        fixed, or a NumPyro distribution). For a coefficient the prior is that of its level.
    noise
        Observation model: ``student_t_log``, ``normal_log``, ``student_t``, ``normal``.
    noise_by_family, noise_trend
        A noise sd for each family; a noise sd that changes with this covariate.
    chains, draws, warmup, target_accept, max_tree_depth, seed
        NUTS settings; all chains run as one vectorised program.
    centring
        ``"auto"`` chooses for every family from how much its runs say; 0 is non-centred, 1 centred.
    progress
        Show a bar on standard error, or a function ``(done, total, phase)``.

    Raises
    ------
    BayesScalingError
        One line naming the column, rows or argument that does not fit, and the mend.
    """
    table = read_runs(runs, group=group)
    spec = resolve(
        table,
        law,
        pool=pool,
        priors=priors,
        noise=noise,
        noise_by_family=noise_by_family,
        noise_trend=noise_trend,
    )
    settings = Settings(
        chains=chains,
        draws=draws,
        warmup=warmup,
        target_accept=target_accept,
        max_tree_depth=max_tree_depth,
        centring=-1.0 if centring == "auto" else float(centring),
        seed=seed,
    )
    show = progress if callable(progress) else progress_bar() if progress else no_progress
    return run_fit(table, spec, settings, show)


def run_fit(runs: Runs, spec: ModelSpec, settings: Settings, progress: Progress) -> Fit:
    """Fit a checked spec: find the mode, whiten, sample, assemble."""
    clock = perf_counter()
    args = make_args(runs, spec)
    notes = (*runs.notes, *identification_notes(runs, spec, args))
    target = make_target(spec, args)
    progress(0, 1, "compiling")
    compile_ahead(target, settings, args)
    progress(0, 1, "finding the mode")
    search = compiled_prepare(target, settings.n_starts, settings.chains)
    key = jax.random.key(settings.seed)
    prepared = jax.block_until_ready(search(key, args, np.float64(settings.centring)))
    draws = sample_nuts(target, prepared, settings, progress)
    seconds = perf_counter() - clock
    tree = assemble(runs, spec, args, target, prepared, draws, settings, seconds)
    return Fit(tree, spec, (*notes, *mode_notes(prepared)))


def mode_notes(prepared: Prepared) -> tuple[Note, ...]:
    """Notes on searches that did not converge and on further modes near the best one."""
    potentials, distances = np.asarray(prepared.potentials), np.asarray(prepared.distances)
    near = (potentials < np.nanmin(potentials) + MODE_GAP) & (distances > SAME_MODE)
    converged = np.asarray(prepared.decrement) < 1e-3
    if (near & converged).any():
        return (
            Note(
                "several_modes",
                "warning",
                f"{int((near & converged).sum())} of {len(near)} searches ended at another mode "
                "of similar height.",
                "Check that R-hat is 1.00, and which solution the forecast follows.",
            ),
        )
    return ()


@lru_cache(maxsize=64)
def _compiled_constrain(target: Target) -> Any:
    return jax.jit(jax.vmap(jax.vmap(target.constrain, in_axes=(0, None)), in_axes=(0, None)))


@lru_cache(maxsize=64)
def _compiled_prior(target: Target) -> Any:
    return jax.jit(jax.vmap(target.draw_prior, in_axes=(0, None)))


def constrained(target: Target, z: np.ndarray, args: Args) -> dict[str, np.ndarray]:
    """Every site of draws ``z`` (chain, draw, dim) as arrays (chain, draw, ...)."""
    return {k: np.asarray(v) for k, v in _compiled_constrain(target)(z, args).items()}


def prior_draws(target: Target, args: Args, n: int, seed: int) -> dict[str, np.ndarray]:
    """Draws from the prior as arrays (1, n, ...)."""
    keys = jax.random.split(jax.random.key(seed + 2), n)
    return constrained(target, np.asarray(_compiled_prior(target)(keys, args))[None], args)


def assemble(
    runs: Runs,
    spec: ModelSpec,
    args: Args,
    target: Target,
    prepared: Prepared,
    draws: Draws,
    settings: Settings,
    seconds: float,
) -> Any:
    """The DataTree of a fit, every dimension declared."""
    names = posterior_names(spec)
    values = constrained(target, draws.z, prepared.args)
    before = prior_draws(target, args, PRIOR_DRAWS, settings.seed)
    constant = constant_data(runs, spec, args)
    posterior = {n: values[n] for n in names}
    groups = {
        "posterior": posterior,
        "sample_stats": draws.stats,
        "prior": {n: before[n] for n in names},
        "unconstrained_posterior": _unconstrained(target, draws.z),
        "observed_data": {spec.law.response: runs.values[runs.response]},
        "constant_data": constant,
        **pointwise_groups(spec, posterior, args, settings.seed),
    }
    dims = {
        **variable_dims(spec),
        **constant_dims(constant, spec),
        spec.law.response: ["row"],
        **_unconstrained_dims(target),
    }
    return make_datatree(
        groups, group_coords(runs, spec), dims, _attrs(runs, spec, args, settings, seconds)
    )


def _unconstrained(target: Target, z: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"z_{s.name}": z[..., s.start : s.stop].reshape(*z.shape[:2], *s.shape)
        for s in target.sites
    }


def _unconstrained_dims(target: Target) -> dict[str, list[str]]:
    return {f"z_{s.name}": [f"{s.name}_dim"] for s in target.sites if s.shape}


def _attrs(
    runs: Runs, spec: ModelSpec, args: Args, settings: Settings, seconds: float
) -> dict[str, str]:
    return {
        "format": str(FORMAT),
        "spec": spec_to_json(spec),
        "reference": json.dumps(dict(args["ref"])),
        "groups": json.dumps(list(runs.groups)),
        "settings": json.dumps(vars(settings)),
        "seconds": f"{seconds:.3f}",
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "inference_library": "numpyro",
        "versions": json.dumps({p: version(p) for p in ("bayes_scaling", "jax", "numpyro")}),
    }


@in_float64
def numpyro_model(
    runs: Any,
    law: str | Law = "chinchilla",
    *,
    group: str | list[str] | None = None,
    **options: Any,
) -> tuple[Any, tuple[dict[str, Any]]]:
    """Return the plain NumPyro model and its arguments, for people who bring their own kernel.

    Takes the modelling options of `fit`. Use it as ``MCMC(NUTS(model), ...).run(key, *args)``, in
    double precision (``numpyro.enable_x64()``) as `fit` does. Coefficients are sampled as levels
    (``A_level``) with the paper's parameter as a deterministic site, families non-centred.

    Raises
    ------
    BayesScalingError
        As `fit` does.
    """
    table = read_runs(runs, group=group)
    spec = resolve(table, law, **options)
    return numpyro_model_of(spec), (make_args(table, spec),)
