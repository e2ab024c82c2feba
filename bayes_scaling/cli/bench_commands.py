"""The command bench. Heavy modules load when it runs."""

from __future__ import annotations

from pathlib import Path

from bayes_scaling.cli import options as o
from bayes_scaling.cli.app import command


@command("""
bayes-scaling bench
bayes-scaling bench --peers numpyro,nutpie,blackjax
bayes-scaling bench --problem chinchilla --problem gadre --data ../shared/data --reference
bayes-scaling bench --out results/bench.json --json
""")
def bench(
    problem: o.Problems = None,
    engine: o.Engines = None,
    peers: o.Peers = "",
    reference: o.Reference = False,
    data: o.DataFolder = None,
    repeat: o.Repeat = 3,
    out: o.BenchOut = None,
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Compare samplers: effective draws a second, quality, compile time and memory.

    Every engine runs in a process of its own with an empty cache. With --out a JSON file is
    written, and a table (.md) and a picture (.png) beside it.
    """
    from bayes_scaling.bench import report
    from bayes_scaling.bench.compare import REFERENCE, compare
    from bayes_scaling.cli.bench_words import chosen_engines, write_results
    from bayes_scaling.cli.outputs import check_new
    from bayes_scaling.cli.printing import emit, emit_json, emit_table, say

    engines = chosen_engines(engine or [], peers)
    target = None if out is None else check_new(Path(out), force)
    found = compare(
        problem or ["published", "simulated"],
        [*([REFERENCE] if reference else []), *engines],
        data=None if data is None else Path(data),
        repeat=repeat,
        say=say,
    )
    if target is not None:
        write_results(found, target)
    if as_json:
        emit_json(found)
        return 0
    emit_table(report.HEADER, report.rows(found["records"]), numbers=len(report.HEADER) - 2)
    emit(report.NOTES)
    emit("\n".join(report.ratios(found["records"])))
    return 0
