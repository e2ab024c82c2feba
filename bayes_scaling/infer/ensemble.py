"""Many short chains of jittered Hamiltonian Monte Carlo that tune themselves together.

All chains take the same number of leapfrog steps, so that a transition is one batched program
without the trees of NUTS; what a chain cannot learn alone in a hundred transitions (whitening, step
size, length of trajectory) the ensemble does. Trajectory length by the ChEES criterion (Hoffman,
Radul and Sountsov 2021), step size by dual averaging over all chains, whitening by the pooled
covariance of each round of the warm-up. Chains start in groups from one point each, which is what
nested R-hat (Margossian et al. 2024) needs to judge short chains.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.devices import Layout, layout_of, to_host
from bayes_scaling.infer.prepare import Prepared, compiled_from_whitened, whitened_potential
from bayes_scaling.infer.streams import over_points
from bayes_scaling.infer.target import Target
from bayes_scaling.kept_traces import in_programs, kept_program

ROUND = 25  # transitions between changes of the whitening
TARGET_ACCEPT = 0.95  # high: one long step too many in 64 chains refuses them all
FIRST_STEP, FIRST_LENGTH = 0.3, 1.5
LENGTHS = (1.2, 4.0)  # of trajectories, in sds
THRIFT = 0.3  # power of the cost that the criterion is divided by
MAX_STEPS_WARM, MAX_STEPS = 64, 256
DIVERGED = 1000.0  # error of the energy, in nats
STEP_JITTER = 0.3
DUAL = (0.05, 10.0, 0.75)  # gamma, t0 and kappa of dual averaging (Hoffman and Gelman 2014)
ADAM = (0.05, 0.9, 0.95)


@in_programs
class Tuning(NamedTuple):
    """What the ensemble learns: step size and trajectory length with their running averages.

    Steps are made so small that a share ``target_accept`` of the proposals is accepted.
    """

    done: Array
    anchor: Array
    log_step: Array
    log_step_mean: Array
    shortfall: Array
    log_length: Array
    target_accept: Array
    moment: Array
    square: Array


@in_programs
class Ensemble(NamedTuple):
    """Chains at ``x`` (chain, dim) with potential and gradient there.

    The prepared coordinates are ``w = root @ x``: what the warm-up learns goes into one matrix with
    the prepared whitening once a round, not into every step. ``key`` is a key's data.
    """

    key: Array
    x: Array
    potential: Array
    gradient: Array
    root: Array
    tuning: Tuning


class _Move(NamedTuple):
    """A proposed end of trajectories and how good it is."""

    x: Array
    momentum: Array
    potential: Array
    gradient: Array
    error: Array


def first_tuning(
    log_step: Array | float, log_length: Array | float, target_accept: Array
) -> Tuning:
    """Tuning at the start of a round."""
    step, length = jnp.asarray(log_step, float), jnp.asarray(log_length, float)
    zero = jnp.zeros_like(step)
    anchor, least = step + jnp.log(2.0), zero + 1e-3
    return Tuning(zero, anchor, step, step, zero, length, target_accept, zero, least)


def begin(
    target: Target, key: Array, target_accept: Array, prepared: Prepared, chains: int
) -> Ensemble:
    """Groups of chains at the prepared starting points, as many in each.

    Their potentials are left open, for the first transition to find: the gradient is compiled once.
    """
    x = jnp.repeat(prepared.starts, chains // prepared.starts.shape[0], axis=0)
    first = float(np.log(FIRST_STEP)), float(np.log(FIRST_LENGTH))
    tuning = first_tuning(*first, target_accept)
    unknown = jnp.full(chains, jnp.inf, x.dtype)
    data = jax.random.key_data(key)
    return Ensemble(data, x, unknown, jnp.zeros_like(x), jnp.eye(target.dim), tuning)


def advance(
    target: Target, state: Ensemble, prepared: Prepared, tune: Array, whiten: Array
) -> tuple[Ensemble, dict[str, Array]]:
    """One round of transitions; ``tune`` the steps, then ``whiten`` anew, or neither."""
    whole = prepared._replace(scale=prepared.scale @ state.root)
    energy = over_points(jax.value_and_grad(whitened_potential(target, whole)), prepared.args)

    def one(state: Ensemble, i: Array) -> tuple[Ensemble, dict[str, Array]]:
        return _transition(energy, state, i, tune)

    state, kept = jax.lax.scan(one, state, jnp.arange(ROUND))
    tuned = state.tuning
    settled = first_tuning(tuned.log_step_mean, tuned.log_length, tuned.target_accept)
    tuning = jax.tree.map(lambda new, old: jnp.where(tune, new, old), settled, tuned)
    x = kept.pop("x")
    kept["w"] = x @ state.root.T
    further = jnp.where(whiten, _pooled_root(x[ROUND // 2 :]), jnp.eye(target.dim))
    return _turned(state, further)._replace(tuning=tuning), kept


def _turned(state: Ensemble, further: Array) -> Ensemble:
    """The same chains whitened further, by a triangular root of their covariance (dim, dim)."""
    x = jax.scipy.linalg.solve_triangular(further, state.x.T, lower=True).T
    return state._replace(x=x, gradient=state.gradient @ further, root=state.root @ further)


def _transition(
    energy: Any, state: Ensemble, i: Array, tune: Array
) -> tuple[Ensemble, dict[str, Array]]:
    key, *keys = jax.random.split(jax.random.wrap_key_data(state.key), 4)
    chains, dim = state.x.shape
    share = _halton(i + 1) * 2.0
    step, length = jnp.exp(state.tuning.log_step), jnp.exp(state.tuning.log_length)
    most = jnp.where(tune, MAX_STEPS_WARM, MAX_STEPS)
    steps = jnp.clip(jnp.ceil(share * length / step), 1, most).astype(int)
    own = step * (1.0 - STEP_JITTER * jax.random.uniform(keys[0], (chains, 1)))
    own = jnp.where(jnp.isinf(state.potential)[:, None], 0.0, own)  # to find it where they stand
    momentum = jax.random.normal(keys[1], (chains, dim), state.x.dtype)
    end = _trajectory(energy, state, momentum, own, steps)
    accept = jnp.exp(jnp.minimum(0.0, -end.error))
    taken = jax.random.uniform(keys[2], (chains,)) < accept
    learned = _learn(state, end, accept, share)
    tuning = jax.tree.map(lambda new, old: jnp.where(tune, new, old), learned, state.tuning)
    state = Ensemble(
        jax.random.key_data(key),
        jnp.where(taken[:, None], end.x, state.x),
        jnp.where(taken, end.potential, state.potential),
        jnp.where(taken[:, None], end.gradient, state.gradient),
        state.root,
        tuning,
    )
    kept = {
        "x": state.x,
        "potential_energy": state.potential,
        "acceptance_rate": accept,
        "diverging": ~(end.error < DIVERGED),
        "energy": state.potential + 0.5 * jnp.sum(momentum**2, axis=1),
        "n_steps": jnp.broadcast_to(steps, (chains,)),
        "step_size": own[:, 0],
    }
    return state, kept


def _trajectory(energy: Any, state: Ensemble, momentum: Array, step: Array, steps: Array) -> _Move:
    def leap(_: Any, at: tuple[Array, ...]) -> tuple[Array, ...]:
        x, p, gradient, _ = at
        p = p - 0.5 * step * gradient
        x = x + step * p
        potential, gradient = energy(x)
        return x, p - 0.5 * step * gradient, gradient, potential

    start = (state.x, momentum, state.gradient, state.potential)
    x, p, gradient, potential = jax.lax.fori_loop(0, steps, leap, start)
    change = potential - state.potential + 0.5 * jnp.sum(p**2 - momentum**2, axis=1)
    error = jnp.where(jnp.isfinite(change), change, jnp.inf)
    error = jnp.where(jnp.isinf(state.potential) & jnp.isfinite(potential), 0.0, error)
    return _Move(x, p, potential, gradient, error)


def _learn(state: Ensemble, end: _Move, accept: Array, share: Array) -> Tuning:
    """Dual averaging of the step; a step of Adam up the ChEES criterion for the length."""
    old = state.tuning
    gamma, t0, kappa = DUAL
    done = old.done + 1.0
    rate = 1.0 / (done + t0)
    shortfall = (1.0 - rate) * old.shortfall + rate * (old.target_accept - jnp.mean(accept))
    log_step = old.anchor - jnp.sqrt(done) / gamma * shortfall * 0.25
    weight = done**-kappa
    mean = weight * log_step + (1.0 - weight) * old.log_step_mean
    rise, beta1, beta2 = ADAM
    slope = _chees_slope(state, end, accept, share * jnp.exp(old.log_length))
    moment = beta1 * old.moment + (1.0 - beta1) * slope
    square = beta2 * old.square + (1.0 - beta2) * slope**2
    ascent = moment / (1.0 - beta1**done) / (jnp.sqrt(square / (1.0 - beta2**done)) + 1e-12)
    low, high = (float(np.log(x)) for x in LENGTHS)
    length = jnp.clip(old.log_length + rise * ascent, low, high)
    return old._replace(
        done=done, log_step=log_step, log_step_mean=mean, shortfall=shortfall, log_length=length,
        moment=moment, square=square,
    )  # fmt: skip


def _chees_slope(state: Ensemble, end: _Move, accept: Array, time: Array) -> Array:
    """Derivative of log(ChEES / time ** THRIFT) with the log of the time travelled.

    ChEES is the mean squared change of the squared distance from the centre. Left alone it asks for
    trajectories longer than pay for themselves where a spread between families is open.
    """
    weight = jnp.where(jnp.isfinite(end.error), accept, 0.0)
    weight = weight / (jnp.sum(weight) + 1e-10)
    there = jnp.where(weight[:, None] > 0, end.x, 0.0)
    away = there - weight @ there
    before = state.x - jnp.mean(state.x, axis=0)
    grown = jnp.sum(away**2, axis=1) - jnp.sum(before**2, axis=1)
    value = 0.25 * jnp.sum(weight * grown**2)
    rise = jnp.sum(weight * grown * jnp.sum(away * end.momentum, axis=1))
    slope = time * rise / value - THRIFT
    return jnp.where(jnp.isfinite(slope), jnp.clip(slope, -5.0, 5.0), 0.0)


def _pooled_root(x: Array) -> Array:
    """Root of the covariance of draws (draw, chain, dim), shrunk to one."""
    draws, chains, dim = x.shape
    away = (x - jnp.mean(x, axis=(0, 1))).reshape(-1, dim)
    weight = chains * 3.0 / (chains * 3.0 + dim)
    covariance = weight * (away.T @ away) / (draws * chains) + (1.0 - weight) * jnp.eye(dim)
    root = jnp.linalg.cholesky(covariance)
    return jnp.where(jnp.isfinite(root).all(), root, jnp.eye(dim))


def _halton(i: Array) -> Array:
    """The ``i``-th point of the van der Corput sequence in base 2."""
    places = jnp.arange(16)
    return jnp.sum(((i >> places) & 1) * 2.0 ** (-places - 1.0))


class Programs(NamedTuple):
    """The compiled ``begin(seed, target_accept, prepared)``, and `advance` of what it returns."""

    begin: Any
    advance: Any


def compiled_ensemble(target: Target, chains: int) -> Programs:
    """The jitted programs (cached), chains on all devices."""
    return _programs(target, chains, layout_of(chains))


@lru_cache(maxsize=IN_MEMORY)
def _programs(target: Target, chains: int, layout: Layout | None) -> Programs:
    def start(seed: Array, target_accept: Array, prepared: Prepared) -> Ensemble:
        return begin(target, jax.random.key(seed), target_accept, prepared, chains)

    move = partial(advance, target)
    if layout is None:
        return Programs(
            kept_program("start", start, target, chains),
            kept_program("advance", move, target, chains, runs_long=True),
        )
    first, second, whole = cast("tuple[Any, Any, Any]", layout)  # shardings stand for arrays
    state = Ensemble(whole, first, first, first, whole, Tuning(*[whole] * len(Tuning._fields)))
    return Programs(
        jitted(start, in_shardings=(whole,) * 3, out_shardings=state),
        jitted(
            move, runs_long=True, in_shardings=(state, *[whole] * 3), out_shardings=(state, second)
        ),
    )


def sample_ensemble(
    target: Target, prepared: Prepared, settings: Settings, progress: Progress
) -> Draws:
    """Run the chains; ``progress(done, total, phase)`` is called after every round."""
    programs = compiled_ensemble(target, settings.chains)
    common = jax.tree.map(np.asarray, prepared)  # the same in every process
    seed, target_accept = np.int64(settings.seed + 1), np.float64(settings.target_accept)
    state = programs.begin(seed, target_accept, common)
    warm, keep = (-(-n // ROUND) for n in (settings.warmup, settings.draws))
    kept = []
    for i in range(warm + keep):
        progress(i * ROUND, (warm + keep) * ROUND, "warm-up" if i < warm else "sampling")
        state, collected = programs.advance(state, common, i < warm, i < warm - 1)
        jax.block_until_ready(collected)  # or all rounds are told of before the first has run
        if i >= warm:
            kept.append(collected)
    progress((warm + keep) * ROUND, (warm + keep) * ROUND, "done")
    return _assemble(kept, target, prepared, settings)


def _assemble(kept: list[Any], target: Target, prepared: Prepared, settings: Settings) -> Draws:
    joined = {k: np.concatenate([to_host(c[k]) for c in kept])[: settings.draws] for k in kept[0]}
    stats = {k: np.swapaxes(v, 0, 1) for k, v in joined.items()}
    z = compiled_from_whitened(target)(prepared, stats.pop("w"))
    stats["lp"] = -stats.pop("potential_energy")
    return Draws(np.asarray(z), stats, {"groups": prepared.starts.shape[0]})
