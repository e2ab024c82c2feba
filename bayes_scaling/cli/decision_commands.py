"""Commands that decide: allocate, target, optimum, compare. Heavy modules load when one runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import options as o
from bayes_scaling.cli import shell_words
from bayes_scaling.cli.app import command

if TYPE_CHECKING:
    import pandas as pd

    from bayes_scaling._errors import Note

LEGEND = "Median [{prob} % band] {band}."
ALONE = "of the law's posterior; the law's own error is not in it"


@command("""
bayes-scaling allocate fit.nc --budget 5.76e23
bayes-scaling allocate fit.nc --budget 1e23 --budget 1e24 --family c4 --off 0.5 --off 2
bayes-scaling allocate fit.nc --budget 1e24 --inference-tokens 2T --limit D=5T
bayes-scaling allocate repeated.nc --budget 1e22 --fixed U=100B --json
""")
def allocate(
    fit: o.FitPath,
    budget: o.Budgets,
    family: o.Family = None,
    fixed: o.Fixed = None,
    limit: o.Limit = None,
    inference_tokens: o.Served = None,
    off: o.Off = None,
    model_error: o.WithError = False,
    maximise: o.Maximise = None,
    prob: o.Prob = None,
    seed: o.Seed = 0,
    out: o.TableOut = None,
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Tell the best size and data for a budget C = 6 N D.

    Gives N, D, tokens per parameter, the loss and the local exponent a (N grows as C^a), each with
    its band. --off tells what a multiple of the recommended size would cost. --fixed gives other
    inputs of the law, or holds one of N, D and M.
    """
    from bayes_scaling.decisions.allocating import allocate as best_allocation
    from bayes_scaling.storage import load

    target_file, loaded = _new(out, force), load(fit)
    found = best_allocation(
        loaded,
        shell_words.numbers(budget),
        family=family,
        prob=_probs(prob),
        inference_tokens=shell_words.number(inference_tokens),
        fixed=shell_words.quantities(fixed or [], "--fixed", "U=100B"),
        limits=shell_words.spans(limit or [], "--limit", "D=1T"),
        model_error=model_error,
        maximise=maximise,
        seed=seed,
    )
    costs = found.off_optimum(off, _probs(prob)[-1]) if off else None
    more = {} if costs is None else {"off_optimum": costs.to_dict("records")}
    _show(fit, found.title, found, found.texts(), target_file, as_json, more)
    if costs is not None and not as_json:
        from bayes_scaling.decisions.off_optimum import off_texts

        _table("\nCost of another size\n", off_texts(costs, found.asked), len(found.asked.labels))
    return _code(loaded)


