"""From what a caller asks to a plan and its numbers, every fault in one line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayes_scaling._errors import DecisionError, did_you_mean, list_names
from bayes_scaling.decisions.plans import CHOSEN, TRADED, Plan, Terms, possible_budgets, trades
from bayes_scaling.mixing import check_shares
from bayes_scaling.quantity import format_quantity, parse_quantity
from bayes_scaling.spec import Law
from bayes_scaling.symbols import SYMBOLS

TRADE = "N D"  # compute that is spent on size and data
LARGE_IS_GOOD = ("acc",)
NO_QUALITY = ("N_opt", "D_opt", "lr_opt", "B_opt", "B_crit", "timescale", "scale_opt", "dL")


def direction(law: Law, maximise: bool | None) -> float:
    """Return 1 where the response should be small, -1 where it should be large.

    Raises
    ------
    DecisionError
        When the response is not known to be a loss, error or score and ``maximise`` does not say.
    """
    if maximise is None and law.response in NO_QUALITY:
        raise DecisionError(
            f"law '{law.name}' predicts {law.response} ({SYMBOLS[law.response].meaning}), which is "
            "no loss, error or score to make good: fit a law of the loss."
        )
    if maximise is None and law.response in ("", "Y"):
        raise DecisionError(
            "whether the response should be small or large is not known: pass maximise=False or "
            "maximise=True."
        )
    large = law.response in LARGE_IS_GOOD if maximise is None else maximise
    return -1.0 if large else 1.0


def plan_of(
    law: Law,
    *,
    fixed: Mapping[str, float] | None = None,
    limits: Mapping[str, Any] | None = None,
    inference_tokens: float | None = None,
    maximise: bool | None = None,
    scale: str = "",
) -> tuple[Plan, Terms]:
    """Return the plan and its numbers.

    Raises
    ------
    DecisionError
        Naming an input that is missing or unknown, a value that cannot be, or what does not go
        together.
    """
    own = scale_of(law, scale)
    refuse_shares(law, (own,))
    given = _checked_fixed(law, own, fixed or {})
    held = next((name for name in CHOSEN if name in given), "") if own == TRADE else ""
    served = _checked_served(inference_tokens)
    if own != TRADE and (limits or served):
        raise DecisionError(
            f"law '{law.name}' trades no size for data: leave out limits and inference_tokens."
        )
    ranges = _checked_limits(limits or {}, held)
    closed = bool(law.optimal_size) and own == TRADE and not (held or limits or served)
    plan = Plan(law, "C" if own == TRADE else own, held, direction(law, maximise), closed)
    others = {name: value for name, value in given.items() if name != held}
    value = math.log(given[held]) if held else 0.0
    return plan, Terms(others, value, math.log(served) if served else -math.inf, ranges)


def refuse_shares(law: Law, over: Sequence[str]) -> None:
    """Raise where an input that is chosen by itself is a share of a mixture.

    Raises
    ------
    DecisionError
        Naming the share.
    """
    if shares := [name for name in over if name in law.simplex]:
        raise DecisionError(
            f"'{shares[0]}' is a share of a mixture, which moves the others: use best_mixture "
            "('bayes-scaling mixture')."
        )


def check_trades(law: Law) -> None:
    """Raise unless a law trades size for data.

    Raises
    ------
    DecisionError
        When it has no two of N, D, C and M.
    """
    if not trades(law):
        raise DecisionError(
            f"law '{law.name}' takes {', '.join(law.inputs)}: an allocation needs a law with two "
            "of N, D, C and M, such as chinchilla; of this one ask a target or a comparison."
        )


def scale_of(law: Law, scale: str = "") -> str:
    """Return what a budget counts: `TRADE` for compute that is spent on size and data, else an
    input of the law that says how large a run is.

    Raises
    ------
    DecisionError
        When ``scale`` is no input of the law.
    """
    if not scale:
        return TRADE if trades(law) else next(n for n in ("C", "N", "D", *law.inputs)
                                              if n in law.inputs)  # fmt: skip
    if scale == "C" and trades(law):
        return TRADE
    if scale not in law.inputs or trades(law):
        known = ["C"] if trades(law) else list(law.inputs)
        raise DecisionError(f"'{scale}' is no scale of law '{law.name}': use {list_names(known)}.")
    return scale


def _checked_fixed(law: Law, own: str, fixed: Mapping[str, float]) -> dict[str, float]:
    held = CHOSEN if own == TRADE else ()
    needed = [n for n in law.inputs if n != own and not (own == TRADE and n in TRADED)]
    known = [*needed, *held]
    for name in fixed:
        if name not in known:
            raise DecisionError(
                f"fixed names '{name}', which is not to be given for law '{law.name}': it takes "
                f"{list_names(known)}.{did_you_mean(name, known)}"
            )
    if len(both := [n for n in held if n in fixed]) > 1:
        raise DecisionError(
            f"fixed holds {' and '.join(both)}: at a budget only one of N, D and M can be held."
        )
    if missing := [n for n in needed if n not in fixed]:
        raise DecisionError(
            f"law '{law.name}' also takes {list_names(missing)} ({_meaning(missing[0])}): give it, "
            f"such as fixed={{'{missing[0]}': {_example(law, missing[0])}}}."
        )
    shares = {name: parse_quantity(fixed[name]) for name in law.simplex}
    check_shares(law, {n: np.asarray([v]) for n, v in shares.items()}, DecisionError, "fixed: ")
    others = {n: positive(f"fixed: '{n}'", fixed[n]) for n in fixed if n not in shares}
    return others | shares


def _meaning(name: str) -> str:
    return SYMBOLS[name].meaning if name in SYMBOLS else "an input of the law"


def _example(law: Law, name: str) -> str:
    return f"{dict(law.reference).get(name, 1.0):g}"


def positive(what: str, value: Any) -> float:
    """Return a number.

    Raises
    ------
    DecisionError
        Unless it is positive and finite, naming ``what`` it is.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise DecisionError(f"{what} is {value!r}: give one number, such as 70e9.") from None
    if not (math.isfinite(number) and number > 0):
        raise DecisionError(f"{what} is {number:g}: it must be a positive number.")
    return number


