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

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling._errors import Note
from bayes_scaling._progress import shown_progress
from bayes_scaling._x64 import in_float64
from bayes_scaling.arguments import bucket, by_families, make_args, padded
from bayes_scaling.build import Args, numpyro_model_of
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.identify import identification_notes
from bayes_scaling.infer.ahead import compile_ahead, compile_sampler, search_for
from bayes_scaling.infer.auto import Drawn, Step, first_sampler, sample_auto
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.prepare import Prepared, other_modes, plain_args
from bayes_scaling.infer.samplers import AUTO, Sampler, get_sampler
from bayes_scaling.infer.target import Target, compiled_constrain, make_target
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
    sampler: str = "auto",
    chains: int | None = None,
    draws: int | None = None,
    warmup: int | None = None,
    target_accept: float | None = None,
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
        Observation model: ``student_t_log``, ``normal_log``, ``student_t``, ``normal``, or
        ``beta_binomial`` where `read_runs` was given ``trials``, and then the default.
    noise_by_family, noise_trend
        A noise sd for each family; a noise sd that changes with this covariate.
    sampler
        ``"auto"`` tries fast samplers first and takes NUTS where their checks do not pass; the
        tries are told by `Fit.path`. Or ``nuts``, ``chees``, ``laplace``, ``svi``.
    chains, draws, warmup
        Chains and what each keeps and discards; given with ``"auto"`` they are those of NUTS.
    target_accept
        Share of proposals to accept, by the size of steps: 0.9 for NUTS, 0.95 for ``chees`` unless
        given.
    max_tree_depth, seed
        Longest path of NUTS, two to this power; the seed of everything.
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
        sampler=sampler if chains is draws is warmup is None or sampler != AUTO else "nuts",
        chains=chains or 0,
        draws=draws or 0,
        warmup=warmup or 0,
        target_accept=target_accept or 0.0,
        max_tree_depth=max_tree_depth,
        centring=-1.0 if centring == "auto" else float(centring),
        seed=seed,
    )
    show = shown_progress(progress)
    return run_fit(table, spec, settings, show)


def run_fit(runs: Runs, spec: ModelSpec, settings: Settings, progress: Progress) -> Fit:
    """Fit a checked spec: find the mode, whiten, sample, assemble."""
    clock = perf_counter()
    args = padded(make_args(runs, spec), bucket(runs.n))
    notes = (*runs.notes, *identification_notes(runs, spec, args))
    arranged = by_families(args)
    target = make_target(spec, arranged)
    automatic = settings.sampler == AUTO
    first = first_sampler(target) if automatic else get_sampler(settings.sampler)
    ready = first.settle(settings)
    progress(0, 1, "compiling")
    compile_ahead(target, first, ready, arranged)
    progress(0, 1, "finding the mode")
    key = jax.random.key(settings.seed)
    search = search_for(target, first, ready)
    prepared = jax.block_until_ready(search(key, arranged, np.float64(settings.centring)))
    if automatic:

        def make_ready(sampler: Sampler, asked: Settings) -> None:
            progress(0, 1, f"compiling {sampler.name}")
            compile_sampler(target, sampler, asked, prepared)

        drawn, path = sample_auto(target, prepared, settings, progress, make_ready)
    else:
        draws = first.sample(target, prepared, ready, progress)
        drawn, path = Drawn(draws, ready, prepared), ()
    seconds = perf_counter() - clock
    tree = assemble(runs, spec, args, target, drawn, path, seconds)
    return Fit(tree, spec, (*notes, *mode_notes(prepared)))


def mode_notes(prepared: Prepared) -> tuple[Note, ...]:
    """A note where searches ended at further modes near the best one."""
    others = other_modes(prepared)
    if not others:
        return ()
    return (
        Note(
            "several_modes",
            "warning",
            f"{others} of {len(prepared.potentials)} searches ended at another mode of similar "
            "height.",
            "Check that R-hat is 1.00, and which solution the forecast follows.",
        ),
    )


@lru_cache(maxsize=IN_MEMORY)
def _compiled_prior(target: Target, n: int) -> Any:
    def draw_prior(key: Any, args: Args) -> Any:
        return jax.vmap(target.draw_prior, in_axes=(0, None))(jax.random.split(key, n), args)

    return jitted(draw_prior)


def constrained(target: Target, z: np.ndarray, args: Args) -> dict[str, np.ndarray]:
    """Every site of draws ``z`` (chain, draw, dim) as arrays (chain, draw, ...)."""
    return {k: np.asarray(v) for k, v in compiled_constrain(target)(z, args).items()}


def prior_draws(target: Target, args: Args, n: int, seed: int) -> dict[str, np.ndarray]:
    """Draws from the prior as arrays (1, n, ...)."""
    z = np.asarray(_compiled_prior(target, n)(jax.random.key(seed + 2), args))
    return constrained(target, z[None], args)


def assemble(
    runs: Runs,
    spec: ModelSpec,
    args: Args,
    target: Target,
    drawn: Drawn,
    path: tuple[Step, ...],
    seconds: float,
) -> Any:
    """The DataTree of a fit, every dimension declared."""
    draws, settings, prepared = drawn
    names = posterior_names(spec)
    values = constrained(target, draws.z, plain_args(prepared))
    # Of the posterior's shapes, whose program serves again.
    before = prior_draws(target, by_families(args), PRIOR_DRAWS, settings.seed)
    constant = constant_data(runs, spec, args)
    posterior = {n: values[n] for n in names}
    groups = {
        "posterior": posterior,
        "sample_stats": draws.stats,
        "prior": {n: before[n] for n in names},
        "unconstrained_posterior": _unconstrained(target, draws.z),
        "observed_data": {spec.law.response: runs.values[runs.response]},
        "constant_data": constant,
        **pointwise_groups(spec, posterior, args, runs.n, settings.seed),
    }
    dims = {
        **variable_dims(spec),
        **constant_dims(constant, spec),
        spec.law.response: ["row"],
        **_unconstrained_dims(target),
    }
    return make_datatree(
        groups,
        group_coords(runs, spec),
        dims,
        _attrs(runs, spec, args, settings, seconds) | _sampling_attrs(draws, path),
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


def _sampling_attrs(draws: Draws, path: tuple[Step, ...]) -> dict[str, str]:
    return {
        "path": json.dumps([vars(step) for step in path]),
        "sampling": json.dumps(draws.info),
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
