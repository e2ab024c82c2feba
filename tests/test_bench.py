"""The benchmark: peers have the same posterior, quality is what it says, words and files."""

import json
import math

import numpy as np
import pytest
from numpyro.infer.util import log_density

import bayes_scaling as bs
from bayes_scaling._errors import SpecError
from bayes_scaling.arguments import start_basis
from bayes_scaling.bench import engines, report
from bayes_scaling.bench.by_hand import in_numpyro
from bayes_scaling.bench.compare import compare
from bayes_scaling.bench.problems import PROBLEMS, get_problem, simulated
from bayes_scaling.bench.quality import moments, quality, worst_gap
from bayes_scaling.cli import main
from bayes_scaling.cli.bench_words import chosen_engines, write_results


def ours_at(point, args, families):
    """The sites of this package's model for a point of the model written by hand."""
    at = {n: np.exp(point[f"log_{n}"]) for n in ("alpha", "beta", "sigma", "nu")}
    down = {"E": 0.0, "A": at["alpha"] * np.log(args["ref"]["N"]),
            "B": at["beta"] * np.log(args["ref"]["D"])}  # fmt: skip
    basis = start_basis(families, outermost=True) if families else None
    for name, shift in down.items():
        centre = point[f"log_{name}"] - shift
        if families:
            away = point[f"{name}_offset"]
            at |= {
                f"tau_{name}": point[f"tau_{name}"],
                f"{name}_mean": centre + point[f"tau_{name}"] * away.mean(),
                f"{name}_drift": away.mean() * np.sqrt(families),
                f"{name}_offset": basis.T @ away,
            }
        else:
            at["E" if name == "E" else f"{name}_level"] = np.exp(centre)
    return at


@pytest.mark.parametrize("families", [0, 4])
@pytest.mark.parametrize("centred", [False, True])
def test_peers_have_the_posterior_of_fit(families, centred, x64):
    """Exact: the log densities of both models differ by a constant."""
    runs = simulated(max(families, 1), 6)
    model, (args,) = bs.numpyro_model(runs)
    *arrays, size, centre = engines._inputs(runs, centred=centred)
    rng = np.random.default_rng(0)
    gaps = []
    for _ in range(4):
        point = {"log_E": 0.5, "log_A": 6.0, "log_B": 7.0, "log_alpha": -1.1, "log_beta": -1.0,
                 "log_sigma": -4.6, "log_nu": 1.8}  # fmt: skip
        point = {k: v + 0.2 * rng.normal() for k, v in point.items()}
        for name in "EAB" * bool(families):
            point |= {f"tau_{name}": rng.uniform(0.05, 0.3), f"{name}_offset": rng.normal(size=4)}
        ours = ours_at(point, args, families)
        moved = dict(point)
        for name, exponent, place in (("A", "alpha", 0), ("B", "beta", 1)):
            moved[f"log_{name}"] -= np.exp(point[f"log_{exponent}"]) * np.log(centre[place])
        theirs, _ = log_density(in_numpyro, (*arrays, size, centre), {}, moved)
        mine, _ = log_density(model, (args,), {}, ours)
        # densities of positive numbers against those of their logarithms
        logs = ["alpha", "beta", "sigma", "nu"]
        logs += [] if families else ["E", "A_level", "B_level"]
        gaps.append(float(mine) + sum(np.log(ours[n]) for n in logs) - float(theirs))
    assert np.allclose(gaps, gaps[0], atol=1e-8)


def test_quality_of_independent_draws_is_their_number():
    rng = np.random.default_rng(0)
    found = quality({"E": np.exp(rng.normal(size=(4, 1000))), "other": np.ones((4, 1000))})
    assert found["rhat"] < 1.01
    for name in ("ess_bulk", "ess_tail", "ess_square"):
        assert 3000 < found[name] < 5000, name


def test_quality_sees_a_chain_apart_and_the_worth_of_weighed_draws():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4, 1000))
    assert quality({"E": np.exp(draws + 3.0 * (np.arange(4) == 2)[:, None])})["rhat"] > 1.2
    assert quality({"E": np.exp(draws)}, worth=50.0)["ess_bulk"] == 50.0


def test_gaps_are_in_monte_carlo_errors():
    rng = np.random.default_rng(1)
    first, second = (np.exp(rng.normal(size=(4, 2000))) for _ in range(2))
    same, _ = worst_gap(moments({"E": first}), moments({"E": second}))
    assert same < 4.0
    apart, where = worst_gap(moments({"E": first}), moments({"E": second * 1.2}))
    assert apart > 5.0
    assert where.endswith("of E")


def test_every_simulated_problem_loads_and_every_real_one_asks_for_its_folder():
    for name, entry in PROBLEMS.items():
        if entry.needs_data:
            with pytest.raises(SpecError, match="--data"):
                get_problem(name, None)
        elif name != "million":
            assert get_problem(name, None)[1].n > 5


def test_real_problems_are_there(shared_data):
    rows = {name: get_problem(name, shared_data)[1].n for name in ("chinchilla", "gadre", "porian")}
    assert rows == {"chinchilla": 245, "gadre": 104, "porian": 1471}


def record(engine, rate, **more):
    return {"problem": "p", "engine": engine, "cold_seconds": 9.0, "whole_seconds": 1.0,
            "seconds": 0.5, "ess_bulk": 1e3, "ess_tail": 900.0, "ess_square": 800.0, "rhat": 1.001,
            "ess_per_second": rate, "leapfrogs": math.nan, "peak_mib": 700.0, **more}  # fmt: skip


FOUND = {
    "date": "2026-01-01",
    "device": "a machine",
    "python": "3.11",
    "versions": {"jax": "1"},
    "records": [
        record("auto", 5000.0, path=["laplace"], worst_gap=2.1),
        record("numpyro", 10.0),
        {"problem": "p", "engine": "nutpie", "failed": "not done in 5 s"},
    ],
}


def test_the_report_tells_rates_ratios_and_failures(tmp_path):
    text = report.markdown(FOUND)
    assert "auto (laplace)" in text
    assert "500x numpyro" in text
    assert "failed: not done in 5 s" in text
    bars = {line.count("|") for line in text.splitlines() if "|" in line}
    assert bars == {len(report.HEADER) + 1}
    assert report.picture(FOUND, tmp_path / "p.png").stat().st_size > 5000


def test_without_an_engine_that_ran_there_is_a_table_and_no_picture(tmp_path):
    write_results({**FOUND, "records": FOUND["records"][2:]}, tmp_path / "b.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.json", "b.md"]
    write_results(FOUND, tmp_path / "c.json")
    assert (tmp_path / "c.png").stat().st_size > 5000


def test_an_engine_runs_in_a_process_of_its_own():
    found = compare(["published"], ["auto"], repeat=1)
    (told,) = found["records"]
    assert told["rows"] == 15
    assert told["seconds"] < told["cold_seconds"]
    assert told["rhat"] < 1.05
    assert told["peak_mib"] > 100
    assert json.dumps(told)


def test_what_is_not_there_is_named(monkeypatch, capsys):
    with pytest.raises(SpecError, match="Did you mean 'chinchilla'"):
        get_problem("chinchila", None)
    with pytest.raises(SpecError, match="Known: auto"):
        engines.get_engine("stan")
    with pytest.raises(SpecError, match="unknown peer"):
        chosen_engines([], "stan")
    assert chosen_engines(["auto"], "numpyro, blackjax")[-1] == "blackjax"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["bench", "--peers", "nutpie"]) == 2
    assert "python -m pip install nutpie pymc" in capsys.readouterr().err
