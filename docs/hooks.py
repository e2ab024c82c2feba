"""What the site builder does to pages: formulas become MathML, which browsers show as it is."""

import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(r"^\$\$(.+?)\$\$$", re.M)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page with every ``$$...$$`` on a line of its own as MathML."""
    return FORMULA.sub(lambda found: convert(found[1], display="block"), markdown)
