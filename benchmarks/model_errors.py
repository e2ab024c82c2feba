"""Laws' own errors on published tables: the table that the prior of model errors comes from.

Run as ``python benchmarks/model_errors.py --data DIR --out bayes_scaling/data/model_errors.csv``.
Chinchilla's law is fitted to all runs of every table, and the hyper-parameters of its error are
learned with the guess alone as their prior.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from surfaces import SURFACES

import bayes_scaling as bs
from bayes_scaling.data.model_errors import ALL, HYPERS

HEAD = (
    "# Laws' own errors on published tables, learned by benchmarks/model_errors.py with the guess "
    "alone as prior.\n"
)


def learned(name: str, data: Path) -> dict[str, Any]:
    """The row of one table."""
    runs = SURFACES[name](data).runs
    fit = bs.fit(runs, progress=False)
    found = bs.model_error(fit, leave_out=ALL).hypers
    families = len(runs.group_levels(runs.groups[-1])) if runs.groups else 1
    hypers = {h: round(found[h], 5) if h in found else None for h in HYPERS}
    return {"source": name, "law": "chinchilla", "rows": runs.n, "families": families, **hypers}


def main() -> None:
    """Print, and write, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    rows = []
    for name in SURFACES:
        rows.append(learned(name, asked.data))
        print(rows[-1], flush=True)
    if asked.out:
        asked.out.write_text(HEAD + pd.DataFrame(rows).to_csv(index=False), encoding="utf-8")


if __name__ == "__main__":
    main()
