"""The inputs of a law that each say where a run lies."""

from __future__ import annotations

from bayes_scaling.spec import Law


def axes_of(law: Law) -> tuple[str, ...]:
    """Return the law's inputs without ``pieces``, which say something only together."""
    return tuple(name for name in law.inputs if name not in law.pieces)
