"""Gaussian approximations in whitened coordinates, corrected by importance resampling.

`laplace` takes the whitening at the mode as it is, `svi` improves a full-rank Gaussian by gradients
of the evidence bound. Either is drawn from with Student-t tails, weighed, and its weights smoothed
by a Pareto tail (Vehtari et al. 2024): the shape ``k`` of that tail says whether to believe it.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_scaling._arviz import array_stats
from bayes_scaling._compile_cache import IN_MEMORY
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.prepare import Prepared, compiled_from_whitened, whitened_potential
from bayes_scaling.infer.streams import over_points
from bayes_scaling.infer.target import Target
from bayes_scaling.kept_traces import in_programs, kept_program

TAIL_DOF = 8
REFITS, REFIT_DRAWS = 2, 1024
IN_CACHE = 256  # points evaluated together
POOL = 5  # draws weighed for every draw kept
LONG, POOL_LONG = 2**17, 2  # of more rows fewer: the posterior is near normal, its density slow
SVI_STEPS, SVI_SAMPLES, SVI_RATE = 800, 32, 0.02


class Gaussian(NamedTuple):
    """Centre (dim,) and lower-triangular root (dim, dim) in whitened coordinates."""

    centre: Array
    root: Array


@in_programs
class Weighed(NamedTuple):
    """Draws ``w`` (draw, dim) with log importance ratios and potentials (draw,)."""

    w: Array
    log_ratio: Array
    potential: Array


def at_mode(target: Target, key: Array, prepared: Prepared) -> Gaussian:
    """The Laplace approximation: standard normal in whitened coordinates."""
    return Gaussian(jnp.zeros(target.dim), jnp.eye(target.dim))


def by_gradients(target: Target, key: Array, prepared: Prepared) -> Gaussian:
    """The full-rank Gaussian of highest evidence bound, by Adam from the Laplace approximation."""
    import optax

    density = over_points(whitened_potential(target, prepared), prepared.args)

    def loss(q: Gaussian, key: Array) -> Array:
        noise = jax.random.normal(key, (SVI_SAMPLES // 2, target.dim))
        w = q.centre + jnp.concatenate([noise, -noise]) @ jnp.tril(q.root).T
        energy = density(w)
        energy = jnp.where(jnp.isfinite(energy), energy, 1e6)
        return jnp.mean(energy) - jnp.sum(jnp.log(jnp.abs(jnp.diag(q.root))))

    rule = optax.adam(optax.cosine_decay_schedule(SVI_RATE, SVI_STEPS))

    def step(state: Any, key: Array) -> tuple[Any, None]:
        q, memory = state
        slope = jax.tree.map(jnp.nan_to_num, jax.grad(loss)(q, key))
        change, memory = rule.update(slope, memory)
        return (optax.apply_updates(q, change), memory), None

    start = at_mode(target, key, prepared)
    (q, _), _ = jax.lax.scan(step, (start, rule.init(start)), jax.random.split(key, SVI_STEPS))
    return Gaussian(q.centre, jnp.tril(q.root))


def weigh(target: Target, family: Any, draws: int, key: Array, prepared: Prepared) -> Weighed:
    """Fit a family, refit it to its own weighed draws, draw from that and weigh.

    The refitting is adaptive importance sampling: it moves the Gaussian from the mode to the mean
    and from the curvature to the covariance. All draws go through one loop, in blocks of which each
    of the first refits the Gaussian, because compiling takes as long as the density stands often.
    """
    first, last, *keys = jax.random.split(key, 2 + REFITS)
    empty = jnp.zeros((-draws % REFIT_DRAWS, target.dim))
    x = [_tailed(k, REFIT_DRAWS, target.dim) for k in keys] + [_tailed(last, draws, target.dim)]
    blocks = jnp.concatenate([*x, empty]).reshape(-1, REFIT_DRAWS, target.dim)

    def step(q: Gaussian, block: tuple[Array, Array]) -> tuple[Gaussian, Weighed]:
        place, x = block
        found = _weighed(target, q, x, prepared)
        new = _refitted(q, found)
        return jax.tree.map(partial(jnp.where, place < REFITS), new, q), found

    q = family(target, first, prepared)
    _, found = jax.lax.scan(step, q, (jnp.arange(len(blocks)), blocks))
    return jax.tree.map(lambda v: v[REFITS:].reshape(-1, *v.shape[2:])[:draws], found)


def _refitted(q: Gaussian, found: Weighed) -> Gaussian:
    """Centre and covariance of weighed draws, the largest weights cut (Ionides 2008)."""
    n, dim = found.w.shape
    level = jax.scipy.special.logsumexp(found.log_ratio) - 0.5 * jnp.log(n)
    weight = jax.nn.softmax(jnp.minimum(found.log_ratio, level))
    centre = weight @ found.w
    away = found.w - centre
    worth = 1.0 / jnp.sum(weight**2)
    keep = worth / (worth + dim)
    covariance = keep * (away * weight[:, None]).T @ away + (1.0 - keep) * q.root @ q.root.T
    root = jnp.linalg.cholesky(covariance)
    good = jnp.isfinite(root).all() & jnp.isfinite(centre).all()
    return Gaussian(jnp.where(good, centre, q.centre), jnp.where(good, root, q.root))


def _tailed(key: Array, draws: int, dim: int) -> Array:
    """Draws (draw, dim) of a standard Student-t."""
    first, second = jax.random.split(key)
    normal = jax.random.normal(first, (draws, dim))
    # The sum of TAIL_DOF squares is cheaper than a gamma variate in JAX.
    squares = jnp.sum(jax.random.normal(second, (draws, TAIL_DOF)) ** 2, axis=1)
    return normal * jnp.sqrt(TAIL_DOF / squares)[:, None]


def _weighed(target: Target, q: Gaussian, x: Array, prepared: Prepared) -> Weighed:
    """The Gaussian's draws with standard ones ``x`` (draw, dim), and what they are worth."""
    w = q.centre + x @ q.root.T
    potential = over_points(whitened_potential(target, prepared), prepared.args, most=IN_CACHE)(w)
    log_q = -0.5 * (TAIL_DOF + target.dim) * jnp.log1p(jnp.sum(x**2, axis=1) / TAIL_DOF)
    log_ratio = -potential - log_q
    return Weighed(w, jnp.where(jnp.isfinite(log_ratio), log_ratio, -jnp.inf), potential)


