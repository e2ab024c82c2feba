"""SLDBench's tasks with the plain laws of the catalogue: R2 of the runs held out, and coverage.

Run as ``python benchmarks/sldbench.py --data DIR [--only TEXT] [--out FILE]``.

Tasks, splits and the scores to compare with are those of "Can Language Models Discover Scaling
Laws?" (arXiv:2507.21184) as far as the tables at hand allow. One law of the catalogue is fitted
under its natural pooling to all groups of a task at once; nothing is tuned to the task. R2 is over
the held-out rows of all groups together, as there: `R2` of the default forecast, which has the
law's own error in, with a prior that no published table has touched, and of the law alone. What R2
does not see is the share of held-out rows in the 90 % intervals of new runs, and their width.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from keeping import asked_of, header, keep, line

import bayes_scaling as bs
from bayes_scaling.bench.compare import about
from bayes_scaling.replication import score

# R2 of the human law and of the best agent seen on the task, as the paper and its followers report
PUBLISHED = {
    "parallel": (1.000, 1.000),
    "vocabulary": (0.966, 0.987),
    "fine-tuning": (0.957, 0.993),
    "experts": (0.703, 0.813),
    "repeated data": (0.911, 0.944),
    "learning rate and batch": (-0.076, 0.604),
    "mixture": (0.671, 0.988),
}
NOTES = {
    "parallel": "the paper's split",
    "vocabulary": "the paper's split; tokens from characters by the formula of Tao et al.; rows "
    "are checkpoints of 60 runs",
    "fine-tuning": "FLAN alone, one of three data sets, with thirty models; the paper's rule: "
    "819,200 examples from all smaller sets",
    "experts": "the paper's rule, all 1.3B models; 195 rows to fit where it has 193",
    "repeated data": "the paper's rule, the two largest sizes and numbers of tokens; unique tokens "
    "and tokens, swapped in the paper's copy, put right",
    "learning rate and batch": "the released dense grid, without runs that diverged; the largest "
    "size held out, 151 rows where the paper has 117",
    "mixture": "the paper's split; scores are means over five validation losses",
}

LEFT_OUT = "Not here: U-shaped scores (no table)."


class Task(NamedTuple):
    """Runs, whether each row is held out, and the law."""

    runs: bs.Runs
    ahead: np.ndarray
    law: str


def _task(table: pd.DataFrame, ahead: pd.Series, law: str, **reading: Any) -> Task:
    """Rows that repeat a run's id are its checkpoints, and are read as such."""
    if "run_id" in table and table["run_id"].duplicated().any():
        return Task(bs.read_runs(table, run="run_id", **reading), ahead.to_numpy(bool), law)
    kept = table.drop(columns="run_id", errors="ignore")
    return Task(bs.read_runs(kept, **reading), ahead.to_numpy(bool), law)


