"""Printing: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bayes_scaling._errors import Note
from bayes_scaling.cli.shell_words import for_shell

if TYPE_CHECKING:
    from bayes_scaling.infer.base import Progress

PIPE_WIDTH = 120  # columns assumed where there is no terminal
TEXT_WIDTH = 100  # of paragraphs
WORD = 24  # longest word of a label that is kept whole
GAP = 2  # between columns


def emit(text: str) -> None:
    """Print a result; a reader that has gone away, as in ``| head``, is no fault."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = text.encode(encoding, "replace").decode(encoding)
    try:
        print(shown, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains again at exit


def say(text: str) -> None:
    """Print a remark on standard error."""
    encoding = sys.stderr.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=sys.stderr, flush=True)


def error_line(message: str, code: int) -> int:
    """Print ``error: ...`` as one line on standard error and return the exit code."""
    say(f"error: {' '.join(message.split())}")
    return code


def emit_json(record: Any) -> None:
    """Print one JSON document; numbers that JSON lacks become null."""
    emit(json.dumps(plain(record), indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """Return nested lists, texts and numbers, fit for JSON."""
    value = value.tolist() if hasattr(value, "tolist") else value  # NumPy's arrays and scalars
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)


def width() -> int:
    """Columns of the terminal, of ``COLUMNS``, or of a pipe."""
    return max(40, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)


def emit_table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> None:
    """Print a table whose last ``numbers`` columns are aligned to the right and never cut.

    Where even folded labels leave too little room, each row becomes a block of lines.
    """
    first = len(header) - numbers
    whole = [max(len(name), *(len(row[i]) for row in rows)) for i, name in enumerate(header)]
    words = [max(len(word) for row in (header, *rows) for word in (*row[i].split(), ""))
             for i in range(first)]  # fmt: skip
    least = [*(min(n, WORD) for n in words), *whole[first:]]
    if sum(least) + GAP * (len(header) - 1) > width():
        emit("\n\n".join(_block(header, row) for row in rows))
    else:
        emit(_rendered(header, rows, first, least))


def _block(header: Sequence[str], row: Sequence[str]) -> str:
    pad = max(map(len, header))
    lines = (f"  {name:<{pad}}  {cell}" for name, cell in zip(header[1:], row[1:], strict=True))
    return "\n".join([row[0], *lines])


def _rendered(
    header: Sequence[str], rows: Sequence[Sequence[str]], first: int, least: Sequence[int]
) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for i, name in enumerate(header):
        side = "right" if i >= first else "left"
        table.add_column(Text(name), justify=side, min_width=least[i], overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: a '[' in a label is no markup
    console = Console(file=sys.stdout, width=width(), legacy_windows=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))


def emit_wrapped(text: str, indent: str = "") -> None:
    """Print one paragraph within the width."""
    emit(wrapped(text, indent))


def wrapped(text: str, indent: str = "") -> str:
    """Return one paragraph within the width; words such as paths are never broken."""
    return textwrap.fill(
        text,
        min(width(), TEXT_WIDTH),
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def emit_notes(notes: Iterable[Note]) -> None:
    """Print notes, one a paragraph, with the shell's spelling of options."""
    for note in notes:
        emit_wrapped(f"[{note.severity}] {note.code}: {for_shell(str(note))}", "  ")


def shell_progress(first: str = "") -> Progress:
    """Return a progress function: a bar on a terminal, elsewhere one line a phase.

    ``first`` is printed before anything else, at the first call: when the input has been accepted.
    """
    from bayes_scaling._progress import progress_bar

    draw = progress_bar() if sys.stderr.isatty() else phase_lines()
    waiting = [first] if first else []

    def show(done: int, total: int, phase: str) -> None:
        while waiting:
            say(waiting.pop())
        draw(done, total, phase)

    return show


def phase_lines() -> Callable[[int, int, str], None]:
    """Return a progress function that prints each phase once."""
    seen = {"done"}

    def show(done: int, total: int, phase: str) -> None:
        if phase not in seen:
            seen.add(phase)
            say(f"  {phase} ...")

    return show
