import gzip
import pickle

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bayes_scaling._errors import DataError
from bayes_scaling.data import Runs, constant_columns, read_runs

COLUMNS = {
    "params": [1_000_000_000, 2_000_000_000, 4_000_000_000, 8_000_000_000],
    "tokens": [2e10, 4e10, 8e10, 1.5e11],
    "val_loss": [3.0, 2.8, 2.65, 2.5],
    "family": ["c4", "c4", "pile", "pile"],
    "lab": ["A", "A", "B", "B"],
    "size": [1, 1, 2, 2],
}
CSV = pd.DataFrame(COLUMNS).to_csv(index=False)


def table(**changes):
    return {**COLUMNS, **changes}


def codes(runs):
    return [note.code for note in runs.notes]


def assert_same(a: Runs, b: Runs):
    assert (a.response, a.groups, codes(a)) == (b.response, b.groups, codes(b))
    pd.testing.assert_frame_equal(a.frame(), b.frame())


# --- sources -------------------------------------------------------------------------------


def test_values_are_canonical_and_closed():
    runs = read_runs(COLUMNS, group=["lab", "family"])
    assert list(runs.values) == ["N", "D", "L", "C", "M"]
    assert runs.response == "L"
    assert len(runs) == runs.n == 4
    assert all(each.dtype == np.float64 and each.shape == (4,) for each in runs.values.values())
    np.testing.assert_allclose(runs.values["C"], 6 * runs.values["N"] * runs.values["D"])
    assert list(runs.covariates) == ["N", "D", "C", "M"]
    assert runs.group_levels("family") == ["c4", "pile"]
    assert list(runs.run_id) == ["row0", "row1", "row2", "row3"]
    assert runs.columns == {"N": "params", "D": "tokens", "L": "val_loss"}
    assert [str(note) for note in runs.notes] == [
        "C was computed as 6 N D.",
        "M was computed as D / N.",
    ]


def write_csv(path):
    path.write_text(CSV)


def write_bom(path):
    path.write_text(CSV, encoding="utf-8-sig")


def write_wide(path):
    path.write_text(CSV, encoding="utf-16")


def write_crlf(path):
    path.write_bytes(CSV.replace("\n", "\r\n").encode())


def write_semicolons(path):
    path.write_text(CSV.replace(",", ";"))


def write_tabs(path):
    path.write_text(CSV.replace(",", "\t"))


def write_quoted(path):
    pd.DataFrame(COLUMNS).to_csv(path, index=False, quoting=1)


def write_blank_lines(path):
    path.write_text("\n" + CSV.replace("\n", "\n\n") + ",,,,,\n")


def write_index(path):
    pd.DataFrame(COLUMNS).to_csv(path)


def write_trailing_commas(path):
    path.write_text(CSV.replace("\n", ",\n"))


@pytest.mark.parametrize(
    "write",
    [
        *(write_csv, write_bom, write_wide, write_crlf, write_semicolons, write_tabs),
        *(write_quoted, write_blank_lines, write_index, write_trailing_commas),
    ],
)
def test_spellings_of_csv_give_the_same_runs(tmp_path, write):
    path = tmp_path / "runs.csv"
    write(path)
    assert_same(read_runs(path, group="family"), read_runs(COLUMNS, group="family"))


@pytest.mark.parametrize("name", ["runs.csv.gz", "runs.tsv", "runs.tsv.gz", "runs.txt"])
def test_suffixes_and_compression(tmp_path, name):
    text = CSV.replace(",", "\t") if ".tsv" in name else CSV
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    assert_same(read_runs(str(path), group="size"), read_runs(COLUMNS, group="size"))


def test_parquet_gives_the_same_runs(tmp_path):
    path = tmp_path / "runs.parquet"
    pd.DataFrame(COLUMNS).to_parquet(path)
    assert_same(read_runs(path, group="family"), read_runs(COLUMNS, group="family"))


def to_polars(columns):
    return pl.DataFrame(columns)


def to_lazy(columns):
    return to_polars(columns).lazy()


def to_arrow(columns):
    return pa.table(columns)


def to_narwhals(columns):
    return nw.from_native(pd.DataFrame(columns))


def to_arrow_dtypes(columns):
    return pd.DataFrame(columns).convert_dtypes(dtype_backend="pyarrow")


def to_nullable(columns):
    return pd.DataFrame(columns).convert_dtypes()


def to_categories(columns):
    return pd.DataFrame(columns).astype({"family": "category", "params": "category"})


def to_named_index(columns):
    return pd.DataFrame(columns).set_index(["lab", "family"])


