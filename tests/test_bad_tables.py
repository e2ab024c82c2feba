"""Every malformed table is refused in one line that says where the fault is and the mend."""

import builtins
import datetime
import gzip
import importlib.util

import numpy as np
import pandas as pd
import pytest

from bayes_scaling._errors import BayesScalingError, DataError
from bayes_scaling.data import read_runs

HEADER = "run_id,params,tokens,loss,family\n"
ROWS = [
    "a,1e9,2e10,3.0,c4\n",
    "b,2e9,4e10,2.8,c4\n",
    "c,4e9,8e10,2.6,pile\n",
    "d,8e9,2e11,2.5,pile\n",
]
GOOD = HEADER + "".join(ROWS)


def row(number, text):
    """The good table with one data row replaced."""
    return HEADER + "".join(text if k == number else r for k, r in enumerate(ROWS, start=1))


def column(name, cells):
    """The good table with one more column."""
    lines = zip(GOOD.splitlines(), [name, *cells], strict=True)
    return "".join(f"{line},{cell}\n" for line, cell in lines)


# id: (file content, options of read_runs, what names the culprit, what tells the mend)
BAD_FILES = {
    "empty": ("", {}, "'runs.csv'", "write a header"),
    "blank": ("\n \n\n", {}, "'runs.csv'", "write a header"),
    "header_only": (HEADER, {}, "'runs.csv'", "add one row"),
    "binary": (b"\x00\x01\x02\xff", {}, "'runs.csv'", "save it as CSV"),
    "excel": (b"PK\x03\x04rest", {}, "'runs.csv'", "save the table as CSV"),
    "parquet_named_csv": (b"PAR1rest", {}, "'runs.csv'", "suffix .parquet"),
    "hdf5": (b"\x89HDF\r\n", {}, "'runs.csv'", "save the table as CSV"),
    "latin1": (GOOD.replace("c4", "caf\xe9").encode("latin-1"), {}, "'runs.csv'", "UTF-8"),
    "damaged_gzip": (gzip.compress(GOOD.encode())[:30], {}, "'runs.csv'", "download it again"),
    "json": ('{"params": [1, 2], "loss": [3, 2]}', {}, "'runs.csv'", "add one row"),
    "prose": ("some notes\nabout runs\n", {}, "'some notes'", "response="),
    "open_quote": (GOOD + 'e,"1e9,2e10,3.0,c4\n', {}, "'runs.csv'", "check its quotes"),
    "short_row": (row(2, "b,2e9\n"), {}, "data row 2", "add the missing cells"),
    "long_row": (row(2, "b,2e9,4e10,2.8,c4,9\n"), {}, "data row 2", "quote cells"),
    "bare_thousands": (row(1, "a,1,000,000,000,2e10,3,c4\n"), {}, "data row 1", "quote cells"),
    "duplicate_column": (column("loss", "1234"), {}, "'loss'", "rename one"),
    "no_loss": (GOOD.replace("loss", "score"), {}, "'score'", "response="),
    "no_loss_but_near": (GOOD.replace("loss", "c4_loss_x"), {}, "'c4_loss_x'", "response='c4_l"),
    "no_input": ("loss,lab\n3,a\n", {}, "'lab'", "columns={'N'"),
    "no_input_but_near": ("loss,my_params\n3,1e9\n", {}, "'my_params'", "{'N': 'my_params'"),
    "two_losses": (column("val_loss", "1234"), {}, "'loss', 'val_loss'", "response='loss'"),
    "two_sizes": (column("n_params", "1234"), {}, "'params', 'n_params'", "columns={'N': 'par"),
    "text_loss": (row(3, "c,4e9,8e10,good,pile\n"), {}, "'loss' is not a number in row 3", "3.14"),
    "text_size": (row(1, "a,big,2e10,3.0,c4\n"), {}, "'params' is not a number in row 1", "7B"),
    "decimal_comma": (row(1, 'a,1e9,2e10,"3,05",c4\n'), {}, "row 1 ('3,05')", "decimal point"),
    "percent": (row(4, "d,8e9,2e11,25%,pile\n"), {}, "row 4 ('25%')", "write numbers"),
    "date": (row(4, "d,2024-01-01,2e11,2,pile\n"), {}, "'params'", "write numbers"),
    "missing_loss": (row(2, "b,2e9,4e10,,c4\n"), {}, "'loss' has no value in row 2", "fill in"),
    "nan_loss": (row(2, "b,2e9,4e10,NaN,c4\n"), {}, "'loss' has no value in row 2", "fill in"),
    "na_size": (row(2, "b,N/A,4e10,3,c4\n"), {}, "'params' has no", "columns={'N': None}"),
    "inf_loss": (row(2, "b,2e9,4e10,inf,c4\n"), {}, "'loss' is infinite in row 2", "correct"),
    "minus_inf": (row(4, "d,8e9,2e11,-inf,pile\n"), {}, "'loss' is infinite in row 4", "correct"),
    "zero_size": (row(1, "a,0,2e10,3.0,c4\n"), {}, "'params' must be above zero", "row 1: correct"),
    "negative_tokens": (row(4, "d,8e9,-1,3,pile\n"), {}, "'tokens' must be above zero", "row 4"),
    "truth_loss": (
        GOOD.replace("3.0", "True")
        .replace("2.8", "True")
        .replace("2.6", "false")
        .replace("2.5", "FALSE"),
        {},
        "'loss' holds True/False",
        "column of numbers",
    ),
    "repeated_ids": (GOOD.replace("b,2e9", "a,2e9"), {}, "'a' in rows 1, 2", "run='run_id'"),
    "repeated_named_ids": (GOOD, {"run_id": "family"}, "'c4', 'pile'", "run='family'"),
    "missing_id": (row(2, ",2e9,4e10,2.8,c4\n"), {}, "'run_id' has no label in row 2", "fill in"),
    "no_group": (GOOD, {"group": "famly"}, "'famly'", "Did you mean 'family'?"),
    "group_not_there": (GOOD, {"group": "zzz"}, "group names no column 'zzz'", "Columns: 'run_id'"),
    "group_with_a_slash": (
        GOOD.replace("family", "fam/ily", 1),
        {"group": "fam/ily"},
        "'fam/ily'",
        "has a '/' in its name: rename it",
    ),
    "group_twice": (GOOD, {"group": ["family", "family"]}, "'family'", "name each once"),
    "empty_label": (row(2, "b,2e9,4e10,2.8,\n"), {"group": "family"}, "'family'", "row 2: fill in"),
    "no_response": (GOOD, {"response": "lss"}, "'lss'", "Did you mean 'loss'?"),
    "response_is_input": (GOOD, {"response": "tokens"}, "'tokens'", "columns={'Y': 'tokens'}"),
    "response_absent": (GOOD, {"response": "err"}, "Columns:", "response='loss'"),
    "response_twice": (
        column("other", "1234"),
        {"response": "other", "columns": {"L": "loss"}},
        "'other'",
        "keep one",
    ),
    "mapped_column": (GOOD, {"columns": {"N": "parms"}}, "'parms'", "Did you mean 'params'?"),
    "mapped_twice": (GOOD, {"columns": {"N": "params", "G": "params"}}, "'params'", "keep one"),
    "mapped_alias": (GOOD, {"columns": {"loss": "loss"}}, "'loss'", "pass {'L': ...}"),
    "mapped_bad_name": (GOOD, {"columns": {"a b": "loss"}}, "'a b'", "letters, digits"),
    "run_not_there": (GOOD, {"run": "runid"}, "'runid'", "Did you mean 'run_id'?"),
    "run_id_not_there": (GOOD, {"run_id": "id"}, "run_id names no column 'id'", "Columns:"),
    "se_not_there": (GOOD, {"se": "sd"}, "se names no column 'sd'", "Columns:"),
    "se_negative": (column("sd", [1, -1, 1, -2]), {"se": "sd"}, "'sd'", "rows 2, 4: correct"),
    "se_missing": (column("sd", [1, "", 1, 1]), {"se": "sd"}, "'sd'", "row 2: correct"),
    "where_column": (GOOD, {"where": {"familly": "c4"}}, "'familly'", "Did you mean 'family'?"),
    "where_value": (GOOD, {"where": {"family": "c5"}}, "'family'", "values are 'c4', 'pile'"),
    "where_both": (
        GOOD,
        {"where": {"family": "c4", "loss": 2.5}},
        "'loss'",
        "values are '3', '2.8'",
    ),
    "billions": (
        "params,tokens,loss\n1.3,2e10,3\n7,4e10,2\n",
        {},
        "'params' looks like it is in billions",
        "units={'N': 1e9}",
    ),
    "millions": (
        "params,tokens,loss\n160,2e10,3\n410,4e10,2\n",
        {},
        "'params' looks like it is in millions",
        "units={'N': 1e6}",
    ),
    "token_billions": (
        "params,tokens,loss\n1e9,20,3\n7e9,40,2\n",
        {},
        "'tokens' looks like it is in billions",
        "multiply by 1e9",
    ),
    "units_unread": (GOOD, {"units": {"C": 1e18}}, "units names 'C'", "given for 'N', 'D'"),
    "units_zero": (GOOD, {"units": {"N": 0}}, "units={'N': 0}", "above zero"),
    "units_text": (GOOD, {"units": {"N": "1e9"}}, "units={'N': '1e9'}", "above zero"),
}


