"""Designs of the next runs against closed forms, quadrature, and brute force: simulate, refit."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from command_line import run
from scipy.stats import norm
from scipy.stats import t as student_t

import bayes_scaling as bs
from bayes_scaling.decisions.goals import goal_of
from bayes_scaling.decisions.joint_draws import joint_of
from bayes_scaling.error_draws import with_model_error
from bayes_scaling.forecasting import kept_error
from bayes_scaling.law_draws import law_draws
from bayes_scaling.stats import designing
from bayes_scaling.stats.designing import Joint, Moments

SIGMA = 0.02
WIDE = np.exp(1.645 * 0.5)
PRIORS = {  # normal in the log of the level and in alpha, the noise all but known
    "A": f"lognormal(2.5, {2.5 / WIDE}, {2.5 * WIDE})",
    "alpha": "normal(0.15, 0.05)",
    "sigma": f"lognormal({SIGMA}, {0.995 * SIGMA}, {1.005 * SIGMA})",
}


def table(rows=10, seed=3):
    rng = np.random.default_rng(seed)
    N = 10 ** np.sort(rng.uniform(6.5, 9, rows))
    return pd.DataFrame({"N": N, "L": 40.0 * N**-0.15 * np.exp(SIGMA * rng.normal(size=rows))})


@pytest.fixture(scope="module")
def line():
    """A power law, linear on the log scale."""
    return bs.fit(table(), "power_law(N)", noise="normal_log", priors=PRIORS, progress=False)


POSSIBLE = pd.DataFrame({"N": np.geomspace(1e6, 1e10, 9), "cost": np.geomspace(1.0, 1e4, 9)})
TARGET = {"N": 1e11}


def posterior_variance(fit, more):
    """Of log L at the target in closed form, after runs at ``more``. The prior is of the level
    A N^-alpha at the data's reference, sd 0.5 in its log, and of alpha, sd 0.05."""
    N = np.concatenate([fit.runs.values["N"], more])
    design = np.stack([np.ones(len(N)), -np.log(N)], axis=1)
    toward = np.array([[1.0, -np.log(fit.reference["N"])], [0.0, 1.0]])
    prior = toward.T @ np.diag([0.5**-2, 0.05**-2]) @ toward
    precision = prior + design.T @ design / SIGMA**2
    at = np.array([1.0, -np.log(TARGET["N"])])
    return float(at @ np.linalg.solve(precision, at))


# --- arrays in, arrays out -------------------------------------------------------------------


def gaussian(rng, samples=4000, runs=4, noise=0.3):
    """Goal and runs linear in three normal coefficients, beside an error of their own."""
    weights = rng.normal(size=(3, 1 + runs))
    root = 0.4 * rng.normal(size=(1 + runs, 1 + runs))
    covariance = root @ root.T
    mean = rng.normal(size=(samples, 3)) @ weights
    scale = np.full((samples, runs), noise)
    joint = Joint(mean, np.zeros(samples, int), lambda part: covariance, scale,
                  np.full(samples, np.inf))  # fmt: skip
    return joint, weights.T @ weights + covariance


def conditional(covariance, noise, chosen):
    """Variance of the first given noisy others, by the inverse of the joint precision."""
    place = [0, *(1 + np.asarray(chosen))]
    whole = covariance[np.ix_(place, place)] + np.diag([0.0, *[noise**2] * len(chosen)])
    return 1 / np.linalg.inv(whole)[0, 0]


def test_moments_give_the_variance_of_linear_regression(rng):
    joint, exact = gaussian(rng, samples=20_000)
    moments = designing.moments_of(joint)
    for chosen in ([], [2], [0, 3], [0, 1, 2, 3]):
        found = designing.after(moments, chosen)
        assert found == pytest.approx(conditional(exact, 0.3, chosen), rel=0.05)  # 5 / sqrt(S)


