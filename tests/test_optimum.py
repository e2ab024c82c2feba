"""The best values of a law's inputs, and the region about them, against closed forms."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fitted import small_fit
from scipy import optimize

import bayes_scaling as bs
from bayes_scaling.decisions.boxes import minimise_in_box, reach
from bayes_scaling.decisions.plans import completed
from bayes_scaling.symbols import complete


def bowl(N, D, *, E, A, B, alpha, beta):
    """Least at N = A 1e7, D = B 1e8, with a valley askew in their logarithms."""
    x, y = jnp.log(N / (1e7 * A)), jnp.log(D / (1e8 * B))
    return E + alpha * x**2 + beta * y**2 + 0.2 * x * y


@pytest.fixture(scope="module")
def fit():
    """The small fit with the law of a bowl."""
    other = replace(small_fit().spec.law, name="bowl", fn=bowl, optimal_size="")
    return replace(small_fit(), spec=replace(small_fit().spec, law=other))


@pytest.fixture(scope="module")
def params():
    samples = small_fit().samples
    return {n: samples[n][:, 0] if samples[n].ndim > 1 else samples[n]
            for n in ("E", "A", "B", "alpha", "beta")}  # fmt: skip


def flat(draws, name):
    return draws[name].values.reshape(-1)


def test_both_inputs_and_how_far_each_may_stray(fit, params):
    """The least of the other at a distance x is alpha x^2 - 0.01 x^2 / beta above the best."""
    found, p = bs.optimum(fit, ("N", "D"), family="a", within=0.01), params
    np.testing.assert_allclose(flat(found.draws, "N"), 1e7 * p["A"], rtol=1e-6)
    np.testing.assert_allclose(flat(found.draws, "D"), 1e8 * p["B"], rtol=1e-6)
    np.testing.assert_allclose(flat(found.draws, "L"), p["E"], rtol=1e-9)
    far = np.sqrt(0.01 * p["E"] / (p["alpha"] - 0.01 / p["beta"]))
    np.testing.assert_allclose(flat(found.draws, "N_from"), 1e7 * p["A"] * np.exp(-far), rtol=1e-5)
    np.testing.assert_allclose(flat(found.draws, "N_to"), 1e7 * p["A"] * np.exp(far), rtol=1e-5)
    row = found.table.iloc[0]
    assert row["N"] == pytest.approx(np.median(1e7 * p["A"]), rel=1e-6)
    assert row["no_optimum"] == 0.0


def test_one_input_at_the_others(fit, params):
    """With N given the best log D moves along the valley."""
    found, p = bs.optimum(fit, "D", {"N": 1e10}, family="a", within=0.01, prob=0.9), params
    x = np.log(1e10 / (1e7 * p["A"]))
    y = -0.1 * x / p["beta"]
    np.testing.assert_allclose(flat(found.draws, "D"), 1e8 * p["B"] * np.exp(y), rtol=1e-6)
    least = bowl(1e10, flat(found.draws, "D"), **p)
    far = np.sqrt(0.01 * least / p["beta"])
    np.testing.assert_allclose(flat(found.draws, "D_to"), 1e8 * p["B"] * np.exp(y + far), rtol=1e-5)
    at = 5e10
    inside = bowl(1e10, at, **p) <= 1.01 * least
    assert found.probability({"D": at})[0] == pytest.approx(np.mean(inside))
    assert str(found).splitlines()[0].startswith("Best D by bowl at N = 10B; median [90 % band]")


def test_an_allocation_is_the_optimum_over_size_at_a_budget():
    """The general search with C given, and the closed form."""
    found = bs.optimum(small_fit(), "N", {"C": 1e21}, family="a", within=0.001)
    known = bs.allocate(small_fit(), 1e21, family="a")
    np.testing.assert_allclose(flat(found.draws, "N"), flat(known.draws, "N"), rtol=1e-6)
    np.testing.assert_allclose(flat(found.draws, "L"), flat(known.draws, "L"), rtol=1e-9)


def test_an_optimum_at_the_end_of_the_range_is_told():
    found = bs.optimum(small_fit(), "D", {"N": 1e9}, family="a")
    assert found.table["no_optimum"][0] == 1.0
    assert np.isinf(found.table["D_to"][0])
    assert "no_optimum" in {n.code for n in found.notes}


LOW, HIGH = np.array([-3.1, -4.0]), np.array([2.9, 5.0])


def bent(z, sign):
    """Rosenbrock's function, its second coordinate turned by the sign."""
    return (1 - z[0]) ** 2 + 20 * (sign * z[1] - z[0] ** 2) ** 2 + 0.01 * z[1]


