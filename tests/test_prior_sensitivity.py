"""Power-scaling: densities of priors beside NumPyro's, closed forms, and what is told of them."""

import arviz_base
import arviz_stats
import jax
import numpy as np
import pytest
from fitted import table
from scipy import stats

import bayes_scaling as bs
from bayes_scaling.arguments import make_args
from bayes_scaling.build import distribution
from bayes_scaling.infer.prior_notes import halved
from bayes_scaling.infer.sensitivity import (
    log_density,
    log_priors,
    power_weights,
    prior_sensitivity,
    sensitivity,
)
from bayes_scaling.infer.target import make_target
from bayes_scaling.prior import parse_prior

OPTIONS = {"noise": "normal_log", "progress": False}


@pytest.fixture(scope="module")
def few():
    """A law on so few runs that its priors matter, by importance sampling."""
    return bs.fit(table(rows=3), "chinchilla", **OPTIONS)


@pytest.fixture(scope="module")
def many():
    """A law of three parameters on runs that leave its priors nothing to say."""
    rng = np.random.default_rng(0)
    N = 10 ** rng.uniform(7, 10, 200)
    return bs.fit({"N": N, "L": 90 * N**-0.2 * np.exp(0.02 * rng.normal(size=200))},
                  "power_law(N)", **OPTIONS)  # fmt: skip


def differences(x):
    return np.ravel(x) - np.mean(x)


# --- densities of the priors -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["lognormal(0.3, 0.1, 0.7)", "normal(1, 2)", "halfnormal(0.5)", "logitnormal(0.5, 0.4, 0.65)",
     "uniform(0.1, 0.9)"],
)  # fmt: skip
def test_a_prior_s_density_is_numpyro_s_on_the_scale_on_which_it_is_normal(text, rng, x64):
    prior, factor = parse_prior(text), 0.3
    value = np.exp(factor) * rng.uniform(0.2, 0.8, 50)
    scale = {"lognormal": np.log(value), "logitnormal": None}.get(prior.kind, 0.0)
    if scale is None:
        p = value * np.exp(-factor)
        scale = np.log(p) + np.log1p(-p)
    known = np.asarray(distribution(prior, 1.0, jax.numpy.asarray(factor)).log_prob(value)) + scale
    found = log_density(prior, value, factor)
    assert np.allclose(differences(found), differences(known), atol=1e-9)


def test_the_joint_prior_of_a_fit_is_that_of_its_model(few, x64):
    """NumPyro's potential without the rows, at the draws in its own unconstrained coordinates."""
    args = make_args(few.runs, few.spec)
    target = make_target(few.spec, args)
    blind = {**args, "mask": np.zeros(few.runs.n, bool)}
    group = few.data["unconstrained_posterior"].to_dataset()
    sites = [np.asarray(group[f"z_{s.name}"])[:, ::20] for s in target.sites]
    z = np.stack(sites, axis=-1)
    known = -jax.vmap(jax.vmap(lambda v: target.potential(v, blind)))(z)
    found = sum(log_priors(few.data, few.spec).values())[:, ::20]
    assert np.allclose(differences(found), differences(np.asarray(known)), atol=1e-8)


def test_pooled_parameters_have_the_priors_of_population_and_spread():
    fit = bs.fit(bs.read_runs(table(rows=4), group="family"), "power_law(N)", pool={"A": "partial"},
                 sampler="laplace", **OPTIONS)  # fmt: skip
    found, x = log_priors(fit.data, fit.spec), fit.posterior
    level = np.log(x["A_pop"]) - x["alpha"] * np.log(fit.reference["N"])
    prior = fit.spec.prior("A")
    sd = np.log(prior.args[2] / prior.args[1]) / (2 * stats.norm.ppf(0.95))
    scale = np.median(fit.runs.values["L"])
    own = stats.norm.logpdf(level, np.log(prior.args[0] * scale), sd)
    assert np.allclose(differences(found["A"]), differences(own))
    spread = fit.spec.law.param("A").spread / stats.norm.ppf(0.75)
    tau = stats.halfnorm.logpdf(x["tau_A"], scale=spread)
    assert np.allclose(differences(found["tau_A"]), differences(tau))
    assert list(found) == ["A", "tau_A", "alpha", "sigma"]


