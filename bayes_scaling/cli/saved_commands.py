"""Commands on a saved fit: show, forecast. Heavy modules load when a command runs."""

from __future__ import annotations

from bayes_scaling.cli import options as o
from bayes_scaling.cli import shell_words
from bayes_scaling.cli.app import command
from bayes_scaling.cli.asked import OutAsked


@command("""
bayes-scaling show fit.nc
bayes-scaling show fit.nc --json
""")
def show(fit: o.FitPath, as_json: o.Json = False) -> int:
    """Show a saved fit: posterior, verdict, and how it was made."""
    from bayes_scaling.cli import reports
    from bayes_scaling.cli.outputs import exit_code
    from bayes_scaling.cli.printing import emit_json
    from bayes_scaling.cli.records import fit_record
    from bayes_scaling.storage import load

    loaded = load(fit)
    if as_json:
        emit_json({"file": fit, **fit_record(loaded)})
    else:
        reports.print_shown(loaded)
    return exit_code(loaded)


@command("""
bayes-scaling forecast fit.nc --at N=70e9,D=1.4e12,family=c4
bayes-scaling forecast fit.nc --at N=7B,D=2T --at N=70B,C=5.8e23 --prob 0.8
bayes-scaling forecast fit.nc --at-file points.csv --out forecast.csv
bayes-scaling forecast fit.nc --at N=70B,D=1.4T --json
""")
def forecast(
    fit: o.FitPath,
    *,
    at: o.At = None,
    at_file: o.AtFile = None,
    prob: o.Prob = None,
    model_error: o.ModelError = True,
    seed: o.Seed = 0,
    written: OutAsked,
) -> int:
    """Forecast runs that have not been made.

    Gives the band of the law's curve, that with the law's own error, and the band a new run would
    fall in. A family that the fit lacks gets the population's forecast. Of N, D and C any two will
    do.
    """
    from bayes_scaling.cli import reports
    from bayes_scaling.cli.outputs import exit_code, write_table
    from bayes_scaling.cli.points import read_points
    from bayes_scaling.cli.printing import emit_json
    from bayes_scaling.cli.records import forecast_record
    from bayes_scaling.forecasting import forecast as forecast_at
    from bayes_scaling.storage import load

    target, loaded = written.target(), load(fit)
    points = read_points(loaded, at or [], at_file)
    probs = shell_words.probs(prob)
    ahead = forecast_at(loaded, points, prob=probs, model_error=model_error, seed=seed)
    if target is not None:
        write_table(ahead.table, target)
    if written.as_json:
        emit_json({"file": fit, "response": loaded.spec.law.response, **forecast_record(ahead)})
    else:
        reports.print_ahead(ahead, loaded, target)
    return exit_code(loaded)
