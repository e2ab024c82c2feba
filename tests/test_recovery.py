"""Parameters drawn from the prior are inside their intervals at the nominal rate.

A few cells of the table that `benchmarks/recovery.py` makes of every law, pooling and noise model.
"""

import pytest

from bayes_scaling.recovery import recover

Z_LIMIT = 4.0  # 5 cells, 2 levels: a false alarm in over a thousand runs
CELLS = [  # with as many tables as one batch holds where they are costly
    ("chinchilla", {}, 16),
    ("chinchilla", {"pool": "shared", "noise": "normal_log"}, 24),
    ("power_law_with_floor(N)", {"pool": "separate", "families": 2}, 16),
    ("kaplan", {"pool": "shared", "noise": "student_t"}, 24),
    ("gadre", {"known_se": True, "pool": "shared"}, 24),
]


@pytest.mark.usefixtures("optimised")
@pytest.mark.parametrize(("law", "options", "tables"), CELLS)
def test_intervals_hold_the_truth_at_their_rate(law, options, tables):
    found = recover(law, tables=tables, seed=11, **options)
    assert not any(found.doubts)
    for prob in (0.5, 0.9):
        share, error = found.coverage(prob)
        assert abs(share - prob) < Z_LIMIT * error, (prob, share, error)
