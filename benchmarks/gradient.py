"""What a gradient costs a point, beside the machine's own speed at the same exp and log.

Run as ``python benchmarks/gradient.py [--chains 64] [--out FILE]``. A point of Chinchilla's law,
with Student-t noise of the log, takes two exponentials (the powers) and two logarithms (the loss
and the tail); the limit is a program of two ``exp`` and two ``log`` (of which one ``log1p``) on as
many numbers, and nothing else. ``memory`` is what XLA sets aside for a round of the ensemble.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayes_scaling.arguments import make_args
from bayes_scaling.bench.compare import about
from bayes_scaling.bench.problems import simulated
from bayes_scaling.infer.ensemble import ROUND, advance, begin
from bayes_scaling.infer.prepare import Prepared
from bayes_scaling.infer.streams import over_points
from bayes_scaling.infer.target import Target, make_target
from bayes_scaling.resolve import resolve

ROWS = [10**2, 10**3, 10**4, 10**5, 10**6]
SECONDS = 1.0  # at least, for each measurement


def seconds_of(run: Callable[[], Any]) -> float:
    """The least time of one call, of as many as fit `SECONDS`."""
    jax.block_until_ready(run())
    best, spent = np.inf, 0.0
    while spent < SECONDS:
        clock = time.perf_counter()
        jax.block_until_ready(run())
        took = time.perf_counter() - clock
        best, spent = min(best, took), spent + took
    return best


def cast(args: Any, dtype: Any) -> Any:
    """The arguments with their real numbers in another precision."""
    real = lambda x: np.issubdtype(np.result_type(x), np.floating)  # noqa: E731
    return jax.tree.map(lambda x: jnp.asarray(x, dtype if real(x) else None), args)


def limit(values: Any) -> Any:
    """Two exponentials and two logarithms of every value, added up."""
    return jnp.sum(jnp.exp(values) + jnp.exp(-values) + jnp.log(values) + jnp.log1p(values))


def memory(target: Target, args: Any, chains: int) -> int:
    """Bytes that one round of the ensemble sets aside besides its arguments."""
    dim = target.dim
    zeros, square = np.zeros(dim), np.eye(dim)
    args = {**args, "bend": zeros}
    few = np.zeros(8)
    prepared = Prepared(args, zeros, square, np.zeros((8, dim)), few, few, np.zeros((8, dim)), few)
    state = jax.eval_shape(
        lambda p: begin(target, jax.random.key(0), jnp.ones(()), p, chains), prepared
    )
    move = jax.jit(lambda s, p: advance(target, s, p, True, True))
    return move.lower(state, prepared).compile().memory_analysis().temp_size_in_bytes


def measure(rows: int, dtype: Any, chains: int) -> dict[str, Any]:
    """Nanoseconds a point and chain of the gradient and of the limit, and the memory."""
    runs = simulated(1, rows)
    spec = resolve(runs, "chinchilla")
    args = cast(make_args(runs, spec), dtype)
    target = make_target(spec, args)
    z = jnp.zeros((chains, target.dim), dtype) + 0.1
    slope = jax.value_and_grad(target.potential)
    gradient = jax.jit(lambda z, a: over_points(lambda v: slope(v, a), a)(z))
    values = jnp.full((chains, rows), 1.5, dtype)
    count = over_points(limit, args)
    compiled = jax.jit(lambda v: count(v))
    found = {
        "gradient": seconds_of(lambda: gradient(z, args)),
        "exp and log alone": seconds_of(lambda: compiled(values)),
    }
    points = rows * chains
    return {
        "rows": rows,
        "precision": np.dtype(dtype).name,
        **{f"{k}, ns a point": round(1e9 * v / points, 3) for k, v in found.items()},
        "ratio": round(found["gradient"] / found["exp and log alone"], 2),
        "memory, MB": round(memory(target, args, chains) / 1e6, 1),
    }


def main() -> None:
    """Print, and write, one record for each number of rows and precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=int, default=64)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    records = []
    for dtype in (np.float64, np.float32):
        with jax.enable_x64(dtype == np.float64):
            for rows in ROWS:
                records.append(measure(rows, dtype, asked.chains))
                print(records[-1], flush=True)
    if asked.out:
        told = {**about(), "chains": asked.chains, "round": ROUND, "records": records}
        asked.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
