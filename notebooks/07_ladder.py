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
# # From size and data to a task's accuracy
#
# A loss is not what users see. Can the accuracy of a large model on a task be forecast from small
# ones? The ladder of [Bhagia et al. (2024)](https://arxiv.org/abs/2412.04403) goes in two steps:
# size and data give a loss, the loss gives the accuracy. `bs.chain` makes one posterior of the two.
#
# The models are the RedPajama ladder of [Gadre et al. (2024)](https://arxiv.org/abs/2403.08540),
# the task is HellaSwag (10,042 questions with four answers), the three largest models are held
# back. The tables are made of `exp_data/` of the repository `mlfoundations/scaling`, in the folder
# that `BAYES_SCALING_DATA` names.

# %%
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

import bayes_scaling as bs

DATA = Path(os.environ["BAYES_SCALING_DATA"]) / "gadre_overtraining"
QUIET = {"seed": 1, "progress": False}
warnings.filterwarnings("ignore", message="IProgress not found")

# %%
scores = pd.read_csv(DATA / "gadre_downstream.csv")
scores = scores[(scores["task"] == "hellaswag") & (scores["family"] == "redpajama")]
scores = scores.rename(columns={"params": "N", "tokens": "D", "loss_c4_val": "T"})
large = scores["N"] > 1e9
train, test = scores[~large], scores[large]
print(f"{len(train)} models to fit, {len(test)} held back")
scores.groupby(large)[["N", "D", "T", "accuracy"]].agg(["min", "max"]).T.unstack().map(
    "{:.3g}".format
)

# %% [markdown]
# ## Step one: the loss
#
# Chinchilla's law of the loss on C4, from the 32 smaller models.

# %%
losses = train[["N", "D", "T"]].rename(columns={"T": "L"})
loss_fit = bs.fit(losses, "chinchilla", **QUIET)
print(loss_fit.diagnose().verdict)

# %% [markdown]
# ## Step two: accuracy by loss
#
# A logistic curve from chance, 0.25, to a ceiling, in the *measured* loss. The accuracies are
# counts of questions, so that their noise is binomial, with scatter beyond it. The law's priors are
# for losses in bits per byte; ours is in nats per token, and so are the priors given.

# %%
shares = train[["T", "accuracy", "n_examples"]]
counted = bs.read_runs(shares, response="accuracy", trials="n_examples", columns={"T": "T"})
score_fit = bs.fit(
    counted,
    "ladder_accuracy",
    priors={"c": 0.25, "L0": "lognormal(2.8, 2.0, 4.0)", "k": "lognormal(2, 0.5, 8)"},
    **QUIET,
)
print(score_fit.diagnose())

# %%
bs.plot_fit(score_fit)

# %% [markdown]
# Below a loss of 2.8 no model was fitted: what the curve does there is the logistic form, and its
# ceiling is nearly its prior, as the diagnosis says.

# %% [markdown]
# ## The chain
#
# The usual way takes the best guess of the loss and puts it into the second curve (`two_stage`).
# The chain carries every draw of the loss on.

# %%
both = bs.chain(loss_fit, score_fit)
at = test[["N", "D"]].assign(trials=test["n_examples"])
forecasts = {
    "chain": both.forecast(at, prob=0.9).table,
    "two stages": both.forecast(at, prob=0.9, two_stage=True).table,
}
measured = test["accuracy"].to_numpy()
rows = {}
for name, found in forecasts.items():
    part = found[["N", "D", "median", "run_90_low", "run_90_high"]].assign(measured=measured)
    rows[name] = part.assign(
        inside=part["measured"].between(part["run_90_low"], part["run_90_high"])
    )
table = pd.concat(rows)
table.assign(**{name: table[name].map("{:.3g}".format) for name in ("N", "D")}).round(3)

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
order = np.argsort(measured)
for shift, (name, found) in zip((-0.12, 0.12), forecasts.items(), strict=True):
    place = np.arange(len(order)) + shift
    low, high = (found[f"run_90_{end}"].to_numpy()[order] for end in ("low", "high"))
    axes[0].vlines(place, low, high, lw=5, alpha=0.5, color="C0" if shift < 0 else "C1", label=name)
    axes[0].plot(place, found["median"].to_numpy()[order], "k_", ms=9)
labels = [f"{n / 1e9:.1f}B, {d / 1e9:.0f}B" for n, d in test[["N", "D"]].to_numpy()[order]]
axes[0].plot(range(len(order)), measured[order], "kD", ms=5, label="measured")
axes[0].set(xticks=range(len(order)), xticklabels=labels, ylabel="accuracy on HellaSwag")
axes[0].legend(loc="upper left", fontsize=8)
ahead = bs.forecast(loss_fit, test[["N", "D"]], prob=0.9).table
low, high = (ahead[f"run_90_{end}"].to_numpy()[order] for end in ("low", "high"))
axes[1].vlines(range(len(order)), low, high, lw=5, alpha=0.5, color="C0")
axes[1].plot(range(len(order)), ahead["median"].to_numpy()[order], "k_", ms=9)
axes[1].plot(range(len(order)), test["T"].to_numpy()[order], "kD", ms=5)
_ = axes[1].set(xticks=range(len(order)), xticklabels=labels, ylabel="loss on C4 (nats/token)")

# %% [markdown]
# The chain's intervals hold all three models. The two stages' hold one: their bands are of the
# second curve alone, a few points of accuracy wide, while most of what is not known is the loss. On
# the right is why the medians are too high: the loss of the largest model was forecast 3 % too low,
# which near the middle of the curve is worth four points of accuracy.

# %%
inside = table["inside"].groupby(level=0).sum()
assert inside["chain"] == 3
assert inside["two stages"] < 3
width = (table["run_90_high"] - table["run_90_low"]).groupby(level=0).mean()
assert width["chain"] > 2 * width["two stages"]
error = (forecasts["chain"]["median"].to_numpy() - measured).round(3)
print("forecast less measured:", error)
assert np.abs(error).max() < 0.06

# %% [markdown]
# ## What if the loss were known?
#
# The second step by itself, at the losses that were measured: how good is the curve?

# %%
known = bs.forecast(score_fit, test[["T"]].assign(trials=test["n_examples"]), prob=0.9).table
known[["T", "median", "run_90_low", "run_90_high"]].assign(measured=measured).round(3)

# %%
assert np.abs(known["median"].to_numpy() - measured).max() < 0.05

# %% [markdown]
# **Reading.** Given the loss, the curve is right within three points, even where it is
# extrapolated, though the over-trained model does better on the task than its loss lets expect.
# Forecasts of a task are as good as those of the loss, and their bands should be as wide. Three
# models of one corpus on one task are an illustration; tasks whose scores hover about chance, or
# whose form is no logistic, are harder.