def test_a_repeat_is_an_observation_of_its_own(rng):
    _, exact = gaussian(rng)
    moments = Moments(exact, np.full(4, 0.09))
    twice = conditional(exact, 0.3 / np.sqrt(2), [1])
    assert designing.after(moments, [1, 1]) == pytest.approx(twice)
    once = designing.after(moments, [1])
    assert exact[0, 0] - once > once - twice > 0


def test_nested_monte_carlo_agrees_with_linear_regression(rng):
    joint, exact = gaussian(rng)
    found = designing.nested(joint.take(np.arange(2000)), 400, rng)
    true = conditional(exact, 0.3, range(4))
    assert found.samples > 20
    assert abs(found.after - true) < 4 * found.error + 0.05 * true  # 2000 samples: 5 %
    assert found.before == pytest.approx(exact[0, 0], rel=0.15)


def test_parts_are_weighed_like_their_samples(rng):
    """Two parts, one with a wide error: an outcome tells which of them it is from."""
    wide, narrow = np.eye(3) + 0.5, 0.01 * (np.eye(3) + 0.5)
    part = np.repeat([0, 1], 1000)
    mean = rng.normal(size=(2000, 1)) * np.array([1.0, 0.5, 0.8]) + 0.1 * rng.normal(size=(2000, 3))
    joint = Joint(mean, part, [wide, narrow].__getitem__, np.full((2000, 2), 0.2),
                  np.full(2000, 5.0))  # fmt: skip
    by_sample = designing.nested(joint, 500, rng)
    by_part = designing.nested(designing.parts_of(joint, 200), 500, rng)
    apart = abs(by_sample.after - by_part.after)
    assert apart < 4 * np.hypot(by_sample.error, by_part.error) + 0.05 * by_sample.after
    linear = designing.after(designing.moments_of(joint), [0, 1])
    assert by_part.after < linear + 4 * by_part.error  # the linear estimate is an upper bound


@pytest.mark.parametrize("scale", [0.2, 0.7, 2.0])
def test_student_noise_counts_as_normal_noise_that_tells_as_much(rng, scale):
    """A normal goal seen once under Student-t noise of five degrees of freedom, by quadrature."""
    goal, seen = np.linspace(-7, 7, 1401), np.linspace(-25, 25, 2501)
    weight = norm.pdf(goal)[:, None] * student_t.pdf((seen - goal[:, None]) / scale, 5) / scale
    total = weight.sum(0)
    mean = goal @ weight / total
    exact = np.sum(goal**2 @ weight - mean**2 * total) * (goal[1] - goal[0]) * (seen[1] - seen[0])
    draws = rng.normal(size=(3000, 1))
    joint = Joint(np.repeat(draws, 2, axis=1), np.zeros(3000, int), lambda part: np.zeros((2, 2)),
                  np.full((3000, 1), scale), np.full(3000, 5.0))  # fmt: skip
    noise = designing.normal_equivalent(np.ones(1), joint.scale, joint.nu)
    assert designing.after(Moments(np.ones((2, 2)), noise), [0]) == pytest.approx(exact, rel=0.02)
    found = designing.nested(joint, 1000, rng)
    assert abs(found.after - exact) < 4 * found.error + 0.05 * exact


def test_choices_keep_to_budget_and_count_and_come_near_the_best_subset(rng):
    covariance = np.cov(rng.normal(size=(13, 40)) + rng.normal(size=40))
    moments, cost = Moments(covariance, np.full(12, 0.5)), rng.uniform(1, 4, 12)
    chosen = designing.choose(moments, cost, 6.0, 3, 1)
    assert cost[chosen].sum() <= 6.0
    assert len(set(chosen)) == len(chosen) <= 3
    subsets = [c for k in (1, 2, 3) for c in combinations(range(12), k) if cost[list(c)].sum() <= 6]
    best = min(designing.after(moments, c) for c in subsets)
    taken = moments.variance - designing.after(moments, chosen)
    assert taken >= (1 - 1 / np.e) * (moments.variance - best)
    again = designing.choose(moments, cost, 6.0, 10, 3)
    assert max(map(again.count, again)) <= 3


