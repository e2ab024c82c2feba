"""The quick-start as it is shown: what was fitted, how its forecast did, what to do next."""

from __future__ import annotations

import shlex
from typing import Any

import pandas as pd

from bayes_scaling.cli.printing import emit, emit_notes, emit_wrapped
from bayes_scaling.cli.reports import LEGEND, print_fit
from bayes_scaling.cli.tables import print_forecast
from bayes_scaling.quickstart import WHY_NON_EMBEDDING, Quickstart
from bayes_scaling.records import fit_record, notes_record


def quickstart_record(found: Quickstart) -> dict[str, Any]:
    """Everything the quick-start found, for JSON."""
    return {
        "fit": fit_record(found.fit),
        "held_out": found.table.to_dict("records"),
        "forecast_notes": notes_record(found.forecast.notes),
        "files": [str(path) for path in found.files],
        "seconds": found.seconds,
    }


def print_quickstart(found: Quickstart, out: str) -> None:
    """Print the fit, the forecast of the held-out runs, and the next steps."""
    n, held = found.fit.runs.n, found.held_out.n
    emit_wrapped(f"{n} runs fitted, {held} held out. {WHY_NON_EMBEDDING}")
    emit("")
    print_fit(found.fit)
    emit("\nForecast of the held-out runs\n")
    print_forecast(found.table, found.fit)
    emit("")
    emit_wrapped(LEGEND)
    emit_wrapped(score_words(found.table))
    emit_notes(found.forecast.notes)
    emit(f"\nWrote {', '.join(str(path) for path in found.files)} in {found.seconds:.0f} s.")
    _print_next(shlex.quote(out.rstrip("/") or out))


def score_words(table: pd.DataFrame) -> str:
    """Return in words how many held-out runs fell in the new-run bands, and which did not."""
    n = len(table)
    below = table.loc[table["actual"] < table["run_90_low"], "model"]
    above = table.loc[table["actual"] > table["run_90_high"], "model"]
    missed = [*(f"{name} is below" for name in below), *(f"{name} is above" for name in above)]
    return (
        f"Inside the new-run band: {table['inside_50'].sum()} of {n} at 50 %, "
        f"{table['inside_90'].sum()} of {n} at 90 %{' (' if missed else ''}{', '.join(missed)}"
        f"{')' if missed else ''}. {n} runs show the bands at work; they are too few to judge them."
    )


def _print_next(folder: str) -> None:
    emit("\nNext")
    emit(f"  bayes-scaling show {folder}/fit.nc")
    emit(f"  bayes-scaling forecast {folder}/fit.nc --at N=70B,D=1.4T,family=Pythia")
    emit(
        f"  bayes-scaling fit {folder}/quickstart.csv --column N=params_non_embed"
        " --group family --pool A=shared --pool B=shared --target-accept 0.97 --where role=fit"
    )
    emit("The last line repeats the fit; put your own table and columns in its place.")
