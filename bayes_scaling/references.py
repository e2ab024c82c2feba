"""The papers behind the catalogue: a small reader of its BibTeX file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files

from bayes_scaling._errors import LawError, did_you_mean

FILE = "references.bib"
_ENTRY = re.compile(r"@(?P<type>\w+)\s*\{\s*(?P<key>[^,\s]+)\s*,")
_FIELD = re.compile(r"(?P<name>\w+)\s*=\s*")


def reference(key: str) -> dict[str, str]:
    """Return one entry of the catalogue's bibliography: ``key``, ``type`` and its fields.

    Raises
    ------
    LawError
        When the bibliography has no such key.

    Examples
    --------
    >>> reference("hoffmann2022")["year"]
    '2022'
    """
    known = references()
    if key not in known:
        raise LawError(f"no reference '{key}' in {FILE}.{did_you_mean(key, known)}")
    return dict(known[key])


@lru_cache(maxsize=1)
def references() -> Mapping[str, Mapping[str, str]]:
    """Return the whole bibliography, key to entry."""
    text = files("bayes_scaling.models").joinpath(FILE).read_text(encoding="utf-8")
    return parse_bibtex(text)


def parse_bibtex(text: str) -> dict[str, dict[str, str]]:
    """Return the entries of BibTeX text; values in braces or quotes, no string macros."""
    found = {}
    for match in _ENTRY.finditer(text):
        body = text[match.end() : _closing(text, match.end(), "}")]
        found[match["key"]] = {"key": match["key"], "type": match["type"], **dict(_fields(body))}
    return found


def _fields(body: str) -> Iterator[tuple[str, str]]:
    at = 0
    while match := _FIELD.search(body, at):
        start = match.end()
        if body[start : start + 1] in ("{", '"'):
            at = _closing(body, start + 1, "}" if body[start] == "{" else '"')
            value = body[start + 1 : at]
        else:  # a bare number
            at = _closing(body, start, ",")
            value = body[start:at]
        yield match["name"].lower(), " ".join(value.replace("{", "").replace("}", "").split())


def _closing(text: str, start: int, mark: str) -> int:
    """Return where ``mark`` first stands outside braces, or the end of the text."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == mark and depth == 0:
            return at
        depth += {"{": 1, "}": -1}.get(text[at], 0)
    return len(text)


def citation(key: str) -> str:
    """Return a reference as one line: authors, year, title, journal.

    Examples
    --------
    >>> citation("hoffmann2022").split(":")[0]
    'Hoffmann, Borgeaud, Mensch et al. (2022)'
    """
    entry = reference(key)
    where = entry.get("journal") or entry.get("booktitle") or entry.get("url", "")
    parts = (f"{_authors(entry.get('author', ''))} ({entry.get('year', 'n.d.')}): "
             f"{entry.get('title', '')}", where)  # fmt: skip
    return ". ".join(part for part in parts if part) + "."


def _authors(text: str) -> str:
    names = [name.partition(",")[0].strip() for name in text.split(" and ")]
    known = [name for name in names if name and name != "others"]
    more = " et al." if "others" in names or len(known) > 3 else ""
    shown = known[:3] if more else known
    return (", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 and not more
            else ", ".join(shown)) + more  # fmt: skip