def _checked_served(tokens: float | None) -> float:
    return 0.0 if tokens is None or tokens == 0 else positive("inference_tokens", tokens)


def _checked_limits(limits: Mapping[str, Any], held: str) -> dict[str, tuple[float, float]]:
    """Logarithms of the lower and upper limit of N, D and M; -700 and 700 stand for none."""
    if stray := [name for name in limits if name not in CHOSEN]:
        raise DecisionError(
            f"limits names '{stray[0]}': give limits of N, D or M, such as limits={{'D': 1e12}}."
        )
    if limits and held:
        raise DecisionError(f"with {held} held there is nothing to limit: drop limits or fixed.")
    return {name: _span(name, limits.get(name)) for name in CHOSEN}


def _span(name: str, asked: Any) -> tuple[float, float]:
    """A number is an upper limit; a pair may have None for no limit."""
    pair = asked if isinstance(asked, Sequence) and not isinstance(asked, str) else (None, asked)
    if len(pair) != 2:
        raise DecisionError(f"limits: '{name}' takes a number, or a lower and an upper one.")
    low, high = (None if v is None else positive(f"limits: '{name}'", v) for v in pair)
    if low is not None and high is not None and not low < high:
        raise DecisionError(f"limits: '{name}' from {low:g} to {high:g}: give the lower first.")
    return -700.0 if low is None else math.log(low), 700.0 if high is None else math.log(high)


def budgets_of(C: Any) -> np.ndarray:
    """Return budgets (budget,) from one number or many.

    Raises
    ------
    DecisionError
        When there is none, or one is not a positive number.
    """
    values = [C] if np.ndim(C) == 0 else list(C)
    if not values:
        raise DecisionError("no budget is given: pass C=1e24, or a list of them.")
    return np.asarray([positive("a budget C", v) for v in values])


def check_possible(plan: Plan, terms: Terms, budgets: np.ndarray) -> None:
    """Raise unless every budget (budget,) can be spent within the limits.

    Raises
    ------
    DecisionError
        Naming the first that cannot.
    """
    for budget in np.log(budgets):
        if math.isnan(possible_budgets(plan, terms, budget, budget)[0]):
            raise DecisionError(
                f"a budget of {format_quantity(math.exp(budget))} FLOPs cannot be spent within "
                "what is held, limited or served: change fixed, limits or inference_tokens."
            )
