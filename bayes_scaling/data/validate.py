"""Turn columns into arrays, refusing what cannot be right and noting what looks wrong.

Every refusal is one line with the column, the data rows (numbered from 1, header not
counted) and the mend.
"""

import math
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError, Note, SpecError, list_names
from bayes_scaling.data.table import MISSING, cells_of
from bayes_scaling.quantity import format_quantity, parse_quantity
from bayes_scaling.symbols import COVARIATES, SYMBOLS

_SHOW = 5

# Counts that are surely in larger units: median below the first number and either some
# fractional value or all values below the second.
_SURELY_SCALED = {"N": (1e3, 1e4), "D": (1e4, 1e5)}
_POSITIVE = {name for name, known in COVARIATES.items() if known.low > 0} | {"N_opt", "D_opt"}


# --- numbers -------------------------------------------------------------------------------


def rows_text(table: pd.DataFrame, bad: np.ndarray) -> str:
    """Return ``"row 3"`` or ``"rows 1, 2, 5, 6, 9 and 4 more"`` for a mask over the table."""
    numbers = [str(int(index) + 1) for index in table.index[bad]]
    shown, rest = ", ".join(numbers[:_SHOW]), len(numbers) - _SHOW
    more = f" and {rest} more" if rest > 0 else ""
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{more}"


def read_numbers(table: pd.DataFrame, column: str, symbol: str) -> np.ndarray:
    """Return a column as finite float64 values, shape (n,), as written in the table.

    Parameters
    ----------
    table
        The opened table; its index counts the rows of the source.
    column
        Column to read. Numbers written as ``70B`` or ``1_000`` are understood.
    symbol
        What the column stands for; counts must be above zero.

    Raises
    ------
    DataError
        For text, truth values, dates, complex or missing or infinite numbers, and for counts
        that are not positive.
    """
    values = _to_numbers(table, column)
    leave = f", or pass columns={{{symbol!r}: None}}" if symbol in COVARIATES else ""
    _refuse(table, np.isnan(values), f"column {column!r} has no value in", f"fill in{leave}")
    _refuse(table, np.isinf(values), f"column {column!r} is infinite in", f"correct{leave}")
    if symbol in _POSITIVE:
        what = f"column {column!r} must be above zero, it is not in"
        _refuse(table, values <= 0, what, f"correct{leave}")
    return values


