"""Several laws at once: weighed by forecasts rolled forward over scale, and mixed.

Weights maximise the log score of the mixture on the runs that backtests held out (stacking of
predictive distributions, Yao et al. 2018, Bayesian Analysis 13, 917, eq. 3), which judges laws by
how they extrapolate. Leave-one-out cross-validation (`arviz_stats.loo` on ``fit.data``) judges how
they interpolate, and says nothing of runs beyond the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling._errors import SpecError
from bayes_scaling.backtesting import SHARES, Backtest, backtest
from bayes_scaling.data.load import read_runs
from bayes_scaling.fitting import fit as fit_law
from bayes_scaling.forecasting import checked_probs, forecast, forecast_table
from bayes_scaling.posterior import Fit
from bayes_scaling.spec import Law, get_law

EQUAL = 1.0  # held-out runs for each law that even weights are worth before any is seen
STEPS, ENOUGH = 2000, 1e-9


@dataclass(frozen=True)
class Stack:
    """Laws with their weights.

    Attributes
    ----------
    table
        One row a law: ``weight``; mean ``log_score``, ``crps``, ``bias`` and ``coverage_90`` of its
        forecasts of held-out runs.
    fits
        Every law fitted to all runs.
    backtests
        Every law's backtest.
    """

    table: pd.DataFrame
    fits: tuple[Fit, ...]
    backtests: tuple[Backtest, ...]

    @property
    def weights(self) -> np.ndarray:
        """Weight of every law, (law,), adding to one."""
        return self.table["weight"].to_numpy()

    def forecast(
        self, at: Any, *, prob: float | Sequence[float] = (0.5, 0.9), seed: int = 0
    ) -> pd.DataFrame:
        """Return the mixture's forecast in the columns of `bayes_scaling.forecast`.

        ``laws_apart`` is how far the medians of the laws lie apart (largest less smallest, of laws
        that weigh 5 % or more).

        Raises
        ------
        ForecastError
            As `bayes_scaling.forecast` does.
        """
        probs = checked_probs(prob)
        found = [forecast(f, at, prob=probs, seed=seed) for f in self.fits]
        response = self.fits[0].spec.law.response
        names = {"law": f"{response}_law", "model": f"{response}_model", "run": response}
        draws = [
            {k: _flat(each.data["predictions"][v]) for k, v in names.items()} for each in found
        ]
        mixed = _mixed(draws, self.weights, np.random.default_rng(seed))
        heads = [c for c in found[0].table if str(c).startswith(("beyond_", "new_family"))]
        shown = found[0].table.columns.get_loc("median")
        points = found[0].table.iloc[:, :shown]
        table = forecast_table(self.fits[0], points, mixed, probs)
        medians = np.stack([f.table["median"] for f in found])[self.weights >= 0.05]
        kept = table.assign(**{str(c): found[0].table[c].to_numpy() for c in heads})
        return kept.assign(laws_apart=np.ptp(medians, axis=0))

    def __str__(self) -> str:
        return self.table.to_string(float_format=lambda v: f"{v:.3g}")

    __repr__ = __str__


def stack(
    runs: Any,
    laws: Sequence[str | Law],
    *,
    by: str | None = None,
    cuts: Sequence[float] = SHARES,
    group: str | list[str] | None = None,
    seed: int = 0,
    progress: bool | Callable[[int, int, str], None] = True,
    **options: Any,
) -> Stack:
    """Weigh laws by their forecasts of held-out runs, and fit each to all.

    Parameters
    ----------
    runs, group, options
        As in `fit`.
    laws
        Two laws or more, of one response.
    by, cuts
        As in `backtest`.

    Raises
    ------
    SpecError
        When fewer than two laws are given, or one twice.
    """
    names = [get_law(law).name for law in laws]
    if len(names) < 2 or len(set(map(str, laws))) < len(names):
        raise SpecError(f"stack takes two different laws or more, not {names}.")
    table = read_runs(runs, group=group)
    scale = by or ("C" if "C" in table.covariates else None)
    shared: dict[str, Any] = {"seed": seed, "progress": progress, **options}
    tested = tuple(backtest(table, law, by=scale, cuts=cuts, **shared) for law in laws)
    fits = tuple(fit_law(table, law, **shared) for law in laws)
    return Stack(_judged(names, tested), fits, tested)


def _judged(names: Sequence[str], tested: Sequence[Backtest]) -> pd.DataFrame:
    """The scores of the laws on held-out runs, with their weights."""
    log_scores = np.stack([t.table["log_score"].to_numpy() for t in tested], axis=1)
    seen = tested[0].table.groupby("row")["row"].transform("size").to_numpy()
    whole = pd.concat([t.scores(None) for t in tested], ignore_index=True)
    scores = whole[[c for c in ("log_score", "crps", "bias", "coverage_90") if c in whole]]
    scores.insert(0, "weight", stacking_weights(log_scores, 1.0 / seen))
    return scores.set_index(pd.Index(names, name="law"))


def stacking_weights(log_scores: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Return the weights (law,) whose mixture has the highest log score.

    Parameters
    ----------
    log_scores
        Log predictive density of every held-out run under every law, (run, law).
    worth
        What each run counts for, (run,): a run held out at several cut-offs counts once.
    """
    count = log_scores.shape[1]
    weights = np.full(count, 1.0 / count)
    density = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    for _ in range(STEPS):
        share = density * weights
        pulled = worth @ (share / share.sum(axis=1, keepdims=True)) + EQUAL
        new = pulled / pulled.sum()
        done = np.abs(new - weights).max() < ENOUGH
        weights = new
        if done:
            break
    return weights


def _flat(draws: Any) -> np.ndarray:
    values = np.asarray(draws)
    return values.reshape(-1, values.shape[-1])


def _mixed(
    draws: Sequence[dict[str, np.ndarray]], weights: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws of the mixture: of each law as many as it weighs."""
    size = min(len(each["run"]) for each in draws)
    ends = np.round(size * np.cumsum(weights)).astype(int)
    counts = np.diff(ends, prepend=0)
    picks = [
        rng.choice(len(d["run"]), n, replace=False) for d, n in zip(draws, counts, strict=True)
    ]
    return {
        name: np.concatenate([d[name][pick] for d, pick in zip(draws, picks, strict=True)])
        for name in draws[0]
    }
