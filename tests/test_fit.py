"""Fitting end to end: schema, options, custom laws, new families, saving and loading."""

import json

import arviz_stats
import numpy as np
import pytest
from fitted import TRUTH, small_fit, table
from numpyro.infer import Predictive

import bayes_scaling as bs

GROUPS = {
    "posterior", "sample_stats", "prior", "observed_data", "constant_data", "log_likelihood",
    "posterior_predictive", "unconstrained_posterior",
}  # fmt: skip
FAST = {"sampler": "laplace", "draws": 100, "progress": False}
NUTS = {"chains": 2, "draws": 100, "warmup": 100, "progress": False}


@pytest.fixture(scope="module")
def fit():
    return small_fit()


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")  # LOO speaking of Pareto k
def test_schema_is_arviz(fit):
    assert set(fit.data.children) == GROUPS
    posterior = fit.data["posterior"]
    assert posterior["E"].dims == ("chain", "draw", "family")
    assert posterior["alpha"].dims == ("chain", "draw")
    assert list(posterior["family"].values) == ["a", "b", "c"]
    assert fit.data["prior"]["E"].sizes["chain"] == 1
    assert np.isfinite(fit.data["prior"]["E"]).all()
    assert set(fit.data["log_likelihood"]["L"].dims) == {"chain", "draw", "row"}
    elpd = arviz_stats.loo(fit.data)
    assert np.isfinite(elpd.elpd)


def test_posterior_holds_the_truth(fit):
    for name in ("alpha", "beta"):
        draws = np.asarray(fit.posterior[name])
        assert abs(draws.mean() - TRUTH[name]) < 4 * draws.std()
    for family, value in TRUTH["E"].items():
        draws = np.asarray(fit.posterior["E"].sel(family=family))
        assert abs(draws.mean() - value) < 4 * draws.std()


def test_coefficients_and_levels_agree(fit):
    """A = level * N0^alpha, by the definition of the level."""
    z = fit.data["unconstrained_posterior"]
    assert {"z_alpha", "z_A_mean", "z_A_offset", "z_tau_A"} <= set(z.data_vars)
    level = (
        np.asarray(fit.posterior["A"])
        * fit.reference["N"] ** -np.asarray(fit.posterior["alpha"])[..., None]
    )
    assert np.allclose(np.log(level).mean(-1), np.asarray(z["z_A_mean"]), atol=1e-6)


def test_log_likelihood_is_that_of_the_numpyro_model(fit):
    """The rows' log likelihood sums to the joint density less the prior: checked at one draw."""
    import jax
    from scipy.stats import t

    one = fit.posterior.isel(chain=0, draw=7)
    runs = fit.runs
    family = np.searchsorted(["a", "b", "c"], runs.labels["family"])
    mean = (
        np.asarray(one["E"])[family]
        + np.asarray(one["A"])[family] * runs.values["N"] ** -float(one["alpha"])
        + np.asarray(one["B"])[family] * runs.values["D"] ** -float(one["beta"])
    )
    scale = float(one["sigma"])
    gap = np.log(runs.values["L"]) - np.log(mean)
    expected = t.logpdf(gap / scale, float(one["nu"])) - np.log(scale) - np.log(runs.values["L"])
    assert np.allclose(fit.data["log_likelihood"]["L"].isel(chain=0, draw=7), expected, atol=1e-6)
    assert not jax.config.jax_enable_x64


def test_same_seed_same_draws(fit):
    again = bs.fit(fit.runs, "chinchilla", chains=2, draws=200, warmup=200, progress=False)
    assert np.array_equal(again.posterior["E"], fit.posterior["E"])


def test_numpyro_model_runs_in_a_foreign_kernel():
    import jax

    model, args = bs.numpyro_model(bs.read_runs(table(), group="family"), law="chinchilla")
    with jax.enable_x64(True):
        drawn = Predictive(model, num_samples=20)(jax.random.key(0), *args)
    assert np.isfinite(drawn["E"]).all()
    assert drawn["E"].shape == (20, 3)


