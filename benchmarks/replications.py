"""Every published study fitted again: constants in or out of our intervals, and forecasts.

Run as ``python benchmarks/replications.py --data DIR [--only TEXT] [--out FILE]``; what
`bayes-scaling replicate --data DIR` prints, kept with date, device and versions.
"""

import time
from typing import Any

import pandas as pd
from keeping import asked_of, header, keep, line

import bayes_scaling as bs
from bayes_scaling.bench.compare import about
from bayes_scaling.cli.printing import plain
from bayes_scaling.cli.replicate_commands import replication_record
from bayes_scaling.study_spec import KINDS

CONSTANTS = ("study", "constant", "published", "known", "median", "95 % interval", "")
FORECASTS = (
    "study",
    "law",
    "rows",
    "error %",
    "law alone %",
    "bias %",
    "R2",
    "in 90 %",
    "to compare",
    "ours",
)


def constants(record: dict[str, Any]) -> list[str]:
    """Rows of the table of constants."""
    rows = []
    for p in record["parameters"]:
        name = f"`{p['of']}`" + (f" {p['family']}" if p["family"] else "")
        ends = f"{p['low']:.4g} to {p['high']:.4g}"
        known, said = p["kind"], p["verdict"]
        cells = (f"{p['published']:.4g}", known, f"{p['median']:.4g}", ends, said)
        rows.append(line((record["study"], name, *cells)))
    return rows


def forecasts(record: dict[str, Any]) -> list[str]:
    """The row of the table of forecasts, if there is one."""
    s = record["forecast"]
    if not s:
        return []
    base = f"{s['base_metric']} {s['base']:g}, {s['source']}" if s.get("base") else ""
    own = f"{s[s['base_metric']]:.3g}" if base else ""
    numbers = (f"{s[k]:.2f}" for k in ("mape", "law_mape", "bias"))
    share = f"{100 * s['coverage_90']:.0f} %"
    cells = (s["runs"], *numbers, f"{s['r2']:.3f}", share, base, own)
    return [line((record["study"], f"`{record['law']}`", *cells))]


def page(whole: dict[str, Any]) -> str:
    """The results as Markdown."""
    records = whole["studies"]
    lines = [*header("Published studies fitted again", whole), told(records), ""]
    lines += [*(f"- `{k}`: {v}" for k, v in KINDS.items()), ""]
    for names, make in ((CONSTANTS, constants), (FORECASTS, forecasts)):
        rows = [row for record in records for row in make(record)]
        lines += [line(names), "|" + "---|" * len(names), *rows, ""]
    notes = [f"- {r['study']}: {n['message']}" for r in records for n in r["notes"]]
    return "\n".join([*lines, *notes]) + "\n"


def told(records: list[dict[str, Any]]) -> str:
    """How many constants are in."""
    found = pd.Series([(p["kind"], p["verdict"]) for r in records for p in r["parameters"]])
    counts = found.value_counts().sort_index()
    return "Constants: " + "; ".join(f"{kind}, {said}: {n}" for (kind, said), n in counts.items())


def main() -> None:
    """Print, and write, one record for each study."""
    asked = asked_of(__doc__)
    records = []
    for name in (n for n in bs.studies()["name"] if asked.only in n):
        clock = time.perf_counter()
        (found,) = bs.replicate(name, data=asked.data, progress=False)
        record = {**plain(replication_record(found)), "seconds": time.perf_counter() - clock}
        records.append(record | {"seconds": round(record["seconds"], 1)})
        print(found, flush=True)
    whole = {**about(), "studies": records}
    keep(whole, asked.out, page)


if __name__ == "__main__":
    main()
