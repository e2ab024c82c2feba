"""The catalogue as one page of Markdown, made from the records alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bayes_scaling._registry import LAWS
from bayes_scaling.catalogue import law_record, laws
from bayes_scaling.law_text import POOLING_WORDS, limit_lines, prior_place, relative_lines
from bayes_scaling.quantity import format_quantity
from bayes_scaling.references import citation
from bayes_scaling.spec import Law

HEAD = """# The laws

Made by `bayes-scaling laws --page`; `bayes-scaling laws NAME` prints one of them with an example.
A prior in `x` is in multiples of the typical response of the table. Priors are given by their
median and 5 % and 95 % points; those of an expression hold at the point named.
"""


def laws_page() -> str:
    """Return every law by topic: formula, inputs, parameters with priors, traps, reference."""
    parts = [HEAD, *_contents()]
    for topic, own in laws().groupby("topic"):
        title = str(topic)
        parts += [f"## {title[:1].upper()}{title[1:]}\n", *map(_section, own["name"])]
    return "\n".join(parts)


def _contents() -> Iterator[str]:
    for topic, own in laws().groupby("topic"):
        yield f"- {topic}: " + ", ".join(f"[{name}](#{name})" for name in own["name"])
    yield ""


def _section(name: str) -> str:
    record = law_record(name)
    return "\n".join([*_head(record), *_formula(LAWS.get(name)), *_inputs(record),
                      *_params(record), *_remarks(record)])  # fmt: skip


def _head(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {record['name']}\n\n{record['summary']}."
    if record["aliases"]:
        yield f"Also called {', '.join(f'`{a}`' for a in record['aliases'])}."


def _formula(law: Law) -> Iterator[str]:
    from bayes_scaling.equation import latex, parse_equation

    symbols = {p.name: p.symbol for p in law.params}
    yield f"\n$${latex(parse_equation(law.equation), symbols)}$$\n"
    yield f"`{law.equation}`\n"


def _inputs(record: Mapping[str, Any]) -> Iterator[str]:
    response = record["response"]
    yield f"- predicts {_quantity(response)}; noise `{record['observation']['name']}`"
    for each in record["inputs"]:
        span = each["fitted_range"]
        studied = (
            f", studied from {format_quantity(span[0])} to {format_quantity(span[1])}"
            if span
            else ""
        )
        yield f"- {_quantity(each)}{studied}"
    yield ""


def _quantity(record: Mapping[str, Any]) -> str:
    return f"`{record['name']}` {record['meaning']}{_unit(record)}"


def _unit(record: Mapping[str, Any]) -> str:
    return f" ({record['unit']})" if record["unit"] not in ("", "1") else ""


def _params(record: Mapping[str, Any]) -> Iterator[str]:
    yield "| parameter | meaning | families | prior of | median | 5 % | 95 % |"
    yield "|---|---|---|---|---|---|---|"
    for p in record["parameters"]:
        prior, times = p["prior"], " x" if p["prior"]["relative"] else ""
        numbers = (f"{format_quantity(prior[k])}{times}" for k in ("median", "low", "high"))
        where = f"`{p['prior_of']}`{prior_place(p['prior_at'])}".replace("|", "\\|")
        pooling = POOLING_WORDS.get(p["pooling"], p["pooling"])
        cells = (f"`{p['name']}`", p["meaning"] + _unit(p), pooling, where, *numbers)
        yield f"| {' | '.join(map(str, cells))} |"
    yield ""


def _remarks(record: Mapping[str, Any]) -> Iterator[str]:
    for line in (*limit_lines(record), *relative_lines(record)):
        yield f"- {line}"
    for trap in record["traps"]:
        yield f"- beware: {trap}"
    if record["reference"]:
        yield f"- {citation(record['reference']['key'])}"
    yield ""
