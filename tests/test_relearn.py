"""The geometry learned from draws: the same posterior in coordinates without a funnel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arviz_base import from_dict
from arviz_stats import ess

from bayes_scaling._progress import no_progress
from bayes_scaling.centring import centring_of, given_spread
from bayes_scaling.infer.auto import check_chains, once_more
from bayes_scaling.infer.base import Settings
from bayes_scaling.infer.bend import bend, straighten
from bayes_scaling.infer.prepare import (
    compiled_from_whitened,
    compiled_prepare,
    offset_slice,
    plain_args,
    whitened_potential,
)
from bayes_scaling.infer.relearn import compiled_relearned
from bayes_scaling.infer.samplers import SAMPLERS
from bayes_scaling.infer.target import compiled_constrain, make_target
from bayes_scaling.simulation import simulate

Z_LIMIT = 4.0


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("information", [0.5, 30.0, 1e4])
@pytest.mark.parametrize("sds", [-3.0, 0.0, 2.0])
def test_centring_is_that_of_known_deviations(information, sds):
    pull = sds * np.sqrt(information)
    rng = np.random.default_rng(0)
    tau = np.exp(rng.normal(-1.0, 0.7, (20_000, 1)))
    mean, sd = given_spread(tau, information, pull)
    found = centring_of(mean + sd * rng.normal(size=(20_000, 2)), tau)
    again, same = given_spread(tau, *found)
    assert np.abs(same / sd - 1.0).max() < 0.08  # half a step of the grid, and three errors
    assert (np.abs(again - mean) / sd).mean() < 0.05


@pytest.mark.parametrize("far", [0.1, 3.0, 25.0])
def test_bending_undoes_straightening(far):
    bent, unit = (True, False, True), jnp.asarray([0.3, 0.0, -2.0])
    u = jnp.asarray([far, 5.0, -far])
    assert np.allclose(bend(straighten(u, unit, bent)[0], unit, bent), u, atol=1e-9)


@pytest.fixture(scope="module")
def few_runs():
    """Nine runs of three families, whose mode knows the families far better than the posterior."""
    with jax.enable_x64(True):
        made = simulate("chinchilla", tables=16, families=3, rows=9, seed=5)
        args = made.args[3]
        target = make_target(made.spec, args)
        prepare = compiled_prepare(target, 8, 8)
        return target, prepare(jax.random.key(0), args, -1.0), args


def ensemble(few_runs, prepared, settings):
    return SAMPLERS["chees"].sample(few_runs[0], prepared, settings, no_progress)


@pytest.fixture(scope="module")
def learned(few_runs):
    with jax.enable_x64(True):
        target, prepared, _ = few_runs
        first = ensemble(few_runs, prepared, SAMPLERS["chees"].settle(Settings()))
        return first, compiled_relearned(target)(jax.random.key(1), prepared, first.z)


def test_the_posterior_is_the_same_in_learned_coordinates(few_runs, learned):
    """Whitened points go to the same parameters, and densities differ by the Jacobian."""
    target, prepared, _ = few_runs
    new = learned[1]
    assert not np.allclose(new.args["information"]["E"], prepared.args["information"]["E"])
    compiled = compiled_from_whitened(target)

    def values(own, w):
        found = target.constrain(compiled(own, w[None, None])[0, 0], plain_args(own))
        return jnp.concatenate([jnp.log(found[k]).ravel() for k in ("E", "A", "B", "tau_E")])

    for w in 0.7 * np.random.default_rng(1).normal(size=(3, target.dim)):
        there = _found_again(prepared, new, target, jnp.asarray(w))
        assert np.allclose(values(prepared, jnp.asarray(w)), values(new, there), atol=1e-8)
        slope = jax.jacfwd(lambda v: _found_again(prepared, new, target, v))(jnp.asarray(w))
        change = whitened_potential(target, new)(there)
        change -= whitened_potential(target, prepared)(jnp.asarray(w))
        change += _log_det(prepared.scale) - _log_det(new.scale)  # constants that potentials lack
        assert float(change) == pytest.approx(_log_det(slope), abs=1e-6)


def test_draws_that_are_not_finite_teach_nothing(few_runs, learned):
    target, prepared, _ = few_runs
    broken = learned[0].z.copy()
    broken[0, 0] = np.nan
    kept = compiled_relearned(target)(jax.random.key(1), prepared, broken)
    for new, old in zip(jax.tree.leaves(kept), jax.tree.leaves(prepared), strict=True):
        assert np.array_equal(new, old)


def _log_det(matrix):
    return float(jnp.linalg.slogdet(matrix)[1])


def _found_again(old, new, target, w):
    """Where the point that is ``w`` in the old geometry lies in the new one."""
    z = old.mode + old.scale @ w
    values = target.constrain(z, old.args)
    for key in old.args["basis"]:
        own, tau = offset_slice(target, key), values[f"tau_{key}"]
        mean, sd = given_spread(tau, old.args["information"][key], old.args["pull"][key])
        away = mean + sd * z[own]
        mean, sd = given_spread(tau, new.args["information"][key], new.args["pull"][key])
        z = z.at[own].set((away - mean) / sd)
    return jnp.linalg.solve(new.scale, z - new.mode)


@pytest.fixture(scope="module")
def second(few_runs, learned):
    with jax.enable_x64(True):
        found = ensemble(few_runs, learned[1], once_more(SAMPLERS["chees"].settle(Settings())))
        return found, values_of(few_runs[0], learned[1], found)


def values_of(target, prepared, draws):
    found = compiled_constrain(target)(draws.z, plain_args(prepared))
    names = ("tau_E", "tau_A", "tau_B", "alpha", "beta", "E_pop", "sigma")
    return {name: np.log(np.asarray(found[name])) for name in names}


def test_a_second_try_ends_the_funnel(learned, second):
    assert "divergent" in check_chains(learned[0])[0]
    assert check_chains(second[0])[0] == ""


@pytest.mark.parametrize("sampler", ["chees", pytest.param("nuts", marks=pytest.mark.slow)])
def test_a_second_try_agrees_with_the_form_that_is_not_centred(few_runs, second, sampler):
    target, _, args = few_runs
    plain = compiled_prepare(target, 8, 8)(jax.random.key(0), args, 0.0)
    settings = once_more(SAMPLERS[sampler].settle(Settings()))
    reference = SAMPLERS[sampler].sample(target, plain, settings, no_progress)
    theirs = values_of(target, plain, reference)
    for name, ours in second[1].items():
        both = (ours, theirs[name])
        worth = [float(ess(from_dict({"posterior": {"x": x}}))["x"]) for x in both]
        error = np.sqrt(sum(x.var() / n for x, n in zip(both, worth, strict=True)))
        for at, widen in ((0.05, 3.0), (0.5, 1.5), (0.95, 3.0)):
            one, other = (np.quantile(x, at) for x in both)
            assert abs(one - other) < Z_LIMIT * widen * error, (name, at, one, other, worth)
