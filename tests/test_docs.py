"""The pages: examples run and print what is shown, links resolve, nothing is missing."""

import ast
import doctest
import functools
import importlib.util
import inspect
import re
from contextlib import closing

import pytest
import typer
import yaml
from documentation import (
    DOCS,
    PAGES,
    ROOT,
    TABLES,
    blocks_of,
    commands_of,
    difference,
    mark_of,
    run_page,
    words_of,
)
from markdown_it import MarkdownIt

import bayes_scaling as bs
from bayes_scaling.cli.app import ORDER, build_app

TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
each_page = pytest.mark.parametrize("name", PAGES)
WITH_CODE = [name for name, text in TEXTS.items() if blocks_of(text)]
FEW = 8  # lines of all pages that are run nowhere


def slow_lines(name):
    lines = [line for block in blocks_of(TEXTS[name]) for line in block.code.splitlines()]
    return [line for line in lines if mark_of(line)[0] == "slow"]


# --- examples ------------------------------------------------------------------------------


def check(name, slow):
    with closing(run_page(name, slow)) as blocks:
        told = {
            block.line: difference(printed, block.shown)
            for block, printed in blocks
            if block.shown is not None and printed is not None
        }
    wrong = [f"{name}, line {line}: {text}" for line, text in told.items() if text]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", WITH_CODE)
def test_the_examples_run_and_print_what_is_shown(name):
    check(name, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WITH_CODE if slow_lines(name)])
def test_the_slow_examples_too(name):
    check(name, slow=True)


@each_page
def test_commands_are_written_as_the_command_line_takes_them(name):
    """Those that are not run, too."""
    commands = typer.main.get_command(build_app()).commands
    for block in blocks_of(TEXTS[name]):
        for line in commands_of(block.code) if block.language == "bash" else ():
            words, _ = words_of(line)
            if words[0] in commands and "--help" not in words:
                commands[words[0]].make_context(words[0], words[1:])
            else:
                assert words[0] in {*commands, "--help", "--version"}, line


def calls_of(name):
    """Calls of the package in the Python of a page, also of lines that are not run every time."""
    for block in blocks_of(TEXTS[name]):
        for node in ast.walk(ast.parse(block.code)) if block.language == "python" else ():
            if isinstance(node, ast.Call) and re.fullmatch(r"bs\.\w+", ast.unparse(node.func)):
                yield node


def refused(call):
    """Why the function called would not take these arguments; empty where it would."""
    signature = inspect.signature(getattr(bs, call.func.attr))
    named = {word.arg: None for word in call.keywords if word.arg}
    unknown = any(word.arg is None for word in call.keywords)
    try:
        (signature.bind_partial if unknown else signature.bind)(*call.args, **named)
    except TypeError as error:
        return f"{ast.unparse(call)}: {error}"
    return ""


@each_page
def test_calls_are_written_as_the_functions_take_them(name):
    assert [why for call in calls_of(name) if (why := refused(call))] == []


def test_a_call_that_is_not_taken_is_refused():
    calls = ["bs.fit(runs, 'kaplan')", "bs.fit(runs, laws='kaplan')", "bs.fit()", "bs.fit(**given)"]
    found = [refused(ast.parse(call, mode="eval").body) for call in calls]
    assert [bool(why) for why in found] == [False, True, True, False]


def test_lines_that_are_not_run_are_few():
    lines = [
        line for text in TEXTS.values() for b in blocks_of(text) for line in b.code.splitlines()
    ]
    assert len([line for line in lines if mark_of(line)[0] == "not run"]) <= FEW


