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
# # Pooling across families
#
# You have five cheap runs on a new corpus, and dozens on two older ones. Do the old runs help to
# forecast the new family, and what is lost if the families differ after all?
#
# [Gadre et al. (2024)](https://arxiv.org/abs/2403.08540) trained the same ladder of models on C4,
# RedPajama and RefinedWeb. We keep five cheap runs of RefinedWeb, those of the paper's own recipe,
# and forecast its 30 others, once from those five alone and once with the other corpora beside
# them.
#
# The table is made of `exp_data/` of the repository `mlfoundations/scaling`, in the folder that
# `BAYES_SCALING_DATA` names.

# %%
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

import bayes_scaling as bs

DATA = Path(os.environ["BAYES_SCALING_DATA"])
NEW = "refinedweb"
warnings.filterwarnings("ignore", message="IProgress not found")

# %% [markdown]
# ## The runs
#
# Losses of every model on the same text, C4's validation set, so that one corpus can be better than
# another.

# %%
path = DATA / "gadre_overtraining" / "gadre_overtraining.csv"
runs = bs.read_runs(path, group="family", columns={"L": "loss_c4_val", "lr": None})
table = runs.frame()
table.groupby("family")[["N", "D", "M", "L"]].agg(["count", "min", "max"]).T.unstack().round(1)

# %% [markdown]
# ## May families share exponents?
#
# First each corpus by itself, with all its runs.

# %%
QUIET = {"seed": 1, "progress": False}
families = runs.group_levels("family")
alone = {
    name: bs.fit(bs.read_runs(table[table["family"] == name].drop(columns="family")), **QUIET)
    for name in families
}
by_itself = pd.concat({name: each.summary() for name, each in alone.items()}, names=["family", ""])
shown = by_itself.loc[(slice(None), ["E", "alpha", "beta"]), ["mean", "eti90_lb", "eti90_ub"]]
shown.round(3)

# %% [markdown]
# The three corpora agree on the exponents within their bands. That is no proof that exponents are a
# property of the architecture, but it is what sharing them assumes, and here nothing speaks against
# it.

# %%
for name in ("alpha", "beta"):
    each = by_itself.xs(name, level=1)
    assert each["eti90_lb"].max() < each["eti90_ub"].min()

# %% [markdown]
# ## A few runs of a new family
#
# Two ways to spend a few thousandths of the corpus's compute: the paper's recipe, four small sizes
# at twenty tokens per parameter and the smallest over-trained, which spreads sizes and data; and
# six small runs near one ray of ten to twenty tokens per parameter, as people have who follow one
# rule. All other runs of RefinedWeb are held back. Pooled, the exponents are shared, and $E$, $A$
# and $B$ of the three families scatter about a population.

# %%
is_new = table["family"] == NEW
at = {ratio: np.isclose(table["M"], ratio, rtol=0.05) for ratio in (10, 20, 320)}
recipes = {
    "spread": is_new & ((at[20] & (table["N"] < 5e8)) | (at[320] & (table["N"] < 2e7))),
    "one ray": is_new & (at[10] | at[20]) & (table["N"] < 2e8),
}
for name, chosen in recipes.items():
    share = table.loc[chosen, "C"].sum() / table.loc[is_new, "C"].sum()
    print(f"{name}: {chosen.sum()} of {is_new.sum()} runs, {share:.2%} of the compute")


def both_ways(chosen):
    """Fits to the chosen runs of the new family, alone and with the other families' runs."""
    with_others = (chosen | ~is_new).to_numpy()
    by_itself = bs.read_runs(table[chosen].drop(columns="family"))
    return {
        "alone": bs.fit(by_itself, "chinchilla", **QUIET),
        "pooled": bs.fit(runs.subset(with_others), "chinchilla", **QUIET),
    }


fits = {name: both_ways(chosen) for name, chosen in recipes.items()}
for name, both in fits.items():
    for way, each in both.items():
        print(f"{name}, {way}: {each.diagnose().verdict}")

# %%
bs.plot_fit(fits["spread"]["pooled"], new=runs.subset((is_new & ~recipes["spread"]).to_numpy()))

# %% [markdown]
# ## Which forecasts better?


# %%
def forecast_rest(fit, chosen):
    """Forecast of the new family's other runs, with what was measured."""
    rest = table[is_new & ~chosen]
    found = bs.forecast(
        fit, rest[["N", "D", "family"]] if fit.spec.groups else rest[["N", "D"]], prob=0.9
    )
    return found.table.assign(measured=rest["L"].to_numpy(), M=rest["M"].to_numpy())


