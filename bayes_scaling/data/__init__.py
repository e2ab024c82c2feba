"""Tables of training runs: read once, checked once, then trusted."""

from bayes_scaling.data.load import read_runs as read_runs
from bayes_scaling.data.runs import Runs as Runs
from bayes_scaling.data.runs import constant_columns as constant_columns