def assert_one_line(error, culprit, mend):
    text = str(error)
    assert "\n" not in text
    assert culprit in text
    assert mend in text
    assert isinstance(error, BayesScalingError)


@pytest.mark.parametrize(
    ("content", "options", "culprit", "mend"), BAD_FILES.values(), ids=BAD_FILES.keys()
)
def test_bad_files_are_refused_and_left_alone(tmp_path, content, options, culprit, mend):
    path = tmp_path / "runs.csv"
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_runs(path, **options)
    assert_one_line(caught.value, culprit, mend)
    assert path.read_bytes() == raw
    assert [each.name for each in tmp_path.iterdir()] == ["runs.csv"]


COLUMNS = {"params": [1e9, 2e9], "tokens": [2e10, 4e10], "loss": [3.0, 2.8]}
DAY = datetime.date(2024, 1, 1)

BAD_OBJECTS = {
    "none": (None, "NoneType", "give a path"),
    "list_of_rows": ([{"N": 1e9, "L": 3}], "list", "dict of columns"),
    "array": (np.ones((3, 2)), "ndarray", "dict of columns"),
    "series": (pd.Series([1.0]), "Series", "data frame"),
    "empty_dict": ({}, "no columns", "one row per training run"),
    "empty_columns": ({"N": [], "L": []}, "no rows", "one row per training run"),
    "empty_frame": (pd.DataFrame(COLUMNS).iloc[:0], "no rows", "one row per training run"),
    "lengths": (COLUMNS | {"loss": [3.0]}, "'loss' has 1", "one cell per run"),
    "matrix": (COLUMNS | {"loss": np.ones((2, 2))}, "'loss' has shape (2, 2)", "one number per"),
    "truth": (COLUMNS | {"loss": [True, False]}, "'loss' holds True/False", "column of numbers"),
    "mixed_truth": (COLUMNS | {"loss": [3.0, True]}, "'loss' is not a number in row 2", "numbers"),
    "complex": (COLUMNS | {"loss": [1j, 2.0]}, "'loss' holds complex", "column of numbers"),
    "dates": (COLUMNS | {"loss": pd.to_datetime(["2024", "2025"])}, "'loss' holds dates", "column"),
    "spans": (COLUMNS | {"loss": pd.to_timedelta([1, 2])}, "'loss' holds dates or times", "column"),
    "day_objects": (COLUMNS | {"loss": [DAY, DAY]}, "'loss' is not a number in rows 1, 2", "write"),
    "lists": (COLUMNS | {"loss": [[1.0], [2.0]]}, "'loss' is not a number in rows 1, 2", "write"),
    "none_cell": (COLUMNS | {"loss": [None, 2.0]}, "'loss' has no value in row 1", "fill in"),
    "huge_integer": (COLUMNS | {"params": [10**400, 1e9]}, "'params' is infinite in row 1", "corr"),
    "pandas_na": (
        pd.DataFrame(COLUMNS).assign(loss=pd.array([pd.NA, 2.0], dtype="Float64")),
        "'loss' has no value in row 1",
        "fill in",
    ),
    "repeated_names": (
        pd.DataFrame([[1e9, 3.0, 3.0]], columns=["N", "L", "L"]),
        "'L'",
        "rename one",
    ),
    "names_that_become_equal": ({"N": [1e9], "L": [3.0], " L": [2.0]}, "'L'", "rename one"),
    "levels_of_columns": (pd.DataFrame({("a", "N"): [1.0]}), "several levels", "flatten"),
}