@lru_cache(maxsize=IN_MEMORY)
def compiled_weigh(target: Target, family: Any, draws: int) -> Any:
    """The jitted `weigh` (cached): ``(key, prepared)``."""
    return kept_program("weigh", partial(weigh, target, family, draws), target, family, draws)


def pool_size(settings: Settings, prepared: Prepared) -> int:
    """Number of draws weighed."""
    share = POOL_LONG if prepared.args["mask"].shape[-1] > LONG else POOL
    return share * settings.chains * settings.draws


def sample_approximate(
    family: Any, target: Target, prepared: Prepared, settings: Settings, progress: Progress
) -> Draws:
    """Resample ``chains x draws`` from the weighed approximation, in random order."""
    wanted = settings.chains * settings.draws
    progress(0, wanted, "weighing")
    key = jax.random.key(settings.seed + 1)
    found = compiled_weigh(target, family, pool_size(settings, prepared))(key, prepared)
    pick, info = resampled(np.asarray(found.log_ratio), settings, settings.seed)
    w = np.asarray(found.w)[pick]
    z = np.asarray(compiled_from_whitened(target)(prepared, w))
    lp = -np.asarray(found.potential)[pick]
    progress(wanted, wanted, "done")
    return Draws(z, {"lp": lp}, info)


def resampled(
    log_ratio: np.ndarray, settings: Settings, seed: int
) -> tuple[np.ndarray, dict[str, float]]:
    """Indices (chain, draw) of draws taken by their smoothed weights, and what these are worth."""
    log_weight, k = smoothed(log_ratio)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    rng = np.random.default_rng(seed)
    pick = rng.permutation(stratified(rng, weight, settings.chains * settings.draws))
    info = {"pareto_k": k, "weights_ess": float(1.0 / np.sum(weight**2))}
    return pick.reshape(settings.chains, settings.draws), info


def smoothed(log_ratio: np.ndarray) -> tuple[np.ndarray, float]:
    """Pareto-smoothed log weights (draw,) and the tail's shape k, by ArviZ.

    Weights that are all alike have no tail and k = 0; where so few draws have a weight that the
    tail has none, k is infinite.
    """
    there = np.isfinite(log_ratio)
    floor = np.min(log_ratio[there], initial=0.0)
    finite = np.where(there, log_ratio, floor - 50.0)
    try:
        with np.errstate(all="ignore"):  # a few draws with all the weight: k tells
            weights, k = array_stats.psislw(-finite)
    except ValueError:  # a tail of equal values
        return finite, 0.0 if there.all() and np.ptp(finite) == 0.0 else np.inf
    found = np.asarray(weights)
    return (found, float(k)) if np.isfinite(found).all() else (finite, np.inf)


def stratified(rng: np.random.Generator, weight: np.ndarray, n: int) -> np.ndarray:
    """Indices (n,) drawn with the weights, one from each of ``n`` equal strata."""
    places = (np.arange(n) + rng.uniform(size=n)) / n
    return np.minimum(np.searchsorted(np.cumsum(weight), places), len(weight) - 1)
