"""The studies that are entered, and their tables: which rows are fitted and which forecast."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bayes_scaling._errors import DataError, LawError, SpecError, did_you_mean, list_names
from bayes_scaling._registry import LAWS, STUDIES
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs
from bayes_scaling.data.table import open_table
from bayes_scaling.spec import get_law
from bayes_scaling.study_spec import Study

COLUMNS = ["name", "law", "table", "summary", "constants", "forecast", "note"]


def studies(law: str | None = None) -> pd.DataFrame:
    """Return the studies as a table: name, law, table, summary, constants, forecast, note.

    Parameters
    ----------
    law
        Keep those of one law.

    Raises
    ------
    SpecError
        When no study has that law.
    """
    rows = [
        (s.name, s.law, s.table, s.summary, len(s.published), bool(s.ahead), s.note)
        for s in chosen(law)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def chosen(what: str | None) -> list[Study]:
    """Return the study of that name, the studies of the law of that name, or all.

    Raises
    ------
    SpecError
        When there is neither.
    """
    entries = [STUDIES.get(name) for name in STUDIES]
    if what is None:
        return entries
    if named := [entry for entry in entries if entry.name == what]:
        return named
    try:
        law = get_law(what).name
    except LawError:
        hint = did_you_mean(what, [*STUDIES, *LAWS])
        raise SpecError(f"'{what}' is neither a study nor a law.{hint}") from None
    if found := [entry for entry in entries if get_law(entry.law).name == law]:
        return found
    laws = sorted({get_law(entry.law).name for entry in entries})
    raise SpecError(f"no study of law '{law}' is entered; there are studies of {list_names(laws)}.")


def table_path(study: Study, data: str | Path) -> Path:
    """Return the path of a study's table.

    Raises
    ------
    DataError
        When the folder lacks it.
    """
    path = Path(data).expanduser() / study.table
    if not path.is_file():
        raise DataError(
            f"study '{study.name}' needs '{study.table}', which is not in '{data}': name the "
            "folder that holds the data sets."
        )
    return path


def study_rows(study: Study, data: str | Path) -> pd.DataFrame:
    """Return the rows of a study, numbered anew, with the columns that it adds."""
    return study.rows(open_table(table_path(study, data))).reset_index(drop=True)


def constant_rows(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the published constants were fitted to."""
    if study.constants or not (study.fitted and study.ahead):
        return _where(rows, study.constants or study.fitted)
    return _where(rows, f"({study.fitted}) or ({study.ahead})")


def forecast_rows(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows to forecast, none where nothing is."""
    return _where(rows, study.ahead) if study.ahead else rows.iloc[:0]


def fitted_rows(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the forecast is made from."""
    return _where(rows, study.fitted)


def _where(rows: pd.DataFrame, query: str) -> pd.DataFrame:
    return rows.query(query, engine="python") if query else rows


def read_study(study: Study, rows: pd.DataFrame) -> Runs:
    """Return rows of a study as runs."""
    return read_runs(rows, **study.reading())
