"""Does pooling pay? Forecast error and width of intervals, families apart, pooled, and as one.

Run as ``python benchmarks/pooling_pays.py --data DIR [--only TEXT] [--out FILE]``.

Five published tables with several families, the largest runs held back. `apart`: every parameter
separate; `pooled`: the law's natural pooling, exponents shared or partially pooled and the rest
partially pooled; `as one`: one law for all, families forgotten. Then one family, the one with the
most runs, is cut to its three smallest, the others left whole, and its own held-back runs are
forecast: a new family for which three cheap runs are all there is. Mean absolute error, CRPS and
width of the 90 % intervals of new runs in per cent of the response; the law's own error is in,
the table's own row left out of its prior.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keeping import asked_of, header, keep, line
from surfaces import TABLES, Surface

import bayes_scaling as bs
from bayes_scaling.backtesting import score_table, summarise
from bayes_scaling.bench.compare import about
from bayes_scaling.resolve import resolve
from bayes_scaling.scales import families_of, scale_name

SETS = ("gadre_overtraining", "porian_isoflop", "xlstm_isoflop", "openclip", "sft_flan")
WAYS: dict[str, str | None] = {"apart": "separate", "pooled": None, "as one": "shared"}
LEFT = 3  # runs of the family that is cut
MODELS = 8  # of the thirty fine-tuned ones, the largest of every family: enough, and sooner done


def surface_of(name: str, data: Path) -> Surface:
    """The table; of fine-tuned models the largest of every family."""
    surface = TABLES[name](data)
    if name != "sft_flan":
        return surface
    table = surface.runs.table
    largest = table.sort_values("params").drop_duplicates("family", keep="last")["model"]
    kept = np.isin(families_of(surface.runs), largest.tolist()[:MODELS])
    return Surface(surface.runs.subset(kept), surface.ahead[kept], surface.law)


def cut(surface: Surface) -> tuple[str, Surface]:
    """The family with the most runs, and the table with all but its three smallest taken away.

    Of the runs held back only those of that family are kept.
    """
    family = families_of(surface.runs)
    fitted = ~surface.ahead
    counts = pd.Series(family[fitted]).value_counts()
    both = [f for f in sorted(counts.index) if (family[surface.ahead] == f).any()]
    name = max(both, key=lambda f: counts[f])
    own = np.flatnonzero(fitted & (family == name))
    scale = surface.runs.values[scale_name(surface.runs, surface.law)]
    left = own[np.argsort(scale[own], kind="stable")[:LEFT]]
    keep = (fitted & (family != name)) | (surface.ahead & (family == name))
    keep[left] = True
    return str(name), Surface(surface.runs.subset(keep), surface.ahead[keep], surface.law)


def judge(name: str, surface: Surface, way: str) -> dict[str, Any]:
    """The scores of one way of pooling."""
    runs = surface.runs if way != "as one" else replace(surface.runs, groups=(), labels={})
    train, test = runs.subset(~surface.ahead), runs.subset(surface.ahead)
    clock = time.perf_counter()
    fit = bs.fit(train, surface.law, pool=WAYS[way], progress=False)
    error = bs.model_error(fit, leave_out=name)
    found = bs.forecast(fit, test, model_error=error).data["predictions"]
    y = test.response
    names = {"law": f"{y}_law", "model": f"{y}_model", "run": y}
    bands = {k: np.asarray(found[v]).reshape(-1, test.n) for k, v in names.items()}
    table = score_table(resolve(train, surface.law), bands, test.values[y], (0.9,))
    scores = summarise(table.assign(distance=0.0), (0.9,), None).iloc[0]
    percent = {"error": "mean_abs_error", "bias": "bias", "crps": "crps", "width_90": "width_90"}
    return {
        "way": way,
        **{k: round(100 * float(scores[v]), 3) for k, v in percent.items()},
        "coverage_90": round(float(scores["coverage_90"]), 3),
        "verdict": fit.diagnose().severity,
        "seconds": round(time.perf_counter() - clock, 1),
    }


def records_of(name: str, data: Path) -> list[dict[str, Any]]:
    """All ways, with every family whole and with one cut."""
    whole = surface_of(name, data)
    family, less = cut(whole)
    records = []
    for case, surface in (("whole", whole), (f"{family} cut", less)):
        fitted = surface.runs.subset(~surface.ahead)
        about_it = {
            "table": name,
            "case": "whole" if case == "whole" else "cut",
            "cut_family": "" if case == "whole" else family,
            "law": surface.law,
            "families": len(np.unique(families_of(fitted))),
            "fitted": fitted.n,
            "held_back": int(surface.ahead.sum()),
        }
        for way in WAYS:
            records.append({**about_it, **judge(name, surface, way)})
            print(records[-1], flush=True)
    return records


def together(records: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Geometric means over tables of error, CRPS and width beside those of families apart."""
    frame = pd.DataFrame(records).set_index(["case", "way", "table"]).sort_index()
    found: dict[str, dict[str, dict[str, float]]] = {}
    for case in dict.fromkeys(r["case"] for r in records):
        base = frame.loc[(case, "apart")]
        found[case] = {
            way: {
                **{k: _ratio(frame.loc[(case, way)][k], base[k])
                   for k in ("error", "crps", "width_90")},
                "coverage_90": round(float(frame.loc[(case, way)]["coverage_90"].mean()), 3),
            }
            for way in WAYS
        }  # fmt: skip
    return found


def _ratio(own: pd.Series, base: pd.Series) -> float:
    return round(float(np.exp(np.log(own / base).mean())), 3)


HEADER = ("table", "families", "rows", "held back", "way", "error %", "bias %", "CRPS %",
          "in 90 %", "width %")  # fmt: skip
TITLES = {"whole": "All families whole", "cut": "One family cut to its three smallest runs"}


def page(whole: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [*header("Pooling", whole), (__doc__ or "").split("\n\n")[2].strip()]
    for case, title in TITLES.items():
        lines += ["", f"## {title}", "", line(HEADER), "|" + "---|" * len(HEADER)]
        lines += [line(_cells(r)) for r in whole["records"] if r["case"] == case]
        lines += ["", *_summary(whole["together"][case])]
    return "\n".join(lines) + "\n"


def _cells(r: dict[str, Any]) -> list[Any]:
    name = f"{r['table']} ({r['cut_family']})" if r["cut_family"] else r["table"]
    numbers = (f"{r[k]:.2f}" for k in ("error", "bias", "crps"))
    share, width = f"{100 * r['coverage_90']:.0f} %", f"{r['width_90']:.1f}"
    counts = (r["families"], r["fitted"], r["held_back"], r["way"])
    return [name, *counts, *numbers, share, width]


def _summary(ways: dict[str, dict[str, float]]) -> list[str]:
    said = "beside families apart (geometric mean over tables)"
    return [
        f"- {way}: error {v['error']:.2f}, CRPS {v['crps']:.2f}, width {v['width_90']:.2f} times "
        f"{said}; mean coverage {100 * v['coverage_90']:.0f} %"
        for way, v in ways.items()
    ]


def main() -> None:
    """Print, and write, one record for each table, case and way."""
    asked = asked_of(__doc__)
    records = []
    for name in (n for n in SETS if asked.only in n):
        records += records_of(name, asked.data)
    whole = {**about(), "together": together(records), "records": records}
    keep(whole, asked.out, page)


if __name__ == "__main__":
    main()
