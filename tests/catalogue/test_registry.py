"""Finding entries by name, naming the inputs of a law, and what a new entry is refused for."""

import numpy as np
import pytest
from catalogue_draws import draw_inputs, draw_params, each_point, evaluate, truth

from bayes_scaling._errors import LawError, SpecError
from bayes_scaling._registry import LAWS, OBSERVATIONS
from bayes_scaling._scan import equation_names, is_name, rename
from bayes_scaling.levels import level_map, to_sampled
from bayes_scaling.prior import lognormal
from bayes_scaling.spec import (
    Law,
    Param,
    Reduction,
    get_law,
    get_observation,
    law,
    make_law,
    observation,
    rename_inputs,
)

ONE = lognormal(1.0, 0.5, 2.0)


def params(*names, **levels):
    return tuple(Param(name, ONE, name, level=levels.get(name, "")) for name in names)


def power(X, *, A, alpha):
    """One power."""
    return A * X**-alpha


def made(fn=power, names=("A", "alpha"), **record):
    record.setdefault("equation", "A * X**-alpha")
    return make_law(fn, params=params(*names), **record)


# --- looking up ----------------------------------------------------------------------------


def test_names_and_aliases_find_the_same_record(law):
    entry = law
    assert get_law(entry) is entry
    for name in (entry.name, f" {entry.name} ", *entry.aliases):
        assert get_law(name) is entry
    assert get_law(f"{entry.name}({', '.join(entry.inputs)})") == entry


def test_parameters_are_found_by_name(law_param):
    entry, param = law_param
    assert entry.param(param.name) is param
    with pytest.raises(LawError, match=f"law '{entry.name}' has no parameter 'zz': it has "):
        entry.param("zz")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("chinchila", r"unknown law 'chinchila'. Did you mean 'chinchilla'\? Known: '"),
        ("hoffman_2022", r"Did you mean 'hoffmann_2022'\?"),
        ("zzz", r"unknown law 'zzz'. Known: "),
        ("", "unknown law ''"),
        ("E + A*N**-a", r"a formula, not .* bs.law_from_equation\('E \+ A\*N\*\*-a'\), or --eq"),
        ("power_law(C, D)", r"the law takes 1 input\(s\) \(X\)"),
        ("power_law(A)", "named unlike each other and its parameters"),
        ("chinchilla(N, N)", "named unlike each other"),
        ("power_law(exp)", "named unlike"),
        ("power_law(lambda)", "named unlike"),
        ("power_law(2x)", "named unlike"),
        ("power_law()", "named unlike"),
    ],
)
def test_unknown_laws_and_inputs(name, match):
    with pytest.raises(LawError, match=match):
        get_law(name)


def test_unknown_observation_model():
    assert get_observation("normal") is OBSERVATIONS.get("normal")
    assert get_observation(OBSERVATIONS.get("normal")) is OBSERVATIONS.get("normal")
    with pytest.raises(SpecError, match=r"unknown observation model 'norml'. Did you mean 'normal"):
        get_observation("norml")


# --- naming the inputs ---------------------------------------------------------------------


@pytest.mark.usefixtures("x64")
def test_renamed_inputs_keep_every_value(law):
    names = tuple(f"{name}_of_mine" for name in law.inputs)
    new, entry = dict(zip(law.inputs, names, strict=True)), rename_inputs(law, names)
    values = draw_params(law, 4) | draw_inputs(law, 4)
    renamed = {new.get(name, name): v for name, v in values.items()}
    np.testing.assert_array_equal(evaluate(entry, renamed), evaluate(law, values))
    for old, own in zip(each_point(values, 4), each_point(renamed, 4), strict=True):
        assert truth(entry, own) == truth(law, old)
        for param in law.params:
            level = to_sampled(law, param.name, old, old)
            found = float(to_sampled(entry, param.name, own, own))
            assert found == pytest.approx(float(level), rel=1e-12)
    _check_renamed(law, entry, new)


def _check_renamed(law, entry, new):
    assert entry.inputs == tuple(new.values())
    assert dict(entry.reference) == {new[k]: v for k, v in law.reference}
    assert entry.valid == {new[k]: v for k, v in law.valid.items()}
    assert entry.decreasing == tuple(new[k] for k in law.decreasing)
    assert rename_inputs(entry, law.inputs) == law
    for param in law.params:
        old, own = level_map(law, param.name), level_map(entry, param.name)
        assert (old is None) == (own is None)