def to_shuffled_series(columns):
    return {name: pd.Series(cells, index=[9, 3, 1, 0]) for name, cells in columns.items()}


def to_arrays(columns):
    return {name: np.array(cells) for name, cells in columns.items()}


@pytest.mark.parametrize(
    "convert",
    [
        *(pd.DataFrame, to_polars, to_lazy, to_arrow, to_narwhals, to_arrow_dtypes),
        *(to_nullable, to_categories, to_named_index, to_shuffled_series, to_arrays),
    ],
)
@pytest.mark.parametrize("group", ["family", "size", ["lab", "family"]])
def test_frames_of_all_kinds_give_the_same_runs(convert, group):
    source = convert(COLUMNS)
    assert_same(read_runs(source, group=group), read_runs(COLUMNS, group=group))


def test_one_value_in_a_mapping_is_meant_for_every_row():
    runs = read_runs(table(family="c4", lr=3e-4), group="family")
    assert runs.group_levels("family") == ["c4"]
    assert constant_columns(runs) == ["lr"]


def test_runs_are_returned_as_they_are():
    runs = read_runs(COLUMNS, group="family")
    assert read_runs(runs) is runs
    assert read_runs(runs, group="family") is runs
    with pytest.raises(DataError, match="pass the original table"):
        read_runs(runs, where={"family": "c4"})


def test_the_source_is_copied():
    frame = pd.DataFrame(COLUMNS)
    runs = read_runs(frame)
    runs.values["N"][0] = 5.0
    runs.table.loc[0, "val_loss"] = 9.0
    pd.testing.assert_frame_equal(frame, pd.DataFrame(COLUMNS))


def test_quantities_are_read_from_text():
    runs = read_runs(table(params=["1B", "2e9", "4_000M", "8,000,000,000"]))
    np.testing.assert_array_equal(runs.values["N"], COLUMNS["params"])


def test_text_that_looks_missing_is_a_label(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,D,L,family\n1e9,2e10,3,NA\n2e9,2e10,2.9,EU\n")
    assert read_runs(path, group="family").group_levels("family") == ["EU", "NA"]


def test_long_and_padded_identifiers_survive_csv(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,D,L,run_id,family\n1e9,2e10,3,20240101000000000001,007\n")
    path.write_text(path.read_text() + "2e9,2e10,2.9,20240101000000000002,7\n")
    runs = read_runs(path, group="family")
    assert list(runs.run_id) == ["20240101000000000001", "20240101000000000002"]
    assert runs.group_levels("family") == ["007", "7"]


# --- columns -------------------------------------------------------------------------------


def test_the_symbol_itself_wins_over_aliases():
    runs = read_runs(table(N=[1e8, 2e8, 3e8, 4e8]))
    assert runs.columns["N"] == "N"


def test_text_does_not_compete_for_a_symbol():
    runs = read_runs(table(param_count=["kaplan", "kaplan", "all", "all"]))
    assert runs.columns["N"] == "params"


def test_columns_map_what_names_do_not_say():
    runs = read_runs(
        table(G=[1e8, 2e8, 4e8, 8e8], lr=0.1), columns={"N": "G", "k": "size", "lr": None}
    )
    assert runs.columns == {"D": "tokens", "L": "val_loss", "N": "G", "k": "size"}


@pytest.mark.parametrize(
    ("options", "symbol", "column"),
    [
        ({}, "L", "val_loss"),
        ({"response": "L"}, "L", "val_loss"),
        ({"response": "err"}, "err", "error"),
        ({"response": "error"}, "err", "error"),
        ({"response": "custom"}, "L", "custom"),
        ({"response": "custom", "columns": {"Y": "custom"}}, "Y", "custom"),
        ({"response": "Y", "columns": {"Y": "custom"}}, "Y", "custom"),
        ({"response": "acc", "columns": {"acc": "custom"}}, "acc", "custom"),
        ({"columns": {"L": "custom"}}, "L", "custom"),
        ({"columns": {"L": None}}, "err", "error"),
    ],
)
def test_the_response_is_chosen(options, symbol, column):
    runs = read_runs(table(error=[0.5, 0.4, 0.3, 0.2], custom=[4.0, 3.0, 2.0, 1.0]), **options)
    assert (runs.response, runs.columns[symbol]) == (symbol, column)
    assert set(runs.covariates) == {"N", "D", "C", "M"}


def test_a_loss_can_be_the_input_of_a_downstream_law():
    runs = read_runs(table(error=[0.5, 0.4, 0.3, 0.2]), response="err", columns={"L": "val_loss"})
    assert runs.response == "err"
    np.testing.assert_array_equal(runs.covariates["L"], COLUMNS["val_loss"])


def test_optimum_tables_have_one_response():
    frontier = {"C": [1e18, 1e19], "opt_params": [1e8, 3e8], "opt_tokens": [2e9, 6e9]}
    assert list(read_runs(frontier).values) == ["C", "N_opt"]
    assert list(read_runs(frontier, response="D_opt").values) == ["C", "D_opt"]


def test_a_fault_in_an_optional_column_leaves_it_out():
    runs = read_runs(table(lr=[0.1, None, 0.1, 0.1], step=[0, 1, 2, 3]))
    assert set(runs.covariates) == {"N", "D", "C", "M"}
    assert codes(runs)[:2] == ["column_left_out", "column_left_out"]
    assert "row 2" in str(runs.notes[0])
    assert "columns={'lr': None}" in str(runs.notes[0])
    with pytest.raises(DataError, match="row 2"):
        read_runs(table(lr=[0.1, None, 0.1, 0.1]), columns={"lr": "lr"})


def test_ambiguous_optional_columns_are_left_out():
    runs = read_runs(table(step=[1, 2, 3, 4], total_steps=[5, 5, 5, 5]))
    assert "S" not in runs.values
    assert codes(runs)[0] == "column_left_out"


def test_units_convert_values_and_standard_errors():
    columns = table(params=[1, 2, 4, 8], sd=[0.1, 0.2, 0.3, 0.4])
    runs = read_runs(columns, units={"N": 1e9, "L": 0.5}, se="sd")
    np.testing.assert_array_equal(runs.values["N"], COLUMNS["params"])
    np.testing.assert_array_equal(runs.values["L"], np.array(COLUMNS["val_loss"]) / 2)
    assert runs.se is not None
    np.testing.assert_array_equal(runs.se, np.array([0.1, 0.2, 0.3, 0.4]) / 2)


def test_a_unit_of_one_asserts_the_values():
    runs = read_runs(table(params=[1, 2, 4, 8]), units={"N": 1})
    np.testing.assert_array_equal(runs.values["N"], [1, 2, 4, 8])
    assert codes(runs) == ["completed", "completed"]


# --- rows and labels -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"family": "pile"}, [2, 3]),
        ({"family": ["pile", "c4"], "size": 1}, [0, 1]),
        ({"size": "2"}, [2, 3]),
        ({"size": 2.0}, [2, 3]),
        ({"ok": True}, [0, 3]),
        ({"ok": "True"}, [0, 3]),
    ],
)
def test_where_keeps_matching_rows(tmp_path, where, kept):
    columns = table(ok=[True, False, False, True])
    path = tmp_path / "runs.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    for source in (columns, path):
        assert list(read_runs(source, where=where).run_id) == [f"row{k}" for k in kept]


