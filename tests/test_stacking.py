"""Laws weighed by forecasts of held-out runs, and their mixture."""

import numpy as np
import pytest
from scipy.optimize import minimize

import bayes_scaling as bs
from bayes_scaling.stacking import EQUAL, stacking_weights


def test_weights_are_those_of_a_direct_search(rng):
    scores, worth = rng.normal([0.0, 0.3, -0.2], 1.0, (40, 3)), rng.uniform(0.3, 1.0, 40)

    def loss(x):
        w = np.exp(x - np.logaddexp.reduce(x))
        return -worth @ np.log(np.exp(scores) @ w) - EQUAL * np.log(w).sum()

    best = minimize(loss, np.zeros(3), method="BFGS").x
    exact = np.exp(best - np.logaddexp.reduce(best))
    assert stacking_weights(scores, worth) == pytest.approx(exact, abs=1e-4)


def test_equal_laws_share_and_a_hopeless_one_gets_little(rng):
    same = rng.normal(size=(200, 1))
    found = stacking_weights(np.hstack([same, same, same - 30.0]), np.ones(200))
    assert found[0] == pytest.approx(found[1])
    assert found[2] < 0.01


@pytest.fixture(scope="module")
def stacked():
    """Runs with a floor, under a law that has one and a law that lacks it."""
    rng = np.random.default_rng(1)
    N = np.geomspace(1e7, 1e11, 40)
    runs = {"N": N, "L": (2.0 + 300.0 * N**-0.35) * np.exp(0.003 * rng.normal(size=40))}
    laws = ("power_law_with_floor(N)", "power_law(N)")
    return bs.stack(runs, laws, by="N", cuts=(0.5, 0.7), noise="normal_log", progress=False)


def test_the_law_that_forecasts_better_weighs_more(stacked):
    assert stacked.weights.sum() == pytest.approx(1.0)
    assert stacked.weights[0] > 0.8
    assert stacked.table.index[0] == "power_law_with_floor"


def test_the_mixture_forecasts(stacked):
    found = stacked.forecast({"N": [1e12]}, prob=0.9)
    true = 2.0 + 300.0 * 1e12**-0.35
    assert found["run_90_low"].item() < true < found["run_90_high"].item()
    medians = [bs.forecast(f, {"N": [1e12]}).table["median"].item() for f in stacked.fits]
    assert found["laws_apart"].item() == pytest.approx(abs(medians[0] - medians[1]), rel=0.05)
    assert "beyond_N" in found


def test_one_law_is_not_a_stack():
    with pytest.raises(bs.SpecError, match="two different laws"):
        bs.stack({"N": [1e7, 1e8], "L": [3.0, 2.5]}, ["power_law(N)"])
