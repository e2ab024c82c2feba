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
# # Quick start: from published losses to a forecast
#
# We take losses that were published for three families of language models, hold out the largest
# model of each, fit a scaling law to the rest, and ask what it says of the models held out. Then we
# forecast a family that nobody has trained, save and reload the fit, look at it with ArviZ, and
# write a law of our own in one line.
#
# The data ship with the package and everything runs on a laptop in a few minutes.

# %%
import os
import tempfile
import warnings
from pathlib import Path

import arviz_plots as azp
import arviz_stats as azs
import numpy as np
import pandas as pd

import bayes_scaling as bs
from bayes_scaling.quantity import format_quantity

# Draws per chain; tests set a small number.
DRAWS = int(os.environ.get("BAYES_SCALING_NOTEBOOK_DRAWS", "2000"))
SAMPLING = {"draws": DRAWS, "progress": False}
pd.set_option("display.precision", 4)
warnings.filterwarnings("ignore", message="IProgress not found")
warnings.filterwarnings("ignore", message="Estimated shape parameter of Pareto")  # shown by loo

# %% [markdown]
# ## The runs
#
# Cerebras-GPT, its muP variant and Pythia were trained on the Pile and evaluated alike by
# [Dey et al. (2023)](https://arxiv.org/abs/2304.03208). `N` counts parameters without embeddings,
# as the families treat these differently. Losses are in nats per token.

# %%
runs = bs.published_runs(families=["Cerebras-GPT", "Cerebras-GPT-muP", "Pythia"], embeddings=False)
runs

# %%
runs.frame().drop(columns="run_id").groupby("family").agg(["min", "max"]).T

# %% [markdown]
# We hold out the largest model of each family. With your own table it would be
# `bs.read_runs("runs.csv", group="family")`; columns such as `params`, `tokens` and `val_loss` are
# recognised by name.

# %%
size = pd.Series(runs.values["N"])
held_out = size == size.groupby(runs.labels["family"]).transform("max")
train, test = runs.subset(~held_out.to_numpy()), runs.subset(held_out.to_numpy())
print(f"{train.n} runs to fit, {test.n} held out: {', '.join(test.run_id)}")

# %% [markdown]
# ## What the prior says before the data
#
# The law is Chinchilla's, $L = E + A N^{-\alpha} + B D^{-\beta}$. Its priors come from published
# fits. They should allow for all that could be seen and not for losses of 100 nats.

# %%
check = bs.prior_predictive(train, "chinchilla")
print(check)
assert check.ok

# %%
bs.plot_prior_predictive(check)

# %% [markdown]
# ## The fit
#
# Families share the exponents, while $E$, $A$ and $B$ of each family scatter about a population
# (partial pooling). One call fits all of it with NUTS.

# %%
fit = bs.fit(train, "chinchilla", seed=1, **SAMPLING)
print(fit.diagnose())

# %%
summary = fit.summary()
summary

# %% [markdown]
# How much did the data teach us? Each coefficient is shown as its term at the data's centre, which
# is what is sampled and what has a prior one can reason about.

# %%
bs.plot_prior_posterior(fit)

# %% [markdown]
# The exponents agree with a run of 64 000 draws, within the Monte Carlo error that both runs state:

# %%
REFERENCE = {"alpha": (0.16880, 0.00011), "beta": (0.16321, 0.00052)}  # mean, Monte Carlo error


def agrees(mean, error, reference, reference_error, sigmas=5.0):
    """Whether two Monte Carlo estimates differ by no more than their errors allow."""
    return abs(mean - reference) <= sigmas * np.hypot(error, reference_error)


for name, (mean, error) in REFERENCE.items():
    row = summary.loc[name]
    print(
        f"{name}: {row['mean']:.4f} +- {row['mcse_mean']:.4f}, long run {mean:.4f} +- {error:.4f}"
    )
    assert agrees(row["mean"], row["mcse_mean"], mean, error)

# %% [markdown]
# ## Forecasts of the models held out
#
# The dark band is where the law could be, the light one where a new run would fall. Diamonds are
# the models held out, with the interval forecast for each.

# %%
bs.plot_fit(fit, new=test)

# %%
ahead = bs.forecast(fit, test, prob=(0.5, 0.9))
table = ahead.table[["family", "N", "D", "median", "run_90_low", "run_90_high"]].assign(
    actual=test.values["L"],
    error_percent=100 * (ahead.table["median"] / test.values["L"] - 1),
)
table["inside_90"] = table["actual"].between(table["run_90_low"], table["run_90_high"])
table.assign(**{name: table[name].map(format_quantity) for name in ("N", "D")})

