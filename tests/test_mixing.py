"""Laws of mixtures, and the best mixture: any number of domains, minima known otherwise."""

import json
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from command_line import run
from fitted import small_fit
from scipy.optimize import minimize

import bayes_scaling as bs
from bayes_scaling.decisions.asked import plan_of
from bayes_scaling.decisions.simplex import left_to_gain, minimise_on_simplex, project
from bayes_scaling.mixing import mixed

DOMAINS = ("web", "books", "code", "math")
LAW = f"ye_mixing({', '.join(DOMAINS)})"
PULLS = {"one": (-4.0, 1.5, 1.0), "two": (1.2, -3.0, 0.4)}  # of all domains but the last
FLOOR, GAIN, SCATTER = 2.0, 0.3, 0.01


def pulls(loss):
    return np.asarray([*PULLS[loss], -sum(PULLS[loss])])


def mixtures(rows=40):
    shares = np.random.default_rng(7).dirichlet(np.ones(4), rows)
    return np.where(shares < 0.05, 0.0, shares) / np.where(shares < 0.05, 0.0, shares).sum(
        axis=1, keepdims=True
    )


def table(loss, rows=40):
    shares = mixtures(rows)
    clean = FLOOR + GAIN * np.exp(shares @ pulls(loss))
    noise = np.random.default_rng(11).normal(0, SCATTER, rows)
    return {**dict(zip(DOMAINS, shares.T, strict=True)), "loss": clean * np.exp(noise)}


def runs_of(loss, rows=40):
    return bs.read_runs(table(loss, rows), inputs=DOMAINS)


@lru_cache
def fitted(loss):
    return bs.fit(runs_of(loss), LAW, progress=False)


def test_shares_of_none_are_read_without_a_word():
    assert not any(note.code == "covariate_not_positive" for note in runs_of("one").notes)


def test_the_posterior_finds_the_pulls_of_any_number_of_domains():
    fit = fitted("one")
    assert fit.spec.law.simplex == DOMAINS
    for name, truth in zip(DOMAINS, PULLS["one"], strict=False):
        draws = np.asarray(fit.posterior[f"t_{name}"])
        assert abs(draws.mean() - truth) < 4 * draws.std(), name
    assert fit.diagnose().ok


def test_a_saved_fit_knows_its_domains(tmp_path):
    loaded = bs.load(fitted("one").save(tmp_path / "fit.nc"))
    assert loaded.spec.law == fitted("one").spec.law
    at = {"web": 0.4, "books": 0.0, "code": 0.3, "math": 0.3}
    found = bs.forecast(loaded, at, prob=0.9, model_error=False).table
    known = FLOOR + GAIN * np.exp(np.array([0.4, 0.0, 0.3, 0.3]) @ pulls("one"))
    assert found["law_90_low"][0] < known < found["law_90_high"][0]
    assert not [c for c in found if c.startswith("beyond_")]


@pytest.mark.slow
def test_the_order_of_domains_does_not_matter():
    """With another domain last, whose pull is the dependent one, the bands are the same."""
    turned = bs.fit(runs_of("one"), "ye_mixing(math, code, web, books)", progress=False)
    at = {"web": 0.1, "books": 0.2, "code": 0.3, "math": 0.4}
    one, two = (
        bs.forecast(f, at, prob=0.9, model_error=False).table.iloc[0]
        for f in (fitted("one"), turned)
    )
    width = one["law_90_high"] - one["law_90_low"]
    assert abs(one["median"] - two["median"]) < 0.15 * width


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"web": 0.9}, r"shares .* sum to .* in row\(s\) .?3.?: they must sum to 1"),
        ({"web": -0.1}, r"'web' is a share .* outside 0 to 1 in row\(s\) '?3"),
    ],
)
def test_rows_that_are_no_mixture_are_named(change, said):
    columns = table("one")
    for name, value in change.items():
        columns[name] = columns[name].copy()
        columns[name][2] = value
    with pytest.raises(bs.DataError, match=said):
        bs.fit(bs.read_runs(columns, inputs=DOMAINS), LAW)


def test_a_domain_that_was_not_read_is_named():
    with pytest.raises(bs.DataError, match=r"needs the shares 'math', .* read it with inputs="):
        bs.fit(bs.read_runs(table("one"), inputs=DOMAINS[:3]), LAW)


def test_forecasts_are_for_mixtures():
    with pytest.raises(bs.ForecastError, match=r"at: the shares .* sum to 0\.9"):
        bs.forecast(fitted("one"), {"web": 0.4, "books": 0.1, "code": 0.2, "math": 0.2})


