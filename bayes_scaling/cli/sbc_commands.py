"""The command that tests posteriors on tables with known parameters. Heavy modules load late."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import BAD_FIT, OK
from bayes_scaling.cli import options as o
from bayes_scaling.cli.app import command
from bayes_scaling.cli.asked import NoisyModelAsked, law_asked

if TYPE_CHECKING:
    from bayes_scaling.calibration import Calibration


@command("""
bayes-scaling sbc
bayes-scaling sbc kaplan --pool partial --noise normal_log --tables 128
bayes-scaling sbc 'power_law(N)' --pool shared --plot ranks.png --out ranks.csv
bayes-scaling sbc --equation 'E + A*N**-alpha' --prior 'E=lognormal(1.8,1,2.5)' --json
""")
def sbc(
    law: o.LawTested = None,
    equation: o.Equation = None,
    input_names: o.Input = None,
    *,
    model: NoisyModelAsked,
    tables: o.Tables = 64,
    seed: o.Seed = 0,
    out: o.TableOut = None,
    plot: o.Picture = None,
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Simulate tables from the prior, fit them, and test the ranks of the truth.

    Ranks that are not uniform mean posteriors that are wrong: of a right one, one run in twenty
    says so. Exit code 3 when a test fails. The table of --out has one row for every rank.
    """
    from bayes_scaling.calibration import sbc as calibrate
    from bayes_scaling.cli.outputs import check_new, write_table
    from bayes_scaling.cli.printing import emit_json, shell_progress

    target, picture = (None if p is None else check_new(Path(p), force) for p in (out, plot))
    found = calibrate(
        law_asked(law, equation, input_names),
        **model.options(),
        tables=tables,
        seed=seed,
        progress=shell_progress(f"fitting {tables} simulated tables"),
    )
    if target is not None:
        write_table(found.ranks, target)
    if picture is not None:
        _write_picture(found, picture)
    if as_json:
        emit_json(sbc_record(found))
    else:
        _print(found)
    return OK if found.ok else BAD_FIT


def sbc_record(found: Calibration) -> dict[str, Any]:
    """The tests, the verdict, and how the posteriors were got, as a record."""
    return {
        "law": found.spec.law.name,
        "pool": dict(found.spec.pool),
        "noise": found.spec.observation.name,
        "tables": found.tables,
        "ok": found.ok,
        "verdict": found.verdict,
        "failed": list(found.failed),
        "doubted": found.doubted,
        "samplers": found.samplers,
        "tests": found.table().to_dict("records"),
    }


def _write_picture(found: Calibration, target: Path) -> None:
    from bayes_scaling._files import write_whole
    from bayes_scaling.plots.calibration import plot_sbc

    kind = target.suffix.removeprefix(".") or "png"
    write_whole(target, lambda path: plot_sbc(found).savefig(path, format=kind, dpi=150))


def _print(found: Calibration) -> None:
    from bayes_scaling.cli.printing import emit, emit_table, emit_wrapped

    tests = found.table()
    numbers = ["p_value", "p_holm", "mean", "spread", "draws"]
    rows = [(row["parameter"], *(f"{row[n]:.2g}" for n in numbers)) for _, row in tests.iterrows()]
    emit_table(("parameter", "p", "p (Holm)", "mean rank", "spread", "draws"), rows, 5)
    emit("")
    emit_wrapped(found.verdict)