@command("""
bayes-scaling target fit.nc --loss 2.0 --budget 1e24
bayes-scaling target fit.nc --loss 2.1 --loss 2.0 --family c4
bayes-scaling target fit.nc --loss 2.0 --fixed N=7B
bayes-scaling target fit.nc --loss 2.0 --inference-tokens 2T --json
""")
def target(
    fit: o.FitPath,
    loss: o.Losses,
    budget: o.Budget = None,
    family: o.Family = None,
    fixed: o.Fixed = None,
    limit: o.Limit = None,
    inference_tokens: o.Served = None,
    scale: o.Scale = "",
    maximise: o.Maximise = None,
    prob: o.Prob = None,
    seed: o.Seed = 0,
    out: o.TableOut = None,
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Tell the compute that reaches a loss.

    Each draw trains its best size unless --fixed holds N, D or M (tokens per parameter). With
    --budget also the probability of reaching the loss within it. Draws that cannot reach it at all
    count as infinite.
    """
    from bayes_scaling.decisions.targeting import target as reach_target
    from bayes_scaling.storage import load

    target_file, loaded = _new(out, force), load(fit)
    found = reach_target(
        loaded,
        shell_words.numbers(loss),
        budget=shell_words.number(budget),
        family=family,
        prob=_probs(prob),
        inference_tokens=shell_words.number(inference_tokens),
        fixed=shell_words.quantities(fixed or [], "--fixed", "N=7B"),
        limits=shell_words.spans(limit or [], "--limit", "D=1T"),
        scale=scale,
        maximise=maximise,
        seed=seed,
    )
    _show(fit, found.title, found, found.texts(), target_file, as_json)
    return _code(loaded)


@command("""
bayes-scaling optimum fit.nc --over lr --over B --at N=1B,D=100B
bayes-scaling optimum fit.nc --over lr --at N=1B,D=100B,B=1M --within 0.002
bayes-scaling optimum fit.nc --over lr --at N=7B,M=20 --bounds lr=1e-5..1e-2 --json
""")
def optimum(
    fit: o.FitPath,
    over: o.Over,
    at: o.OnePoint = "",
    family: o.Family = None,
    within: o.Within = 0.005,
    bounds: o.Bounds = None,
    maximise: o.Maximise = None,
    prob: o.Prob = None,
    seed: o.Seed = 0,
    out: o.TableOut = None,
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Tell the best value of inputs such as the learning rate.

    Also the region in which the response is within a share of the best, the other inputs searched
    following.
    """
    from bayes_scaling.decisions.optimising import optimum as best_inputs
    from bayes_scaling.quantity import parse_assignments
    from bayes_scaling.storage import load

    target_file, loaded = _new(out, force), load(fit)
    found = best_inputs(
        loaded,
        over,
        parse_assignments(at) if at else {},  # pyright: ignore[reportArgumentType]
        family=family,
        within=within,
        bounds=shell_words.spans(bounds or [], "--bounds", "lr=1e-5..1e-2"),
        prob=_probs(prob),
        maximise=maximise,
        seed=seed,
    )
    _show(fit, found.title, found, found.texts(), target_file, as_json)
    return _code(loaded)


@command("""
bayes-scaling compare fit.nc --family c4 --family refinedweb
bayes-scaling compare fit.nc --budget 1e21 --budget 1e23 --fixed M=20
bayes-scaling compare ours.nc theirs.nc --between 1e18..1e26 --json
""")
def compare(
    fits: o.FitPaths,
    family: o.Family = None,
    budget: o.SomeBudgets = None,
    fixed: o.Fixed = None,
    limit: o.Limit = None,
    inference_tokens: o.Served = None,
    scale: o.Scale = "",
    between: o.Between = None,
    maximise: o.Maximise = None,
    prob: o.Prob = None,
    seed: o.Seed = 0,
    out: o.TableOut = None,
    force: o.Force = False,
    as_json: o.Json = False,
) -> int:
    """Compare recipes: families of one fit, or several fits.

    At equal budgets by their loss, at equal loss by their budgets (multiplier: above 1 a recipe
    saves compute over the first), and where they change places.
    """
    from bayes_scaling.decisions.comparing import compare as compare_recipes
    from bayes_scaling.storage import load

    target_file = _new(out, force)
    loaded = {path: load(path) for path in fits}
    found = compare_recipes(
        loaded if len(fits) > 1 else loaded[fits[0]],
        family,
        C=shell_words.numbers(budget) if budget else None,
        prob=_probs(prob),
        inference_tokens=shell_words.number(inference_tokens),
        fixed=shell_words.quantities(fixed or [], "--fixed", "M=20"),
        limits=shell_words.spans(limit or [], "--limit", "D=1T"),
        scale=scale,
        between=shell_words.span(between, "--between", "1e18..1e26") if between else None,
        maximise=maximise,
        seed=seed,
    )
    more = {"crossings": found.crossings.to_dict("records")}
    columns = found.texts()
    if not as_json:
        _table(found.title + "\n", columns, 1)
        crossed = f"\nWhere each changes places with '{found.recipes[0].name}'\n"
        _table(crossed, found.crossing_texts(), 1)
    _show(" ".join(fits), "", found, {}, target_file, as_json, more)
    return max(_code(each) for each in loaded.values())


# --- what they share -------------------------------------------------------------------------


def _new(out: str | None, force: bool) -> Path | None:
    from bayes_scaling.cli.outputs import check_new

    return None if out is None else check_new(Path(out), force)


def _probs(prob: Sequence[float] | None) -> list[float]:
    return sorted(set(prob or (0.5, 0.9)))


def _code(fit: Any) -> int:
    from bayes_scaling.cli.outputs import exit_code

    return exit_code(fit)


def _show(
    file: str,
    title: str,
    found: Any,
    columns: Mapping[str, Sequence[str]],
    target: Path | None,
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Print an answer, as JSON or for people, after writing its table where that was asked for."""
    from bayes_scaling.cli.outputs import write_table
    from bayes_scaling.cli.printing import emit, emit_json, emit_notes, emit_wrapped
    from bayes_scaling.cli.records import notes_record

    table: pd.DataFrame = found.table
    notes: Sequence[Note] = found.notes
    if target is not None:
        write_table(table, target)
    if as_json:
        record = {"file": file, "table": table.to_dict("records"), **(more or {})}
        emit_json({**record, "notes": notes_record(notes)})
        return
    if columns:
        _table(title + "\n", columns, len(found.asked.labels))
    emit("")
    band = ALONE if getattr(found, "law_alone", True) else found.band
    emit_wrapped(LEGEND.format(prob=_widest(table), band=band))
    emit_notes(notes)
    if target is not None:
        emit(f"\nWrote {target}.")


def _widest(table: pd.DataFrame) -> str:
    """The widest band of a table, in per cent."""
    return max((c.split("_")[-2] for c in map(str, table) if c.endswith("_low")), key=float)


def _table(title: str, columns: Mapping[str, Sequence[str]], labels: int) -> None:
    """Print a title and a table whose first columns are labels."""
    from bayes_scaling.cli.printing import emit, emit_table

    emit(title)
    rows = list(zip(*columns.values(), strict=True))
    emit_table(list(columns), rows, numbers=len(columns) - labels)
