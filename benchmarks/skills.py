"""Latent skills against laws of single benchmarks, on models held back that are larger.

Run as ``python benchmarks/skills.py --data DIR [--only TEXT] [--out FILE]``; results of other ways
that FILE already holds are kept.

`sloth_families`: the largest member of every family held back, tuned models a family of their own;
`skills K`: one joint posterior of K skills from log N and log D; `sigmoid C`: every benchmark by
itself, families forgotten, a logistic curve in log C; `sloth`: every benchmark by itself, families
pooled. `obs_scaling`: models above 8.4e22 FLOPs held back; from compute as above (base benchmarks
and leaderboard), and from base benchmarks: the large models' eight base scores known, their other
scores to be told, beside three principal components with a logistic curve on them (after Ruan et
al. 2024). Mean absolute error of the median, and width of the 90 % interval of a new score, in
points of a hundred; the share held.
"""

import json
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from keeping import asked_of, header, keep, line
from scipy.optimize import least_squares

import bayes_scaling as bs
from bayes_scaling._x64 import in_float64
from bayes_scaling.bench.compare import about
from bayes_scaling.latent.start import low_rank
from bayes_scaling.law_draws import law_draws

CUT = 8.4e22  # FLOPs, the paper's
FLOORS = {
    "mmlu": 0.25, "arc": 0.25, "arc_c": 0.25, "hellaswag": 0.25, "winogrande": 0.5, "winograd": 0.5,
    "xwinograd": 0.5, "truthfulqa": 0.31, "leaderboard_bbh": 0.2885, "leaderboard_gpqa": 0.25,
    "leaderboard_mmlu_pro": 0.1, "leaderboard_musr": 0.3433, "bbh": 0.2885, "gpqa": 0.25,
    "mmlu_pro": 0.1, "musr": 0.3433, "parsinlu_qa_2_acc": 0.25,
}  # fmt: skip
BASE = ("mmlu", "arc_c", "hellaswag", "winograd", "truthfulqa", "gsm8k", "xwinograd", "humaneval")
SLOTH = (
    "ifeval", "bbh", "math_lvl_5", "gpqa", "musr", "mmlu_pro", "mmlu", "arc", "hellaswag",
    "truthfulqa", "gsm8k", "winogrande", "xwinograd", "humaneval",
)  # fmt: skip
SETTINGS = {"draws": 500, "warmup": 500, "progress": False}


def sloth_table(data: Path) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Models with known tokens, which are held back, and the benchmarks."""
    whole = pd.read_csv(data / "sloth_families" / "sloth_families.csv")
    table = whole[whole["tokens"].notna()].reset_index(drop=True)
    tuned = table["instruct"].map({True: " tuned", False: ""})
    table = table.assign(family=table["family"] + tuned)
    return table, (table["role"] == "forecast").to_numpy(), list(SLOTH)


def obs_table(data: Path) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Models with known compute, which are above the cut, and the benchmarks."""
    whole = pd.read_csv(data / "obs_scaling" / "obs_scaling.csv")
    table = whole[whole["flops"].notna()].reset_index(drop=True)
    others = [c for c in table if c.startswith("leaderboard_") or c.endswith(("_acc", "_match"))]
    return table, (table["flops"] > CUT).to_numpy(), [*BASE, *others]


def common_only(
    table: pd.DataFrame, ahead: np.ndarray, names: list[str]
) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """The same with base benchmarks and those of the leaderboard alone."""
    return table, ahead, [n for n in names if n in BASE or n.startswith("leaderboard_")]


Told = pd.DataFrame  # one row a held-back score: benchmark, median, low, high, actual


