"""The process of a law's error against dense normal distributions."""

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal, norm, skewnorm

from bayes_scaling.stats.elliptical import settle
from bayes_scaling.stats.kriging import krige
from bayes_scaling.stats.residual_fit import (
    GROWTHS,
    OWN,
    RIGHT,
    Normal,
    learn,
    learn_all,
    model_weights,
    most_likely,
    problem_of,
)
from bayes_scaling.stats.residual_growth import growth_weights
from bayes_scaling.stats.residual_process import (
    COMMON,
    HYPERS,
    JITTER,
    NONE,
    NU,
    Linear,
    Rows,
    covariance,
    evidence_and_slope,
    family_blocks,
    given_rows,
    noise_variance,
    one_block,
    solve_blocks,
    student_weights,
)

V = np.array([np.log(0.02), 0.1, -5.0, -0.3, -0.5, -5.5, -np.inf])
TOGETHER = np.append(V[:-1], 0.8)  # 69 % of the error's variance in common
BEFORE = Normal(
    np.array([np.log(0.01), 0.0, np.log(0.005), 0.0, -0.3, np.log(0.005)]),
    np.array([1.0, 0.5, 0.8, 0.7, 0.5, 1.0]),
)


def rows_of(place, family=None, run=None):
    scale = place.sum(axis=1)
    n = len(scale)
    return Rows(place, scale - scale.max(), np.zeros(n),
                np.zeros(n, int) if family is None else family,
                np.full(n, NONE) if run is None else run, np.zeros(n))  # fmt: skip


@pytest.fixture
def made(rng):
    rows = rows_of(
        rng.uniform(0, 1.5, (14, 2)),
        np.repeat([0, 1], 7),
        np.arange(14) % 7 // 2 + np.repeat([0, 9], 7),
    )
    jacobian = rng.normal(size=(14, 3))
    linear = Linear(0.02 * rng.normal(size=14), jacobian, np.diag([4.0, 1.0, 9.0]))
    return rows, linear, rng.uniform(0.5, 1.5, 14)


def matern(v, rows):
    """The law's error and the run's, entry by entry."""
    n = len(rows.scale)
    total, common = np.empty((n, n)), 1 / (1 + np.exp(-v[COMMON]))
    for i in range(n):
        for j in range(n):
            r = np.sqrt(3) * np.linalg.norm(rows.place[i] - rows.place[j]) / np.exp(v[1])
            sizes = np.exp(2 * v[0] + v[4] * (rows.scale[i] + rows.scale[j]))
            alike = 1.0 if rows.family[i] == rows.family[j] else common
            total[i, j] = sizes * (1 + r) * np.exp(-r) * alike
            total[i, j] += np.exp(2 * v[5]) * (rows.run[i] == rows.run[j])
    return total


def dense(rows, linear, weight, v=V):
    """The covariance of all residuals, the law's coordinates integrated out."""
    total = matern(v, rows)
    noise = noise_variance(v, rows) / weight + JITTER
    prior = linear.jacobian @ np.linalg.inv(linear.precision) @ linear.jacobian.T
    return total + np.diag(noise), prior


@pytest.mark.parametrize(("v", "blocks"), [(V, family_blocks), (TOGETHER, one_block)])
def test_evidence_is_the_density_of_the_residuals(made, v, blocks):
    rows, linear, weight = made
    noise, prior = dense(rows, linear, weight, v)
    exact = multivariate_normal(cov=noise + prior).logpdf(linear.residual)
    found = evidence_and_slope(v, blocks(rows), linear, weight)[0]
    constant = 0.5 * np.linalg.slogdet(linear.precision)[1] - 7 * np.log(2 * np.pi)
    assert found + constant == pytest.approx(exact, rel=1e-9)


def without(*names):
    """Hyper-parameters of a process that lacks some parts."""
    return np.where(np.isin([*HYPERS, "common"], names), -np.inf, V)


@pytest.mark.parametrize(
    "v", [V, without("size"), without("run"), without("size", "run"), TOGETHER]
)
def test_slope_is_that_of_finite_differences(made, v):
    rows, linear, weight = made
    together = v[COMMON] > -np.inf
    made = (one_block if together else family_blocks)(rows), linear, weight
    slope = evidence_and_slope(v, *made)[1]
    for i, name in enumerate([*HYPERS, "common"] if together else HYPERS):
        step = np.where(np.arange(len(v)) == i, 1e-5, 0.0)
        ends = [evidence_and_slope(v + s * step, *made)[0] for s in (1, -1)]
        assert slope[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5), name


