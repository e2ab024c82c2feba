"""A law's record in words: plain text without LaTeX, no line wider than 100."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from bayes_scaling.quantity import format_quantity
from bayes_scaling.references import citation

WIDTH = 96
POOLING_WORDS = {
    "shared": "shared by all families",
    "partial": "partially pooled over families",
    "separate": "separate for each family",
}


def law_text(record: Mapping[str, Any]) -> str:
    """Return the record that `bayes_scaling.catalogue.law_record` makes as text for people."""
    sections = {
        "Inputs": _input_lines(record),
        "Parameters": _param_lines(record),
        "Noise": _noise_lines(record),
        "Limit": limit_lines(record),
        "Relatives": relative_lines(record),
        "Traps": record["traps"],
        "Reference": [citation(record["reference"]["key"])] if record["reference"] else [],
        "Use": list(record["example"].values()),
    }
    return "\n".join([*_head(record), *_body(sections)])


def _head(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"{record['name']} ({record['topic']})"
    yield from _wrapped(f"{record['summary']}.")
    if record["aliases"]:
        yield f"  also called {', '.join(record['aliases'])}"
    response = record["response"]
    yield ""
    yield from _wrapped(f"{response['name']} = {record['equation']}")
    yield ""
    yield f"  {response['name']}: {response['meaning']}{_unit(response['unit'])}"


def _body(sections: Mapping[str, list[str]]) -> Iterator[str]:
    for title, lines in sections.items():
        if lines:
            yield f"\n{title}"
            for line in lines:
                yield from _wrapped(line)


def _wrapped(line: str) -> list[str]:
    indent = " " * (2 + len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.lstrip(),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _unit(unit: str) -> str:
    return f" [{unit}]" if unit not in ("", "1") else ""


def _input_lines(record: Mapping[str, Any]) -> list[str]:
    return [
        f"{i['name']}: {i['meaning']}{_unit(i['unit'])}{_fitted_words(i['fitted_range'])}"
        for i in record["inputs"]
    ]


def _fitted_words(span: list[float] | None) -> str:
    return (
        f"; studied from {format_quantity(span[0])} to {format_quantity(span[1])}" if span else ""
    )


def _param_lines(record: Mapping[str, Any]) -> list[str]:
    lines = []
    for p in record["parameters"]:
        pooling = POOLING_WORDS.get(p["pooling"], p["pooling"])
        lines.append(f"{p['name']}: {p['meaning']}{_unit(p['unit'])}; {pooling}")
        where = f"{p['prior_of']}{prior_place(p['prior_at'])}"
        lines.append(f"  prior of {where}: {_prior_words(p['prior'])}")
    return lines


def prior_place(point: dict[str, float] | str | None) -> str:
    """Where the prior of an expression holds, in words that follow the expression."""
    if isinstance(point, dict):
        return " at " + ", ".join(f"{n} = {format_quantity(v)}" for n, v in point.items())
    return f" at {point}" if point else ""


def _prior_words(prior: Mapping[str, Any]) -> str:
    if prior["low"] == prior["high"]:
        return prior["text"]
    times = " times the typical response" if prior["relative"] else ""
    low, high = (format_quantity(prior[k]) for k in ("low", "high"))
    middle = format_quantity(prior["median"])
    return f"{prior['text']}, i.e. median {middle}, 90 % in {low} to {high}{times}"


def _noise_lines(record: Mapping[str, Any]) -> list[str]:
    noise = record["observation"]
    priors = [f"{name}: prior {_prior_words(p)}" for name, p in noise["priors"].items()]
    return [f"{noise['name']}: {noise['summary']}", *priors]


def limit_lines(record: Mapping[str, Any]) -> list[str]:
    """What the law falls in and tends to, and its compute-optimal size."""
    falling, limit, size = (record[k] for k in ("decreasing_in", "asymptote", "optimal_size"))
    lines = [f"falls in {', '.join(falling)}"] if falling else []
    lines += [f"tends to {limit} as the inputs grow"] if limit else []
    return [*lines, f"best N at C = 6 N D: {size}"] if size else lines


def relative_lines(record: Mapping[str, Any]) -> list[str]:
    """How the law is related to others of the catalogue."""
    return [
        *(_reduction_words(r) for r in record["reductions"]),
        *(f"is a special case of {name}" for name in record["special_case_of"]),
        *(f"contains {name}" for name in record["contains"]),
    ]


def _reduction_words(reduction: Mapping[str, Any]) -> str:
    when = [f"{n} = {v:g}" for n, v in reduction["when"].items()]
    both = [*reduction["params"].items(), *reduction["inputs"].items()]
    point = ", ".join([*when, *(f"{n} = {v}" for n, v in both if n != v)])
    words = "becomes" if when else "is the special case of"
    return f"{words} {reduction['law']}" + (f" with {point}" if point else "")
