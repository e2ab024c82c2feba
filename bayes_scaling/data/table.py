"""Open any source of a table as a pandas frame whose index is the row number from 0.

Nothing here knows what the columns mean; it only makes sure there is one table with
distinct column names and at least one row. Sources are never written to.
"""

import csv
import gzip
import importlib.util
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import DataError, did_you_mean, list_names

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-"})
"""Texts that stand for no value in a column of numbers, in lower case."""

_DELIMITERS = ",;\t|"
_FOREIGN = {
    b"PAR1": "a parquet file: give it the suffix .parquet",
    b"PK": "a zip or Excel file: save the table as CSV",
    b"\x89HDF": "an HDF5 file: save the table as CSV",
}


def open_table(source: Any) -> pd.DataFrame:
    """Return any supported source as a fresh frame with index 0..n-1 and text column names.

    Parameters
    ----------
    source
        Path to a CSV, TSV or parquet file (gzip is recognised by its content), a frame that
        narwhals knows, or a mapping of column name to a sequence of cells.

    Raises
    ------
    DataError
        When the source is missing, unreadable, not a table, or holds no rows.
    """
    if isinstance(source, str | Path):
        return _has_rows(_read_file(Path(source).expanduser()), f"file {Path(source).name!r}")
    if isinstance(source, pd.DataFrame):
        return _has_rows(_from_pandas(source), "the table")
    if isinstance(source, Mapping):
        return _has_rows(_from_columns(source), "the table")
    return _has_rows(_from_frame(source), "the table")


