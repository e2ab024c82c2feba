"""How long a user waits: import to forecast in a new process, and for a second table.

Run as ``python benchmarks/waiting.py [--csv FILE]``; FILE is a table with N, D and L (Chinchilla's
points), simulated ones by default. Each row is a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

CHILD = """
import sys, time, json
clock = time.perf_counter()
import bayes_scaling as bs
told = {"import": time.perf_counter() - clock}
from bayes_scaling.bench.problems import simulated
runs = bs.read_runs(sys.argv[1]) if len(sys.argv) > 1 else simulated(1, 245)
started = time.perf_counter()
fit = bs.fit(runs, "chinchilla", progress=False)
told["fit"] = time.perf_counter() - started
started = time.perf_counter()
bs.forecast(fit, {"N": 70e9, "D": 1.4e12}, prob=0.9)
told["forecast"] = time.perf_counter() - started
told["import to forecast"] = time.perf_counter() - clock
second = simulated(1, 200, seed=1)
started = time.perf_counter()
again = bs.fit(second, "chinchilla", progress=False)
told["second table, fit"] = time.perf_counter() - started
started = time.perf_counter()
again = bs.fit(simulated(1, 210, seed=2), "chinchilla", progress=False)
told["third table, fit"] = time.perf_counter() - started
told["third table, search and sampling"] = float(again.data.attrs["seconds"])
told["samplers"] = [step["sampler"] for step in fit.path]
print(json.dumps(told))
"""


def main() -> None:
    """Print the seconds of a process with an empty cache and of two with a full one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        for label in ("empty cache", "full cache", "full cache"):
            command = [sys.executable, "-c", CHILD, *([asked.csv] if asked.csv else [])]
            env = {**os.environ, "BAYES_SCALING_CACHE": cache}
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
            told = json.loads(done.stdout)
            rounded = {k: round(v, 2) if isinstance(v, float) else v for k, v in told.items()}
            print(f"{label}: {rounded}", flush=True)


if __name__ == "__main__":
    main()
