"""`sbc`: simulation-based calibration of a law with its pooling, noise, priors and sampler.

Parameters are drawn from the prior, tables simulated and fitted together the way of `fit_many`.
Among near independent draws of a right posterior the truth has every rank equally often (Cook,
Gelman and Rubin 2006; Talts et al. 2018, arXiv:1804.06788). The log likelihood is ranked too, which
the parameters' ranks can miss: a posterior that is the prior passes all of theirs (Modrák et al.
2023, Bayesian Analysis). What priors that scale with the data mean for this is told in
`bayes_scaling.simulation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from bayes_scaling._arviz import array_stats
from bayes_scaling._errors import SpecError, list_names
from bayes_scaling._progress import shown_progress
from bayes_scaling._x64 import in_float64
from bayes_scaling.build import Args
from bayes_scaling.infer.base import Progress
from bayes_scaling.infer.batch import Result
from bayes_scaling.pointwise import row_curves
from bayes_scaling.posterior import posterior_names
from bayes_scaling.simulation import Simulated, refit, simulate
from bayes_scaling.spec import Law, ModelSpec
from bayes_scaling.stats.uniformity import holm, uniformity_p

FALSE_ALARM = 0.05  # of a whole run, after Holm's correction
DRAWS = 99
FEWEST = 20  # tables with which a test says anything
LIKELIHOOD = "log_likelihood"


class _Scalars(NamedTuple):
    """Draws (chain, draw, scalar) of one table and the truth (scalar,)."""

    draws: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """Ranks of known parameters among the draws of their posteriors.

    Attributes
    ----------
    spec
        The law, pooling, observation model and priors that were tested.
    ranks
        One row for every table and scalar: ``table``, ``parameter``, ``rank`` (draws below the
        truth), ``draws`` (near independent ones, at most those asked for and the scalar's effective
        sample size), ``pit`` (the rank as a number in [0, 1], ties split at random; uniform when
        all is right), ``sampler``, ``doubt`` (why the engine does not trust the posterior, else
        empty), ``rhat`` (the posterior's largest R-hat, nested for many short chains; NaN for
        independent draws).
    """

    spec: ModelSpec
    ranks: pd.DataFrame

    @property
    def names(self) -> tuple[str, ...]:
        """The scalars ranked, ``log_likelihood`` last."""
        return tuple(dict.fromkeys(self.ranks["parameter"]))

    @property
    def tables(self) -> int:
        """Number of tables simulated."""
        return self.ranks["table"].nunique()

    @property
    def doubted(self) -> int:
        """Number of posteriors that the engine itself does not trust; they are ranked too."""
        return int(self._by_table["doubt"].astype(bool).sum())

    @property
    def samplers(self) -> dict[str, int]:
        """How many posteriors each sampler gave."""
        return {str(k): int(v) for k, v in self._by_table["sampler"].value_counts().items()}

    @property
    def worst_rhat(self) -> float:
        """The largest R-hat of a posterior that the engine does not doubt; NaN without chains."""
        trusted = self._by_table.loc[self._by_table["doubt"] == "", "rhat"]
        return float(trusted.max())

    def coverage(self, prob: float = 0.9) -> tuple[float, float]:
        """Share of true parameters inside the central interval, with its Monte Carlo error.

        Parameters of one table are correlated, so the error comes from the scatter over tables.
        """
        ranks = self.ranks[self.ranks["parameter"] != LIKELIHOOD]
        inside = (ranks["pit"] - 0.5).abs() <= prob / 2
        by_table = inside.groupby(ranks["table"]).mean()
        floor = np.sqrt(prob * (1 - prob) / len(inside))
        return float(by_table.mean()), float(max(by_table.std() / np.sqrt(len(by_table)), floor))

    @property
    def _by_table(self) -> pd.DataFrame:
        return self.ranks.drop_duplicates("table")

    def table(self) -> pd.DataFrame:
        """Return the test of every scalar, one row each.

        ``p_value`` of uniform ranks, exact (Säilynoja et al. 2022); ``p_holm``, corrected for the
        number of scalars; ``p_trusted``, of the posteriors that the engine does not doubt, which
        must be uniform too since the doubt does not know the truth; ``mean`` and ``spread`` of
        ``pit`` (expected 0.5 and 1: below 0.5 the draws are too high, a spread above 1 means
        posteriors that are too narrow); ``draws``, the mean number ranked among.
        """
        return self._tests.copy()

    @cached_property
    def _tests(self) -> pd.DataFrame:
        rows = [_tested(name, part) for name, part in self.ranks.groupby("parameter", sort=False)]
        found = pd.DataFrame(rows)
        found.insert(2, "p_holm", holm(found["p_value"].to_numpy()))
        return found

    @property
    def failed(self) -> tuple[str, ...]:
        """Scalars whose ranks are not uniform, after correction for the number of tests."""
        return tuple(self._tests.loc[self._tests["p_holm"] < FALSE_ALARM, "parameter"])

    @property
    def ok(self) -> bool:
        """Whether no test fails; of a right engine and model one run in twenty does."""
        return not self.failed

    @property
    def verdict(self) -> str:
        """The verdict in one paragraph."""
        return " ".join((self._said(), *self._doubts()))

    def _said(self) -> str:
        tests, least = len(self._tests), self._tests["p_holm"].min()
        told = f"of {tests} tests on {self.tables} tables (least p {least:.2g} after Holm)"
        if self.ok:
            return f"Calibrated: no rank is off {told}."
        off = self._tests[self._tests["p_holm"] < FALSE_ALARM].nsmallest(3, "p_value")
        why = "; ".join(f"'{row.parameter}' {_in_words(row)}" for row in off.itertuples())
        return f"Not calibrated: ranks are off in {len(self.failed)} {told}: {why}."

    def _doubts(self) -> Iterator[str]:
        if not self.doubted:
            return
        kinds = sorted(set(self._by_table["doubt"]) - {""})
        yield f"The engine doubts {self.doubted} of the posteriors ({'; '.join(kinds[:3])})"
        trusted = holm(self._tests["p_trusted"].fillna(1.0).to_numpy())
        bad = self._tests.loc[trusted < FALSE_ALARM, "parameter"]
        yield "and they are counted; without them " + (
            f"{list_names(bad, 3)} fail." if len(bad) else "no test fails."
        )

    def __str__(self) -> str:
        text = self._tests.to_string(index=False, float_format=lambda v: f"{v:.3g}")
        return f"{self.verdict}\n{text}"

    __repr__ = __str__


def _tested(name: Any, ranks: pd.DataFrame) -> dict[str, Any]:
    pit = ranks["pit"].to_numpy()
    trusted = pit[(ranks["doubt"] == "").to_numpy()]
    return {
        "parameter": name,
        "p_value": uniformity_p(pit),
        "p_trusted": uniformity_p(trusted) if len(trusted) >= FEWEST else np.nan,
        "mean": pit.mean(),
        "spread": 12.0 * np.mean((pit - 0.5) ** 2),
        "draws": ranks["draws"].mean(),
    }


def _in_words(row: Any) -> str:
    """What is wrong with ranks, by which of mean and spread lies further off."""
    if abs(row.mean - 0.5) * np.sqrt(12.0) > abs(row.spread - 1.0) / np.sqrt(0.8):
        return f"(draws too {'high' if row.mean < 0.5 else 'low'})"
    return f"(posteriors too {'narrow' if row.spread > 1.0 else 'wide'})"


@in_float64
def sbc(
    law: str | Law = "chinchilla",
    *,
    pool: Mapping[str, str] | str | None = None,
    noise: str | None = None,
    tables: int = 64,
    draws: int = DRAWS,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool | Progress = True,
    **options: Any,
) -> Calibration:
    """Return the ranks of known parameters among the draws of their posteriors.

    Parameters
    ----------
    law, pool, noise
        As in `fit`.
    tables
        Number of tables; 64 find posteriors 30 % too narrow in one scalar three times out of four
        before correction for the number of tests, 128 nearly always.
    draws
        Draws to rank among, at most; fewer where a scalar's effective sample size is less.
    seed
        Of everything: same seed, same ranks.
    out
        Folder that keeps finished batches, as in `fit_many`.
    progress
        Show a bar on standard error, or a function ``(done, total, phase)``.
    options
        The modelling options of `fit` (priors, noise_by_family, noise_trend), and of the tables:
        ``families`` (3), ``rows`` of each (14), ``nested`` (families in labs), ``known_se``.

    Raises
    ------
    BayesScalingError
        As `fit` does, or when there are fewer than 20 tables or 10 draws.
    """
    if tables < FEWEST or draws < 10:
        raise SpecError(
            f"tables={tables}, draws={draws}: give at least {FEWEST} tables and 10 draws, or no "
            "test can tell."
        )
    made = simulate(law, tables=tables, seed=seed, pool=pool, noise=noise, **options)
    show = shown_progress(progress)
    found = refit(made, seed=seed, out=None if out is None else Path(out), progress=show)
    return ranked(made, found, draws=draws, seed=seed)


@in_float64
def ranked(
    made: Simulated, found: Sequence[Result], *, draws: int = DRAWS, seed: int = 0
) -> Calibration:
    """Return the ranks of simulated tables' truths in posteriors, however these were got."""
    rng, labels = np.random.default_rng(seed), _labels(made)
    parts = [
        pd.DataFrame(
            {
                "table": i,
                "parameter": labels,
                **_ranks(_scalars(made, i, result), draws, rng),
                "sampler": result.sampler,
                "doubt": result.doubt,
                "rhat": result.numbers.get("rhat", result.numbers.get("nested_rhat", np.nan)),
            }
        )
        for i, result in enumerate(found)
    ]
    return Calibration(made.spec, pd.concat(parts, ignore_index=True))


