"""The best mixture of domains for a weighed sum of losses, with its posterior."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from bayes_scaling._compile_cache import IN_MEMORY, jitted
from bayes_scaling._errors import DecisionError, Note, did_you_mean, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.decisions.asked import direction, positive
from bayes_scaling.decisions.bands import as_text, band_columns, band_texts, decimals, probs_of
from bayes_scaling.decisions.samples import family_draws
from bayes_scaling.decisions.simplex import Best, minimise_on_simplex
from bayes_scaling.forecasting import bad_fit_notes, checked_probs
from bayes_scaling.posterior import Fit
from bayes_scaling.spec import Law

MOST_SAMPLES = 1000
TARGET = "target"
LEFT = 1e-5  # of the value: more left to gain is told
_LawsParams = Sequence[Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Mixture:
    """The best mixture of domains.

    Attributes
    ----------
    table
        One row a domain: ``share``, that of the mixture whose expected target is best; ``best``,
        median and bands (``best_90_low`` ...) of the share that would be best if the law were
        known, draw by draw; ``tried_from`` and ``tried_to``, its range in the runs.
    losses
        One row a fit and one for the weighed sum (``target``): medians and bands of the response
        at the mixture of ``share`` (``chosen``), at an even one (``even``), and at each draw's own
        best (``best``).
    draws
        The best shares of every draw, (sample, domain).
    notes
        What to know before trusting it.
    """

    table: pd.DataFrame
    losses: pd.DataFrame
    draws: np.ndarray
    notes: tuple[Note, ...]

    @property
    def shares(self) -> dict[str, float]:
        """The recommended mixture, domain to share."""
        return dict(zip(self.table["domain"], map(float, self.table["share"]), strict=True))

    @property
    def title(self) -> str:
        """What was decided, in words."""
        fits = [name for name in self.losses["fit"] if name != TARGET]
        return f"Best mixture of {len(self.table)} domains for {list_names(fits)}"

    def texts(self) -> dict[str, list[str]]:
        """Return the columns of the table for people."""
        prob, three = probs_of(self.table, "best")[-1], decimals(3)
        tried = zip(self.table["tried_from"], self.table["tried_to"], strict=True)
        return {
            "domain": list(self.table["domain"]),
            "share": [three(v) for v in self.table["share"]],
            "best if the law were known": band_texts(self.table, "best", three, prob),
            "tried": [f"{three(low)}..{three(high)}" for low, high in tried],
        }

    def loss_texts(self) -> dict[str, list[str]]:
        """Return the columns of the table of losses for people."""
        prob, four = probs_of(self.losses, "chosen")[-1], decimals(4)
        titles = {"chosen": "with these shares", "even": "even mixture", "best": "law known"}
        shown = {told: band_texts(self.losses, n, four, prob) for n, told in titles.items()}
        return {"fit": list(self.losses["fit"]), **shown}

    def __str__(self) -> str:
        prob = probs_of(self.table, "best")[-1]
        losses = as_text("", self.loss_texts(), self.notes)
        return as_text(f"{self.title}; median [{prob} % band]", self.texts(), ()) + losses

    __repr__ = __str__


@in_float64
def best_mixture(
    fits: Fit | Mapping[str, Fit],
    *,
    weights: Mapping[str, float] | None = None,
    at: Mapping[str, float | str] | None = None,
    family: str | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    prob: float | Sequence[float] = (0.5, 0.9),
    maximise: bool | None = None,
    seed: int = 0,
) -> Mixture:
    """Return the mixture of domains that is best for a weighed sum of responses.

    Every draw of the posteriors has a best mixture of its own. The one to train is that with the
    best expectation over all of them. Fits are independent of each other: their draws are paired
    as they come. The law's own error is in no band. The minimum is that over all mixtures for
    responses convex in the shares, as of ``ye_mixing`` and ``linear_mixing``.

    Parameters
    ----------
    fits
        Fits of laws of the same shares by name, such as one for each validation set.
    weights
        Weight of each fit in the sum; one where silent.
    at
        The other inputs of the laws, such as N and D.
    family
        The family of all fits; needed where a fit has several.
    bounds
        Least and largest share of a domain; 0 and 1 where silent.
    prob, maximise, seed
        As in `allocate`.

    Raises
    ------
    DecisionError
        When a law has no shares or others than the first, an input is missing, a weight, bound or
        name cannot be, or a family has to be named.
    ForecastError
        When a probability is not one, or nothing is known of a new family.
    """
    named = {"fit": fits} if isinstance(fits, Fit) else dict(fits)
    probs, domains = checked_probs(prob), _domains(named)
    weight, given = _weights(named, weights or {}), _given(named, domains, at or {})
    low, high = _bounds(domains, bounds or {})
    params = [_params(fit, family, seed) for fit in named.values()]
    laws = tuple(fit.spec.law for fit in named.values())
    sign = {direction(law, maximise) for law in laws}
    if len(sign) > 1:
        raise DecisionError("some responses should be small and some large: weigh them apart.")
    solve = compiled_mixture(laws, domains, sign.pop())
    found = solve(params, given, weight, low, high)
    shares = np.asarray(found.chosen.shares)
    table = _table(named, domains, shares, np.asarray(found.best.shares), probs)
    losses = _losses(named, weight, found, probs)
    notes = [*_left_notes(found), *_far_notes(table), *(_fit_notes(named))]
    return Mixture(table, losses, np.asarray(found.best.shares), tuple(notes))


class Found(NamedTuple):
    """The best of every draw, the best of their mean, and the responses (sample, fit) at the
    chosen shares, at even ones and at each draw's own."""

    best: Best
    chosen: Best
    at_chosen: Any
    at_even: Any
    at_best: Any


