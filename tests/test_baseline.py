"""Point fits and their bootstrap: SciPy's minima, closed forms, published fits, forecasts."""

import numpy as np
import pandas as pd
import pytest
from fitted import TRUTH, table
from scipy.optimize import minimize

import bayes_scaling as bs
from bayes_scaling.bootstrapping import bootstrap_weights
from bayes_scaling.by_family import families_in
from bayes_scaling.resolve import resolve

DELTA = 1e-3
LINE = {"A": "lognormal(1, 0.2, 5)", "alpha": "normal(0.3, 1)"}  # log L is linear in these


def huber_sum(miss, delta=DELTA):
    far = np.abs(miss) > delta
    return np.where(far, delta * (np.abs(miss) - 0.5 * delta), 0.5 * miss**2).sum()


def chinchilla_loss(p, runs):
    """Of log A, log B, log E, alpha, beta: Hoffmann's own coordinates."""
    log_n, log_d = np.log(runs.values["N"]), np.log(runs.values["D"])
    terms = [p[0] - p[3] * log_n, p[1] - p[4] * log_d, np.full(runs.n, p[2])]
    return huber_sum(np.logaddexp.reduce(terms, axis=0) - np.log(runs.values["L"]))


def power_table(rows=60, seed=0, noise=0.02):
    rng = np.random.default_rng(seed)
    N = 10 ** rng.uniform(7, 10, rows)
    return {"N": N, "L": 40.0 * N**-0.3 * np.exp(noise * rng.normal(size=rows))}


@pytest.fixture(scope="module")
def runs():
    return bs.read_runs(table(), group="family")


@pytest.fixture(scope="module")
def found(runs):
    return bs.baseline(runs, replicates=24)


def test_a_convex_loss_has_scipys_minimum():
    """Of the log-linear law the Huber fit is a convex problem."""
    runs = bs.read_runs(power_table())
    ours = bs.baseline(runs, "power_law(N)", replicates=2).point.iloc[0]
    x, y = np.log(runs.values["N"]), np.log(runs.values["L"])
    centred = x - x.mean()
    start = np.polyfit(centred, y, 1)
    theirs = minimize(
        lambda p: 1e3 * huber_sum(p[0] * centred + p[1] - y),
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
    )
    assert ours["loss"] == pytest.approx(theirs.fun / 1e3, rel=1e-6)
    assert ours["loss"] <= theirs.fun / 1e3 * (1 + 1e-9)
    assert ours["alpha"] == pytest.approx(-theirs.x[0], abs=2e-5)


def test_no_start_of_scipys_goes_lower(runs, found):
    """A multi-start of two of SciPy's methods, each polished by the other, family by family."""
    rng = np.random.default_rng(0)
    for i, name in enumerate(runs.group_levels("family")):
        own = runs.subset(runs.labels["family"] == name)
        best = found.point.iloc[i]
        ours = np.array([*np.log(best[["A", "B", "E"]].astype(float)), best.alpha, best.beta])
        assert best["loss"] == pytest.approx(chinchilla_loss(ours, own), rel=1e-9)
        starts = [(*rng.uniform(3, 9, 2), rng.uniform(0, 1), *rng.uniform(0.2, 0.6, 2))
                  for _ in range(4)]  # fmt: skip
        for start in [ours, *starts]:
            p = np.asarray(start)
            for method in ("L-BFGS-B", "Nelder-Mead"):
                p = minimize(lambda q: 1e4 * chinchilla_loss(q, own), p, method=method).x  # noqa: B023
            assert chinchilla_loss(p, own) > best["loss"] * (1 - 1e-5)


def test_every_replicate_is_as_good_a_fit_as_the_point_fits(runs, found):
    """To its own runs, on which the point fit is one of many curves."""
    families = families_in(runs, resolve(runs, "chinchilla"))
    weights = bootstrap_weights(runs, families, 24, np.random.default_rng(0))

    def loss(params, i, weight):
        rows = families.rows[i]
        N, D, L = (runs.values[k][rows] for k in "NDL")
        law = params["E"] + params["A"] * N ** -params["alpha"] + params["B"] * D ** -params["beta"]
        miss = np.abs(np.log(L / law))
        each = np.where(miss > DELTA, DELTA * (miss - DELTA / 2), miss**2 / 2)
        return weight[: len(rows)] @ each

    draws = found.draws.set_index(["replicate", "family"])
    for copy in range(24):
        for i, name in enumerate(families.names):
            weight = weights[copy, i]
            own = loss(draws.loc[(copy, name)], i, weight)
            assert own <= loss(found.point.iloc[i], i, weight) * (1 + 1e-9)


def test_the_bootstrap_of_least_squares_is_the_sandwich():
    """A wide Huber loss is a square, whose bootstrap covariance is White's."""
    runs = bs.read_runs(power_table(150, noise=0.05))
    found = bs.baseline(runs, "power_law(N)", replicates=400, delta=10.0, priors=LINE)
    x, y = np.log(runs.values["N"]), np.log(runs.values["L"])
    design = np.stack([np.ones(150), -(x - x.mean())], axis=1)
    estimate, *_ = np.linalg.lstsq(design, y, rcond=None)
    left = y - design @ estimate
    inverse = np.linalg.inv(design.T @ design)
    white = inverse @ (design.T * left**2) @ design @ inverse
    assert found.point["alpha"][0] == pytest.approx(estimate[1], abs=1e-7)
    # of 400 draws: four standard errors of an sd
    assert found.draws["alpha"].std() == pytest.approx(np.sqrt(white[1, 1]), rel=4 / np.sqrt(800))


