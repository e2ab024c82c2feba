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
# # Choosing a data mixture
#
# Five domains, twenty small models trained on different mixtures of them, and the loss of each on
# every domain. Which mixture should the large model be trained on, and how sure is that?
#
# The runs are those of [Ye et al. (2024)](https://arxiv.org/abs/2403.16952), "Data Mixing Laws":
# the same twenty mixtures at four sizes, and six more that were not used for fitting. The table is
# made of `all_models_data.json` in the repository `linhaowei1/SLD`, in the folder that
# `BAYES_SCALING_DATA` names; it calls the domains by numbers.

# %%
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

import bayes_scaling as bs

DATA = Path(os.environ["BAYES_SCALING_DATA"])
SHARES = [f"p{i}" for i in range(1, 6)]
LOSSES = [f"loss{i}" for i in range(1, 6)]
warnings.filterwarnings("ignore", message="IProgress not found")

# %%
table = pd.read_csv(DATA / "domain_mixture" / "domain_mixture.csv")
small = table[(table["family"] == "70M") & (table["split"] == "train")]
print(f"{len(small)} mixtures at 70M parameters")
small[SHARES + LOSSES].describe().loc[["min", "mean", "max"]].round(3)

# %% [markdown]
# ## One law a domain
#
# The loss on a domain is $c + k \exp(\sum_j t_j r_j)$ in the shares $r$ of all domains. A domain's
# own share pulls its loss down; others may help or hurt. The last domain's pull is minus the sum of
# the others', as a constant added to all of them changes nothing.


# %%
def fit_loss(name):
    """The law of one domain's loss, from the 70M models."""
    runs = bs.read_runs(small, response=name, inputs=SHARES, columns={"N": None, "L": name})
    return bs.fit(runs, f"ye_mixing({', '.join(SHARES)})", seed=1, progress=False)


fits = {name: fit_loss(name) for name in LOSSES}
pd.Series({name: each.diagnose().verdict for name, each in fits.items()}, name="verdict")

# %%
pulls = {}
for name, each in fits.items():
    own = {share: each.posterior[f"t_{share}"] for share in SHARES[:-1]}
    own[SHARES[-1]] = -sum(own.values())
    pulls[name] = {share: float(draws.median()) for share, draws in own.items()}
pulls = pd.DataFrame(pulls).T

figure, axis = plt.subplots(figsize=(5.2, 4), layout="constrained")
reach = np.abs(pulls.to_numpy()).max()
drawn = axis.imshow(pulls, cmap="RdBu_r", vmin=-reach, vmax=reach)
axis.set(xticks=range(5), xticklabels=SHARES, yticks=range(5), yticklabels=LOSSES)
for (i, j), value in np.ndenumerate(pulls.to_numpy()):
    axis.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=8)
_ = figure.colorbar(drawn, label="pull of a share on a loss; blue lowers it")

# %% [markdown]
# ## The best mixture for all five
#
# Every draw of the five posteriors has a best mixture; the one to train has the best expectation.
# The sum is of the five losses with equal weights (`weights=` for others), within the shares
# that were tried.

# %%
tried = {name: (float(small[name].min()), float(small[name].max())) for name in SHARES}
best = bs.best_mixture(fits, bounds=tried, prob=0.9)
print(best)

# %% [markdown]
# Two domains end at the largest share that was tried: more of them might help, and the law says so,
# but of that no run tells: the even mixture of the table above, which the law prefers, has twice as
# much of domain 3 as any run had.

# %%
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for place, row in enumerate(best.table.itertuples()):
    axis.plot(
        [row.tried_from, row.tried_to], [place] * 2, color="0.85", lw=9, solid_capstyle="butt"
    )
    axis.plot([row.best_90_low, row.best_90_high], [place] * 2, "C0", lw=4, solid_capstyle="butt")
    axis.plot(row.share, place, "kD", ms=5)
axis.set(yticks=range(5), yticklabels=best.table["domain"], xlabel="share")
_ = axis.set_title("grey: tried; blue: best, 90 %; diamond: to train", fontsize=10)

# %%
shares = best.table.set_index("domain")["share"]
assert np.isclose(shares.sum(), 1)
assert np.isclose(shares["p3"], tried["p3"][1], atol=1e-3)
assert not best.notes  # nothing outside what was tried
sums = small[LOSSES].sum(axis="columns")
chosen = best.losses.set_index("fit").loc["target"]
print(f"sum of losses: best run {sums.min():.3f}, mixture chosen {chosen['chosen']:.3f}")
assert chosen["chosen_90_high"] < sums.min()

# %% [markdown]
# ## Does it carry over?
#
# The laws know twenty mixtures at 70M parameters. Six other mixtures were trained too, and all of
# them at 160M, 305M and 410M. Losses there are lower, so that the level is of no use, but the
# *order* of the mixtures may be. We forecast the losses of the six new mixtures from the law of
# 70M, and compare with the measured ones at every size.

# %%
unseen = table[table["split"] == "eval"]
ahead = {name: bs.forecast(each, unseen[SHARES], prob=0.9).table for name, each in fits.items()}
rows = []
for name, found in ahead.items():
    measured = unseen[name].to_numpy()
    inside = (found["run_90_low"] < measured) & (measured < found["run_90_high"])
    for family, at in unseen.reset_index(drop=True).groupby("family").groups.items():
        off = found["median"][at] / measured[at] - 1
        rows.append(
            {
                "loss": name,
                "size": family,
                "correlation": np.corrcoef(found["median"][at], measured[at])[0, 1],
                "too high, %": 100 * off.mean(),
                "error, %": 100 * off.abs().mean(),
                "inside 90 %": inside[at].mean(),
            }
        )
scores = pd.DataFrame(rows).pivot(index="loss", columns="size")
scores[["correlation", "error, %"]].round(3)

# %%
figure, axes = plt.subplots(1, 5, figsize=(12.5, 2.9), layout="constrained")
for axis, (name, found) in zip(axes, ahead.items(), strict=True):
    for family, colour in zip(
        ("70M", "160M", "305M", "410M"), ("k", "C0", "C2", "C1"), strict=True
    ):
        at = (unseen["family"] == family).to_numpy()
        axis.plot(found["median"][at], unseen.loc[at, name], "o", color=colour, ms=4, label=family)
    axis.axline((found["median"].mean(),) * 2, slope=1, color="0.6", lw=1)
    axis.set(xlabel=f"{name} forecast")
axes[0].set_ylabel("measured")
_ = axes[0].legend(fontsize=8)

# %% [markdown]
# At 70M the six mixtures that were not fitted are forecast within two per cent, but the 90 % bands
# hold three quarters of them: twenty runs do not show how wrong the law is. Larger models lie below
# the line, but in order: the correlation stays above nine tenths at six times the size. So the
# mixture chosen with small models is a fair guess for larger ones, and their losses need a law with
# size in it (`shukor_mixing`, or sizes as families).

# %%
sizes = scores["correlation"]
assert scores["error, %"]["70M"].max() < 2.5
assert sizes.min().min() > 0.9
assert scores["error, %"]["410M"].min() > 10  # the level does not carry over
inside = scores["inside 90 %"]["70M"].mean()
print(f"inside their 90 % intervals at 70M: {inside:.0%} of 30")
assert 0.5 < inside < 0.9  # thirty losses of six runs; nine tenths were promised

# %% [markdown]
# **Reading.** Half the answer is sure, the shares of domains 1 and 4; domains 2 and 3 want more
# than was tried, and domain 5 takes what is left. Its sum of losses is forecast below that of any
# of the twenty runs. The next small runs should have more of domains 2 and 3.