@lru_cache(maxsize=IN_MEMORY)
def compiled_mixture(
    laws: tuple[Law, ...], domains: tuple[str, ...], sign: float
) -> Callable[..., Found]:
    """``(params, given, weights, low, high)`` to what was found, as one program (cached);
    ``params`` have shape (sample,)."""

    def each(shares: Any, params: _LawsParams, given: Mapping[str, Any]) -> Any:
        inputs = {**given, **{name: shares[i] for i, name in enumerate(domains)}}
        own = [
            law(*(inputs[n] for n in law.inputs), **p) for law, p in zip(laws, params, strict=True)
        ]
        return jnp.stack(own)

    def solve(params: _LawsParams, given: Any, weights: Any, low: Any, high: Any) -> Found:
        def mean(shares: Any) -> Any:
            return sign * jnp.mean(over_draws(shares, params, given) @ weights)

        def one(params: _LawsParams) -> Best:
            def own(shares: Any) -> Any:
                return sign * each(shares, params, given) @ weights

            return minimise_on_simplex(own, chosen.shares, low, high)

        over_draws = jax.vmap(each, (None, 0, None))
        even = jnp.full(len(domains), 1 / len(domains))
        chosen = minimise_on_simplex(mean, even, low, high)
        best = jax.vmap(one)(params)
        at_best = jax.vmap(each, (0, 0, None))(best.shares, params, given)
        at_chosen, at_even = (over_draws(r, params, given) for r in (chosen.shares, even))
        return Found(best, chosen, at_chosen, at_even, at_best)

    return jitted(solve)


# --- what is asked ---------------------------------------------------------------------------


def _domains(fits: Mapping[str, Fit]) -> tuple[str, ...]:
    first: tuple[str, ...] = ()
    for name, fit in fits.items():
        law = fit.spec.law
        if not law.simplex:
            raise DecisionError(
                f"law '{law.name}' of '{name}' has no shares of a mixture: fit one of the topic "
                "mixtures, such as 'ye_mixing(web, books, code)'."
            )
        first = first or law.simplex
        if set(law.simplex) != set(first):
            raise DecisionError(
                f"'{name}' mixes {list_names(law.simplex)} and the first fit {list_names(first)}: "
                "fit all with the same domains."
            )
    if not fits:
        raise DecisionError("no fit is given: pass a mapping of names to fits.")
    return first


def _weights(fits: Mapping[str, Fit], weights: Mapping[str, float]) -> np.ndarray:
    if TARGET in fits:
        raise DecisionError(f"no fit can be called '{TARGET}', which is their sum: rename it.")
    if stray := [name for name in weights if name not in fits]:
        raise DecisionError(
            f"weights names '{stray[0]}', which is no fit: there are {list_names(list(fits))}."
            + did_you_mean(stray[0], list(fits))
        )
    return np.asarray([positive(f"weight of '{n}'", weights.get(n, 1.0)) for n in fits])


