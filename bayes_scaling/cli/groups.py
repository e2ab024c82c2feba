"""Groups of options as single arguments of the functions behind commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any, get_type_hints

KEYWORD = inspect.Parameter.KEYWORD_ONLY


def spread(function: Callable[..., int]) -> Callable[..., int]:
    """Return a function with an argument for each option of the groups that another one takes.

    A group is a dataclass whose fields are options (`bayes_scaling.cli.asked`). Arguments keep
    their order, a group's options in its place.
    """
    own = {p.name: p for p in _parameters(function)}
    groups: dict[str, Any] = {
        name: p.annotation for name, p in own.items() if is_dataclass(p.annotation)
    }
    options = {name: [*_parameters(group)] for name, group in groups.items()}
    shown = [each for name, p in own.items() for each in options.get(name, [p])]

    def run(**given: Any) -> int:
        made = {
            name: group(**{p.name: given.pop(p.name) for p in options[name]})
            for name, group in groups.items()
        }
        return function(**made, **given)

    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__annotations__ = {p.name: p.annotation for p in shown}
    vars(run)["__signature__"] = inspect.Signature(shown)
    return run


def _parameters(taker: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """The arguments of a function or of a dataclass, by keyword, their annotations resolved."""
    hints = get_type_hints(taker, include_extras=True)
    for name, parameter in inspect.signature(taker).parameters.items():
        yield parameter.replace(kind=KEYWORD, annotation=hints[name])