def test_rows_are_numbered_as_in_the_source_after_filtering():
    columns = table(val_loss=[3.0, 2.8, 2.6, None])
    with pytest.raises(DataError, match="row 4"):
        read_runs(columns, where={"family": "pile"})


def test_checkpoints_are_labelled_by_run():
    runs = read_runs(table(run_id=["a", "a", "b", "b"]), run="run_id")
    assert list(runs.run_id) == ["a#1", "a#2", "b#1", "b#2"]
    assert runs.run is not None
    assert list(runs.run) == ["a", "a", "b", "b"]


def test_a_column_called_run_id_labels_the_rows():
    assert list(read_runs(table(run_id=[7, 8, 9, 10])).run_id) == ["7", "8", "9", "10"]
    assert list(read_runs(table(tag=list("abcd")), run_id="tag").run_id) == list("abcd")


def test_inner_labels_are_told_apart_by_the_outer_ones():
    runs = read_runs(table(family=["x", "y", "x", "y"]), group=["lab", "family"])
    assert runs.group_levels("family") == ["A/x", "A/y", "B/x", "B/y"]
    assert "labels_qualified" in codes(runs)


# --- notes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "columns", "options", "word"),
    [
        ("c_not_6nd", table(flops=[1.2e20, 4.8e20, 1.9e21, 1e24]), {}, "row 4"),
        ("m_not_d_over_n", table(tpp=[20, 20, 20, 1000]), {}, "row 4"),
        ("duplicate_rows", {k: [*v, v[0]] for k, v in COLUMNS.items()}, {}, "Rows 1, 5"),
        ("one_row_family", table(family=["a", "a", "a", "b"]), {"group": "family"}, "'b'"),
        ("group_all_unique", table(family=list("abcd")), {"group": "family"}, "coarser"),
        ("similar_labels", table(family=["C4", "c4"] * 2), {"group": "family"}, "'C4', 'c4'"),
        ("response_not_positive", table(val_loss=[1, 0.5, 0, -1]), {}, "2 row(s)"),
        (
            "covariate_not_positive",
            table(gain=[0, 1, 2, 3]),
            {"columns": {"gain": "gain"}},
            "1 row(s)",
        ),
        (
            "loss_in_bits",
            {("loss_bpb" if k == "val_loss" else k): v for k, v in COLUMNS.items()},
            {"response": "loss_bpb"},
            "units={'L': 0.6931}",
        ),
        ("loss_large", table(val_loss=[30, 25, 20, 15]), {}, "perplexity"),
        ("units_suspect", table(params=[500, 2000, 5000, 90_000]), {}, "units={'N': 1}"),
        ("units_suspect", table(flops=[1.2, 4.8, 19, 60]), {}, "'flops'"),
        ("units_suspect", table(error=[60, 50, 40, 30]), {"response": "err"}, "percent"),
    ],
)
def test_oddities_are_noted(code, columns, options, word):
    runs = read_runs(columns, **options)
    note = next(note for note in runs.notes if note.code == code)
    assert note.severity == "warning"
    assert word in str(note)
    assert note.advice
    assert "\n" not in str(note)


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        (COLUMNS, {"group": ["lab", "family"]}),
        ({"x": [1, 2, 3], "y": [0.1, 5.0, 900.0]}, {}),
        ({"train_examples": [10, 20], "L": [0.5, 0.4]}, {"columns": {"X": "train_examples"}}),
    ],
)
def test_sound_tables_have_no_warnings(columns, options):
    assert {note.severity for note in read_runs(columns, **options).notes} <= {"info"}


