"""The page around the sections: styles, script and numbers all inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.reporting.axes import axis_label
from bayes_scaling.reporting.charts import chart_record
from bayes_scaling.reporting.html import Html, data_script, escape, join, tag
from bayes_scaling.reporting.material import Material
from bayes_scaling.reporting.pictures import fit_chart, residual_chart
from bayes_scaling.reporting.result_sections import verdict_line
from bayes_scaling.reporting.sections import SECTIONS, Section
from bayes_scaling.reporting.spending import allocation_chart

DATA = "report-data"
CHARTS = (fit_chart, allocation_chart, residual_chart)


def page_of(material: Material) -> str:
    """Return the whole document."""
    style, script = _asset("style.css"), _asset("script.js")
    return Template(_asset("page.html")).substitute(
        policy=policy(style, script),
        title=escape(title_of(material)),
        style=style,
        script=script,
        head=_head(material),
        contents=_contents(SECTIONS),
        sections=join((_section(each, material) for each in SECTIONS), "\n"),
        data=data_script(DATA, record(material)),
    )


def _asset(name: str) -> str:
    return files("bayes_scaling.reporting").joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """Return a content security policy that lets run and load only what the page itself holds."""
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; "
        f"script-src 'sha256-{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def title_of(material: Material) -> str:
    """Return the heading asked for, or one that says what was fitted."""
    return material.asked.title or f"Scaling law {material.fit.spec.law.name}"


def _size(material: Material) -> str:
    fit = material.fit
    families = len(fit.grouping.labels[fit.spec.groups[-1]]) if fit.spec.groups else 1
    return f"{fit.runs.n} runs" + (f", {families} families" if families > 1 else "")


def _head(material: Material) -> Html:
    found = material.fit.diagnose()
    law = material.fit.spec.law
    told = f"{law.name} fitted to {_size(material)}, to predict {axis_label(law.response)}."
    return join([tag("h1", title_of(material)), tag("p", told), verdict_line(found)])


def _contents(sections: Sequence[Section]) -> Html:
    return join(tag("a", each.heading, href=f"#{each.key}") for each in sections)


def _section(section: Section, material: Material) -> Html:
    heading = tag("h2", section.heading, id=f"{section.key}-heading")
    return tag("section", heading, section.write(material), id=section.key,
               aria_labelledby=f"{section.key}-heading")  # fmt: skip


def record(material: Material) -> dict[str, Any]:
    """Return the numbers of the report: rows of forecast and allocation, and the pictures."""
    drawn = [make(material) for make in CHARTS]
    allocation = material.allocation
    return {
        "law": material.fit.spec.law.name,
        "prob": material.asked.prob,
        "forecast": rows_of(material.forecast.table),
        "allocation": [] if allocation is None else rows_of(allocation.table),
        "charts": {each.key: chart_record(each) for each in drawn if each is not None},
    }


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values; numbers that JSON lacks become None."""
    return [{str(k): _plain(v) for k, v in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value
