"""The command that judges a law on runs held out. Heavy modules load when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import options as o
from bayes_scaling.cli.app import command
from bayes_scaling.cli.asked import LawAsked, NoisyModelAsked, OutAsked, RunsAsked

if TYPE_CHECKING:
    from bayes_scaling.backtesting import Backtest


@command("""
bayes-scaling backtest runs.csv --group family
bayes-scaling backtest runs.csv --law 'power_law_with_floor(C)' --cut 0.5 --cut 0.75
bayes-scaling backtest runs.csv --group family --by largest --json
bayes-scaling backtest runs.csv --by N --cut 1B --out scores.csv
""")
def backtest(
    runs: RunsAsked,
    *,
    law: LawAsked,
    model: NoisyModelAsked,
    by: o.By = None,
    cut: o.Cut = None,
    model_error: o.ModelError = True,
    seed: o.Seed = 0,
    written: OutAsked,
) -> int:
    """Fit the smaller runs, forecast the larger ones, and score the forecasts.

    Shows the share of held-out runs inside the bands, how wide those are, and what the smaller runs
    say of the law's own error. The table of --out has one row for every held-out run.
    """
    from bayes_scaling.backtesting import SHARES
    from bayes_scaling.backtesting import backtest as score
    from bayes_scaling.cli.outputs import write_table
    from bayes_scaling.cli.printing import emit_json, shell_progress
    from bayes_scaling.quantity import parse_quantity

    target, chosen = written.target(), law.found()
    found = score(
        runs.read(chosen),
        chosen,
        by=by,
        cuts=[parse_quantity(text) for text in cut] if cut else SHARES,
        **model.options(),
        model_error=model_error,
        seed=seed,
        progress=shell_progress("fitting cut-offs"),
    )
    if target is not None:
        write_table(found.table, target)
    if written.as_json:
        emit_json({"source": runs.path, **backtest_record(found)})
    else:
        _print(found)
    return 0


def backtest_record(found: Backtest) -> dict[str, Any]:
    """Scores by cut-off and over all, and the law's error at each, as a record."""
    whole = found.scores(None).iloc[0].to_dict()
    cuts = found.scores("cut").reset_index().to_dict("records")
    doubts = found.table.drop_duplicates("cut")[["cut", "doubt"]].to_dict("records")
    errors = [
        {"cut": h.split.label, "probability": h.error.probability, **h.error.hypers}
        for h in found.held_out
        if h.error is not None
    ]
    return {"all": whole, "cuts": cuts, "along": found.scale, "model_errors": errors,
            "doubts": doubts}  # fmt: skip


def _print(found: Backtest) -> None:
    from bayes_scaling.cli.printing import emit, emit_table, emit_wrapped

    label = f"{100 * max(found.probs):g}"
    names = ["runs", "mean_distance", f"coverage_{label}", f"width_{label}", "crps", "bias"]
    heads = ("cut", "runs", f"decades of {found.scale} beyond", f"inside {label} %", "width",
             "CRPS", "bias")  # fmt: skip
    scores = found.scores("cut")
    rows = [(str(cut), *(_shown(n, row[n]) for n in names)) for cut, row in scores.iterrows()]
    rows.append(("all", *(_shown(n, found.scores(None)[n].item()) for n in names)))
    emit_table(heads, rows, 6)
    emit("")
    emit_wrapped(_in_words(found))
    for doubt in sorted({d for d in found.table["doubt"] if d}):
        emit_wrapped(f"a cut-off did not converge: {doubt}")


def _in_words(found: Backtest) -> str:
    last = found.held_out[-1]
    if last.error is None:
        return "the bands are the law's alone; without --no-model-error they have its own error in"
    low, middle, high = last.error.summary().loc["size"]
    return (
        f"from the runs up to cut {last.split.label}: the law has an error of its own with "
        f"probability {last.error.probability:.2f}; its size at their edge would be {middle:.2g} "
        f"({low:.2g} to {high:.2g}) of {found.fits.specs[-1].law.response}"
    )


def _shown(name: str, value: float) -> str:
    return f"{value:.0f}" if name == "runs" else f"{value:.3g}"