# --- sensitivity -----------------------------------------------------------------------------


def test_the_sensitivity_of_a_normal_mean_falls_with_the_data(rng):
    """The posterior under a prior N(0, 1) and n values of sd 1 about 2, in closed form."""
    found = []
    for n in (1, 10, 1000):
        x = 2 * n / (n + 1) + rng.normal(size=(4, 1000)) / np.sqrt(n + 1)
        found.append(sensitivity(x, power_weights(-0.5 * x**2))[0])
    assert found[0] > found[1] > found[2]
    assert found[0] > 0.1
    assert found[2] < 0.01


def test_halving_a_prior_gives_the_closed_form(rng):
    """N(0, 1) times one value 2 of sd 1: N(1, 1/2); with half the prior N(4/3, 2/3)."""
    x = 1.0 + np.sqrt(0.5) * rng.normal(size=(4, 20_000))
    found = halved(-0.5 * x**2, x)
    assert found.median == pytest.approx(4 / 3 - 1, abs=0.03)
    assert found.width == pytest.approx(np.sqrt(4 / 3), abs=0.03)


def test_arviz_finds_the_same(rng):
    """It smooths the weights, which at these powers changes little."""
    x = 1.0 + np.sqrt(0.5) * rng.normal(size=(4, 1000))
    groups = {"posterior": {"x": x}, "log_prior": {"x": -0.5 * x**2}}
    known = arviz_stats.psense(arviz_base.from_dict(groups), group="prior")["x"].item()
    assert sensitivity(x, power_weights(-0.5 * x**2))[0] == pytest.approx(known, rel=0.02)


@pytest.mark.parametrize("distinct", [1, 2, 3])
def test_draws_that_repeat_are_no_fault(distinct, rng):
    """As importance resampling leaves them where one draw has most of the weight."""
    x = rng.normal(size=distinct)[rng.integers(distinct, size=(4, 100))]
    found = sensitivity(x, power_weights(-0.5 * x**2))[0]
    assert np.isnan(found) == (distinct == 1)
    halved(-0.5 * x**2, x)  # whatever it says, it says it without a fault


# --- what is told ----------------------------------------------------------------------------


def codes(fit):
    return {note.code: note for note in fit.diagnose().findings}


def test_data_that_say_all_are_not_told_of(many):
    assert not {"prior_sensitive", "prior_conflict"} & set(codes(many))
    assert (many.prior_sensitivity()["prior"] < 0.05).all()
    assert (many.prior_sensitivity()["likelihood"] > 0.05).all()
    told = bs.forecast(many, {"N": [1e9, 1e11]}).notes
    assert "prior_sensitive" not in {note.code for note in told}


def test_parameters_that_lean_on_their_priors_are_named(few):
    note = codes(few)["prior_sensitive"]
    assert note.severity == "info"
    named = few.prior_sensitivity().query("prior >= 0.05").index
    assert any(name in note.message for name in named)
    told = {note.code: note for note in bs.forecast(few, {"N": 1e12, "D": 1e14}).notes}
    assert "prior_sensitive" in told
    assert "with priors of half the weight" in told["prior_sensitive"].message


def test_a_prior_that_the_data_contradict_is_a_warning():
    rng = np.random.default_rng(0)
    N = np.geomspace(1e8, 3e8, 12)
    data = {"N": N, "L": 90 * N**-0.2 * np.exp(0.01 * rng.normal(size=12))}
    priors = {"alpha": "lognormal(0.27, 0.25, 0.29)"}
    fit = bs.fit(data, "power_law(N)", priors=priors, **OPTIONS)
    note = codes(fit)["prior_conflict"]
    assert note.severity == "warning"
    assert "'alpha' (lowest" in note.message
    assert fit.diagnose().severity == "warning"


def test_a_saved_fit_tells_the_same(few, tmp_path):
    again = bs.load(few.save(tmp_path / "fit.nc"))
    assert prior_sensitivity(again.data, again.spec).equals(few.prior_sensitivity())
