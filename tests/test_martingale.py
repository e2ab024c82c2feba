"""The martingale posterior: closed forms where there are some, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest
from scipy.stats import t as student_t
from test_baseline import LINE, power_table

import bayes_scaling as bs
from bayes_scaling.infer.resampling import pull, stretches, student
from bayes_scaling.martingales import _scatter_of
from bayes_scaling.resolve import resolve

ROWS, REPLICATES = 40, 2000
FOUR_SE = 4 / np.sqrt(2 * REPLICATES)  # of an sd


@pytest.fixture(scope="module")
def runs():
    return bs.read_runs(power_table(ROWS))


@pytest.fixture(scope="module")
def found(runs):
    return bs.martingale(
        runs, "power_law(N)", noise="normal_log", priors=LINE, replicates=REPLICATES
    )


@pytest.fixture(scope="module")
def least_squares(runs):
    """Design about the centre, estimate, and its covariance s^2 (X'X)^-1."""
    x, y = np.log(runs.values["N"]), np.log(runs.values["L"])
    design = np.stack([np.ones(ROWS), -(x - x.mean())], axis=1)
    estimate, *_ = np.linalg.lstsq(design, y, rcond=None)
    left = y - design @ estimate
    variance = left @ left / (ROWS - 2)
    return design, estimate, variance * np.linalg.inv(design.T @ design), np.sqrt(variance)


def test_the_spread_of_a_linear_law_is_that_of_least_squares(runs, found, least_squares):
    """Up to 1/n, by which the sum of 1/m^2 beyond n and the growth of sigma differ from it."""
    _, estimate, covariance, _ = least_squares
    centre = np.exp(np.log(runs.values["N"]).mean())
    level = np.log(found.draws["A"]) - found.draws["alpha"] * np.log(centre)
    assert found.point["alpha"][0] == pytest.approx(estimate[1], abs=1e-7)
    for draws, i in ((level, 0), (found.draws["alpha"], 1)):
        sd = np.sqrt(covariance[i, i])
        assert draws.mean() == pytest.approx(estimate[i], abs=4 * sd / np.sqrt(REPLICATES))
        assert draws.std() == pytest.approx(sd, rel=FOUR_SE + 1 / ROWS)
    assert abs(np.corrcoef(level, found.draws["alpha"])[0, 1]) < 4 / np.sqrt(REPLICATES)


def test_bands_are_those_of_the_regression(found, least_squares):
    """Of the mean and of a new run, at a point beyond the data, where Student's t has 38 degrees
    of freedom."""
    design, estimate, covariance, sigma = least_squares
    far = np.array([1.0, design[:, 1].min() - 1.0])
    size = np.exp(np.log(found.sampled.runs.values["N"]).mean() - far[1])
    row = found.forecast({"N": size}, prob=0.9).iloc[0]
    law = far @ covariance @ far
    for kind, variance in (("law", law), ("run", law + sigma**2)):
        exact = 2 * student_t.ppf(0.95, ROWS - 2) * np.sqrt(variance)
        width = np.log(row[f"{kind}_90_high"] / row[f"{kind}_90_low"])
        # a 5 % quantile of 2000 draws has an error of 4.6 % of an sd
        assert width == pytest.approx(exact, rel=0.1), kind
    assert np.log(row["median"]) == pytest.approx(far @ estimate, abs=5 * np.sqrt(law / REPLICATES))


def test_new_runs_have_the_scatter_of_the_runs(found, least_squares):
    rms = np.sqrt((found.new_runs**2).mean())
    assert rms == pytest.approx(
        least_squares[-1], rel=0.06
    )  # log sigma has an sd of 1/sqrt(2 x 38)


def test_a_student_variate_and_its_score(x64):
    uniform = jax.random.uniform(jax.random.key(0), (2, 4000))
    for nu in (2.5, 6.0):
        drawn = np.asarray(student(uniform, nu))
        assert kstest(drawn, student_t(nu).cdf).pvalue > 1e-3
        slope = jax.vmap(jax.grad(lambda e, nu=nu: jax.scipy.stats.t.logpdf(e, nu)))
        assert np.allclose(pull(jnp.asarray(drawn), nu), -slope(jnp.asarray(drawn)))
        score = np.asarray(pull(drawn, nu))
        worth = (nu + 1) / (nu + 3)  # expected information of a location
        assert abs(score.mean()) < 4 * np.sqrt(worth / 4000)
        assert score.var() == pytest.approx(worth, rel=0.15)


def test_the_scatter_is_scipys_maximum_likelihood(runs, rng):
    spec = resolve(runs, "power_law(N)")
    miss = 0.01 * rng.standard_t(4, size=300)
    sigma, nu = _scatter_of(spec, miss)
    theirs_nu, _, theirs = student_t.fit(miss, floc=0)
    assert nu == pytest.approx(theirs_nu, rel=1e-2)
    assert sigma == pytest.approx(theirs, rel=1e-2)


def test_stray_runs_weigh_little(runs):
    columns = power_table(ROWS)
    columns["L"][:3] *= 1.5
    found = [bs.martingale(columns, "power_law(N)", noise=noise, priors=LINE, replicates=200)
             for noise in ("student_t_log", "normal_log")]  # fmt: skip
    sds = [each.draws["alpha"].std() for each in found]
    assert sds[0] < 0.5 * sds[1]
    errors = [abs(each.point["alpha"][0] - 0.3) for each in found]
    assert errors[0] < 0.5 * errors[1]


def test_stretches_grow_with_the_runs():
    ends = stretches(200, 10)
    assert ends[0] == 0
    assert ends[-1] == 2000
    assert (np.diff(ends) > 0).all()
    assert len(ends) < 120
    assert stretches(10**5, 10**5)[-1] == 4000


def test_a_floor_near_zero_does_not_jump(rng):
    """In logarithms a step from there would take it to several times the loss."""
    N = 10 ** rng.uniform(7, 9, 20)
    columns = {"N": N, "L": (0.02 + 40.0 * N**-0.15) * np.exp(0.004 * rng.normal(size=20))}
    found = bs.martingale(columns, "power_law_with_floor(N)", replicates=300)
    assert found.draws["E"].quantile(0.99) < columns["L"].min()
    law = found.forecast({"N": [1e7, 1e9]}, prob=0.9)
    assert law["median"].to_numpy() == pytest.approx(
        0.02 + 40 * np.array([1e7, 1e9]) ** -0.15, rel=0.02
    )


def test_a_floor_that_the_fit_puts_at_zero_is_told():
    bent = power_table(30, noise=0.001)
    bent["L"] = bent["L"] * np.exp(-0.02 * (np.log10(bent["N"]) - 7) ** 2)
    found = bs.martingale(bent, "power_law_with_floor(N)", replicates=10)
    assert {n.code for n in found.notes} == {"at_bound"}
    assert "E at zero" in str(found)


def test_faults_are_told():
    with pytest.raises(bs.DataError, match="needs 4 runs of every family"):
        bs.martingale(power_table(3), "power_law(N)")
    with pytest.raises(bs.SpecError, match="replicates=1"):
        bs.martingale(power_table(9), "power_law(N)", replicates=1)
