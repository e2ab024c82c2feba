"""Pictures: the numbers in their tables, and that drawing leaves no trace."""

import pickle
import subprocess
import sys

import arviz_plots as azp
import numpy as np
import pandas as pd
import pytest

import bayes_scaling as bs
from bayes_scaling.plots import plot_forecast
from bayes_scaling.plots.densities import density_table
from bayes_scaling.plots.paths import choose_cut, choose_levels, compute_ratio, curve, held_alone
from bayes_scaling.plots.residuals import residual_table, trend_table
from bayes_scaling.plots.style import formula, label, number
from bayes_scaling.plots.tables import (
    NEW,
    choose_panels,
    fit_tables,
    prior_tables,
)

FLOORS = {"c4": 1.7, "pile": 1.8, "web": 1.9}
RATIO = 1.25  # of the table's compute to 6 N D


def losses(N, D, floor):
    return floor + 300.0 * N**-0.33 + 400.0 * D**-0.29


def table(sizes, ratios, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {"family": f, "params": n, "tokens": m * n, "flops": RATIO * 6 * n * m * n,
         "loss": losses(n, m * n, floor) * np.exp(0.004 * rng.normal())}
        for f, floor in FLOORS.items() for n in sizes for m in ratios
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def new():
    extra = table([1e10], [20]).assign(family=["c4", "pile", "unseen"])
    return bs.read_runs(extra, group="family")


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    runs = bs.read_runs(table([3e7, 3e8, 3e9], [5, 20, 80]), group="family")
    found = bs.fit(runs, "chinchilla", chains=2, draws=150, warmup=200, progress=False)
    return bs.load(found.save(tmp_path_factory.mktemp("fit") / "fit.nc"))


@pytest.fixture(scope="module")
def tables(fit, new):
    return fit_tables(fit, new=new)


# --- where curves run ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "asked", "expected"),
    [
        (("N", "D"), {}, ("C", "M")),
        (("N", "D"), {"against": "M"}, ("M", "C")),
        (("N", "D"), {"against": "N", "hold": "C"}, ("N", "C")),
        (("C",), {}, ("C", "")),
        (("N",), {"against": "C"}, ("C", "M")),
        (("width",), {}, ("width", "")),
    ],
)
def test_the_cut_is_that_which_the_law_needs(inputs, asked, expected):
    values = dict.fromkeys(["N", "D", "C", "M", "width"], np.ones(3))
    assert choose_cut(inputs, values, **asked)[:2] == expected


def test_a_cut_along_an_unknown_or_held_symbol_is_refused():
    values = {"N": np.ones(2), "D": np.ones(2)}
    with pytest.raises(bs.SpecError, match="against='C': the table has no such covariate"):
        choose_cut(("N", "D"), values, "C")
    with pytest.raises(bs.SpecError, match="hold another symbol"):
        choose_cut(("N", "D"), values, "N", "N")


def test_levels_are_chosen_values_or_round_numbers():
    assert choose_levels(np.tile([5.0, 20.0, 80.0], 4)) == [5.0, 20.0, 80.0]
    assert choose_levels(np.array([19.0, 20.0, 21.0])) == [20.0]
    scattered = choose_levels(np.geomspace(1.3, 700, 50))
    assert len(scattered) == 4
    assert all(f"{v:e}"[0] in "125" for v in scattered)


def test_a_family_of_one_horizon_has_its_curve_along_that():
    N, D = np.array([1e8, 1e9, 1e10]), np.full(3, 3e11)
    values = {"N": N, "D": D, "C": 6 * N * D, "M": D / N}
    assert held_alone(choose_cut(("N", "D"), values), values) == "D"
    assert held_alone(choose_cut(("N", "D"), values, hold="M"), values) == ""
    assert held_alone(choose_cut(("N", "D"), values, "N", "D"), values) == "D"
    assert held_alone(choose_cut(("C",), values), values) == ""


def test_a_curve_keeps_its_level_and_the_tables_own_count_of_compute():
    N, D = np.array([1e8, 1e9]), np.array([2e9, 2e10])
    values = {"N": N, "D": D, "C": RATIO * 6 * N * D, "M": D / N, "lr": np.array([1e-3, 4e-3])}
    assert compute_ratio(values) == pytest.approx(RATIO)
    path = curve(choose_cut(("N", "D"), values), 20.0, values, ("N", "D", "lr"), (1e18, 1e20))
    np.testing.assert_allclose(path["D"] / path["N"], 20.0)
    np.testing.assert_allclose(RATIO * 6 * path["N"] * path["D"], path["C"])
    np.testing.assert_allclose(path["lr"], 2e-3)


# --- bands and points ------------------------------------------------------------------------