def by_skills(table: pd.DataFrame, ahead: np.ndarray, names: list[str], **options: Any) -> Any:
    """Forecast of every held-back model from its inputs and family, and the fit."""
    floors = {n: FLOORS.get(n, 0.0) for n in names}
    fit = bs.skills(table[~ahead], names, chance=floors, **options, **SETTINGS)
    test = table[ahead].reset_index(drop=True)
    at = test.rename(columns={"params": "N", "tokens": "D", "flops": "C"})
    found = fit.forecast(at[[*fit.layout.inputs, "family"]], names, prob=0.9).table
    return _told(found, test[names].to_numpy().ravel()), fit


def from_base(table: pd.DataFrame, ahead: np.ndarray, names: list[str], **options: Any) -> Any:
    """Forecast of the large models' other scores, their base scores known, and the fit."""
    hidden = table.copy()
    others = [n for n in names if n not in BASE]
    hidden.loc[ahead, others] = np.nan
    floors = {n: FLOORS.get(n, 0.0) for n in names}
    fit = bs.skills(hidden, names, chance=floors, model="model", **options, **SETTINGS)
    found = fit.forecast({"model": table["model"][ahead].tolist()}, others, prob=0.9).table
    return _told(found, table.loc[ahead, others].to_numpy().ravel()), fit


def _told(found: pd.DataFrame, actual: np.ndarray) -> Told:
    low, high = found["run_90_low"], found["run_90_high"]
    told = found[["benchmark", "median"]].assign(low=low, high=high, actual=actual)
    return pd.DataFrame(told[told["actual"].notna()])


@in_float64
def one_by_one(
    table: pd.DataFrame, ahead: np.ndarray, names: list[str], law: str, inputs: dict[str, str]
) -> Told:
    """Every benchmark by itself, with a law of the catalogue."""
    columns = {"N": None, "D": None, "C": None, **inputs, "acc": "score"}
    group = "family" if law == "sloth" else None
    read = {"columns": columns, "response": "acc", "group": group}
    parts = [table.assign(score=table[n])[table[n].notna()] for n in names]
    late = [ahead[p.index.to_numpy()] for p in parts]
    chosen = [i for i, a in enumerate(late) if a.any()]
    runs = [bs.read_runs(parts[i][~late[i]], **read) for i in chosen]
    longest = max(r.n for r in runs)
    many = bs.fit_many(runs, law, rows=longest, progress=False)
    frames = []
    for place, i in enumerate(chosen):
        test = bs.read_runs(parts[i][late[i]], **read)
        drawn = jax.device_get(law_draws(many.sampled(place), test, jax.random.key(place)).run)
        low, high = np.percentile(np.clip(drawn, 0, 1), [5, 95], axis=0)
        told = {"median": np.median(drawn, axis=0), "low": low, "high": high}
        frames.append(pd.DataFrame({"benchmark": names[i], **told, "actual": test.values["acc"]}))
    return pd.concat(frames, ignore_index=True)


def by_components(table: pd.DataFrame, ahead: np.ndarray, names: list[str]) -> Told:
    """Three components of the base scores, and a logistic curve on them for every other score."""
    component = low_rank(table[list(BASE)].to_numpy(), 3).skill
    frames = []
    for name in (n for n in names if n not in BASE):
        score, floor = table[name].to_numpy(), FLOORS.get(name, 0.0)
        known = np.isfinite(score)
        x = np.column_stack([np.ones(len(table)), component])

        def curve(w: np.ndarray, x: np.ndarray = x, floor: float = floor) -> np.ndarray:
            return floor + (1 - floor) / (1 + np.exp(-np.clip(x @ w, -30, 30)))

        fitted, asked = known & ~ahead, known & ahead

        def left(w: np.ndarray, rows: np.ndarray = fitted, y: np.ndarray = score) -> np.ndarray:
            return curve(w)[rows] - y[rows]

        found = least_squares(left, np.array([-1.0, 0, 0, 0])).x
        points = {"median": curve(found)[asked], "low": np.nan, "high": np.nan}
        frames.append(pd.DataFrame({"benchmark": name, **points, "actual": score[asked]}))
    return pd.concat(frames, ignore_index=True)


