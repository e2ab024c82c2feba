"""The page on a fit: its numbers are the library's, its markup is sound whatever names it holds."""

import base64
import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import run
from fitted import table as runs_table

import bayes_scaling as bs
from bayes_scaling._registry import LAWS
from bayes_scaling.reporting import making
from bayes_scaling.reporting.ahead import points_ahead
from bayes_scaling.reporting.axes import Scale, places, scale_of, tick_text, ticks
from bayes_scaling.reporting.charts import family_series, level_series, rounded
from bayes_scaling.reporting.drawing import SIZES
from bayes_scaling.reporting.html import Html, data_script, table, tag
from bayes_scaling.reporting.mathml import formula
from bayes_scaling.reporting.model_sections import law_latex
from bayes_scaling.reporting.sections import SECTIONS

EVIL = "</script><img src=x onerror=alert(1)>"
QUOTES = "\"><b>'&amp; \u2028${x}"
COLUMN = "<i title='x'>made & by"  # without a "/", which no fit can hold
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Elements of a page, its text, and whether every element is closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.found, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.found.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open, f"</{name}> closes nothing"
        assert self.open.pop() == name

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, name):
        return [attributes for each, attributes in self.found if each == name]

    def text_in(self, name):
        return [data for each, data in self.texts if each == name]


HOW = {"sampler": "laplace", "chains": 2, "draws": 300, "progress": False}


@cache
def family_fit():
    """Chinchilla's law on three families, floors apart."""
    runs = bs.read_runs(runs_table(), group="family")
    return bs.fit(runs, "chinchilla", pool={"E": "separate", "A": "shared", "B": "shared"}, **HOW)


@cache
def hostile_fit():
    """A law of one covariate without N and D, its families and their column named to do harm."""
    rng = np.random.default_rng(0)
    x = np.tile(np.geomspace(1e3, 1e6, 8), 2)
    family = np.repeat([EVIL, QUOTES], 8)
    loss = (1 + 20 * x**-0.4) * np.exp(0.01 * rng.normal(size=16))
    runs = bs.read_runs(
        pd.DataFrame({"epochs": x, "score": loss, COLUMN: family}),
        group=COLUMN, response="score", columns={"epochs": "epochs"},
    )  # fmt: skip
    return bs.fit(runs, "power_law_with_floor(epochs)", pool="shared", **HOW)


@cache
def made(which):
    return {"families": lambda: bs.report(family_fit()),
            "hostile": lambda: bs.report(hostile_fit(), title=EVIL)}[which]()  # fmt: skip


@cache
def page(which):
    return Page(made(which).html)


def numbers(report):
    (text,) = re.findall(
        r'<script type="application/json" id="report-data">(.*?)</script>', report.html
    )
    return json.loads(text)


BOTH = pytest.mark.parametrize("which", ["families", "hostile"])

# --- the numbers are the library's ------------------------------------------------------------


def test_the_forecast_is_that_of_the_library():
    rows = pd.DataFrame(numbers(made("families"))["forecast"])
    at = points_ahead(family_fit(), ["a", "b", "c"])
    known = bs.forecast(family_fit(), at.drop(columns="scale"), prob=0.9).table
    pd.testing.assert_frame_equal(rows, known, check_dtype=False)


def test_points_ahead_keep_tokens_per_parameter():
    fit = family_fit()
    at = points_ahead(fit, ["a", "b", "c"])
    largest, ten, hundred = (at[at["scale"] == s].reset_index() for s in (1.0, 10.0, 100.0))
    for name, rows in fit.runs.table.groupby("family"):
        top = rows.loc[(rows["N"] * rows["D"]).idxmax()]
        own = largest[largest["family"] == name].iloc[0]
        assert (own["N"], own["D"]) == (top["N"], top["D"])
    np.testing.assert_allclose(hundred["N"] * hundred["D"], 100 * largest["N"] * largest["D"])
    np.testing.assert_allclose(ten["N"] / ten["D"], largest["N"] / largest["D"])


