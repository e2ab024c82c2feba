"""The command that chooses runs to make. Heavy modules load when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import options as o
from bayes_scaling.cli import shell_words
from bayes_scaling.cli.app import command
from bayes_scaling.cli.asked import GoalAsked, OutAsked, PossibleRuns

if TYPE_CHECKING:
    from bayes_scaling.decisions.designing import Design


@command("""
bayes-scaling design fit.nc possible.csv --budget 1e21 --at N=70B,D=1.4T
bayes-scaling design fit.nc possible.csv --budget 5000 --cost dollars --goal alpha --batch 4
bayes-scaling design fit.nc --within N=10M..1B --within M=5..80 --budget 1e20 --goal 1e24
bayes-scaling design fit.nc possible.csv --budget 1e21 --at N=70B,D=1.4T,family=c4 --json
""")
def design(
    fit: o.FitPath,
    possible: PossibleRuns,
    *,
    budget: o.Spend,
    aim: GoalAsked,
    batch: o.Batch = None,
    repeats: o.Repeats = 1,
    model_error: o.ErrorIn = True,
    seed: o.Seed = 0,
    written: OutAsked,
) -> int:
    """Choose the runs to pay for next.

    Of the runs that could be made, a table or a grid within bounds, those that are expected to take
    away most of the variance of a goal: of a forecast (--at), of a parameter or of the best size at
    a budget (--goal). A run costs 6 N D FLOPs unless the table has a column of costs.
    """
    from bayes_scaling.cli.outputs import exit_code
    from bayes_scaling.decisions.designing import design as choose_runs
    from bayes_scaling.storage import load

    target, loaded = written.target(), load(fit)
    found = choose_runs(
        loaded,
        possible.table(),
        budget=shell_words.numbers([budget])[0],
        goal=aim.goal(loaded),
        batch=batch,
        repeats=repeats,
        model_error=model_error,
        seed=seed,
        **possible.options(),
        **aim.options(),
    )
    _show(fit, found, target, written.as_json)
    return exit_code(loaded)


def _show(file: str, found: Design, target: Any, as_json: bool) -> None:
    """Print the runs, as JSON or for people, after writing their table where asked for."""
    from bayes_scaling.cli.outputs import write_table
    from bayes_scaling.cli.printing import emit, emit_json, emit_notes, emit_table, emit_wrapped
    from bayes_scaling.records import design_record

    if target is not None:
        write_table(found.table, target)
    if as_json:
        emit_json({"file": file, **design_record(found)})
        return
    emit_wrapped(f"{found.title}.")
    if len(found.table):
        columns = found.texts()
        emit("")
        emit_table(list(columns), list(zip(*columns.values(), strict=True)), numbers=len(columns))
    emit_notes(found.notes)
    if target is not None:
        emit(f"\nWrote {target}.")
