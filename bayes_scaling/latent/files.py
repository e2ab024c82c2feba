"""Skills in one netCDF file: arrays and JSON, nothing pickled, a checksum over all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xarray as xr

from bayes_scaling._errors import FitFileError, Note
from bayes_scaling._files import write_whole
from bayes_scaling.latent.layout import Layout
from bayes_scaling.latent.results import SHOWN, Skills
from bayes_scaling.storage import ENGINE, FORMAT, GROUPS, digest, read_tree


def save(fit: Skills, path: str | Path) -> Path:
    """Write ``fit`` to ``path``; an existing file is replaced only when all is written."""
    tree = fit.data.copy()
    tree.attrs.update(notes=json.dumps([vars(n) for n in fit.notes]))
    tree.attrs.update(digest=digest(tree))
    return write_whole(Path(path), lambda path: tree.to_netcdf(path, engine=ENGINE))


def load(path: str | Path) -> Skills:
    """Read what `save` wrote."""
    tree = read_tree(Path(path))
    _check(tree, path)
    layout = _layout(tree.attrs["layout"], path)
    notes = tuple(Note(**n) for n in json.loads(tree.attrs["notes"]))
    return Skills(tree, layout, notes)


def _check(tree: xr.DataTree, path: Any) -> None:
    if tree.attrs.get("kind") != "skills" or not {"layout", "notes", "digest"} <= set(tree.attrs):
        raise FitFileError(f"'{path}' holds no skills: pass a file made by Skills.save.")
    version = str(tree.attrs.get("format"))
    if not version.isdigit() or int(version) > FORMAT:
        raise FitFileError(
            f"'{path}' has format {version}, this version reads up to {FORMAT}: update the package."
        )
    absent = [g for g in GROUPS if g not in tree.children] or [
        n for n in SHOWN if n not in tree["posterior"].data_vars
    ]
    if absent:
        raise FitFileError(f"'{path}' lacks {absent[0]}: fit and save again.")
    if digest(tree) != tree.attrs["digest"]:
        raise FitFileError(
            f"'{path}' was changed after it was saved (checksum differs): fit and save again."
        )


def _layout(text: str, path: Any) -> Layout:
    try:
        told: dict[str, Any] = json.loads(text)
        fields: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
        return Layout(**fields)
    except (TypeError, ValueError, AttributeError) as error:
        raise FitFileError(
            f"'{path}' has a damaged description ({type(error).__name__}): fit and save again."
        ) from None