def test_points_given_are_forecast_in_place_of_those():
    at = {"N": [1e10, 2e10], "D": 1e12, "family": "b"}
    report = bs.report(family_fit(), at=at, families="b", prob=0.8)
    rows = pd.DataFrame(numbers(report)["forecast"])
    known = bs.forecast(family_fit(), at, prob=0.8).table
    pd.testing.assert_frame_equal(rows, known, check_dtype=False)
    assert "\u00d710" not in "".join(Page(report.html).text_in("td"))


def test_the_allocation_is_that_of_the_library():
    found = numbers(made("families"))
    rows = pd.DataFrame(found["allocation"])
    budgets = sorted(set(rows["C"]))
    known = bs.allocate(family_fit(), budgets, prob=0.9).table
    pd.testing.assert_frame_equal(rows, known, check_dtype=False)
    curve = next(c for c in found["charts"]["allocation"]["curves"] if c["label"] == "N*, b")
    own = known[known["family"] == "b"]
    assert curve["x"] == rounded(own["C"])
    assert curve["y"] == rounded(own["N"])
    assert curve["bands"]["90 %"] == [rounded(own["N_90_low"]), rounded(own["N_90_high"])]


def test_every_run_is_drawn_where_it_lies():
    fit, found = family_fit(), numbers(made("families"))["charts"]["fit"]
    dots = [(x, y) for each in found["dots"] for x, y in zip(each["x"], each["y"], strict=True)]
    runs = zip(*map(rounded, (fit.runs.values["C"], fit.runs.values["L"])), strict=True)
    assert sorted(dots) == sorted(runs)
    circles = page("families").all("circle")
    size, (log, low, high) = SIZES[0], found["x"]
    left, _, right, _ = size.box
    at = places(Scale("", log, low, high), np.array([dots[0][0]]), left, right)
    assert f"{at[0]:.1f}" in {each.get("cx") for each in circles}


def test_words_and_numbers_of_the_fit_are_told():
    fit, shown = family_fit(), made("families").html
    assert fit.diagnose().verdict in shown
    for note in fit.diagnose().findings:
        assert note.code in shown
    texts = "".join(text for _, text in page("families").texts)
    assert f"{fit.data.attrs['created_at']}" in texts
    assert all(step["sampler"] in texts for step in fit.path)
    assert all(str(fit.spec.prior(p.name)) in texts for p in fit.spec.law.params)
    assert "Hoffmann" in texts


# --- the markup -------------------------------------------------------------------------------


@BOTH
def test_every_element_is_closed_and_every_section_is_there(which):
    found = page(which)
    assert found.open == []
    assert [each["id"] for each in found.all("section")] == [s.key for s in SECTIONS]
    assert made(which).sections == tuple(s.key for s in SECTIONS)
    names = [each["id"] for _, each in found.found if "id" in each]
    assert len(names) == len(set(names))


@BOTH
def test_nothing_is_asked_of_the_network(which):
    shown, found = made(which).html, page(which)
    for name, attributes in found.found:
        assert not {"src", "srcset", "action", "data", "poster", "style"} & set(attributes), name
        assert attributes.get("href", "#").startswith("#")
        assert not any(key.startswith("on") for key in attributes)
    assert not re.search(r"https?:|@import|\burl\((?!#)", shown)
    assert len(found.all("script")) == 2
    assert made(which).bytes < 1_000_000


