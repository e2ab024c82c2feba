"""Run engines on problems, each in a process of its own, and set them side by side."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bayes_scaling._compile_cache import VARIABLE
from bayes_scaling.bench.engines import get_engine
from bayes_scaling.bench.problems import PROBLEMS, get_problem
from bayes_scaling.bench.quality import worst_gap

DEFAULT_ENGINES = ("auto", "nuts")
PEERS = {
    "numpyro": ("numpyro", "numpyro-centred"),
    "nutpie": ("nutpie", "nutpie-centred"),
    "blackjax": ("blackjax",),
}
REFERENCE = "reference"
PACKAGES = ("bayes_scaling", "jax", "numpyro", "nutpie", "pymc", "blackjax")
Say = Callable[[str], None]


def compare(
    problems: Sequence[str],
    engines: Sequence[str],
    *,
    data: Path | None = None,
    repeat: int = 3,
    timeout: float = 3600.0,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Return one record for every engine on every problem, with date, device and versions.

    Raises
    ------
    SpecError
        Before anything runs, when a problem, an engine or its package is not there.
    """
    for name in engines:
        get_engine(name)
    for name in problems:
        if name not in PROBLEMS or PROBLEMS[name].needs_data:
            get_problem(name, data)
    records = []
    for problem in problems:
        for engine in engines:
            say(f"{problem}: {engine}")
            records.append(_run(problem, engine, data, repeat, timeout))
    return {**about(), "records": [_judged(r, records) for r in records]}


def about() -> dict[str, Any]:
    """Date, machine and versions."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    return {
        "date": date.today().isoformat(),
        "device": machine,
        "python": platform.python_version(),
        "versions": found,
    }


def _run(
    problem: str, engine: str, data: Path | None, repeat: int, timeout: float
) -> dict[str, Any]:
    """The record of one engine on one problem; a failure is a record that says so."""
    module = "bayes_scaling.bench.worker"
    command = [sys.executable, "-m", module, problem, engine, "--repeat", str(repeat)]
    command += ["--data", str(data)] if data else []
    failed = {"problem": problem, "engine": engine}
    with tempfile.TemporaryDirectory() as empty:  # compiled programs of earlier runs do not count
        try:
            done = subprocess.run(
                command,
                env={**os.environ, VARIABLE: empty},
                capture_output=True,
                text=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return {**failed, "failed": f"not done in {timeout:.0f} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {**failed, "failed": lines[-1][:200]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def _judged(record: dict[str, Any], records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The record with its distance from the reference's posterior, where there is one."""
    own = record.get("moments")
    known = [
        r["moments"]
        for r in records
        if r["problem"] == record["problem"] and r["engine"] == REFERENCE and "moments" in r
    ]
    kept = {k: v for k, v in record.items() if k != "moments"}
    if own is None or not known:
        return kept
    gap, where = worst_gap(own, known[0])
    return {**kept, "worst_gap": gap, "worst_gap_at": where, "compared": 4 * len(own)}
