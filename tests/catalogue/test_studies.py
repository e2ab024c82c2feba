"""What every published study says of itself, and that its table holds what it names."""

import re

import numpy as np
import pytest

from bayes_scaling._registry import LAWS
from bayes_scaling.equation import parse_equation
from bayes_scaling.prior import as_prior
from bayes_scaling.references import references
from bayes_scaling.replication import replicated
from bayes_scaling.resolve import resolve
from bayes_scaling.spec import get_law
from bayes_scaling.study_spec import KINDS, METRICS
from bayes_scaling.study_tables import (
    constant_rows,
    fitted_rows,
    forecast_rows,
    read_study,
    study_rows,
)


def test_record_is_complete(published_study):
    entry = published_study
    assert re.fullmatch(r"[a-z][a-z0-9_]*", entry.name)
    assert entry.summary
    assert len(entry.summary) < 100
    assert entry.law.partition("(")[0] in LAWS
    assert (entry.cite or get_law(entry.law).cite) in references()
    assert entry.table.endswith((".csv", ".csv.gz"))
    assert entry.base is None or entry.base.metric in METRICS


def test_constants_are_of_parameters(published_study):
    """Parameters of the law that are not held fixed, or expressions in them."""
    law = get_law(published_study.law)
    held = {name for name, prior in published_study.priors.items() if as_prior(prior).is_fixed}
    for each in published_study.published:
        names = set(parse_equation(each.of, positive=set(law.param_names)).names)
        assert names <= set(law.param_names) - held, each.of
        assert each.kind in KINDS
        if each.low is not None:
            assert each.low <= each.value <= each.high


def test_no_constant_is_given_twice(published_study):
    keys = [(each.of, each.family) for each in published_study.published]
    assert len(set(keys)) == len(keys)


def test_the_table_holds_what_is_named(published_study, shared_data):
    """Rows, columns, families and options are such that a fit could start."""
    entry = published_study
    rows = study_rows(entry, shared_data)
    runs = read_study(entry, constant_rows(entry, rows))
    spec = resolve(runs, entry.law, **entry.modelling())
    families = runs.group_levels(runs.groups[-1]) if runs.groups else []
    for each in entry.published:
        assert not each.family or each.family in families
        pooled = {spec.pooling(n) for n in parse_equation(each.of).names if n in dict(spec.pool)}
        assert "separate" not in pooled or each.family
    assert all(np.isfinite(runs.values[name]).all() for name in spec.law.inputs)


def test_what_is_forecast_is_not_fitted(published_study, shared_data):
    entry = published_study
    rows = study_rows(entry, shared_data)
    fitted, ahead = fitted_rows(entry, rows).index, forecast_rows(entry, rows).index
    assert len(fitted)
    assert bool(len(ahead)) == bool(entry.ahead)
    assert fitted.intersection(ahead).empty


@pytest.mark.slow
def test_every_study_can_be_fitted_again(published_study, shared_data):
    found = replicated(published_study, shared_data, progress=False)
    assert not [str(note) for note in found.notes if note.severity == "error"]
    assert len(found.parameters) == len(published_study.published)
    assert bool(found.scores) == bool(published_study.ahead)
