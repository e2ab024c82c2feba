"""Named entries with a lazy first look-up: the catalogue is imported when it is first asked for."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Iterator
from typing import Any

from bayes_scaling._errors import LawError, did_you_mean, list_names

CATALOGUE = "bayes_scaling.models"
ENTRY_POINTS = "bayes_scaling.laws"


class Registry:
    """A mapping from names and aliases to entries that loads the catalogue on first look-up."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._entries: dict[str, Any] = {}
        self._aliases: dict[str, str] = {}

    def add(self, name: str, entry: Any, aliases: tuple[str, ...] = ()) -> None:
        """Enter ``entry``; a name or alias can be taken only once.

        Raises
        ------
        LawError
            When the name or an alias is already taken.
        """
        for key in (name, *aliases):
            if key in self._entries or key in self._aliases:
                raise LawError(f"{self._kind} '{key}' exists already: choose another name.")
        self._entries[name] = entry
        self._aliases.update(dict.fromkeys(aliases, name))

    def get(self, name: str) -> Any:
        """Return the entry of that name or alias.

        Raises
        ------
        LawError
            When there is none; the text offers the nearest names.
        """
        load_catalogue()
        key = self._aliases.get(name, name)
        if key in self._entries:
            return self._entries[key]
        raise LawError(
            f"unknown {self._kind} '{name}'.{did_you_mean(name, [*self._entries, *self._aliases])}"
            f" Known: {list_names(list(self))}."
        )

    def __iter__(self) -> Iterator[str]:
        load_catalogue()
        return iter(sorted(self._entries))

    def discard(self, name: str) -> None:
        """Remove an entry and its aliases, if it is there."""
        self._entries.pop(name, None)
        self._aliases = {k: v for k, v in self._aliases.items() if v != name}


LAWS = Registry("law")
OBSERVATIONS = Registry("observation model")
POOLINGS = Registry("pooling")
STUDIES = Registry("study")
_loaded = False


def load_catalogue() -> None:
    """Import the catalogue and the entries that installed packages announce, once."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    try:
        importlib.import_module(CATALOGUE)
    except ModuleNotFoundError as error:
        _loaded = False
        error.add_note("The catalogue is part of the installed package: run pip install -e .")
        raise
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        entry.load()