def test_each_choice_takes_the_earlier_ones_into_account():
    """Two copies of one run and a lesser one of its own: the second copy is not taken."""
    covariance = np.array([[2.0, 1.0, 1.0, 0.8], [1.0, 1.0, 1.0, 0.0],
                           [1.0, 1.0, 1.0, 0.0], [0.8, 0.0, 0.0, 1.0]])  # fmt: skip
    moments = Moments(covariance, np.full(3, 0.01))
    assert designing.choose(moments, np.ones(3), 2.0, 2, 1) in ([0, 2], [1, 2])


# --- a law whose posterior is known ----------------------------------------------------------


def test_the_design_of_a_line_has_the_closed_form(line):
    found = bs.design(line, POSSIBLE, budget=2e4, goal=TARGET, batch=3, model_error=False)
    samples = len(line.samples["alpha"])
    close = 5 * np.sqrt(2 / samples)
    assert found.before**2 == pytest.approx(posterior_variance(line, []), rel=close)
    for i in range(len(found.table)):
        exact = posterior_variance(line, found.table["N"][: i + 1])
        assert found.table["sd"][i] ** 2 == pytest.approx(exact, rel=close)
    assert found.nested is not None
    left, error = found.nested.after, found.nested.error
    assert abs(left - posterior_variance(line, found.table["N"])) < 4 * error + close * left
    gains = [
        1 - posterior_variance(line, [n]) / posterior_variance(line, []) for n in POSSIBLE["N"]
    ]
    np.testing.assert_allclose(found.candidates["gain"], gains, atol=0.02)
    assert found.law_alone
    assert "3 runs for" in str(found)


def test_a_parameter_and_a_point_are_the_same_goal_far_away(line):
    """At a far point the slope is all that matters, so that the ranking is that of alpha."""
    far = bs.design(line, POSSIBLE, budget=1e4, goal={"N": 1e60}, model_error=False)
    slope = bs.design(line, POSSIBLE, budget=1e4, goal="alpha", model_error=False)
    np.testing.assert_allclose(far.candidates["gain"], slope.candidates["gain"], atol=0.02)
    assert slope.unit == "log"
    assert slope.goal == "alpha"


def test_refitting_simulated_outcomes_has_the_expected_variance():
    """Brute force with a law that is not linear: simulate two runs, refit, average the variance."""
    law, options = "power_law_with_floor(N)", {"noise": "normal_log", "progress": False}
    rng = np.random.default_rng(5)
    N = np.geomspace(1e6, 1e9, 14)
    y = (1.5 + 60.0 * N**-0.25) * np.exp(0.01 * rng.normal(size=len(N)))
    known = pd.DataFrame({"N": N, "L": y})
    fit = bs.fit(known, law, **options)
    found = bs.design(fit, POSSIBLE, budget=2e4, goal=TARGET, batch=2, model_error=False)
    new = found.table[["N"]]
    runs = law_draws(fit, new, bs_key(1)).run
    take = rng.permutation(len(runs))[:40]
    tables = [pd.concat([known, new.assign(L=runs[i])], ignore_index=True) for i in take]
    many = bs.fit_many(tables, law, **options)
    drawn = [law_draws(many.sampled(i), TARGET, bs_key(2)).mean for i in range(len(tables))]
    realised = np.array([np.var(np.log(d)) for d in drawn])
    error = realised.std(ddof=1) / np.sqrt(len(realised))
    ratio, spread = realised.mean() / found.expected**2, error / realised.mean()
    print(f"realised over expected variance {ratio:.3f}, standard error {spread:.3f}")
    assert realised.mean() < found.before**2
    assert abs(ratio - 1) < 4 * spread + 0.1  # the linear estimate's own error
    assert found.nested is not None
    again = realised.mean() / found.nested.after
    assert abs(again - 1) < 4 * np.hypot(spread, found.nested.error / found.nested.after) + 0.05