def test_a_mixture_has_two_domains_or_more():
    with pytest.raises(bs.LawError, match="two or more domains"):
        bs.get_law("ye_mixing(web)")
    with pytest.raises(bs.LawError, match="each named once"):
        bs.get_law("linear_mixing(web, web)")
    assert bs.get_law("shukor_mixing(web, code)").inputs == ("N", "D", "web", "code")
    assert bs.get_law("shukor_mixing(N, D, web, code)").simplex == ("web", "code")


@pytest.mark.usefixtures("x64")
def test_a_domain_that_is_left_out_has_finite_gradients():
    law = bs.get_law("shukor_mixing(web, code)")
    params = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 400.0, "beta": 0.28,
              "C_web": 2.0, "C_code": 3.0, "g_web": 0.5, "g_code": 0.4}  # fmt: skip
    value, grads = jax.value_and_grad(lambda p: law(1e9, 2e10, 1.0, 0.0, **p))(params)
    alone = 1.7 + 1 / 2.0 + 400 * 1e9**-0.34 + 400 * 2e10**-0.28
    assert float(value) == pytest.approx(alone, rel=1e-12)
    assert all(np.isfinite(float(g)) for g in grads.values())


# --- the best mixture ------------------------------------------------------------------------


@pytest.mark.usefixtures("x64")
def test_projections_are_nearest(rng):
    """No feasible shares lie on the place's side of the ones found (the projection theorem)."""
    low, high = jnp.array([0.1, 0.0, 0.0, 0.05]), jnp.array([0.6, 0.3, 1.0, 0.5])
    nearest = jax.jit(lambda place: project(place, low, high))
    for _ in range(20):
        place = jnp.asarray(rng.normal(0.25, 0.6, 4))
        found = nearest(place)
        assert float(found.sum()) == pytest.approx(1, abs=1e-9)
        assert bool(jnp.all((found >= low) & (found <= high)))
        others = rng.dirichlet(np.ones(4), 4000)
        inside = others[np.all((others >= low) & (others <= high), axis=1)]
        assert len(inside) > 100
        assert np.all((inside - found) @ np.asarray(place - found) <= 1e-9)


@pytest.mark.usefixtures("x64")
def test_the_minimum_is_that_of_a_fine_grid(rng):
    """Three domains, so that a grid of the simplex can be searched whole."""
    low, high = jnp.array([0.0, 0.1, 0.0]), jnp.array([0.5, 1.0, 1.0])
    ticks = np.linspace(0, 1, 201)
    a, b = np.meshgrid(ticks, ticks, indexing="ij")
    grid = np.stack([a, b, 1 - a - b], axis=-1)[a + b <= 1]
    grid = jnp.asarray(grid[np.all((grid >= low) & (grid <= high), axis=1)])

    def loss(shares, own):
        return jnp.exp(own @ shares).sum()

    @jax.jit
    def solve(own):
        return minimise_on_simplex(lambda r: loss(r, own), jnp.full(3, 1 / 3), low, high)

    on_grid = jax.jit(jax.vmap(loss, (0, None)))
    for _ in range(10):
        own = jnp.asarray(rng.normal(0, 4, (3, 3)))
        found, least = solve(own), float(on_grid(grid, own).min())
        assert float(found.value) <= least * (1 + 1e-6)
        assert float(found.value) >= least - float(found.left) - 0.05 * least
        assert float(found.left) <= 1e-6 * float(found.value)


@pytest.mark.usefixtures("x64")
def test_what_is_left_bounds_the_error(rng):
    """The gap of a linear function is its distance from the best corner, exactly."""
    slope, shares = jnp.asarray(rng.normal(size=5)), jnp.asarray(rng.dirichlet(np.ones(5)))
    left = left_to_gain(slope, shares, jnp.zeros(5), jnp.ones(5))
    assert float(left) == pytest.approx(float(slope @ shares - slope.min()), rel=1e-12)


def both():
    return {"one": fitted("one"), "two": fitted("two")}


def known_best():
    """The best mixture under the true law, by SciPy."""

    def total(shares):
        return 2 * FLOOR + sum(GAIN * np.exp(shares @ pulls(loss)) for loss in PULLS)

    whole = {"type": "eq", "fun": lambda shares: shares.sum() - 1}
    found = minimize(total, np.full(4, 0.25), bounds=[(0, 1)] * 4, constraints=whole, tol=1e-12)
    assert found.success
    return found.x, found.fun


def test_the_best_mixture_is_near_the_true_one():
    found = bs.best_mixture(both(), prob=0.9)
    shares, least = known_best()
    true_there = 2 * FLOOR + sum(
        GAIN * np.exp(np.asarray([found.shares[d] for d in DOMAINS]) @ pulls(loss))
        for loss in PULLS
    )
    assert sum(found.shares.values()) == pytest.approx(1, abs=1e-6)
    assert least - 1e-7 <= true_there < least * 1.003
    own = found.losses.set_index("fit").loc["target"]
    assert own["best_90_low"] <= own["chosen"]
    assert own["chosen"] < own["even"]
    assert np.allclose(found.draws.sum(axis=1), 1, atol=1e-6)
    inside = (found.table["best_90_low"] - 0.02 <= shares) & (
        shares <= found.table["best_90_high"] + 0.02
    )
    assert inside.sum() >= 3


