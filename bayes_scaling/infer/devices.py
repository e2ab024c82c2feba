"""Chains spread over all devices, of this process or of all processes of ``jax.distributed``.

Every device runs its share of the chains on a copy of the data; the compiler adds the sums over
devices that the chains' common tuning needs: per transition a few numbers and, between rounds of
the warm-up, one matrix of the parameters' size, whatever the number of rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "chain"


class Layout(NamedTuple):
    """Shardings of arrays that lead with the chain, have it second, or are the same everywhere."""

    first: NamedSharding
    second: NamedSharding
    whole: NamedSharding


def layout_of(chains: int) -> Layout | None:
    """How ``chains`` lie on the devices; None where there is one, or they cannot share evenly."""
    devices = jax.devices()
    if len(devices) == 1 or chains % len(devices):
        return None
    mesh = Mesh(np.asarray(devices), (AXIS,))
    specs = (PartitionSpec(AXIS), PartitionSpec(None, AXIS), PartitionSpec())
    return Layout(*(NamedSharding(mesh, spec) for spec in specs))


def to_host(x: Any) -> np.ndarray:
    """A NumPy array of all chains, in every process."""
    if getattr(x, "is_fully_addressable", True):
        return np.asarray(x)
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(x, tiled=True))
