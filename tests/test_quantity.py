import math

import pytest

from bayes_scaling._errors import SpecError
from bayes_scaling.quantity import format_quantity, parse_assignments, parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("70e9", 70e9),
        ("70B", 70e9),
        ("70 b", 70e9),
        ("1.4T", 1.4e12),
        ("400M", 400e6),
        ("12k", 12e3),
        ("12K", 12e3),
        ("2G", 2e9),
        ("3P", 3e15),
        ("1_000", 1000.0),
        ("1,000", 1000.0),
        ("1,234,567.5", 1234567.5),
        ("1,000M", 1e9),
        (".5", 0.5),
        ("5.", 5.0),
        ("-0.25", -0.25),
        ("+1E-3", 1e-3),
        (" 7 ", 7.0),
        (7, 7.0),
        (2.5, 2.5),
        (1e300, 1e300),
    ],
)
def test_quantities_parse(text, value):
    assert parse_quantity(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        *("", "B", "70x", "7e9B", "1,00", "3,14", "1__0", "_1", "0x10", "nan", "inf", "1e999"),
        *("7 0", "1,000,00", "--1", "70B tokens", "5E"),
        *(True, None, float("nan"), float("inf")),
    ],
)
def test_what_is_no_finite_number_is_refused_in_one_line(text):
    with pytest.raises(SpecError) as caught:
        parse_quantity(text)
    assert "\n" not in str(caught.value)
    assert "number" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("N=70e9,D=1.4e12,family=c4", {"N": 70e9, "D": 1.4e12, "family": "c4"}),
        (" N = 70B , D=1.4T ", {"N": 70e9, "D": 1.4e12}),
        ("family='7B'", {"family": "7B"}),
        ('family="a,b=c",N=1', {"family": "a,b=c", "N": 1.0}),
        ('family="it\'s"', {"family": "it's"}),
        ("path=a=b", {"path": "a=b"}),
        ("N=70x", {"N": "70x"}),
    ],
)
def test_assignments_parse(text, expected):
    assert parse_assignments(text) == expected


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", "name=value"),
        ("N", "name=value"),
        ("N=1,,D=2", "name=value"),
        ("N=1,000", "without thousands commas"),
        ("=1", "lacks a name or a value"),
        ("N=", "lacks a name or a value"),
        ("N=''", "lacks a name or a value"),
        ("N=1,N=2", "keep one"),
        ("family='c4", "close it"),
    ],
)
def test_bad_assignments_are_refused_with_the_mend(text, mend):
    with pytest.raises(SpecError, match=mend) as caught:
        parse_assignments(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (70e9, "70B"),
        (1.4e12, "1.4T"),
        (6.8e6, "6.8M"),
        (999.96e6, "1B"),
        (12_000, "12k"),
        (999, "999"),
        (3.14159, "3.14"),
        (0.0003, "0.0003"),
        (0, "0"),
        (-2.5e9, "-2.5B"),
        (5.76e23, "5.76e+23"),
        (1e15, "1e+15"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_quantities_are_shown_short(value, text):
    assert format_quantity(value) == text


@pytest.mark.parametrize("value", [1.0, 123.0, 4.56e3, 7.89e7, 1.23e10, 9.99e14, 3.21e23, 1e-5])
def test_what_is_shown_parses_back(value):
    assert parse_quantity(format_quantity(value)) == pytest.approx(value, rel=1e-14)
