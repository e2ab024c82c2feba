"""The verdict on a fit: every failing check has a stable code, a severity and the next step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling._arviz import array_stats, stats, summary
from bayes_scaling._errors import Note, list_names
from bayes_scaling._x64 import in_float64
from bayes_scaling.families import compiled_coordinates, flatten_chains
from bayes_scaling.infer.prior_notes import conflict_note, sensitive_note
from bayes_scaling.infer.sensitivity import prior_sensitivity, reference_of
from bayes_scaling.spec import ModelSpec
from bayes_scaling.stats.intervals import contraction

RHAT_LIMIT, RHAT_BAD = 1.01, 1.05  # Vehtari et al. 2021, sec. 4
ESS_PER_CHAIN, ESS_TARGET = 100, 400
BFMI_LIMIT = 0.3
PARETO_LIMIT, PARETO_BAD = 0.7, 1.0  # Vehtari et al. 2024, sec. 3
UNINFORMED = 0.1  # contraction below which a parameter is its prior
STUCK_SDS = 5.0
VERDICTS = {
    "ok": "sampling is sound",
    "info": "sampling is sound",
    "warning": "usable with care",
    "error": "do not use",
}
_RANK = {"info": 0, "warning": 1, "error": 2}


@dataclass(frozen=True)
class Diagnosis:
    """The checks of a fit.

    Attributes
    ----------
    findings
        Notes with code, severity, message and advice, worst first.
    numbers
        ``rhat_max``, ``ess_bulk_min``, ``ess_tail_min``, ``divergences``; ``bfmi_min`` where the
        sampler has an energy; ``pareto_k`` where it weighs draws.
    contraction
        Prior-to-posterior contraction of every parameter's sampled coordinate.
    sensitivity
        How far every parameter hangs on the priors; see `bayes_scaling.infer.sensitivity`.
    """

    findings: tuple[Note, ...]
    numbers: dict[str, float]
    contraction: dict[str, float]
    sensitivity: pd.DataFrame

    @property
    def severity(self) -> str:
        """The worst severity found: ok, info, warning or error."""
        return self.findings[0].severity if self.findings else "ok"

    @property
    def ok(self) -> bool:
        """Whether the draws can be used as they are."""
        return self.severity in ("ok", "info")

    @property
    def verdict(self) -> str:
        """The verdict in one line."""
        n = self.numbers
        weighed = "pareto_k" in n
        how = f"Pareto k {n['pareto_k']:.2f}" if weighed else f"{n['divergences']:.0f} divergences"
        return (
            f"{VERDICTS[self.severity]} (R-hat {n['rhat_max']:.3f}, ESS bulk "
            f"{n['ess_bulk_min']:.0f} / tail {n['ess_tail_min']:.0f}, {how})"
        )

    def __str__(self) -> str:
        lines = [f"Verdict: {self.verdict}."]
        for f in self.findings:
            lines.append(f"  [{f.severity}] {f.code}: {f.message}" + f" {f.advice}".rstrip())
        return "\n".join(lines)

    __repr__ = __str__

    def table(self) -> pd.DataFrame:
        """The findings as a table with columns code, severity, message, advice."""
        return pd.DataFrame([vars(f) for f in self.findings])


def diagnose(data: xr.DataTree, spec: ModelSpec, notes: tuple[Note, ...] = ()) -> Diagnosis:
    """Return the diagnosis of a fit's DataTree; ``notes`` are passed on with the findings."""
    shrink, hangs = contractions(data, spec), prior_sensitivity(data, spec)
    unmoved = [n for n, c in shrink.items() if c < UNINFORMED]
    told = (_uninformed(unmoved), conflict_note(hangs), sensitive_note(hangs, unmoved))
    numbers, findings = verdict_of(data, _quality(data), (*told, *notes))
    return Diagnosis(findings, numbers, shrink, hangs)


def verdict_of(
    data: xr.DataTree, quality: pd.DataFrame, told: Iterable[Note | None]
) -> tuple[dict[str, float], tuple[Note, ...]]:
    """Numbers and findings of a `Diagnosis`: what the sampling tells, with what is ``told``.

    ``quality`` has a row for every scalar: ``r_hat``, ``ess_bulk`` and ``ess_tail``.
    """
    numbers = _numbers(data, quality)
    found = [
        _rhat(quality),
        _ess(quality, data["posterior"].sizes),
        _divergences(data, numbers),
        _bfmi(numbers),
        _pareto(data),
        _escalated(data),
        _tree_depth(data),
        _stuck(data),
        *told,
    ]
    ordered = sorted([n for n in found if n is not None], key=lambda n: -_RANK[n.severity])
    return numbers, tuple(ordered)


