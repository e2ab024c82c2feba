"""Every sampler against long NUTS runs, and the checks that refuse a fast answer."""

import jax
import numpy as np
import pytest
from arviz_base import from_dict
from arviz_stats import ess

import bayes_scaling as bs
from bayes_scaling._progress import no_progress
from bayes_scaling.infer import auto, ensemble
from bayes_scaling.infer.approximate import smoothed
from bayes_scaling.infer.auto import Step, check_chains, check_weights, sample_auto
from bayes_scaling.infer.base import Draws, Settings
from bayes_scaling.infer.ensemble import Ensemble, _turned, first_tuning
from bayes_scaling.infer.prepare import GROUPS
from bayes_scaling.infer.samplers import SAMPLERS, get_sampler

NAMES = ("E", "alpha", "beta", "sigma")
Z_LIMIT = 4.5  # 4 samplers x 4 names x 3 statistics: a false alarm in over 3000 runs


def simulated(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    N, D = 10 ** rng.uniform(7, 10, rows), 10 ** rng.uniform(9, 12, rows)
    mean = 1.8 + 400 * N**-0.34 + 900 * D**-0.33
    return bs.read_runs({"N": N, "D": D, "L": mean * np.exp(0.01 * rng.standard_t(5, rows))})


@pytest.fixture(scope="module")
def runs():
    return simulated()


@pytest.fixture(scope="module")
def reference(runs):
    fit = bs.fit(runs, sampler="nuts", draws=2500, seed=9, progress=False)
    return {n: np.asarray(fit.posterior[n]) for n in NAMES}


def score(a, b, statistic, widen):
    """Standard score of the difference of a statistic between two sets of draws."""
    counts = [float(ess(from_dict({"posterior": {"x": x}}))["x"]) for x in (a, b)]
    error = widen * np.sqrt(a.var() / counts[0] + b.var() / counts[1])
    return (statistic(a) - statistic(b)) / error


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_every_sampler_agrees_with_a_long_run_of_nuts(sampler, runs, reference):
    fit = bs.fit(runs, sampler=sampler, seed=1, progress=False)
    assert fit.diagnose().ok, fit.diagnose()
    for name in NAMES:
        draws, long = np.log(np.asarray(fit.posterior[name])), np.log(reference[name])
        for quantile, widen in ((0.05, 3.0), (0.5, 1.5), (0.95, 3.0)):
            found = score(draws, long, lambda x, q=quantile: np.quantile(x, q), widen)
            assert abs(found) < Z_LIMIT, (name, quantile, found)


def test_auto_takes_a_fast_sampler_and_says_so(runs):
    fit = bs.fit(runs, progress=False)
    assert [step["sampler"] for step in fit.path] == ["laplace"]
    assert fit.path[0]["numbers"]["pareto_k"] < 0.5
    again = bs.fit(runs, progress=False)
    assert np.array_equal(again.posterior["E"], fit.posterior["E"])


def test_auto_escalates_and_tells_why():
    """Thirteen runs, Student-t noise: sigma and nu are open, and the fast answers are refused."""
    runs = bs.published_runs(embeddings=False, group=None, families=["Cerebras-GPT", "Pythia"])
    fit = bs.fit(runs, progress=False)
    *refused, last = fit.path
    assert refused
    assert all(step["refused"] for step in refused)
    assert last["sampler"] in ("chees", "nuts")
    assert "escalated" in {f.code for f in fit.diagnose().findings}


def test_settings_of_nuts_given_to_auto_are_those_of_nuts(runs):
    fit = bs.fit(runs, chains=2, draws=50, warmup=50, progress=False)
    assert dict(fit.posterior.sizes)["chain"] == 2
    assert "tree_depth" in fit.data["sample_stats"]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"sampler": "nutz"}, "Did you mean 'nuts'"), ({"sampler": "chees", "chains": 12}, "groups")],
)
def test_bad_sampler_settings(runs, options, said):
    with pytest.raises(bs.SpecError, match=said):
        bs.fit(runs, progress=False, **options)


def grouped(seed=0, chains=64, draws=100, dim=3):
    rng = np.random.default_rng(seed)
    stats = {
        "diverging": np.zeros((chains, draws), bool),
        "acceptance_rate": np.full((chains, draws), 0.8),
    }
    return Draws(rng.normal(size=(chains, draws, dim)), stats, {"groups": GROUPS})


