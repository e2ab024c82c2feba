"""A fit as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayes_scaling._errors import ForecastError, Note, SpecError
from bayes_scaling._files import write_whole
from bayes_scaling._x64 import in_float64
from bayes_scaling.posterior import Fit
from bayes_scaling.reporting.html import escape
from bayes_scaling.reporting.material import Asked, gather
from bayes_scaling.reporting.page import page_of
from bayes_scaling.reporting.sections import SECTIONS

LONGEST_TITLE = 200


@dataclass(frozen=True)
class Report:
    """A report on a fit.

    Attributes
    ----------
    html
        The page: one document with its styles, script and numbers in it, that asks for nothing on
        the network. An element ``report-data`` holds the numbers as JSON: ``forecast`` and
        ``allocation`` (rows of those tables) and ``charts``.
    sections
        Anchors of its sections, in order.
    notes
        Notes of the forecast and the allocation.
    """

    html: str
    sections: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return len(self.html.encode())

    def save(self, path: str | Path) -> Path:
        """Write the page; an existing file is replaced only when all is written.

        Raises
        ------
        FitFileError
            When the file cannot be written.
        """
        return write_whole(Path(path), lambda part: part.write_text(self.html, encoding="utf-8"))

    def __repr__(self) -> str:
        return f"Report of {len(self.sections)} sections, {self.bytes / 1000:.0f} kB"

    def _repr_html_(self) -> str:
        frame = 'width="100%" height="800" style="border:0" title="report"'
        return f'<iframe {frame} srcdoc="{escape(str(self.html))}"></iframe>'


@in_float64
def report(
    fit: Fit,
    path: str | Path | None = None,
    *,
    at: Any = None,
    families: str | Sequence[str] | None = None,
    title: str = "",
    prob: float = 0.9,
    seed: int = 0,
) -> Report:
    """Return a page on a fit, and write it where a path is given.

    It has the law, interactive pictures of the runs, of the allocation and of the residuals, a
    forecast, the diagnosis in words, the posterior, priors, pooling, data, and how it was made.

    Parameters
    ----------
    fit
        A `Fit`.
    path
        File to write; an existing one is replaced only when all is written.
    at
        Points to forecast, as in `forecast`. By default every family's largest run, and the same at
        10 and 100 times its compute (tokens per parameter kept), or times the law's main covariate
        where it has no two of N, D, C and M.
    families
        Families in pictures, forecast and allocation; by default the 12 largest.
    title
        Heading of the page; by default the law's name and the number of runs.
    prob
        Probability of the bands.
    seed
        Of the draws of new runs.

    Raises
    ------
    SpecError
        When a family is not in the fit, or the title is too long.
    ForecastError
        When a point cannot be forecast, or ``prob`` does not lie between 0 and 1.
    FitFileError
        When the file cannot be written.
    """
    if not isinstance(prob, (int, float)) or not 0 < prob < 1:
        raise ForecastError(f"prob={prob} must be one number between 0 and 1, such as 0.9.")
    if len(title) > LONGEST_TITLE:
        raise SpecError(f"title: {len(title)} letters; give at most {LONGEST_TITLE}.")
    material = gather(fit, Asked(at, families, title.strip(), float(prob), seed))
    made = Report(page_of(material), tuple(s.key for s in SECTIONS), material.notes)
    if path is not None:
        made.save(path)
    return made
