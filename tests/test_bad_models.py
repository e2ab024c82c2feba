"""Malformed laws, priors, options, forecast points and saved fits: one line that names the mend."""

import shutil
from functools import partial

import h5py
import numpy as np
import numpyro.distributions as dist
import pytest
from fitted import small_fit, table

import bayes_scaling as bs


@pytest.fixture(scope="module")
def runs():
    return bs.read_runs(table(), group="family")


def complaint(call):
    """The one-line message with which a call fails."""
    with pytest.raises(bs.BayesScalingError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 700
    return text


FITS = {
    "unknown law": ({"law": "chinchila"}, "Did you mean 'chinchilla'"),
    "generic law without its input": ({"law": "power_law"}, "power_law("),
    "too many inputs": ({"law": "power_law(N, D)"}, "takes 1 input"),
    "input named like a parameter": ({"law": "power_law(alpha)"}, "named unlike"),
    "missing input": ({"law": "power_law(V)"}, "columns="),
    "unknown parameter in pool": ({"pool": {"gamma": "partial"}}, "has no parameter 'gamma'"),
    "unknown pooling": ({"pool": {"E": "partail"}}, "Did you mean 'partial'"),
    "unknown pooling for all": ({"pool": "hierarchical"}, "separate"),
    "prior of an unknown parameter": ({"priors": {"gama": 1.0}}, "does not have"),
    "prior of no known kind": ({"priors": {"E": "gaussian(0, 1)"}}, "use one of"),
    "prior with too few numbers": ({"priors": {"E": "lognormal(1)"}}, "takes 3 number"),
    "prior with text": ({"priors": {"E": "normal(a, 1)"}}, "write kind(number"),
    "prior that is code": ({"priors": {"E": "normal(__import__('os'), 1)"}}, "write kind(number"),
    "prior without bracket": ({"priors": {"E": "normal(0, 1"}}, "write kind(number"),
    "negative sd": ({"priors": {"E": "normal(0, -1)"}}, "must be positive"),
    "bounds the wrong way": ({"priors": {"E": "lognormal(1, 3, 2)"}}, "low < high"),
    "points no log-normal has": ({"priors": {"E": "lognormal(1.8, 0.6, 2.6)"}}, "its median is"),
    "a list for a prior": ({"priors": {"E": [1, 2]}}, "cannot be made from list"),
    "noise held fixed": ({"priors": {"sigma": 0.01}}, "narrow prior"),
    "unknown noise": ({"noise": "cauchy"}, "Known:"),
    "trend over nothing": ({"noise_trend": "V"}, "not a covariate"),
}


@pytest.mark.parametrize(("options", "says"), FITS.values(), ids=FITS)
def test_bad_options_of_a_fit(runs, options, says):
    assert says in complaint(lambda: bs.fit(runs, progress=False, **options))


def test_log_noise_needs_positive_responses():
    rows = table().assign(loss=lambda t: t["loss"] - 2.5)
    assert "student_t" in complaint(lambda: bs.fit(rows, progress=False))


def test_fewer_rows_than_parameters():
    text = complaint(lambda: bs.fit(table().head(4)[["params", "tokens", "loss"]], progress=False))
    assert "4 row" in text
    assert "add runs" in text


def test_noise_by_family_needs_families():
    rows = table()[["params", "tokens", "loss"]]
    assert "group=" in complaint(lambda: bs.fit(rows, noise_by_family=True, progress=False))


LAWS = {
    "code": ("__import__('os').system('true')", {}, "begin with a letter"),
    "attribute": ("N.__class__", {}, "use numbers, names"),
    "no input": ("a + b", {}, "inputs=["),
    "no parameter": ("N + D", {}, "no parameter to fit"),
    "unfinished": ("E + ", {}, "check brackets"),
    "input that is not there": ("E + A*N**-alpha", {"inputs": ["Q"]}, "'Q' does not occur"),
    "prior of nothing": ("E + A*N**-alpha", {"priors": {"beta": 1.0}}, "parameters: E, A"),
    "pooling of nothing": ("E + A*N**-alpha", {"pool": {"beta": "shared"}}, "parameters: E, A"),
    "keyword": ("E + lambda*N", {}, "such as 'lam'"),
}


@pytest.mark.parametrize(("text", "options", "says"), LAWS.values(), ids=LAWS)
def test_bad_law_text(text, options, says):
    assert says in complaint(lambda: bs.law_from_equation(text, **options))


POINTS = {
    "missing input": ({"N": 1e9, "family": "a"}, "'D' is missing"),
    "missing family": ({"N": 1e9, "D": 1e10}, "family is missing"),
    "negative": ({"N": -1e9, "D": 1e10, "family": "a"}, "positive"),
    "text": ({"N": "big", "D": 1e10, "family": "a"}, "text"),
    "nan": ({"N": np.nan, "D": 1e10, "family": "a"}, "finite"),
    "lists of two lengths": ({"N": [1e9] * 2, "D": [1e10] * 3, "family": "a"}, "one length"),
    "nothing": ({}, "no point"),
    "not a table": (3.0, "mapping"),
}


@pytest.mark.parametrize(("at", "says"), POINTS.values(), ids=POINTS)
def test_bad_points(at, says):
    assert says in complaint(lambda: bs.forecast(small_fit(), at))


@pytest.mark.parametrize("prob", [0.0, 1.5, (), (0.5, 2)])
def test_bad_probabilities(prob):
    at = {"N": 1e9, "D": 1e10, "family": "a"}
    assert "between 0 and 1" in complaint(lambda: bs.forecast(small_fit(), at, prob=prob))


def cut(path, keep):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])


