"""Ratios of gamma functions: against mpmath, in value and slope, and in equations."""

import jax
import mpmath
import numpy as np
import pytest

from bayes_scaling._errors import LawError
from bayes_scaling.equation import compile_jax, latex, oracle, parse_equation
from bayes_scaling.gammas import log_beta

pytestmark = pytest.mark.usefixtures("x64")
rng = np.random.default_rng(0)
FIRST, SECOND = np.exp(rng.uniform(np.log(0.01), np.log(1e6), (2, 200)))


def known(a, b):
    with mpmath.workdps(40):
        return float(mpmath.log(mpmath.beta(mpmath.mpf(a), mpmath.mpf(b))))


def known_slope(a, b):
    """d / da."""
    with mpmath.workdps(40):
        return float(mpmath.digamma(mpmath.mpf(a)) - mpmath.digamma(mpmath.mpf(a) + b))


def test_log_beta_is_mpmaths():
    truth = [known(*pair) for pair in zip(FIRST, SECOND, strict=True)]
    np.testing.assert_allclose(jax.jit(log_beta)(FIRST, SECOND), truth, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(log_beta(SECOND, FIRST), truth, rtol=1e-13, atol=1e-13)


def test_its_differences_keep_their_digits():
    """Coverage of many samples: log B(a, b + k) - log B(a, b)."""
    for k in (1.0, 30.0, 1e4, 1e8):
        with mpmath.workdps(40):
            truth = float(
                mpmath.loggamma(15.5 + k) - mpmath.loggamma(15.75 + k)
                - mpmath.loggamma(15.5) + mpmath.loggamma(15.75)
            )  # fmt: skip
        found = log_beta(0.25, 15.5 + k) - log_beta(0.25, 15.5)
        assert float(found) == pytest.approx(truth, rel=1e-12)


def test_its_slopes_are_differences_of_digamma():
    pairs = np.stack([FIRST, SECOND], axis=1)
    slopes = jax.vmap(jax.grad(lambda pair: log_beta(pair[0], pair[1])))(pairs)
    for i, (one, other) in enumerate(((FIRST, SECOND), (SECOND, FIRST))):
        truth = [known_slope(*pair) for pair in zip(one, other, strict=True)]
        np.testing.assert_allclose(slopes[:, i], truth, rtol=1e-9)


def test_log_beta_in_equations():
    equation = parse_equation("-expm1(lbeta(a, b + k) - lbeta(a, b))")
    values = {"a": 0.3, "b": 12.0, "k": 1e4}
    found = compile_jax(equation.expr, equation.names)(**values)
    assert float(found) == pytest.approx(oracle(equation.expr, values), rel=1e-13)
    assert oracle(parse_equation("lbeta(1, x)").expr, {"x": "1e5000"}) == pytest.approx(
        float(-5000 * mpmath.log(10)), rel=1e-15
    )
    assert latex(parse_equation("lbeta(a, b)")) == r"\log \mathrm{B}\left(a, b\right)"
    assert latex(parse_equation("lbeta(a, b)**2")).startswith(r"\log^{2} \mathrm{B}")
    assert oracle(parse_equation("lbeta(2, 3)").expr, {}) == pytest.approx(-np.log(12))
    with pytest.raises(LawError, match="lbeta takes two"):
        parse_equation("lbeta(a)")
    with pytest.raises(LawError, match="no finite real value"):
        oracle(parse_equation("lbeta(a, b)").expr, {"a": -1.5, "b": 2})