def test_bands_are_nested_and_hold_the_median(tables):
    b = tables.bands
    order = b[["run_low", "law_low", "median", "law_high", "run_high"]].to_numpy()
    assert np.all(np.diff(order[:, 1:4], axis=1) > 0)
    # where the law is uncertain noise adds little, and 300 draws leave some Monte Carlo error
    assert np.all(order[:, 4] - order[:, 0] > 0.9 * (order[:, 3] - order[:, 1]))
    known = b[b["panel"] != "unseen"]
    assert (known["run_high"] - known["run_low"]).mean() > (
        known["law_high"] - known["law_low"]
    ).mean()


def test_medians_are_those_of_the_forecast(fit, tables):
    known = tables.bands[tables.bands["panel"] != "unseen"].reset_index(drop=True)
    ahead = bs.forecast(fit, known[["N", "D", "family"]], prob=0.9).table
    # the law's error is drawn for all points at once: other points, other luck
    error = 5 * (known["law_high"] - known["law_low"]) / np.sqrt(300)
    for name, other in (("median", "median"), ("law_low", "model_90_low")):
        assert (np.abs(known[name] - ahead[other]) < error).all(), name
    width, again = (t["run_high"] - t["run_low"] for t in (known, ahead.rename(
        columns={"run_90_low": "run_low", "run_90_high": "run_high"})))  # fmt: skip
    # both ends are 5 % quantiles of 300 draws: each is known to a fifth or so
    np.testing.assert_allclose(width.mean(), again.mean(), rtol=0.2)


def test_points_carry_the_forecast_of_every_run(fit, tables, new):
    ahead = bs.forecast(fit, new, prob=0.9).table
    shown = tables.points[tables.points["role"] == NEW].reset_index(drop=True)
    known = (shown["panel"] != "unseen").to_numpy()
    error = 5 * (ahead["model_90_high"] - ahead["model_90_low"]) / np.sqrt(300)
    assert (np.abs(shown["median"] - ahead["median"]) < error)[known].all()
    assert list(shown["observed"]) == list(new.values["L"])


def test_curves_are_solid_only_within_the_fitted_data(tables):
    inside = tables.bands[~tables.bands["extrapolated"]]
    assert inside["N"].between(3e7, 3e9).all()
    assert tables.bands["extrapolated"].any()
    assert tables.bands["x"].max() >= 6 * RATIO * 1e10 * 2e11  # as far as the new runs


def test_at_most_six_families_are_shown_with_new_and_large_ones_first():
    names = [f"f{i}" for i in range(9)]
    rows = [(n, "fitted") for i, n in enumerate(names) for _ in range(i + 1)] + [("f0", NEW)]
    points = pd.DataFrame(rows, columns=["panel", "role"])
    assert choose_panels(points, None) == (["f0", "f4", "f5", "f6", "f7", "f8"], 3)
    assert choose_panels(points, "f1") == (["f1"], 0)
    with pytest.raises(bs.SpecError, match="no run of 'nope'"):
        choose_panels(points, ["nope"])


def test_new_runs_must_match_the_fit(fit):
    bare = table([1e10], [20])
    with pytest.raises(bs.SpecError, match="read the runs with group='family'"):
        fit_tables(fit, new=bs.read_runs(bare))
    other = bs.read_runs(bare.rename(columns={"loss": "error"}), group="family")
    with pytest.raises(bs.SpecError, match="the response is err, the fit's is L"):
        fit_tables(fit, new=other)


def test_residuals_are_log_ratios_in_per_cent(fit, tables):
    rows = residual_table(fit, tables.points)
    ratio = rows["observed"] / rows["median"]
    np.testing.assert_allclose(rows["residual"], 100 * np.log(ratio))
    assert ((rows["residual"] >= rows["low"]) & (rows["residual"] <= rows["high"])).equals(
        rows["inside"]
    )
    fitted = rows[rows["role"] != NEW]
    assert fitted["inside"].mean() >= 0.8  # 27 runs in bands of 90 %
    assert fitted["residual"].abs().median() < 1.0  # the noise is 0.4 %


def test_the_trend_of_residuals_finds_a_bend():
    x = np.geomspace(1, 100, 80)
    bent = pd.DataFrame({"panel": "", "role": "fitted", "x": x, "residual": np.log(x)})
    trend = trend_table(bent)
    assert trend["residual"].is_monotonic_increasing
    assert len(trend) == 8
    np.testing.assert_allclose(trend["residual"], np.log(trend["x"]), atol=1e-9)


# --- densities and priors --------------------------------------------------------------------