def test_checkpoints_of_a_run_go_together():
    columns = {**power_table(30), "name": np.repeat(np.arange(10), 3)}
    runs = bs.read_runs(columns, run="name", run_id=None)
    families = families_in(runs, resolve(runs, "power_law(N)"))
    weights = bootstrap_weights(runs, families, 50, np.random.default_rng(0))[:, 0, :30]
    assert (weights.sum(axis=1) == 30).all()
    assert (weights.reshape(50, 10, 3) == weights.reshape(50, 10, 3)[:, :, :1]).all()
    assert len(np.unique(weights)) > 2


def test_forecasts_have_the_columns_of_the_posteriors(found):
    t = found.forecast({"N": [1e9, 7e10], "D": 1e11, "family": ["a", "b"]})
    ends = [f"{kind}_{p}_{end}" for kind in ("law", "run") for p in (50, 90)
            for end in ("low", "high")]  # fmt: skip
    assert list(t.columns) == [
        "N", "D", "family", "median", *ends, "beyond_N", "beyond_D", "new_family"]  # fmt: skip
    order = ["run_90_low", "law_90_low", "law_50_low", "median", "law_50_high", "law_90_high",
             "run_90_high"]  # fmt: skip
    assert (np.diff(t[order].to_numpy(), axis=1) > 0).all()
    for name, row in zip("ab", t.itertuples(), strict=True):
        truth = TRUTH["E"][name] + 400.0 * row.N**-0.33 + 500.0 * row.D**-0.31
        assert row.median == pytest.approx(truth, rel=0.03)


def test_new_runs_scatter_as_the_residuals(found):
    left = found.point["scatter"].to_numpy()
    assert found.new_runs.shape == (24, 20, 3)
    assert np.sqrt((found.new_runs**2).mean(axis=(0, 1))) == pytest.approx(left, rel=0.15)
    assert (found.point["runs"] == 12).all()


def test_a_fixed_parameter_stays_and_a_response_may_be_negative():
    columns = power_table(40)
    fixed = bs.baseline(columns, "power_law(N)", replicates=3, priors={"alpha": 0.3})
    assert (fixed.point["alpha"] == 0.3).all()
    assert list(fixed.draws.columns) == ["replicate", "family", "A"]
    assert fixed.forecast({"N": 1e11})["median"].item() == pytest.approx(40 * 1e11**-0.3, rel=0.05)
    columns["L"] = columns["L"] - 0.2
    law = bs.law_from_equation("A * N**-alpha - c", priors={"c": "normal(0, 1)"})
    below = bs.baseline(columns, law, replicates=3, noise="normal")
    rows = below.forecast({"N": [1e8, 1e10]})
    assert rows["median"].to_numpy() == pytest.approx([40 * 1e8**-0.3 - 0.2, -0.16], abs=0.01)


def test_faults_are_told(found):
    with pytest.raises(bs.ForecastError, match="nothing is pooled"):
        found.forecast({"N": 1e9, "D": 1e10, "family": "mine"})
    with pytest.raises(bs.ForecastError, match="'D' is missing"):
        found.forecast({"N": 1e9, "family": "a"})
    with pytest.raises(bs.SpecError, match="replicates=1"):
        bs.baseline(power_table(), "power_law(N)", replicates=1)
    with pytest.raises(bs.SpecError, match="delta=0 must be positive"):
        bs.baseline(power_table(), "power_law(N)", delta=0)
    with pytest.raises(bs.SpecError, match="every parameter is fixed"):
        bs.baseline(power_table(), "power_law(N)", priors={"A": 40.0, "alpha": 0.3})
    few = bs.baseline(power_table(3), "power_law(N)", replicates=2)
    assert {n.code for n in few.notes} == {"few_runs"}
    assert "few_runs" in str(few)


def test_besiroglus_fit_is_found_again(shared_data):
    """Besiroglu et al. 2024, 240 points: to a tenth of their standard errors, and to a refit."""
    frame = pd.read_csv(shared_data / "chinchilla_epoch" / "chinchilla_epoch.csv")
    kept = frame[frame["role"] != "excluded"][["params", "tokens", "loss"]]
    assert len(kept) == 240
    point = bs.baseline(kept, replicates=2).point.iloc[0]
    published = {"A": 482.01, "B": 2085.43, "E": 1.8172, "alpha": 0.3478, "beta": 0.3658}
    error = {"A": 124.58, "B": 1293.23, "E": 0.03, "alpha": 0.02, "beta": 0.02}
    refit = {"A": 477.7, "B": 2143.0, "E": 1.817, "alpha": 0.3473, "beta": 0.3672}
    for name, value in published.items():
        assert abs(point[name] - value) < 0.1 * error[name], name
        assert point[name] == pytest.approx(refit[name], rel=1e-3), name


def test_lis_fit_is_found_again(shared_data):
    """Li et al. 2025, "(Mis)Fitting", Hoffmann's form on all their runs: to three digits."""
    frame = pd.read_csv(shared_data / "misfitting_lr" / "misfitting_lr.csv")
    point = bs.baseline(frame[["params", "tokens", "loss"]], replicates=2).point.iloc[0]
    found = {n: np.log(point[n]) for n in "ABE"} | {n: point[n] for n in ("alpha", "beta")}
    published = {"A": 3.939, "B": 13.056, "E": 0.592, "alpha": 0.2002, "beta": 0.6357}
    for name, value in published.items():
        assert found[name] == pytest.approx(value, rel=1e-3), name
