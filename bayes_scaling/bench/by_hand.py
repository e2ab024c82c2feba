"""The posterior of `fit` as its users would write it themselves, in NumPyro and in PyMC.

Chinchilla's law with the catalogue's priors; families, if any, share exponents and have E, A and B
normal about a population on the log scale, non-centred. ``centre`` is where the covariates are
centred: (1, 1) is the law as printed. All are the same posterior in other coordinates.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from bayes_scaling.prior import HALF_NORMAL_MEDIAN, Z95, Prior
from bayes_scaling.spec import get_law, get_observation

LEVELS = ("E", "A", "B")


def log_moments(prior: Prior) -> tuple[float, float]:
    """Mean and sd of the logarithm under a log-normal prior."""
    median, low, high = prior.args
    return float(np.log(median)), float(np.log(high / low) / (2 * Z95))


def priors() -> tuple[dict[str, tuple[float, float]], dict[str, float], tuple[float, float]]:
    """Log moments of every parameter, scales of the spreads, and the law's reference point."""
    law = get_law("chinchilla")
    noise = dict(get_observation(law.observation).extra)
    from bayes_scaling.models.priors import run_scatter

    given = {p.name: p.prior for p in law.params} | noise | {"sigma": run_scatter()}
    spreads = {p.name: p.spread / HALF_NORMAL_MEDIAN for p in law.params if p.name in LEVELS}
    at = dict(law.reference)
    return {n: log_moments(p) for n, p in given.items()}, spreads, (at["N"], at["D"])


def in_numpyro(N: Any, D: Any, L: Any, family: Any, size: int, centre: tuple[float, float]) -> None:
    """The model in NumPyro; ``family`` (row,) indexes ``size`` families, none if zero."""
    given, spreads, (n0, d0) = priors()
    log: dict[str, Any] = {
        n: numpyro.sample(f"log_{n}", dist.Normal(*given[n])) for n in ("alpha", "beta")
    }
    alpha, beta = (
        jnp.asarray(numpyro.deterministic(n, jnp.exp(log[n]))) for n in ("alpha", "beta")
    )
    ratio = {"E": 0.0, "A": alpha * np.log(n0 / centre[0]), "B": beta * np.log(d0 / centre[1])}
    back = {"E": 0.0, "A": alpha * np.log(centre[0]), "B": beta * np.log(centre[1])}
    rows: dict[str, Any] = {}
    for name in LEVELS:
        mean, sd = given[name]
        value: Any = numpyro.sample(f"log_{name}", dist.Normal(mean + ratio[name], sd))
        if size:
            tau = numpyro.sample(f"tau_{name}", dist.HalfNormal(spreads[name]))
            noise = numpyro.sample(f"{name}_offset", dist.Normal(0, 1).expand([size]).to_event(1))
            value = value + tau * noise
        numpyro.deterministic(name, jnp.exp(value + back[name]))
        rows[name] = jnp.exp(value[family] if size else value)
    mean = rows["E"] + rows["A"] * (N / centre[0]) ** -alpha + rows["B"] * (D / centre[1]) ** -beta
    sigma, nu = (
        jnp.exp(numpyro.sample(f"log_{n}", dist.Normal(*given[n]))) for n in ("sigma", "nu")
    )
    numpyro.deterministic("sigma", sigma)
    numpyro.deterministic("nu", nu)
    numpyro.sample("obs", dist.StudentT(nu, jnp.log(mean), sigma), obs=jnp.log(L))


def in_pymc(N: Any, D: Any, L: Any, family: Any, size: int, centre: tuple[float, float]) -> Any:
    """The same in PyMC, which must be installed."""
    import pymc as pm  # pyright: ignore[reportMissingImports]

    given, spreads, (n0, d0) = priors()
    with pm.Model() as model:
        log = {n: pm.Normal(f"log_{n}", *given[n]) for n in ("alpha", "beta")}
        alpha, beta = (pm.Deterministic(n, pm.math.exp(log[n])) for n in ("alpha", "beta"))
        ratio = {"E": 0.0, "A": alpha * np.log(n0 / centre[0]), "B": beta * np.log(d0 / centre[1])}
        back = {"E": 0.0, "A": alpha * np.log(centre[0]), "B": beta * np.log(centre[1])}
        rows = {}
        for name in LEVELS:
            mean, sd = given[name]
            value = pm.Normal(f"log_{name}", mean + ratio[name], sd)
            if size:
                tau = pm.HalfNormal(f"tau_{name}", spreads[name])
                value = value + tau * pm.Normal(f"{name}_offset", 0, 1, shape=size)
            pm.Deterministic(name, pm.math.exp(value + back[name]))
            rows[name] = pm.math.exp(value[family] if size else value)
        mean = (
            rows["E"] + rows["A"] * (N / centre[0]) ** -alpha + rows["B"] * (D / centre[1]) ** -beta
        )
        sigma, nu = (pm.math.exp(pm.Normal(f"log_{n}", *given[n])) for n in ("sigma", "nu"))
        pm.Deterministic("sigma", sigma)
        pm.Deterministic("nu", nu)
        pm.StudentT("obs", nu=nu, mu=pm.math.log(mean), sigma=sigma, observed=np.log(L))
    return model