def cells_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Return one column; unlike plain indexing, typed as the series it is."""
    return pd.Series(table[column])


def _has_rows(table: pd.DataFrame, what: str) -> pd.DataFrame:
    if not len(table.columns):
        raise DataError(f"{what} has no columns: give a table with one row per training run")
    if not len(table):
        raise DataError(f"{what} has no rows, only columns: add one row per training run")
    return table


def _distinct(names: Sequence[str], what: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{what} has more than one column {list_names(repeated)}: rename one")


# --- files ---------------------------------------------------------------------------------


def _read_file(path: Path) -> pd.DataFrame:
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _read_parquet(path)
    return _parse_text(_decode(_unzip(_read_bytes(path), path), path), path)


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(_not_found(path)) from None
    except IsADirectoryError:
        raise DataError(f"{str(path)!r} is a folder: name the table file inside it") from None
    except (OSError, ValueError) as error:
        raise DataError(f"file {path.name!r} cannot be read ({error}): check the path") from error
    if not content:
        raise DataError(f"file {path.name!r} is empty: write a header and one row per run")
    return content


def _not_found(path: Path) -> str:
    if not path.parent.is_dir():
        return f"file {str(path)!r} was not found: there is no folder {str(path.parent)!r}"
    beside = [each.name for each in path.parent.iterdir() if each.is_file()]
    hint = did_you_mean(path.name, beside)
    return f"file {str(path)!r} was not found: check the spelling of the path.{hint}"


def _unzip(content: bytes, path: Path) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"file {path.name!r} is a damaged gzip file: copy or download it again"
        ) from error


def _decode(content: bytes, path: Path) -> str:
    for magic, mend in _FOREIGN.items():
        if content.startswith(magic):
            raise DataError(f"file {path.name!r} is not text but {mend}")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not wide and b"\0" in content:
        raise DataError(f"file {path.name!r} is binary, not a table: save it as CSV or parquet")
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"file {path.name!r} is not UTF-8 text: save it as UTF-8 CSV") from error


def _parse_text(text: str, path: Path) -> pd.DataFrame:
    lines = [row for row in _read_csv(text, path) if any(cell.strip() for cell in row)]
    if not lines:
        raise DataError(f"file {path.name!r} is empty: write a header and one row per run")
    header, rows = [cell.strip() for cell in lines[0]], lines[1:]
    _same_width(header, rows, path)
    _distinct([name for name in header if name], f"file {path.name!r}")
    columns = {
        name or f"column{at + 1}": _typed([row[at].strip() for row in rows])
        for at, name in enumerate(header)
        if name or any(row[at].strip() for row in rows)
    }
    return pd.DataFrame(columns)


def _read_csv(text: str, path: Path) -> list[list[str]]:
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = _delimiter(header, path)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DataError(
            f"file {path.name!r} is not a readable CSV table ({error}): check its quotes"
        ) from error


def _delimiter(header: str, path: Path) -> str:
    if {".tsv", ".tab"} & {suffix.lower() for suffix in path.suffixes}:
        return "\t"
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)


def _same_width(header: list[str], rows: list[list[str]], path: Path) -> None:
    for number, row in enumerate(rows, start=1):
        extra = any(cell.strip() for cell in row[len(header) :])
        if len(row) < len(header) or extra:
            raise DataError(
                f"file {path.name!r}, data row {number} has {len(row)} cells where the header"
                f" has {len(header)}: add the missing cells, or quote cells that hold a comma"
            )


def _typed(cells: list[str]) -> pd.Series:
    """Return cells as numbers or as truth values where every one allows it, else as text."""
    given = [cell for cell in cells if cell.lower() not in MISSING]
    if given and all(cell.lower() in {"true", "false"} for cell in given):
        states = {"true": True, "false": False}
        return pd.Series([states.get(cell.lower()) for cell in cells])
    # Identifiers such as 007 or 20 digits would not survive becoming numbers.
    if any(re.match(r"[+-]?0\d|[+-]?\d{19}", cell) for cell in given):
        return _text(cells)
    try:
        if all(re.fullmatch(r"[+-]?\d+", cell) for cell in cells):
            return pd.Series(np.array([int(cell) for cell in cells], dtype=np.int64))
        missing = (cell.lower() in MISSING for cell in cells)
        pairs = zip(cells, missing, strict=True)
        return pd.Series([np.nan if gone else float(cell) for cell, gone in pairs], dtype=float)
    except ValueError:
        return _text(cells)


def _text(cells: list[str]) -> pd.Series:
    return pd.Series([cell or None for cell in cells], dtype=object)


def _read_parquet(path: Path) -> pd.DataFrame:
    content = _read_bytes(path)
    if importlib.util.find_spec("pyarrow") is None:
        raise DataError(
            f"file {path.name!r} needs pyarrow to be read: python -m pip install pyarrow"
        )
    import pyarrow
    import pyarrow.parquet

    try:
        return _from_frame(pyarrow.parquet.read_table(pyarrow.BufferReader(content)))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"file {path.name!r} is not a readable parquet file: write it again, or use CSV"
        ) from error


# --- frames and mappings -------------------------------------------------------------------


def _from_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    if frame.columns.nlevels > 1:
        raise DataError("the table has columns in several levels: flatten them to one name each")
    # An index with names came from a grouping and holds data; a bare one only counts rows.
    named = [name for name in frame.index.names if name is not None]
    table = frame.reset_index(drop=not named or bool(set(named) & set(frame.columns)))
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    _distinct(list(table.columns), "the table")
    return table.copy()


def _from_frame(source: Any) -> pd.DataFrame:
    import narwhals as nw

    frame = nw.from_native(source, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, nw.DataFrame):
        raise DataError(
            f"a {type(source).__name__} is not a table: give a path, a data frame, or a dict of"
            " columns"
        )
    names = [str(name) for name in frame.columns]
    _distinct(names, "the table")
    return pd.DataFrame({name.strip(): pd.Series(frame[name].to_numpy()) for name in names})


def _from_columns(source: Mapping[Any, Any]) -> pd.DataFrame:
    names = [str(name).strip() for name in source]
    _distinct(names, "the table")
    columns = dict(zip(names, source.values(), strict=True))
    lengths = {name: len(cells) for name, cells in columns.items() if _is_column(name, cells)}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} has {count}" for name, count in lengths.items())
        raise DataError(f"columns differ in length ({told}): give one cell per run in each")
    count = next(iter(lengths.values()), 1)
    return pd.DataFrame(
        {
            name: _series(cells) if name in lengths else pd.Series([cells] * count)
            for name, cells in columns.items()
        }
    )


def _is_column(name: str, cells: Any) -> bool:
    """Whether cells are a sequence rather than one value meant for every row."""
    shape = np.shape(cells) if hasattr(cells, "__array__") else None
    if shape is not None and len(shape) > 1:
        raise DataError(f"column {name!r} has shape {shape}: give one number per run")
    return bool(shape) or (shape is None and isinstance(cells, Sequence) and _not_text(cells))


def _not_text(cells: Any) -> bool:
    return not isinstance(cells, str | bytes)


def _series(cells: Any) -> pd.Series:
    """Return cells as a series without any index of their own, which pandas would align."""
    if isinstance(cells, pd.Series):
        return cells.reset_index(drop=True)
    if hasattr(cells, "__array__"):
        return pd.Series(np.asarray(cells))
    try:
        return pd.Series(list(cells))
    except OverflowError:  # some pandas convert integers beyond float range, others keep them
        return pd.Series(list(cells), dtype=object)
