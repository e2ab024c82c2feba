"""Published learning curves: how far ahead of their data laws of one covariate can be trusted.

Run as ``python benchmarks/curves.py --data DIR [--only TEXT] [--keep DIR] [--out FILE]``. The late
part of every curve is held back. ``points`` are least-squares fits of log y as the papers make
them, with their residuals for the noise; ``alone`` is the posterior of every curve by itself;
``ours`` the same with the law's own error in, as forecasts have it; ``pooled`` that of the curves
of a pool together, every parameter partially pooled (not of a set with a pool of one). Posteriors
see at most `ROWS` rows of a curve, even in log X, because neighbours repeat each other. The mixture
of a method gives each of its laws the same weight.

Scores are means over curves of means over `AHEAD` points spread over the part held back: RMSLE,
the root mean square error of log y of the predictive median; LL, the log predictive density of y;
coverage of 90 % bands; and the share of curves on which a row has the least RMSLE of all.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd
from curve_points import FORMS, point_fit
from curve_sets import SETS, thinned
from scipy import stats
from scipy.special import logsumexp

import bayes_scaling as bs
from bayes_scaling.bench.compare import about
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.law_draws import law_draws

LAWS = tuple(FORMS)
POOLED = LAWS[:2]  # a dozen broken power laws with six pooled parameters each take too long
ROWS, SEEN, AHEAD = 16, 100, 100  # rows of a curve: in a posterior, in a point fit, held back
SAMPLES = 1000
SCATTER = bs.lognormal(0.01, 0.002, 0.05)  # of log y; the default of the laws of curves
MIXTURE = "mixture"
# Lee et al. 2025, arXiv:2505.23032: RMSLE and LL, on all 72 curves of the first set
PUBLISHED = {
    "images": {"NSL-PFN": (0.0280, 3.330), "MCMC, M4": (0.0422, 3.024), "LC-PFN": (0.0428, 2.429)},
    "double descent": {"NSL-PFN": (0.0335, 2.565), "MCMC, BNSL": (0.0494, 1.250)},
}


class Drawn(NamedTuple):
    """Samples of a curve's points held back, (sample, point): law, new run, log density of y."""

    law: np.ndarray
    run: np.ndarray
    log_prob: np.ndarray


class Curve(NamedTuple):
    """A curve: its pool, the rows to fit, and `AHEAD` rows to forecast."""

    name: str
    pool: str
    fitted: pd.DataFrame
    ahead: pd.DataFrame


def curves_of(table: pd.DataFrame) -> list[Curve]:
    """The curves of a set; the rows to forecast are spread evenly, repeated where there are few."""
    found = []
    for name, own in table.groupby("curve", sort=False):
        late = own[own["ahead"]]
        rows = np.linspace(0, len(late) - 1, AHEAD).round().astype(int)
        found.append(
            Curve(str(name), str(own["pool"].iloc[0]), own[~own["ahead"]], late.iloc[rows])
        )
    return found


# --- methods: law and curves in, samples of every curve out --------------------------------


def points(law: str, curves: list[Curve], keep: Path | None) -> list[Drawn]:
    """One point fit a curve, with a normal error of log y."""
    rng = np.random.default_rng(0)
    found = []
    for curve in curves:
        seen, at = thinned(curve.fitted, SEEN), curve.ahead["X"].to_numpy(float)
        fit = point_fit(law, seen["X"].to_numpy(float), seen["Y"].to_numpy(float), at)
        middle = np.tile(fit.y, (SAMPLES, 1))
        log_prob = stats.lognorm.logpdf(curve.ahead["Y"], fit.sd, scale=middle)
        run = middle * np.exp(fit.sd * rng.normal(size=middle.shape))
        found.append(Drawn(middle, run, log_prob))
    return found


def alone(law: str, curves: list[Curve], keep: Path | None) -> list[Drawn]:
    """The posterior of every curve by itself."""
    fits = _alone(law, curves, keep)
    return [_ahead(fits, i, c.ahead[["X"]], c.ahead["Y"]) for i, c in enumerate(curves)]


def ours(law: str, curves: list[Curve], keep: Path | None) -> list[Drawn]:
    """The same with the law's own error."""
    fits = _alone(law, curves, keep)
    return [_ahead(fits, i, c.ahead[["X"]], c.ahead["Y"], True) for i, c in enumerate(curves)]


def _alone(law: str, curves: list[Curve], keep: Path | None) -> bs.ManyFits:
    tables = [thinned(c.fitted, ROWS)[["X", "Y"]] for c in curves]
    return bs.fit_many(tables, law, rows=ROWS, priors={"sigma": SCATTER}, out=keep, progress=False)