@jax.jit
def bent_valley(sign):
    """The minimum and how far the first coordinate can go while the function is 0.05 above it."""
    box = jnp.asarray(LOW), jnp.asarray(HIGH)
    found = minimise_in_box(lambda z: bent(z, sign), *box)
    return found, reach(lambda z: bent(z, sign), found, bent(found, sign) + 0.05, *box)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_bent_valley_is_followed(x64, sign):
    """From a grid that misses its minimum, against scipy's and a fine grid."""
    found, (down, up) = bent_valley(sign)
    known = optimize.minimize(bent, [1.0, sign], args=(sign,), tol=1e-12)
    np.testing.assert_allclose(found, known.x, atol=1e-5)
    x, y = np.linspace(LOW[0], HIGH[0], 3001), np.linspace(LOW[1], HIGH[1], 2251)
    profile = bent((x[:, None], y), sign).min(axis=1)
    inside = x[profile <= bent(known.x, sign) + 0.05]
    np.testing.assert_allclose([down[0], up[0]], [inside.min(), inside.max()], atol=5e-3)


def test_ends_of_a_box_hold(x64):
    low, high = jnp.array([0.0, 0.0]), jnp.array([1.0, 1.0])
    found = minimise_in_box(lambda z: (z[0] + 1) ** 2 + (z[1] - 0.3) ** 2 + z[0] * z[1], low, high)
    np.testing.assert_allclose(found, [0.0, 0.3], atol=1e-8)


@pytest.mark.parametrize("known", ["ND", "NC", "NM", "DC", "DM", "CM"])
def test_two_of_size_data_compute_and_ratio_give_all(known):
    values = {"N": 7e9, "D": 1.4e12, "C": 6 * 7e9 * 1.4e12, "M": 200.0}
    given = {name: values[name] for name in known}
    logs = completed({name: np.log(value) for name, value in given.items()})
    assert {n: np.exp(v) for n, v in logs.items()} == pytest.approx(values)
    assert complete(given)[0] == pytest.approx(values)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"over": "lr", "at": {"N": 1e9}}, "'lr' is no input of law 'chinchilla'"),
        ({"over": "N", "at": {}}, "at: 'D' is missing; law 'chinchilla' takes 'N', 'D'"),
        ({"over": "N", "at": {"N": 1e9, "D": 1e9}}, "'N' is both searched and given"),
        ({"over": "N", "at": {"D": 1e9, "C": 1e21}}, "N and D and C are too many"),
        ({"over": (), "at": {"D": 1e9}}, "name one to 3 inputs, each once"),
        ({"over": "N", "at": {"D": 1e9}, "within": 0}, "within is 0: it must be a positive"),
        ({"over": "N", "at": {"D": 1e9}, "bounds": {"D": (1, 2)}}, "bounds names 'D', which is"),
        ({"over": "N", "at": {"D": 1e9}, "bounds": {"N": (2, 1)}}, "bounds: 'N' from 2 to 1"),
        ({"over": "N", "at": {"D": 1e9}, "bounds": {"N": 1e9}}, "takes a lower and an upper"),
    ],
)
def test_faults_are_one_line(asked, message):
    with pytest.raises(bs.DecisionError, match=message) as caught:
        bs.optimum(small_fit(), **asked)
    assert "\n" not in str(caught.value)
