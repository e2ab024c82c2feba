"""Decide which column of a table stands for which symbol."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from bayes_scaling._errors import DataError, Note, SpecError, did_you_mean, list_names
from bayes_scaling.data.table import cells_of
from bayes_scaling.quantity import parse_quantity
from bayes_scaling.symbols import COVARIATES, RESPONSES, SYMBOLS, find_symbol

_ESSENTIAL = {"N", "D", "C"}
_Settled = dict[str, str | None]


@dataclass(frozen=True)
class Matched:
    """Symbol to column name for everything that will be read, and what was left out.

    ``optional`` are the symbols found by name alone that most laws do not take; a fault in
    their columns must not stop anyone from using the rest of the table.
    """

    columns: Mapping[str, str]
    response: str
    optional: frozenset[str]
    notes: tuple[Note, ...]


def check_column(table: pd.DataFrame, name: object, argument: str) -> str:
    """Return the name of an existing column.

    Raises
    ------
    DataError
        Naming the argument, the nearest column and the columns there are.
    """
    if isinstance(name, str) and name in table.columns:
        return name
    columns = [str(column) for column in table.columns]
    hint = did_you_mean(str(name), columns)
    raise DataError(f"{argument} names no column {name!r}.{hint} Columns: {list_names(columns)}")


def match_columns(
    table: pd.DataFrame, columns: Mapping[str, str | None], response: str | None
) -> Matched:
    """Return which column each symbol is read from.

    Parameters
    ----------
    table
        The opened table.
    columns
        What the caller said: canonical symbol or new name to column, or to None to leave it out.
    response
        Canonical symbol or column of the response; None takes L, else the first there is.

    Raises
    ------
    DataError
        When a column is missing or ambiguous, or no response or covariate can be found.
    """
    settled = _check_named(table, columns)
    target, settled = _settle_response(table, settled, response)
    candidates = _candidates(table, settled)
    target = target or _choose_response(table, settled, candidates)
    if target not in settled:
        settled[target] = _only(target, candidates, table)
    inputs, notes = _inputs(candidates)
    matched = {**inputs, **{symbol: column for symbol, column in settled.items() if column}}
    _need_input(table, matched, target)
    return Matched(matched, target, frozenset(inputs) - _ESSENTIAL, tuple(notes))


# --- what the caller said ------------------------------------------------------------------


def _check_named(table: pd.DataFrame, columns: Mapping[str, str | None]) -> _Settled:
    settled: _Settled = {}
    for symbol, column in columns.items():
        _check_symbol(symbol)
        if column is not None and column in settled.values():
            raise DataError(f"columns gives column {column!r} to two symbols: keep one of them")
        what = f"columns={{{symbol!r}: ...}}"
        settled[symbol] = None if column is None else check_column(table, column, what)
    return settled


def _check_symbol(name: str) -> None:
    known = find_symbol(name)
    if known and known != name:
        raise DataError(f"columns: {name!r} is written {known!r} here: pass {{{known!r}: ...}}")
    if not name.isidentifier():
        raise DataError(f"columns: {name!r} cannot be a name: use letters, digits and _ only")


def _settle_response(
    table: pd.DataFrame, settled: _Settled, response: str | None
) -> tuple[str | None, _Settled]:
    """Return the response's symbol if it was said, and its column among the settled ones."""
    if response is None or settled.get(response):
        return response, settled
    by_column = [symbol for symbol, column in settled.items() if column == response]
    if by_column:
        return by_column[0], settled
    if response in RESPONSES and response not in table.columns:
        return response, settled
    column = check_column(table, response, "response")
    symbol = find_symbol(column) or "L"
    if symbol in COVARIATES:
        raise DataError(
            f"response column {column!r} reads as {symbol} ({COVARIATES[symbol].meaning}), an"
            f" input: to predict it pass columns={{'Y': {column!r}}} and response='Y'"
        )
    if settled.get(symbol):
        raise DataError(
            f"response={column!r} and columns={{{symbol!r}: {settled[symbol]!r}}} disagree:"
            " keep one of them"
        )
    return symbol, {**settled, symbol: column}