def judged(found):
    """Error of the median, widths of the bands in per cent, share of runs inside."""
    low, high, actual = found["run_90_low"], found["run_90_high"], found["measured"]
    return {
        "error of the median, %": 100 * (found["median"] / actual - 1).abs().mean(),
        "law band, %": 100 * ((found["law_90_high"] - found["law_90_low"]) / actual).mean(),
        "new-run band, %": 100 * ((high - low) / actual).mean(),
        "inside 90 %": ((low < actual) & (actual < high)).mean(),
    }


ahead = {
    (name, way): forecast_rest(fit, recipes[name])
    for name, both in fits.items()
    for way, fit in both.items()
}
scores = pd.DataFrame({key: judged(found) for key, found in ahead.items()}).T
scores.round(2)

# %%
figure, axes = plt.subplots(2, 2, figsize=(9.5, 5), sharex=True, sharey="row", layout="constrained")
for axis, (key, found) in zip(axes.flat, ahead.items(), strict=True):
    compute = 6 * found["N"] * found["D"]
    off = (
        100 * found[["run_90_low", "median", "run_90_high"]].div(found["measured"], axis="index")
        - 100
    )
    axis.vlines(compute, off["run_90_low"], off["run_90_high"], color="C0", lw=2, alpha=0.4)
    axis.scatter(compute, off["median"], c=np.log(found["M"]), s=14, zorder=3)
    axis.axhline(0, color="k", lw=0.8)
    axis.set(xscale="log", xlim=(1e15, 1e22), title=", ".join(key))
    axis.grid(alpha=0.3)
figure.supxlabel("compute of the run held back (FLOPs); yellow: over-trained")
_ = figure.supylabel("forecast less measured, %")

# %% [markdown]
# Alone, five runs spread over sizes and data are 1.7 % off on average, and six on one ray 3.2 %:
# they cannot tell size from data, and miss the over-trained runs by several per cent. Pooled, both
# are off by two thirds of a per cent. The exponents are known from the other corpora, and so is
# where the law is wrong: the runs at five tokens per parameter, which no law of this form
# describes, are off alike in all three families, and the law's own error has a part that families
# share.
#
# The bands are narrower pooled, and hold nine runs of ten. Alone they hold three of four: a handful
# of runs lie on the law as if it were exact, and nothing in them says how wrong it is.

# %%
error, inside = scores["error of the median, %"], scores["inside 90 %"]
assert error["one ray", "pooled"] < 0.7 * error["one ray", "alone"]
assert error.xs("pooled", level=1).max() < 2.5  # per cent
for name in recipes:
    assert (
        scores.loc[(name, "pooled"), "law band, %"]
        < 0.7 * scores.loc[(name, "alone"), "law band, %"]
    )
    # of thirty runs a right 90 % band holds fewer than 79 % in one case of forty
    assert inside[name, "pooled"] > 0.79 > inside[name, "alone"]

# %% [markdown]
# ## How much is pooled?
#
# Between sharing everything and nothing, the spread $\tau$ between families is learned. Three
# families say little of it, so it leans on its prior, and a family that nobody has trained is
# forecast with a band that shows that.

# %%
pooled = fits["spread"]["pooled"]
spread = pooled.summary(["tau_E", "tau_A", "tau_B"])[["mean", "eti90_lb", "eti90_ub"]]
print(spread.round(3))
where = {"N": 6.9e9, "D": 1.38e11}
both = {
    name: bs.forecast(pooled, {**where, "family": name}, prob=0.9) for name in (NEW, "a fourth")
}
bands = pd.concat({name: each.table for name, each in both.items()}).droplevel(1)
bands[["median", "model_90_low", "model_90_high", "run_90_low", "run_90_high"]].round(3)

# %%
width = bands["model_90_high"] - bands["model_90_low"]
largest = table[is_new & (table["N"] > 5e9)].iloc[0]
assert width["a fourth"] > 1.5 * width[NEW]
assert bands.loc[NEW, "run_90_low"] < largest["L"] < bands.loc[NEW, "run_90_high"]

# %% [markdown]
# **Reading.** Pool when older families were trained alike: the error of the forecast falls to a
# third or less, and the bands hold what they promise. What is assumed is that exponents are shared
# and that the law errs alike. A family that nobody has trained gains much less, as three families
# say little of how a fourth may differ. `pool=` chooses by parameter what is shared, partly pooled
# or separate.
