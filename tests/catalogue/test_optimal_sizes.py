"""The compute-optimal size of every law that trades size for data.

The closed form against the slope, the search against a brute grid, at draws of the prior. The
search costs seconds a law: one of each kind in every run, the others with ``-m slow``.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from catalogue_draws import draw_params, reference_of

from bayes_scaling._registry import LAWS
from bayes_scaling.decisions.asked import plan_of
from bayes_scaling.decisions.frontier import FREE, best, closed_form, response
from bayes_scaling.decisions.lines import slopes
from bayes_scaling.decisions.plans import LEAST_RATIO, MOST_RATIO, TRADED, size_of_ratio, trades

pytestmark = pytest.mark.usefixtures("x64")
COUNT = 40
BUDGETS = np.log([1e19, 1e21, 1e24])


def asked(law):
    """A plan, its numbers and draws (draw, 1) of the law's parameters."""
    others = {n: v for n, v in reference_of(law).items() if n not in TRADED}
    plan, terms = plan_of(law, fixed=others, maximise=None if law.response != "Y" else False)
    params = {name: jnp.asarray(v)[:, None] for name, v in draw_params(law, COUNT).items()}
    return plan, terms, params


def test_the_closed_form_is_where_the_slope_vanishes(closed_law):
    """A Newton's step from it is shorter than 1e-6 in log N, and the curve is convex there."""
    plan, terms, params = asked(closed_law)
    assert plan.closed
    form = closed_form(closed_law)
    known = {**params, **terms.others, "C": np.exp(BUDGETS)}
    size = jnp.log(form.function(**{name: known[name] for name in form.names}))
    size = size + jnp.zeros((COUNT, len(BUDGETS)))
    found = np.isfinite(size)
    slope, bend = slopes(lambda s: plan.sign * response(plan, params, terms, s, BUDGETS), size)
    assert found.mean() > 0.5
    assert np.all(bend[found] > 0)
    assert np.all(np.abs(slope / bend)[found] < 1e-6)


def test_the_search_finds_the_optimum(trading_law):
    """No loss at 2,001 sizes over the whole range is less; it is unknown only where many are least,
    as where more repeats of scarce data and more parameters are worth nothing; the law's closed
    form is the same to 1e-6, exponents included."""
    plan, terms, params = asked(trading_law)
    searched = replace(plan, closed=False)
    found = jax.jit(lambda p: best(searched, p, terms, BUDGETS))(params)
    low, high = (size_of_ratio(terms, ratio, BUDGETS) for ratio in (MOST_RATIO, LEAST_RATIO))
    share = np.linspace(0, 1, 2001)[:, None, None]
    sizes = np.broadcast_to(low + share * (high - low), (2001, COUNT, len(BUDGETS)))
    values = plan.sign * np.asarray(response(plan, params, terms, sizes, BUDGETS))
    least = np.nanmin(values, axis=0)
    known = np.isfinite(found.size)
    assert np.all(plan.sign * found.response[known] <= (least + 1e-9 * np.abs(least))[known])
    flat = (values == least).sum(axis=0) > 20
    assert np.all(flat[~known])
    assert known.any()
    if plan.closed:
        closed = best(plan, params, terms, BUDGETS)
        both = (found.place == FREE) & known & np.isfinite(closed.size)
        for one, two in zip(closed[:5], found[:5], strict=True):
            np.testing.assert_allclose(one[both], two[both], rtol=1e-6, atol=1e-6)


def test_laws_of_every_kind_are_looked_at():
    laws = [law for law in map(LAWS.get, LAWS) if trades(law)]
    closed = {law.name for law in laws if law.optimal_size}
    assert {"chinchilla", "kaplan", "gadre", "isoflop_frontier"} <= closed
    assert {"muennighoff", "farseer", "step_law_surface"} <= {law.name for law in laws} - closed
