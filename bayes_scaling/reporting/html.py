"""Elements of HTML as text, in which whatever is not markup already is escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

VOID = ("br", "col", "hr", "input", "meta")
EMPTY = ""


class Html(str):
    """Text that is markup already; any other text is escaped where it is put in an element."""

    __slots__ = ()


def escape(value: object) -> Html:
    """Return a value as markup that shows it.

    Examples
    --------
    >>> escape("<b>"), escape(Html("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    return value if isinstance(value, Html) else Html(html.escape(str(value), quote=True))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Return parts one after the other, each escaped unless it is markup."""
    return Html(between.join(escape(part) for part in parts if part is not None))


def tag(name: str, *children: object, **attributes: Any) -> Html:
    """Return an element; None children and attributes are left out, True ones have no value.

    A ``_`` in an attribute's name is a ``-``, one at its end is dropped (``class_``).

    Examples
    --------
    >>> tag("p", "1 < 2", class_="sum", data_n=2, hidden=True)
    '<p class="sum" data-n="2" hidden>1 &lt; 2</p>'
    """
    opened = f"<{name}{_attributes(attributes)}>"
    if name in VOID:
        return Html(opened)
    return Html(f"{opened}{join(children)}</{name}>")


def _attributes(given: Mapping[str, Any]) -> str:
    kept = {_spelled(k): v for k, v in given.items() if v is not None and v is not False}
    return "".join(f" {k}" if v is True else f' {k}="{escape(v)}"' for k, v in kept.items())


def _spelled(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def paragraphs(texts: Iterable[object], class_: str | None = None) -> Html:
    """Return each text as a paragraph."""
    return join(tag("p", text, class_=class_) for text in texts)


def table(
    caption: str, header: Sequence[object], rows: Iterable[Sequence[object]], labels: int = 1
) -> Html:
    """Return a table in a box of its own that scrolls where it is too wide.

    Parameters
    ----------
    caption
        What the table holds, for people and for screen readers.
    header, rows
        Cells: texts, or markup.
    labels
        So many columns at the left are words; the first names its row. The others are numbers.
    """
    head = tag("tr", *(tag("th", cell, scope="col", class_=_side(i, labels))
                       for i, cell in enumerate(header)))  # fmt: skip
    body = join(tag("tr", *_cells(row, labels)) for row in rows)
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body))
    return tag("div", inner, class_="scroll", role="region", aria_label=caption, tabindex=0)


def _cells(row: Sequence[object], labels: int) -> Iterable[Html]:
    for i, cell in enumerate(row):
        first = i == 0 and labels > 0
        yield tag("th" if first else "td", cell, scope="row" if first else None,
                  class_=_side(i, labels))  # fmt: skip


def _side(column: int, labels: int) -> str | None:
    return None if column < labels else "n"


def columns_table(caption: str, columns: Mapping[str, Sequence[object]], labels: int) -> Html:
    """Return a table of columns by their name."""
    return table(caption, list(columns), list(zip(*columns.values(), strict=True)), labels)


def facts(pairs: Iterable[tuple[object, object]]) -> Html:
    """Return names with what is said of each, as a list of definitions."""
    return tag("dl", *(join([tag("dt", name), tag("dd", told)]) for name, told in pairs))


def data_script(key: str, record: Any) -> Html:
    """Return a record as JSON in an element of its own.

    No text in it can end the element: ``<``, ``>`` and ``&`` are written as escapes of JSON.
    """
    text = json.dumps(record, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return tag("script", Html(text), type="application/json", id=key)
