"""Sections on what went in: the runs, the law, its priors and pooling, how it was sampled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bayes_scaling.equation import latex, parse_equation
from bayes_scaling.law_text import POOLING_WORDS
from bayes_scaling.plots.style import names_latex
from bayes_scaling.quantity import format_quantity
from bayes_scaling.references import citation
from bayes_scaling.reporting.html import Html, facts, join, paragraphs, table, tag
from bayes_scaling.reporting.material import Material
from bayes_scaling.reporting.mathml import formula
from bayes_scaling.spec import Law
from bayes_scaling.symbols import SYMBOLS

MOST_GROUPS = 40  # of one grouping column that are listed

# --- the runs ---------------------------------------------------------------------------------


def data_section(material: Material) -> Html:
    """What was read of the runs."""
    runs = material.records["runs"]
    rows = [_column_row(each, runs["rows"]) for each in runs["columns"]]
    header = ("", "meaning", "unit", "lowest", "highest", "different values")
    notes = [_groups_text(name, counts) for name, counts in runs["groups"].items()]
    return join([*paragraphs_of(notes, runs), table("Columns of the runs", header, rows, 3)])


def paragraphs_of(groups: list[str], runs: Mapping[str, Any]) -> Iterator[Html]:
    """Sentences on the table as a whole."""
    told = [f"{runs['rows']} runs, to predict {runs['response']}.", *groups]
    if runs["training_runs"] is not None:
        told.append(f"Rows are checkpoints of {runs['training_runs']} training runs.")
    if runs["standard_errors"]:
        told.append("Standard errors of the response are known.")
    if runs["counts"]:
        told.append("The response is a share of a known number of items.")
    yield paragraphs(told)


def _column_row(column: Mapping[str, Any], rows: int) -> tuple[str, ...]:
    ends = [format_quantity(column[k]) for k in ("low", "high")]
    return (column["symbol"], column["meaning"], column["unit"], *ends, str(column["distinct"]))


def _groups_text(name: str, counts: Mapping[str, int]) -> str:
    listed = [f"{label} ({count})" for label, count in counts.items()]
    more = len(listed) - MOST_GROUPS
    rest = f" and {more} more" if more > 0 else ""
    return f"{name}: {len(counts)} groups, {', '.join(listed[:MOST_GROUPS])}{rest}."


# --- the law ----------------------------------------------------------------------------------


def law_section(material: Material) -> Html:
    """The law's formula, what it is, and where it is from."""
    law = material.fit.spec.law
    told = [tag("p", f"{law.summary}.")] if law.summary else []
    told += [tag("p", "Reference: ", citation(law.cite))] if law.cite else []
    traps = [tag("p", "Traps:"), tag("ul", *(tag("li", each) for each in law.traps))]
    return join([law_formula(law), *told, *(traps if law.traps else [])])


def law_formula(law: Law) -> Html:
    """The formula as MathML, with the text it is made from for copying."""
    if not law.equation:
        return tag("p", f"{law.response} = {law.name}({', '.join(law.inputs)})")
    drawn = formula(f"{law_latex(law)}", block=True)
    plain = f"{law.response} = {law.equation}"
    return tag("div", drawn, tag("code", plain), class_="formula scroll", role="group",
               aria_label="formula", tabindex=0)  # fmt: skip


def law_latex(law: Law) -> str:
    """The law's equation in LaTeX, the response on its left."""
    response = SYMBOLS[law.response].latex if law.response in SYMBOLS else law.response
    left = response if response.isascii() and law.response in SYMBOLS else _word(law.response)
    return f"{left} = {latex(parse_equation(law.equation), names_latex(law))}"


def _word(name: str) -> str:
    return rf"\mathrm{{{name}}}" if name.isidentifier() else "Y"


# --- priors, pooling and noise ----------------------------------------------------------------


def model_section(material: Material) -> Html:
    """Priors, pooling, noise."""
    made, law = material.records["made"], material.fit.spec.law
    rows = [_param_row(law, each) for each in made["parameters"]]
    header = ("parameter", "meaning", "pooling", "prior", "of")
    centre = ", ".join(f"{n} = {format_quantity(v)}" for n, v in made["reference"].items())
    noise = [*_noise_words(made)]
    priors = [f"{name} ~ {prior}" for name, prior in made["noise_priors"].items()]
    told = [("noise", ", ".join(noise)), ("priors of the noise", "; ".join(priors) or "none"),
            ("centre of the data", centre)]  # fmt: skip
    return join([table("Priors and pooling", header, rows, 5), facts(told)])


def _param_row(law: Law, param: Mapping[str, Any]) -> tuple[object, ...]:
    known = law.param(param["name"])
    symbol = join([formula(known.symbol), Html(" "), tag("code", param["name"])])
    pooling = POOLING_WORDS.get(param["pooling"], param["pooling"])
    return (
        symbol,
        param["meaning"],
        pooling,
        tag("code", param["prior"]),
        tag("code", param["prior_of"]),
    )


def _noise_words(made: Mapping[str, Any]) -> Iterator[str]:
    yield made["observation"].replace("_", " ")
    if made["noise_by_family"]:
        yield "a level for each family"
    if made["noise_trend"]:
        yield f"changing with {made['noise_trend']}"
    if made["known_standard_errors"]:
        yield "known standard errors added"


# --- how it was made --------------------------------------------------------------------------


def made_section(material: Material) -> Html:
    """Sampler, path, settings, versions and seeds."""
    made = material.records["made"]
    settings, sizes = made["settings"], material.fit.posterior.sizes
    told = [
        ("sampler", str(settings["sampler"])),
        ("kept", f"{sizes['chain']} chains x {sizes['draw']} draws"),
        ("seed of the fit", str(settings["seed"])),
        ("seed of this report", str(material.asked.seed)),
        ("made", f"{made['created_at']}, in {made['seconds']:.0f} s"),
        ("versions", ", ".join(f"{n} {v}" for n, v in made["versions"].items())),
        ("settings", tag("code", json.dumps(settings))),
    ]
    return join([facts(told), path_table(material)])


def path_table(material: Material) -> Html | None:
    """The samplers that were tried, in order."""
    path = material.fit.path
    if not path:
        return None
    rows = [(step["sampler"], step["refused"] or "used", f"{step['seconds']:.1f}")
            for step in path]  # fmt: skip
    return table("Path of the sampler", ("sampler", "outcome", "seconds"), rows, 2)
