"""Roots without closed form: against SciPy's brentq, finite differences, and through a fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from bayes_scaling._errors import LawError
from bayes_scaling.equation import oracle, parse_equation
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.roots import logit_share, share
from bayes_scaling.spec import get_law

pytestmark = pytest.mark.usefixtures("x64")
rng = np.random.default_rng(0)
LOG_RATIOS = np.concatenate([rng.uniform(-40, 40, 60), rng.normal(0, 1, 60), [0.0]])
POWERS = np.exp(rng.uniform(np.log(0.02), np.log(50), LOG_RATIOS.size))


def by_brentq(log_ratio, power):
    """The logit of the share, bracketed by the slopes of its equation."""
    reach = (abs(log_ratio) + 1 + abs(power - 1)) * max(1, 1 / power)

    def away(z):
        return power * np.logaddexp(0, z) - np.logaddexp(0, -z) - log_ratio

    return brentq(away, -reach, reach, xtol=1e-14, rtol=1e-14)


def test_the_root_is_scipys():
    known = [by_brentq(*pair) for pair in zip(LOG_RATIOS, POWERS, strict=True)]
    found = jax.jit(logit_share)(LOG_RATIOS, POWERS)
    np.testing.assert_allclose(found, known, rtol=1e-10, atol=1e-12)


def test_the_share_solves_its_equation():
    ratio, power = np.array([1e-8, 0.3, 1.0, 40.0])[:, None], np.array([0.6, 1.0, 3.0])
    t = share(ratio, power)
    np.testing.assert_allclose(t / (1 - t) ** power, ratio * np.ones(3), rtol=1e-9)


def test_gradients_of_first_and_second_order_agree_with_differences():
    def root(pair):
        return logit_share(pair[0], pair[1])

    pairs = jnp.stack([LOG_RATIOS, POWERS], axis=1)
    value, first, second = (jax.jit(jax.vmap(f)) for f in (root, jax.grad(root), jax.hessian(root)))
    slopes, curvatures = first(pairs), second(pairs)
    for i in range(2):
        step = 1e-5 * (pairs[:, i] if i else jnp.ones(len(pairs)))
        move = step[:, None] * jnp.eye(2)[i]
        up, down = pairs + move, pairs - move
        slope = (value(up) - value(down)) / (2 * step)
        np.testing.assert_allclose(slopes[:, i], slope, rtol=1e-6, atol=1e-7)
        curvature = (first(up) - first(down)) / (2 * step)[:, None]
        np.testing.assert_allclose(curvatures[:, i], curvature, rtol=1e-5, atol=1e-6)


def test_custom_derivatives_pass_through_fast_powers():
    law = get_law("m4")
    params = {"e": 0.2, "e0": 1.0, "b": 30.0, "c": 0.4, "alpha": 0.6}
    x = jnp.geomspace(1e2, 1e6, 5)

    def total(p, evaluate):
        return jnp.sum(evaluate(x, p) ** 2)

    def plain(x, p):
        return law(x, **p)

    for transform in (jax.grad, jax.hessian):
        slow, fast = (
            jax.jit(transform(lambda p, f=f: total(p, f)))(params)
            for f in (plain, with_fast_powers(plain))
        )
        for a, b in zip(jax.tree.leaves(slow), jax.tree.leaves(fast), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_m4_solves_the_equation_of_its_paper():
    """(y - e) / (e0 - y)^alpha = b x^-c, whose root is bracketed by floor and plateau."""
    e, e0, b, c, alpha = 0.2, 0.95, 20.0, 0.35, 1.7
    for x in (1.0, 1e2, 1e4, 1e7):
        known = brentq(
            lambda y, x=x: np.log((y - e) / (e0 - y) ** alpha) - np.log(b * x**-c),
            e + 1e-12, e0 - 1e-12, xtol=1e-15,
        )  # fmt: skip
        found = get_law("m4")(x, e=e, e0=e0, b=b, c=c, alpha=alpha)
        assert float(found) == pytest.approx(known, rel=1e-11)


def test_share_in_equations():
    expr = parse_equation("share(r, p)").expr
    assert oracle(expr, {"r": 1, "p": 1}) == 0.5
    t = oracle(expr, {"r": 0.7, "p": 2.5})
    assert t / (1 - t) ** 2.5 == pytest.approx(0.7, rel=1e-12)
    assert oracle(expr, {"r": 0.7, "p": 0}) == 0.7
    with pytest.raises(LawError, match="share takes two"):
        parse_equation("share(r)")