def test_save_and_load_keep_everything(fit, tmp_path):
    loaded = bs.load(fit.save(tmp_path / "fit.nc"))
    assert loaded.spec == fit.spec
    assert loaded.notes == fit.notes
    assert np.array_equal(loaded.posterior["A"], fit.posterior["A"])
    at = {"N": [7e10], "D": 1.4e12, "family": "a"}
    assert bs.forecast(loaded, at).table.equals(bs.forecast(fit, at).table)
    assert np.array_equal(loaded.runs.values["L"], fit.runs.values["L"])


def test_custom_law_from_text_fits_and_reloads(tmp_path):
    law = bs.law_from_equation(
        "E + A*N**-alpha + B*D**-beta", priors={"E": bs.lognormal(1.5, 0.6, 3.75)}
    )
    fit = bs.fit(bs.read_runs(table(), group="family"), law, **FAST)
    loaded = bs.load(fit.save(tmp_path / "fit.nc"))
    at = {"N": 1e10, "D": 1e11, "family": "b"}
    assert bs.forecast(loaded, at).table.equals(bs.forecast(fit, at).table)
    # the same law, with wider priors, on informative data: the curve agrees within its bands
    reference = bs.forecast(small_fit(), at).table.iloc[0]
    assert reference["law_90_low"] < bs.forecast(fit, at).table["median"][0]
    assert reference["law_90_high"] > bs.forecast(fit, at).table["median"][0]


@pytest.mark.parametrize(
    "options",
    [
        {"noise": "normal", "noise_by_family": True, "noise_trend": "N", **FAST},
        {"pool": {"E": "separate", "alpha": "partial"}, "priors": {"A": 400.0}, **NUTS},
        {"pool": "shared", "noise": "student_t", "priors": {"E": "normal(1.8, 0.3)"}, **FAST},
    ],
    ids=["noise", "pooling", "priors"],
)
def test_options_run_save_and_forecast(options, tmp_path):
    law = "power_law_with_floor(N)"
    fit = bs.fit(bs.read_runs(table(), group="family"), law, **options)
    loaded = bs.load(fit.save(tmp_path / "fit.nc"))
    table_ = bs.forecast(loaded, {"N": 1e10, "family": ["a", "b"]}).table
    assert np.isfinite(table_["median"]).all()
    assert json.loads(loaded.data.attrs["spec"])["observation"] == fit.spec.observation.name


def test_nested_groups_and_a_new_family_in_a_known_lab():
    rows = table()
    rows["lab"] = np.where(rows["family"] == "c", "y", "x")
    runs = bs.read_runs(rows, group=["lab", "family"])
    fit = bs.fit(runs, "power_law(N)", pool="partial", **NUTS)
    assert fit.posterior["alpha_lab"].dims == ("chain", "draw", "lab")
    at = {"N": 1e9, "lab": ["x", "z"], "family": "new"}
    table_ = bs.forecast(fit, at).table
    assert table_["new_family"].all()
    assert np.isfinite(table_["law_90_high"]).all()


def test_one_family_needs_no_group():
    fit = bs.fit(table()[lambda t: t["family"] == "a"], "gadre", **FAST)
    assert fit.spec.groups == ()
    assert "E_pop" not in fit.posterior


@pytest.mark.usefixtures("optimised")
def test_the_data_say_nothing_of_a_parameter():
    """On one ray with a single size, N's exponent is its prior, and that is said."""
    rows = table()[["params", "tokens", "loss"]].assign(params=1e9)
    noise = np.exp(0.01 * np.random.default_rng(0).normal(size=len(rows)))
    rows["loss"] = (1.8 + 0.4 + 0.38 * (rows["tokens"] / 2e10) ** -0.36) * noise
    fit = bs.fit(rows, "chinchilla", progress=False)
    codes = {f.code: f.message for f in fit.diagnose().findings}
    assert "prior_dominated" in codes
    assert "alpha" in codes["prior_dominated"]
    assert {"alpha", "A", "E"} <= set(
        codes["unidentified"].replace("'", "").replace(",", "").split()
    )