def test_coordinates_given_the_rows_are_the_normal_posterior(made):
    rows, linear, weight = made
    noise, _ = dense(rows, linear, weight)
    found = given_rows(solve_blocks(V, family_blocks(rows), weight), linear)
    precision = linear.precision + linear.jacobian.T @ np.linalg.solve(noise, linear.jacobian)
    pull = linear.jacobian.T @ np.linalg.solve(noise, linear.residual)
    assert np.allclose(found.precision, precision)
    assert np.allclose(found.shift, np.linalg.solve(precision, pull))


def test_kriging_is_conditioning(made):
    rows, _, weight = made
    rows = rows.take(np.arange(7))
    new = Rows(rows.place[:3] + 0.2, rows.scale[:3], np.array([0.0, 0.3, 1.0]), rows.family[:3],
               rows.run[:3], np.zeros(3))  # fmt: skip
    (block,) = solve_blocks(V, family_blocks(rows), weight[:7])
    found = krige(V, rows, block.inverse, new, 0.5)
    noisy = covariance(V, rows, rows) + np.diag(noise_variance(V, rows) / weight[:7] + JITTER)
    across = covariance(V, new, rows, 0.5)
    left = covariance(V, new, new, 0.5) - across @ np.linalg.solve(noisy, across.T)
    assert np.allclose(found.weights, across @ np.linalg.inv(noisy))
    assert np.allclose(found.root @ found.root.T, left, atol=1e-12)
    alone = krige(V, rows.take(np.arange(0)), None, new, 0.5)
    assert alone.weights.shape == (3, 0)
    assert np.allclose(alone.root @ alone.root.T, covariance(V, new, new, 0.5))


def test_families_in_common_tell_of_each_other_and_of_a_new_one(made):
    rows, _, weight = made
    (block,) = solve_blocks(TOGETHER, one_block(rows), weight)
    noisy = matern(TOGETHER, rows) + np.diag(noise_variance(TOGETHER, rows) / weight + JITTER)
    assert np.allclose(block.inverse, np.linalg.inv(noisy))
    new = rows.take(np.arange(2))._replace(family=np.full(2, NONE), run=np.full(2, NONE))
    found = krige(TOGETHER, rows, block.inverse, new, 0.0)
    across = matern(
        TOGETHER,
        rows._replace(
            family=np.where(np.arange(14) < 2, 9, rows.family),
            run=np.where(np.arange(14) < 2, 99, rows.run),
        ),
    )[:2]
    common = 1 / (1 + np.exp(-0.8))
    own = matern(TOGETHER, rows._replace(run=np.arange(14)))[:2, :2] - np.exp(2 * V[5]) * np.eye(2)
    across[:, :2] = common * own
    assert np.allclose(found.weights, across @ np.linalg.inv(noisy))
    assert np.allclose(found.root @ found.root.T, own - found.weights @ across.T, atol=1e-12)


def test_weights_make_the_noise_student_t(rng):
    """Without other parts, the EM fixed point is the Student-t's own weight of each residual."""
    rows = rows_of(np.zeros((200, 1)))
    v = np.array([-np.inf, 0.0, 0.0, 0.0, 0.0, -np.inf, -np.inf])
    left = rng.standard_t(NU, 200)
    solved = solve_blocks(v, family_blocks(rows), np.ones(200))
    weight = student_weights(v, rows, np.ones(200), solved, left)
    assert np.allclose(weight, (NU + 1) / (NU + left**2), rtol=1e-6)


# --- learning --------------------------------------------------------------------------------


def line(z):
    """A law of two coordinates on 60 places."""
    x = np.linspace(-2, 0, 60)
    return z[0] + z[1] * x, np.stack([np.ones(60), x], axis=1)


def problem(left):
    x = np.linspace(-2, 0, 60)
    response = line(np.array([0.3, -0.2]))[0] + left
    prior = Normal(np.zeros(2), np.eye(2))
    return problem_of(line, rows_of(x[:, None]), response, prior, np.zeros(2))


def both(left):
    here = problem(left)
    return here, [learn(here, BEFORE, kind) for kind in (OWN, RIGHT)]


def test_noise_alone_speaks_for_the_law(rng):
    _, models = both(0.004 * rng.standard_t(NU, 60))
    assert model_weights(models)[1] > 0.7
    assert np.exp(models[1].v[2]) == pytest.approx(0.004, rel=0.35)


