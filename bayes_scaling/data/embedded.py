"""Published losses on the Pile that ship with the package, each row with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files

import pandas as pd

from bayes_scaling._errors import DataError, Note, did_you_mean, list_names
from bayes_scaling.data.load import read_runs
from bayes_scaling.data.runs import Runs

FILE = "pile_losses.csv"


def published_runs(
    use: str | Sequence[str] = "fit",
    group: str | None = "family",
    families: Sequence[str] | None = None,
    *,
    embeddings: bool = True,
) -> Runs:
    """Return published losses of language models trained on the Pile.

    The 22 rows of ``"fit"`` were evaluated alike (Dey et al. 2023): Cerebras-GPT, its muP variant,
    Pythia, and one model each of GPT-J and GPT-NeoX.

    Parameters
    ----------
    use
        Which rows: ``"fit"``; ``"extra"`` (Pythia on the deduplicated Pile, same evaluation);
        ``"other_eval"`` (another tokenizer and test set: Dao and Gu 2024); ``"suspect"``
        (probable misprints); or several that share an evaluation.
    group
        Grouping column, None for none.
    families
        Families to keep; all by default.
    embeddings
        Whether N counts the embeddings. Without them, rows whose paper gives no such count are
        left out. Families tie and pad their embeddings differently, so that counts without them
        compare better between families.

    Raises
    ------
    DataError
        When ``use`` or ``families`` names nothing, or the rows come from different evaluations.

    Examples
    --------
    >>> len(published_runs()), len(published_runs(families=["Pythia"], embeddings=False))
    (22, 8)
    """
    table = _one_evaluation(_keep(_keep(published_table(), "use", use), "family", families))
    column = "params" if embeddings else "params_non_embed"
    counted = table.loc[table[column].notna()]
    if counted.empty:
        raise DataError(f"no row has a count without embeddings in {list_names(_families(table))}.")
    runs = read_runs(counted, group=group, run_id="model", columns={"N": column})
    return replace(runs, notes=(*runs.notes, *_notes(table, counted, embeddings)))


def published_table() -> pd.DataFrame:
    """Return every embedded row with its ``source``, as printed there.

    Columns: family, model, params, params_non_embed, tokens, loss, unit, use, source, note.
    """
    with files("bayes_scaling.data").joinpath(FILE).open(encoding="utf-8") as text:
        return pd.read_csv(text)


def _families(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table["family"]))


def _keep(table: pd.DataFrame, column: str, wanted: str | Sequence[str] | None) -> pd.DataFrame:
    if wanted is None:
        return table
    asked = [wanted] if isinstance(wanted, str) else list(wanted)
    known = list(dict.fromkeys(table[column]))
    stray = [name for name in asked if name not in known]
    if stray or not asked:
        name = stray[0] if stray else ""
        hint = did_you_mean(name, known)
        raise DataError(f"no published runs of {column} {name!r}: use {list_names(known)}.{hint}")
    return table.loc[table[column].isin(asked)]


def _one_evaluation(table: pd.DataFrame) -> pd.DataFrame:
    units = table["unit"].unique()
    if len(units) > 1:
        raise DataError(
            f"these rows come from {len(units)} evaluations ({'; '.join(map(str, units))}), whose"
            " losses cannot be compared: choose one with use=... or families=..."
        )
    return table


def _notes(table: pd.DataFrame, counted: pd.DataFrame, embeddings: bool) -> list[Note]:
    sources = "; ".join(dict.fromkeys(counted["source"]))
    count = "all parameters" if embeddings else "parameters without embeddings"
    said = f"{len(counted)} published losses on the Pile ({sources}); N counts {count}."
    notes = [Note("published_runs", "info", said)]
    missing = list(table["model"][~table["model"].isin(counted["model"])])
    if missing:
        gone = f"left out for want of a count without embeddings: {list_names(missing)}."
        notes.append(Note("no_count", "info", gone))
    return notes
