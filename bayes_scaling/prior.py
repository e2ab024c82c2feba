"""Priors as small printable values: a distribution, its link to the real line, and a text form."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, field
from typing import Any

from bayes_scaling._errors import SpecError, did_you_mean

Z95 = 1.6448536269514722  # standard normal 95 % point: priors are stated as median [5 %, 95 %]
HALF_NORMAL_MEDIAN = 0.6744897501960817


@dataclass(frozen=True)
class Prior:
    """A prior for one parameter.

    Parameters
    ----------
    kind
        ``lognormal``, ``normal``, ``logitnormal``, ``halfnormal``, ``uniform``, ``fixed`` or
        ``numpyro`` (any NumPyro distribution, kept in ``custom``).
    args
        The numbers of the text form: median and 5/95 % points, mean and sd, bounds, or the value.
    relative
        When true, the numbers are multiples of the typical size of the response in the data.
    """

    kind: str
    args: tuple[float, ...]
    relative: bool = False
    custom: Any = field(default=None, compare=False, repr=False)
    custom_id: int = 0

    def __str__(self) -> str:
        if self.kind == "numpyro":
            return f"numpyro({type(self.custom).__name__})"
        text = f"{self.kind}({', '.join(f'{a:g}' for a in self.args)})"
        return f"relative_{text}" if self.relative else text

    @property
    def is_fixed(self) -> bool:
        """Whether the parameter is a constant rather than sampled."""
        return self.kind == "fixed"

    @property
    def median(self) -> float:
        """The prior median (in multiples of the response's size when ``relative``).

        For descriptions and for the search for parameters that the data do not move; no density
        depends on it.
        """
        return _MEDIANS[self.kind](self)


DRAWS_FOR_QUANTILES = 2**16


def quantile(distribution: Any, prob: float) -> float:
    """Quantile of a scalar NumPyro distribution.

    Where NumPyro has no quantile function, or one that needs a package that is not installed, that
    of a fixed set of 65,536 draws: its level is off by ``sqrt(prob (1 - prob) / 65,536)`` or so,
    0.002 at the median.
    """
    try:
        return float(distribution.icdf(prob))
    except (NotImplementedError, ImportError):
        import jax
        import numpy as np

        draws = distribution.sample(jax.random.key(0), (DRAWS_FOR_QUANTILES,))
        return float(np.quantile(draws, prob))


_MEDIANS = {
    "lognormal": lambda p: p.args[0],
    "normal": lambda p: p.args[0],
    "logitnormal": lambda p: p.args[0],
    "halfnormal": lambda p: p.args[0],
    "uniform": lambda p: 0.5 * (p.args[0] + p.args[1]),
    "fixed": lambda p: p.args[0],
    "numpyro": lambda p: quantile(p.custom, 0.5),
}


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise SpecError(text)


def lognormal(median: float, low: float, high: float, *, relative: bool = False) -> Prior:
    """Log-normal prior with the given median and 5 % and 95 % points.

    The log-scale sd is ``log(high / low) / 3.29``; a slightly asymmetric interval is thus
    replaced by the symmetric one of the same width.

    Raises
    ------
    SpecError
        Unless ``0 < low < median < high``, with the median near the middle on the log scale.
    """
    _require(
        0 < low < median < high,
        f"lognormal({median:g}, {low:g}, {high:g}): give median, 5 % and 95 % points with "
        "0 < low < high and the median between them.",
    )
    up, down = math.log(high / median), math.log(median / low)
    _require(
        0.5 <= up / down <= 2.0,
        f"lognormal({median:g}, {low:g}, {high:g}): no log-normal has these points; between "
        f"{low:g} and {high:g} its median is {math.sqrt(low * high):.3g}.",
    )
    return Prior("lognormal", (float(median), float(low), float(high)), relative)


def normal(mean: float, sd: float, *, relative: bool = False) -> Prior:
    """Normal prior with the given mean and sd.

    Raises
    ------
    SpecError
        Unless ``sd > 0``.
    """
    _require(sd > 0, f"normal({mean:g}, {sd:g}): the sd must be positive.")
    return Prior("normal", (float(mean), float(sd)), relative)


def logitnormal(median: float, low: float, high: float) -> Prior:
    """Prior on (0, 1), normal on the logit scale, with the given median and 5/95 % points.

    Raises
    ------
    SpecError
        Unless ``0 < low < median < high < 1``.
    """
    _require(
        0 < low < median < high < 1,
        f"logitnormal({median:g}, {low:g}, {high:g}): give 0 < low < median < high < 1.",
    )
    return Prior("logitnormal", (float(median), float(low), float(high)))


def halfnormal(median: float, *, relative: bool = False) -> Prior:
    """Half-normal prior on the positive numbers with the given median.

    Raises
    ------
    SpecError
        Unless ``median > 0``.
    """
    _require(median > 0, f"halfnormal({median:g}): the median must be positive.")
    return Prior("halfnormal", (float(median),), relative)


def uniform(low: float, high: float) -> Prior:
    """Uniform prior between two bounds.

    Raises
    ------
    SpecError
        Unless ``low < high``.
    """
    _require(low < high, f"uniform({low:g}, {high:g}): give low < high.")
    return Prior("uniform", (float(low), float(high)))


def fixed(value: float) -> Prior:
    """Hold a parameter at a value (brms' ``constant()``), in the paper's own units."""
    _require(math.isfinite(value), "fixed(...): the value must be finite.")
    return Prior("fixed", (float(value),))


_MAKERS = {
    "lognormal": (lognormal, 3),
    "normal": (normal, 2),
    "logitnormal": (logitnormal, 3),
    "halfnormal": (halfnormal, 1),
    "uniform": (uniform, 2),
    "fixed": (fixed, 1),
}
_CAN_BE_RELATIVE = {"lognormal", "normal", "halfnormal"}


def as_prior(value: Prior | str | float | Any) -> Prior:
    """Return a `Prior` from a prior, a text such as ``"lognormal(0.3, 0.1, 0.7)"``, a number
    (held fixed) or a NumPyro distribution.

    Raises
    ------
    SpecError
        When the value is none of these.
    """
    if isinstance(value, Prior):
        return value
    if isinstance(value, str):
        return parse_prior(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return fixed(float(value))
    if hasattr(value, "log_prob") and hasattr(value, "support"):
        return Prior("numpyro", (), custom=value, custom_id=id(value))
    raise SpecError(
        f"a prior cannot be made from {type(value).__name__}: pass bs.lognormal(median, low, "
        "high), a text such as 'normal(0, 1)', a number, or a NumPyro distribution."
    )


def parse_prior(text: str) -> Prior:
    """Return the prior that a text names; the text is matched, never evaluated.

    Raises
    ------
    SpecError
        When the text is not ``kind(number, ...)`` of a known kind.
    """
    head, bracket, tail = text.strip().partition("(")
    if not bracket:
        return _parse_number(text)
    name = head.strip()
    kind = name.removeprefix("relative_")
    if kind not in _MAKERS or (name != kind and kind not in _CAN_BE_RELATIVE):
        raise SpecError(
            f"unknown prior '{head.strip()}' in '{text}': use one of {', '.join(_MAKERS)}."
            + did_you_mean(kind, list(_MAKERS))
        )
    maker, count = _MAKERS[kind]
    numbers = _numbers(text, tail)
    if len(numbers) != count:
        raise SpecError(f"prior '{text}': {kind} takes {count} number(s), got {len(numbers)}.")
    return maker(*numbers, relative=True) if name != kind else maker(*numbers)


def _parse_number(text: str) -> Prior:
    try:
        return fixed(float(text))
    except ValueError:
        raise SpecError(
            f"prior '{text}' is neither a number nor kind(number, ...): write for example "
            "lognormal(0.35, 0.2, 0.6)."
        ) from None


def _numbers(text: str, tail: str) -> tuple[float, ...]:
    try:
        parsed = ast.literal_eval(f"({tail.strip().removesuffix(')')},)")
        numbers = tuple(float(v) for v in parsed)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        numbers = (math.nan,)
    if not tail.strip().endswith(")") or not all(map(math.isfinite, numbers)):
        raise SpecError(f"prior '{text}': write kind(number, ...), for example normal(0, 1).")
    return numbers
