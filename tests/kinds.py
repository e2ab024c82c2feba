"""Laws that stand for their kind in tests that cost seconds a law and look at the engine."""

import pytest

from bayes_scaling._registry import LAWS

OF_EACH_KIND = (
    "bnsl",
    "chinchilla",
    "clark",
    "coverage_beta",
    "gadre",
    "generalized_chinchilla",
    "isoflop_frontier",
    "kaplan",
    "ladder_accuracy",
    "m4",
    "muennighoff",
    "optimal_size",
    "power_law",
    "power_law_with_floor",
    "shifted_power",
    "shukor_mixing",
    "step_law_surface",
    "ye_mixing",
)


def each_law():
    """Every law of the catalogue under its name; those that stand for no kind are marked slow."""
    return [
        pytest.param(
            LAWS.get(name), marks=() if name in OF_EACH_KIND else pytest.mark.slow, id=name
        )
        for name in LAWS
    ]
