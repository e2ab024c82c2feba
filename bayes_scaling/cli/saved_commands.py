"""Commands on a saved fit: show, forecast, report. Heavy modules load when a command runs."""

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
    from bayes_scaling.records import fit_record
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
    from bayes_scaling.forecasting import forecast as forecast_at
    from bayes_scaling.records import forecast_record
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


@command("""
bayes-scaling report fit.nc -o report.html
bayes-scaling report fit.nc --at N=70B,D=1.4T,family=c4 --title "Our third ladder"
bayes-scaling report fit.nc --family c4 --prob 0.8 --force --json
""")
def report(
    fit: o.FitPath,
    *,
    out: o.ReportOut = "report.html",
    at: o.At = None,
    at_file: o.AtFile = None,
    family: o.Family = None,
    title: o.Title = "",
    prob: o.Band = 0.9,
    seed: o.Seed = 0,
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Write a page on a fit: one HTML file to read in a browser, to send or to print.

    It has interactive pictures, a forecast, the best allocation, the diagnosis in words, the
    posterior, priors and data, and needs no network. Without --at it forecasts the largest run of
    every family, and 10 and 100 times its scale.
    """
    from pathlib import Path

    from bayes_scaling.cli.outputs import check_new, exit_code
    from bayes_scaling.cli.points import read_points
    from bayes_scaling.cli.printing import emit, emit_json, emit_notes
    from bayes_scaling.records import notes_record
    from bayes_scaling.reporting.making import report as make_report
    from bayes_scaling.storage import load

    target, loaded = check_new(Path(out), force), load(fit)
    points = read_points(loaded, at or [], at_file) if at or at_file else None
    made = make_report(
        loaded, target, at=points, families=family, title=title, prob=prob, seed=seed
    )
    if as_json:
        told = {"path": str(target), "bytes": made.bytes, "sections": list(made.sections)}
        emit_json({"file": fit, **told, "notes": notes_record(made.notes)})
    else:
        emit(f"Wrote {target} ({made.bytes / 1000:.0f} kB): open it in a browser.")
        emit_notes(made.notes)
    return exit_code(loaded)
