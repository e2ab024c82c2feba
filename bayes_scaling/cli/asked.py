"""Options that several commands share, in groups, and what each group asks of the library.

A command takes a group as one argument; `bayes_scaling.cli.app` gives it the group's options.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import options as o
from bayes_scaling.cli import shell_words

if TYPE_CHECKING:
    from bayes_scaling.data.runs import Runs


@dataclass(frozen=True)
class RunsAsked:
    """A table of runs and how to read it."""

    path: o.RunsPath
    group: o.Group = None
    response: o.Response = None
    column: o.Column = None
    run: o.Run = None
    se: o.StandardError = None
    trials: o.Trials = None
    where: o.Where = None
    unit: o.Unit = None

    def read(self, law: Any = None) -> Runs:
        """Return the runs, with the inputs that the law names and the vocabulary does not.

        Raises
        ------
        BayesScalingError
            As `read_runs` does, and when an option is not written as it should be.
        """
        from bayes_scaling.data.load import read_runs
        from bayes_scaling.spec import get_law
        from bayes_scaling.symbols import COVARIATES

        columns = shell_words.columns(self.column or [])
        own = () if law is None else get_law(law).inputs
        return read_runs(
            self.path,
            group=self.group,
            response=self.response,
            columns=columns,
            inputs=[name for name in own if name not in columns and name not in COVARIATES],
            run=self.run,
            se=self.se,
            trials=self.trials,
            where=shell_words.where(self.where or []),
            units=shell_words.units(self.unit or []),
        )


@dataclass(frozen=True)
class LawAsked:
    """A law by name or equation."""

    law: o.Law = None
    equation: o.Equation = None
    input_names: o.Input = None

    def found(self) -> Any:
        """Return the law; as `law_asked`."""
        return law_asked(self.law, self.equation, self.input_names)


def law_asked(law: str | None, equation: str | None, inputs: list[str] | None) -> Any:
    """Return the law of --law or --equation, chinchilla where neither is given.

    Raises
    ------
    SpecError
        When both are given, or --input without --equation.
    """
    from bayes_scaling._errors import SpecError
    from bayes_scaling.text_law import law_from_equation

    if equation is None:
        if inputs:
            raise SpecError("--input belongs to --equation: name inputs of a law as 'power_law(C)'")
        return law or "chinchilla"
    if law is not None:
        raise SpecError("--law and --equation exclude each other: keep one of them")
    return law_from_equation(equation, inputs=inputs or None)


@dataclass(frozen=True)
class ModelAsked:
    """Pooling, priors and noise."""

    pool: o.Pool = None
    prior: o.PriorText = None
    noise: o.Noise = None

    def options(self) -> dict[str, Any]:
        """Return the arguments of `fit`."""
        return {
            "pool": shell_words.pooling(self.pool or []),
            "priors": shell_words.priors(self.prior or []),
            "noise": self.noise,
        }


@dataclass(frozen=True)
class NoisyModelAsked(ModelAsked):
    """Pooling and priors, and noise that differs between families or along a covariate."""

    noise_by_family: o.NoiseByFamily = False
    noise_trend: o.NoiseTrend = ""

    def options(self) -> dict[str, Any]:
        """Return the arguments of `fit`."""
        trend = {"noise_by_family": self.noise_by_family, "noise_trend": self.noise_trend}
        return {**super().options(), **trend}


@dataclass(frozen=True)
class BudgetAsked:
    """What a budget is spent on."""

    fixed: o.Fixed = None
    limit: o.Limit = None
    inference_tokens: o.Served = None

    def options(self) -> dict[str, Any]:
        """Return the arguments of `allocate`."""
        return {
            "fixed": shell_words.quantities(self.fixed or [], "--fixed", "U=100B"),
            "limits": shell_words.spans(self.limit or [], "--limit", "D=1T"),
            "inference_tokens": shell_words.number(self.inference_tokens),
        }


@dataclass(frozen=True)
class BandsAsked:
    """Which way is better, and bands of what is best."""

    maximise: o.Maximise = None
    prob: o.Prob = None
    seed: o.Seed = 0

    @property
    def probs(self) -> list[float]:
        """Probabilities of the bands, narrowest first."""
        return shell_words.probs(self.prob)

    def options(self) -> dict[str, Any]:
        """Return the arguments of `allocate`."""
        return {"maximise": self.maximise, "prob": self.probs, "seed": self.seed}


@dataclass(frozen=True)
class PossibleRuns:
    """Runs that could be made, and what they cost."""

    candidates: o.Possible = None
    within: o.Bounded = None
    steps: o.Steps = 8
    cost: o.Cost = "cost"

    def table(self) -> Any:
        """Return the table's path, or the grid.

        Raises
        ------
        DecisionError
            When neither is given, or both are.
        """
        from bayes_scaling._errors import DecisionError
        from bayes_scaling.decisions.candidates import candidate_grid

        if (self.candidates is None) == (not self.within):
            raise DecisionError(
                "give the runs that could be made as one table, CANDIDATES.csv, or as --within "
                "N=10M..1B (repeat for every input)."
            )
        if self.candidates is not None:
            return self.candidates
        return candidate_grid(
            steps=self.steps, **shell_words.axes(self.within or [], "--within", "N=10M..1B")
        )

    def options(self) -> dict[str, Any]:
        """Return the arguments of `design`."""
        return {"cost": self.cost}


@dataclass(frozen=True)
class GoalAsked:
    """What runs should tell of."""

    at: o.At = None
    at_file: o.AtFile = None
    name: o.Goal = None
    family: o.Family = None
    fixed: o.Fixed = None
    maximise: o.Maximise = None

    def goal(self, fit: Any) -> Any:
        """Return points, a parameter's name or a budget.

        Raises
        ------
        DecisionError
            When none is given, or several are.
        """
        from bayes_scaling._errors import DecisionError
        from bayes_scaling.cli.points import read_points

        if bool(self.at or self.at_file) == (self.name is not None):
            raise DecisionError(
                "say what the runs should tell of: points, --at N=70B,D=1.4T, or --goal with a "
                "parameter or a budget."
            )
        if self.name is None:
            return read_points(fit, self.at or [], self.at_file)
        number = shell_words.number(self.name) if self.name[:1].isdigit() else None
        return self.name if number is None else number

    def options(self) -> dict[str, Any]:
        """Return the arguments of `design`."""
        fixed = shell_words.quantities(self.fixed or [], "--fixed", "U=100B")
        return {"family": self.family, "fixed": fixed, "maximise": self.maximise}


@dataclass(frozen=True)
class OutAsked:
    """Where the answer goes."""

    out: o.TableOut = None
    force: o.Force = False
    as_json: o.Json = False

    def target(self) -> Path | None:
        """Return the file to write, checked before long work; None where none was asked for.

        Raises
        ------
        FitFileError
            When it exists and --force is not given, or cannot be written.
        """
        from bayes_scaling.cli.outputs import check_new

        return None if self.out is None else check_new(Path(self.out), self.force)
