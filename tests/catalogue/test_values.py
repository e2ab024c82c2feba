"""Every law's function: its values, shapes, gradients and declared behaviour."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from catalogue_draws import (
    draw_inputs,
    draw_params,
    each_point,
    evaluate,
    input_range,
    truth,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_scaling.equation import oracle, parse_equation
from bayes_scaling.spec import get_law

pytestmark = pytest.mark.usefixtures("x64")
POINTS, DRAWS = 24, 200


def drawn(law, count=POINTS, salt=0):
    """Parameters and inputs together, name to array (count,)."""
    return draw_params(law, count, salt) | draw_inputs(law, count, salt)


def test_values_agree_with_the_equation_to_30_digits(law):
    points = each_point(drawn(law), POINTS)
    known = [truth(law, point) for point in points]
    found = [evaluate(law, point) for point in points]
    np.testing.assert_allclose(found, known, rtol=1e-11)


def test_compiled_values_are_the_eager_ones(law):
    values = drawn(law)
    eager = evaluate(law, values)
    compiled = jax.jit(lambda v: evaluate(law, v))(values)
    np.testing.assert_allclose(compiled, eager, rtol=1e-11)


def test_samples_and_points_broadcast(law):
    params, inputs = draw_params(law, 5), draw_inputs(law, 3)
    column = {name: jnp.asarray(v)[:, None] for name, v in params.items()}
    found = evaluate(law, column | inputs)
    assert found.shape == (5, 3)
    over_points = jax.vmap(lambda x, p: evaluate(law, p | x), in_axes=(0, None))
    over_both = jax.vmap(over_points, in_axes=(None, 0))
    np.testing.assert_allclose(found, over_both(inputs, params), rtol=1e-11)


def test_gradients_agree_with_differences(law):
    """Elasticities d f / d log x of every parameter and input."""
    values = drawn(law)
    grads = jax.vmap(jax.grad(lambda v: evaluate(law, v)))(values)
    size, step = np.abs(evaluate(law, values)), 1e-6
    for name, at in values.items():
        up, down = (evaluate(law, values | {name: at * (1 + s)}) for s in (step, -step))
        slope = np.asarray(up - down) / (2 * step)
        bound = 1e-5 * np.abs(slope) + 1e-8 * size
        assert np.all(np.abs(grads[name] * at - slope) <= bound), name


def test_gradients_are_finite_over_the_prior(law):
    values = drawn(law, DRAWS, salt=1)
    value, grads = jax.vmap(jax.value_and_grad(lambda v: evaluate(law, v)))(values)
    assert np.isfinite(value).all()
    assert {name: bool(np.isfinite(g).all()) for name, g in grads.items()} == dict.fromkeys(
        values, True
    )


@lru_cache
def known_draws(law):
    return each_point(draw_params(law, DRAWS, salt=2), DRAWS)


@settings(max_examples=60)
@given(data=st.data())
def test_declared_declines_hold_over_the_range(declining, data):
    law, name = declining
    params = data.draw(st.sampled_from(known_draws(law)))
    inputs = {n: data.draw(in_range(law, n), label=n) for n in law.inputs}
    further = data.draw(in_range(law, name), label=f"further {name}")
    near, far = sorted((inputs[name], further))
    first, second = (float(evaluate(law, params | inputs | {name: at})) for at in (near, far))
    assert second <= first + 1e-12 * abs(first)


def test_declared_declines_have_negative_slopes(declining):
    law, name = declining
    slopes = jax.vmap(jax.grad(lambda v: evaluate(law, v)))(drawn(law, DRAWS, salt=2))[name]
    assert np.all(slopes < 0)


def in_range(law, name):
    low, high = np.log(input_range(law, name))
    return st.floats(low, high).map(lambda x: float(np.exp(x)))


def test_declared_asymptote_is_reached(bounded_law):
    law = bounded_law
    limit = parse_equation(law.asymptote).expr
    huge = dict.fromkeys(law.inputs, "1e5000")
    for params in each_point(draw_params(law, 10, salt=3), 10):
        ends, bound = truth(law, params | huge), oracle(limit, params)
        assert ends == pytest.approx(bound, rel=1e-9, abs=1e-9)


def test_declared_reduction_is_an_identity(reduction):
    """Both equations to 30 digits, at points of the more general law's prior."""
    law, rule = reduction
    inner = get_law(rule.law)
    assert set(rule.when) <= set(law.param_names)
    assert set(rule.params) <= set(inner.param_names)
    values = drawn(law, 12, salt=4)
    for point in each_point(values, 12):
        own = point | dict(rule.when)
        known = truth(inner, {n: mapped(rule, n, own) for n in (*inner.inputs, *inner.param_names)})
        assert truth(law, own) == pytest.approx(known, rel=1e-11)


def mapped(rule, name, own):
    """The inner law's argument from the outer law's; the one of the same name by default."""
    text = {**rule.params, **rule.inputs}.get(name, name)
    return oracle(parse_equation(text).expr, own)
