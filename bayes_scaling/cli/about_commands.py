"""Commands that need no file: quickstart, laws, version. Heavy modules load when one runs."""

from __future__ import annotations

from bayes_scaling.cli import options as o
from bayes_scaling.cli.app import command

PARTS = ("jax", "jaxlib", "numpyro", "arviz-stats", "xarray", "numpy", "pandas")


@command("""
bayes-scaling quickstart
bayes-scaling quickstart --out tour --draws 500
bayes-scaling quickstart --json > quickstart.json
""")
def quickstart(
    out: o.Folder = "quickstart", seed: o.Seed = 0, draws: o.Kept = 1000, as_json: o.Json = False
) -> int:
    """Fit published losses and forecast runs held out.

    Fits three families at once and forecasts the largest run of each, in under a minute and
    without data of yours. Writes fit.nc, quickstart.csv (the runs) and quickstart.png.
    """
    from bayes_scaling.cli.outputs import exit_code
    from bayes_scaling.cli.printing import emit_json, say, shell_progress
    from bayes_scaling.cli.tour import print_quickstart, quickstart_record
    from bayes_scaling.quickstart import run_quickstart

    found = run_quickstart(out, seed=seed, draws=draws, progress=shell_progress(), say=say)
    if as_json:
        emit_json(quickstart_record(found))
    else:
        print_quickstart(found, out)
    return exit_code(found.fit)


@command("""
bayes-scaling laws
bayes-scaling laws --topic 'size and data'
bayes-scaling laws chinchilla
bayes-scaling laws 'power_law(C)' --json
bayes-scaling laws --page > laws.md
""")
def laws(
    name: o.LawName = None, topic: o.Topic = None, page: o.Page = False, as_json: o.Json = False
) -> int:
    """List the laws of the catalogue, or describe one."""
    from bayes_scaling import catalogue
    from bayes_scaling.cli.printing import emit, emit_json

    if page:
        from bayes_scaling.laws_page import laws_page

        emit(laws_page())
    elif name is not None and as_json:
        emit_json(catalogue.law_record(name))
    elif name is not None:
        emit(catalogue.describe_law(name))
    elif as_json:
        emit_json(catalogue.laws(topic).to_dict("records"))
    else:
        _list_laws(topic)
    return 0


def _list_laws(topic: str | None) -> None:
    from bayes_scaling.catalogue import laws as listed
    from bayes_scaling.cli.printing import emit, emit_table

    for name, part in listed(topic).groupby("topic", sort=False):
        rows = part[["name", "inputs", "equation", "summary"]].to_numpy().tolist()
        emit(f"{name}\n")
        emit_table(("law", "inputs", "formula", "what it says"), rows)
        emit("")
    emit("'bayes-scaling laws NAME' describes one: parameters, priors, limits, traps, reference.")


@command("""
bayes-scaling version
bayes-scaling version --json
""")
def version(as_json: o.Json = False) -> int:
    """Print the versions of the package and of what it stands on."""
    from importlib.metadata import version as version_of
    from platform import python_version

    from bayes_scaling import __version__
    from bayes_scaling.cli.printing import emit, emit_json

    parts = {"bayes_scaling": __version__, "python": python_version()}
    parts |= {name: version_of(name) for name in PARTS}
    if as_json:
        emit_json(parts)
    else:
        emit("\n".join(f"{name} {number}" for name, number in parts.items()))
    return 0
