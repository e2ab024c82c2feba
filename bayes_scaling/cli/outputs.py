"""The files a command writes and the code it exits with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bayes_scaling._errors import FitFileError
from bayes_scaling._files import temporary_beside, write_whole
from bayes_scaling.cli import BAD_FIT, OK
from bayes_scaling.posterior import Fit


def exit_code(fit: Fit) -> int:
    """Return the code for a fit: bad when its diagnosis says not to use it."""
    return BAD_FIT if fit.diagnose().severity == "error" else OK


def check_new(target: Path, force: bool) -> Path:
    """Return the path after checking, before long work, that it can be written and is nobody's.

    Raises
    ------
    FitFileError
        When it exists and ``force`` is false, or cannot be written.
    """
    if target.is_file() and not force:
        raise FitFileError(f"'{target}' exists already: choose another --out, or pass --force.")
    temporary_beside(target).unlink()
    return target


def write_table(table: pd.DataFrame, target: Path) -> None:
    """Write a table as CSV, whole or not at all."""
    write_whole(target, lambda path: table.to_csv(path, index=False))
