"""Every law's point fit, of runs that its own function made.

One law of each kind in every run; the others, five seconds each, with ``-m slow``.
"""

import numpy as np
import pytest
from catalogue_draws import draw_inputs, each_point, evaluate, reference_of
from kinds import each_law

import bayes_scaling as bs
from bayes_scaling.levels import sampling_order, to_paper
from bayes_scaling.spec import get_observation

ROWS, NOISE = 40, 0.003


def typical(law):
    """Parameters at the medians of their priors."""
    values = {}
    for param in sampling_order(law):
        median = param.prior.median * (2.5 if param.prior.relative else 1.0)
        values[param.name] = float(to_paper(law, param.name, median, values, reference_of(law)))
    return values


@pytest.mark.parametrize("entry", each_law())
def test_the_point_fit_is_at_least_as_good_as_the_truth(entry):
    law = entry
    inputs, truth = draw_inputs(law, ROWS), typical(law)
    rng = np.random.default_rng(0)
    response = law.response or "Y"
    curve, luck = np.asarray(evaluate(law, {**inputs, **truth})), NOISE * rng.normal(size=ROWS)
    on_log = get_observation(law.observation).on == "log"
    y = curve * np.exp(luck) if on_log else curve + np.median(np.abs(curve)) * luck
    asked = f"{law.name}({', '.join(law.inputs)})"
    columns = {name: name for name in inputs}
    found = bs.baseline(
        bs.read_runs({**inputs, response: y}, columns=columns, response=response),
        asked,
        replicates=2,
        starts=4,
    )
    own = each_point({n: found.point[n].to_numpy() for n in law.param_names}, 1)[0]
    curves = [np.asarray(evaluate(law, {**inputs, **p})) for p in (own, truth)]
    miss = [np.log(y / c) if on_log else (y - c) / np.median(np.abs(y)) for c in curves]
    fitted, true = (np.where(np.abs(m) > 1e-3, 1e-3 * (np.abs(m) - 5e-4), m**2 / 2).sum()
                    for m in miss)  # fmt: skip
    assert fitted < true
    assert fitted > 0.5 * true, "seven parameters cannot explain the scatter of forty runs"
    assert found.point["loss"].item() == pytest.approx(fitted, rel=1e-4)
    assert not found.notes
