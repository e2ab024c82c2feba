"""Functions of some coordinates of a vector.

A function of all coordinates whose results `jax.numpy.where` chooses from is paid for at all of
them, in the gradient too. Cuts at fixed places, and their gradients, are copies.
"""

from __future__ import annotations

from itertools import groupby

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


def some(where: np.ndarray, z: Array) -> Array:
    """Return the coordinates of ``z`` (dim,) that ``where`` (dim,) marks, at least one."""
    return jnp.concatenate([p for p, marked in _pieces(where, z) if marked])


def replaced(where: np.ndarray, z: Array, values: Array) -> Array:
    """Return ``z`` (dim,) with ``values`` in place of the coordinates that ``where`` marks."""
    pieces = _pieces(where, z)
    sizes = [len(piece) for piece, marked in pieces if marked]
    new = iter(jax.lax.split(values, sizes))
    return jnp.concatenate([next(new) if marked else piece for piece, marked in pieces])


def _pieces(where: np.ndarray, z: Array) -> list[tuple[Array, bool]]:
    """Neighbours that are all marked or all not."""
    runs = [(marked, len(list(same))) for marked, same in groupby(where.tolist())]
    parts = jax.lax.split(z, [size for _, size in runs])
    return [(part, marked) for part, (marked, _) in zip(parts, runs, strict=True)]
