import numpy as np
import pytest

from bayes_scaling._errors import (
    BayesScalingError,
    DataError,
    Note,
    SpecError,
    did_you_mean,
    list_names,
)
from bayes_scaling.data.load import read_runs
from bayes_scaling.law_symbols import LAW_COVARIATES
from bayes_scaling.symbols import (
    COVARIATES,
    RESPONSES,
    SYMBOLS,
    complete,
    find_symbol,
    symbol,
)

LETTERS = [row[0] for row in LAW_COVARIATES if len(row[0]) == 1]


@pytest.mark.parametrize("name", LETTERS)
def test_letters_of_single_laws_claim_no_column_unasked(name):
    column = {name: [1.0, 2.0, 3.0], "accuracy": [0.1, 0.2, 0.3]}
    assert find_symbol(name) is None
    with pytest.raises(DataError, match=rf"columns={{'{name}': '{name}'}}"):
        read_runs(column)
    assert set(read_runs(column, columns={name: name}).values) == {name, "acc"}


@pytest.mark.parametrize("name", SYMBOLS)
def test_every_symbol_is_found_by_its_name_and_all_its_aliases(name):
    record = SYMBOLS[name]
    assert symbol(name) is record
    spellings = record.aliases if name in LETTERS else (name, *record.aliases)
    assert {find_symbol(spelling) for spelling in spellings} <= {name}
    assert name in LETTERS or find_symbol(name) == name
    assert record.low < record.high
    assert record.meaning
    assert record.latex


def test_roles_split_the_vocabulary():
    assert all(each.role == "covariate" for each in COVARIATES.values())
    assert all(each.role == "response" for each in RESPONSES.values())
    assert len(SYMBOLS) == len(COVARIATES) + len(RESPONSES)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("Model Size", "N"),
        ("model-size", "N"),
        (" PARAMS ", "N"),
        ("N (params)", "N"),
        ("num.params", "N"),
        ("training tokens", "D"),
        ("Dataset Size", "D"),
        ("Train_FLOPs", "C"),
        ("FLOP", "C"),
        ("tokens per param", "M"),
        ("vocab_size", "V"),
        ("LR", "lr"),
        ("Validation Loss", "L"),
        ("n_opt", "N_opt"),
        ("opt_tokens", "D_opt"),
        ("x", "X"),
        ("n", None),
        ("c", None),
        ("l", None),
        ("", None),
        ("params_non_embed", None),
        ("batch_size", None),
        ("train_loss", None),
        ("lossy", None),
    ],
)
def test_columns_are_recognised(column, expected):
    assert find_symbol(column) == expected


@pytest.mark.parametrize(
    ("name", "hint"), [("params", "'N'"), ("Lr", "'lr'"), ("N_optt", "'N_opt'"), ("zzz", "'D'")]
)
def test_unknown_symbol_says_what_is_known(name, hint):
    with pytest.raises(SpecError, match=hint):
        symbol(name)


@pytest.mark.parametrize("pair", [("N", "D"), ("N", "M"), ("N", "C"), ("D", "M"), ("D", "C")])
def test_any_pair_completes_to_the_same_four(pair):
    truth = {"N": np.array([1e9, 7e9]), "D": np.array([2e10, 1.4e12])}
    truth |= {"C": 6 * truth["N"] * truth["D"], "M": truth["D"] / truth["N"]}
    completed, formulas = complete({name: truth[name] for name in pair})
    assert completed.keys() == truth.keys()
    assert len(formulas) == 2
    for name, expected in truth.items():
        np.testing.assert_allclose(completed[name], expected, rtol=1e-14)


def test_compute_and_ratio_complete_by_square_root():
    completed, formulas = complete({"C": 6 * 1e9 * 2e10, "M": 20.0})
    np.testing.assert_allclose([completed["N"], completed["D"]], [1e9, 2e10])
    assert formulas == ["N = sqrt(C / (6 M))", "D = M N"]


def test_completion_keeps_what_is_given_and_what_it_does_not_know():
    given = {"N": [1e9], "D": [2e10], "C": [1.0], "G": [3.0]}
    completed, formulas = complete(given)
    assert completed["C"] == [1.0]
    assert completed["G"] == [3.0]
    assert formulas == ["M = D / N"]
    assert complete({"C": [1e20]})[1] == []


def test_errors_are_one_line_value_errors():
    error = DataError("two\nlines  here")
    assert str(error) == "two lines here"
    assert isinstance(error, BayesScalingError)
    assert isinstance(error, ValueError)


def test_note_reads_as_message_and_advice():
    assert str(Note("code", "info", "Seen.", "Do.")) == "Seen. Do."
    assert str(Note("code", "info", "Seen.")) == "Seen."


def test_names_are_suggested_and_listed():
    assert did_you_mean("Chinchila", ["kaplan", "chinchilla"]) == " Did you mean 'chinchilla'?"
    assert did_you_mean("zzz", ["kaplan"]) == ""
    assert list_names("abc") == "'a', 'b', 'c'"
    assert list_names("abcd", most=2) == "'a', 'b' and 2 more"
    assert list_names([]) == "none"