def test_densities_integrate_to_one_about_the_posterior(fit):
    rows = density_table(fit)
    assert set(rows.loc[rows["name"] == "E", "family"]) == {"", "c4", "pile", "web"}
    for _, one in rows.groupby(["name", "family", "source"]):
        line = np.log(one["x"]) if one["log"].iloc[0] else one["x"]
        assert np.trapezoid(one["density"], line) == pytest.approx(1.0, abs=0.05)
    level = rows[(rows["name"] == "A") & (rows["family"] == "c4")]
    at_peak = level["x"].iloc[level["density"].argmax()]
    assert at_peak == pytest.approx(300.0 * fit.reference["N"] ** -0.33, rel=0.5)
    with pytest.raises(bs.SpecError, match="no variable 'alpa'"):
        density_table(fit, ["alpa"])


def test_prior_bands_are_quantiles_in_order(fit):
    found = prior_tables(bs.prior_predictive(fit.runs, draws=200), curves=10)
    quantiles = found.bands.filter(like="run_").to_numpy()
    assert np.all(np.diff(quantiles, axis=1) > 0)
    assert found.curves["draw"].nunique() == 10
    assert found.level == 20.0


# --- drawing ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    """Matplotlib's own figure class."""
    from matplotlib.figure import Figure

    return Figure


def pictures(fit, new):
    check = bs.prior_predictive(fit.runs, draws=100)
    ahead = bs.forecast(fit, new)
    return {
        "fit": bs.plot_fit(fit, new=new),
        "sizes": bs.plot_fit(fit, against="D", hold="N", families=["c4", "web"]),
        "residuals": bs.plot_residuals(fit, new=new),
        "densities": bs.plot_prior_posterior(fit, ["E", "A", "alpha", "tau_E", "sigma", "nu"]),
        "prior": bs.plot_prior_predictive(check),
        "forecast": plot_forecast(ahead, new.values["L"]),
    }


def test_pictures_are_drawn_saved_and_shown_by_notebooks(fit, new, plain, tmp_path):
    for name, figure in pictures(fit, new).items():
        assert isinstance(figure, plain)
        figure.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        assert figure._repr_png_().startswith(b"\x89PNG")
        assert isinstance(pickle.loads(pickle.dumps(figure)), type(figure))


def test_a_picture_fits_on_given_axes(fit, plain):
    figure = plain()
    axis = figure.subplots()
    assert bs.plot_fit(fit, families="c4", ax=axis) is figure
    assert axis.get_xscale() == "log"
    assert "compute" in axis.get_xlabel()
    with pytest.raises(bs.SpecError, match="pass families='c4'"):
        bs.plot_fit(fit, ax=axis)


def test_drawing_touches_no_global_state(fit, tmp_path):
    path = fit.save(tmp_path / "fit.nc")
    code = f"""
import matplotlib, sys
before = matplotlib.rcParams.copy()  # reading its items would choose a backend
import bayes_scaling as bs
assert "matplotlib.figure" not in sys.modules
bs.plot_fit(bs.load({str(path)!r}), families="c4").savefig({str(tmp_path / "a.png")!r})
assert "matplotlib.pyplot" not in sys.modules
assert dict.__eq__(matplotlib.rcParams.copy(), before)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_a_long_forecast_is_refused(fit):
    ahead = bs.forecast(fit, bs.grid(N=np.geomspace(1e8, 1e9, 41), D=1e10, family="c4"))
    with pytest.raises(bs.SpecError, match="41 points"):
        plot_forecast(ahead)
    with pytest.raises(bs.SpecError, match="observed has 2 values for 1"):
        plot_forecast(bs.forecast(fit, {"N": 1e9, "D": 1e10, "family": "c4"}), [1.0, 2.0])


def test_labels_name_symbol_and_unit():
    assert label("C") == "training compute $C$ (FLOPs)"
    assert label("D") == "training tokens $D$"
    assert label("M") == "tokens per parameter $M$"
    assert label("depth") == "depth"
    assert (number(160.0), number(5e18)) == ("160", r"$5 \times 10^{18}$")


@pytest.mark.parametrize("name", list(bs.laws()["name"]))
def test_every_formula_of_the_catalogue_can_be_drawn(name):
    assert formula(bs.get_law(name)).startswith("$")


# --- ArviZ's own pictures --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "plot_dist",
        "plot_energy",
        "plot_ess",
        "plot_forest",
        "plot_loo_pit",
        "plot_ppc_dist",
        "plot_prior_posterior",
        "plot_rank",
        "plot_trace",
    ],
)  # fmt: skip
def test_arviz_draws_a_fit(fit, name):
    options = {"var_names": ["alpha", "E"]} if name == "plot_prior_posterior" else {}
    drawn = getattr(azp, name)(fit.data, backend="none", **options)
    assert drawn.viz
