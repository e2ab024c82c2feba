import json
import re

import pytest

import bayes_scaling as bs
from bayes_scaling._errors import LawError
from bayes_scaling._registry import LAWS
from bayes_scaling.catalogue import describe_law, law_record
from bayes_scaling.laws_page import laws_page
from bayes_scaling.references import citation, parse_bibtex, reference, references

NAMES = list(LAWS)


def test_the_table_lists_every_law_once():
    table = bs.laws()
    assert list(table.columns) == ["name", "topic", "inputs", "equation", "summary", "cite"]
    assert sorted(table["name"]) == NAMES
    assert (table[["topic", "inputs", "equation", "summary"]] != "").all(axis=None)


def test_a_topic_narrows_the_table():
    part = bs.laws("size and data")
    assert "chinchilla" in set(part["name"])
    assert set(part["topic"]) == {"size and data"}
    with pytest.raises(LawError, match="Did you mean 'size and data'"):
        bs.laws("size and dta")


@pytest.mark.parametrize("name", NAMES)
def test_every_law_is_described_for_people(name):
    law, text = LAWS.get(name), describe_law(name)
    assert law.equation in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert "\\" not in text
    for title in ("Inputs", "Parameters", "Noise", "Use"):
        assert f"\n{title}\n" in text
    for param in law.params:
        assert re.search(rf"^  {param.name}: {re.escape(param.meaning)}", text, re.MULTILINE)
        assert str(param.prior) in " ".join(text.split())
    for trap in law.traps:
        assert " ".join(trap.split()) in " ".join(text.split())


def test_the_page_of_laws_is_the_records(repository):
    page = laws_page()
    assert (repository / "docs" / "laws.md").read_text(encoding="utf-8") == page + "\n"
    for name in NAMES:
        assert f"\n### {name}\n" in page
        assert f"`{LAWS.get(name).equation}`" in page


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_json_and_cites_the_bibliography(name):
    record = law_record(name)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["reference"]["key"] in references()
    assert {p["pooling"] for p in record["parameters"]} <= {"shared", "partial", "separate"}


def test_a_prior_of_a_level_says_where_it_holds():
    parameters = {p["name"]: p for p in law_record("chinchilla")["parameters"]}
    assert parameters["A"]["prior_of"] == "A * N**-alpha"
    assert parameters["A"]["prior_at"] == {"N": 1e9}
    assert parameters["alpha"]["prior_at"] is None
    # N stands in the name kN, but not in the level kN * C**a.
    frontier = {p["name"]: p for p in law_record("isoflop_frontier")["parameters"]}
    assert frontier["kN"]["prior_at"] == {"C": 1e20}
    generic = {p["name"]: p for p in law_record("power_law")["parameters"]}
    assert generic["A"]["prior_at"] == "the geometric mean of the data"


def test_the_interval_shown_is_the_one_sampled_from():
    prior = law_record("kaplan")["parameters"][0]["prior"]
    assert prior["low"] == pytest.approx(1.8, rel=1e-3)
    assert prior["high"] == pytest.approx(3.2, rel=1e-3)


def test_nesting_is_told_in_both_directions():
    assert "becomes chinchilla with gam = 1" in describe_law("generalized_chinchilla")
    special = ["generalized_chinchilla", "qat", "zheng_cpt"]
    assert law_record("chinchilla")["special_case_of"] == special
    assert "gadre" in law_record("chinchilla")["contains"]


def test_a_generic_law_takes_the_name_of_its_covariate():
    assert 'bs.fit("runs.csv", "power_law(C)"' in describe_law("power_law")
    text = describe_law("power_law(V)")
    assert "A * V**-alpha" in text
    assert '"power_law(V)"' in text


def test_a_letter_is_named_as_a_column():
    example = law_record("coverage_power")["example"]
    assert "columns={'k': 'k'}" in example["python"]
    assert example["shell"].endswith("--law coverage_power --group family --column k=k")
    assert "column" not in law_record("chinchilla")["example"]["shell"]


def test_an_unknown_law_is_one_line_with_a_suggestion():
    with pytest.raises(LawError, match="Did you mean 'chinchilla'"):
        describe_law("chinchila")


def test_bibtex_is_read():
    text = """
    @article{one2020, title = {A {Great} title, with comma}, author={Doe, Jane and Roe, R},
      journal = "arXiv:1", year = 2020 }
    @misc{two, title={Only}, author={Solo, A and others}}
    """
    found = parse_bibtex(text)
    assert found["one2020"] == {
        "key": "one2020",
        "type": "article",
        "title": "A Great title, with comma",
        "author": "Doe, Jane and Roe, R",
        "journal": "arXiv:1",
        "year": "2020",
    }
    assert found["two"]["author"] == "Solo, A and others"


def test_references_are_found_or_suggested():
    assert citation("besiroglu2024").startswith("Besiroglu, Erdil, Barnett et al. (2024): ")
    assert reference("kaplan2020")["journal"] == "arXiv:2001.08361"
    with pytest.raises(LawError, match="Did you mean 'kaplan2020'"):
        reference("kaplan2021")
