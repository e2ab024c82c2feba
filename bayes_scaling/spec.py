"""Frozen records that everything is described by: `Param`, `Law`, `Observation`, `ModelSpec`.

A law is a pure function of observed inputs (positional) and parameters (keyword-only); `@law`
checks on definition that the record and the signature agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bayes_scaling._errors import LawError, SpecError, did_you_mean
from bayes_scaling._registry import LAWS, OBSERVATIONS, POOLINGS
from bayes_scaling._scan import equation_names, is_name, not_a_formula, rename
from bayes_scaling._signature import arguments, summary
from bayes_scaling.prior import Prior
from bayes_scaling.symbols import default_latex


@dataclass(frozen=True)
class Param:
    """One parameter of a law.

    Parameters
    ----------
    name
        The paper's symbol, ASCII, Greek spelled out.
    prior
        Prior of the *sampled coordinate*: the parameter itself or, with ``level``, that expression.
    level
        Expression in the parameters and inputs (such as ``"A * N**-alpha"``) that is sampled in
        place of the parameter. Its prior holds at the law's reference point (``Law.reference``, or
        the data's geometric mean where that is empty); sampling happens at the data's geometric
        mean, where levels and exponents are nearly uncorrelated.
    pool
        Natural pooling over families: ``"shared"``, ``"partial"`` or ``"separate"``.
    spread
        Prior median of the between-family sd on the link (log, logit) scale.
    """

    name: str
    prior: Prior
    meaning: str
    unit: str = "1"
    level: str = ""
    pool: str = "shared"
    spread: float = 0.25
    latex: str = ""

    @property
    def symbol(self) -> str:
        """LaTeX of the parameter: as declared, or from its name."""
        return self.latex or default_latex(self.name)


@dataclass(frozen=True)
class Reduction:
    """A declared nesting: this law equals ``law`` when its parameters satisfy ``when``.

    ``params`` and ``inputs`` give the other law's arguments as expressions in this law's own.
    """

    law: str
    when: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Law:
    """A scaling law: one pure elementwise function with its record.

    ``fn(*inputs, **params)`` broadcasts; inputs have shape ``(..., row)`` in the units of
    `bayes_scaling.symbols`, parameters broadcast against them. ``optimal_size`` is the closed form,
    if any, of the N that is best at C = 6 N D. ``simplex`` are shares, which sum to one, ``pieces``
    inputs that say something only together; ``of_inputs(names)`` makes the law of other inputs.
    """

    name: str
    fn: Callable[..., Any] = field(compare=False, repr=False)
    inputs: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    equation: str = ""
    response: str = "L"
    topic: str = ""
    cite: str = ""
    summary: str = ""
    observation: str = "student_t_log"
    noise: Prior | None = None
    reference: tuple[tuple[str, float], ...] = ()
    valid: Mapping[str, tuple[float, float]] = field(default_factory=dict, compare=False)
    decreasing: tuple[str, ...] = ()
    asymptote: str = ""
    optimal_size: str = ""
    reduces_to: tuple[Reduction, ...] = field(default=(), compare=False)
    traps: tuple[str, ...] = field(default=(), compare=False)
    aliases: tuple[str, ...] = ()
    source: str = "catalogue"
    simplex: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    of_inputs: Callable[..., Law] | None = field(default=None, compare=False, repr=False)

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        """Evaluate the law; shapes broadcast."""
        return self.fn(*inputs, **params)

    def param(self, name: str) -> Param:
        """Return the record of one parameter.

        Raises
        ------
        LawError
            When the law has no parameter of that name.
        """
        for p in self.params:
            if p.name == name:
                return p
        raise LawError(
            f"law '{self.name}' has no parameter '{name}': it has {', '.join(self.param_names)}."
            + did_you_mean(name, list(self.param_names))
        )

    @property
    def param_names(self) -> tuple[str, ...]:
        """Names of the parameters, in the paper's order."""
        return tuple(p.name for p in self.params)


@dataclass(frozen=True)
class Observation:
    """An observation model: how a run's response scatters about the law.

    ``build(location, sigma, **extra)`` returns a NumPyro distribution of the *response itself*;
    ``location`` is the law's value on the ``on`` scale ("log" or "raw"). With ``counts`` it also
    takes ``trials``, the number of items that the response is a share of.
    """

    name: str
    build: Callable[..., Any] = field(compare=False, repr=False)
    on: str = "log"
    extra: tuple[tuple[str, Prior], ...] = ()
    summary: str = ""
    counts: bool = False


@dataclass(frozen=True)
class ModelSpec:
    """Law x pooling x observation model x priors: all that decides the compiled program."""

    law: Law
    observation: Observation
    pool: tuple[tuple[str, str], ...] = ()
    priors: tuple[tuple[str, Prior], ...] = ()
    groups: tuple[str, ...] = ()
    noise_by_family: bool = False
    noise_trend: str = ""
    known_se: bool = False

    def prior(self, name: str) -> Prior:
        """The prior in force for a parameter of the law, or of the noise."""
        return dict(self.priors)[name]

    def pooling(self, name: str) -> str:
        """The pooling in force for a parameter of the law."""
        return dict(self.pool)[name]


