"""Parameters drawn from the prior are inside their intervals at the nominal rate.

A few cells of the table that `benchmarks/recovery.py` makes of every law, pooling and noise model.
"""

import numpy as np
import pytest

from bayes_scaling.infer.base import Settings
from bayes_scaling.recovery import recover

Z_LIMIT = 4.0  # 5 cells, 2 levels: a false alarm in over a thousand runs
CELLS = [
    ("chinchilla", {}),
    ("chinchilla", {"pool": "shared", "noise": "normal_log"}),
    ("power_law_with_floor(N)", {"pool": "separate"}),
    ("kaplan", {"pool": "shared", "noise": "student_t"}),
    ("gadre", {"known_se": True, "pool": "shared"}),
]


@pytest.mark.parametrize(("law", "options"), CELLS)
def test_intervals_hold_the_truth_at_their_rate(law, options):
    settings = Settings(chains=1, draws=300, warmup=400, n_starts=4, seed=11)
    found = recover(law, tables=40, settings=settings, **options)
    assert np.quantile(found.rhat, 0.9) < 1.1
    for prob in (0.5, 0.9):
        share, error = found.coverage(prob)
        assert abs(share - prob) < Z_LIMIT * error, (prob, share, error)