@BOTH
def test_the_policy_lets_run_what_the_page_holds_and_nothing_else(which):
    found = page(which)
    (policy,) = (m["content"] for m in found.all("meta") if "http-equiv" in m)
    (style,) = found.text_in("style")
    script = found.text_in("script")[-1]
    for text, kind in ((style, "style"), (script, "script")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_hostile_names_are_shown_as_they_are_written():
    found = page("hostile")
    assert not {"img", "b", "i"} & {name for name, _ in found.found}
    assert found.text_in("title")[0] == EVIL
    assert found.text_in("h1") == [EVIL]
    assert {EVIL, QUOTES} <= set(found.text_in("button"))
    assert COLUMN in found.text_in("th")
    assert {each[COLUMN] for each in numbers(made("hostile"))["forecast"]} == {EVIL, QUOTES}


def test_a_law_without_size_and_data_has_no_allocation():
    found = numbers(made("hostile"))
    assert found["allocation"] == []
    assert set(found["charts"]) == {"fit", "residuals"}
    assert "an allocation needs a law with two of N, D, C and M" in made("hostile").html
    epochs = [row["epochs"] for row in found["forecast"]]
    np.testing.assert_allclose(epochs, [1e6, 1e7, 1e8] * 2)


@BOTH
def test_pictures_and_tables_say_what_they_are(which):
    found = page(which)
    drawn = found.all("svg")
    assert all(each["role"] == "img" and each["aria-label"] for each in drawn)
    assert sum(each.get("tabindex") == "0" for each in drawn) == 2 * len(
        numbers(made(which))["charts"]
    )
    assert len(found.all("caption")) == len(found.all("table"))
    assert all(each.get("scope") in ("col", "row") for each in found.all("th"))
    assert all("aria-pressed" in each for each in found.all("button"))


def test_data_and_cells_cannot_end_their_element():
    script = data_script("x", {EVIL: QUOTES})
    assert script.count("<") == 2
    assert json.loads(script[script.index(">") + 1 : script.rindex("<")]) == {EVIL: QUOTES}
    assert tag("p", EVIL, title=QUOTES).count("<") == 2
    shown = Page(table(EVIL, [QUOTES], [[EVIL], [Html("<em>x</em>")]]))
    assert [name for name, _ in shown.found].count("em") == 1
    assert "img" not in {name for name, _ in shown.found}


# --- colours ----------------------------------------------------------------------------------


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(first, second):
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_in_light_and_dark():
    css = (Path(making.__file__).parent / "style.css").read_text(encoding="utf-8")
    sets = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
            for block in re.findall(r":root[^{]*\{([^}]*)\}", css)]  # fmt: skip
    light, *dark = sets[:3]
    assert dark[0] == dark[1], "the two dark sets are one"
    for colours in (light, dark[0]):
        marks = [v for k, v in colours.items() if re.fullmatch(r"[cl]\d", k)]
        assert len(marks) == 10
        assert min(_contrast(mark, colours["card"]) for mark in marks) >= 3
        pairs = [(colours["ink"], colours["card"]), (colours["soft"], colours["card"]),
                 (colours["soft"], colours["paper"]), (colours["link"], colours["paper"]),
                 (colours["tip-ink"], colours["tip"])]  # fmt: skip
        pairs += [(colours[k], colours[f"{k}-back"]) for k in ("ok", "warn", "bad", "info")]
        assert min(_contrast(*pair) for pair in pairs) >= 4.5


def test_series_differ_in_colour_or_shape():
    styles = [each.style for each in family_series(list("abcdefghijkl"))]
    assert len(set(styles)) == 12
    assert [each.style for each in level_series(["1", "5", "50", "200"])] == [
        "l0",
        "l1",
        "l2",
        "l3",
    ]
    assert [each.style for each in level_series(["1"])] == ["l0"]


# --- formulas and axes ------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(LAWS))
def test_every_law_has_a_formula(name):
    drawn = formula(law_latex(LAWS.get(name)), block=True)
    found = Page(drawn)
    assert found.open == []
    text = "".join(data for _, data in found.texts)
    assert not set("\\{}^_\x00") & set(text)
    words = {"frac", "left", "right", "mathrm", "operatorname", "cdot", "sqrt", "infty"}
    assert not words & set(re.findall(r"[a-z]+", text))
    wanted = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "mover": 2}
    assert all(count == wanted.get(each, count) for each, count in _held(drawn))


def _held(markup):
    """Every element's name with the number of elements right inside it."""
    held, open_ = [], []
    for closing, name in re.findall(r"<(/?)(\w+)", markup):
        if closing:
            held.append(open_.pop())
        else:
            for parent in open_[-1:]:
                parent[1] += 1
            open_.append([name, 0])
    return [tuple(each) for each in held]


