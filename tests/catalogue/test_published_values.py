"""Laws at published constants give the numbers that were published, or computed from them."""

import numpy as np
import pytest

from bayes_scaling.spec import get_law

pytestmark = pytest.mark.usefixtures("x64")
OFF = 1e-300  # a term that is left out
MUENNIGHOFF = {
    "E": np.exp(0.6254804), "A": np.exp(6.255414), "B": np.exp(7.3049974), "alpha": 0.3526596,
    "beta": 0.3526596, "RD": 15.387756, "RN": 5.309743,
}  # fmt: skip
LUDZIEJEWSKI = {
    "a": 35.91, "alpha": 0.1889, "dl": -0.2285, "gam": 0.0098, "b": 35.98, "beta": 0.1775,
    "om": 0.5529, "zet": -0.0259, "c": 1.3637, "Es": 2.07, "Em": 290.45,
}  # fmt: skip
CLARK = {"a": -0.082, "b": -0.108, "c": 0.009, "d": 1.104, "Es": 1.847, "Em": 314.5}
SUN = {
    "n": 69.2343, "alpha": 0.2368, "d": 68973.0621, "beta": 0.5162, "eps": 1.9061,
    "gam": 11334.5197, "delta": 3.1926, "mu": 2.9543,
}  # fmt: skip
QAT = {"E": 1.9279, "A": 237.7042, "B": 596.2490, "alpha": 0.3022, "beta": 0.3022, "k": OFF,
       "gD": 0.1, "gG": 0.5, "gN": 0.2}  # fmt: skip
KRAJEWSKI = {"a": 16.3, "alpha": 0.126, "b": 26.7, "beta": 0.127, "c": 0.47, "g": OFF, "gam": 1.0}
ZHENG = {"E": 1.55, "A": 420.0, "alpha": 0.40, "Bp": 719.5, "bp": 0.30, "gam": OFF}
CEREBRAS = {"E": 0.5066, "F": 5.984e22**0.0737, "g": 0.0737}
KIM = {"E": 3.43, "A": 0.05 * 1e9**1.02, "a": 1.02}
AT = {"N": 1e9, "D": 2e10}  # where reducible losses are tabled, to two digits

VALUES = [
    # the curve through Cerebras-GPT's losses
    ("compute_frontier", CEREBRAS, {"C": 2.3e22}, 1.580, 5e-4),
    # E + dN + dD of published fits at 1e9 parameters and 2e10 tokens
    ("muennighoff", MUENNIGHOFF, AT | {"U": 2e10}, 1.87 + 0.35 + 0.35, 5e-3),
    ("sun", SUN | {"gam": 1e300}, AT | {"bits_e": 5, "bits_m": 5, "block": 128},
     1.91 + 0.51 + 0.33, 5e-3),
    ("qat", QAT, AT | {"block": 128}, 1.93 + 0.45 + 0.46, 5e-3),
    ("krajewski", KRAJEWSKI, AT | {"granularity": 1}, 0.47 + 1.20 + 1.31, 5e-3),
    ("zheng_cpt", ZHENG, AT, 1.55 + 0.11 + 0.58, 5e-3),
    # the one reading of the signs under which the loss falls with experts
    ("ludziejewski", LUDZIEJEWSKI, {"N": 1.1e9, "D": 6e10, "experts": 1}, 2.47, 2e-3),
    ("ludziejewski", LUDZIEJEWSKI, {"N": 1.1e9, "D": 6e10, "experts": 32}, 2.34, 2.5e-3),
    # 3.43 + 0.05 / (N / 1e9)^1.02
    ("kim_size", KIM, {"N": 1e9}, 3.48, 1e-6),
]  # fmt: skip


def value(name, params, point):
    law = get_law(name)
    assert set(params) == set(law.param_names)
    return float(law(*(point[x] for x in law.inputs), **params))


@pytest.mark.parametrize(("name", "params", "point", "known", "rel"), VALUES)
def test_published_constants_give_the_published_value(name, params, point, known, rel):
    assert value(name, params, point) == pytest.approx(known, rel=rel)


@pytest.mark.parametrize(("epochs", "share"), [(4, 0.93), (16, 0.66), (40, 0.38)])
def test_repeated_tokens_are_worth_what_muennighoff_says(epochs, share):
    data = 2e10
    repeated = value("muennighoff", MUENNIGHOFF, {"N": 1e6, "D": data, "U": data / epochs})
    fresh = value("muennighoff", MUENNIGHOFF, {"N": 1e6, "D": share * data, "U": share * data})
    assert repeated == pytest.approx(fresh, rel=1e-3)


def test_muennighoffs_unique_tokens_support_a_twentieth_of_parameters():
    """Up to 0.051 U parameters the size term is Chinchilla's, beyond it is worse."""
    plain = {k: v for k, v in MUENNIGHOFF.items() if k not in ("RD", "RN")}
    for share, excess in ((0.0508, 1e-12), (0.056, None)):
        point = {"N": share * 1e10, "D": 1e10, "U": 1e10}
        gap = value("muennighoff", MUENNIGHOFF, point) - value("chinchilla", plain, point)
        assert gap < excess if excess else gap > 1e-5


def test_clarks_128_experts_of_5_million_are_worth_52_million():
    routed = value("clark", CLARK, {"N": 5e6, "experts": 128})
    assert routed == pytest.approx(value("clark", CLARK, {"N": 52e6, "experts": 1}), rel=1e-3)


@pytest.mark.parametrize(
    ("bits_e", "bits_m", "turn"), [(2, 1, 3.9e11), (4, 3, 2.7e13), (8, 7, 1.7e15)]
)
def test_suns_loss_turns_up_at_the_critical_data(bits_e, bits_m, turn):
    """0.4T, 27T and 1730T tokens for one billion parameters."""
    at = {"N": 1e9, "bits_e": bits_e, "bits_m": bits_m, "block": 128}
    left, lowest, right = (value("sun", SUN, at | {"D": turn * f}) for f in (0.9, 1.0, 1.1))
    assert lowest < left
    assert lowest < right


def test_ouyangs_rounding_harms_as_published():
    """0.017 D^0.5251 / (N^0.2261 P^5.4967) for GPTQ on Pythia."""
    params = {"k": 0.017, "be": 0.5251, "al": 0.2261, "ga": 5.4967}
    known = 0.017 * 1e11**0.5251 / (1e9**0.2261 * 4**5.4967)
    found = value("qid", params, {"N": 1e9, "D": 1e11, "bits_w": 4})
    assert found == pytest.approx(known, rel=1e-12)
