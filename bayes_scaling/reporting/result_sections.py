"""Sections on what came out: pictures, forecast, allocation, diagnosis, posterior, notes."""

from __future__ import annotations

from collections.abc import Iterable

from bayes_scaling._errors import Note
from bayes_scaling.infer.diagnose import Diagnosis
from bayes_scaling.plots.paths import CORE
from bayes_scaling.quantity import format_quantity
from bayes_scaling.reporting.ahead import scale_word, typical
from bayes_scaling.reporting.densities import density_figures
from bayes_scaling.reporting.drawing import draw
from bayes_scaling.reporting.html import (
    EMPTY,
    Html,
    columns_table,
    facts,
    join,
    paragraphs,
    table,
    tag,
)
from bayes_scaling.reporting.material import Material
from bayes_scaling.reporting.pictures import (
    by_level,
    dots_left_out,
    fit_chart,
    residual_chart,
)
from bayes_scaling.reporting.spending import allocation_chart
from bayes_scaling.rounding import POSTERIOR, beyond, forecast_texts, posterior_row
from bayes_scaling.symbols import SYMBOLS

KINDS = (
    "Law band: where the law's curve lies if the law is right. Model band: the same with the law's "
    "own error, as the median is. Run band: where one more run would fall, both included."
)
SIGNS = {"info": "i", "warning": "!", "error": "\u2715", "ok": "\u2713"}

# --- pictures ---------------------------------------------------------------------------------


def fit_section(material: Material) -> Html:
    """The runs with the law's bands."""
    bands = material.tables.bands
    told = [f"Bands hold {material.percent} %: the inner one the law with its own error, the outer "
            "one a new run."]  # fmt: skip
    if by_level(material):
        told.append(f"Each run has the colour of the nearest level of {material.tables.cut.hold}.")
    if bands["extrapolated"].any():
        told.append("Dashed: some input is outside the data.")
    told.append(dots_left_out(material))
    return _figure(draw(fit_chart(material)), [*told, _families_left_out(material)])


def _families_left_out(material: Material) -> str:
    count = material.tables.left_out or _hidden(material)
    return f"{count} more families are fitted and not drawn." if count else EMPTY


def _hidden(material: Material) -> int:
    groups = material.fit.spec.groups
    known = len(material.fit.grouping.labels[groups[-1]]) if groups else 1
    return known - len(material.tables.panels)


def residual_section(material: Material) -> Html:
    """What the law leaves over."""
    rows = material.residuals
    inside = (
        f"{int(rows['inside'].sum())} of {len(rows)} runs lie inside their {material.percent} %"
    )
    told = [
        f"{inside} band of a new run. A trend means that the law bends otherwise than the runs."
    ]
    return _figure(draw(residual_chart(material)), told)


def _figure(drawn: Html, told: Iterable[str]) -> Html:
    caption = " ".join(text for text in told if text)
    return tag("figure", drawn, tag("figcaption", caption))


# --- forecast and allocation ------------------------------------------------------------------


def forecast_section(material: Material) -> Html:
    """What is ahead."""
    found, fit = material.forecast.table, material.fit
    columns = {c: [*found[c]] for c in fit.spec.groups if c in found}
    if material.scales is not None:
        columns["scale"] = [f"\u00d7{v:g}" for v in material.scales]
    labels = len(columns)
    columns |= {name: _ranges(texts) for name, texts in forecast_texts(found, fit).items()}
    told = [KINDS, _scales_text(material)]
    if beyond(found):
        told.append("outside: decades beyond the runs fitted (+ above, - below).")
    response = f"Forecast of {fit.spec.law.response}"
    shown = columns_table(response, columns, max(labels, 1))
    return join(
        [shown, paragraphs((t for t in told if t), "small"), notes(material.forecast.notes)]
    )


def _ranges(texts: list[str]) -> list[str]:
    return [text.replace("..", " \u2013 ") for text in texts]


def _scales_text(material: Material) -> str:
    if material.scales is None:
        return ""
    word, inputs = scale_word(material.fit), material.fit.spec.law.inputs
    kept = ", tokens per parameter kept" if word == "C" and len(inputs) > 1 else ""
    meant = SYMBOLS[word].meaning if word in SYMBOLS else word
    return (
        f"scale: multiples of the {meant} of the largest run fitted{kept}; other inputs as there."
    )


def allocation_section(material: Material) -> Html:
    """How to spend compute: the curve of the best size and data."""
    chart = allocation_chart(material)
    if chart is None or material.allocation is None:
        return tag("p", f"Not for this fit: {material.no_allocation}")
    found = material.allocation
    told = [f"{found.title}; the bands hold {material.percent} % of the law's posterior, the law's "
            "own error left out. Dashed: budgets outside the data."]  # fmt: skip
    others = [n for n in material.fit.spec.law.inputs if n not in CORE]
    held = [f"{n} = {format_quantity(v)}" for n, v in typical(material.fit, others).items()]
    told += [f"Held at the runs' geometric mean: {', '.join(held)}."] if held else []
    return join([_figure(draw(chart), told), _allocation_table(material), notes(found.notes)])


def _allocation_table(material: Material) -> Html:
    """Some budgets of the curve, as a table."""
    assert material.allocation is not None
    texts, table = material.allocation.texts(), material.allocation.table
    budgets = sorted(set(table["C"]))
    some = set(budgets[:: max(1, (len(budgets) - 1) // 4)])
    rows = [i for i, budget in enumerate(table["C"]) if budget in some]
    columns = {name: [column[i] for i in rows] for name, column in texts.items()}
    labels = len(material.allocation.asked.labels)
    return columns_table(f"Best allocation, median [{material.percent} % band]", columns, labels)


# --- how far to trust it ----------------------------------------------------------------------


def diagnosis_section(material: Material) -> Html:
    """The verdict in words, its numbers and findings."""
    found = material.fit.diagnose()
    numbers = [(name.replace("_", " "), f"{value:.4g}") for name, value in found.numbers.items()
               if value == value]  # fmt: skip
    return join([verdict_line(found), notes(found.findings), facts(numbers)])


def verdict_line(found: Diagnosis) -> Html:
    """The verdict in one line; findings that are mere information leave it sound."""
    severity = "ok" if found.ok else found.severity
    return tag("p", badge(severity), f" {found.verdict}.", class_="verdict")


def badge(severity: str) -> Html:
    """A severity as a sign and a word, so that colour alone tells nothing."""
    sign = tag("span", SIGNS.get(severity, "?"), aria_hidden="true")
    return tag("span", sign, f" {severity}", class_=f"badge {severity}")


def notes(found: Iterable[Note]) -> Html | None:
    """Notes as a list: severity, code, message and advice."""
    items = [tag("li", badge(n.severity), " ", tag("code", n.code), " ", str(n)) for n in found]
    return tag("ul", *items, class_="notes") if items else None


def posterior_section(material: Material) -> Html:
    """The posterior of every parameter, with the densities of prior and posterior."""
    rows = [posterior_row(row) for row in material.records["posterior"]]
    shown = table("Posterior: medians and 90 % intervals", POSTERIOR, rows, 1)
    return join([shown, density_figures(material)])
