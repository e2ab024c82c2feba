"""`auto`: the cheapest sampler whose own checks pass; the last, NUTS, is the reference.

Laws without partially pooled parameters are tried by importance sampling from the mode, others
start with the ensemble, which may run longer once, in a geometry learned from its draws, before
NUTS takes over. Where NUTS does not settle and the ensemble was refused for a few divergent
transitions alone, its draws are the better ones: they are returned, and the diagnosis tells of the
divergences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import NamedTuple

import jax
import numpy as np

from bayes_scaling._arviz import array_stats
from bayes_scaling.infer.base import Draws, Progress, Settings
from bayes_scaling.infer.prepare import GROUPS, Prepared, other_modes
from bayes_scaling.infer.relearn import STREAM, compiled_relearned
from bayes_scaling.infer.samplers import SAMPLERS, Sampler
from bayes_scaling.infer.target import Target

NESTED_RHAT_LIMIT = 1.01
NUTS_RHAT_LIMIT = 1.05  # R-hat of as few as a thousand draws scatters by 0.01
ESS_LIMIT = 400
TAILS = (0.05, 0.95)  # as ArviZ
PARETO_LIMIT = 0.7  # Vehtari et al. 2024, sec. 3; for the sample sizes used here
STUCK_ACCEPTANCE = 0.15
LONGER = 4  # a second try keeps so many times the draws, and
CAREFUL = 0.99  # accepts so many proposals
HOPELESS_RHAT = 1.1
FEW_DIVERGENT = 0.001  # share of transitions; more than that and NUTS's draws are kept as they are


@dataclass(frozen=True)
class Step:
    """One try on the way to a posterior: what ran, how long, and why it was not accepted."""

    sampler: str
    seconds: float
    refused: str
    numbers: dict[str, float]


class Drawn(NamedTuple):
    """Draws, the settings they were made with, and the geometry whose coordinates they are in."""

    draws: Draws
    settings: Settings
    prepared: Prepared


def check_weights(draws: Draws) -> tuple[str, dict[str, float]]:
    """Why an importance-weighed approximation is refused ("" if it is not), with its numbers."""
    k, worth = draws.info["pareto_k"], draws.info["weights_ess"]
    wanted = draws.z.shape[0] * draws.z.shape[1]
    numbers = {"pareto_k": k, "weights_ess": worth}
    if not k <= PARETO_LIMIT:
        return f"Pareto k {k:.2f}", numbers
    return ("" if worth >= wanted else f"weights worth {worth:.0f} draws"), numbers


def check_chains(draws: Draws, allow_divergent: float = 0.0) -> tuple[str, dict[str, float]]:
    """Why draws of grouped chains are refused ("" if they are not), with the numbers it rests on.

    Nested R-hat and effective sample sizes over every coordinate and its square; chains that stand
    still; a share of divergent transitions above ``allow_divergent``.
    """
    z = draws.z
    both = np.concatenate([z, (z - z.mean(axis=(0, 1))) ** 2], axis=2).transpose(2, 0, 1)
    ids = np.repeat(np.arange(GROUPS), z.shape[0] // GROUPS)
    rhat = float(np.max([array_stats.rhat_nested(x, superchain_ids=ids) for x in both]))
    bulk = float(np.min([array_stats.ess(x) for x in both]))
    tail = float(
        np.min([array_stats.ess(x, method="tail", prob=TAILS) for x in both[: z.shape[2]]])
    )
    diverged = int(draws.stats["diverging"].sum())
    moving = draws.stats["acceptance_rate"].mean(axis=1)
    numbers = {"nested_rhat": rhat, "ess_bulk": bulk, "ess_tail": tail, "diverged": diverged}
    if not np.isfinite(z).all():
        return "draws that are not finite", numbers
    if diverged > allow_divergent * draws.stats["diverging"].size:
        return f"{diverged} divergent transitions", numbers
    if (moving < STUCK_ACCEPTANCE).any():
        return f"{int((moving < STUCK_ACCEPTANCE).sum())} chains stand still", numbers
    if not rhat <= NESTED_RHAT_LIMIT:
        return f"nested R-hat {rhat:.3f}", numbers
    if not min(bulk, tail) >= ESS_LIMIT:
        return f"{min(bulk, tail):.0f} effective draws", numbers
    return "", numbers


def check_nuts(draws: Draws) -> tuple[str, dict[str, float]]:
    """Why NUTS itself is doubted ("" if it is not), with the numbers it rests on."""
    columns = draws.z.transpose(2, 0, 1)
    rhat = float(np.max([array_stats.rhat(x) for x in columns]))
    bulk = float(np.min([array_stats.ess(x) for x in columns]))
    numbers = {"rhat": rhat, "ess_bulk": bulk, "diverged": float(draws.stats["diverging"].sum())}
    return ("" if rhat <= NUTS_RHAT_LIMIT else f"R-hat {rhat:.2f}"), numbers


CHECKS = {"laplace": check_weights, "chees": check_chains, "nuts": check_nuts}


def fast_samplers(target: Target) -> tuple[str, ...]:
    """What is tried before NUTS, in order: a spread between families is no Gaussian."""
    pooled = any(site.name.startswith("tau_") for site in target.sites)
    return ("chees",) if pooled else ("laplace", "chees")


def first_sampler(target: Target) -> Sampler:
    """Where `auto` begins."""
    return SAMPLERS[fast_samplers(target)[0]]


def sample_auto(
    target: Target,
    prepared: Prepared,
    settings: Settings,
    progress: Progress,
    make_ready: Callable[[Sampler, Settings], None],
) -> tuple[Drawn, tuple[Step, ...]]:
    """Sample by the cheapest way whose checks pass; the path ends with the step whose draws it is.

    ``make_ready(sampler, settings)`` is called before every try but the first, to compile it.
    """
    path: list[Step] = []
    last: Drawn | None = None
    skip = other_modes(prepared) > 0
    for asked in [] if skip else _tries(target, settings, path):
        if path:
            make_ready(SAMPLERS[asked.sampler], asked)
        if last and last.settings.sampler == asked.sampler and settings.centring < 0:
            prepared = learned(target, last)
        draws, step = _try(target, prepared, asked, progress)
        path.append(step)
        last = Drawn(draws, asked, prepared)
        if not step.refused:
            return last, tuple(path)
    asked = SAMPLERS["nuts"].settle(settings)
    make_ready(SAMPLERS["nuts"], asked)
    draws, step = _try(target, prepared, asked, progress)
    unsettled = _why_unsettled(step)
    if last and unsettled and only_few_diverged(last.draws):
        path += [replace(step, refused=unsettled), replace(path[-1], seconds=0.0, refused="")]
        return last, tuple(path)
    path.append(replace(step, refused=""))
    return Drawn(draws, asked, prepared), tuple(path)


def learned(target: Target, last: Drawn) -> Prepared:
    """The geometry that the draws of a refused try suggest."""
    key = jax.random.fold_in(jax.random.key(last.settings.seed), STREAM)
    return compiled_relearned(target)(key, last.prepared, last.draws.z)


def only_few_diverged(draws: Draws) -> bool:
    """Whether a refused ensemble has a few divergent transitions and no other fault."""
    return not check_chains(draws, FEW_DIVERGENT)[0]


def _why_unsettled(nuts: Step) -> str:
    """Why draws of NUTS are no better than those that it was to replace ("" where they are)."""
    worth = nuts.numbers["ess_bulk"]
    return nuts.refused or ("" if worth >= ESS_LIMIT else f"{worth:.0f} effective draws")


def _tries(target: Target, settings: Settings, path: Sequence[Step]) -> Iterator[Settings]:
    """The fast samplers in order, and the last of them again where that can help."""
    tries = [SAMPLERS[name].settle(settings) for name in fast_samplers(target)]
    yield from tries
    if not hopeless(path[-1].numbers):
        yield once_more(tries[-1])


def hopeless(numbers: Mapping[str, float]) -> bool:
    """Whether more of the same would not help chains with these numbers."""
    return not numbers["nested_rhat"] <= HOPELESS_RHAT


def once_more(asked: Settings) -> Settings:
    """Settings of a second try: longer, in smaller steps."""
    careful = max(asked.target_accept, CAREFUL)
    return replace(asked, draws=LONGER * asked.draws, target_accept=careful)


def _try(
    target: Target, prepared: Prepared, settings: Settings, progress: Progress
) -> tuple[Draws, Step]:
    clock = perf_counter()
    draws = SAMPLERS[settings.sampler].sample(target, prepared, settings, progress)
    refused, numbers = CHECKS[settings.sampler](draws)
    return draws, Step(settings.sampler, perf_counter() - clock, refused, numbers)