# --- what the names say --------------------------------------------------------------------


def _candidates(table: pd.DataFrame, settled: _Settled) -> dict[str, list[str]]:
    """Return the columns that each symbol not yet settled might be, in column order."""
    found: dict[str, list[str]] = {}
    for column in table.columns:
        symbol = find_symbol(column)
        if symbol and symbol not in settled and column not in settled.values():
            found.setdefault(symbol, []).append(column)
    return {symbol: _clearest(table, symbol, names) for symbol, names in found.items()}


def _clearest(table: pd.DataFrame, symbol: str, columns: list[str]) -> list[str]:
    """Return the column called by the symbol itself, else those that hold numbers."""
    if symbol in columns:
        return [symbol]
    return [column for column in columns if _numeric(cells_of(table, column))] or columns


def _numeric(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return not pd.api.types.is_bool_dtype(column)
    first = column.dropna().head(1).tolist()
    try:
        return bool(first) and parse_quantity(first[0]) is not None
    except SpecError:
        return False


def _choose_response(
    table: pd.DataFrame, settled: _Settled, candidates: Mapping[str, list[str]]
) -> str:
    """Return L when there is one, else the first recognised response in column order."""
    known = [symbol for symbol in (*settled, *candidates) if symbol in RESPONSES]
    known = [symbol for symbol in known if settled.get(symbol, "unsettled")]
    if not known:
        raise DataError(_no_response(table))
    return "L" if "L" in known else known[0]


def _no_response(table: pd.DataFrame) -> str:
    names = list(table.columns)
    near = [name for name in names if re.search(r"loss|nll|perplexity|err", name, re.IGNORECASE)]
    example = near[0] if near else "your column"
    return (
        f"no column is recognised as the loss: name it with response={example!r}."
        f" Columns: {list_names(names)}"
    )


def _only(symbol: str, candidates: Mapping[str, list[str]], table: pd.DataFrame) -> str:
    columns = candidates.get(symbol, [])
    if not columns:
        raise DataError(_no_response(table))
    if len(columns) > 1:
        raise DataError(_ambiguous(symbol, columns, f"response={columns[0]!r}"))
    return columns[0]


def _inputs(candidates: Mapping[str, list[str]]) -> tuple[dict[str, str], list[Note]]:
    """Return the covariates found by name, and a note for each optional one that is unclear."""
    found: dict[str, str] = {}
    notes: list[Note] = []
    for symbol in (each for each in candidates if each in COVARIATES):
        columns = candidates[symbol]
        unclear = _ambiguous(symbol, columns, f"columns={{{symbol!r}: {columns[0]!r}}}")
        if len(columns) == 1:
            found[symbol] = columns[0]
        elif symbol in _ESSENTIAL:
            raise DataError(unclear)
        else:
            notes.append(left_out(symbol, unclear))
    return found, notes


def left_out(symbol: str, reason: str) -> Note:
    """Return the note for an optional covariate that cannot be read."""
    message = f"{symbol} ({SYMBOLS[symbol].meaning}) was left out: {reason}"
    advice = f"To silence this, pass columns={{{symbol!r}: None}}."
    return Note("column_left_out", "warning", message, advice)


def _ambiguous(symbol: str, columns: list[str], mend: str) -> str:
    meaning = SYMBOLS[symbol].meaning
    return f"columns {list_names(columns)} could each be {symbol} ({meaning}): choose with {mend}"


def _need_input(table: pd.DataFrame, matched: Mapping[str, str], response: str) -> None:
    if set(matched) == {response}:
        letters = {name: name for name in table.columns if name in COVARIATES}
        words = (("N", "param"), ("D", "token"))
        examples = letters or {symbol: _like(table, word) for symbol, word in words}
        raise DataError(
            "no column is recognised as an input such as N (parameters) or D (tokens): name them"
            f" with columns={examples}. Columns: {list_names(table.columns)}"
        )


def _like(table: pd.DataFrame, word: str) -> str:
    """Return the first column whose name has the word, else a placeholder."""
    return next((name for name in table.columns if word in name.lower()), "your column")
