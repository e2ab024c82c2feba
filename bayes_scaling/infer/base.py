"""What every sampler takes and returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Settings:
    """How to sample.

    ``chains`` x ``draws`` are kept after ``warmup`` transitions each, with steps of such size that
    ``target_accept`` of the proposals are taken; zero means the sampler's own choice. ``centring``
    below zero means chosen from the data; ``n_starts`` searches for the mode begin at draws from
    the prior. NUTS learns a whole matrix of masses up to ``dense_up_to`` dimensions, beyond only
    the scales of the whitened coordinates.
    """

    sampler: str = "nuts"
    chains: int = 0
    draws: int = 0
    warmup: int = 0
    target_accept: float = 0.0
    max_tree_depth: int = 10
    centring: float = -1.0
    n_starts: int = 8
    dense_up_to: int = 150
    seed: int = 0


@dataclass(frozen=True)
class Draws:
    """Unconstrained draws ``z`` (chain, draw, dim) with per-draw statistics in ArviZ's names."""

    z: np.ndarray
    stats: dict[str, np.ndarray]
    info: dict[str, Any] = field(default_factory=dict)
