"""The posterior against a model written by hand in the paper's own parameters."""

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from arviz_base import from_dict
from arviz_stats import ess
from numpyro.infer import MCMC, NUTS

import bayes_scaling as bs

Z95 = 1.6448536269514722
NAMES = ("E", "A", "B", "alpha", "beta", "sigma", "nu")
Z_LIMIT = 4.0  # 4 x 7 x 4 comparisons: a false alarm in about 500 runs


def log_sd(low, high):
    return np.log(high / low) / (2 * Z95)


def by_hand(N, D, L):
    """Chinchilla's law with its catalogue priors, A and B sampled as such."""
    E = numpyro.sample("E", dist.LogNormal(np.log(1.5), log_sd(0.6, 3.75)))
    alpha = numpyro.sample("alpha", dist.LogNormal(np.log(0.32), log_sd(0.13, 0.75)))
    beta = numpyro.sample("beta", dist.LogNormal(np.log(0.36), log_sd(0.15, 0.85)))
    at_n, at_d = alpha * np.log(1e9), beta * np.log(2e10)
    A = numpyro.sample("A", dist.LogNormal(np.log(0.45) + at_n, log_sd(0.12, 1.6)))
    B = numpyro.sample("B", dist.LogNormal(np.log(0.38) + at_d, log_sd(0.12, 1.2)))
    sigma = numpyro.sample("sigma", dist.LogNormal(np.log(0.005), log_sd(0.0015, 0.02)))
    nu = numpyro.sample("nu", dist.LogNormal(np.log(6.0), log_sd(2.0, 20.0)))
    mean = E + A * N**-alpha + B * D**-beta
    numpyro.sample("obs", dist.StudentT(nu, jax.numpy.log(mean), sigma), obs=np.log(L))


@pytest.fixture(scope="module")
def runs():
    return bs.published_runs(families=["Cerebras-GPT", "Pythia"], embeddings=False, group=None)


def sample_by_hand(runs, chains, warmup, draws):
    start = {"E": 1.0, "A": 400.0, "B": 400.0, "alpha": 0.3, "beta": 0.3, "sigma": 0.01, "nu": 6.0}
    with jax.enable_x64(True):
        kernel = NUTS(
            by_hand,
            dense_mass=True,
            target_accept_prob=0.95,
            init_strategy=numpyro.infer.init_to_value(values=start),
        )
        mcmc = MCMC(
            kernel,
            num_warmup=warmup,
            num_samples=draws,
            num_chains=chains,
            chain_method="vectorized",
            progress_bar=False,
        )
        mcmc.run(jax.random.key(3), *(runs.values[k] for k in "NDL"))
        return {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}


def scores(ours, theirs, statistic):
    """Standard scores of the difference of a statistic, errors from the effective sample size."""
    result = {}
    for name in NAMES:
        a, b = np.log(ours[name]), np.log(theirs[name])
        n = [float(ess(from_dict({"posterior": {"x": x}}))["x"]) for x in (a, b)]
        spread = np.sqrt(a.var() / n[0] + b.var() / n[1])
        result[name] = (statistic(a) - statistic(b)) / (spread * ERROR_FACTOR[statistic])
    return result


def five(x):
    return np.quantile(x, 0.05)


def ninety_five(x):
    return np.quantile(x, 0.95)


# Standard error of a statistic of a normal sample, in units of that of the mean; the tails of these
# posteriors are up to half as heavy again, which the 5 % and 95 % factors carry.
ERROR_FACTOR = {np.mean: 1.0, np.std: 1.0, five: 3.0, ninety_five: 3.0}


@pytest.mark.parametrize("size", [600, pytest.param(10_000, marks=pytest.mark.slow)])
def test_posterior_agrees_with_the_model_written_by_hand(runs, size):
    fit = bs.fit(runs, "chinchilla", draws=size, progress=False, seed=1)
    ours = {n: np.asarray(fit.posterior[n]) for n in NAMES}
    theirs = sample_by_hand(runs, 4, 1000, size)
    for statistic in ERROR_FACTOR:
        worst = scores(ours, theirs, statistic)
        assert max(map(abs, worst.values())) < Z_LIMIT, (statistic.__name__, worst)


def test_log_density_is_that_of_the_model_written_by_hand(runs):
    """Exact: the two log densities differ by a constant over the parameter space."""
    from numpyro.infer.util import log_density

    model, (args,) = bs.numpyro_model(runs, law="chinchilla")
    rng = np.random.default_rng(0)
    gaps = []
    with jax.enable_x64(True):
        for _ in range(5):
            base = {"E": 1.0, "alpha": 0.3, "beta": 0.4, "sigma": 0.01, "nu": 5.0}
            p = {k: v * np.exp(0.2 * rng.normal()) for k, v in base.items()}
            levels = {"A_level": 0.9 * rng.uniform(0.5, 2), "B_level": 0.3 * rng.uniform(0.5, 2)}
            A = levels["A_level"] * args["ref"]["N"] ** p["alpha"]
            B = levels["B_level"] * args["ref"]["D"] ** p["beta"]
            ours, _ = log_density(model, (args,), {}, {**p, **levels})
            theirs, _ = log_density(
                by_hand, tuple(runs.values[k] for k in "NDL"), {}, {**p, "A": A, "B": B}
            )
            jacobian = np.log(A / levels["A_level"]) + np.log(B / levels["B_level"])
            gaps.append(float(ours) - float(theirs) - jacobian)
    # our density is of L, theirs of log L: the constant is the sum of log L
    assert np.allclose(gaps, -np.sum(np.log(runs.values["L"])), atol=1e-8)


def test_besiroglu_is_reproduced(shared_data):
    """Published values and standard errors: Besiroglu et al. 2024, table 1 (240 points)."""
    path = shared_data / "chinchilla_epoch" / "chinchilla_epoch.csv"
    runs = bs.read_runs(path, where={"role": ["fit", "forecast"]})
    fit = bs.fit(runs, "chinchilla", progress=False, draws=500)
    published = {"E": (1.8172, 0.03), "A": (482.01, 124.58), "B": (2085.43, 1293.23),
                 "alpha": (0.3478, 0.02), "beta": (0.3658, 0.02)}  # fmt: skip
    assert runs.n == 240
    assert fit.diagnose().ok, fit.diagnose()
    for name, (value, error) in published.items():
        assert abs(float(fit.posterior[name].mean()) - value) < error, name


def test_three_corpora_sample_cleanly(shared_data):
    """Few families and a spread near zero: the funnel that plain parametrisations diverge in."""
    path = shared_data / "gadre_overtraining" / "gadre_overtraining.csv"
    runs = bs.read_runs(path, group="family", columns={"L": "loss_c4_val"})
    fit = bs.fit(runs, "chinchilla", progress=False, draws=500)
    numbers = fit.diagnose().numbers
    assert numbers["divergences"] == 0
    assert numbers["rhat_max"] < 1.02
    assert numbers["ess_bulk_min"] > 400
