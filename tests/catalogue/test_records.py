"""What every entry says of itself: names, units, sources, ranges, priors, LaTeX."""

import re
import sys

import jax
import numpy as np
import pytest
from catalogue_draws import (
    SCALE,
    draw_params,
    draw_prior,
    evaluate,
    is_unitless,
    reference_of,
)

from bayes_scaling._registry import LAWS, OBSERVATIONS, POOLINGS, STUDIES
from bayes_scaling._scan import FUNCTIONS as SCANNED
from bayes_scaling.build import response_distribution
from bayes_scaling.equation import FUNCTIONS, latex, parse_equation
from bayes_scaling.references import references
from bayes_scaling.resolve import default_scatter
from bayes_scaling.spec import ModelSpec, Param, get_law, get_observation
from bayes_scaling.symbols import COVARIATES, RESPONSES

DRAWS = 2000


def test_equation_names_the_signature(law):
    """Checked on definition by a light scanner, here by the parser itself."""
    assert set(parse_equation(law.equation).names) == {*law.inputs, *law.param_names}


def test_inputs_and_response_are_in_the_vocabulary(law):
    assert set(law.inputs) <= set(COVARIATES)
    assert law.response in {"", *RESPONSES}


def test_record_is_complete(law):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", law.name)
    assert law.summary
    assert "\n" not in law.summary
    assert law.topic
    assert law.observation in OBSERVATIONS
    assert law.source == "catalogue"
    assert law.cite in references()


def test_ranges_and_reference_are_consistent(law):
    reference = dict(law.reference)
    for name, (low, high) in law.valid.items():
        assert 0 < low < high
        assert low <= reference.get(name, low) <= high
    if law.asymptote:
        assert set(parse_equation(law.asymptote).names) <= set(law.param_names)


def test_a_prior_in_absolute_units_holds_at_a_stated_point(level_param):
    """One in multiples of the response may hold at the centre of the data instead."""
    law, param = level_param
    named = set(parse_equation(param.level).names) & set(law.inputs)
    assert param.prior.relative or is_unitless(law) or named <= set(dict(law.reference))


@pytest.mark.usefixtures("x64")
def test_priors_of_any_covariate_and_response_know_no_units(unitless_law):
    """In other units of both, the data's centre and size with them, the curves are the same."""
    law, place = unitless_law, {"X": np.array([0.02, 0.7, 1.0, 90.0])[:, None]}
    centre, other = {"X": 3e6}, {"X": 5e-2}
    one = evaluate(law, draw_params(law, 200, at=centre) | {"X": place["X"] * centre["X"]})
    same = draw_params(law, 200, at=other, scale=70.0 * SCALE)
    two = evaluate(law, same | {"X": place["X"] * other["X"]})
    np.testing.assert_allclose(two, 70.0 * one, rtol=1e-8)


def test_parameter_is_described(law_param):
    _, param = law_param
    assert param.meaning
    assert param.unit
    assert param.pool in POOLINGS
    assert param.spread > 0
    assert not param.prior.is_fixed
    draws = draw_prior(param.prior, jax.random.key(0), DRAWS)
    assert np.all(np.isfinite(draws))


def drawable(text):
    from matplotlib.mathtext import MathTextParser

    return MathTextParser("path").parse(f"${text}$")


def test_latex_renders(law):
    symbols = {p.name: p.symbol for p in law.params}
    symbols |= {name: COVARIATES[name].latex for name in law.inputs}
    for text in (law.equation, *(p.level for p in law.params if p.level)):
        assert drawable(latex(parse_equation(text), symbols))
    assert all(drawable(symbol) for symbol in symbols.values())


@pytest.mark.parametrize("name", ["A", "alpha", "beta2", "lam", "gam", "k_N", "Nc", "x_max", "a2b"])
def test_default_symbols_are_those_of_the_equation_printer(name):
    assert Param(name, default_scatter(), "any").symbol == latex(parse_equation(name))


def test_declared_symbols_win(law):
    assert all(p.symbol == p.latex for p in law.params if p.latex)
    assert get_law("kaplan").param("aN").symbol == r"\alpha_N"


def test_every_reference_is_used_or_marked_as_background():
    """Background is said in the entry: ``keywords={background}``."""
    cited = {LAWS.get(name).cite for name in LAWS} | {STUDIES.get(name).cite for name in STUDIES}
    unused = set(references()) - cited
    background = {
        k for k, entry in references().items() if "background" in entry.get("keywords", "")
    }
    assert unused <= background


@pytest.mark.usefixtures("x64")
def test_prior_predictive_is_of_sane_size(law):
    """At the reference point; losses in nats, other responses by their own range."""
    at = reference_of(law)
    params = draw_params(law, DRAWS)
    curve = np.asarray(evaluate(law, params | at))
    assert np.isfinite(curve).all()
    low, high = np.quantile(curve, [0.05, 0.95])
    smallest, largest = _sane(law)
    assert smallest < low < high < largest
    assert np.isfinite(_responses(law, curve)).mean() > 0.999


def _sane(law):
    if law.response in ("", "L"):
        unit = SCALE / 3 if law.response == "" else 1.0
        return 0.3 * unit, 30 * unit
    known = RESPONSES[law.response]
    return known.low, known.high


def _responses(law, curve):
    observation = get_observation(law.observation)
    keys = jax.random.split(jax.random.key(3), len(observation.extra) + 2)
    sigma = draw_prior(law.noise or default_scatter(), keys[0], DRAWS)
    extra = {
        name: draw_prior(prior, key, DRAWS)
        for (name, prior), key in zip(observation.extra, keys[2:], strict=True)
    }
    spec = ModelSpec(law, observation)
    return np.asarray(response_distribution(spec, curve, sigma, extra).sample(keys[1]))


def test_the_two_lists_of_functions_agree():
    assert tuple(FUNCTIONS) == SCANNED


def test_every_file_of_the_catalogue_is_imported(repository):
    """A law in a file that nothing imports would be missing without a word."""
    for path in (repository / "models").rglob("*.py"):
        parts = path.relative_to(repository).with_suffix("").parts
        name = ".".join(("bayes_scaling", *parts)).removesuffix(".__init__")
        assert name in sys.modules
