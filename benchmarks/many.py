"""Many posteriors: `fit_many` against a loop of single fits and against SciPy's point fits.

Run as ``python benchmarks/many.py [--tables 500] [--loop 20]``. Tables are simulated from
Chinchilla's law, 40 to 120 rows each. The loop is timed on ``--loop`` tables; the point fit is the
field's usual one, a Huber loss of log residuals minimised by L-BFGS from ``STARTS`` places.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

import bayes_scaling as bs

STARTS = 8
DELTA = 1e-3


def table(seed: int) -> dict[str, np.ndarray]:
    """One simulated table."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(40, 121))
    N, D = 10 ** rng.uniform(7.5, 10, n), 10 ** rng.uniform(9, 11.7, n)
    mean = rng.uniform(1.5, 2.0) + 420 * N**-0.335 + 1300 * D**-0.345
    return {"N": N, "D": D, "L": mean * np.exp(0.008 * rng.standard_t(6, n))}


def point_fit(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Best of several L-BFGS searches, as in Hoffmann et al. 2022, section 3.3."""
    log_n, log_d, log_l = (np.log(columns[k]) for k in "NDL")

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        parts = np.stack([p[0] - p[3] * log_n, p[1] - p[4] * log_d, np.full_like(log_n, p[2])])
        top = parts.max(axis=0)
        weights = np.exp(parts - top)
        total = weights.sum(axis=0)
        away = top + np.log(total) - log_l
        inside = np.abs(away) <= DELTA
        value = np.where(inside, 0.5 * away**2, DELTA * (np.abs(away) - 0.5 * DELTA)).sum()
        slope = np.where(inside, away, DELTA * np.sign(away)) * weights / total
        a, b, e = slope
        by_n, by_d = -(a * log_n).sum(), -(b * log_d).sum()
        return value, np.array([a.sum(), b.sum(), e.sum(), by_n, by_d])

    rng = np.random.default_rng(0)
    starts = [(rng.uniform(3, 9), rng.uniform(3, 9), rng.uniform(0, 1), *rng.uniform(0.2, 0.6, 2))
              for _ in range(STARTS)]  # fmt: skip
    found = [minimize(loss, s, jac=True, method="L-BFGS-B") for s in starts]
    return min(found, key=lambda f: f.fun).x


def main() -> None:
    """Print tables a second of the three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--loop", type=int, default=20)
    asked = parser.parse_args()
    tables = [table(i) for i in range(asked.tables)]

    def timed(label: str, count: int, run: Callable[[], object]) -> None:
        clock = time.perf_counter()
        run()
        seconds = time.perf_counter() - clock
        print(f"{label}: {count} in {seconds:.1f} s, {count / seconds:.2f} a second", flush=True)

    other = [table(10_000 + i) for i in range(24)]
    timed("fit_many, the first call", len(other), lambda: bs.fit_many(other, progress=False))
    found = []
    timed("fit_many", len(tables), lambda: found.append(bs.fit_many(tables, progress=False)))
    results = found[0].results
    doubted = sum(bool(r.doubt) for r in results)
    print(f"  accepted: {dict(Counter(r.sampler for r in results))}, doubted: {doubted}")
    for t in tables[:3]:
        bs.fit(t, progress=False)
    loop = tables[: asked.loop]
    timed("loop of fit, warm", len(loop), lambda: [bs.fit(t, progress=False) for t in loop])
    timed(f"SciPy, {STARTS} starts", len(tables), lambda: [point_fit(t) for t in tables])


if __name__ == "__main__":
    main()
