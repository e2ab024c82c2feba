"""Pictures of fits, priors and forecasts; each draws a table that can be had without drawing."""

from bayes_scaling.plots.calibration import plot_sbc as plot_sbc
from bayes_scaling.plots.compared import plot_intervals as plot_intervals
from bayes_scaling.plots.fitted import plot_fit as plot_fit
from bayes_scaling.plots.intervals import plot_forecast as plot_forecast
from bayes_scaling.plots.priors import plot_prior_posterior as plot_prior_posterior
from bayes_scaling.plots.priors import plot_prior_predictive as plot_prior_predictive
from bayes_scaling.plots.residuals import plot_residuals as plot_residuals