def ways(data: Path) -> dict[tuple[str, str, str], Any]:
    """Functions by table, what is known of the held-back models, and way."""
    sloth, obs = sloth_table(data), obs_table(data)
    both = {"N": "params", "D": "tokens"}
    one = {"C": "flops"}
    found: dict[tuple[str, str, str], Any] = {}
    for k in (1, 2):
        found["sloth_families", "family, N, D", f"skills {k}"] = lambda k=k: by_skills(
            *sloth, n_skills=k
        )
    found["sloth_families", "family, N, D", "sigmoid C"] = lambda: one_by_one(
        *sloth, "compute_sigmoid", one
    )
    found["sloth_families", "family, N, D", "sloth"] = lambda: one_by_one(*sloth, "sloth", both)
    for k in (1, 2):
        found["obs_scaling", "family, C", f"skills {k}"] = lambda k=k: by_skills(
            *common_only(*obs), n_skills=k, inputs=["C"]
        )
    found["obs_scaling", "family, C", "sigmoid C"] = lambda: one_by_one(
        *common_only(*obs), "compute_sigmoid", one
    )
    for k in (1, 2):
        found["obs_scaling", "base scores", f"skills {k}"] = lambda k=k: from_base(
            *obs, n_skills=k, inputs=["C"]
        )
    found["obs_scaling", "base scores", "components"] = lambda: by_components(*obs)
    return found


def record(key: tuple[str, str, str], run: Any) -> dict[str, Any]:
    """Scores of one way; by benchmark too."""
    clock, made = time.perf_counter(), run()
    told, fit = made if isinstance(made, tuple) else (made, None)
    off = 100 * (told["median"] - told["actual"]).abs()
    held = (told["low"] <= told["actual"]) & (told["actual"] <= told["high"])
    banded = bool(told["low"].notna().all())
    found = {
        **dict(zip(("table", "known", "way"), key, strict=True)),
        "scores": len(told),
        "error": round(float(off.mean()), 2),
        "coverage_90": round(float(held.mean()), 3) if banded else None,
        "width_90": round(100 * float((told["high"] - told["low"]).mean()), 1) if banded else None,
        "by_benchmark": off.groupby(told["benchmark"]).mean().round(2).to_dict(),
    }
    if fit is not None:
        numbers = fit.diagnose().numbers
        found |= {"anchors": list(fit.layout.anchors), "verdict": fit.diagnose().severity}
        found |= {n: round(numbers[n], 3) for n in ("rhat_max", "ess_bulk_min", "divergences")}
    return {**found, "seconds": round(time.perf_counter() - clock, 1)}


HEADER = ("table", "known of the large", "way", "scores", "error", "in 90 %", "width", "R-hat",
          "seconds")  # fmt: skip


def page(whole: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [*header("Latent skills", whole), (__doc__ or "").split("\n\n")[2].strip(), ""]
    lines += [line(HEADER), "|" + "---|" * len(HEADER)]
    for r in whole["records"]:
        share = "" if r["coverage_90"] is None else f"{100 * r['coverage_90']:.0f} %"
        ends = (share, r["width_90"] or "", r.get("rhat_max", ""), r["seconds"])
        lines.append(line((r["table"], r["known"], r["way"], r["scores"], r["error"], *ends)))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what was asked for, keep the rest."""
    asked = asked_of(__doc__)
    old = json.loads(asked.out.read_text())["records"] if asked.out and asked.out.is_file() else []
    kept = {(r["table"], r["known"], r["way"]): r for r in old}
    everything = ways(asked.data)
    for key in (k for k in everything if asked.only in " ".join(k)):
        kept[key] = record(key, everything[key])
        print({k: v for k, v in kept[key].items() if k != "by_benchmark"}, flush=True)
        records = [kept[k] for k in everything if k in kept]
        keep({**about(), "records": records}, asked.out)
    keep({**about(), "records": [kept[k] for k in everything if k in kept]}, asked.out, page)


if __name__ == "__main__":
    main()