def test_a_wave_speaks_against_it(rng):
    wave = 0.02 * np.sin(4 * np.linspace(-2, 0, 60))
    _, models = both(wave + 0.002 * rng.normal(size=60))
    assert model_weights(models)[0] > 0.99
    assert 0.007 < np.exp(models[0].v[0]) < 0.06


def families(left):
    """Residuals (family, place) of the line's law in families, at 12 places of their own order."""
    x = np.linspace(-2, 0, 12)
    count = len(left)

    def law(z):
        return np.tile(z[0] + z[1] * x, count), np.tile(np.stack([np.ones(12), x], 1), (count, 1))

    rows = rows_of(np.tile(x, count)[:, None], np.repeat(np.arange(count), 12))
    response = law(np.array([0.3, -0.2]))[0] + left.ravel()
    return problem_of(law, rows, response, Normal(np.zeros(2), np.eye(2)), np.zeros(2))


def test_errors_alike_in_all_families_are_known_from_errors_of_each_its_own(rng):
    noise = 0.002 * rng.normal(size=(4, 12))
    waves = 0.02 * np.sin(5 * np.linspace(-2, 0, 12) + np.array([[0.0], [2.0], [3.5], [5.0]]))
    own, shared, right = model_weights(learn_all(families(waves[:1] + noise), BEFORE))
    assert shared > 0.99
    own, shared, right = model_weights(learn_all(families(waves + noise), BEFORE))
    assert own > shared
    assert right < 0.01


def test_one_family_has_nothing_in_common(rng):
    assert len(learn_all(problem(0.004 * rng.normal(size=60)), BEFORE)) == 2


def test_most_likely_is_least_squares_for_a_line(rng):
    here = problem(0.01 * rng.normal(size=60))
    v = np.array([-np.inf, 0.0, np.log(0.01), 0.0, 0.0, -np.inf, -np.inf])
    mode = most_likely(here, v, np.ones(60), here.start)
    design, noise = line(np.zeros(2))[1], 0.01**2 + JITTER
    precision = np.eye(2) + design.T @ design / noise
    assert np.allclose(mode.z, np.linalg.solve(precision, design.T @ here.response / noise))
    assert np.allclose(mode.precision, precision)


def test_a_place_without_slope_is_not_stopped_at(rng):
    """A law whose slope breaks down where a full step leads still ends in a place that has one."""
    here = problem(0.01 * rng.normal(size=60) + 3.0)
    reached = []

    def breaking(z):
        values, jacobian = here.law(z)
        reached.append(bool(z[0] > 1.0))
        return values, jacobian if z[0] <= 1.0 else np.full_like(jacobian, np.nan)

    v = np.array([-np.inf, 0.0, np.log(0.01), 0.0, 0.0, -np.inf, -np.inf])
    mode = most_likely(here._replace(law=breaking), v, np.ones(60), here.start)
    assert any(reached)
    assert np.isfinite(mode.z).all()
    assert mode.z[0] <= 1.0
    assert np.isfinite(mode.precision).all()


def test_growth_is_learned_from_what_lies_ahead(rng):
    """Residuals that open towards the largest runs speak for growth, flat ones do not."""
    x = np.linspace(-2, 0, 60)
    here, models = both(0.01 * np.cumsum(rng.normal(size=60)) * np.exp(1.5 * x))
    steady = growth_weights(here, models[0]._replace(v=models[0].v * [1, 1, 1, 1, 0, 1, 1]))
    far = np.log([0.001, 1.0, 0.002, 1.0, 1.0, 1.0, 1.0])
    small = growth_weights(here, models[0]._replace(v=np.where(np.arange(7) == 0, far, V)))
    for weight in (steady, small):
        assert weight.sum() == pytest.approx(1.0)
    assert small @ GROWTHS > steady @ GROWTHS


def test_slices_settle_on_a_target_far_from_the_normal_approximation(rng):
    """From a standard normal to a skewed target that lies mostly on one side of it."""
    target = skewnorm(4.0, scale=0.8)
    state, settled = settle(
        lambda e, _: target.logpdf(e[:, 0]) + 0.5 * e[:, 0] ** 2, rng.normal(size=(4000, 1)), rng
    )
    assert settled
    assert kstest(state[:, 0], target.cdf).pvalue > 0.001


def test_slices_keep_a_normal_as_it_is(rng):
    state, settled = settle(lambda e, _: np.zeros(len(e)), rng.normal(size=(3000, 2)), rng)
    assert settled
    assert kstest(state.ravel(), norm.cdf).pvalue > 0.001
