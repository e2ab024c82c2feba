"""The examples of the README and of docs/: found, run in order, compared with what is shown.

A page is run from top to bottom in one namespace and one folder, which holds the tables of
docs/examples. A block of ``text`` right after one of ``python`` or ``bash`` is what it prints.
``# slow: ...`` after a line keeps it for the slow tests, ``# not run: ...`` keeps it from being
run at all; as the first line of a block they hold for all of it. Run as
``python tests/documentation.py [PAGE ...]`` to write the outputs into pages.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from command_line import run

from bayes_scaling import backtesting, fitting, stacking, storage
from bayes_scaling.data.runs import Runs
from bayes_scaling.spec import Law

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TABLES = DOCS / "examples"
PAGES = {p.stem: p for p in (ROOT / "README.md", *sorted(DOCS.glob("*.md")))}
WIDTH = "96"  # columns of printed tables
SMALL = {"cuts": (0.7,)}  # of a backtest or a stack that says nothing of its cut-offs
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
MARK = re.compile(r"#\s*(slow|not run):\s*(\S.*)$")


@dataclass(frozen=True)
class Block:
    """Code of a page, the line it begins at, and what the page says it prints (None: nothing)."""

    language: str
    code: str
    line: int
    shown: str | None


def blocks_of(text: str) -> list[Block]:
    """Return the code of a page in order."""
    return [
        Block(m[1], m[2], text.count("\n", 0, m.start(2)) + 1, m[3]) for m in BLOCK.finditer(text)
    ]


def mark_of(line: str) -> tuple[str, str]:
    """Return how a line is marked, ``slow`` or ``not run``, and why; "" where it is not."""
    found = MARK.search(line)
    return (found[1], found[2]) if found else ("", "")


# --- running -------------------------------------------------------------------------------


@dataclass
class Page:
    """A page that is being run: its name, names defined so far, and whether slow lines run."""

    name: str
    names: dict[str, object]
    slow: bool

    def left_out(self, line: str) -> bool:
        """Whether a line is marked and not to be run this time."""
        mark = mark_of(line)[0]
        return mark == "not run" or (mark == "slow" and not self.slow)

    def printed(self, block: Block) -> str | None:
        """Run a block and return what it prints; None where a line of it was left out."""
        first = block.code.partition("\n")[0]
        if first.startswith("#") and self.left_out(first):
            return None
        return (self._python if block.language == "python" else self._bash)(block)

    def _python(self, block: Block) -> str | None:
        lines = block.code.splitlines()
        tree = ast.parse(block.code)
        kept = [s for s in tree.body if not self.left_out(lines[(s.end_lineno or 1) - 1])]
        whole, tree.body = len(kept) == len(tree.body), kept
        code = compile(ast.increment_lineno(tree, block.line - 1), self.name, "exec")
        with redirect_stdout(StringIO()) as out:
            exec(code, self.names)
        return out.getvalue() if whole else None

    def _bash(self, block: Block) -> str | None:
        commands = commands_of(block.code)
        kept = [line for line in commands if not self.left_out(line)]
        out = "".join(_command(line) for line in kept)
        return out if kept == commands else None


def commands_of(code: str) -> list[str]:
    """Return the lines of a shell block that call the package, continued ones joined."""
    lines = code.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("bayes-scaling")]


def words_of(line: str) -> tuple[list[str], str]:
    """Return the arguments of a command and the file that its output goes to, if any."""
    words = shlex.split(line, comments=True)[1:]
    if ">" in words:
        at = words.index(">")
        return words[:at], words[at + 1]
    return words, ""


def _command(line: str) -> str:
    words, target = words_of(line)
    code, out, err = run(*words)
    if code != 0:
        raise AssertionError(f"`{line}` ends with {code}: {err or out}")
    if target:
        Path(target).write_text(out, encoding="utf-8")
    return "" if target else out


def run_page(name: str, slow: bool) -> Iterator[tuple[Block, str | None]]:
    """Yield every block of a page with what it prints, in a folder of its own."""
    page = Page(name, {"__name__": name}, slow)
    folder = Path(tempfile.mkdtemp(prefix="bayes_scaling_page_"))
    try:
        for table in TABLES.glob("*.csv"):
            shutil.copy(table, folder)
        wide = mock.patch.dict(os.environ, {"COLUMNS": WIDTH, "MPLBACKEND": "agg"})
        with chdir(folder), wide, shared():
            for block in blocks_of(PAGES[name].read_text(encoding="utf-8")):
                yield block, page.printed(block)
    finally:
        shutil.rmtree(folder)


# --- what pages share ----------------------------------------------------------------------

_KEPT: dict[object, object] = {}


@contextmanager
def shared() -> Iterator[None]:
    """Fits, backtests and loaded files are made once for all pages, from the same table."""
    with (
        mock.patch.object(fitting, "fit", _remembered(fitting.fit)),
        mock.patch.object(backtesting, "backtest", _remembered(backtesting.backtest, SMALL)),
        mock.patch.object(stacking, "stack", _remembered(stacking.stack, SMALL)),
        mock.patch.object(storage, "load", _remembered(storage.load)),
    ):
        yield


def _remembered(function, defaults: Mapping[str, object] | None = None):
    def call(*args, **options):
        options = {**(defaults or {}), **options}
        told = {k: v for k, v in options.items() if k != "progress"}
        key = (function.__name__, _key(args), _key(told))
        if key not in _KEPT:
            _KEPT[key] = function(*args, **options)
        return _KEPT[key]

    return call


def _key(value: object) -> object:
    if isinstance(value, (str, Path)):
        return Path(value).read_bytes() if Path(value).is_file() else str(value)
    if isinstance(value, np.ndarray):
        return str(value.dtype), str(value.tolist())
    if isinstance(value, pd.DataFrame):
        return value.to_csv()
    if isinstance(value, Law):
        return value.name, value.equation, str(value.params)
    if isinstance(value, Runs):
        return _key(vars(value))
    if isinstance(value, Mapping):
        return tuple((str(k), _key(v)) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(_key(v) for v in value)
    return repr(value)


# --- comparing -----------------------------------------------------------------------------

NUMBER = re.compile(r"(?<!\w)([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)([kMBT]?)(?!\w)")
PASSING = re.compile(  # times, versions, dates, and a list in the order of its numbers
    r"\b\d+(?:\.\d+)? s\b|\b\d+\.\d+\.\d+\S*|\d{4}-\d\d-\d\d\S*|(?<=hangs on the priors too: )[^(]+"
)
ON_THE_EDGE = re.compile(  # a note that is there or not by chance
    r"(\[info\] )?prior_sensitive: the forecast hangs.*? times as wide\.( Refit .*? compare\.)?"
)
RULE = re.compile(r"[-─=]{3,}")
FACTORS = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
NEAR, FAR = 0.1, 0.4  # relative; of Monte Carlo numbers on other machines and versions of JAX
FAR_COUNTS = 0.6  # of effective sample sizes, the whole numbers of four digits
FEW = 0.2  # share of an output's numbers that may be further off than NEAR
EXACT = 10  # whole numbers below are counts of things


def difference(printed: str, shown: str) -> str:
    """Return where two outputs differ in a word, or in numbers by more than chance; else ""."""
    ours, theirs = (_plain(text) for text in (printed, shown))
    words = [" ".join(NUMBER.sub(" # ", text).split()) for text in (ours, theirs)]
    if words[0] != words[1]:
        return f"words differ:\n{printed}\n--- shown:\n{shown}"
    pairs = [*zip(NUMBER.finditer(ours), NUMBER.finditer(theirs), strict=True)]
    off = [(mine[0], other[0]) for mine, other in pairs if _off(mine, other) > 1]
    far = [(mine[0], other[0]) for mine, other in pairs if _off(mine, other) > FAR / NEAR]
    if far or len(off) > max(1, FEW * len(pairs)):
        told = ", ".join(f"{mine} is shown as {other}" for mine, other in far or off)
        return f"{told}:\n{printed}"
    return ""


def _plain(text: str) -> str:
    bare = ON_THE_EDGE.sub("", " ".join(text.split()))
    return PASSING.sub("#", RULE.sub("---", bare))


def _off(mine: re.Match[str], other: re.Match[str]) -> float:
    """How far two numbers are apart, in what is near."""
    a, b = (float(m[1]) * FACTORS[m[2]] for m in (mine, other))
    if mine[0].isdigit() and other[0].isdigit() and max(a, b) < EXACT:
        return 0.0 if a == b else np.inf
    scale = FAR_COUNTS * NEAR / FAR if mine[0].isdigit() and a >= 1000 else NEAR
    excess = abs(a - b) - 2 * max(_last_place(mine), _last_place(other))
    return max(excess, 0.0) / (scale * max(abs(a), abs(b), 1e-300))


def _last_place(number: re.Match[str]) -> float:
    """What one of the last digit is worth; nothing for whole numbers."""
    mantissa, _, power = number[1].partition("e")
    digits = len(mantissa.partition(".")[2])
    return 10.0 ** (int(power or 0) - digits) * FACTORS[number[2]] if digits else 0.0


# --- writing -------------------------------------------------------------------------------


def refresh(name: str) -> None:
    """Write what the blocks of a page print into it, where it shows an output."""
    text = PAGES[name].read_text(encoding="utf-8")
    found = iter([out for _, out in run_page(name, slow=True)])

    def written(match: re.Match[str]) -> str:
        out = next(found)
        if match[3] is None or out is None:
            return match[0]
        lines = "".join(f"{line.rstrip()}\n" for line in out.strip("\n").splitlines())
        return f"```{match[1]}\n{match[2]}```\n\n```text\n{lines}```\n"

    PAGES[name].write_text(BLOCK.sub(written, text), encoding="utf-8")


if __name__ == "__main__":
    for each in sys.argv[1:] or PAGES:
        refresh(each)
