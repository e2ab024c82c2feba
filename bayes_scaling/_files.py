"""Writing files so that a reader never sees half of one, and no file is lost unasked."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from bayes_scaling._errors import FitFileError


def temporary_beside(target: Path) -> Path:
    """Return a new empty file in the folder of ``target``, with the permissions any file gets.

    Raises
    ------
    FitFileError
        When ``target`` is a folder, or its folder is missing or cannot be written.
    """
    if target.is_dir():
        raise FitFileError(f"cannot write '{target}': it is a folder; give a file name.")
    path = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise FitFileError(
            f"cannot write '{target}': {error.strerror or error}; choose a folder that exists and "
            "can be written."
        ) from None
    return path


def write_whole(target: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a file beside ``target`` and put it in its place when all is written.

    Raises
    ------
    FitFileError
        When the file cannot be written.
    """
    temporary = temporary_beside(target)
    try:
        write(temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise FitFileError(f"cannot write '{target}': {error.strerror or error}.") from None
    finally:
        temporary.unlink(missing_ok=True)
    return target