def _read(data: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(data / name / f"{name}.csv")


def parallel(data: Path) -> Task:
    """Parallel streams: eight of them held out."""
    table = _read(data, "parscale")
    columns = {"N": "params_non_embed", "streams": "parallel"}
    return _task(table, table["parallel"] == 8, "parscale", group="family", columns=columns)


def vocabulary(data: Path) -> Task:
    """Vocabularies: the largest held out."""
    table = _read(data, "vocab_scaling")
    x = np.log(table["vocab_size"])
    table["D"] = table["characters"] * (0.00639222 * x**2 - 0.15811069 * x + 1.20470122)
    columns = {"N": "params_non_vocab", "Nv": "params_vocab", "C": None, "V": None,
               "L_unigram": "loss_unigram_normalized"}  # fmt: skip
    ahead = table["vocab_size"] == table["vocab_size"].max()
    return _task(table, ahead, "tao", columns=columns, response="L_unigram")


def fine_tuning(data: Path) -> Task:
    """Fine-tuning on FLAN: the set of 819,200 examples held out."""
    table = _read(data, "sft_flan")
    table = table[(table["examples"] > 0) & (table["examples"] <= 819_200)]
    columns = {"L": "loss", "N": None, "Df": "examples"}
    ahead = table["examples"] == 819_200
    return _task(table, ahead, "rectified_sft", group="model", columns=columns)


def experts(data: Path) -> Task:
    """Routed models: the largest size held out."""
    table = _read(data, "routed_lm")
    last = table[table["is_last"].astype(bool)]
    columns = {"N": "params_dense", "experts": "num_experts", "L": "loss", "D": None}
    return _task(last, last["role"] == "forecast", "clark", group="family", columns=columns)


def repeated_data(data: Path) -> Task:
    """Repeated data: the two largest sizes and numbers of tokens held out."""
    table = _read(data, "data_constrained")
    top = {name: np.sort(table[name].unique())[-2] for name in ("params", "tokens")}
    ahead = (table["params"] >= top["params"]) | (table["tokens"] >= top["tokens"])
    columns = {"N": "params", "D": "tokens", "U": "unique_tokens", "C": None}
    return _task(table, ahead, "muennighoff", columns=columns)


def learning_rate_and_batch(data: Path) -> Task:
    """Learning rates and batch sizes: the largest model held out."""
    table = _read(data, "steplaw_dense")
    kept = table[table["role"] != "diverged"]
    columns = {"N": "params_non_embed", "D": "tokens", "B": "batch_tokens", "lr": "lr",
               "L": "loss_smooth", "S": None}  # fmt: skip
    return _task(kept, kept["role"] == "forecast", "step_law_surface", columns=columns)


def mixture(data: Path) -> list[Task]:
    """Mixtures of five domains: six held out of each of four sizes, five losses."""
    table, shares = _read(data, "domain_mixture"), [f"p{i}" for i in range(1, 6)]
    law = f"ye_mixing({', '.join(shares)})"
    return [
        _task(table, table["split"] == "eval", law, group="family", inputs=shares,
              columns={"L": f"loss{i}", "N": None})
        for i in range(1, 6)
    ]  # fmt: skip


TASKS: dict[str, Callable[[Path], Task | list[Task]]] = {
    "parallel": parallel,
    "vocabulary": vocabulary,
    "fine-tuning": fine_tuning,
    "experts": experts,
    "repeated data": repeated_data,
    "learning rate and batch": learning_rate_and_batch,
    "mixture": mixture,
}


def judge(name: str, data: Path) -> dict[str, Any]:
    """The scores of a task, of the law with its own error and of the law alone."""
    found = TASKS[name](data)
    tasks = found if isinstance(found, list) else [found]
    clock = time.perf_counter()
    each = [_judge(task) for task in tasks]
    train = tasks[0].runs.subset(~tasks[0].ahead)
    human, agent = PUBLISHED[name]
    alone = _mean([e.alone for e in each])
    return {
        "task": name,
        "law": tasks[0].law,
        "fitted": train.n,
        "held_out": int(tasks[0].ahead.sum()),
        "groups": len(train.group_levels(train.groups[-1])) if train.groups else 1,
        **{k: v for k, v in _mean([e.ours or e.alone for e in each]).items() if k != "runs"},
        "law_alone": {k: alone[k] for k in ("r2", "mape", "coverage_90", "width_90")},
        "human_r2": human,
        "agent_r2": agent,
        "verdict": "; ".join(dict.fromkeys(e.fit.diagnose().verdict for e in each)),
        "samplers": [step["sampler"] for e in each for step in e.fit.path],
        "seconds": round(time.perf_counter() - clock, 1),
        "note": "; ".join(filter(None, dict.fromkeys([NOTES[name], *(e.why for e in each)]))),
    }


class Judged(NamedTuple):
    """A fit with its scores: with the law's own error in, why without, and of the law alone."""

    fit: bs.Fit
    ours: dict[str, Any]
    why: str
    alone: dict[str, Any]


def _judge(task: Task) -> Judged:
    train, test = task.runs.subset(~task.ahead), task.runs.subset(task.ahead)
    fit = bs.fit(train, task.law, progress=False)
    actual = test.values[test.response]
    alone = score(bs.forecast(fit, test, prob=0.9, model_error=False).table, actual)
    ours, why = _with_error(fit, test, actual)
    return Judged(fit, ours, why, alone)


def _mean(scores: list[dict[str, Any]]) -> dict[str, float]:
    return {k: round(float(np.mean([s[k] for s in scores])), 4) for k in scores[0]}


def _with_error(fit: bs.Fit, test: bs.Runs, actual: np.ndarray) -> tuple[dict[str, Any], str]:
    """Scores with the law's own error in; none, and why, where it is refused."""
    try:
        error = bs.model_error(fit, leave_out="all")
    except bs.ForecastError:
        return {}, "too many groups for the law's own error: the law alone"
    return score(bs.forecast(fit, test, prob=0.9, model_error=error).table, actual), ""


def means(records: list[dict[str, Any]]) -> dict[str, float]:
    """Mean R2 over the tasks, ours and published, and the share of all rows in our intervals."""
    rows = [r["held_out"] for r in records]
    found = {k: np.mean([r[k] for r in records]) for k in ("r2", "human_r2", "agent_r2")}
    found["law_alone_r2"] = np.mean([r["law_alone"]["r2"] for r in records])
    found["coverage_90"] = np.average([r["coverage_90"] for r in records], weights=rows)
    return {k: round(float(v), 3) for k, v in found.items()}


HEADER = ("task", "law", "rows fitted", "held out", "groups", "R2", "law alone", "human law",
          "best agent", "in 90 %", "width")  # fmt: skip


def page(whole: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [*header("SLDBench", whole), (__doc__ or "").split("\n\n")[2].strip(), ""]
    lines += [line(HEADER), "|" + "---|" * len(HEADER)]
    lines += [line(_cells(r)) for r in whole["records"]] + [line(_last(whole["mean"]))]
    notes = [f"- {r['task']}: {r['note']}" for r in whole["records"]]
    return "\n".join([*lines, "", *notes, "", LEFT_OUT]) + "\n"


def _cells(r: dict[str, Any]) -> list[Any]:
    scores = (r["r2"], r["law_alone"]["r2"], r["human_r2"], r["agent_r2"])
    shares = (f"{100 * r['coverage_90']:.0f} %", f"{100 * r['width_90']:.1f} %")
    counts = (r["fitted"], r["held_out"], r["groups"])
    return [r["task"], f"`{r['law']}`", *counts, *(f"{v:.3f}" for v in scores), *shares]


def _last(mean: dict[str, float]) -> list[str]:
    scores = (mean[k] for k in ("r2", "law_alone_r2", "human_r2", "agent_r2"))
    share = f"{100 * mean['coverage_90']:.0f} % of all rows"
    return ["mean", "", "", "", "", *(f"{v:.3f}" for v in scores), share, ""]


def main() -> None:
    """Print, and write, one record for each task."""
    asked = asked_of(__doc__)
    records = []
    for name in (n for n in TASKS if asked.only in n):
        records.append(judge(name, asked.data))
        print(records[-1], flush=True)
    whole = {**about(), "mean": means(records), "records": records}
    keep(whole, asked.out, page)


if __name__ == "__main__":
    main()
