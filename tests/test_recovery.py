"""Parameters drawn from the prior are inside their intervals at the nominal rate.

A few cells of the table that `benchmarks/recovery.py` makes of every law, pooling and noise model.
"""

import pytest

from bayes_scaling.recovery import recover

Z_LIMIT = 4.0  # 4 cells, 2 levels: a false alarm in over a thousand runs
CELLS = [
    ("power_law(N)", {"noise": "normal_log"}),
    ("chinchilla", {"pool": "shared", "noise": "normal_log"}),
    ("kaplan", {"pool": "shared", "noise": "student_t"}),
    ("power_law(N)", {"known_se": True, "pool": "shared", "noise": "normal"}),
]


@pytest.mark.parametrize(("law", "options"), CELLS)
def test_intervals_hold_the_truth_at_their_rate(law, options):
    found = recover(law, tables=16, seed=11, **options)
    assert sum(map(bool, found.doubts)) <= 1
    for prob in (0.5, 0.9):
        share, error = found.coverage(prob)
        assert abs(share - prob) < Z_LIMIT * error, (prob, share, error)