# --- the record ----------------------------------------------------------------------------


def test_subset_takes_masks_and_positions():
    runs = read_runs(table(run_id=list("abcd"), sd=[1, 2, 3, 4]), group="family", se="sd")
    for mask in ([False, True, True, False], [1, 2]):
        part = runs.subset(mask)
        assert list(part.run_id) == ["b", "c"]
        assert part.se is not None
        assert list(part.se) == [2.0, 3.0]
        assert list(part.table.index) == [1, 2]
        pd.testing.assert_frame_equal(part.frame(), runs.frame().iloc[1:3].reset_index(drop=True))


@pytest.mark.parametrize(
    "mask", [[True], [False] * 4, [0, 0], [4], [-1], [0.5] * 4, [[True] * 4], []]
)
def test_subset_refuses_what_does_not_fit(mask):
    with pytest.raises(DataError):
        read_runs(COLUMNS).subset(mask)


def test_with_covariate_reads_one_more_column():
    runs = read_runs({"L": [3.0, 2.9], "N": [1e9, 2e9], "toks": ["20B", "30B"]})
    more = runs.with_covariate("D", "toks")
    assert set(more.covariates) == {"N", "D", "C", "M"}
    assert more.columns["D"] == "toks"
    assert "D" not in runs.values


@pytest.mark.parametrize(
    ("symbol", "column", "words"),
    [
        ("N", "size", r"columns=\{'N': 'size'\}"),
        ("G", "sise", "Did you mean 'size'"),
        ("G", "family", "not a number"),
        ("a b", "size", "letters"),
    ],
)
def test_with_covariate_says_what_is_wrong(symbol, column, words):
    with pytest.raises(DataError, match=words):
        read_runs(COLUMNS).with_covariate(symbol, column)


def test_frame_is_tidy():
    runs = read_runs(table(r=list("aabb"), sd=[1, 2, 3, 4]), group="family", run="r", se="sd")
    expected = ["run_id", "run", "family", "N", "D", "C", "M", "L", "se"]
    assert list(runs.frame().columns) == expected


def test_repr_is_a_few_lines_for_people():
    runs = read_runs(table(r=list("aabb")), group="family", run="r")
    text = repr(runs)
    assert text.startswith("Runs: 4 rows, response L (loss): 2.5 to 3")
    assert "N (parameters): 1B to 8B" in text
    assert "group family: 2 levels (c4, pile)" in text
    assert "checkpoints of 2 training runs" in text


def test_unknown_groups_are_named():
    with pytest.raises(DataError, match="pass group='lab' to read_runs"):
        read_runs(COLUMNS, group="family").group_levels("lab")


def test_constant_columns_are_listed():
    assert constant_columns(read_runs(table(tokens=[1e10] * 4))) == ["D"]


def test_runs_pickle():
    runs = read_runs(COLUMNS, group="family")
    assert_same(pickle.loads(pickle.dumps(runs)), runs)
