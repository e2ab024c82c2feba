"""Reports for reading: what was read, what was fitted, how, and what is ahead."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from bayes_scaling._errors import Note
from bayes_scaling.cli.printing import emit, emit_notes, emit_table, emit_wrapped
from bayes_scaling.cli.tables import print_forecast, print_posterior
from bayes_scaling.data.runs import Runs
from bayes_scaling.forecasting import Forecast
from bayes_scaling.posterior import Fit
from bayes_scaling.quantity import format_quantity
from bayes_scaling.records import made_record, posterior_table, runs_record
from bayes_scaling.rounding import beyond

LEGEND = (
    "law: where the law's curve lies if the law is right; model: with the law's own error; run: "
    "where one more run would fall, both included."
)

# --- a table of runs -----------------------------------------------------------------------


def print_runs(source: str, runs: Runs) -> None:
    """Print what was read of a table."""
    record = runs_record(runs)
    emit(f"{source}: {runs.n} runs, to predict {runs.response}\n")
    rows = [_column_row(each) for each in record["columns"]]
    emit_table(("", "meaning", "from column", "unit", "lowest", "highest", "values"), rows, 3)
    emit("")
    for name, counts in record["groups"].items():
        listed = ", ".join(f"{label} ({count})" for label, count in counts.items())
        emit_wrapped(f"{name}: {len(counts)} groups: {listed}")
    if record["training_runs"] is not None:
        emit(f"rows are checkpoints of {record['training_runs']} training runs")
    emit_notes(runs.notes)


def _column_row(column: dict[str, Any]) -> tuple[str, ...]:
    low, high = format_quantity(column["low"]), format_quantity(column["high"])
    name, meaning, unit = (column[k] for k in ("symbol", "meaning", "unit"))
    return (name, meaning, column["column"] or "(computed)", unit, low, high,
            str(column["distinct"]))  # fmt: skip


def print_told(law: str, notes: tuple[Note, ...]) -> None:
    """Print what a table can tell of a law."""
    emit(f"\nWhat these runs can tell of '{law}'")
    emit_notes(notes)
    if not any(note.code == "unidentified" for note in notes):
        emit_wrapped("every parameter changes the curve in its own way over these inputs", "  ")


# --- a fit ---------------------------------------------------------------------------------


def print_fit(fit: Fit) -> None:
    """Print formula, posterior, verdict and findings."""
    law, found = fit.spec.law, fit.diagnose()
    emit(f"{law.name}: {law.response} = {law.equation}\n")
    rows = posterior_table(fit).to_dict("records")
    print_posterior([{str(k): v for k, v in row.items()} for row in rows])
    emit("")
    emit_wrapped(f"Verdict: {found.verdict}.")
    emit_notes(found.findings)


def print_fitted(fit: Fit, saved: Path) -> None:
    """Print a new fit and what to do with it."""
    print_fit(fit)
    file = shlex.quote(str(saved))
    emit(f"\nSaved to {saved} in {float(fit.data.attrs['seconds']):.0f} s. Next")
    emit(f"  bayes-scaling show {file}")
    at = "-file points.csv" if fit.spec.law.pieces else f" {shlex.quote(_point_beyond(fit))}"
    emit(f"  bayes-scaling forecast {file} --at{at}")


def _point_beyond(fit: Fit) -> str:
    """A point at three times the largest inputs, as --at takes it."""
    runs, spec = fit.runs, fit.spec
    values = {n: format_quantity(3 * runs.values[n].max(), 2) for n in spec.law.inputs}
    even = format_quantity(1 / max(len(spec.law.simplex), 1))
    values |= dict.fromkeys(spec.law.simplex, even)
    values |= {g: str(runs.labels[g][-1]) for g in spec.groups}
    return ",".join(f"{name}={value}" for name, value in values.items())


def print_shown(fit: Fit) -> None:
    """Print a saved fit and how it was made."""
    print_fit(fit)
    made = made_record(fit)
    emit("\nModel")
    keys = ("name", "meaning", "pooling", "prior", "prior_of")
    rows = [[p[k] for k in keys] for p in made["parameters"]]
    emit_table(("parameter", "meaning", "pooling", "prior", "of"), rows)
    emit("")
    for line in (*_model_lines(made), *_made_lines(fit, made)):
        emit_wrapped(line)


def _model_lines(made: dict[str, Any]) -> list[str]:
    words = ["a level for each family"] if made["noise_by_family"] else []
    words += [f"changing with {made['noise_trend']}"] if made["noise_trend"] else []
    words += ["known standard errors added"] if made["known_standard_errors"] else []
    priors = [f"{name} {prior}" for name, prior in made["noise_priors"].items()]
    centre = ", ".join(f"{n} = {format_quantity(v)}" for n, v in made["reference"].items())
    return [
        f"noise {', '.join([made['observation'], *words])}; priors {', '.join(priors)}",
        f"centre of the data: {centre}",
    ]


def _made_lines(fit: Fit, made: dict[str, Any]) -> list[str]:
    s = made["settings"]
    families = [f", {len(labels)} of {name}" for name, labels in made["groups"].items()]
    versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
    return [
        f"{fit.runs.n} runs{''.join(families)}; {s['sampler']}, {s['chains']} chains x "
        f"{s['draws']} draws after {s['warmup']} of warm-up, seed {s['seed']}",
        f"made {made['created_at']} in {made['seconds']:.0f} s with {versions}",
    ]


# --- a forecast ----------------------------------------------------------------------------


def print_ahead(ahead: Forecast, fit: Fit, written: Path | None) -> None:
    """Print a forecast and how to read it."""
    emit(f"{fit.spec.law.response} by {fit.spec.law.name}, from {fit.runs.n} runs\n")
    print_forecast(ahead.table, fit)
    emit("")
    emit_wrapped(LEGEND)
    if beyond(ahead.table):
        emit_wrapped("outside: decades beyond the runs fitted (+ above, - below).")
    emit_notes(ahead.notes)
    if written is not None:
        emit(f"\nWrote {written}.")