def _check_law(law: Law, declared: tuple[str, ...]) -> None:
    if set(declared) != set(law.param_names) or len(declared) != len(law.params):
        raise LawError(
            f"law '{law.name}': the keyword-only arguments {declared} and the Params "
            f"{law.param_names} must name the same parameters."
        )
    known = {*law.inputs, *law.param_names}
    if odd := sorted(name for name in known if not is_name(name)):
        raise LawError(f"law '{law.name}': {odd} cannot name anything in an equation.")
    words = set(equation_names(law.equation)) if law.equation else known
    if words != known:
        raise LawError(
            f"law '{law.name}': the equation names {sorted(words)} but the signature "
            f"{sorted(known)}."
        )
    for p in law.params:
        if p.level and (stray := set(equation_names(p.level)) - known):
            raise LawError(f"law '{law.name}': level of {p.name} names unknown {sorted(stray)}.")
    _check_inputs(law)


def _check_inputs(law: Law) -> None:
    allowed = {*law.inputs, *law.param_names, "C"} - {"N", "D", "M"}
    if law.optimal_size and (stray := set(equation_names(law.optimal_size)) - allowed):
        raise LawError(f"law '{law.name}': the optimal size cannot name {sorted(stray)}.")
    named = {"reference point": dict(law.reference), "range": law.valid, "decline": law.decreasing}
    for what, names in named.items():
        if unknown := set(names) - set(law.inputs):
            raise LawError(f"law '{law.name}': {what} names unknown inputs {sorted(unknown)}.")


def make_law(fn: Callable[..., Any], *, params: tuple[Param, ...], **record: Any) -> Law:
    """Return the checked record of a law without entering it in the catalogue.

    Raises
    ------
    LawError
        When the function's signature, the Params, the equation and the levels disagree.
    """
    inputs, declared = arguments(fn)
    record.setdefault("name", fn.__name__)
    record.setdefault("summary", summary(fn))
    record["reference"] = tuple(dict(record.get("reference", {})).items())
    law = Law(fn=fn, inputs=inputs, params=tuple(params), **record)
    _check_law(law, declared)
    return law


def law(**record: Any) -> Callable[[Callable[..., Any]], Law]:
    """Decorate a function as a law and enter it in the catalogue.

    Parameters are those of `Law` (``params``, ``equation``, ``cite`` ...); ``name`` defaults to
    the function's name and ``summary`` to its docstring's first line.

    Raises
    ------
    LawError
        When the name is taken or the record disagrees with the signature.
    """

    def register(fn: Callable[..., Any]) -> Law:
        entry = make_law(fn, **record)
        LAWS.add(entry.name, entry, entry.aliases)
        return entry

    return register


def observation(**record: Any) -> Callable[[Callable[..., Any]], Observation]:
    """Decorate ``(location, sigma, **extra) -> distribution`` as an observation model."""

    def register(fn: Callable[..., Any]) -> Observation:
        extra = tuple(dict(record.pop("extra", {})).items())
        entry = Observation(fn.__name__, fn, extra=extra, summary=summary(fn), **record)
        OBSERVATIONS.add(entry.name, entry)
        return entry

    return register


def pooling(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function as a pooling structure, entered under its own name."""
    POOLINGS.add(fn.__name__, fn)
    return fn


def get_law(law: str | Law) -> Law:
    """Return the law of that name; ``"power_law(C)"`` names a generic law's inputs.

    Raises
    ------
    LawError
        When no such law is known, the inputs given do not match, or it is a formula.
    """
    if isinstance(law, Law):
        return law
    name, _, inputs = not_a_formula(law).strip().partition("(")
    entry = LAWS.get(name.strip())
    names = tuple(s.strip() for s in inputs.rstrip(") ").split(","))
    return (entry.of_inputs or (lambda n: rename_inputs(entry, n)))(names) if inputs else entry


def rename_inputs(law: Law, names: tuple[str, ...]) -> Law:
    """Return the law with its inputs called ``names``, for laws of a generic covariate ``X``.

    Raises
    ------
    LawError
        When the number of names is wrong, or a name is not a free identifier.
    """
    clash = len({*names, *law.param_names}) < len(names) + len(law.params)
    if len(names) != len(law.inputs) or clash or not all(map(is_name, names)):
        raise LawError(
            f"'{law.name}({', '.join(names)})': the law takes {len(law.inputs)} input(s) "
            f"({', '.join(law.inputs)}), named unlike each other and its parameters "
            f"{law.param_names}."
        )
    new = dict(zip(law.inputs, names, strict=True))
    return replace(
        law,
        inputs=names,
        equation=rename(law.equation, new),
        params=tuple(replace(p, level=rename(p.level, new)) for p in law.params),
        reference=tuple((new[k], v) for k, v in law.reference),
        valid={new[k]: v for k, v in law.valid.items()},
        decreasing=tuple(new[k] for k in law.decreasing),
        pieces=tuple(new[k] for k in law.pieces),
        optimal_size=rename(law.optimal_size, new),
        reduces_to=tuple(_rename_reduction(r, new) for r in law.reduces_to),
    )


def _rename_reduction(reduction: Reduction, new: Mapping[str, str]) -> Reduction:
    inputs = {k: rename(v, new) for k, v in reduction.inputs.items()}
    params = {k: rename(v, new) for k, v in reduction.params.items()}
    return replace(reduction, params=params, inputs=inputs or new)


def get_observation(name: str | Observation) -> Observation:
    """Return the observation model of that name.

    Raises
    ------
    SpecError
        When no such observation model is known.
    """
    if isinstance(name, Observation):
        return name
    try:
        return OBSERVATIONS.get(name)
    except LawError as error:
        raise SpecError(str(error)) from None
