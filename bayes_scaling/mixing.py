"""Laws of mixtures: as many inputs as there are domains, each a share, that sum to one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bayes_scaling._errors import BayesScalingError, LawError, list_names
from bayes_scaling._registry import LAWS
from bayes_scaling.spec import Law

SLACK = 0.01  # published tables round their shares
_Builder = Callable[[tuple[str, ...]], Law]


def law_of_shares(*names: str, beside: tuple[str, ...] = ()) -> Callable[[_Builder], Law]:
    """Decorate ``(domains) -> Law`` as a law of any number of domains, entered in the catalogue.

    The entry is the law of the inputs ``names``; ``get_law("law(web, books, code)")`` builds the
    one of other domains. ``beside`` are inputs that are no shares, such as N and D; they come
    first, and a user need not name them.

    Raises
    ------
    LawError
        When the name is taken or the record disagrees with the signature.
    """

    def register(build: _Builder) -> Law:
        def of(inputs: tuple[str, ...]) -> Law:
            domains = tuple(name for name in inputs if name not in beside)
            return replace(_checked(build, domains), of_inputs=of)

        entry = of(names)
        LAWS.add(entry.name, entry, entry.aliases)
        return entry

    return register


def _checked(build: _Builder, domains: tuple[str, ...]) -> Law:
    if len(domains) < 2 or len({*domains}) < len(domains):
        raise LawError(f"a mixture has two or more domains, each named once, not {domains}.")
    return build(domains)


def signed(
    fn: Callable[..., Any], inputs: Sequence[str], params: Sequence[str]
) -> Callable[..., Any]:
    """Return ``fn`` with the signature that `bayes_scaling.spec.make_law` reads."""
    kinds = inspect.Parameter
    places = [kinds(name, kinds.POSITIONAL_OR_KEYWORD) for name in inputs]
    named = [kinds(name, kinds.KEYWORD_ONLY) for name in params]
    vars(fn)["__signature__"] = inspect.Signature([*places, *named])
    return fn


def mixed(
    simplex: Sequence[str], values: Mapping[str, Any], moved: str = ""
) -> dict[str, np.ndarray]:
    """Return shares (row,) that sum to one: ``moved`` within 0 to 1, the others in proportion."""
    shares = {name: np.asarray(values[name], float) for name in simplex}
    held = {moved: np.clip(shares.pop(moved), 0.0, 1.0)} if moved in shares else {}
    whole = sum(shares.values())
    rest = 1.0 - sum(held.values())
    return held | {name: own / whole * rest for name, own in shares.items()}


def check_shares(
    law: Law,
    values: Mapping[str, np.ndarray],
    error: type[BayesScalingError],
    where: str = "",
) -> None:
    """Check that the shares of every row (row,) lie between 0 and 1 and sum to one.

    Raises
    ------
    BayesScalingError
        Of the type ``error``, naming the domain or the rows.
    """
    if not law.simplex:
        return
    shares = np.stack([np.asarray(values[name], float) for name in law.simplex], axis=-1)
    for name, own in zip(law.simplex, shares.T, strict=True):
        if rows := _rows((own < 0) | (own > 1)):
            raise error(
                f"{where}'{name}' is a share of a mixture and lies outside 0 to 1 in {rows}: "
                "give shares, not per cent or weights."
            )
    total = shares.sum(axis=-1)
    if rows := _rows(np.abs(total - 1) > SLACK):
        raise error(
            f"{where}the shares {list_names(law.simplex, 20)} sum to {total.min():.3g} to "
            f"{total.max():.3g} in {rows}: they must sum to 1; name every domain of the mixture "
            f"in the law, as in '{law.name}(web, books, code)'."
        )


def _rows(bad: np.ndarray) -> str:
    found = [str(i + 1) for i in np.flatnonzero(bad)]
    return f"row(s) {list_names(found, 5)}" if found else ""