@pytest.mark.parametrize(
    ("source", "culprit", "mend"), BAD_OBJECTS.values(), ids=BAD_OBJECTS.keys()
)
def test_bad_objects_are_refused(source, culprit, mend):
    with pytest.raises(DataError) as caught:
        read_runs(source)
    assert_one_line(caught.value, culprit, mend)


def test_many_bad_rows_are_counted():
    columns = {"N": [1e9] * 20, "L": [3.0] * 10 + [None] * 10}
    with pytest.raises(DataError, match="in rows 11, 12, 13, 14, 15 and 5 more"):
        read_runs(columns)


def test_a_missing_file_is_named_with_its_neighbour(tmp_path):
    (tmp_path / "runs.csv").write_text(GOOD)
    with pytest.raises(DataError, match=r"'.*rusn.csv' was not found.*Did you mean 'runs.csv'"):
        read_runs(tmp_path / "rusn.csv")
    with pytest.raises(DataError, match=r"there is no folder"):
        read_runs(tmp_path / "nowhere" / "runs.csv")
    with pytest.raises(DataError, match=r"is a folder: name the table file"):
        read_runs(tmp_path)


def test_a_file_that_cannot_be_opened_says_so(tmp_path):
    with pytest.raises(DataError, match="check the path"):
        read_runs(tmp_path / ("x" * 300 + ".csv"))


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "runs.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"'runs.parquet' is not a readable parquet file: write"):
        read_runs(path)


def test_parquet_without_pyarrow_names_the_install_command(tmp_path, monkeypatch):
    path = tmp_path / "runs.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="python -m pip install pyarrow"):
        read_runs(path)


def test_csv_and_dicts_need_neither_pyarrow_nor_polars(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    real = builtins.__import__

    def guarded(name, *args, **kwargs):
        assert name.partition(".")[0] not in {"pyarrow", "polars", "jax"}
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", guarded)
    assert read_runs(path).n == 4
    assert read_runs(COLUMNS).n == 2


def test_the_good_table_is_good(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(GOOD)
    runs = read_runs(path, group="family")
    assert list(runs.run_id) == list("abcd")
    assert {note.severity for note in runs.notes} == {"info"}
