"""Between the parameters of the papers and the levels that are sampled."""

import jax
import numpy as np
import pytest
from catalogue_draws import draw_inputs, draw_params, draw_prior, reference_of

from bayes_scaling._errors import LawError
from bayes_scaling.levels import level_map, log_shift, sampling_order, to_paper, to_sampled
from bayes_scaling.prior import lognormal
from bayes_scaling.spec import Param, make_law

pytestmark = pytest.mark.usefixtures("x64")
COUNT = 50


def places(law):
    """Where the data might be centred: at the reference, and anywhere in the range."""
    return [
        reference_of(law),
        *({n: v[i] for n, v in draw_inputs(law, 6).items()} for i in range(6)),
    ]


def test_paper_and_level_are_inverses(level_param):
    law, param = level_param
    sampled = draw_prior(param.prior, jax.random.key(1), COUNT)
    for at in places(law):
        params = draw_params(law, COUNT, at=at)
        paper = to_paper(law, param.name, sampled, params, at)
        assert np.all(np.isfinite(paper))
        back = to_sampled(law, param.name, params | {param.name: paper}, at)
        np.testing.assert_allclose(back, sampled, rtol=1e-9)
        level = to_sampled(law, param.name, params, at)
        np.testing.assert_allclose(
            to_paper(law, param.name, level, params, at), params[param.name], rtol=1e-9
        )


def test_the_shift_of_a_level_does_not_depend_on_its_parameter(level_param):
    """So that a prior stated at the reference point moves to the data with unit Jacobian."""
    law, param = level_param
    reference = reference_of(law)
    for at in places(law):
        params = draw_params(law, COUNT)
        here = to_sampled(law, param.name, params, at)
        there = to_sampled(law, param.name, params, reference)
        assert np.all(here > 0)
        assert np.all(there > 0)
        if law.reference:
            shift = log_shift(law, param.name, params, at)
            np.testing.assert_allclose(shift, np.log(here) - np.log(there), atol=1e-9)
            other = {**params, param.name: 3.7 * params[param.name] + 0.1}
            np.testing.assert_allclose(log_shift(law, param.name, other, at), shift, atol=1e-12)


def test_a_moved_prior_is_the_prior_at_the_reference(moved_param):
    """Sampling the moved level at the data gives the stated prior back at the reference."""
    law, param = moved_param
    stated = draw_prior(param.prior, jax.random.key(2), COUNT)
    for at in places(law):
        params = draw_params(law, COUNT)
        moved = stated * np.exp(log_shift(law, param.name, params, at))
        paper = to_paper(law, param.name, moved, params, at)
        found = to_sampled(law, param.name, params | {param.name: paper}, reference_of(law))
        np.testing.assert_allclose(found, stated, rtol=1e-8)


def test_sampling_order_puts_what_a_level_needs_before_it(law):
    order = [p.name for p in sampling_order(law)]
    assert sorted(order) == sorted(law.param_names)
    for place, name in enumerate(order):
        found = level_map(law, name)
        needs = set(found.needs) - set(law.inputs) if found else set()
        assert needs <= set(order[:place])


def _made(level_a="", level_b=""):
    def fn(X, *, a, b):
        return a + b * X

    prior = lognormal(1.0, 0.5, 2.0)
    params = (Param("a", prior, "first", level=level_a), Param("b", prior, "second", level=level_b))
    return make_law(fn, params=params, equation="a + b * X", name="made")


def test_circular_levels_are_refused():
    with pytest.raises(LawError, match=r"law 'made': the levels of \['a', 'b'\] name each other"):
        sampling_order(_made("a * b", "b / a"))


def test_levels_that_cannot_be_solved_are_refused():
    with pytest.raises(LawError, match="'a' must occur once, it occurs 2 times"):
        level_map(_made("a + a**2"), "a")


def test_a_parameter_without_a_level_is_sampled_as_it_is():
    law, values = _made("a * b"), {"a": 2.0, "b": 3.0}
    assert level_map(law, "b") is None
    assert to_sampled(law, "b", values, {"X": 1.0}) == 3.0
    assert to_paper(law, "b", 5.0, values, {"X": 1.0}) == 5.0
    assert float(to_sampled(law, "a", values, {"X": 1.0})) == 6.0
    assert log_shift(law, "a", values, {"X": 1.0}) == 0.0
