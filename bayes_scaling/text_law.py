"""Laws from one line of text, without touching the package."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bayes_scaling._errors import LawError, did_you_mean
from bayes_scaling.equation import (
    Equation,
    compile_jax,
    exponents,
    linear_terms,
    parse_equation,
)
from bayes_scaling.prior import Prior, as_prior, lognormal
from bayes_scaling.spec import Law, Param

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
INPUTS = ("N", "D", "C", "M", "U", "V", "X", "lr")
SPREAD_CONSTANT, SPREAD_EXPONENT = 0.25, 0.10


def law_from_equation(
    text: str,
    *,
    priors: Mapping[str, Any] | None = None,
    inputs: Sequence[str] | None = None,
    name: str = "custom",
    pool: Mapping[str, str] | None = None,
) -> Law:
    """Return a law from a formula such as ``"E + A*N**-alpha + B*D**-beta + G*log(V)"``.

    The text is parsed by a whitelist and never evaluated as Python. Every parameter that enters
    linearly is sampled as its whole term at the data's centre (a level), which keeps it nearly
    uncorrelated with its exponent.

    Parameters
    ----------
    text
        Right-hand side of the law.
    priors
        Priors by parameter, as `fit` takes them. Defaults: exponents log-normal 0.25 [0.05, 1];
        terms log-normal 0.4 [0.04, 2] times the typical response; other parameters log-normal
        1 [0.05, 20]. Give a ``normal`` prior to a parameter that may be negative.
    inputs
        Names of the observed inputs; by default those of N, D, C, M, U, V, X and lr that occur.
        (B and S are as often coefficients as batch size and steps, so they must be named.)
    pool
        Natural pooling by parameter; by default terms are partially pooled, exponents shared.

    Raises
    ------
    LawError
        When the text is not a formula, names no input or no parameter, or ``priors``, ``inputs``
        or ``pool`` name something that the formula does not.
    """
    given, pools = dict(priors or {}), dict(pool or {})
    names = parse_equation(text).names
    data = _inputs(names, inputs, text)
    params = tuple(n for n in names if n not in data)
    _check_names(text, names, data, params, given, pools)
    equation = parse_equation(text, positive=frozenset(names))
    terms = linear_terms(equation.expr, set(params), set(data))
    powers = exponents(equation.expr, set(params))
    return Law(
        name=name,
        fn=_function(equation, data),
        inputs=data,
        params=tuple(_param(n, terms, powers, data, given, pools) for n in params),
        equation=text.strip(),
        response="",
        topic="custom",
        summary=text.strip(),
        source="equation",
    )


def _inputs(names: Sequence[str], asked: Sequence[str] | None, text: str) -> tuple[str, ...]:
    known = tuple(asked) if asked is not None else tuple(n for n in names if n in INPUTS)
    stray = [n for n in known if n not in names]
    if stray:
        raise LawError(f"input '{stray[0]}' does not occur in '{text}'.")
    if not known:
        raise LawError(
            f"'{text}' names no input: use {', '.join(INPUTS)}, or say which "
            "names are columns with inputs=['...']."
        )
    return known


def _check_names(
    text: str,
    names: Sequence[str],
    data: Sequence[str],
    params: Sequence[str],
    priors: Mapping[str, Any],
    pools: Mapping[str, str],
) -> None:
    if not params:
        raise LawError(f"'{text}' has no parameter to fit: every name is an input.")
    bad = [n for n in names if keyword.iskeyword(n) or not _IDENTIFIER.fullmatch(n)]
    if bad:
        raise LawError(f"'{bad[0]}' cannot name a parameter: choose a plain name.")
    for what, given in (("prior", priors), ("pooling", pools)):
        stray = [n for n in given if n not in params]
        if stray:
            raise LawError(
                f"a {what} is given for '{stray[0]}', which is no parameter of '{text}' "
                f"(parameters: {', '.join(params)}; inputs: {', '.join(data)})."
                + did_you_mean(stray[0], list(params))
            )


def _function(equation: Equation, data: tuple[str, ...]) -> Callable[..., Any]:
    compiled = compile_jax(equation.expr, equation.names)

    def fn(*inputs: Any, **params: Any) -> Any:
        return compiled(**dict(zip(data, inputs, strict=True)), **params)

    return fn


def _param(
    name: str,
    terms: Mapping[str, Any],
    powers: set[str],
    data: Sequence[str],
    priors: Mapping[str, Any],
    pools: Mapping[str, str],
) -> Param:
    term = terms.get(name)
    level = str(term) if term is not None and str(term) != name else ""
    prior = as_prior(priors[name]) if name in priors else _default(name, terms, powers)
    plain = name in powers or term is None
    return Param(
        name,
        prior,
        "exponent" if name in powers else "coefficient" if level else "parameter",
        level=level,
        pool=pools.get(name, "shared" if plain else "partial"),
        spread=SPREAD_EXPONENT if name in powers else SPREAD_CONSTANT,
    )


def _default(name: str, terms: Mapping[str, Any], powers: set[str]) -> Prior:
    if name in powers:
        return lognormal(0.25, 0.05, 1.0)
    if name in terms:
        return lognormal(0.4, 0.04, 2.0, relative=True)
    return lognormal(1.0, 0.05, 20.0)
