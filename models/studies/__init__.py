"""Published studies that can be fitted again on their own data."""

from bayes_scaling.models.studies import architecture as architecture
from bayes_scaling.models.studies import frontier as frontier
from bayes_scaling.models.studies import schedules as schedules
from bayes_scaling.models.studies import scores as scores
from bayes_scaling.models.studies import surfaces as surfaces
