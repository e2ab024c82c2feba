"""Tables of many rows: evaluated a piece at a time, with the same answers."""

import jax
import numpy as np
import pytest

import bayes_scaling as bs
from bayes_scaling.arguments import make_args
from bayes_scaling.bench.problems import simulated
from bayes_scaling.identify import unseen_parameters
from bayes_scaling.infer import approximate, prepare, streams
from bayes_scaling.infer.target import make_target
from bayes_scaling.resolve import resolve

pytestmark = pytest.mark.usefixtures("x64")


def setting(rows):
    runs = simulated(1, rows)
    spec = resolve(runs, "chinchilla")
    args = make_args(runs, spec)
    return make_target(spec, args), args


@pytest.mark.parametrize("largest", [1, 150, 400, 10_000])
def test_pieces_give_what_the_whole_gives(monkeypatch, largest):
    target, args = setting(50)
    monkeypatch.setattr(streams, "LARGEST", largest)
    points = 0.2 * np.random.default_rng(0).normal(size=(7, target.dim))
    energy = jax.jit(jax.value_and_grad(lambda z: target.potential(z, args)))
    values, slopes = streams.over_points(energy, args)(points)
    whole = [energy(p) for p in points]
    assert np.allclose(values, [v for v, _ in whole], rtol=1e-12)
    assert np.allclose(slopes, [g for _, g in whole], rtol=1e-9)


def test_thinning_takes_rows_evenly_and_only_where_there_are_many(monkeypatch):
    _, args = setting(50)
    assert streams.thinned(args) is args
    monkeypatch.setattr(streams, "SEARCH_ROWS", 20)
    few = streams.thinned(args)
    assert len(few["mask"]) == 17
    assert np.array_equal(few["y"], args["y"][::3])
    assert np.array_equal(few["x"]["N"], args["x"]["N"][::3])


def test_a_search_that_begins_with_few_rows_ends_at_the_mode_of_all(monkeypatch):
    target, args = setting(120)
    found = {}
    for most in (2**14, 60):
        monkeypatch.setattr(streams, "SEARCH_ROWS", most)
        search = jax.jit(prepare.prepare_fn(target, 2, 8))
        found[most] = search(jax.random.key(0), args, -1.0)
    whole, few = found.values()
    assert np.allclose(whole.mode, few.mode, atol=1e-6)
    assert np.allclose(np.abs(whole.scale), np.abs(few.scale), rtol=1e-4, atol=1e-8)
    assert prepare.other_modes(few) == 0


def test_a_long_table_is_checked_without_a_square_of_its_rows():
    runs = simulated(1, 60_000)
    spec = resolve(runs, "chinchilla")
    names = [p.name for p in spec.law.params]
    assert unseen_parameters(spec, make_args(runs, spec), names) == []


def test_a_long_table_is_fitted(monkeypatch):
    """The search begins with a part; fewer draws are weighed, and are worth those kept."""
    rows = 17_000
    assert rows > streams.SEARCH_ROWS
    monkeypatch.setattr(approximate, "LONG", rows - 1)
    fit = bs.fit(simulated(1, rows), progress=False)
    (step,) = fit.path
    assert step["sampler"] == "laplace"
    drawn = approximate.POOL_LONG * fit.posterior["E"].size
    assert fit.posterior["E"].size <= step["numbers"]["weights_ess"] <= drawn
    for name, truth in (("alpha", 0.335), ("beta", 0.345), ("sigma", 0.008)):
        draws = np.asarray(fit.posterior[name])
        assert abs(draws.mean() - truth) < 4.5 * draws.std(), name
        assert draws.std() < 0.05 * truth, name