def read_optional(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as float64 values, shape (n,), NaN where a cell is empty.

    Raises
    ------
    DataError
        For text, truth values, dates, complex or infinite numbers.
    """
    values = _to_numbers(table, column)
    _refuse(table, np.isinf(values), f"column {column!r} is infinite in", "correct")
    return values


def read_errors(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return known standard errors, shape (n,), finite and not negative."""
    values = _to_numbers(table, column)
    what = f"standard errors in column {column!r} are missing or not a number >= 0 in"
    _refuse(table, ~(np.isfinite(values) & (values >= 0)), what, "correct")
    return values


def read_counts(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return numbers of items, shape (n,), whole and at least one."""
    values = _to_numbers(table, column)
    what = f"numbers of items in column {column!r} are missing or not whole numbers >= 1 in"
    _refuse(table, ~((values >= 1) & (values == np.floor(values))), what, "correct")
    return values


def _refuse(table: pd.DataFrame, bad: np.ndarray, what: str, mend: str) -> None:
    if bad.any():
        verb, _, rest = mend.partition(",")
        where = rows_text(table, bad)
        raise DataError(f"{what} {where}: {verb} or remove such rows{',' if rest else ''}{rest}")


def _to_numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    cells = cells_of(table, column)
    kind = _wrong_kind(cells)
    if kind:
        raise DataError(f"column {column!r} holds {kind}, not numbers: name a column of numbers")
    if pd.api.types.is_numeric_dtype(cells):
        return np.array(cells.to_numpy(dtype=np.float64, na_value=np.nan), copy=True)
    values = [_cell_number(cell) for cell in cells]
    bad = np.array([value is None for value in values])
    if bad.any():
        raise DataError(_not_numbers(table, column, bad))
    return np.array(values, dtype=np.float64)


def _wrong_kind(cells: pd.Series) -> str:
    types = pd.api.types
    if types.is_bool_dtype(cells):
        return "True/False"
    if types.is_complex_dtype(cells):
        return "complex numbers"
    dated = types.is_datetime64_any_dtype(cells) or types.is_timedelta64_dtype(cells)
    return "dates or times" if dated or isinstance(cells.dtype, pd.PeriodDtype) else ""


def _cell_number(cell: Any) -> float | None:
    """Return the number in a cell, NaN when it is empty, None when it holds no number."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return math.nan
    if isinstance(cell, str):
        return _text_number(cell)
    # Decimal is no Real, yet converts; truth values are Real, yet no measurement.
    if isinstance(cell, bool | np.bool_) or not hasattr(cell, "__float__"):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None
    except OverflowError:
        return math.inf


def _text_number(text: str) -> float | None:
    if text.strip().lower() in MISSING:
        return math.nan
    try:
        return parse_quantity(text)
    except SpecError:
        return None


def _not_numbers(table: pd.DataFrame, column: str, bad: np.ndarray) -> str:
    cells = list_names(dict.fromkeys(str(cell)[:30] for cell in cells_of(table, column)[bad]), 3)
    return (
        f"column {column!r} is not a number in {rows_text(table, bad)} ({cells}): write numbers"
        " like 7e9, 7B or 3.14 (with a decimal point), or remove such rows"
    )


# --- labels --------------------------------------------------------------------------------


def read_labels(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as text labels, shape (n,), whole numbers without a decimal point.

    Raises
    ------
    DataError
        When a label is missing or blank.
    """
    labels = [label_text(cell) for cell in cells_of(table, column)]
    empty = np.array([not label for label in labels])
    _refuse(table, empty, f"column {column!r} has no label in", "fill in")
    return np.array(labels, dtype=str)


def label_text(cell: Any) -> str:
    """Return a cell as a label; ``""`` when it is empty."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return ""
    if isinstance(cell, Real) and not isinstance(cell, Integral):
        value = float(cell)
        return "" if math.isnan(value) else f"{value:.15g}"
    return str(cell).strip()


def read_ids(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return the labels of a column that must name every row differently, shape (n,)."""
    labels = read_labels(table, column)
    repeated = pd.Series(labels).duplicated(keep=False).to_numpy()
    if repeated.any():
        names = list_names(dict.fromkeys(labels[repeated]), 3)
        raise DataError(
            f"column {column!r} repeats {names} in {rows_text(table, repeated)}: make ids unique,"
            f" or pass run={column!r} if rows are checkpoints of one run"
        )
    return labels


# --- magnitudes ----------------------------------------------------------------------------


def check_units(symbol: str, column: str, values: np.ndarray) -> Iterator[Note]:
    """Yield notes on values that seem to be in another unit than the vocabulary's.

    Raises
    ------
    DataError
        When a count of parameters or tokens is surely in thousands, millions or billions.
    """
    median = float(np.median(values))
    if _surely_scaled(symbol, values):
        raise DataError(_scaled_text(symbol, column, median))
    known = SYMBOLS.get(symbol)
    if symbol == "L" and _in_bits(column):
        yield Note(
            "loss_in_bits",
            "warning",
            f"column {column!r} seems to be in bits; priors expect nats.",
            "Pass units={'L': 0.6931}, or units={'L': 1} to keep it.",
        )
    if known and not known.low <= median <= known.high:
        yield _magnitude_note(symbol, column, median)


def _surely_scaled(symbol: str, values: np.ndarray) -> bool:
    below, largest = _SURELY_SCALED.get(symbol, (-math.inf, -math.inf))
    fractional = np.any(values != np.round(values))
    return bool(np.median(values) < below and (fractional or values.max() < largest))


def _scaled_text(symbol: str, column: str, median: float) -> str:
    word, factor = ("millions", "1e6") if median >= 100 else ("billions", "1e9")
    return (
        f"column {column!r} looks like it is in {word} (median {median:.4g}): multiply by"
        f" {factor}, or pass units={{{symbol!r}: {factor}}} ({{{symbol!r}: 1}} to keep it)"
    )


def _in_bits(column: str) -> bool:
    words = "".join(letter if letter.isalnum() else " " for letter in column.lower()).split()
    return bool({"bpb", "bpc", "bit", "bits"} & set(words))


def _magnitude_note(symbol: str, column: str, median: float) -> Note:
    known = SYMBOLS[symbol]
    if symbol == "L":
        guess = "is this perplexity, or a loss summed over tokens?"
    elif symbol == "err":
        guess = "an error rate lies between 0 and 1; is this in percent?"
    else:
        span = f"{format_quantity(known.low)} to {format_quantity(known.high)}"
        guess = f"{known.meaning} usually lies within {span}."
    return Note(
        "loss_large" if symbol == "L" else "units_suspect",
        "warning",
        f"column {column!r} has median {format_quantity(median)}: {guess}",
        f"Pass units={{{symbol!r}: factor}} to convert, or units={{{symbol!r}: 1}} to keep it.",
    )


def _may_be_nought(symbol: str, values: np.ndarray) -> bool:
    """Whether zero is a good value: of inputs that the vocabulary says may be, and of shares."""
    known = COVARIATES.get(symbol)
    if known is not None:
        return -math.inf < known.low <= min(values.min(), 0.0)
    return symbol not in SYMBOLS and bool(values.min() >= 0 and values.max() <= 1)


def sign_notes(symbol: str, column: str, values: np.ndarray) -> Iterator[Note]:
    """Yield a note on zeros and negative values where these are allowed."""
    count = int(np.sum(values <= 0))
    if not count or _may_be_nought(symbol, values):
        return
    role = "covariate" if symbol in COVARIATES or symbol not in SYMBOLS else "response"
    yield Note(
        f"{role}_not_positive",
        "warning",
        f"column {column!r} is zero or negative in {count} row(s).",
        "Laws and noise models on a log scale cannot take it.",
    )
