"""From what a user writes to a checked `ModelSpec`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bayes_scaling._errors import DataError, SpecError, did_you_mean, list_names
from bayes_scaling._registry import POOLINGS, load_catalogue
from bayes_scaling.data.runs import Runs
from bayes_scaling.mixing import check_shares
from bayes_scaling.prior import Prior, as_prior
from bayes_scaling.spec import Law, ModelSpec, Observation, get_law, get_observation

RESERVED = {"sigma", "nu", "tau", "sigma_trend", "log_sigma_family"}


def resolve(
    runs: Runs,
    law: str | Law,
    *,
    pool: Mapping[str, str] | str | None = None,
    priors: Mapping[str, Any] | None = None,
    noise: str | Observation | None = None,
    noise_by_family: bool = False,
    noise_trend: str = "",
) -> ModelSpec:
    """Return the checked spec of a fit.

    Parameters
    ----------
    runs
        The table; its inputs, response, groups and standard errors decide what is possible.
    law
        Name or record.
    pool
        Pooling per parameter, or one word for all; the law's natural pooling where silent.
    priors
        Prior per parameter (of the law, or ``sigma``, ``nu``).
    noise
        Observation model; by default the law's own, or ``beta_binomial`` where the table has the
        number of items of its shares.
    noise_by_family, noise_trend
        A noise level for each family; a noise level that varies with this covariate.

    Raises
    ------
    BayesScalingError
        One line that names what does not fit and the mend.
    """
    entry = get_law(law)
    require_inputs(runs, entry)
    check_shares(entry, runs.values, DataError)
    counted = "beta_binomial" if runs.trials is not None else None
    observation = get_observation(noise or counted or entry.observation)
    _check_response(runs, observation)
    _check_counts(runs, observation)
    _check_names(entry, runs)
    several = bool(runs.groups) and len(runs.group_levels(runs.groups[-1])) > 1
    groups = runs.groups if several else ()
    _check_noise(runs, groups, noise_by_family, noise_trend)
    return ModelSpec(
        law=replace(entry, response=runs.response),
        observation=observation,
        pool=_pooling(entry, pool, groups),
        priors=_priors(entry, observation, priors or {}),
        groups=groups,
        noise_by_family=noise_by_family,
        noise_trend=noise_trend,
        known_se=runs.se is not None,
    )


def require_inputs(runs: Runs, law: Law) -> None:
    """Check that the table has every input of the law.

    Raises
    ------
    DataError
        Naming the missing inputs.
    """
    missing = [name for name in law.inputs if name not in runs.values]
    if not missing:
        return
    have = list(runs.covariates)
    if missing == ["X"]:
        raise DataError(
            f"law '{law.name}' takes one covariate: name it, as in '{law.name}({have[0]})' "
            f"(the table has {list_names(have)})."
            if have
            else f"law '{law.name}' takes one covariate and the table has none."
        )
    if missing[0] in law.simplex:
        raise DataError(
            f"law '{law.name}' needs the shares {list_names(missing, 20)}, and the table has "
            f"{list_names(have)}: read it with inputs=['{missing[0]}', ...], or name your own "
            f"domains in the law, as in '{law.name}(web, books, code)'."
        )
    if {"S1", "S2", *law.pieces} & {*missing}:
        raise DataError(
            f"law '{law.name}' needs {missing[0]} ..., sums of every run's learning-rate schedule: "
            "add them with bs.add_schedules(table, schedules), or on the command line with "
            "'bayes-scaling schedules'."
        )
    raise DataError(
        f"law '{law.name}' needs {', '.join(missing)}, and the table has {list_names(have)}: name "
        f"the column with columns={{'{missing[0]}': 'your column'}}."
    )


def _check_response(runs: Runs, observation: Observation) -> None:
    y = runs.values[runs.response]
    bad = [i + 1 for i in range(len(y)) if not y[i] > 0]
    if observation.on == "log" and bad:
        raise DataError(
            f"{runs.response} is not positive in row(s) {list_names([str(b) for b in bad], 5)}: "
            "use an observation model on the raw scale, noise='student_t'."
        )


def _check_counts(runs: Runs, observation: Observation) -> None:
    if not observation.counts:
        return
    if runs.trials is None or runs.se is not None:
        raise SpecError(
            f"noise '{observation.name}' takes its width from the number of items of every row: "
            "read the table with trials='column', and without standard errors."
        )
    y = runs.values[runs.response]
    bad = [str(i + 1) for i in range(len(y)) if not 0 <= y[i] <= 1]
    if bad:
        raise DataError(
            f"{runs.response} is not a share between 0 and 1 in row(s) {list_names(bad, 5)}: "
            f"give its unit, such as units={{'{runs.response}': 0.01}} for per cent, or leave "
            "trials out."
        )


def _check_names(law: Law, runs: Runs) -> None:
    taken = (RESERVED | set(runs.groups) | {runs.response, "row"}) & set(law.param_names)
    if taken:
        raise SpecError(
            f"law '{law.name}': parameter name(s) {sorted(taken)} are taken by the noise model, "
            "the response or a grouping column: rename the parameter or the column."
        )


def _check_noise(runs: Runs, groups: tuple[str, ...], by_family: bool, trend: str) -> None:
    if by_family and not groups:
        raise SpecError(
            "noise_by_family needs at least two families: pass group='column' when reading the "
            "runs, or leave it out."
        )
    if trend and trend not in runs.covariates:
        raise SpecError(
            f"noise_trend='{trend}' is not a covariate of the table: it has "
            f"{list_names(list(runs.covariates))}."
        )


def _pooling(
    law: Law, pool: Mapping[str, str] | str | None, groups: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    load_catalogue()
    asked = dict.fromkeys(law.param_names, pool) if isinstance(pool, str) else dict(pool or {})
    for name, kind in asked.items():
        law.param(name)
        if kind not in list(POOLINGS):
            raise SpecError(
                f"pooling '{kind}' of {name} is unknown: use {', '.join(POOLINGS)}."
                + did_you_mean(kind, list(POOLINGS))
            )
    if not groups:
        return tuple((p.name, "shared") for p in law.params)
    return tuple((p.name, asked.get(p.name, p.pool)) for p in law.params)


def _priors(
    law: Law, observation: Observation, given: Mapping[str, Any]
) -> tuple[tuple[str, Prior], ...]:
    scatter = law.noise or default_scatter()
    known = {p.name: p.prior for p in law.params} | {"sigma": scatter} | dict(observation.extra)
    for name, value in given.items():
        if name not in known:
            raise SpecError(
                f"a prior is given for '{name}', which law '{law.name}' with noise "
                f"'{observation.name}' does not have: it has {list_names(list(known))}."
                + did_you_mean(name, list(known))
            )
        known[name] = as_prior(value)
    if known["sigma"].is_fixed or any(known[n].is_fixed for n, _ in observation.extra):
        raise SpecError(
            "sigma and nu cannot be fixed: give a narrow prior, such as lognormal(0.005, 0.0049, "
            "0.0051)."
        )
    return tuple(known.items())


def default_scatter() -> Prior:
    """The catalogue's prior of the run-to-run sd of the log response."""
    from bayes_scaling.models.priors import run_scatter

    return run_scatter()