def _given(
    fits: Mapping[str, Fit], domains: tuple[str, ...], at: Mapping[str, float | str]
) -> dict[str, float]:
    others = {n for fit in fits.values() for n in fit.spec.law.inputs if n not in domains}
    if missing := sorted(others - set(at)):
        raise DecisionError(f"at: '{missing[0]}' is missing: give {list_names(sorted(others))}.")
    if stray := sorted(set(at) - others):
        raise DecisionError(f"at: '{stray[0]}' is no input beside the shares: leave it out.")
    return {name: positive(f"at: '{name}'", value) for name, value in at.items()}


def _bounds(
    domains: tuple[str, ...], bounds: Mapping[str, tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    if stray := [name for name in bounds if name not in domains]:
        raise DecisionError(
            f"bounds names '{stray[0]}', which is no domain: there are {list_names(domains, 20)}."
            + did_you_mean(stray[0], list(domains))
        )
    for name, span in bounds.items():
        if np.shape(span) != (2,) or not 0 <= span[0] <= span[1] <= 1:
            raise DecisionError(f"bounds: '{name}' takes a least and a largest share in 0 to 1.")
    low, high = (np.asarray([bounds.get(n, (0.0, 1.0))[i] for n in domains]) for i in (0, 1))
    if low.sum() > 1 or high.sum() < 1:
        raise DecisionError("bounds: no shares within them sum to 1: widen them.")
    return low, high


def _params(fit: Fit, family: str | None, seed: int) -> dict[str, np.ndarray]:
    draws = family_draws(fit, family if fit.spec.groups else None, seed)
    if len(draws.names) > 1:
        raise DecisionError(f"name the family: family= one of {list_names(draws.names)}.")
    kept = np.linspace(0, draws.samples - 1, min(draws.samples, MOST_SAMPLES)).astype(int)
    return {name: values[kept, 0] for name, values in draws.params.items()}


# --- results ---------------------------------------------------------------------------------


def _table(
    fits: Mapping[str, Fit],
    domains: tuple[str, ...],
    shares: np.ndarray,
    best: np.ndarray,
    probs: Sequence[float],
) -> pd.DataFrame:
    tried = [np.concatenate([f.runs.values[n] for f in fits.values()]) for n in domains]
    return pd.DataFrame(
        {"domain": list(domains), "share": shares}
        | band_columns("best", best, probs)
        | {"tried_from": [v.min() for v in tried], "tried_to": [v.max() for v in tried]}
    )


def _losses(
    fits: Mapping[str, Fit], weights: np.ndarray, found: Found, probs: Sequence[float]
) -> pd.DataFrame:
    columns: dict[str, Any] = {"fit": [*fits, TARGET]}
    for name in ("chosen", "even", "best"):
        each = np.asarray(getattr(found, f"at_{name}"))
        columns |= band_columns(name, np.column_stack([each, each @ weights]), probs)
    return pd.DataFrame(columns)


def _left_notes(found: Found) -> list[Note]:
    solved = (found.best, found.chosen)
    worst = max(float(np.max(b.left / np.abs(b.value))) for b in solved)
    if worst <= LEFT:
        return []
    return [Note("not_settled", "warning", f"the search ended where up to {worst:.1g} of the "
                 "response may be left to gain.", "Set bounds on the shares.")]  # fmt: skip


def _far_notes(table: pd.DataFrame) -> list[Note]:
    outside = (table["share"] > table["tried_to"] + 0.01) | (
        table["share"] < table["tried_from"] - 0.01
    )
    if not outside.any():
        return []
    names = list_names(list(table["domain"][outside]), 20)
    return [Note("beyond_shares", "warning", f"the shares of {names} lie outside those tried: the "
                 "law itself may not hold there, which no band includes.",
                 "Set bounds to what was tried, or run such mixtures.")]  # fmt: skip


def _fit_notes(fits: Mapping[str, Fit]) -> list[Note]:
    return [note for fit in fits.values() for note in bad_fit_notes(fit)]