def pooled(law: str, curves: list[Curve], keep: Path | None) -> list[Drawn]:
    """The posterior of the curves of a pool together."""
    pools = list(dict.fromkeys(c.pool for c in curves))
    held = [[c for c in curves if c.pool == pool] for pool in pools]
    columns = ["X", "Y", "curve"]
    tables = [pd.concat([thinned(c.fitted, ROWS) for c in own])[columns] for own in held]
    fits = bs.fit_many(
        tables, law, group="curve", pool="partial", noise_by_family=True,
        priors={"sigma": SCATTER}, rows=ROWS * max(map(len, held)), out=keep, progress=False,
    )  # fmt: skip
    found: dict[str, Drawn] = {}
    for i, own in enumerate(held):
        at = pd.concat([c.ahead for c in own])
        whole = _ahead(fits, i, at[["X", "curve"]], at["Y"])
        for k, curve in enumerate(own):
            part = slice(k * AHEAD, (k + 1) * AHEAD)
            found[curve.name] = Drawn(*(v[:, part] for v in whole))
    return [found[c.name] for c in curves]


def _ahead(
    fits: bs.ManyFits, i: int, at: pd.DataFrame, y: pd.Series, own_error: bool = False
) -> Drawn:
    fit, actual = fits.sampled(i), y.to_numpy(float)
    drawn = law_draws(fit, at, jax.random.key(i), y=actual)
    if own_error:
        drawn = with_model_error(bs.model_error(fit, seed=i), drawn, y=actual, seed=i)
    assert drawn.log_prob is not None
    every = max(1, len(drawn.mean) // SAMPLES)
    return Drawn(*(v[::every][:SAMPLES] for v in (drawn.mean, drawn.run, drawn.log_prob)))


METHODS: dict[str, Callable[[str, list[Curve], Path | None], list[Drawn]]] = {
    "points": points,
    "alone": alone,
    "ours": ours,
    "pooled": pooled,
}


def mixed(parts: list[list[Drawn]]) -> list[Drawn]:
    """The samples of all laws together, curve by curve."""
    return [
        Drawn(*(np.concatenate(values) for values in zip(*of_curve, strict=True)))
        for of_curve in zip(*parts, strict=True)
    ]


# --- scores --------------------------------------------------------------------------------


def scores(drawn: Drawn, y: np.ndarray) -> dict[str, float]:
    """RMSLE, LL and coverage of one curve."""
    error = np.log(y) - np.log(np.median(drawn.law, axis=0))
    log_density = logsumexp(drawn.log_prob, axis=0) - np.log(len(drawn.log_prob))
    low, high = np.quantile(drawn.run, [0.05, 0.95], axis=0)
    return {
        "rmsle": float(np.sqrt(np.mean(error**2))),
        "ll": float(log_density.mean()),
        "coverage_90": float(((y >= low) & (y <= high)).mean()),
        "width_90": float((np.log(high) - np.log(low)).mean()),
        "bias": float(error.mean()),
    }


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a method and law: means over curves, the median RMSLE, the share of curves won."""
    keys = ["method", "law"]
    best = frame.loc[frame.groupby("curve")["rmsle"].idxmin()].groupby(keys).size()
    groups = frame.groupby(keys, sort=False)
    table = groups[["rmsle", "ll", "coverage_90", "width_90", "bias", "seconds"]].mean()
    table.insert(1, "median_rmsle", groups["rmsle"].median())
    return table.assign(won=best / frame["curve"].nunique()).fillna({"won": 0.0})


def judge(name: str, data: Path, keep: Path | None, methods: list[str]) -> pd.DataFrame:
    """Scores of every method, law and curve of a set."""
    curves, rows = curves_of(SETS[name](data)), []
    if min(Counter(curve.pool for curve in curves).values()) < 2:
        methods = [method for method in methods if method != "pooled"]

    def note(method: str, law: str, drawn: list[Drawn], seconds: float) -> None:
        for curve, own in zip(curves, drawn, strict=True):
            found = scores(own, curve.ahead["Y"].to_numpy(float))
            rows.append({"method": method, "law": law, "curve": curve.name, **found,
                         "seconds": seconds / len(curves)})  # fmt: skip

    for method in methods:
        parts, total = [], 0.0
        for law in POOLED if method == "pooled" else LAWS:
            clock = time.perf_counter()
            parts.append(METHODS[method](law, curves, keep))
            seconds = time.perf_counter() - clock
            total += seconds
            note(method, law, parts[-1], seconds)
            print(f"{name}, {method}, {law}: {seconds:.0f} s", flush=True)
        note(method, MIXTURE, mixed(parts), total)
    return pd.DataFrame(rows)


def main() -> None:
    """Print, and write, the scores of every set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--keep", type=Path, help="folder of finished posteriors, read untimed")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    records: dict[str, Any] = {}
    for name in (n for n in SETS if asked.only in n):
        table = summary(judge(name, asked.data, asked.keep, asked.methods))
        print(f"\n{name}\n{table.round(4).to_string()}\n", flush=True)
        records[name] = {
            "published": PUBLISHED.get(name, {}),
            "scores": table.round(4).reset_index().to_dict("records"),
        }
    if asked.out:
        if asked.only and asked.out.exists():
            records = {**json.loads(asked.out.read_text())["sets"], **records}
        asked.out.write_text(json.dumps({**about(), "sets": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
