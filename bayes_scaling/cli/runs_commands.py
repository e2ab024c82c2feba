"""Commands on a table of runs: check, fit. Heavy modules load when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayes_scaling.cli import options as o
from bayes_scaling.cli.app import command
from bayes_scaling.cli.asked import LawAsked, NoisyModelAsked, RunsAsked

if TYPE_CHECKING:
    from bayes_scaling._errors import Note
    from bayes_scaling.data.runs import Runs


@command("""
bayes-scaling check runs.csv
bayes-scaling check runs.csv --group family --law chinchilla
bayes-scaling check runs.csv --column N=size --unit N=1e9 --response bpb
bayes-scaling check runs.csv --where role=fit --where role=test --json
""")
def check(
    runs: RunsAsked,
    law: o.Law = None,
    as_json: o.Json = False,
) -> int:
    """Show what is read from a table of runs.

    With --law also what these runs can tell of the law, before any fit.
    """
    from bayes_scaling.cli import reports
    from bayes_scaling.cli.printing import emit_json
    from bayes_scaling.records import notes_record, runs_record

    table = runs.read(law)
    told = () if law is None else what_the_runs_tell(table, law)
    if as_json:
        more = {} if law is None else {"law": law, "law_notes": notes_record(told)}
        emit_json({"source": runs.path, **runs_record(table), **more})
        return 0
    reports.print_runs(runs.path, table)
    if law is not None:
        reports.print_told(law, told)
    return 0


def what_the_runs_tell(runs: Runs, law: str) -> tuple[Note, ...]:
    """Return the notes on what a table can tell of a law, before any sampling."""
    from bayes_scaling._x64 import in_float64
    from bayes_scaling.arguments import make_args
    from bayes_scaling.identify import identification_notes
    from bayes_scaling.resolve import resolve

    spec = resolve(runs, law)
    return in_float64(identification_notes)(runs, spec, make_args(runs, spec))


@command("""
bayes-scaling fit runs.csv --group family
bayes-scaling fit runs.csv --law kaplan --pool aN=partial --prior 'aN=lognormal(0.08,0.05,0.12)'
bayes-scaling fit runs.csv --law 'power_law_with_floor(C)' --out frontier.nc
bayes-scaling fit mixtures.csv --law 'ye_mixing(web, books, code)'
bayes-scaling fit runs.csv --equation 'E + A*N**-alpha + G*log(V)' --prior 'G=normal(0,0.1)'
bayes-scaling fit runs.csv --draws 2000 --seed 1 --out fit.nc --force --json > fit.json
""")
def fit(
    runs: RunsAsked,
    law: LawAsked,
    model: NoisyModelAsked,
    sampler: o.Sampler = "auto",
    chains: o.Chains = None,
    draws: o.Kept = None,
    warmup: o.Warmup = None,
    target_accept: o.TargetAccept = None,
    max_tree_depth: o.TreeDepth = 10,
    seed: o.Seed = 0,
    out: o.FitOut = "fit.nc",
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Fit a law to a table of runs and save the posterior.

    The law is chinchilla unless --law or --equation says otherwise. A prior of a coefficient is
    that of its term at a reference point; 'laws NAME' says which.
    """
    from bayes_scaling.cli import reports
    from bayes_scaling.cli.outputs import check_new, exit_code
    from bayes_scaling.cli.printing import emit_json, shell_progress
    from bayes_scaling.fitting import fit as fit_runs
    from bayes_scaling.records import fit_record

    target, chosen = check_new(Path(out), force), law.found()
    table = runs.read(chosen)
    fitted = fit_runs(
        table,
        chosen,
        **model.options(),
        sampler=sampler,
        chains=chains,
        draws=draws,
        warmup=warmup,
        target_accept=target_accept,
        max_tree_depth=max_tree_depth,
        seed=seed,
        progress=shell_progress(f"fitting {table.n} runs"),
    )
    saved = fitted.save(target)
    if as_json:
        emit_json({**fit_record(fitted), "saved": str(saved)})
    else:
        reports.print_fitted(fitted, saved)
    return exit_code(fitted)
