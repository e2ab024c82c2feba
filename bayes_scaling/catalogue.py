"""The catalogue of laws for people: a table of all, and one law described in full."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from bayes_scaling._errors import LawError, did_you_mean, list_names
from bayes_scaling._registry import LAWS
from bayes_scaling.law_text import law_text
from bayes_scaling.prior import Prior, quantile
from bayes_scaling.references import reference
from bayes_scaling.resolve import default_scatter
from bayes_scaling.spec import Law, Param, Reduction, get_law, get_observation
from bayes_scaling.symbols import SYMBOLS, find_symbol

COLUMNS = ("name", "topic", "inputs", "equation", "summary", "cite")


def laws(topic: str | None = None) -> pd.DataFrame:
    """Return the catalogue as a table: name, topic, inputs, equation, summary, cite.

    Parameters
    ----------
    topic
        Keep the laws of one topic.

    Raises
    ------
    LawError
        When no law has that topic.
    """
    rows = [_row(LAWS.get(name)) for name in LAWS]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["topic", "name"])
    if topic is not None:
        topics = sorted(set(table["topic"]))
        if topic not in topics:
            hint = did_you_mean(topic, topics)
            raise LawError(f"no law has the topic '{topic}': use {list_names(topics)}.{hint}")
        table = table.loc[table["topic"] == topic]
    return table.reset_index(drop=True)


def _row(law: Law) -> tuple[str, ...]:
    inputs = ", ".join(law.inputs)
    return (law.name, law.topic, inputs, law.equation, law.summary, law.cite)


# --- one law as a record -------------------------------------------------------------------


def law_record(name: str | Law) -> dict[str, Any]:
    """Return everything known of a law as plain lists, texts and numbers, fit for JSON.

    Raises
    ------
    LawError
        When no such law is known.
    """
    law = get_law(name)
    return {
        "name": law.name,
        "aliases": list(law.aliases),
        "topic": law.topic,
        "summary": law.summary,
        "response": _quantity(law.response) if law.response else ANY_RESPONSE,
        "equation": law.equation,
        "inputs": [_quantity(i) | {"fitted_range": _fitted(law, i)} for i in law.inputs],
        "parameters": [_param_record(law, p) for p in law.params],
        "observation": _noise_record(law),
        "asymptote": law.asymptote or None,
        "decreasing_in": list(law.decreasing),
        "optimal_size": law.optimal_size or None,
        "reductions": [_reduction(r) for r in law.reduces_to],
        **_relatives(law),
        "traps": list(law.traps),
        "reference": dict(reference(law.cite)) if law.cite else None,
        "example": {"python": _python(law), "shell": _shell(law)},
    }


ANY_RESPONSE = {"name": "Y", "meaning": "any response, such as a loss", "unit": ""}


def _quantity(name: str) -> dict[str, Any]:
    if name == "X":
        return {"name": name, "meaning": "any covariate", "unit": ""}
    known = SYMBOLS.get(name)
    meaning, unit = (known.meaning, known.unit) if known else ("a column of the table", "")
    return {"name": name, "meaning": meaning, "unit": unit}


def _fitted(law: Law, name: str) -> list[float] | None:
    return [float(v) for v in law.valid[name]] if name in law.valid else None


def _param_record(law: Law, param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "meaning": param.meaning,
        "unit": param.unit,
        "pooling": param.pool,
        "spread": param.spread,
        "prior": _prior_record(param.prior),
        "prior_of": param.level or param.name,
        "prior_at": _reference_point(law, param),
    }


def _prior_record(prior: Prior) -> dict[str, Any]:
    return {
        "text": str(prior),
        "median": prior.median,
        "low": _quantile(prior, 0.05),
        "high": _quantile(prior, 0.95),
        "relative": prior.relative,
    }


def _quantile(prior: Prior, prob: float) -> float:
    from bayes_scaling.build import distribution  # SymPy comes with it, which no list needs

    return prior.median if prior.is_fixed else quantile(distribution(prior), prob)


def _reference_point(law: Law, param: Param) -> dict[str, float] | str | None:
    """The point at which the prior of a level holds; None for a parameter without a level."""
    words = set(re.findall(r"\w+", param.level))
    named = {n: v for n, v in law.reference if n in words}
    if not words & set(law.inputs):
        return None
    return named or "the geometric mean of the data"


def _noise_record(law: Law) -> dict[str, Any]:
    noise = get_observation(law.observation)
    priors = {"sigma": law.noise or default_scatter(), **dict(noise.extra)}
    return {
        "name": noise.name,
        "summary": noise.summary,
        "priors": {name: _prior_record(prior) for name, prior in priors.items()},
    }


def _reduction(reduction: Reduction) -> dict[str, Any]:
    return {
        "law": reduction.law,
        "when": dict(reduction.when),
        "params": dict(reduction.params),
        "inputs": dict(reduction.inputs),
    }


def _relatives(law: Law) -> dict[str, list[str]]:
    """Laws that become this one at a point, and laws that are this one in other symbols."""
    found: dict[str, list[str]] = {"special_case_of": [], "contains": []}
    for other in (LAWS.get(name) for name in LAWS):
        for reduction in other.reduces_to:
            if reduction.law == law.name:
                found["special_case_of" if reduction.when else "contains"].append(other.name)
    return found


def _columns(law: Law) -> str:
    """The law's name as a call needs it: a generic covariate is given a name."""
    if law.inputs == ("X",):
        return f"{law.name}(C)"
    renamed = law.name in list(LAWS) and LAWS.get(law.name).inputs != law.inputs
    return f"{law.name}({', '.join(law.inputs)})" if renamed else law.name


def _letters(law: Law) -> list[str]:
    """Inputs that no column is taken for unless it is said."""
    return [name for name in law.inputs if name in SYMBOLS and find_symbol(name) is None]


def _python(law: Law) -> str:
    if named := {name: name for name in _letters(law)}:
        runs = f'bs.read_runs("runs.csv", group="family", columns={named})'
        return f'bs.fit({runs}, "{_columns(law)}")'
    return f'bs.fit("runs.csv", "{_columns(law)}", group="family")'


def _shell(law: Law) -> str:
    name = _columns(law)
    quoted = f'"{name}"' if "(" in name else name
    columns = "".join(f" --column {name}={name}" for name in _letters(law))
    return f"bayes-scaling fit runs.csv --law {quoted} --group family{columns}"


def describe_law(name: str | Law) -> str:
    """Return a law described for people: formula, parameters, priors, limits, traps, reference.

    Raises
    ------
    LawError
        When no such law is known.

    Examples
    --------
    >>> print(describe_law("chinchilla").splitlines()[0])
    chinchilla (size and data)
    """
    return law_text(law_record(name))
