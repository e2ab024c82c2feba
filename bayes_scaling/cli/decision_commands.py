"""Commands that decide: allocate, target, optimum, mixture, compare.

Heavy modules load when one runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_scaling.cli import options as o
from bayes_scaling.cli import shell_words
from bayes_scaling.cli.app import command
from bayes_scaling.cli.asked import BandsAsked, BudgetAsked, OutAsked

if TYPE_CHECKING:
    import pandas as pd

    from bayes_scaling._errors import Note

LEGEND = "Median [{prob} % band] {band}."
ALONE = "of the law's posterior; the law's own error is not in it"
_Texts = tuple[str, Mapping[str, Sequence[str]], int]  # title, columns, how many of them are labels


@command("""
bayes-scaling allocate fit.nc --budget 5.76e23
bayes-scaling allocate fit.nc --budget 1e23 --budget 1e24 --family c4 --off 0.5 --off 2
bayes-scaling allocate fit.nc --budget 1e24 --inference-tokens 2T --limit D=5T
bayes-scaling allocate repeated.nc --budget 1e22 --fixed U=100B --json
""")
def allocate(
    fit: o.FitPath,
    *,
    budget: o.Budgets,
    spent: BudgetAsked,
    bands: BandsAsked,
    family: o.Family = None,
    off: o.Off = None,
    model_error: o.WithError = False,
    written: OutAsked,
) -> int:
    """Tell the best size and data for a budget C = 6 N D.

    Gives N, D, tokens per parameter, the loss and the local exponent a (N grows as C^a), each with
    its band. --off tells what a multiple of the recommended size would cost. --fixed gives other
    inputs of the law, or holds one of N, D and M.
    """
    from bayes_scaling.decisions.allocating import allocate as best_allocation
    from bayes_scaling.storage import load

    target_file, loaded = written.target(), load(fit)
    found = best_allocation(
        loaded,
        shell_words.numbers(budget),
        family=family,
        model_error=model_error,
        **spent.options(),
        **bands.options(),
    )
    costs = found.off_optimum(off, bands.probs[-1]) if off else None
    more = {} if costs is None else {"off_optimum": costs.to_dict("records")}
    band = ALONE if found.law_alone else found.band
    _show(fit, found, _columns(found), target_file, written.as_json, more, band)
    if costs is not None and not written.as_json:
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
    *,
    loss: o.Losses,
    spent: BudgetAsked,
    bands: BandsAsked,
    budget: o.Budget = None,
    family: o.Family = None,
    scale: o.Scale = "",
    written: OutAsked,
) -> int:
    """Tell the compute that reaches a loss.

    Each draw trains its best size unless --fixed holds N, D or M (tokens per parameter). With
    --budget also the probability of reaching the loss within it. Draws that cannot reach it at all
    count as infinite.
    """
    from bayes_scaling.decisions.targeting import target as reach_target
    from bayes_scaling.storage import load

    target_file, loaded = written.target(), load(fit)
    found = reach_target(
        loaded,
        shell_words.numbers(loss),
        budget=shell_words.number(budget),
        family=family,
        scale=scale,
        **spent.options(),
        **bands.options(),
    )
    _show(fit, found, _columns(found), target_file, written.as_json)
    return _code(loaded)


@command("""
bayes-scaling optimum fit.nc --over lr --over B --at N=1B,D=100B
bayes-scaling optimum fit.nc --over lr --at N=1B,D=100B,B=1M --within 0.002
bayes-scaling optimum fit.nc --over lr --at N=7B,M=20 --bounds lr=1e-5..1e-2 --json
""")
def optimum(
    fit: o.FitPath,
    *,
    over: o.Over,
    bands: BandsAsked,
    at: o.OnePoint = "",
    family: o.Family = None,
    within: o.Within = 0.005,
    bounds: o.Bounds = None,
    written: OutAsked,
) -> int:
    """Tell the best value of inputs such as the learning rate.

    Also the region in which the response is within a share of the best, the other inputs searched
    following.
    """
    from bayes_scaling.decisions.optimising import optimum as best_inputs
    from bayes_scaling.quantity import parse_assignments
    from bayes_scaling.storage import load

    target_file, loaded = written.target(), load(fit)
    found = best_inputs(
        loaded,
        over,
        parse_assignments(at) if at else {},
        family=family,
        within=within,
        bounds=shell_words.spans(bounds or [], "--bounds", "lr=1e-5..1e-2"),
        **bands.options(),
    )
    _show(fit, found, _columns(found), target_file, written.as_json)
    return _code(loaded)


@command("""
bayes-scaling mixture web.nc books.nc code.nc --weight web=2
bayes-scaling mixture web.nc code.nc --family 1B --bounds code=0.05..0.3
bayes-scaling mixture loss.nc --at N=1B,D=100B --json
""")
def mixture(
    fits: o.FitPaths,
    *,
    bands: BandsAsked,
    weight: o.Weights = None,
    at: o.OnePoint = "",
    family: o.OneFamily = None,
    bounds: o.Shares = None,
    written: OutAsked,
) -> int:
    """Tell the mixture of domains with the best weighed sum of losses.

    One fit for each validation loss, named by its file. The shares are those with the best
    expectation; beside them what would be best if the law were known.
    """
    from bayes_scaling._errors import SpecError
    from bayes_scaling.decisions.mixtures import best_mixture
    from bayes_scaling.quantity import parse_assignments
    from bayes_scaling.storage import load

    target_file = written.target()
    names = [Path(path).stem for path in fits]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SpecError(f"two fits are called '{twice[0]}': give their files names of their own")
    loaded = {name: load(path) for name, path in zip(names, fits, strict=True)}
    found = best_mixture(
        loaded,
        weights=shell_words.quantities(weight or [], "--weight", "web=2"),
        at=parse_assignments(at) if at else {},
        family=family,
        bounds=shell_words.spans(bounds or [], "--bounds", "web=0.1..0.6"),
        **bands.options(),
    )
    tables = [(found.title + "\n", found.texts(), 1), ("\nResponses\n", found.loss_texts(), 1)]
    more = {"losses": found.losses.to_dict("records")}
    _show(" ".join(fits), found, tables, target_file, written.as_json, more)
    return max(_code(each) for each in loaded.values())


@command("""
bayes-scaling compare fit.nc --family c4 --family refinedweb
bayes-scaling compare fit.nc --budget 1e21 --budget 1e23 --fixed M=20
bayes-scaling compare ours.nc theirs.nc --between 1e18..1e26 --json
""")
def compare(
    fits: o.FitPaths,
    *,
    spent: BudgetAsked,
    bands: BandsAsked,
    family: o.Family = None,
    budget: o.SomeBudgets = None,
    scale: o.Scale = "",
    between: o.Between = None,
    written: OutAsked,
) -> int:
    """Compare recipes: families of one fit, or several fits.

    At equal budgets by their loss, at equal loss by their budgets (multiplier: above 1 a recipe
    saves compute over the first), and where they change places.
    """
    from bayes_scaling.decisions.comparing import compare as compare_recipes
    from bayes_scaling.storage import load

    target_file = written.target()
    loaded = {path: load(path) for path in fits}
    found = compare_recipes(
        loaded if len(fits) > 1 else loaded[fits[0]],
        family,
        C=shell_words.numbers(budget) if budget else None,
        scale=scale,
        between=shell_words.span(between, "--between", "1e18..1e26") if between else None,
        **spent.options(),
        **bands.options(),
    )
    crossed = f"\nWhere each changes places with '{found.recipes[0].name}'\n"
    tables = [(found.title + "\n", found.texts(), 1), (crossed, found.crossing_texts(), 1)]
    more = {"crossings": found.crossings.to_dict("records")}
    _show(" ".join(fits), found, tables, target_file, written.as_json, more)
    return max(_code(each) for each in loaded.values())


# --- what they share -------------------------------------------------------------------------


def _code(fit: Any) -> int:
    from bayes_scaling.cli.outputs import exit_code

    return exit_code(fit)


def _columns(found: Any) -> list[_Texts]:
    """The table of an answer for people, its families first."""
    return [(found.title + "\n", found.texts(), len(found.asked.labels))]


def _show(
    file: str,
    found: Any,
    tables: Sequence[_Texts],
    target: Path | None,
    as_json: bool,
    more: Mapping[str, Any] | None = None,
    band: str = ALONE,
) -> None:
    """Print an answer, as JSON or for people, after writing its table where that was asked for."""
    from bayes_scaling.cli.outputs import write_table
    from bayes_scaling.cli.printing import emit, emit_json, emit_notes, emit_wrapped
    from bayes_scaling.records import notes_record

    table: pd.DataFrame = found.table
    notes: Sequence[Note] = found.notes
    if target is not None:
        write_table(table, target)
    if as_json:
        record = {"file": file, "table": table.to_dict("records"), **(more or {})}
        emit_json({**record, "notes": notes_record(notes)})
        return
    for each in tables:
        _table(*each)
    emit("")
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