def spoiled(kind):
    found = grouped()
    if kind == "far group":
        found.z[: 64 // GROUPS, :, 1] += 1.0
    elif kind == "stuck chain":
        found.stats["acceptance_rate"][5] = 0.01
    elif kind == "divergent":
        found.stats["diverging"][3, 7] = True
    elif kind == "slow":
        found.z[:] = np.repeat(found.z[:, ::50], 50, axis=1)
    elif kind == "not finite":
        found.z[0, 0, 0] = np.nan
    return found


def test_good_chains_are_accepted():
    refused, numbers = check_chains(grouped())
    assert refused == ""
    assert numbers["nested_rhat"] < 1.01


@pytest.mark.parametrize("kind", ["far group", "stuck chain", "divergent", "slow", "not finite"])
def test_bad_chains_are_refused(kind):
    assert check_chains(spoiled(kind))[0]
    assert bool(check_chains(spoiled(kind), 0.001)[0]) == (kind != "divergent")


@pytest.mark.parametrize(
    ("divergent", "nuts", "kept"),
    [(2, (1.2, 20), "chees"), (2, (1.04, 150), "chees"), (2, (1.01, 900), "nuts"),
     (70, (1.2, 20), "nuts")],
)  # fmt: skip
def test_an_ensemble_with_few_divergences_is_kept_where_nuts_does_not_settle(
    monkeypatch, divergent, nuts, kept
):
    many, reference = grouped(), grouped(1, chains=4, draws=1000)
    many.stats["diverging"][0, :divergent] = True
    rhat, worth = nuts
    tried = {
        "chees": (many, Step("chees", 1.0, *check_chains(many))),
        "nuts": (
            reference,
            Step("nuts", 2.0, "" if rhat < 1.05 else "R-hat 1.20", {"ess_bulk": worth}),
        ),
    }
    asked = SAMPLERS["chees"].settle(Settings())
    monkeypatch.setattr(auto, "other_modes", lambda prepared: 0)
    monkeypatch.setattr(auto, "_tries", lambda *_: [asked])
    monkeypatch.setattr(auto, "_try", lambda target, prepared, asked, _: tried[asked.sampler])
    drawn, path = sample_auto(None, None, Settings(), no_progress, lambda *_: None)
    assert drawn.draws is tried[kept][0]
    assert drawn.settings.sampler == path[-1].sampler == kept
    assert not path[-1].refused
    assert [step.sampler for step in path if step.refused] == (
        ["chees", "nuts"] if kept == "chees" else ["chees"]
    )


@pytest.mark.parametrize(
    ("k", "worth", "good"),
    [(0.2, 500, True), (0.8, 500, False), (0.2, 50, False), (np.nan, 500, False)],
)
def test_weights_are_judged_by_their_tail_and_their_worth(k, worth, good):
    draws = Draws(np.zeros((2, 50, 1)), {}, {"pareto_k": k, "weights_ess": worth})
    assert (check_weights(draws)[0] == "") == good


@pytest.mark.parametrize(
    ("ratios", "good"),
    [
        (np.zeros(400), True),  # the approximation is the posterior
        (np.full(400, -np.inf), False),
        (np.where(np.arange(400) < 3, 0.0, -np.inf), False),
        (np.where(np.arange(400) < 200, 0.0, -1.0), False),  # two heights, no tail
    ],
)
def test_weights_without_a_tail_are_judged_too(ratios, good):
    log_weight, k = smoothed(ratios)
    assert log_weight.shape == ratios.shape
    assert np.isfinite(log_weight).all()
    draws = Draws(np.zeros((2, 50, 1)), {}, {"pareto_k": k, "weights_ess": 400.0})
    assert (check_weights(draws)[0] == "") == good


def test_samplers_settle_their_own_sizes():
    settled = get_sampler("chees").settle(Settings(draws=7))
    assert (settled.sampler, settled.chains, settled.draws) == ("chees", 64, 7)


def test_further_whitening_moves_no_chain(rng):
    """Places, and gradients in the prepared coordinates, are what they were."""
    with jax.enable_x64(True):
        root = np.eye(3) + np.tril(rng.normal(size=(3, 3)), -1)
        further = np.tril(rng.normal(size=(3, 3)), -1) + np.diag([0.5, 2.0, 1.5])
        x, gradient = rng.normal(size=(2, 5, 3))
        tuning = first_tuning(0.0, 0.0, np.float64(0.9))
        state = Ensemble(jax.random.key(0), x, np.zeros(5), gradient, root, tuning)
        turned = _turned(state, further)
        assert np.allclose(turned.x @ turned.root.T, x @ root.T)
        inverse = np.linalg.inv(root), np.linalg.inv(turned.root)
        assert np.allclose(turned.gradient @ inverse[1], gradient @ inverse[0])
        assert np.allclose(turned.root, root @ further)


def test_progress_is_told_of_rounds_that_have_run(monkeypatch):
    """JAX returns before a program has run: a bar would be full at once, and then stand still."""
    told = []

    def advance(state, *_):
        told.append("run")
        return state, {}

    programs = ensemble.Programs(lambda *_: 0, advance)
    monkeypatch.setattr(ensemble, "compiled_ensemble", lambda *_: programs)
    monkeypatch.setattr(ensemble, "_assemble", lambda *_: None)
    monkeypatch.setattr(jax, "block_until_ready", lambda _: told.append("wait"))
    asked = Settings(chains=8, draws=2 * ensemble.ROUND, warmup=ensemble.ROUND)
    ensemble.sample_ensemble(None, (), asked, lambda done, *_: told.append(done // ensemble.ROUND))
    assert told == [0, "run", "wait", 1, "run", "wait", 2, "run", "wait", 3]
