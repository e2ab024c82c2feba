"""The sections of a report, in order. A new one is a function of `Material` and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bayes_scaling.reporting.html import Html
from bayes_scaling.reporting.material import Material
from bayes_scaling.reporting.model_sections import (
    data_section,
    law_section,
    made_section,
    model_section,
)
from bayes_scaling.reporting.result_sections import (
    allocation_section,
    diagnosis_section,
    fit_section,
    forecast_section,
    posterior_section,
    residual_section,
)


class Section(NamedTuple):
    """A part of the page: its anchor, its heading and what writes it."""

    key: str
    heading: str
    write: Callable[[Material], Html]


SECTIONS = (
    Section("law", "Law", law_section),
    Section("fit", "Runs and law", fit_section),
    Section("forecast", "Forecast", forecast_section),
    Section("allocation", "Allocation", allocation_section),
    Section("diagnosis", "Diagnosis", diagnosis_section),
    Section("residuals", "Residuals", residual_section),
    Section("posterior", "Posterior", posterior_section),
    Section("model", "Priors, pooling, noise", model_section),
    Section("data", "Data", data_section),
    Section("made", "How it was made", made_section),
)