def test_axes_place_values_between_their_ends():
    scale = scale_of("C", [1e18, 1e20])
    assert scale.log
    np.testing.assert_allclose(places(scale, np.array([scale.low, 1e19, scale.high]), 0, 10),
                               [0, 5, 10], atol=1e-9)  # fmt: skip
    assert not scale_of("x", [-1.0, 5.0]).log
    assert not scale_of("L", [2.0, 2.5]).log
    same = scale_of("L", [2.0, 2.0])
    assert same.low < 2 < same.high
    assert np.isfinite(scale_of("x", [])[2:]).all()


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [(1e15, 1e26, True), (2.1, 3.9, True), (0.31, 9.0, True), (-3.0, 8.0, False), (0, 1e-3, False)],
)
def test_ticks_are_few_and_inside(low, high, log):
    found = ticks(Scale("", log, low, high), 7)
    assert 3 <= len(found) <= 8
    assert all(low <= v <= high for v, _ in found)
    assert len({text for _, text in found}) == len(found)


def test_large_numbers_are_powers_of_ten():
    assert [tick_text(v) for v in (1e15, 3e21, 1.4e12)] == [
        "10\u00b9\u2075",
        "3\u00d710\u00b2\u00b9",
        "1.4T",
    ]


# --- files and faults -------------------------------------------------------------------------


@pytest.fixture
def fit_file(tmp_path):
    return family_fit().save(tmp_path / "fit.nc")


def test_the_command_writes_the_page_of_the_library(fit_file, tmp_path):
    out = tmp_path / "page.html"
    code, text, err = run("report", fit_file, "-o", out, "--json")
    record = json.loads(text)
    assert (code, err, record["path"]) == (0, "", str(out))
    assert record["bytes"] == out.stat().st_size
    assert record["sections"] == [s.key for s in SECTIONS]
    assert numbers(making.Report(out.read_text(encoding="utf-8"), ())) == numbers(made("families"))
    asked = ("--at", "N=70B,D=1.4T,family=b", "--family", "b", "--title", "Ours", "--force")
    code, text, _ = run("report", fit_file, "-o", out, *asked)
    assert (code, f"Wrote {out} (" in text) == (0, True)
    written = out.read_text(encoding="utf-8")
    assert "<h1>Ours</h1>" in written
    assert [row["N"] for row in numbers(making.Report(written, ()))["forecast"]] == [7e10]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "exists already: choose another --out, or pass --force"),
        (("--force", "--at", "N=70B,family=b"), "at: 'D' is missing"),
        (("--force", "--family", "nobody"), "no run of 'nobody'; known: 'a', 'b', 'c'"),
        (("--force", "--title", "x" * 201), "give at most 200"),
    ],
)
def test_a_fault_is_one_line_and_leaves_the_file(fit_file, tmp_path, more, told):
    out = tmp_path / "page.html"
    out.write_text("somebody's work")
    code, text, err = run("report", fit_file, "-o", out, *more)
    assert (code, text, err.count("\n")) == (2, "", 1)
    assert told in err
    assert out.read_text() == "somebody's work"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["fit.nc", "page.html"]


def test_a_page_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    out = tmp_path / "page.html"
    out.write_text("somebody's work")

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(bs.FitFileError, match="No space left"):
        made("families").save(out)
    monkeypatch.undo()
    assert out.read_text() == "somebody's work"
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("prob", [0.0, 1.5, (0.5, 0.9)])
def test_bands_need_one_probability(prob):
    with pytest.raises(bs.ForecastError, match="one number between 0 and 1"):
        bs.report(family_fit(), prob=prob)


def test_a_report_is_shown_in_notebooks():
    frame = Page(made("hostile")._repr_html_())
    assert frame.all("iframe")[0]["srcdoc"] == made("hostile").html
    assert "kB" in repr(made("hostile"))
