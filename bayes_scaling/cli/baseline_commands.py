"""The command that sets the posterior beside a bootstrap. Heavy modules load when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import options as o
from bayes_scaling.cli import shell_words
from bayes_scaling.cli.app import command
from bayes_scaling.cli.asked import LawAsked, ModelAsked, OutAsked, RunsAsked

if TYPE_CHECKING:
    import pandas as pd

    from bayes_scaling.comparing import Intervals
    from bayes_scaling.posterior import Sampled

LEGEND = (
    "posterior: families pooled, with priors; bootstrap: Huber point fits of resampled runs, "
    "family by family; martingale: fits after imputed runs, family by family. Bands are of one "
    "more run."
)
UNKNOWN = "-"  # of a family that is not in the data, to what pools nothing


@command("""
bayes-scaling baseline runs.csv --at N=70B,D=1.4T
bayes-scaling baseline runs.csv --group family --at N=7B,D=2T,family=c4 --prob 0.8
bayes-scaling baseline runs.csv --law 'power_law_with_floor(C)' --at C=1e24 --replicates 1000
bayes-scaling baseline small.csv --at-file large.csv --out intervals.csv --json
""")
def baseline(
    runs: RunsAsked,
    *,
    law: LawAsked,
    model: ModelAsked,
    at: o.At = None,
    at_file: o.AtFile = None,
    prob: o.Prob = None,
    replicates: o.Replicates = 500,
    seed: o.Seed = 0,
    written: OutAsked,
) -> int:
    """Set the posterior's forecast beside those of methods without priors.

    These are the field's bootstrap of point fits and a martingale posterior; both fit every family
    by itself. A response column in --at-file is compared with the bands.
    """
    from bayes_scaling.cli.outputs import exit_code, write_table
    from bayes_scaling.cli.points import read_points
    from bayes_scaling.cli.printing import emit_json, shell_progress
    from bayes_scaling.comparing import compare_intervals
    from bayes_scaling.fitting import fit

    target, chosen, how = written.target(), law.found(), model.options()
    table = runs.read(chosen)
    ahead = before_fitting(table, chosen, how)
    points = read_points(ahead, at or [], at_file)
    fitted = fit(
        table, chosen, seed=seed, progress=shell_progress(f"fitting {table.n} runs"), **how
    )
    found = compare_intervals(
        fitted,
        points,
        actual=responses_of(ahead, len(at or []), at_file),
        prob=shell_words.probs(prob),
        replicates=replicates,
        seed=seed,
    )
    if target is not None:
        write_table(found.table, target)
    if written.as_json:
        emit_json({"source": runs.path, **intervals_record(found)})
    else:
        _print(found, target)
    return exit_code(fitted)


def before_fitting(table: Any, law: Any, how: dict[str, Any]) -> Sampled:
    """Return what reading points needs of a fit that is not made yet."""
    from bayes_scaling.by_family import grouping_of
    from bayes_scaling.posterior import Sampled
    from bayes_scaling.resolve import resolve

    spec = resolve(table, law, **how)
    return Sampled(spec, table, {}, grouping_of(table, spec), {})


def responses_of(ahead: Sampled, typed: int, at_file: str | None) -> Any:
    """Return the responses in --at-file, NaN for the ``typed`` points; None where it has none."""
    import numpy as np

    from bayes_scaling.data.table import open_table
    from bayes_scaling.data.validate import read_numbers
    from bayes_scaling.symbols import find_symbol

    if at_file is None:
        return None
    table, response = open_table(at_file), ahead.spec.law.response
    own = {ahead.runs.columns.get(response, response), response}
    columns = [c for c in map(str, table.columns) if c in own or find_symbol(c) == response]
    if not columns:
        return None
    return np.concatenate([np.full(typed, np.nan), read_numbers(table, columns[0], response)])


def intervals_record(found: Intervals) -> dict[str, Any]:
    """Table, scores and notes as a record."""
    from bayes_scaling.records import notes_record

    spec = found.fit.spec
    return {
        "law": spec.law.name,
        "response": spec.law.response,
        "table": found.table.to_dict("records"),
        "scores": found.scores().reset_index().to_dict("records"),
        "point_fits": {k: v.point.to_dict("records") for k, v in found.baselines.items()},
        "notes": notes_record(found.notes),
    }


def _print(found: Intervals, written: Path | None) -> None:
    from bayes_scaling.cli.printing import emit, emit_notes, emit_table, emit_wrapped

    spec = found.fit.spec
    emit(f"{spec.law.response} by {spec.law.name}, from {found.fit.runs.n} runs\n")
    columns = _columns(found)
    rows = list(zip(*columns.values(), strict=True))
    emit_table(list(columns), rows, numbers=len(columns) - 1 - len(spec.groups))
    emit("")
    emit_wrapped(LEGEND)
    emit_notes(found.notes)
    if written is not None:
        emit(f"\nWrote {written}.")


def _columns(found: Intervals) -> dict[str, list[str]]:
    """The texts of the printed table, point after point."""
    from bayes_scaling.comparing import band_labels
    from bayes_scaling.quantity import format_quantity
    from bayes_scaling.rounding import bands, decimals_of, number

    spec = found.fit.spec
    table = found.table.sort_values("point", kind="stable")
    probs = band_labels(table)
    decimals = decimals_of(table.dropna(subset="median"), probs)
    columns = {"method": list(table["method"])}
    columns |= {g: [str(v) for v in table[g]] for g in spec.groups if g in table}
    inputs = dict.fromkeys(c for c in ("N", "D", *spec.law.inputs) if c in table)
    columns |= {c: [format_quantity(v) for v in table[c]] for c in inputs}
    columns["median"] = [number(v, decimals) for v in table["median"]]
    columns |= {f"{p} %": bands(table, f"run_{p}", decimals) for p in probs}
    columns |= _actual(table, probs, decimals)
    told = [k for k in columns if k not in spec.groups]
    return columns | {k: [UNKNOWN if "nan" in v else v for v in columns[k]] for k in told}


def _actual(table: pd.DataFrame, probs: list[str], decimals: int) -> dict[str, list[str]]:
    from bayes_scaling.rounding import number

    if "actual" not in table:
        return {}
    columns = {"actual": [number(v, max(3, decimals)) for v in table["actual"]]}
    label = probs[-1]
    inside = {True: "yes", False: "no"}
    columns[f"inside {label} %"] = [inside.get(v, UNKNOWN) for v in table[f"inside_{label}"]]
    return columns
