"""Progress on standard error for everything longer than two seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic

PATIENCE = 2.0  # seconds before a bar shows


def no_progress(done: int, total: int, phase: str) -> None:
    """Show nothing."""


def shown_progress(
    asked: bool | Callable[[int, int, str], None],
) -> Callable[[int, int, str], None]:
    """Return the function to tell of progress: the one given, a bar, or none."""
    return asked if callable(asked) else progress_bar() if asked else no_progress


def progress_bar() -> Callable[[int, int, str], None]:
    """Return a function ``(done, total, phase)`` that draws a bar with tqdm after two seconds."""
    from tqdm.auto import tqdm

    started, bar = monotonic(), None

    def show(done: int, total: int, phase: str) -> None:
        nonlocal bar
        if bar is None:
            if phase == "done" or monotonic() - started < PATIENCE:
                return
            bar = tqdm(total=total, file=sys.stderr, leave=False, unit="draw")
        if bar.total != total:
            bar.reset(total=total)
        bar.set_description(phase)
        bar.update(done - bar.n)
        if phase == "done":
            bar.close()

    return show
