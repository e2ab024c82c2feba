"""The command on learning-rate schedules. Heavy modules load when it runs."""

from __future__ import annotations

from pathlib import Path

from bayes_scaling.cli import options as o
from bayes_scaling.cli.app import command


@command("""
bayes-scaling schedules curves.csv schedules.csv --out curves_with_sums.csv
bayes-scaling schedules curves.csv rates.csv --run run_id --between line --out curves_with_sums.csv
bayes-scaling fit curves_with_sums.csv --law multi_power --run run
bayes-scaling forecast fit.nc --at-file planned_with_sums.csv
""")
def schedules(
    points: o.LoggedPath,
    schedules: o.SchedulesPath,
    *,
    run: o.RunLabel = "run",
    step: o.StepColumn = "step",
    between: o.BetweenSteps = None,
    pieces: o.Pieces = True,
    out: o.WithSchedules = "with_schedules.csv",
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Add what laws of learning-rate schedules take to a table of logged steps.

    SCHEDULES has the rate of every step, in columns of the run, the step and lr; or a row a run
    with kind (constant, cosine, linear, exponential, one_minus_sqrt, two_stage, cyclic), steps,
    peak, and where they apply end, warmup, decay_from and period.
    """
    from bayes_scaling.cli.outputs import check_new, write_table
    from bayes_scaling.cli.printing import emit, emit_json
    from bayes_scaling.data.schedule_tables import add_schedules
    from bayes_scaling.schedules.inputs import input_names

    target = check_new(Path(out), force)
    made = add_schedules(points, schedules, run=run, step=step, between=between, pieces=pieces)
    write_table(made, target)
    runs, names = int(made[run].nunique()), input_names(pieces)
    if as_json:
        emit_json({"path": str(target), "rows": len(made), "runs": runs, "columns": names})
    else:
        laws = "tissue and multi_power" if pieces else "tissue"
        emit(f"Wrote {target}: {len(made)} rows of {runs} runs, ready for the laws {laws}.")
    return 0
