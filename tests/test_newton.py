"""The search for a mode: closed forms, saddles, and Hessians of many coordinates in pieces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_scaling.infer.newton import find_mode

pytestmark = pytest.mark.usefixtures("x64")
SIZES = [3, 32, 33, 80]


def valley(dim):
    """A convex function with its minimum at ``centre`` and curvatures over four decades."""
    rng = np.random.default_rng(dim)
    turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    root, centre = turn * 10 ** rng.uniform(-1, 1, dim), rng.normal(size=dim)

    def potential(z):
        y = (z - centre) @ root
        return jnp.sum(jnp.logaddexp(y, -y)) + 0.1 * jnp.sum(y**2)

    return potential, centre, root


@pytest.mark.parametrize("together", [None, 7, 32])
@pytest.mark.parametrize("dim", SIZES)
def test_the_mode_and_its_hessian_are_the_closed_forms(dim, together):
    potential, centre, root = valley(dim)
    found = find_mode(potential, jnp.zeros(dim), together=together)
    assert found.decrement < 1e-8
    assert found.potential == pytest.approx(dim * np.log(2), abs=1e-7)
    np.testing.assert_allclose((found.z - centre) @ root, 0, atol=1e-3)
    # the second derivative of log(2 cosh y) + 0.1 y**2 at nought is 1.2
    np.testing.assert_allclose(found.hessian, 1.2 * root @ root.T, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dim", SIZES)
def test_a_saddle_is_left(dim):
    """Two wells in every fourth coordinate, and a start beside the ridges between them."""
    wells = np.arange(dim) % 4 == 0

    def potential(z):
        return jnp.sum(jnp.where(wells, 0.25 * z**4 - 0.5 * z**2, 0.5 * z**2))

    found = find_mode(potential, jnp.full(dim, 0.01), together=16)
    np.testing.assert_allclose(found.z, np.where(wells, 1.0, 0.0), atol=1e-4)
    assert found.potential == pytest.approx(-0.25 * wells.sum())


def test_searches_side_by_side_are_those_one_by_one():
    potential, _, _ = valley(33)
    starts = jax.random.normal(jax.random.key(0), (3, 33))
    many = jax.vmap(lambda z: find_mode(potential, z, together=20))(starts)
    for i, start in enumerate(starts):
        np.testing.assert_allclose(many.z[i], find_mode(potential, start).z, atol=1e-5)
