"""What the options of bench mean, and its files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bayes_scaling._errors import SpecError, did_you_mean
from bayes_scaling._files import write_whole
from bayes_scaling.bench import report
from bayes_scaling.bench.compare import DEFAULT_ENGINES, PEERS
from bayes_scaling.cli.printing import plain


def chosen_engines(engines: Sequence[str], peers: str) -> list[str]:
    """The engines asked for, with those of every peer in a list such as ``numpyro,nutpie``.

    Raises
    ------
    SpecError
        When there is no such peer.
    """
    asked = [word.strip() for word in peers.split(",") if word.strip()]
    for name in asked:
        if name not in PEERS:
            raise SpecError(
                f"unknown peer '{name}'.{did_you_mean(name, PEERS)} Known: {', '.join(PEERS)}."
            )
    wanted = [*(engines or DEFAULT_ENGINES), *(e for name in asked for e in PEERS[name])]
    return list(dict.fromkeys(wanted))


def write_results(found: Mapping[str, Any], path: Path) -> None:
    """Write the JSON file, and the table and the picture beside it."""
    text = json.dumps(plain(found), indent=1, allow_nan=False) + "\n"
    write_whole(path, lambda to: to.write_text(text, encoding="utf-8"))
    document = report.markdown(found)
    write_whole(path.with_suffix(".md"), lambda to: to.write_text(document, encoding="utf-8"))
    if report.drawn(found):
        write_whole(path.with_suffix(".png"), lambda to: report.picture(found, to))
