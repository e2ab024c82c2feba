"""The recipes of a comparison: families of one fit, or fits of their own, draw beside draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_scaling._errors import DecisionError, list_names
from bayes_scaling.decisions.asked import plan_of
from bayes_scaling.decisions.frontier import Best, best_of, compiled_reach
from bayes_scaling.decisions.plans import Plan, Terms
from bayes_scaling.decisions.results import Asked
from bayes_scaling.decisions.samples import family_draws
from bayes_scaling.decisions.targeting import scale_range, search_range
from bayes_scaling.posterior import Fit


@dataclass(frozen=True)
class Contestant:
    """One recipe: its name, what is asked of it, and the order (sample,) of its draws."""

    name: str
    asked: Asked
    order: np.ndarray

    @property
    def fit(self) -> Fit:
        """The fit it comes from."""
        return self.asked.fit

    @property
    def plan(self) -> Plan:
        """What is chosen and held."""
        return self.asked.plan

    @property
    def terms(self) -> Terms:
        """The numbers given."""
        return self.asked.terms

    @property
    def response(self) -> str:
        """Name of the response."""
        return self.asked.response

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The law's parameters, (sample, 1)."""
        return {name: v[self.order] for name, v in self.asked.params.items()}

    @property
    def data_range(self) -> tuple[float, float]:
        """The least and the largest run of its data."""
        return scale_range(self.fit, self.plan)

    def best_at(self, log_budget: np.ndarray) -> Best:
        """Return the best at log budgets, (budget,) or (sample, budget)."""
        return best_of(self.plan, self.params, self.terms, np.atleast_2d(log_budget))[1]

    def budget_for(self, aim: np.ndarray) -> np.ndarray:
        """Return the log budget whose best response is ``aim`` (sample, budget)."""
        ends = search_range(self.fit, self.plan, self.terms)
        return np.asarray(compiled_reach(self.plan)(self.params, self.terms, aim, *ends))


def contestants_of(
    fit: Fit | Sequence[Fit] | Mapping[str, Fit],
    families: Sequence[str] | None,
    how: Mapping[str, Any],
    seed: int,
) -> tuple[Contestant, ...]:
    """Return the recipes in the order asked for.

    Raises
    ------
    DecisionError
        When there are fewer than two, or their responses differ.
    """
    if isinstance(fit, Fit):
        names = fit.grouping.labels[fit.spec.groups[-1]] if fit.spec.groups else []
        names = list(names if families is None else families)
        pairs = [(name, fit, name) for name in names]
    else:
        pairs = _of_fits(fit, families)
    if len(pairs) < 2:
        raise DecisionError(
            "there are not two recipes to compare: name two families of the fit, or give two fits."
        )
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise DecisionError("two recipes have one name: name each once, or give fits by name.")
    return _checked(_paired(pairs, how, seed))


def _of_fits(
    fit: Sequence[Fit] | Mapping[str, Fit], families: Sequence[str] | None
) -> list[tuple[str, Fit, str | None]]:
    named = fit if isinstance(fit, Mapping) else {f"{i + 1}": each for i, each in enumerate(fit)}
    if families is not None and len(families) != len(named):
        raise DecisionError(f"{len(named)} fits but {len(families)} families: give one for each.")
    own = families if families is not None else [None] * len(named)
    return [(name, each, family) for (name, each), family in zip(named.items(), own, strict=True)]


def _paired(
    pairs: Sequence[tuple[str, Fit, str | None]], how: Mapping[str, Any], seed: int
) -> list[Contestant]:
    """Families of one fit keep its draws' order; another fit's are put in an order at random."""
    # Two new families are drawn apart.
    drawn = [family_draws(fit, family, seed + i) for i, (_, fit, family) in enumerate(pairs)]
    most, rng, found = max(draws.samples for draws in drawn), np.random.default_rng(seed), []
    orders = {id(pairs[0][1]): np.resize(np.arange(drawn[0].samples), most)}
    for (name, fit, _), draws in zip(pairs, drawn, strict=True):
        if len(draws.names) > 1:
            raise DecisionError(
                f"recipe '{name}' has the families {list_names(draws.names)}: say which with "
                "families=."
            )
        plan, terms = plan_of(fit.spec.law, **how)
        order = orders.setdefault(id(fit), np.resize(rng.permutation(draws.samples), most))
        at, where = np.zeros(1, int), np.log(scale_range(fit, plan)[1])
        plan = best_of(plan, draws.at(at), terms, np.atleast_2d(where))[0]
        asked = Asked(fit, plan, terms, draws, at)
        found.append(Contestant(name, asked, order))
    return found


def _checked(found: list[Contestant]) -> tuple[Contestant, ...]:
    first = found[0]
    for each in found[1:]:
        if (each.response, each.plan.scale) != (first.response, first.plan.scale):
            raise DecisionError(
                f"'{first.name}' gives {first.response} by {first.plan.scale}, '{each.name}' "
                f"{each.response} by {each.plan.scale}: compare like with like."
            )
    return tuple(found)
