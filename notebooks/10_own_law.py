# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bring your own law
#
# Your law is not in the catalogue. How do you write it down, check its priors before it sees data,
# fit it, make sure that its posteriors can be trusted, and take it elsewhere?
#
# As an example, the law of parallel streams of [Chen et al.
# (2025)](https://arxiv.org/abs/2505.10475): a model that runs $P$ copies of its input in parallel
# acts like a larger one, $L = E + (A / (N (k \log P + 1)))^\alpha$. (It is in the catalogue as
# `parscale`; here it is written anew.) The table is made of `parametric_fit.py` in the repository
# `QwenLM/ParScale`, in the folder that `BAYES_SCALING_DATA` names.

# %%
import os
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message="IProgress not found")

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpyro.infer import MCMC, NUTS

import bayes_scaling as bs

DATA = Path(os.environ["BAYES_SCALING_DATA"])
DRAWS = int(os.environ.get("BAYES_SCALING_NOTEBOOK_DRAWS", "1000"))

# %% [markdown]
# Runs with eight streams, and the largest size, are held back.


# %%
def read(role):
    """Runs on the Pile, those to fit or those to forecast."""
    columns = {"N": "params_non_embed", "P": "parallel"}
    where = {"family": "pile", "role": role}
    return bs.read_runs(DATA / "parscale" / "parscale.csv", where=where, columns=columns)


train, test = read("fit"), read("forecast")
print(train)
print(f"{test.n} runs held back")

# %% [markdown]
# ## In one line
#
# `inputs` says which names are columns; the rest are parameters. As printed, $A$ stands inside the
# power: a number of parameters, about $10^8$, whose effect cannot be seen apart from $\alpha$'s.
# Written as a coefficient in front, it is recognised as such: what is sampled, and has a prior, is
# then its whole term at the centre of the data, in nats.

# %%
printed = bs.law_from_equation("E + (A / (N * (k * log(P) + 1)))**alpha", inputs=["N", "P"])
streams = bs.law_from_equation(
    "E + G * (N * (k * log(P) + 1))**-alpha",
    inputs=["N", "P"],
    priors={"E": "lognormal(1.5, 0.6, 3.75)", "k": "lognormal(0.35, 0.1, 1.0)"},
    name="streams",
)
for each in (printed, streams):
    print(each.equation)
    for param in each.params:
        print(f"  {param.name}: {param.prior}" + (f" for {param.level}" if param.level else ""))

# %% [markdown]
# ## What do the priors say before the data?
#
# With the default prior of a plain parameter, about one, the printed form's second term is next to
# nothing. The other form expects what can be seen, and no more than that.

# %%
check = bs.prior_predictive(train, streams)
print(check)
bs.plot_prior_predictive(check, against="N")

# %%
assert check.ok
assert check.numbers["rows_inside_90"] == 1.0

# %% [markdown]
# ## The fit, and what it forecasts
#
# The paper has $k = 0.33$ and, by its own recipe run again, $E = 1.289$ and $\alpha = 0.196$.

# %%
fit = bs.fit(train, streams, seed=1, progress=False)
print(fit.diagnose())
PAPER = {"k": 0.33, "E": 1.289, "alpha": 0.196}
summary = fit.summary(prob=0.95).loc[list(PAPER), ["mean", "eti95_lb", "eti95_ub"]]
summary.assign(paper=PAPER).round(3)

# %%
for name, value in PAPER.items():
    assert summary.loc[name, "eti95_lb"] < value < summary.loc[name, "eti95_ub"]

# %%
ahead = bs.forecast(fit, test, prob=0.9).table.assign(measured=test.values["L"])
ahead[["N", "P", "median", "run_90_low", "run_90_high", "measured"]].round(4)

# %%
inside = ahead["measured"].between(ahead["run_90_low"], ahead["run_90_high"])
error = 100 * (ahead["median"] / ahead["measured"] - 1).abs()
print(f"{inside.sum()} of {test.n} inside, median off by {error.mean():.2f} % on average")
assert inside.mean() > 0.7
assert error.max() < 1

# %% [markdown]
# ## Are its posteriors right?
#
# Parameters drawn from the prior, tables simulated with them, each fitted: among the draws of a
# right posterior the truth has every rank equally often. Twenty tables find gross errors; run a few
# hundred before you publish (`bayes-scaling sbc` does it for laws of the catalogue).

# %%
known = bs.sbc(streams, pool="shared", tables=20, seed=1, progress=False)
print(known.verdict)
share, error = known.coverage(0.9)
print(f"90 % intervals hold {share:.0%} +- {error:.0%} of the true parameters")
bs.plot_sbc(known)

# %%
assert known.ok
assert abs(share - 0.9) < 4 * error

# %% [markdown]
# ## As a function, for good
#
# A law to keep is a Python function with its record. It takes the same place in `fit`, the command
# line and the pictures, by its name. `level` says how the coefficient is sampled.


# %%
@bs.law(
    params=(
        bs.Param("E", bs.lognormal(1.5, 0.6, 3.75), "irreducible loss", "nats/token"),
        bs.Param("G", bs.lognormal(0.45, 0.12, 1.6), "coefficient", level="G * N**-alpha"),
        bs.Param("k", bs.lognormal(0.35, 0.1, 1.0), "what e times the streams add, in sizes"),
        bs.Param("alpha", bs.lognormal(0.32, 0.13, 0.75), "size exponent"),
    ),
    equation="E + G * (N * (k * log(P) + 1))**-alpha",
    reference={"N": 1e9, "P": 1.0},
    topic="shape",
    decreasing=("N", "P"),
    asymptote="E",
)
def parallel_streams(N, P, *, E, G, k, alpha):
    """Loss by size and number of parallel streams (Chen et al. 2025)."""
    return E + G * (N * (k * jnp.log(P) + 1)) ** -alpha


one = {"E": 1.29, "G": 41.0, "k": 0.33, "alpha": 0.196}
values = [float(each(1e9, 4.0, **one)) for each in (streams, parallel_streams)]
print(values)
assert np.isclose(*values, rtol=1e-6)
assert bs.get_law("parallel_streams") is parallel_streams

# %% [markdown]
# ## With a kernel of your own
#
# `numpyro_model` gives the plain NumPyro model and its arguments, for any kernel that NumPyro has.
# Here its own NUTS, which must find the same posterior.

# %%
model, args = bs.numpyro_model(train, streams)
with jax.enable_x64(True):
    mcmc = MCMC(NUTS(model, dense_mass=True), num_warmup=500, num_samples=DRAWS, progress_bar=False)
    mcmc.run(jax.random.key(0), *args)
    theirs = {name: np.asarray(each) for name, each in mcmc.get_samples().items()}
both = pd.DataFrame(
    {
        name: {
            "ours": fit.samples[name].mean(),
            "NumPyro": theirs[name].mean(),
            "sd": fit.samples[name].std(),
        }
        for name in ("E", "k", "alpha")
    }
).T
both.round(4)

# %%
# the mean of so many draws of one chain, a tenth of which count, is this sure
assert ((both["ours"] - both["NumPyro"]).abs() < 4 * both["sd"] / np.sqrt(DRAWS / 10)).all()

# %% [markdown]
# **Reading.** One line makes a law. Three checks make it one to rely on: what the priors say, what
# the diagnosis says, and whether known parameters are found again. How a coefficient is written
# decides how well it samples; the level does that for you.