def _labels(made: Simulated) -> list[str]:
    """A name for every scalar, such as ``E[2]`` for the third family's."""
    sizes = {name: np.shape(made.truth[name])[1:] for name in posterior_names(made.spec)}
    flat = [[f"{n}[{i}]" for i in range(*size)] if size else [n] for n, size in sizes.items()]
    return [*(label for part in flat for label in part), LIKELIHOOD]


def _scalars(made: Simulated, i: int, result: Result) -> _Scalars:
    names = posterior_names(made.spec)
    shape = result.sites["sigma"].shape[:2]
    truth = {name: np.asarray(made.truth[name][i]) for name in names}
    flat = {name: result.sites[name].reshape(-1, *truth[name].shape) for name in names}
    heights = _log_likelihood(made.spec, flat, truth, made.args[i])
    columns = [*(flat[name].reshape(*shape, -1) for name in names), heights[:-1].reshape(*shape, 1)]
    known = [*(truth[name].ravel() for name in names), heights[-1:]]
    return _Scalars(np.concatenate(columns, axis=2), np.concatenate(known))


def _log_likelihood(
    spec: ModelSpec, flat: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], args: Args
) -> np.ndarray:
    """Of every draw, and of the truth at the end, (sample + 1,)."""
    joined = {name: np.concatenate([flat[name], truth[name][None]])[None] for name in truth}
    curves = row_curves(spec, joined, args, jax.random.key(0))
    return np.asarray(curves.log_prob).sum(axis=1)


def _ranks(scalars: _Scalars, draws: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    columns = scalars.draws.transpose(2, 0, 1)
    kept = np.asarray([_independent(column, draws) for column in columns])
    pairs = zip(columns, kept, scalars.truth, strict=True)
    rank = np.asarray([int(np.sum(_thinned(x, n) < truth)) for x, n, truth in pairs])
    return {"rank": rank, "draws": kept, "pit": (rank + rng.uniform(size=len(rank))) / (kept + 1)}


def _independent(column: np.ndarray, most: int) -> int:
    """How many draws (chain, draw) to rank among: no more than they are worth."""
    worth = float(array_stats.ess(column))
    return int(np.clip(worth, 1, most)) if np.isfinite(worth) else 1


def _thinned(column: np.ndarray, n: int) -> np.ndarray:
    """``n`` draws at equal distances."""
    flat = column.ravel()
    return flat[np.linspace(0, len(flat) - 1, n).round().astype(int)]
