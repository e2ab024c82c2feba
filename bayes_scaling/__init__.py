"""Bayesian scaling laws: pooled posteriors, forecasts with credible bands.

Importing makes no device arrays and changes no setting of JAX; heavy parts load on first use.
"""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

_IMPORTED = time.time()  # source that is younger is not what runs: `kept_traces`

if TYPE_CHECKING:
    from bayes_scaling._errors import BayesScalingError as BayesScalingError
    from bayes_scaling._errors import DataError as DataError
    from bayes_scaling._errors import DecisionError as DecisionError
    from bayes_scaling._errors import FitFileError as FitFileError
    from bayes_scaling._errors import ForecastError as ForecastError
    from bayes_scaling._errors import LawError as LawError
    from bayes_scaling._errors import Note as Note
    from bayes_scaling._errors import SpecError as SpecError
    from bayes_scaling.backtesting import Backtest as Backtest
    from bayes_scaling.backtesting import backtest as backtest
    from bayes_scaling.baselines import Baseline as Baseline
    from bayes_scaling.bootstrapping import baseline as baseline
    from bayes_scaling.calibration import Calibration as Calibration
    from bayes_scaling.calibration import sbc as sbc
    from bayes_scaling.catalogue import laws as laws
    from bayes_scaling.chaining import Chain as Chain
    from bayes_scaling.chaining import chain as chain
    from bayes_scaling.comparing import Intervals as Intervals
    from bayes_scaling.comparing import compare_intervals as compare_intervals
    from bayes_scaling.data.embedded import published_runs as published_runs
    from bayes_scaling.data.load import read_runs as read_runs
    from bayes_scaling.data.runs import Runs as Runs
    from bayes_scaling.data.schedule_tables import add_schedules as add_schedules
    from bayes_scaling.decisions.allocating import Allocation as Allocation
    from bayes_scaling.decisions.allocating import allocate as allocate
    from bayes_scaling.decisions.approaches import Approaches as Approaches
    from bayes_scaling.decisions.approaches import three_approaches as three_approaches
    from bayes_scaling.decisions.candidates import candidate_grid as candidate_grid
    from bayes_scaling.decisions.comparing import Comparison as Comparison
    from bayes_scaling.decisions.comparing import compare as compare
    from bayes_scaling.decisions.designing import Design as Design
    from bayes_scaling.decisions.designing import design as design
    from bayes_scaling.decisions.mixtures import Mixture as Mixture
    from bayes_scaling.decisions.mixtures import best_mixture as best_mixture
    from bayes_scaling.decisions.optimising import Optimum as Optimum
    from bayes_scaling.decisions.optimising import optimum as optimum
    from bayes_scaling.decisions.targeting import Target as Target
    from bayes_scaling.decisions.targeting import target as target
    from bayes_scaling.extrapolation import ModelError as ModelError
    from bayes_scaling.extrapolation import model_error as model_error
    from bayes_scaling.fitting import fit as fit
    from bayes_scaling.fitting import numpyro_model as numpyro_model
    from bayes_scaling.fitting_many import ManyFits as ManyFits
    from bayes_scaling.fitting_many import fit_many as fit_many
    from bayes_scaling.forecasting import Forecast as Forecast
    from bayes_scaling.forecasting import forecast as forecast
    from bayes_scaling.forecasting import grid as grid
    from bayes_scaling.latent.fitting import skills as skills
    from bayes_scaling.latent.results import Skills as Skills
    from bayes_scaling.martingales import martingale as martingale
    from bayes_scaling.plots import plot_fit as plot_fit
    from bayes_scaling.plots import plot_intervals as plot_intervals
    from bayes_scaling.plots import plot_prior_posterior as plot_prior_posterior
    from bayes_scaling.plots import plot_prior_predictive as plot_prior_predictive
    from bayes_scaling.plots import plot_residuals as plot_residuals
    from bayes_scaling.plots import plot_sbc as plot_sbc
    from bayes_scaling.posterior import Fit as Fit
    from bayes_scaling.prior import Prior as Prior
    from bayes_scaling.prior import fixed as fixed
    from bayes_scaling.prior import halfnormal as halfnormal
    from bayes_scaling.prior import logitnormal as logitnormal
    from bayes_scaling.prior import lognormal as lognormal
    from bayes_scaling.prior import normal as normal
    from bayes_scaling.prior import uniform as uniform
    from bayes_scaling.prior_check import prior_predictive as prior_predictive
    from bayes_scaling.replication import Replication as Replication
    from bayes_scaling.replication import replicate as replicate
    from bayes_scaling.reporting.making import Report as Report
    from bayes_scaling.reporting.making import report as report
    from bayes_scaling.schedules.inputs import schedule_inputs as schedule_inputs
    from bayes_scaling.schedules.shapes import schedule as schedule
    from bayes_scaling.spec import Law as Law
    from bayes_scaling.spec import Param as Param
    from bayes_scaling.spec import Reduction as Reduction
    from bayes_scaling.spec import get_law as get_law
    from bayes_scaling.spec import law as law
    from bayes_scaling.spec import observation as observation
    from bayes_scaling.stacking import Stack as Stack
    from bayes_scaling.stacking import stack as stack
    from bayes_scaling.storage import load as load
    from bayes_scaling.study_spec import Base as Base
    from bayes_scaling.study_spec import Published as Published
    from bayes_scaling.study_spec import Study as Study
    from bayes_scaling.study_spec import study as study
    from bayes_scaling.study_tables import studies as studies
    from bayes_scaling.text_law import law_from_equation as law_from_equation

__version__ = "0.1.0"

_HOMES = {
    "_errors": "BayesScalingError DataError DecisionError FitFileError ForecastError LawError Note "
    "SpecError",
    "backtesting": "Backtest backtest",
    "baselines": "Baseline",
    "bootstrapping": "baseline",
    "calibration": "Calibration sbc",
    "catalogue": "laws",
    "chaining": "Chain chain",
    "comparing": "Intervals compare_intervals",
    "data.embedded": "published_runs",
    "data.load": "read_runs",
    "data.runs": "Runs",
    "data.schedule_tables": "add_schedules",
    "decisions.allocating": "Allocation allocate",
    "decisions.approaches": "Approaches three_approaches",
    "decisions.candidates": "candidate_grid",
    "decisions.comparing": "Comparison compare",
    "decisions.mixtures": "Mixture best_mixture",
    "decisions.designing": "Design design",
    "decisions.optimising": "Optimum optimum",
    "decisions.targeting": "Target target",
    "extrapolation": "ModelError model_error",
    "fitting": "fit numpyro_model",
    "fitting_many": "ManyFits fit_many",
    "forecasting": "Forecast forecast grid",
    "latent.fitting": "skills",
    "latent.results": "Skills",
    "martingales": "martingale",
    "plots": "plot_fit plot_intervals plot_prior_posterior plot_prior_predictive plot_residuals "
    "plot_sbc",
    "posterior": "Fit",
    "prior": "Prior fixed halfnormal logitnormal lognormal normal uniform",
    "prior_check": "prior_predictive",
    "replication": "Replication replicate",
    "reporting.making": "Report report",
    "schedules.inputs": "schedule_inputs",
    "schedules.shapes": "schedule",
    "spec": "Law Param Reduction get_law law observation",
    "stacking": "Stack stack",
    "storage": "load",
    "study_spec": "Base Published Study study",
    "study_tables": "studies",
    "text_law": "law_from_equation",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = ["__version__", *sorted(_HOME_OF)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'bayes_scaling' has no attribute '{name}'")
    return getattr(importlib.import_module(f"bayes_scaling.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
