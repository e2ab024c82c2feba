"""Minima and roots on a line: known curves, ends, flat and kinked ones, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from bayes_scaling.decisions.lines import INSIDE, LOWER, UPPER, minimise, root

pytestmark = pytest.mark.usefixtures("x64")
LOW, HIGH = np.full(5, -10.0), np.full(5, 30.0)
PLACES = np.array([-9.99, -3.0, 0.1, 12.345, 29.9])


def test_minima_of_skewed_curves_are_those_of_scipy():
    def curve(x, p, q):
        return jnp.exp(-p * x) + q * jnp.exp(0.3 * x) + 2.0

    p, q = np.array([0.1, 0.3, 0.5, 0.2, 0.05]), np.array([1.0, 0.01, 1e-3, 1e-2, 0.1])
    found = minimise(curve, LOW, HIGH, p, q)
    for i in range(5):
        known = np.log(p[i] / (0.3 * q[i])) / (p[i] + 0.3)
        assert float(found.at[i]) == pytest.approx(known, abs=1e-10)
    assert np.all(found.end == INSIDE)


def test_of_two_minima_the_lower_is_taken():
    def curve(x, tilt):
        return (x**2 - 4.0) ** 2 + tilt * x

    tilt = np.array([3.0, -3.0, 0.5, -0.5, 1.0])
    found = minimise(curve, LOW, HIGH, tilt)
    assert np.all(np.sign(found.at) == -np.sign(tilt))
    for at, t in zip(np.asarray(found.at), tilt, strict=True):
        known = optimize.minimize_scalar(lambda x, t=t: curve(x, t), bracket=(at - 0.1, at + 0.1))
        assert float(at) == pytest.approx(known.x, abs=1e-6)


def test_curves_that_fall_towards_an_end_say_which():
    falling = jnp.array([1.0, -1.0, 1.0, -1.0, -1.0])
    found = minimise(lambda x, s: s * x, LOW, HIGH, falling)
    assert list(found.end) == [LOWER, UPPER, LOWER, UPPER, UPPER]
    assert list(found.at) == [-10.0, 30.0, -10.0, 30.0, 30.0]


def test_kinks_are_found():
    found = minimise(lambda x, at: jnp.abs(x - at) + 0.1 * (x - at), LOW, HIGH, PLACES)
    np.testing.assert_allclose(found.at, PLACES, atol=1e-9)


def test_flat_and_undefined_curves_have_no_minimum():
    flat = minimise(lambda x, at: jnp.maximum(jnp.abs(x - at) - 5.0, 0.0) ** 2, LOW, HIGH, PLACES)
    assert np.all(np.isnan(flat.at[1:4]))
    nothing = minimise(lambda x, at: jnp.sqrt(-1.0 - (x - at) ** 2), LOW, HIGH, PLACES)
    assert np.all(np.isnan(nothing.at))


def test_a_deep_floor_does_not_hide_a_shallow_minimum():
    """Differences of the values are below rounding; those of the slopes are not."""
    found = minimise(lambda x, at: 3.0 + 1e-17 * (x - at) ** 2, LOW, HIGH, PLACES)
    np.testing.assert_allclose(found.at, PLACES, atol=1e-8)


def test_derivatives_are_those_of_the_closed_form():
    """The least of exp(-p x) + q exp(x): log(p / q) / (p + 1)."""

    def place(p, q):
        found = minimise(lambda x, p, q: jnp.exp(-p * x) + q * jnp.exp(x), LOW, HIGH, p, q)
        return found.at.sum()

    def known(p, q):
        return (jnp.log(p / q) / (p + 1.0)).sum()

    p, q = jnp.linspace(0.2, 1.0, 5), jnp.linspace(0.01, 2.0, 5)
    for way in (jax.grad, jax.jacfwd):
        for one, two in zip(way(place, (0, 1))(p, q), way(known, (0, 1))(p, q), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-9)


def test_derivatives_at_an_end_are_those_of_the_end():
    slope = jax.jacfwd(lambda high: minimise(lambda x: -x, LOW, high).at)(HIGH)
    np.testing.assert_allclose(slope, np.eye(5))


def test_roots_where_newton_strays():
    def rising(x):
        y = jnp.arctan(x - PLACES)
        return y, 1.0 / (1.0 + (x - PLACES) ** 2)

    np.testing.assert_allclose(root(rising, LOW, HIGH), PLACES, atol=1e-10)
