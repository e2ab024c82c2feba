"""Fits on disk: one netCDF file, checked when read, never executed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling._errors import BayesScalingError, FitFileError, Note
from bayes_scaling._files import write_whole
from bayes_scaling.posterior import Fit, posterior_names
from bayes_scaling.prior import Prior, parse_prior
from bayes_scaling.spec import Law, ModelSpec, Param, get_law, get_observation

FORMAT = 1
GROUPS = ("posterior", "sample_stats", "prior", "observed_data", "constant_data")
ENGINE = "h5netcdf"


def spec_to_json(spec: ModelSpec) -> str:
    """Return the spec as JSON: names, numbers and formulas only."""
    return json.dumps(
        {
            "law": _law_to_dict(spec.law),
            "observation": spec.observation.name,
            "pool": dict(spec.pool),
            "priors": {n: str(p) for n, p in spec.priors},
            "groups": list(spec.groups),
            "noise_by_family": spec.noise_by_family,
            "noise_trend": spec.noise_trend,
            "known_se": spec.known_se,
        }
    )


def _law_to_dict(law: Law) -> dict[str, Any]:
    return {
        "name": law.name,
        "inputs": list(law.inputs),
        "response": law.response,
        "equation": law.equation,
        "source": law.source,
        "params": [_param_to_dict(p) for p in law.params],
    }


def _param_to_dict(param: Param) -> dict[str, Any]:
    return {**vars(param), "prior": str(param.prior)}


def spec_from_json(text: str) -> ModelSpec:
    """Return the spec that `spec_to_json` wrote.

    Raises
    ------
    FitFileError
        When a part is missing, or the law is not known here.
    """
    try:
        d = json.loads(text)
        law = _law_from_dict(d["law"])
        return ModelSpec(
            law=law,
            observation=get_observation(d["observation"]),
            pool=tuple((str(k), str(v)) for k, v in d["pool"].items()),
            priors=tuple((str(k), _prior(v)) for k, v in d["priors"].items()),
            groups=tuple(d["groups"]),
            noise_by_family=bool(d["noise_by_family"]),
            noise_trend=str(d["noise_trend"]),
            known_se=bool(d["known_se"]),
        )
    except BayesScalingError as error:
        raise FitFileError(f"the fit cannot be read: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FitFileError(
            f"the fit's description is damaged ({type(error).__name__}: {error}): refit and save."
        ) from None


def _prior(text: str) -> Prior:
    if not text.startswith("numpyro("):
        return parse_prior(text)
    raise FitFileError(
        f"the fit was made with the prior {text}, which a file cannot hold: give it as one of "
        "bs.lognormal, bs.normal ... before saving."
    )


def _law_from_dict(d: dict[str, Any]) -> Law:
    from dataclasses import replace

    from bayes_scaling.text_law import law_from_equation

    if d["source"] == "equation":
        levels = {p["name"]: Param(**{**p, "prior": parse_prior(p["prior"])}) for p in d["params"]}
        found = law_from_equation(d["equation"], name=d["name"], inputs=tuple(d["inputs"]))
        return replace(found, params=tuple(levels.values()), response=d["response"])
    generic = get_law(d["name"])
    same = tuple(d["inputs"]) == generic.inputs
    law = generic if same else get_law(f"{d['name']}({', '.join(d['inputs'])})")
    if law.equation != d["equation"]:
        raise FitFileError(
            f"law '{law.name}' here is '{law.equation}', in the file '{d['equation']}': load it "
            "with the version that made it, or refit."
        )
    return replace(law, response=d["response"])


def digest(data: xr.DataTree) -> str:
    """Return a checksum over all attributes and arrays, by which a changed file is known."""
    words = {k: str(v) for k, v in sorted(data.attrs.items()) if k != "digest"}
    found = hashlib.sha256(json.dumps(words).encode())
    for group in sorted(GROUPS):
        for name, variable in sorted(data[group].data_vars.items()):
            values = np.asarray(variable)
            if values.dtype.kind in "OUST":
                values = np.asarray(["\0".join(map(str, values.ravel().tolist()))]).astype("S")
            found.update(str(name).encode())
            found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def save(fit: Fit, path: str | Path) -> Path:
    """Write ``fit`` to ``path``; an existing file is replaced only when all is written.

    Raises
    ------
    FitFileError
        When the fit holds what a file cannot, or the file cannot be written.
    """
    spec_from_json(spec_to_json(fit.spec))
    notes = json.dumps([vars(n) for n in fit.notes])
    tree = fit.data.copy()
    tree.attrs.update(notes=notes)
    tree.attrs.update(digest=digest(tree))
    return write_whole(Path(path), lambda path: tree.to_netcdf(path, engine=ENGINE))


def load(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` wrote; nothing in the file is executed.

    Raises
    ------
    FitFileError
        When the file is missing, not a fit, truncated, changed, or of a newer format.
    """
    tree = read_tree(Path(path))
    _check_layout(tree, path)
    spec = spec_from_json(tree.attrs["spec"])
    _check_content(tree, spec, path)
    notes = tuple(Note(**n) for n in json.loads(tree.attrs["notes"]))
    return Fit(tree, spec, notes)


def read_tree(path: Path) -> xr.DataTree:
    """Read a file's groups, whatever they hold.

    Raises
    ------
    FitFileError
        When the file is missing or damaged.
    """
    if not path.is_file():
        raise FitFileError(
            f"no fit at '{path}': check the path, or make one with bayes-scaling fit."
        )
    try:
        with xr.open_datatree(path, engine=ENGINE) as tree:
            return tree.load()
    except Exception as error:  # whatever HDF5, netCDF and xarray say of a damaged file
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise FitFileError(
            f"'{path}' is not a readable fit ({reason}): it may be truncated; refit and save again."
        ) from None


def _check_layout(tree: xr.DataTree, path: Any) -> None:
    version = tree.attrs.get("format")
    if tree.attrs.get("kind") == "skills":
        raise FitFileError(f"'{path}' holds skills, not a fit: read it with bs.Skills.load.")
    if version is None or not {"spec", "notes", "digest", "reference"} <= set(tree.attrs):
        raise FitFileError(f"'{path}' was not written by bayes_scaling: pass a file made by save.")
    if not str(version).isdigit() or int(version) > FORMAT:
        raise FitFileError(
            f"'{path}' has format {version}, this version reads up to {FORMAT}: update the package."
        )
    missing = [g for g in GROUPS if g not in tree.children]
    if missing:
        raise FitFileError(f"'{path}' lacks the group {missing[0]}: refit and save again.")


def _check_content(tree: xr.DataTree, spec: ModelSpec, path: Any) -> None:
    missing = [n for n in posterior_names(spec) if n not in tree["posterior"].data_vars]
    if missing:
        raise FitFileError(f"'{path}' lacks the draws of {missing[0]}: refit and save again.")
    if digest(tree) != tree.attrs["digest"]:
        raise FitFileError(
            f"'{path}' was changed after it was saved (checksum differs): refit and save again."
        )
