"""The registries are the parameter lists: a new entry gets every test that asks for one.

A test that takes one of `ARGUMENTS` runs for each of them, under its name. Observation models of
counts have densities over whole numbers, and tests of their own (tests/test_counts.py).
"""

import pytest
from catalogue_draws import is_unitless
from kinds import OF_EACH_KIND

from bayes_scaling._registry import LAWS, OBSERVATIONS, POOLINGS, STUDIES
from bayes_scaling.decisions.asked import NO_QUALITY
from bayes_scaling.decisions.plans import trades

EVERY_LAW = [LAWS.get(name) for name in LAWS]


def _pairs(values):
    """A law with each of some things it has, and a name for the pair."""
    return [(law, value) for law in EVERY_LAW for value in values(law)]


def _cases(argument):
    """The values of an argument, and their names."""
    if argument == "law":
        return [(law, law.name) for law in EVERY_LAW]
    if argument == "law_param":
        return [((law, p), f"{law.name}-{p.name}") for law, p in _pairs(lambda law: law.params)]
    if argument == "level_param":
        pairs = _pairs(lambda law: [p for p in law.params if p.level])
        return [((law, p), f"{law.name}-{p.name}") for law, p in pairs]
    if argument == "moved_param":
        pairs = _pairs(lambda law: [p for p in law.params if p.level and law.reference])
        return [((law, p), f"{law.name}-{p.name}") for law, p in pairs]
    if argument == "unitless_law":
        return [(law, law.name) for law in EVERY_LAW if is_unitless(law)]
    if argument == "bounded_law":
        return [(law, law.name) for law in EVERY_LAW if law.asymptote]
    if argument == "declining":
        pairs = _pairs(lambda law: law.decreasing)
        return [((law, name), f"{law.name}-{name}") for law, name in pairs]
    if argument == "reduction":
        return [((law, r), f"{law.name}-{r.law}") for law, r in _pairs(lambda law: law.reduces_to)]
    if argument in ("trading_law", "closed_law"):
        trading = [law for law in EVERY_LAW if trades(law) and law.response not in NO_QUALITY]
        return [(law, law.name) for law in trading if argument[0] == "t" or law.optimal_size]
    registry = {"observation": OBSERVATIONS, "pooling": POOLINGS, "published_study": STUDIES}[
        argument
    ]
    found = [(registry.get(name), name) for name in registry]
    return [pair for pair in found if not pair[0].counts] if argument == "observation" else found


ARGUMENTS = (
    "law",
    "law_param",
    "level_param",
    "moved_param",
    "unitless_law",
    "bounded_law",
    "declining",
    "reduction",
    "trading_law",
    "closed_law",
    "observation",
    "pooling",
    "published_study",
)


def pytest_generate_tests(metafunc):
    for argument in ARGUMENTS:
        if argument in metafunc.fixturenames:
            values, ids = zip(*_cases(argument), strict=True)
            slow = [() if argument != "trading_law" or name in OF_EACH_KIND else pytest.mark.slow
                    for name in ids]  # fmt: skip
            each = zip(values, ids, slow, strict=True)
            cases = [pytest.param(value, id=name, marks=marks) for value, name, marks in each]
            metafunc.parametrize(argument, cases)
