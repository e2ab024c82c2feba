"""Tables for reading, printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bayes_scaling.cli.printing import emit_table
from bayes_scaling.posterior import Fit
from bayes_scaling.rounding import POSTERIOR, forecast_texts, posterior_row


def print_posterior(rows: Sequence[dict[str, Any]]) -> None:
    """Print the posterior records of a fit."""
    emit_table(POSTERIOR, [posterior_row(row) for row in rows], numbers=6)


def print_forecast(table: pd.DataFrame, fit: Fit) -> None:
    """Print a forecast's table: inputs, median, law and new-run bands, distance from the data."""
    labels = ["model"] if "model" in table else [c for c in fit.spec.groups if c in table]
    columns = {c: [str(v) for v in table[c]] for c in labels}
    columns |= forecast_texts(table, fit)
    rows = list(zip(*columns.values(), strict=True))
    emit_table(list(columns), rows, numbers=len(columns) - len(labels))
