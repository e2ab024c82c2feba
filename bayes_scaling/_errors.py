"""Errors and notes: each is one line that names the fault and how to mend it."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


class BayesScalingError(ValueError):
    """Base of every error a user can cause; the message is always a single line.

    Parameters
    ----------
    message
        What is wrong (column, rows, name) and what to do about it. Runs of white
        space, line breaks included, are collapsed to one space.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class DataError(BayesScalingError):
    """The table of runs cannot be used as it is."""


class LawError(BayesScalingError):
    """A law is unknown, ill defined, or cannot be used with these runs."""


class SpecError(BayesScalingError):
    """A name, a quantity or a model description cannot be understood."""


class FitFileError(BayesScalingError):
    """A saved fit cannot be read or written."""


class ForecastError(BayesScalingError):
    """A forecast was asked for that the fit cannot give."""


class DecisionError(BayesScalingError):
    """A decision was asked for that the law or the fit cannot give."""


@dataclass(frozen=True)
class Note:
    """Something worth telling the user that does not stop the work.

    Parameters
    ----------
    code
        Stable identifier, such as ``"duplicate_rows"``; safe to test against.
    severity
        How much it matters.
    message
        One line saying what was seen or done.
    advice
        One line saying what to do about it; empty when nothing is needed.
    """

    code: str
    severity: Literal["info", "warning", "error"]
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.message, self.advice) if part)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or ``""``.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The names that would have been accepted. Case is ignored in the comparison.

    Examples
    --------
    >>> did_you_mean("chinchila", ["kaplan", "chinchilla"])
    " Did you mean 'chinchilla'?"
    """
    spelled = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold(), spelled, n=1, cutoff=0.6)
    return f" Did you mean {spelled[close[0]]!r}?" if close else ""


def list_names(names: Iterable[object], most: int = 12) -> str:
    """Return quoted names joined by commas, cut short after ``most`` of them.

    Examples
    --------
    >>> list_names(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    every = list(names)
    shown = ", ".join(repr(str(name)) for name in every[:most])
    rest = len(every) - most
    return f"{shown} and {rest} more" if rest > 0 else shown or "none"