def edit(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def shift_draws(file):
    file["posterior/alpha"][...] += 0.01


def drop_posterior(file):
    del file["posterior"]


def drop_variable(file):
    del file["posterior/alpha"]


def drop_spec(file):
    del file.attrs["spec"]


def set_attr(name, value, file):
    file.attrs[name] = value


def swap_in_spec(old, new, file):
    file.attrs["spec"] = file.attrs["spec"].replace(old, new)


DAMAGE = {
    "notes not json": partial(edit, change=partial(set_attr, "notes", "[{")),
    "reference changed": partial(edit, change=partial(set_attr, "reference", '{"N": "x"}')),
    "way to the draws changed": partial(edit, change=partial(set_attr, "sampling", "none")),
    "empty": partial(cut, keep=0.0),
    "truncated early": partial(cut, keep=0.05),
    "truncated late": partial(cut, keep=0.9),
    "draws changed": partial(edit, change=shift_draws),
    "posterior gone": partial(edit, change=drop_posterior),
    "variable gone": partial(edit, change=drop_variable),
    "spec gone": partial(edit, change=drop_spec),
    "spec not json": partial(edit, change=partial(set_attr, "spec", "{")),
    "spec of other type": partial(edit, change=partial(set_attr, "spec", "[1]")),
    "format of the future": partial(edit, change=partial(set_attr, "format", "99")),
    "format nonsense": partial(edit, change=partial(set_attr, "format", "one")),
    "another law": partial(edit, change=partial(swap_in_spec, "chinchilla", "gopher")),
    "another formula": partial(edit, change=partial(swap_in_spec, "E + A", "E - A")),
    "another prior": partial(edit, change=partial(swap_in_spec, "lognormal(1.5", "exec(1.5")),
    "text instead": lambda path: path.write_text("family,N\n"),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return small_fit().save(tmp_path_factory.mktemp("fit") / "fit.nc")


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_fits_are_refused(saved, tmp_path, damage):
    path = tmp_path / "fit.nc"
    shutil.copy(saved, path)
    damage(path)
    before = path.read_bytes()
    text = complaint(lambda: bs.load(path))
    assert any(w in text for w in ("refit", "update", "pass a file", "Known", "use one of"))
    assert path.read_bytes() == before


def test_missing_fit(tmp_path):
    assert "no fit at" in complaint(lambda: bs.load(tmp_path / "none.nc"))


@pytest.mark.parametrize("place", ["", "nowhere/fit.nc"], ids=["a folder", "no such folder"])
def test_unwritable_places(tmp_path, place):
    assert "cannot write" in complaint(lambda: small_fit().save(tmp_path / place))
    assert list(tmp_path.iterdir()) == []


def test_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "fit.nc"
    path.write_text("precious")
    from bayes_scaling import _files

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "replace", fail)
    assert "No space left" in complaint(lambda: small_fit().save(path))
    assert path.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["fit.nc"]


def test_foreign_prior_cannot_be_saved(tmp_path):
    fit = bs.fit(table()[["params", "tokens", "loss"]], priors={"E": dist.Gamma(4.0, 2.0)},
                 chains=1, draws=50, warmup=50, progress=False)  # fmt: skip
    assert "before saving" in complaint(lambda: fit.save(tmp_path / "fit.nc"))
    assert list(tmp_path.iterdir()) == []
