"""Many points on many rows, a piece at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array

from bayes_scaling.arguments import take_rows
from bayes_scaling.build import Args

LARGEST = 2**17  # points x rows of one piece: 1 MiB for every intermediate, which a cache holds
SEARCH_ROWS = 2**14  # rows that the search for the mode begins with


def at_once(args: Args, width: int = 1, most: int = LARGEST) -> int:
    """How many points go together, each with ``width`` arrays of the rows' length."""
    return max(1, min(most, LARGEST // (width * args["mask"].shape[0])))


def tangents_at_once(args: Args) -> int:
    """How many columns of a Hessian go together: each holds arrays of a value and of its slope."""
    return at_once(args, width=2)


def over_points(
    function: Callable[[Array], Any], args: Args, *, width: int = 1, most: int = LARGEST
) -> Callable[[Array], Any]:
    """``function`` over the leading axis, as many points at once as the rows of ``args`` allow.

    A point may hold ``width`` arrays of the rows' length at once, and ``most`` points go together.
    """
    together = at_once(args, width, most)

    def run(points: Array) -> Any:
        if points.shape[0] <= together:
            return jax.vmap(function)(points)
        pieces = -(-points.shape[0] // together)
        return jax.lax.map(function, points, batch_size=-(-points.shape[0] // pieces))

    return run


def thinned(args: Args) -> Args:
    """The arguments with every so-manieth row, `SEARCH_ROWS` at most; as they are if so few."""
    rows = args["mask"].shape[0]
    if rows <= SEARCH_ROWS:
        return args
    every = -(-rows // SEARCH_ROWS)
    if "by_family" not in args:
        return take_rows(args, np.s_[::every])
    layout = args["by_family"]
    take = np.arange(rows).reshape(layout.shape)[:, ::every].ravel()
    return {**take_rows(args, take), "by_family": layout[:, ::every]}
