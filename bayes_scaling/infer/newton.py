"""Batched saddle-free Newton search for the modes of a log-density.

Own code rather than a quasi-Newton method of a library: the exact Hessian is needed at the mode
anyway, and L-BFGS from zeros stops short on these posteriors (a, alpha and E trade off along a
curved valley).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

FLOOR = 1e-8


class Mode(NamedTuple):
    """Where a search ended: position (dim,), potential, Hessian (dim, dim), Newton decrement."""

    z: Array
    potential: Array
    hessian: Array
    decrement: Array


class _State(NamedTuple):
    best: Mode
    gradient: Array
    trial: Array
    predicted: Array
    damping: Array
    step: Array


def find_mode(
    potential: Callable[[Array], Array],
    z: Array,
    *,
    max_steps: int | Array = 80,
    tol: float = 1e-8,
    together: int | None = None,
) -> Mode:
    """Minimise ``potential`` from ``z``, shape (dim,); jit- and vmap-safe.

    Each step solves ``(|H| + damping) d = -g`` with the eigenvalues' absolute values, so that
    saddles repel; the damping follows the ratio of actual to predicted decrease. Converged when
    the Newton decrement ``g' |H|^-1 g / 2`` falls below ``tol``. The derivatives stand once in the
    loop, which is what compiling costs. ``together`` columns of the Hessian are computed at once,
    all of them unless told.
    """
    derivatives = _derivatives(potential, z.shape[0], together or z.shape[0])

    def unfinished(state: _State) -> Array:
        return (state.step < max_steps) & (state.best.decrement > tol)

    def body(state: _State) -> _State:
        hessian, (value, gradient) = derivatives(state.trial)
        better = value < state.best.potential
        ratio = (state.best.potential - value) / jnp.maximum(state.predicted, FLOOR**2)
        damping = _next_damping(state.damping, better, ratio)
        here = Mode(state.trial, value, _finite(hessian), state.best.decrement)
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), here, state.best)
        gradient = jnp.where(better, _finite(gradient), state.gradient)
        return _propose(best, gradient, damping, state.step + 1)

    dim = z.shape[0]
    worst = jnp.asarray(jnp.inf, z.dtype)
    nowhere = Mode(z, worst, jnp.eye(dim, dtype=z.dtype), worst)
    zero = jnp.zeros((), z.dtype)
    start = _State(nowhere, jnp.zeros_like(z), z, zero, zero + 1.0, jnp.asarray(0))
    return jax.lax.while_loop(unfinished, body, start).best


def _derivatives(potential: Callable[[Array], Array], dim: int, together: int) -> Any:
    """From ``z`` to the Hessian, and to the potential with its gradient."""

    def with_gradient(z: Array) -> tuple[Array, tuple[Array, Array]]:
        value, gradient = jax.value_and_grad(potential)(z)
        return gradient, (value, gradient)

    if dim <= together:
        return jax.jacfwd(with_gradient, has_aux=True)
    pieces = -(-dim // together)
    size = -(-dim // pieces)
    directions = np.eye(pieces * size, dim).reshape(pieces, size, dim)

    def in_pieces(z: Array) -> tuple[Array, tuple[Array, Array]]:
        def column(direction: Array) -> tuple[Array, tuple[Array, Array]]:
            _, found, here = jax.jvp(with_gradient, (z,), (direction,), has_aux=True)
            return found, here

        piece = jax.vmap(column, out_axes=(0, None))
        columns, here = jax.lax.map(piece, jnp.asarray(directions, z.dtype))
        return columns.reshape(-1, dim)[:dim].T, jax.tree.map(lambda leaf: leaf[0], here)

    return in_pieces


def _next_damping(damping: Array, better: Array, ratio: Array) -> Array:
    shrink = jnp.where(ratio > 0.5, 0.2, jnp.where(ratio > 0.1, 1.0, 4.0))
    changed = jnp.where(better, damping * shrink, jnp.maximum(damping, 1e-3) * 8.0)
    return jnp.where(changed < 1e-6, 0.0, changed)


def _propose(best: Mode, gradient: Array, damping: Array, step: Array) -> _State:
    values, vectors = jnp.linalg.eigh(best.hessian)
    curvature = jnp.maximum(jnp.abs(values), FLOOR)
    slope = vectors.T @ gradient
    move = slope / (curvature + damping)
    predicted = jnp.sum(slope * move - 0.5 * curvature * move**2)
    found = jnp.isfinite(best.potential)
    decrement = jnp.where(found, 0.5 * jnp.sum(slope**2 / curvature), jnp.inf)
    best = best._replace(decrement=decrement)
    return _State(best, gradient, best.z - vectors @ move, predicted, damping, step)


def _finite(x: Array) -> Array:
    return jnp.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
