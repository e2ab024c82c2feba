"""Between the shell's spelling of options and the library's arguments, both ways."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bayes_scaling._errors import SpecError
from bayes_scaling.quantity import parse_quantity

_MAPPINGS = {
    "columns": "column",
    "units": "unit",
    "priors": "prior",
    "pool": "pool",
    "where": "where",
    "fixed": "fixed",
    "limits": "limit",
}
_MAPPING = re.compile(rf"\b({'|'.join(_MAPPINGS)})=\{{([^{{}}]*)\}}")
_WORDS = {
    "fit.diagnose()": "'bayes-scaling show'",
    "maximise=True": "--maximise",
    "maximise=False": "--minimise",
    "families=": "--family",
    "model_error=False": "--no-model-error",
    "pieces=False": "--no-pieces",
}
_VALUE = re.compile(
    r"\b(group|response|run|se|trials|noise|noise_trend|seed|draws|warmup|chains|target_accept"
    r"|max_tree_depth|centring|inputs|between)=('[^']*'|\"[^\"]*\"|\['[^']*'\]|[\d.]+)"
)


def for_shell(message: str) -> str:
    """Return a message of the library with its arguments spelled as options.

    Examples
    --------
    >>> for_shell("name it with columns={'N': 'size'} or response='bpb'")
    'name it with --column N=size or --response bpb'
    """
    spelled = _VALUE.sub(_option, _MAPPING.sub(_options, message))
    for ours, theirs in _WORDS.items():
        spelled = spelled.replace(ours, theirs)
    return spelled


def _options(match: re.Match[str]) -> str:
    flag = f"--{_MAPPINGS[match[1]]}"
    pairs = [piece.partition(":") for piece in match[2].split(",")]
    said = [(_bare(name), "" if _bare(value) == "None" else _bare(value))
            for name, _, value in pairs]  # fmt: skip
    return " ".join(f"{flag} {_quoted(f'{name}={value}')}" for name, value in said)


def _option(match: re.Match[str]) -> str:
    flag = "input" if match[1] == "inputs" else match[1].replace("_", "-")
    return f"--{flag} {_quoted(_bare(match[2]))}"


def _bare(text: str) -> str:
    return text.strip().strip("[]'\"")


def _quoted(text: str) -> str:
    return f'"{text}"' if re.search(r"[^\w=.+,*/-]", text) else text


def pairs(values: Sequence[str], option: str, example: str) -> dict[str, str]:
    """Return NAME=VALUE options as a mapping, split at the first ``=``.

    Raises
    ------
    SpecError
        For a text without ``=`` or a name, or a name given twice.
    """
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise SpecError(
                f"{option} '{text}': write it as NAME=VALUE, such as {option} {example}"
            )
        if name in found:
            raise SpecError(f"{option} names '{name}' twice: keep one of them")
        found[name] = value
    return found


def columns(values: Sequence[str]) -> dict[str, str | None]:
    """Return ``--column`` options; an empty column leaves the symbol out."""
    return {name: value or None for name, value in pairs(values, "--column", "N=size").items()}


def units(values: Sequence[str]) -> dict[str, float]:
    """Return ``--unit`` options as factors.

    Raises
    ------
    SpecError
        When a factor is no number.
    """
    return quantities(values, "--unit", "N=1e9")


def probs(values: Sequence[float] | None) -> list[float]:
    """Return ``--prob`` options in order, 0.5 and 0.9 where there is none."""
    return sorted(set(values or (0.5, 0.9)))


def number(value: str | None) -> float | None:
    """Return a quantity such as ``2T``, or None.

    Raises
    ------
    SpecError
        When it is no number.
    """
    return None if value is None else parse_quantity(value)


def numbers(values: Sequence[str]) -> list[float]:
    """Return quantities.

    Raises
    ------
    SpecError
        When one is no number.
    """
    return [parse_quantity(value) for value in values]


def quantities(values: Sequence[str], option: str, example: str) -> dict[str, float]:
    """Return NAME=QUANTITY options.

    Raises
    ------
    SpecError
        As `pairs` does, and when a value is no number.
    """
    found = pairs(values, option, example)
    return {name: parse_quantity(value) for name, value in found.items()}


def spans(values: Sequence[str], option: str, example: str) -> dict[str, Any]:
    """Return NAME=HIGH options as numbers and NAME=LOW..HIGH ones as pairs.

    Raises
    ------
    SpecError
        As `pairs` does, and when an end is no number.
    """
    found = pairs(values, option, example)
    return {
        name: span(value, option, example) if ".." in value else parse_quantity(value)
        for name, value in found.items()
    }


def span(value: str, option: str, example: str) -> tuple[float, float]:
    """Return a range written LOW..HIGH.

    Raises
    ------
    SpecError
        When it is none.
    """
    low, dots, high = value.partition("..")
    if not dots:
        raise SpecError(f"{option} '{value}': write it as LOW..HIGH, such as {option} {example}")
    return parse_quantity(low), parse_quantity(high)


def axes(values: Sequence[str], option: str, example: str) -> dict[str, Any]:
    """Return bounds or labels: ``N=10M..1B`` a pair, ``D=20B`` a number, ``family=c4,pile`` labels.

    Raises
    ------
    SpecError
        When a bound is no number.
    """
    found: dict[str, Any] = {}
    for name, value in pairs(values, option, example).items():
        if ".." in value:
            found[name] = span(value, option, example)
        else:
            found[name] = _number_or_labels(value)
    return found


def _number_or_labels(value: str) -> Any:
    try:
        return parse_quantity(value)
    except SpecError:
        return [part.strip() for part in value.split(",") if part.strip()]


def where(values: Sequence[str]) -> dict[str, list[str]]:
    """Return ``--where`` options; a column named several times keeps any of the values."""
    found: dict[str, list[str]] = {}
    for text in values:
        for name, value in pairs([text], "--where", "role=fit").items():
            found.setdefault(name, []).append(value)
    return found


def pooling(values: Sequence[str]) -> dict[str, str] | str | None:
    """Return ``--pool`` options: one word for all parameters, or a word for each."""
    if len(values) == 1 and "=" not in values[0]:
        return values[0].strip()
    return dict(pairs(values, "--pool", "alpha=partial")) or None


def priors(values: Sequence[str]) -> dict[str, str]:
    """Return ``--prior`` options as a mapping of parameter to the text of its prior."""
    return pairs(values, "--prior", "'E=lognormal(1.8,1,2.5)'")


def quoted_labels(text: str, groups: Sequence[str]) -> str:
    """Return a point such as ``"N=7B,family=7B"`` with the labels of ``groups`` in quotes, so that
    a label is not taken for a number."""
    for name in groups:
        start = rf"(^|,)(\s*{re.escape(name)}\s*=\s*)"
        text = re.sub(rf"{start}(?!\s*['\"])([^,]+)", r"\1\2'\3'", text)
    return text
