"""The best value of some inputs of a law for every draw at once, and the region about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling.decisions.boxes import minimise_in_box, reach
from bayes_scaling.decisions.plans import completed
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.spec import Law


class BestInputs(NamedTuple):
    """Logs of the best place and of the region's ends (sample, point, coordinate), the response."""

    best: Any
    start: Any
    stop: Any
    response: Any


@lru_cache(maxsize=IN_MEMORY)
def compiled_optimum(law: Law, over: tuple[str, ...], sign: float) -> Callable[..., BestInputs]:
    """``(params, given, low, high, within)`` to the best of every draw, as one program (cached);
    ``params`` have shape (sample, point)."""

    def one(params: Any, given: Any, low: Any, high: Any, within: Any) -> BestInputs:
        def function(place: Any) -> Any:
            return sign * law_at(law, over, params, given, place)

        best = minimise_in_box(function, low, high)
        least = function(best)
        level = least + within * jnp.abs(least)
        return BestInputs(best, *reach(function, best, level, low, high), sign * least)

    each = jax.vmap(jax.vmap(one, (0, None, None, None, None)), (0, None, None, None, None))
    return jitted(each)


def law_at(
    law: Law, over: tuple[str, ...], params: Mapping[str, Any], given: Mapping[str, Any], place: Any
) -> Any:
    """Return the law where the inputs ``over`` have the logs ``place`` and others are given."""
    logs = {name: jnp.log(value) for name, value in given.items()}
    logs = completed(logs | {name: place[i] for i, name in enumerate(over)})
    inputs = [jnp.exp(logs[name]) for name in law.inputs]
    return with_fast_powers(lambda x, p: law(*x, **p))(inputs, dict(params))
