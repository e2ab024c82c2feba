"""Rows put family after family: the same density with less to compute."""

import jax
import numpy as np
import pytest

import bayes_scaling as bs
from bayes_scaling import arguments
from bayes_scaling.arguments import by_families, make_args, padded
from bayes_scaling.bench.problems import simulated
from bayes_scaling.infer import streams
from bayes_scaling.infer.target import make_target
from bayes_scaling.resolve import resolve

pytestmark = pytest.mark.usefixtures("x64")
POOL = {"E": "separate", "A": "shared", "B": "shared"}
OPTIONS = {"noise_by_family": True, "noise_trend": "N"}


def table(seed=0):
    """Seventeen families of five to eight runs in mixed order, with standard errors."""
    runs = simulated(17, 8)
    rng = np.random.default_rng(seed)
    kept = rng.permutation(np.flatnonzero(np.arange(runs.n) % 8 < 5 + np.arange(runs.n) // 8 % 4))
    columns = {name: runs.values[name][kept] for name in ("N", "D", "L")}
    family = runs.labels["family"][kept]
    return bs.read_runs({**columns, "L_se": 1e-3 * (1 + np.arange(len(kept))), "family": family},
                        group="family", se="L_se")  # fmt: skip


def densities(spec, both, rng):
    """Potential and gradient of both arguments at a few points."""
    targets = [make_target(spec, args) for args in both]
    points = 0.1 * rng.normal(size=(3, targets[0].dim))
    return [
        [np.concatenate([np.ravel(part) for part in jax.value_and_grad(t.potential)(z, args)])
         for z in points]
        for t, args in zip(targets, both, strict=True)
    ]  # fmt: skip


def test_the_density_is_the_same(rng):
    runs = table()
    spec = resolve(runs, "chinchilla", pool="partial", **OPTIONS)
    args = padded(make_args(runs, spec), 128)
    arranged = by_families(args)
    assert "member" not in arranged
    assert arranged["mask"].sum() == runs.n
    assert sorted(arranged["y"][arranged["mask"]]) == sorted(runs.values["L"])
    assert np.allclose(*densities(spec, (args, arranged), rng), rtol=1e-10)


def test_known_errors_and_families_in_labs_go_along(rng):
    runs = table()
    labs = np.array([f"lab{int(name[1:]) // 3}" for name in runs.labels["family"]])
    columns = {name: runs.values[name] for name in ("N", "D", "L")}
    columns |= {"L_se": runs.se, "lab": labs, "family": runs.labels["family"]}
    nested = bs.read_runs(columns, group=["lab", "family"], se="L_se")
    spec = resolve(nested, "chinchilla")
    args = make_args(nested, spec)
    arranged = by_families(args)
    assert spec.known_se
    assert sorted(arranged["se"][arranged["mask"]]) == sorted(runs.se)
    assert "by_family" in arranged
    assert np.allclose(*densities(spec, (args, arranged), rng), rtol=1e-10)


def test_few_families_and_very_unlike_ones_stay(monkeypatch):
    runs = simulated(3, 10)
    few = make_args(runs, resolve(runs, "chinchilla"))
    assert by_families(few).keys() == few.keys()
    runs = table()
    args = make_args(runs, resolve(runs, "chinchilla"))
    monkeypatch.setattr(arguments, "WORTH_PADDING", 1.0)
    assert by_families(args).keys() == args.keys()


def test_thinning_keeps_families_together(monkeypatch):
    runs = table()
    spec = resolve(runs, "chinchilla")
    arranged = by_families(make_args(runs, spec))
    monkeypatch.setattr(streams, "SEARCH_ROWS", len(arranged["mask"]) // 2)
    short = streams.thinned(arranged)
    target = make_target(spec, short)
    families, most = arranged["by_family"].shape
    assert np.array_equal(short["by_family"], arranged["by_family"][:, ::2])
    kept = arranged["y"].reshape(families, most)[:, ::2]
    assert np.array_equal(short["y"], kept.ravel())
    assert np.array_equal(short["mask"], short["by_family"].ravel())
    assert np.isfinite(target.potential(np.zeros(target.dim), short))


def test_a_fit_of_many_families_is_that_of_rows_as_they_come(monkeypatch):
    runs = table()
    fits = []
    for many in (16, 10**6):
        monkeypatch.setattr(arguments, "MANY_FAMILIES", many)
        fits.append(bs.fit(runs, "chinchilla", pool=POOL, sampler="laplace", progress=False))
    first, second = fits
    for name in ("E", "alpha"):
        assert np.allclose(first.posterior[name], second.posterior[name], rtol=1e-6)
    assert np.allclose(first.data.prior["E"], second.data.prior["E"])
    assert np.array_equal(first.data.observed_data["L"], runs.values["L"])