def bs_key(seed):
    import jax

    return jax.random.key(seed)


# --- the law's own error ---------------------------------------------------------------------


def test_moments_with_the_law_s_error_are_those_of_its_draws(line):
    error = kept_error(line)
    points = pd.DataFrame({"N": [1e7, 1e9, 1e11]})
    joint = joint_of(line, goal_of(line, {"N": 1e12}, error), points, error, 0)
    found = designing.moments_of(joint).covariance
    at = pd.DataFrame({"N": [1e12, 1e7, 1e9, 1e11]})
    drawn = law_draws(line, at, bs_key(0))
    many = [np.log(with_model_error(error, drawn, seed=s).mean) for s in range(4)]
    sampled = np.cov(np.concatenate(many).T)
    sd = np.sqrt(np.diag(found))
    np.testing.assert_allclose(sampled / np.outer(sd, sd), found / np.outer(sd, sd), atol=0.12)


def test_repeats_and_far_runs_tell_less_with_the_law_s_error(line):
    """A run repeated for ever leaves the law's error between it and the goal."""
    one = pd.DataFrame({"N": [1e10], "cost": [1.0]})
    ask = {"budget": 400.0, "goal": TARGET, "repeats": 400}
    wrong, right = (bs.design(line, one, model_error=e, **ask) for e in (True, False))
    gain = wrong.table["gain"].to_numpy()
    assert (np.diff(gain) < 1e-12).all()
    assert wrong.expected / wrong.before > right.expected / right.before
    assert not wrong.law_alone


def test_the_candidates_together_leave_least(line):
    found = bs.design(line, POSSIBLE, budget=100.0, goal=TARGET)
    assert found.with_all <= found.expected <= found.before
    assert found.table["spent"].iloc[-1] <= 100
    assert found.table["gain"].between(0, 1).all()


# --- goals and families ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def families():
    rng = np.random.default_rng(0)
    N = np.tile(np.geomspace(1e7, 1e9, 5), 6)
    D = np.repeat(np.geomspace(1e9, 1e11, 3), 10)
    family = np.tile(np.repeat(["a", "b"], 5), 3)
    L = 1.7 + 0.2 * (family == "b") + 400 * N**-0.34 + 410 * D**-0.28
    L = L * np.exp(0.003 * rng.normal(size=len(N)))
    columns = {"N": N, "D": D, "L": L, "family": family}
    return bs.fit(pd.DataFrame(columns), "chinchilla", group="family", progress=False)


def test_goals_of_families(families):
    grid = bs.candidate_grid(N=(1e7, 1e9), M=(5, 80), family=["a", "b"], steps=3)
    point = {"N": 1e10, "D": 2e11, "family": "a"}
    near = bs.design(families, grid, budget=1e20, goal=point, batch=2, model_error=False)
    assert set(near.table["family"]) <= {"a", "b"}
    assert near.table["cost"].tolist() == pytest.approx(
        (6 * near.table["N"] * near.table["D"]).tolist()
    )
    best = bs.design(families, grid, budget=1e20, goal=1e22, family="a", batch=2, model_error=False)
    sizes = bs.allocate(families, 1e22, family="a").draws["N"].values
    assert best.before == pytest.approx(np.log(sizes).std(), rel=0.01)
    assert best.goal == "best N at C = 1e+22"
    several = bs.design(families, grid, budget=1e20, goal="E", batch=1, model_error=False)
    assert len(several.table) == 1


# --- bad input -------------------------------------------------------------------------------