def test_weights_and_bounds_move_it():
    plain = bs.best_mixture(both()).shares
    tilted = bs.best_mixture(both(), weights={"two": 20}).shares
    assert tilted["books"] > plain["books"]  # what pulls loss two down
    bound = bs.best_mixture(both(), bounds={"books": (0.0, 0.05)}).shares
    assert bound["books"] == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"weights": {"three": 1}}, "weights names 'three', which is no fit"),
        ({"bounds": {"wab": (0, 1)}}, "'wab', which is no domain.*Did you mean 'web'"),
        ({"bounds": {"web": (0.6, 0.5)}}, "a least and a largest share"),
        ({"bounds": {"web": (0.6, 1), "books": (0.6, 1)}}, "no shares within them sum to 1"),
        ({"at": {"N": 1e9}}, "'N' is no input beside the shares"),
    ],
)
def test_what_cannot_be_is_refused(asked, said):
    with pytest.raises(bs.DecisionError, match=said):
        bs.best_mixture(both(), **asked)


def test_the_command_prints_what_the_library_finds(tmp_path):
    files = [fit.save(tmp_path / f"{name}.nc") for name, fit in both().items()]
    code, out, err = run(
        "mixture", *files, "--weight", "two=2", "--bounds", "code=0..0.2", "--json"
    )
    assert (code, err) == (0, "")
    known = bs.best_mixture(both(), weights={"two": 2}, bounds={"code": (0, 0.2)})
    rows = {row["domain"]: row["share"] for row in json.loads(out)["table"]}
    assert rows == pytest.approx(known.shares, abs=1e-9)
    code, out, _ = run("mixture", *files)
    assert code == 0
    assert "Best mixture of 4 domains" in out
    assert "even mixture" in out


def test_two_fits_of_one_name_are_refused(tmp_path):
    (tmp_path / "b").mkdir()
    files = [fitted("one").save(tmp_path / "web.nc"), fitted("two").save(tmp_path / "b/web.nc")]
    code, _, err = run("mixture", *files)
    assert code == 2
    assert "two fits are called 'web'" in err
    with pytest.raises(bs.DecisionError, match="no fit can be called 'target'"):
        bs.best_mixture({"target": fitted("one")})


def test_a_share_is_not_chosen_by_itself():
    said = "share of a mixture, which moves the others"
    with pytest.raises(bs.DecisionError, match=said):
        bs.target(fitted("one"), 2.2, fixed=dict.fromkeys(DOMAINS[1:], 0.25))
    with pytest.raises(bs.DecisionError, match=said):
        bs.optimum(fitted("one"), "web")


def test_held_shares_sum_to_one():
    law = bs.get_law("shukor_mixing(web, code)")
    with pytest.raises(bs.DecisionError, match=r"fixed: the shares .* sum to 0\.8"):
        plan_of(law, fixed={"web": 0.5, "code": 0.3})
    _, terms = plan_of(law, fixed={"web": 1.0, "code": 0.0})
    assert terms.others == {"web": 1.0, "code": 0.0}


def test_along_a_share_the_others_keep_their_proportions():
    path = {"a": np.array([-0.1, 0.2, 1.3]), "b": np.full(3, 0.3), "c": np.full(3, 0.1)}
    found = mixed(("a", "b", "c"), path, "a")
    assert np.allclose(sum(found.values()), 1)
    assert np.allclose(found["a"], [0, 0.2, 1])
    assert np.allclose(found["b"], 3 * found["c"])


def test_pictures_and_report_are_of_mixtures():
    """Every point that is drawn or forecast would be refused if it were none."""
    for picture in (bs.plot_fit, bs.plot_residuals):
        assert picture(fitted("one")) is not None
    assert "web" in bs.report(fitted("one")).html


def test_a_law_without_shares_is_refused():
    with pytest.raises(bs.DecisionError, match="has no shares of a mixture"):
        bs.best_mixture(small_fit())


def test_the_command_fit_reads_the_shares_of_the_law(tmp_path):
    path = tmp_path / "mixtures.csv"
    pd.DataFrame(table("one")).to_csv(path, index=False)
    code, out, err = run("check", path, "--law", LAW, "--json")
    assert code == 0, err
    assert set(DOMAINS) <= {row["symbol"] for row in json.loads(out)["columns"]}
