"""The command that fits published studies again. Heavy modules load when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import BAD_FIT, OK
from bayes_scaling.cli import options as o
from bayes_scaling.cli.app import command

if TYPE_CHECKING:
    from bayes_scaling.replication import Replication

LEGEND = (
    "in, out: the published value is in or out of our 95 % interval; near: only the two intervals "
    "overlap; mem: quoted from memory, not judged."
)


@command("""
bayes-scaling replicate
bayes-scaling replicate besiroglu --data DIR
bayes-scaling replicate chinchilla --data DIR --json
bayes-scaling replicate --data DIR
""")
def replicate(
    what: o.StudyName = None, data: o.DataFolder = None, seed: o.Seed = 0, as_json: o.Json = False
) -> int:
    """Fit published studies again on their own data, published beside ours.

    Without --data the studies are listed. The data are not part of the package: DIR holds the
    tables under the paths of that list.
    """
    from bayes_scaling.cli.printing import emit_json, shell_progress
    from bayes_scaling.replication import replicated
    from bayes_scaling.study_tables import chosen, studies, table_path

    if data is None:
        _list(studies(what), as_json)
        return OK
    entries = chosen(what)
    for entry in entries:
        table_path(entry, data)
    made = []
    for entry in entries:
        progress = shell_progress(f"fitting {entry.name}")
        made.append(replicated(entry, data, seed=seed, progress=progress))
        if not as_json:
            _print(made[-1])
    if as_json:
        emit_json([replication_record(each) for each in made])
    failed = any(note.severity == "error" for each in made for note in each.notes)
    return BAD_FIT if failed else OK


def replication_record(found: Replication) -> dict[str, Any]:
    """The study, its constants beside ours, the scores of its forecast, and notes."""
    from bayes_scaling.records import notes_record

    study = found.study
    base = {"source": study.base.source} if study.base else {}
    return {
        "study": study.name,
        "law": study.law,
        "table": study.table,
        "summary": study.summary,
        "parameters": found.parameters.drop(columns="study").to_dict("records"),
        "forecast": {**found.scores, **base},
        "verdicts": {name: fit.diagnose().verdict for name, fit in found.fits.items()},
        "notes": notes_record(found.notes),
    }


def _list(table: Any, as_json: bool) -> None:
    from bayes_scaling.cli.printing import emit, emit_json, emit_table

    if as_json:
        emit_json(table.to_dict("records"))
        return
    rows = table[["name", "law", "table", "summary"]].to_numpy().tolist()
    emit_table(("study", "law", "table", "what it is"), rows)
    emit("\n'bayes-scaling replicate STUDY --data DIR' fits one again on its table in DIR.")


def _print(found: Replication) -> None:
    from bayes_scaling.cli.printing import emit, emit_notes, emit_table, emit_wrapped

    emit(f"\n{found.study.name}: {found.study.summary}; law {found.study.law}\n")
    if len(found.parameters):
        rows = [_parameter_row(row) for row in found.parameters.to_dict("records")]
        emit_table(("constant", "published", "known", "mean", "median", "2.5 %", "97.5 %", ""),
                   rows, 7)  # fmt: skip
        emit("")
    for line in _scores(found):
        emit_wrapped(line)
    emit_notes(found.notes)
    if len(found.parameters):
        emit_wrapped(LEGEND)


def _parameter_row(row: Mapping[Any, Any]) -> list[str]:
    name = f"{row['of']} [{row['family']}]" if row["family"] else row["of"]
    numbers = [f"{row[k]:.4g}" for k in ("mean", "median", "low", "high")]
    return [name, f"{row['published']:.4g}", row["kind"], *numbers, row["verdict"]]


def _scores(found: Replication) -> list[str]:
    scores, base = found.scores, found.study.base
    if not scores:
        return []
    share, width = (100 * scores[k] for k in ("coverage_90", "width_90"))
    said = (
        f"forecast of {scores['runs']} rows: mean absolute error {scores['mape']:.2f} % (the law "
        f"alone {scores['law_mape']:.2f} %), bias {scores['bias']:+.2f} %, R2 {scores['r2']:.3f}; "
        f"{share:.0f} % in the 90 % intervals of new runs, {width:.1f} % wide"
    )
    if base is None:
        return [said]
    own = scores[base.metric]
    return [said, f"to compare ({base.source}): {base.metric} {base.value:g}, ours {own:.3g}"]