BAD = {
    "no column": (pd.DataFrame({"size_": [1e8], "cost": [1.0]}), {}, "no column for 'N'"),
    "no cost": (pd.DataFrame({"N": [1e8]}), {}, "add a column 'cost'"),
    "cost named": (POSSIBLE, {"cost": "costs"}, "Did you mean 'cost'"),
    "cost of zero": (POSSIBLE.assign(cost=0.0), {}, "'cost' must be above zero, it is not in row"),
    "negative": (POSSIBLE.assign(N=-1.0), {}, "'N' must be above zero, it is not in rows 1, 2"),
    "text": (POSSIBLE.assign(N="big"), {}, "column 'N'"),
    "no rows": (POSSIBLE.iloc[:0], {}, "no rows"),
    "budget": (POSSIBLE, {"budget": -1}, "budget is -1"),
    "small budget": (POSSIBLE, {"budget": 0.5}, "pays for no candidate, the cheapest costs 1"),
    "batch": (POSSIBLE, {"batch": 1.5}, "whole number of runs"),
    "goal": (POSSIBLE, {"goal": "alpa"}, "Did you mean 'alpha'"),
    "best size": (POSSIBLE, {"goal": 1e24}, "two of N, D, C and M"),
    "points": (POSSIBLE, {"goal": {"D": 1e9}}, "'N' is missing"),
    "family": (POSSIBLE, {"family": "a"}, "family and fixed belong"),
    "too many": ({"N": np.full(3001, 1e8)}, {}, "at most 3000"),
    "twice": (POSSIBLE.assign(params=1e8), {}, "could each be N"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line(line, name):
    possible, changes, told = BAD[name]
    with pytest.raises(bs.BayesScalingError, match=told) as caught:
        bs.design(line, possible, **{"budget": 10.0, "goal": TARGET, **changes})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bounds", "told"),
    [({"N": (1e9, 1e7)}, "lower bound first"), ({"N": (1, 2, 3)}, "3 bounds"),
     ({"N": (0, 1)}, "positive"), ({}, "needs bounds")],
)  # fmt: skip
def test_bad_bounds(bounds, told):
    with pytest.raises(bs.DecisionError, match=told):
        bs.candidate_grid(**bounds)


# --- the command line ------------------------------------------------------------------------


@pytest.fixture
def files(line, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    POSSIBLE.to_csv(tmp_path / "possible.csv", index=False)
    return line.save(tmp_path / "fit.nc"), tmp_path / "possible.csv"


def test_the_command_is_the_library(line, files, tmp_path):
    out_file = tmp_path / "next.csv"
    asked = ("design", *files, "--budget", "20k", "--at", "N=100B", "--batch", "2",
             "--no-model-error")  # fmt: skip
    code, out, err = run(*asked, "--out", out_file)
    assert (code, err) == (0, "")
    known = bs.design(line, POSSIBLE, budget=2e4, goal=TARGET, batch=2, model_error=False)
    pd.testing.assert_frame_equal(pd.read_csv(out_file), known.table, check_dtype=False)
    assert known.texts()["sd after"][0] in out
    record = json.loads(run(*asked, "--json")[1])
    assert record["sd"]["expected"] == pytest.approx(known.expected)
    assert len(record["candidates"]) == len(POSSIBLE)
    assert "exists already" in run(*asked, "--out", out_file)[2]


def test_the_command_makes_grids_and_takes_parameters(files):
    code, out, err = run("design", files[0], "--within", "N=1M..10B", "--within", "D=1B",
                         "--steps", "4", "--budget", "1e21", "--goal", "alpha",
                         "--no-model-error")  # fmt: skip
    assert (code, err) == (0, "")
    assert "to tell alpha" in out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "say what the runs should tell of"),
        (("--goal", "alpha", "--at", "N=1B"), "say what the runs should tell of"),
        (("--goal", "alpha", "--within", "N=1M..1B"), "as one table"),
        (("--goal", "alpha", "--cost", "dollars"), "no column 'dollars'"),
    ],
)
def test_faults_of_the_command(files, tmp_path, more, told):
    out_file = tmp_path / "next.csv"
    code, out, err = run("design", *files, "--budget", "10", "--out", out_file, *more)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert told in err
    assert not out_file.exists()
