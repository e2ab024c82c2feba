"""What the scripts on real data share: their options, and results kept as JSON and Markdown."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bayes_scaling.bench.compare import about


def asked_of(doc: str | None) -> argparse.Namespace:
    """The folder of the data sets, which of them, and where to keep the results."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def keep_simulated(doc: str | None, judged: Callable[[int], dict[str, Any]], tables: int) -> None:
    """Judge as many simulated tables as the command line asks for; print the scores, and write."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--tables", type=int, default=tables)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found = judged(asked.tables)
    print(json.dumps(found, indent=1))
    keep({**about(), **found}, asked.out)


def keep(whole: dict[str, Any], out: Path | None, page: Callable[[Any], str] | None = None) -> None:
    """Print the page, and write both where a file is named."""
    if page:
        print(page(whole))
    if out:
        out.write_text(json.dumps(whole, indent=1) + "\n")
    if out and page:
        out.with_suffix(".md").write_text(page(whole))


def header(title: str, whole: dict[str, Any]) -> list[str]:
    """First lines of a page: its title, date, device and versions."""
    versions = ", ".join(f"{k} {v}" for k, v in whole["versions"].items())
    made = f"{whole['date']}, {whole['device']}, Python {whole['python']}, {versions}"
    return [f"# {title}", "", made, ""]


def line(cells: Sequence[Any]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"
