"""Laws of scores, samples and time at published constants give the numbers published with them."""

import numpy as np
import pytest

from bayes_scaling.spec import get_law

pytestmark = pytest.mark.usefixtures("x64")


def value(law, params, point):
    entry = get_law(law)
    assert set(params) == set(entry.param_names)
    return float(entry(*(point[name] for name in entry.inputs), **params))


# Fits to the published samples: share solved by one and by 1e4, the power's a and b, Beta's shape.
COVERAGE = [
    (0.0006, 0.266, 8.03, 0.194, 0.065, 100),  # MATH, Pythia 70M to 12B
    (0.0027, 0.570, 6.59, 0.280, 0.176, 66),
    (0.0062, 0.656, 5.52, 0.286, 0.180, 29),
    (0.0083, 0.742, 5.45, 0.315, 0.216, 25),
    (0.0203, 0.813, 4.10, 0.336, 0.246, 11.7),
    (0.0186, 0.836, 4.26, 0.348, 0.270, 14.2),
    (0.0232, 0.875, 4.11, 0.370, 0.296, 12.4),
    (0.072, 0.950, 2.63, 0.449, 0.348, 4.6),  # jailbreaks of Claude 3.5 and GPT-4o
    (0.033, 0.799, 3.44, 0.312, 0.187, 5.5),
    (0.053, 0.899, 3.64, 0.395, 0.236, 4.3),
    (0.069, 0.956, 3.37, 0.492, 0.331, 4.5),
]


@pytest.mark.parametrize(("one", "many", "a", "b", "al", "be"), COVERAGE)
def test_coverage_at_fitted_constants_is_the_one_measured(one, many, a, b, al, be):
    """Within what the fits miss: the power law is a fit to the whole curve in logarithms."""
    shape = {"al": al, "be": be}
    assert value("coverage_beta", shape, {"k": 1}) == pytest.approx(al / (al + be), rel=1e-12)
    assert value("coverage_beta", shape, {"k": 1}) == pytest.approx(one, rel=0.09)
    assert value("coverage_beta", shape, {"k": 1e4}) == pytest.approx(many, rel=0.09)
    assert value("coverage_power", {"a": a, "b": b}, {"k": 1e4}) == pytest.approx(many, rel=0.09)


def test_the_power_of_samples_has_a_steeper_slope_than_the_tail():
    """0.37 in the fit to Pythia 12B against 0.30 in the tail."""
    shape = {"al": 0.296, "be": 12.4}
    left = [1 - value("coverage_beta", shape, {"k": k}) for k in (1e6, 1e7)]
    assert np.log10(left[0] / left[1]) == pytest.approx(0.296, rel=1e-3)
    missing = [-np.log(value("coverage_beta", shape, {"k": k})) for k in (1, 1e4)]
    assert np.log10(missing[0] / missing[1]) / 4 > 0.35


@pytest.mark.parametrize(("exposures", "bits"), [(100, 1.0), (1000, 2.0)])
def test_the_interpolation_meets_both_anchors_of_knowledge(exposures, bits):
    params = {"Rmax": 2.3, "e0": 132.0, "h": 0.94}
    assert value("knowledge_capacity", params, {"k": exposures}) == pytest.approx(bits, rel=2e-3)


@pytest.mark.parametrize(("s", "ratio"), [(0.4, 11), (0.26, 41), (0.51, 6.6)])
def test_horizons_of_reliable_success_are_the_published_fractions(s, ratio):
    """80 % success at an eleventh of the length of 50 % success, at a slope of 0.4."""
    params = {"h50": 60.0, "s": s}
    assert value("metr_success", params, {"H": 60.0}) == pytest.approx(0.5)
    assert value("metr_success", params, {"H": 60.0 / ratio}) == pytest.approx(0.8, abs=2e-3)


def test_horizons_and_densities_double_in_the_published_times():
    for law, params, years in (
        ("metr_trend", {"h0": 1e-6, "Td": 7 / 12}, 7 / 12),
        ("densing_trend", {"rho0": 1e-9, "A": 0.007 * 365.25}, 3.3 / 12),
    ):
        growth = value(law, params, {"t": 14 + years}) / value(law, params, {"t": 14})
        assert growth == pytest.approx(2.0, rel=0.02)


def test_ten_times_the_parameters_are_worth_a_hundred_times_the_data():
    """Text to Python; 'about', in the paper."""
    params = {"k": 1.9e4, "alpha": 0.18, "beta": 0.38}
    size, data = ({"N": 1e8, "Df": 3e6}, {"N": 1e7, "Df": 3e8})
    assert value("hernandez", params, size) == pytest.approx(
        value("hernandez", params, data), rel=0.1
    )


def test_gold_reward_peaks_where_derived():
    """At alpha / (2 beta) under best-of-n and exp(alpha / beta - 1) under RL, in root nats."""
    params = {"alpha": 1.0, "beta": 0.3}
    for law, peak in (("rm_overopt_bon", 1 / 0.6), ("rm_overopt_rl", np.exp(1 / 0.3 - 1))):
        low, top, high = (value(law, params, {"KL": (f * peak) ** 2}) for f in (0.99, 1.0, 1.01))
        assert top > max(low, high)


def test_both_forms_of_the_rectified_law_are_one():
    paper = {"E": 0.44, "B": 40.0, "Dl": 12.0, "beta": 0.24}
    hill = {"E": 0.44, "T": 40.0 / 12.0, "X0": 12.0 ** (1 / 0.24), "h": 0.24}
    for data in (300.0, 3e4, 1e6):
        known = value("hill", hill, {"X": data})
        assert value("rectified_sft", paper, {"Df": data}) == pytest.approx(known, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "k", "L0", "b", "floor"),
    [
        (-0.74, 4.83, 0.62, 1.0, 0.26),
        (-0.73, 12.74, 0.77, 0.99, 0.26),
        (-0.86, 2.21, 1.13, 1, 0.14),
    ],
)
def test_the_ladders_link_in_its_authors_symbols(a, k, L0, b, floor):
    """acc = a / (1 + exp(-k (T - L0))) + b, with the implied floor a + b."""
    params = {"c": a + b, "lapse": 1 - b, "k": k, "L0": L0}
    assert value("ladder_accuracy", params, {"T": 60.0}) == pytest.approx(floor, abs=1e-6)
    for loss in (0.4, 0.8, 1.5):
        known = a / (1 + np.exp(-k * (loss - L0))) + b
        assert value("ladder_accuracy", params, {"T": loss}) == pytest.approx(known, rel=1e-12)


def test_bayes_over_two_tasks_is_the_ratio_of_mixtures():
    pi, g, b, K = 0.2, 0.6, 0.05, 0.7
    for shots in (1, 3, 20):
        above, below = (
            pi * g ** (K * shots + more) + (1 - pi) * b ** (K * shots + more) for more in (1, 0)
        )
        found = value("icl_bayes", {"pi": pi, "g": g, "b": b, "K": K}, {"k": shots})
        assert found == pytest.approx(above / below, rel=1e-12)
