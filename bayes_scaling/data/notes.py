"""Notes on a table as a whole: what was computed, what disagrees, what is too thin."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from bayes_scaling._errors import Note, list_names
from bayes_scaling.data.validate import rows_text
from bayes_scaling.symbols import complete


def completion_notes(formulas: list[str]) -> list[Note]:
    """Return a note for each symbol computed from others."""
    texts = [formula.replace(" = ", " was computed as ", 1) for formula in formulas]
    return [Note("completed", "info", f"{text}.") for text in texts]


def relation_notes(table: pd.DataFrame, values: Mapping[str, np.ndarray]) -> list[Note]:
    """Return notes where a given C or M is more than a factor 3 off what N and D say."""
    if not {"N", "D"} <= values.keys():
        return []
    implied, _ = complete({"N": values["N"], "D": values["D"]})
    codes = {"C": ("c_not_6nd", "6 N D"), "M": ("m_not_d_over_n", "D / N")}
    notes: list[Note] = []
    for symbol, (code, formula) in codes.items():
        given = values.get(symbol, implied[symbol])
        bad = np.abs(np.log(given / implied[symbol])) > math.log(3)
        if bad.any():
            message = f"{symbol} differs from {formula} by more than a factor 3 in"
            advice = f"Check the units of N, D and {symbol}, and which parameters N counts."
            notes.append(Note(code, "warning", f"{message} {rows_text(table, bad)}.", advice))
    return notes


def duplicate_notes(table: pd.DataFrame, read: Mapping[str, np.ndarray]) -> list[Note]:
    """Return a note when rows agree in everything that was read."""
    repeated = pd.DataFrame(dict(read), index=table.index).duplicated(keep=False).to_numpy()
    if not repeated.any():
        return []
    message = f"{rows_text(table, repeated)} repeat other rows in every column that is read."
    advice = "Remove copies: each counts as an independent run."
    return [Note("duplicate_rows", "warning", message[0].upper() + message[1:], advice)]


def group_notes(labels: Mapping[str, np.ndarray]) -> Iterator[Note]:
    """Yield notes on groups too small to learn from and labels that differ only in case."""
    for name, each in labels.items():
        levels, counts = np.unique(each, return_counts=True)
        single = [str(level) for level in levels[counts == 1]]
        if len(single) == len(each) > 1:
            message = f"every row has its own {name!r}: pooling has nothing to compare within."
            yield Note("group_all_unique", "warning", message, "Group by a coarser column.")
        elif single and len(levels) > 1:
            message = f"{len(single)} level(s) of {name!r} have one row: {list_names(single, 5)}."
            yield Note("one_row_family", "warning", message, "They borrow almost all from others.")
        yield from _spelling_notes(name, [str(level) for level in levels])


def _spelling_notes(name: str, levels: list[str]) -> Iterator[Note]:
    folded: dict[str, list[str]] = {}
    for level in levels:
        folded.setdefault(level.casefold(), []).append(level)
    alike = [spellings for spellings in folded.values() if len(spellings) > 1]
    if alike:
        message = f"{name!r} has labels that differ only in case: {list_names(alike[0])}."
        yield Note("similar_labels", "warning", message, "Write them alike if they are one.")