# %% [markdown]
# Two of the three fall inside their 90 % interval. Cerebras-GPT-13B does not: it is 3 % better than
# forecast. The residuals below show that its family scatters most about the law, and six runs along
# one ray of $N$ and $D$ say little of how the curve goes on. No band here includes a law that bends.
# With three runs this is an illustration, not a measure of calibration.
#
# The forecasts, too, agree with the long run:

# %%
draws = ahead.data["predictions"]["L_law"]
LONG_RUN = {
    "Cerebras-GPT": (1.61935, 0.00009),
    "Cerebras-GPT-muP": (1.86288, 0.00008),
    "Pythia": (1.57896, 0.00006),
}
for point, family in enumerate(table["family"]):
    one = draws.isel(point=point)
    error = float(azs.mcse(one, method="mean"))
    assert agrees(float(one.mean()), error, *LONG_RUN[family])
assert table["error_percent"].abs().max() < 5
below_law = list(table["actual"] < ahead.table["law_90_low"])
assert below_law == [True, False, False]
if DRAWS >= 1000:  # fewer do not settle where the new-run band of the first ends
    assert list(table["inside_90"]) == [False, True, True]
assert list(table["inside_90"])[1:] == [True, True]

# %% [markdown]
# What the law leaves over, in per cent, should show no trend:

# %%
bs.plot_residuals(fit, new=test)

# %% [markdown]
# ## A family nobody has trained
#
# A family that the table lacks gets the population's forecast. It is much less certain, and says so:
# three families tell little about how families differ.

# %%
new = bs.forecast(fit, bs.grid(N=[1e9, 7e9], D=3e11, family="Aquila"), prob=0.9)
print(new)
known = bs.forecast(fit, bs.grid(N=[1e9, 7e9], D=3e11, family="Pythia"), prob=0.9)
width = {
    name: (found.table["run_90_high"] - found.table["run_90_low"]).mean()
    for name, found in {"new": new, "known": known}.items()
}
assert new.table["new_family"].all()
assert width["new"] > 2 * width["known"]

# %% [markdown]
# ## Saving and loading
#
# A fit is one netCDF file.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = fit.save(Path(folder) / "fit.nc")
    again = bs.load(path)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
assert again.summary().equals(summary)

# %% [markdown]
# ## ArviZ
#
# `fit.data` is an xarray `DataTree` in ArviZ's schema, so that its functions work as they are.

# %%
azs.loo(fit.data)

# %%
_ = azp.plot_forest(fit.data, var_names=["E", "E_pop", "alpha", "beta"], combined=True)

# %% [markdown]
# ## A law of your own
#
# One line of text is enough. Do these runs show that loss has a floor at all?

# %%
law = bs.law_from_equation("A * N**-alpha + B * D**-beta", name="no_floor")
no_floor = bs.fit(train, law, seed=1, **SAMPLING)
print(no_floor.diagnose().verdict)

# %%
scores = azs.compare({"chinchilla": azs.loo(fit.data), "no_floor": azs.loo(no_floor.data)})
scores[["rank", "elpd", "elpd_diff", "dse"]]

# %%
at = bs.grid(N=[1e10, 1e11, 1e12], D=[3e11, 3e12, 3e13], family="Pythia").iloc[[0, 4, 8]]
columns = ["N", "D", "median", "law_90_low", "law_90_high"]
both = pd.concat(
    {
        name: bs.forecast(each, at, prob=0.9).table[columns].set_index(["N", "D"])
        for name, each in {"chinchilla": fit, "no floor": no_floor}.items()
    },
    axis="columns",
)
both

# %% [markdown]
# They do not. The law without a floor predicts the runs no worse, and the two agree near the data.
# Far beyond it they part: what $E$ is, these seventeen runs cannot say. Such a question wants more
# runs or several laws, not a narrower band of one.

# %%
elpd = scores["elpd"]
assert elpd["no_floor"] > elpd["chinchilla"] - 2 * scores["dse"].max()
ratio = both["chinchilla", "median"] / both["no floor", "median"]
print("ratio of the two medians:", ", ".join(f"{r:.3f}" for r in ratio))
assert abs(ratio.iloc[0] - 1) < 0.01
assert ratio.iloc[2] > ratio.iloc[1] > ratio.iloc[0]
