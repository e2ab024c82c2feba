"""Independent posteriors of many tables of one shape, a batch of tables in one program.

The tables of a batch go through the same steps as one fit, one after another inside the program, so
that none waits for the longest search or trajectory of the others; batches run beside each other on
threads, one a core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling._compile_cache import IN_MEMORY
from bayes_scaling._progress import no_progress
from bayes_scaling.build import Args
from bayes_scaling.infer.approximate import at_mode, pool_size, resampled, weigh
from bayes_scaling.infer.auto import (
    CHECKS,
    LONGER,
    fast_samplers,
    hopeless,
    once_more,
    only_few_diverged,
)
from bayes_scaling.infer.base import Draws, Settings
from bayes_scaling.infer.ensemble import ROUND, Ensemble, Programs, advance, begin
from bayes_scaling.infer.nuts import sample_nuts
from bayes_scaling.infer.prepare import (
    GROUPS,
    Prepared,
    from_whitened,
    other_modes,
    plain_args,
    prepare_fn,
)
from bayes_scaling.infer.relearn import STREAM, relearned
from bayes_scaling.infer.samplers import SAMPLERS
from bayes_scaling.infer.target import Target, compiled_constrain
from bayes_scaling.kept_traces import kept_program

BATCH = 16  # tables of one program
SIZES = {"laplace": (4, 250), "chees": (64, 50), "nuts": (4, 250)}  # chains, draws of each


class Result(NamedTuple):
    """One table's posterior: constrained sites (chain, draw, ...), and how it was got.

    ``doubt`` says in words why it is not to be trusted ("" where all checks passed).
    """

    sites: dict[str, np.ndarray]
    sampler: str
    doubt: str
    numbers: dict[str, float]


def posteriors(target: Target, seeds: np.ndarray, args: Sequence[Args]) -> list[Result]:
    """The posteriors of up to `BATCH` tables of one shape, each by the cheapest sampler that holds.

    Every sampler takes what the last was refused; the last is NUTS, one table after another. Where
    its chains disagree, draws of the ensemble's second try that were refused for a few divergent
    transitions alone are kept, with that doubt.
    """
    count = len(seeds)
    seeds = _filled(np.asarray(seeds))
    prepared = prepare_batch(target, sized("nuts"), seeds, _stacked(args))
    left = [i for i in range(count) if not other_modes(_row(prepared, i))]
    done: dict[int, Result] = {}
    draws: dict[int, Draws] = {}
    found: dict[int, Result] = {}
    for settings in _tries(target):
        if settings.draws > sized(settings.sampler).draws:
            left = [i for i in left if not hopeless(found[i].numbers)]
            prepared = relearn_batch(target, seeds, prepared, {i: draws[i] for i in left})
        if not left:
            break
        draws = BATCHES[settings.sampler](target, settings, seeds, prepared, _rows(left))
        found = checked(target, settings, prepared, draws)
        done |= {i: found[i] for i in left if not found[i].doubt}
        left = [i for i in left if i not in done]
    instead = {i: found[i] for i in left if only_few_diverged(draws[i])}
    for i in set(range(count)) - set(done):
        nuts = _by_nuts(target, _row(prepared, i), int(seeds[i]))
        done[i] = instead.get(i, nuts) if nuts.doubt else nuts
    return [done[i] for i in range(count)]


def _tries(target: Target) -> list[Settings]:
    """What is tried before NUTS, in order; the last in a geometry learned from the one before."""
    tries = [sized(name) for name in fast_samplers(target)]
    return [*tries, once_more(tries[-1])]


def _rows(tables: Sequence[int]) -> np.ndarray:
    """Which rows of a batch are ``tables``."""
    return np.isin(np.arange(BATCH), tables)


def sized(name: str) -> Settings:
    """Settings of a sampler that keep a thousand draws or more."""
    chains, draws = SIZES[name]
    return SAMPLERS[name].settle(Settings(chains=chains, draws=draws))


@lru_cache(maxsize=IN_MEMORY)
def compiled_batch_prepare(target: Target, n_starts: int) -> Any:
    """``(keys, args) -> Prepared`` over tables (cached)."""
    prepare = prepare_fn(target, n_starts, GROUPS)

    def each(keys: Array, args: Args) -> Prepared:
        return jax.lax.map(lambda x: prepare(*x, -1.0), (keys, args))

    return kept_program("batch_prepare", each, target, n_starts, runs_long=True)


@lru_cache(maxsize=IN_MEMORY)
def compiled_batch_weigh(target: Target, draws: int) -> Any:
    """``(live, keys, prepared) -> Weighed`` over tables (cached)."""
    return _over_tables("batch_weigh", lambda *x: weigh(target, at_mode, draws, *x), target, draws)


@lru_cache(maxsize=IN_MEMORY)
def compiled_batch_chees(target: Target, chains: int) -> Programs:
    """The ensembles' ``begin(live, keys, target_accepts, prepared)`` and a round of them (cached).

    The round, ``advance(live, states, prepared, tune, whiten)``, takes ``tune`` and ``whiten`` for
    each table.
    """

    def step(state: Any, prepared: Prepared, tune: Array, whiten: Array) -> Any:
        state, kept = advance(target, state, prepared, tune, whiten)
        return state, {k: kept[k] for k in ("w", "diverging", "acceptance_rate")}

    def start(key: Array, share: Array, own: Prepared) -> Ensemble:
        return begin(target, key, share, own, chains)

    return Programs(
        _over_tables("batch_begin", start, target, chains),
        _over_tables("batch_advance", step, target, chains),
    )


@lru_cache(maxsize=IN_MEMORY)
def compiled_batch_relearned(target: Target) -> Any:
    """``(live, keys, prepared, w) -> prepared`` over tables, from whitened draws (cached)."""

    def one(key: Array, prepared: Prepared, w: Array) -> Prepared:
        return relearned(target, key, prepared, from_whitened(target, prepared, w))

    return _over_tables("batch_relearned", one, target)


def _over_tables(what: str, run: Callable[..., Any], *of: Any) -> Any:
    """``run`` over tables in one program; those that are not ``live`` cost nothing, give zeros."""

    def one(live: Array, *x: Any) -> Any:
        blank = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(run, *x))
        return jax.lax.cond(live, lambda: run(*x), lambda: blank)

    def over(*xs: Any) -> Any:
        return jax.lax.map(lambda x: one(*x), xs)

    return kept_program(what, over, *of, runs_long=True)


@lru_cache(maxsize=IN_MEMORY)
def compiled_batch_sites(target: Target) -> Any:
    """``(prepared, w) -> sites`` over tables, draws ``w`` (table, chain, draw, dim) (cached)."""

    def table(prepared: Prepared, w: Array) -> dict[str, Array]:
        args = plain_args(prepared)
        z = from_whitened(target, prepared, w)
        return jax.vmap(jax.vmap(lambda v: target.constrain(v, args)))(z)

    def sites(prepared: Prepared, w: Array) -> Any:
        return jax.lax.map(lambda x: table(*x), (prepared, w))

    return kept_program("batch_sites", sites, target)


def weighed_batch(
    target: Target, settings: Settings, seeds: np.ndarray, prepared: Prepared, live: np.ndarray
) -> dict[int, Draws]:
    """Importance-weighed whitened draws of the live tables of a batch."""
    found = compiled_batch_weigh(target, pool_size(settings, prepared))(
        live, _keys(seeds, 1), prepared
    )
    found = jax.tree.map(np.asarray, found)
    draws = {}
    for i in np.flatnonzero(live):
        picked, info = resampled(found.log_ratio[i], settings, int(seeds[i]))
        draws[int(i)] = Draws(found.w[i][picked], {}, info)
    return draws


def chees_batch(
    target: Target, settings: Settings, seeds: np.ndarray, prepared: Prepared, live: np.ndarray
) -> dict[int, Draws]:
    """Whitened draws of the ensembles of the live tables of a batch, with their statistics."""
    programs = compiled_batch_chees(target, settings.chains)
    shares = np.full(len(live), settings.target_accept)
    states = programs.begin(live, _keys(seeds, 2), shares, prepared)
    warm, keep = (-(-n // ROUND) for n in (settings.warmup, settings.draws))
    rounds = []
    for i in range(warm + keep):
        tune, whiten = np.full(len(live), i < warm), np.full(len(live), i < warm - 1)
        states, kept = programs.advance(live, states, prepared, tune, whiten)
        if i >= warm:
            rounds.append(jax.tree.map(np.asarray, kept))
    return {i: _one_of(rounds, i, settings.draws) for i in np.flatnonzero(live).tolist()}


def _one_of(rounds: Sequence[Mapping[str, np.ndarray]], table: int, draws: int) -> Draws:
    """The draws (chain, draw, dim) of one table from rounds (table, draw, chain, ...)."""
    joined = {k: np.concatenate([r[k][table] for r in rounds])[:draws] for k in rounds[0]}
    stats = {k: v.swapaxes(0, 1) for k, v in joined.items()}
    return Draws(stats.pop("w"), stats)


BATCHES = {"laplace": weighed_batch, "chees": chees_batch}


def checked(
    target: Target, settings: Settings, prepared: Prepared, draws: Mapping[int, Draws]
) -> dict[int, Result]:
    """The results of tables of a batch, with the verdicts of the checks of their sampler."""
    name = settings.sampler
    w = _side_by_side(draws)[:, :, :: settings.draws // sized(name).draws]
    sites = compiled_batch_sites(target)(prepared, w)
    sites = {k: np.asarray(v) for k, v in sites.items()}
    return {
        i: Result({k: v[i] for k, v in sites.items()}, name, *CHECKS[name](found))
        for i, found in draws.items()
    }


def _side_by_side(draws: Mapping[int, Draws]) -> np.ndarray:
    """Whitened draws (table, chain, draw, dim) of a whole batch, zero where there are none."""
    blank = np.zeros_like(next(iter(draws.values())).z)
    return np.stack([draws[i].z if i in draws else blank for i in range(BATCH)])


def relearn_batch(
    target: Target, seeds: np.ndarray, prepared: Prepared, draws: Mapping[int, Draws]
) -> Prepared:
    """The geometry of a batch, learned anew for the tables of ``draws``."""
    if not draws:
        return prepared
    live, w = _rows(list(draws)), _side_by_side(draws)
    learned = compiled_batch_relearned(target)(live, _keys(seeds, STREAM), prepared, w)

    def of_each(new: Array, old: Array) -> Array:
        return jnp.where(live.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    return jax.tree.map(of_each, learned, prepared)


def _by_nuts(target: Target, prepared: Prepared, seed: int) -> Result:
    """NUTS, and where its chains disagree once more for longer, thinned to the same size."""
    for longer in (1, LONGER):
        draws, verdict = _nuts_draws(target, prepared, seed, longer)
        if not verdict[0]:
            break
    found = compiled_constrain(target)(draws.z[:, ::longer], plain_args(prepared))
    return Result({k: np.asarray(v) for k, v in found.items()}, "nuts", *verdict)


def _nuts_draws(
    target: Target, prepared: Prepared, seed: int, longer: int
) -> tuple[Draws, tuple[str, dict[str, float]]]:
    once = sized("nuts")
    settings = replace(once, seed=seed, draws=longer * once.draws)
    draws = sample_nuts(target, prepared, settings, no_progress)
    return draws, CHECKS["nuts"](draws)


def prepare_batch(target: Target, settings: Settings, seeds: np.ndarray, args: Args) -> Prepared:
    """The geometry of every table of a batch; the leaves of ``args`` lead with the table."""
    return compiled_batch_prepare(target, settings.n_starts)(_keys(seeds, 0), args)


def _keys(seeds: np.ndarray, stream: int) -> Array:
    return jax.vmap(lambda s: jax.random.fold_in(jax.random.key(s), stream))(jnp.asarray(seeds))


def _row(prepared: Prepared, i: int) -> Prepared:
    return jax.tree.map(lambda x: x[i], prepared)


def _filled(values: np.ndarray) -> np.ndarray:
    """Repeat the last value up to a whole batch, so that every batch has one shape."""
    return np.concatenate([values, np.repeat(values[-1:], BATCH - len(values))])


def _stacked(args: Sequence[Mapping[str, Any]]) -> Args:
    whole = [*args, *[args[-1]] * (BATCH - len(args))]
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(x) for x in leaves]), *whole)
