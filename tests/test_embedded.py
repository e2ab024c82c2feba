import numpy as np
import pytest

from bayes_scaling._errors import DataError
from bayes_scaling.data.embedded import published_runs, published_table

# Typed from the printed tables: model, parameters, tokens, loss.
HAND_TYPED = [
    ("Cerebras-GPT-111M", 111_050_496, 2_220_933_120, 2.608),
    ("Cerebras-GPT-13B", 12_853_386_240, 257_067_417_600, 1.572),
    ("Cerebras-GPT-muP-2.7B", 2_651_553_280, 53_030_191_104, 1.846),
    ("Pythia-70M", 70_426_624, 299_892_736_000, 2.504),
    ("Pythia-12B", 11_846_072_320, 299_892_736_000, 1.582),
    ("GPT-NeoX-20B", 20_554_567_680, 472_473_600_000, 1.519),
]


def test_every_row_has_its_source_and_plausible_numbers():
    table = published_table()
    assert len(table) == 49
    assert table["source"].str.contains(r"arXiv:\d{4}\.\d{5}.*Table \d+").all()
    assert set(table["use"]) == {"fit", "extra", "other_eval", "suspect"}
    assert table["loss"].between(1.4, 3.5).all()
    assert (table["params_non_embed"].dropna() < table["params"][table["params_non_embed"].notna()]
            ).all()  # fmt: skip
    assert not table.duplicated(["use", "model"]).any()


def test_suspect_rows_say_why():
    suspect = published_table().query("use == 'suspect'")
    assert len(suspect) == 3
    assert suspect["note"].str.contains("outlier|leave out|misprint").all()


@pytest.mark.parametrize(("model", "params", "tokens", "loss"), HAND_TYPED)
def test_numbers_match_the_printed_table(model, params, tokens, loss):
    row = published_runs().frame().set_index("run_id").loc[model]
    assert (row["N"], row["D"], row["L"]) == (params, tokens, loss)


def test_the_default_is_the_22_rows_of_one_evaluation():
    runs = published_runs()
    assert (runs.n, runs.groups, runs.response) == (22, ("family",), "L")
    assert runs.group_levels("family") == [
        "Cerebras-GPT", "Cerebras-GPT-muP", "GPT-J", "GPT-NeoX", "Pythia"]  # fmt: skip
    assert runs.columns["N"] == "params"
    assert any("N counts all parameters" in note.message for note in runs.notes)


def test_counts_without_embeddings_leave_out_rows_that_lack_them():
    runs = published_runs(embeddings=False)
    assert runs.n == 20
    assert runs.columns["N"] == "params_non_embed"
    said = {note.code: note.message for note in runs.notes}
    assert "GPT-J-6B" in said["no_count"]
    assert "without embeddings" in said["published_runs"]
    smallest = np.argmin(runs.values["N"])
    assert (runs.run_id[smallest], runs.values["N"][smallest]) == ("Pythia-70M", 18_915_328)


def test_rows_can_be_chosen():
    assert published_runs(use=("fit", "extra")).n == 29
    assert published_runs(use="other_eval", families=["Mamba", "Mamba-2"], group=None).groups == ()
    assert set(published_runs(families=["Pythia"]).labels["family"]) == {"Pythia"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"use": "fitt"}, "Did you mean 'fit'"),
        ({"families": ["Pythai"]}, "Did you mean 'Pythia'"),
        ({"families": []}, "no published runs"),
        ({"use": ("fit", "other_eval")}, "cannot be compared"),
        ({"use": "other_eval", "families": ["Mamba"], "embeddings": False}, "without embeddings"),
    ],
)
def test_a_bad_choice_is_one_line(asked, told):
    with pytest.raises(DataError, match=told) as caught:
        published_runs(**asked)
    assert "\n" not in str(caught.value)