@each_page
def test_code_that_is_not_run_is_no_code_block(name):
    """A block of another language would be passed over."""
    languages = re.findall(r"^```(\S+)$", TEXTS[name], re.M)
    assert {*languages} <= {"python", "bash", "text", "bibtex"}


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a 1.00 b", "a 1.00 c"),
        ("a 1.00", "a 2.00"),
        ("1.00 2.00 3.00 4.00", "1.20 2.40 3.60 4.80"),
        ("70B", "70M"),
        ("in 2 rows", "in 3 rows"),
        ("a 1.0 2.0", "a 1.0"),
        ("-0.31", "0.31"),
    ],
)
def test_outputs_that_differ_are_seen(printed, shown):
    assert difference(printed, shown)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a   1.02\n-----\nb", "a 1.00\n--- b"),
        ("took 12.3 s", "took 1 s"),
        ("jax 0.10.2", "jax 0.12.0"),
        ("[980M, 1.1B]", "[1.02B, 1.1B]"),
        ("0.001..0.003", "0.001..0.002"),
        ("1.00 2.00 3.00 4.00", "1.00 2.00 3.00 4.80"),
        ("ESS 2855", "ESS 2320"),
        ("hangs on the priors too: a 0.12, b 0.11 (x)", "hangs on the priors too: b 0.13 (x)"),
    ],
)
def test_outputs_that_differ_by_chance_pass(printed, shown):
    assert not difference(printed, shown)


def test_the_tables_are_those_that_the_script_makes(tmp_path):
    spec = importlib.util.spec_from_file_location("make", TABLES / "make.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert sorted(made.TABLES) == sorted(path.name for path in TABLES.glob("*.csv"))
    for name, table in made.TABLES.items():
        table().to_csv(tmp_path / name, index=False)
        assert (tmp_path / name).read_bytes() == (TABLES / name).read_bytes(), name


FOLDERS = {"bayes_scaling": ROOT / "bayes_scaling", "bayes_scaling.models": ROOT / "models"}
WITH_EXAMPLES = [
    ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
    for package, folder in FOLDERS.items()
    for path in sorted(folder.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_of_docstrings_are_right(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0


# --- links, nav, names ---------------------------------------------------------------------


def links_of(name):
    """Targets of all links and pictures, code left out."""
    tokens = MarkdownIt().parse(TEXTS[name])
    inner = [child for token in tokens for child in token.children or ()]
    found = [child.attrGet("href") or child.attrGet("src") for child in inner]
    return [target for target in found if target]


@functools.cache
def anchors_of(path):
    """Anchors of a page's headings."""
    tokens = MarkdownIt().parse(path.read_text(encoding="utf-8"))
    titles = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "heading_open"]
    texts = ["".join(c.content for c in title.children or ()) for title in titles]
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower()) for text in texts}


@each_page
def test_links_resolve(name):
    for target in links_of(name):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (PAGES[name].parent / file).resolve() if file else PAGES[name]
        assert path.exists(), f"{name} links to {target}"
        assert name == "README" or path.is_relative_to(DOCS), f"{target} is not on the site"
        assert not anchor or anchor in anchors_of(path), f"{name} links to {target}"


def test_an_unknown_anchor_is_seen():
    assert "chinchilla" in anchors_of(DOCS / "laws.md")
    assert "no_such_law" not in anchors_of(DOCS / "laws.md")


@pytest.fixture(scope="module")
def site():
    return yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def leaves(nav):
    for entry in nav:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else leaves(value)


def test_the_site_holds_every_page_once(site):
    listed = [*leaves(site["nav"])]
    assert sorted(listed) == sorted(path.name for path in DOCS.glob("*.md"))


def test_the_readme_names_the_pages_that_a_reader_starts_from():
    for page in ("tour", "choose", "bands", "faq", "command_line"):
        assert f"docs/{page}.md" in links_of("README"), page


def test_every_public_name_is_in_the_reference():
    listed = re.findall(r"^::: bayes_scaling\.(\w+)$", TEXTS["api"], re.M)
    assert sorted(listed) == sorted(set(bs.__all__) - {"__version__"})


@pytest.mark.parametrize("command", ORDER)
def test_every_command_has_an_example_and_its_options(command):
    assert re.search(rf"^bayes-scaling {command}\b", TEXTS["command_line"], re.M)
    assert f"bayes-scaling {command} --help\n" in TEXTS["options"]


def test_the_version_to_cite_is_this_one():
    assert f"version = {{{bs.__version__}}}" in TEXTS["cite"]