def test_renaming_leaves_numbers_alone():
    def fn(e5, *, A):
        return A * (e5 / 1e5)

    entry = make_law(fn, params=params("A", A="A * (e5 / 1e5)"), equation="A * (e5 / 1e5)")
    renamed = rename_inputs(entry, ("C",))
    assert renamed.equation == renamed.param("A").level == "A * (C / 1e5)"


def test_renaming_carries_the_reductions():
    assert get_law("power_law_with_floor(C)").reduces_to == (
        Reduction("power_law", when={"E": 0.0}, inputs={"X": "C"}),
    )
    renamed = get_law("gadre(C, R)").reduces_to[0]
    assert renamed.inputs == {"N": "(C/(6*R))**0.5", "D": "(C*R/6)**0.5"}


# --- what a definition is refused for ------------------------------------------------------


def test_a_definition_is_entered_and_can_be_taken_out():
    try:
        entry = law(params=params("A", "alpha"), equation="A * X**-alpha", aliases=("mine",))(power)
        assert isinstance(entry, Law)
        assert get_law("mine") is get_law("power") is entry
        assert (entry.name, entry.summary) == ("power", "One power")
        with pytest.raises(LawError, match="law 'power' exists already: choose another name"):
            law(params=params("A", "alpha"), equation="A * X**-alpha")(power)
        with pytest.raises(LawError, match="law 'mine' exists already"):
            law(params=params("A", "alpha"), equation="A * X**-alpha", name="mine")(power)
        with pytest.raises(LawError, match="law 'chinchilla' exists already"):
            LAWS.add("new", entry, ("chinchilla",))
    finally:
        LAWS.discard("power")
    assert "power" not in list(LAWS)
    with pytest.raises(LawError, match="unknown law 'mine'"):
        get_law("mine")


def test_names_in_the_catalogue_are_taken(law):
    for name in (law.name, *law.aliases):
        with pytest.raises(LawError, match=f"law '{name}' exists already"):
            LAWS.add(name, law)


def test_an_observation_model_cannot_be_entered_twice():
    def normal(location, sigma):
        """Again."""

    with pytest.raises(LawError, match="observation model 'normal' exists already"):
        observation()(normal)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"names": ("A",)}, r"the keyword-only arguments \('A', 'alpha'\) and the Params \('A',\)"),
        ({"names": ("A", "alpha", "alpha")}, "must name the same parameters"),
        ({"names": ("A", "beta")}, "must name the same parameters"),
        ({"equation": "A * X"}, r"equation names \['A', 'X'\] but the signature \['A', 'X', 'alp"),
        ({"equation": "A * X**-alpha + E"}, r"equation names \['A', 'E', "),
        ({"equation": "A * lgo(X)**-alpha"}, r"equation names \['A', 'X', 'alpha', 'lgo'\]"),
        ({"equation": "A * X**"}, "does not read as an equation"),
        ({"reference": {"N": 1.0}}, r"reference point names unknown inputs \['N'\]"),
        ({"valid": {"N": (1, 2)}}, r"range names unknown inputs \['N'\]"),
        ({"decreasing": ("A",)}, r"decline names unknown inputs \['A'\]"),
    ],
)
def test_definitions_that_disagree_with_themselves(change, match):
    with pytest.raises(LawError, match=match):
        made(**change)


def test_levels_name_only_what_the_law_has():
    with pytest.raises(LawError, match=r"level of A names unknown \['B'\]"):
        make_law(power, params=params("A", "alpha", A="A * B"), equation="A * X**-alpha")


def test_words_of_the_language_name_nothing():
    def fn(X, *, exp):
        return exp * X

    with pytest.raises(LawError, match=r"law 'fn': \['exp'\] cannot name anything"):
        make_law(fn, params=params("exp"), equation="exp * X")


# --- the scanner behind these checks -------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1e5*N", ("N",)),
        ("2.5e-3*N + .5E+10*e5", ("N", "e5")),
        ("E + A*log(N)**-alpha", ("E", "A", "N", "alpha")),
        ("max(N, D) + lgo(N)", ("N", "D", "lgo")),
    ],
)
def test_scanned_names(text, names):
    assert equation_names(text) == names


def test_renaming_is_by_whole_names_and_all_at_once():
    assert rename("N*Nc/(1e5*D)^N", {"N": "D", "D": "N", "e5": "x"}) == "D*Nc/(1e5*N)^D"


@pytest.mark.parametrize("name", ["N", "lr", "x_max", "alpha2", "N_opt"])
def test_plain_names(name):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "2x", "_x", "a__b", "lambda", "log", "x y", "x.y", "\xe9"])
def test_what_is_no_name(name):
    assert not is_name(name)
