"""The joint model as one flat density, with the maps to its values."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bayes_scaling.build import Args
from bayes_scaling.infer.target import ByShape, Target, target_of
from bayes_scaling.latent.model import skills_model


def make_target(noise: str, args: Args) -> Target:
    """Return the target for arguments of these shapes (cached)."""
    return _target(noise, ByShape(args))


@lru_cache(maxsize=32)
def _target(noise: str, frozen: ByShape) -> Target:
    return target_of(skills_model(noise), frozen.args, "score")


def where_of(target: Target, *names: str) -> np.ndarray:
    """A mask (dim,) of the coordinates of these sites."""
    parts = [np.full(s.stop - s.start, s.name in names) for s in target.sites]
    return np.concatenate(parts)
