"""The coordinates that sampling runs in leave the posterior alone: densities and Jacobians."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from numpyro.distributions import biject_to
from scipy import stats

import bayes_scaling as bs
from bayes_scaling.distributions import HalfNormal, StudentT, log_fold, unfold
from bayes_scaling.infer.bend import bend_at, straighten, summands
from bayes_scaling.infer.pieces import replaced, some
from bayes_scaling.infer.prepare import (
    _in_turn,
    _sharpen,
    compiled_prepare,
    from_whitened,
    plain_args,
    whitened_potential,
)
from bayes_scaling.infer.target import make_target


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def log_det(f, x):
    return float(jnp.linalg.slogdet(jax.jacfwd(f)(x))[1])


@pytest.mark.parametrize("u", [-30.0, -4.0, -1.0, 0.0, 0.7, 3.0, 12.0])
def test_half_normal_coordinate(u):
    own = HalfNormal(0.3)
    to_value = biject_to(own.support)
    value = to_value(jnp.asarray(u))
    assert float(to_value.inv(value)) == pytest.approx(u, abs=1e-7)
    slope = float(jnp.log(jax.grad(to_value)(jnp.asarray(u))))
    assert slope == pytest.approx(float(to_value.log_abs_det_jacobian(u, value)), abs=1e-9)
    assert float(own.log_prob(value)) == float(dist.HalfNormal(0.3).log_prob(value))


def test_half_normal_coordinate_is_near_standard_normal():
    u = jnp.linspace(-2.5, 2.5, 51)
    own = HalfNormal(1.0)
    to_value = biject_to(own.support)
    value = to_value(u)
    density = own.log_prob(value) + to_value.log_abs_det_jacobian(u, value)
    assert np.abs(density - dist.Normal().log_prob(u)).max() < 0.07


def test_unfold_inverts_and_differentiates():
    log_value = jnp.linspace(-50.0, 4.0, 200)
    assert np.allclose(log_fold(unfold(log_value)), log_value, atol=1e-10)
    step = 1e-6
    by_difference = (unfold(log_value + step) - unfold(log_value - step)) / (2 * step)
    assert np.allclose(jax.vmap(jax.grad(unfold))(log_value), by_difference, rtol=1e-5)


@pytest.mark.parametrize("df", [1.5, 4.0, 30.0])
def test_student_t_draws_follow_its_distribution_function(df):
    draws = np.asarray(StudentT(df, 1.0, 2.0).sample(jax.random.key(0), (20_000,)))
    assert stats.kstest(draws, stats.t(df, 1.0, 2.0).cdf).pvalue > 1e-4


def test_bend_is_linear_above_the_mode_and_logarithmic_below():
    unit = jnp.zeros(3)
    bent = (True, False, True)
    for start in ([-20.0, 1.0, 2.9], [30.0, -2.0, -3.0]):
        u = jnp.asarray(start)
        value, turn = straighten(u, unit, bent)
        assert float(turn) == pytest.approx(log_det(lambda v: straighten(v, unit, bent)[0], u))
        assert float(value[1]) == start[1]
    assert float(straighten(jnp.asarray([30.0, 0, 0]), unit, bent)[0][0]) == pytest.approx(
        np.log(30.0)
    )


def test_bend_at_keeps_the_mode_and_carries_the_scale():
    mode, bent = jnp.asarray([0.4, -1.0, 2.0]), (True, False, True)
    scale = jnp.diag(jnp.asarray([0.1, 2.0, 3.0]))  # the third is open and stays a logarithm
    unit, place, carried = bend_at(mode, scale, bent)
    assert np.allclose(straighten(place, unit, bent)[0], mode, atol=1e-10)
    slopes = jax.jacfwd(lambda u: straighten(u, unit, bent)[0])(place)
    assert np.allclose(slopes @ carried, scale, atol=1e-9)
    assert np.allclose(carried[2, 2], 3.0, atol=1e-9)
    assert carried[0, 0] > 0.3


@pytest.mark.parametrize("marked", ["1", "10", "01", "0110100", "1011"])
def test_some_coordinates_and_their_gradient(marked):
    where = np.array([c == "1" for c in marked])
    z = jnp.arange(1.0, len(where) + 1.0)
    assert np.array_equal(some(where, z), z[where])
    found = replaced(where, z, 10.0 * some(where, z))
    assert np.array_equal(found, np.where(where, 10.0 * z, z))
    slope = jax.jacrev(lambda v: replaced(where, v, some(where, v) ** 2))(z)
    assert np.allclose(slope, np.diag(np.where(where, 2.0 * z, 1.0)))


def test_searches_in_turn_end_where_searches_at_once_do():
    """Two wells, unlike in depth: a start in one must not be given the end of the other."""

    class Wells:
        @staticmethod
        def potential(z, args):
            wells = ((z[0] ** 2 - 1.0) ** 2 + 0.2 * z[0]) / (0.1 + args["blur"])
            return wells + 0.5 * (z[1] - z[0]) ** 2

    starts = jnp.asarray([[1.3, 0.0], [-0.7, 2.0], [0.6, -1.0], [-2.0, 0.0], [1.1, 1.1]])
    args = {"blur": jnp.zeros(()), "mask": jnp.ones(1, bool)}
    alone = jax.vmap(lambda z: _sharpen(Wells, z, args))(starts)
    turned = _in_turn(Wells, starts, args)
    assert np.array_equal(np.sign(turned.z[:, 0]), np.sign(starts[:, 0]))
    assert np.allclose(turned.z, alone.z, atol=1e-5)
    assert np.allclose(turned.potential, alone.potential, atol=1e-8)
    assert len(np.unique(np.round(turned.potential, 3))) == 2


@pytest.mark.parametrize(
    ("law", "named"),
    [
        ("chinchilla", {"E", "A", "B"}),
        ("gadre", {"E", "a", "b"}),
        ("power_law_with_floor(N)", None),
        ("power_law(N)", set()),
        ("kaplan", set()),
        ("yun", {"A", "B", "C", "F"}),  # all under one factor, a power of a difference
        ("ludziejewski", {"a", "b", "c"}),
    ],
)
def test_summands_are_the_coefficients_of_sums(law, named):
    found = summands(bs.get_law(law))
    if named is None:
        assert len(found) == 2
    else:
        assert found == named


@pytest.mark.parametrize("pool", ["partial", "separate"])
def test_whitened_density_is_the_models(pool):
    """Density in whitened coordinates less that of the constrained values: one constant."""
    from numpyro.infer.util import log_density

    from bayes_scaling.arguments import make_args
    from bayes_scaling.build import numpyro_model_of
    from bayes_scaling.resolve import resolve

    runs = bs.published_runs(families=["Cerebras-GPT", "Pythia"], embeddings=False)
    spec = resolve(runs, "chinchilla", pool=pool)
    args = make_args(runs, spec)
    target = make_target(spec, args)
    prepared = compiled_prepare(target, 2, 2)(jax.random.key(0), args, np.float64(-1))
    density = whitened_potential(target, prepared)
    model = numpyro_model_of(spec)
    plain = plain_args(prepared)

    def sites_of(w):
        sites = target.constrain(from_whitened(target, prepared, w), plain_args(prepared))
        return {s.name: sites[s.name] for s in target.sites}

    def flat(w):
        return jnp.concatenate([jnp.ravel(v) for v in sites_of(w).values()])

    rng = np.random.default_rng(1)
    gaps = []
    for _ in range(3):
        w = jnp.asarray(0.5 * rng.normal(size=target.dim))
        value, _ = log_density(model, (plain,), {}, sites_of(w))
        gaps.append(float(value) + log_det(flat, w) + float(density(w)))
    assert np.ptp(gaps) < 1e-6 * max(1.0, abs(gaps[0]))


def test_the_mode_is_carried_into_the_families_own_coordinates():
    """Turning, centring and bending move no point: the families' values at the mode stay."""
    from bayes_scaling.arguments import make_args
    from bayes_scaling.resolve import resolve

    runs = bs.published_runs(embeddings=False)
    spec = resolve(runs, "chinchilla", pool="partial")
    args = make_args(runs, spec)
    target = make_target(spec, args)
    prepared = compiled_prepare(target, 2, 2)(jax.random.key(0), args, np.float64(-1))
    found = prepared.modes[np.argmin(prepared.potentials)]
    carried = from_whitened(target, prepared, jnp.zeros(target.dim))
    before, after = target.constrain(found, args), target.constrain(carried, plain_args(prepared))
    for name in ("E", "A", "B", "alpha", "beta", "sigma", "tau_E"):
        assert np.allclose(before[name], after[name], rtol=1e-6), name
