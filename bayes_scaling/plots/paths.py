"""Where a law's curves run in a picture: along one symbol, with another held at a few levels.

A law of N and D is a surface. Its picture against one of N, D, C or M (tokens per parameter) shows
cuts through it along which another of the four is constant, since any two of them give the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling._errors import SpecError, did_you_mean, list_names
from bayes_scaling.arguments import geometric_mean
from bayes_scaling.symbols import complete

CORE = ("N", "D", "C", "M")
GRID = 60  # points of a curve
MOST_LEVELS = 4
ONE_LEVEL = 1.6  # values within this factor are drawn as one level
FEW_DISTINCT = 12  # so many distinct values are taken for chosen ones, and levels among them
MARGIN = 1.25  # curves go this factor beyond the points
LEEWAY = 1.6  # and the law's other inputs this factor outside their range

Values = Mapping[str, np.ndarray]


class Cut(NamedTuple):
    """The symbol on the horizontal axis, the one held along a curve ("" when none need be), and
    whether it was asked for."""

    against: str
    hold: str
    asked: bool = False


def choose_cut(inputs: Sequence[str], values: Values, against: str = "", hold: str = "") -> Cut:
    """Return the cut asked for, or that which shows a law of these inputs best.

    Raises
    ------
    SpecError
        When the table lacks a symbol, or the two are the same.
    """
    core = [name for name in inputs if name in CORE]
    against = against or _best_axis(inputs, core, values)
    asked = bool(hold)
    _require(against, values, "against")
    if not hold and against in CORE and not set(core) <= {against}:
        hold = "C" if against == "M" else "M"
    if hold:
        _require(hold, values, "hold")
    if hold == against:
        raise SpecError(f"hold='{hold}' is the horizontal axis: hold another symbol.")
    return Cut(against, hold, asked)


def _best_axis(inputs: Sequence[str], core: Sequence[str], values: Values) -> str:
    if len(core) > 1 and "C" in values:
        return "C"
    return core[0] if core else inputs[0]


def _require(name: str, values: Values, argument: str) -> None:
    if name not in values:
        raise SpecError(
            f"{argument}='{name}': the table has no such covariate; it has "
            f"{list_names(list(values))}.{did_you_mean(name, list(values))}"
        )


def choose_levels(values: np.ndarray, most: int = MOST_LEVELS) -> list[float]:
    """Return up to ``most`` levels of the held symbol that span the values, ascending.

    Values that were chosen, so that few are distinct, give the levels; others round ones.

    Examples
    --------
    >>> choose_levels(np.tile([5.0, 10, 20, 40, 80, 160, 320, 640], 2))
    [5.0, 20.0, 160.0, 640.0]
    """
    if most == 1 or not np.all(values > 0) or is_level(values):
        return [float(f"{np.median(values):.2g}")]
    known = _distinct(values)
    if len(known) <= min(most, len(values) // 2):
        return known
    low, high = np.quantile(values, [0.03, 0.97])
    targets = np.geomspace(low, high, most)
    if len(known) <= min(FEW_DISTINCT, len(values) // 2):
        nearest = {min(known, key=lambda v: abs(np.log(v / t))) for t in targets}
        return sorted(nearest)
    return sorted({_round_number(t) for t in targets})


def is_level(values: np.ndarray) -> bool:
    """Whether positive values are near enough to each other to be drawn as one level."""
    return bool(values.min() > 0 and values.max() / values.min() < ONE_LEVEL)


def held_alone(cut: Cut, values: Values) -> str:
    """The symbol that is constant over a family's runs: the cut's own, or another unless that was
    asked for; "" when none is, or when nothing need be held."""
    others = () if cut.asked else [n for n in CORE if n not in cut[:2] and n in values]
    names = [cut.hold, *others] if cut.hold else []
    return next((name for name in names if is_level(values[name])), "")


def _distinct(values: np.ndarray) -> list[float]:
    """Values that differ by more than a per cent or so, ascending."""
    found: list[float] = []
    for value in np.unique(values):
        if not found or value > 1.02 * found[-1]:
            found.append(float(value))
    return found


def _round_number(value: float) -> float:
    """The nearest of 1, 2, 5, 10, 20 ... on the log scale."""
    power = 10.0 ** np.floor(np.log10(value))
    rounded = min((1, 2, 5, 10), key=lambda step: abs(np.log(value / (step * power))))
    return float(rounded * power)


def curve(
    cut: Cut, level: float | None, values: Values, inputs: Sequence[str], span: tuple[float, float]
) -> pd.DataFrame:
    """Return the points of one curve: the law's inputs with the cut's symbols.

    Parameters
    ----------
    cut
        The axis and the symbol held.
    level
        Value of the held symbol; None when nothing is held.
    values
        The family's own rows: they give the inputs that the cut leaves open, at their geometric
        mean, and the ratio of C to 6 N D.
    inputs
        The law's inputs.
    span
        Ends of the axis.
    """
    ends = np.geomspace(*span, GRID) if span[0] > 0 else np.linspace(*span, GRID)
    given = {cut.against: ends}
    if level is not None:
        given[cut.hold] = np.full(GRID, level)
    found = _completed(given, compute_ratio(values))
    for name in inputs:
        if name not in found:
            found[name] = np.full(GRID, geometric_mean(values[name]))
    return pd.DataFrame({name: found[name] for name in dict.fromkeys([*cut[:2], *inputs]) if name})


def compute_ratio(values: Values) -> float:
    """The rows' typical C / (6 N D): one, unless the table's compute counts otherwise."""
    if not {"N", "D", "C"} <= values.keys():
        return 1.0
    return float(np.median(values["C"] / (6 * values["N"] * values["D"])))


def _completed(given: Values, ratio: float) -> dict[str, np.ndarray]:
    plain = {name: v / ratio if name == "C" else v for name, v in given.items()}
    found, _ = complete(plain)
    return {name: v * ratio if name == "C" else v for name, v in found.items()}


def near(points: pd.DataFrame, values: Values, names: Sequence[str]) -> np.ndarray:
    """Whether each point lies near the range of the values in all of ``names``."""
    keep = np.ones(len(points), bool)
    for name in names:
        have = values[name]
        if np.all(have > 0):
            keep &= points[name].between(have.min() / LEEWAY, have.max() * LEEWAY).to_numpy()
    return keep


def axis_span(values: np.ndarray) -> tuple[float, float]:
    """The ends of an axis that shows all the values with a margin."""
    low, high = float(values.min()), float(values.max())
    if low > 0:
        return low / MARGIN, high * MARGIN
    room = 0.05 * (high - low or 1.0)
    return low - room, high + room