def _quality(data: xr.DataTree) -> pd.DataFrame:
    """R-hat and ESS of every scalar, sampled coordinates included, as rows of a table."""
    frames = [
        with_nested_rhat(
            data, summary(data, group=group, kind="diagnostics", round_to="none"), group
        )
        for group in ("posterior", "unconstrained_posterior")
    ]
    return pd.concat(frames).astype(float)


def with_nested_rhat(
    data: xr.DataTree, table: pd.DataFrame, group: str = "posterior", var_names: Any = None
) -> pd.DataFrame:
    """ArviZ's table with nested R-hat in place of R-hat where chains started in groups.

    R-hat of a chain of a hundred draws is above 1.01 however well it mixes; nested R-hat
    (Margossian et al. 2024) compares groups of chains.
    """
    groups = json.loads(data.attrs.get("sampling", "{}")).get("groups", 0)
    if not groups or "r_hat" not in table:
        return table
    variables = data[group].to_dataset()
    ids = np.repeat(np.arange(groups), variables.sizes["chain"] // groups)
    flat = [
        np.moveaxis(np.asarray(variables[n]), (0, 1), (-2, -1)).reshape(-1, *x.shape[:2])
        for n, x in variables.data_vars.items()
        if var_names is None or n in var_names
    ]
    nested = [array_stats.rhat_nested(x, superchain_ids=ids) for x in np.concatenate(flat)]
    return table.assign(r_hat=nested)


def _numbers(data: xr.DataTree, quality: pd.DataFrame) -> dict[str, float]:
    kept = data["sample_stats"]
    told = json.loads(data.attrs.get("sampling", "{}"))
    worth = told.get("weights_ess", np.inf)
    diverging = np.sum(np.asarray(kept["diverging"])) if "diverging" in kept else 0
    return {
        "rhat_max": float(quality["r_hat"].max()),
        "ess_bulk_min": min(worth, float(quality["ess_bulk"].min())),
        "ess_tail_min": min(worth, float(quality["ess_tail"].min())),
        "divergences": float(diverging),
        "bfmi_min": _least_bfmi(data),
        **{k: v for k, v in told.items() if k == "pareto_k"},
    }


def _least_bfmi(data: xr.DataTree) -> float:
    if "energy" not in data["sample_stats"]:
        return float("nan")
    bfmi = stats.bfmi(data)
    energies = bfmi["energy"] if hasattr(bfmi, "data_vars") or "energy" in bfmi else bfmi
    return float(np.min(energies))


def _pareto(data: xr.DataTree) -> Note | None:
    """The importance weights of the approximate samplers."""
    k = json.loads(data.attrs.get("sampling", "{}")).get("pareto_k")
    if k is None or k <= PARETO_LIMIT:
        return None
    return Note(
        "pareto_k",
        "error" if k > PARETO_BAD else "warning",
        f"the approximation's importance weights have a Pareto tail of {k:.2f} (wanted "
        f"{PARETO_LIMIT} or less): it misses part of the posterior.",
        "Leave the sampler at 'auto', or pass sampler='nuts'.",
    )


def _escalated(data: xr.DataTree) -> Note | None:
    """The way `auto` took, where the fast sampler was not accepted."""
    path = json.loads(data.attrs.get("path", "[]"))
    refused = [f"{step['sampler']}: {step['refused']}" for step in path if step["refused"]]
    if not refused:
        return None
    told = f"{'; '.join(refused)}; {path[-1]['sampler']} was used instead."
    return Note("escalated", "info", told, "")


def _rhat(quality: pd.DataFrame) -> Note | None:
    bad = quality["r_hat"][~(quality["r_hat"] <= RHAT_LIMIT)]
    if bad.empty:
        return None
    worst = bad.sort_values(ascending=False)
    severity = "warning" if worst.iloc[0] <= RHAT_BAD else "error"
    return Note(
        "rhat_high",
        severity,
        f"chains disagree on {list_names(list(worst.index), 4)} "
        f"(R-hat {worst.iloc[0]:.3f}, wanted {RHAT_LIMIT} or less).",
        "Double warmup and draws; if it stays, the posterior may have several modes.",
    )


def _ess(quality: pd.DataFrame, sizes: Mapping[Any, int]) -> Note | None:
    wanted = min(ESS_TARGET, ESS_PER_CHAIN * sizes["chain"])
    least = quality[["ess_bulk", "ess_tail"]].min(axis=1)
    bad = least[~(least >= wanted)].sort_values()
    if bad.empty:
        return None
    return Note(
        "ess_low",
        "warning" if bad.iloc[0] >= wanted / 4 else "error",
        f"only {bad.iloc[0]:.0f} effective draws of {list_names(list(bad.index), 4)} "
        f"(wanted {wanted}).",
        _more_draws(sizes["draw"], bad.iloc[0], wanted),
    )


def _more_draws(draws: int, have: float, wanted: float) -> str:
    if not have > wanted / 10:  # NaN too
        return "Too few for more draws to mend: pool more, tighten a prior, or add runs."
    return f"Pass draws={int(np.ceil(1.2 * draws * wanted / have / 100.0)) * 100}."


def _divergences(data: xr.DataTree, numbers: dict[str, float]) -> Note | None:
    count = int(numbers["divergences"])
    if count == 0:
        return None
    total = data["sample_stats"]["diverging"].size
    return Note(
        "divergences",
        "warning" if count < 0.005 * total else "error",
        f"{count} of {total} transitions diverged: a part of the posterior was not reached.",
        "Pass target_accept=0.98; if they stay, pool fewer parameters or tighten a prior.",
    )


def _bfmi(numbers: dict[str, float]) -> Note | None:
    if not numbers["bfmi_min"] < BFMI_LIMIT:  # NaN where the sampler has no energy
        return None
    return Note(
        "bfmi_low",
        "warning",
        f"E-BFMI is {numbers['bfmi_min']:.2f} (wanted {BFMI_LIMIT} or more): heavy tails.",
        "Lengthen warmup, or give the between-family spreads tighter priors.",
    )


def _tree_depth(data: xr.DataTree) -> Note | None:
    if "reached_max_treedepth" not in data["sample_stats"]:
        return None
    share = float(np.mean(np.asarray(data["sample_stats"]["reached_max_treedepth"])))
    if share <= 0.01:
        return None
    return Note(
        "tree_depth",
        "warning",
        f"{share:.0%} of the transitions were cut at the largest tree depth.",
        "Pass max_tree_depth=12, or check which parameters the data leave open.",
    )


def _stuck(data: xr.DataTree) -> Note | None:
    """Chains whose whole log density lies apart: R-hat alone can miss one in many."""
    lp = np.asarray(data["sample_stats"]["lp"])
    middle, spread = np.median(lp, axis=1), np.std(lp, axis=1)
    off = np.abs(middle - np.median(middle)) > STUCK_SDS * np.median(spread)
    if not off.any():
        return None
    return Note(
        "stuck_chain",
        "error",
        f"chain(s) {np.flatnonzero(off).tolist()} sit at another log density than the rest.",
        "Refit with another seed; if it recurs, the posterior has several modes.",
    )


def _uninformed(names: list[str]) -> Note | None:
    if not names:
        return None
    return Note(
        "prior_dominated",
        "info",
        f"the data say next to nothing about {', '.join(names)}: the posterior is the prior.",
        "Forecasts that hang on it hang on the prior: check it, or add runs that move it.",
    )


@in_float64
def contractions(data: xr.DataTree, spec: ModelSpec) -> dict[str, float]:
    """Contraction of every parameter's sampled coordinate on its link scale (least over
    families)."""
    prior, post = (flatten_chains(data[g].to_dataset()) for g in ("prior", "posterior"))
    names = [n for n in spec.law.param_names if not spec.prior(n).is_fixed]
    sets = [{n: samples[n] for n in names} for samples in (prior, post)]
    before, after = jax.device_get(compiled_coordinates(spec)(sets, reference_of(data)))
    found = {n: float(np.min(contraction(before[n], after[n]))) for n in names}
    for name in ("sigma", *[n for n, _ in spec.observation.extra]):
        found[name] = float(contraction(np.log(prior[name]), np.log(post[name])))
    return found
