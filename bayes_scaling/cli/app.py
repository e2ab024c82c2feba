"""The Typer application, assembled from the modules of commands."""

from collections.abc import Callable
from typing import Any, NamedTuple

from bayes_scaling.cli.groups import spread


class Command(NamedTuple):
    """A command: the function behind it and the examples its help shows."""

    function: Callable[..., int]
    examples: str


ORDER = (
    "quickstart",
    "laws",
    "check",
    "schedules",
    "fit",
    "show",
    "forecast",
    "allocate",
    "target",
    "optimum",
    "mixture",
    "compare",
    "report",
    "design",
    "backtest",
    "baseline",
    "sbc",
    "replicate",
    "bench",
    "version",
)
COMMANDS: dict[str, Command] = {}
HELP = """Bayesian scaling laws: fit runs you have, forecast runs you plan.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 a fault of
the package, 2 bad input or usage, 3 the fit failed its checks, 130 interrupted."""
EXAMPLES = """
bayes-scaling quickstart
bayes-scaling check runs.csv --group family --law chinchilla
bayes-scaling fit runs.csv --group family --out fit.nc
bayes-scaling forecast fit.nc --at N=70B,D=1.4T,family=mine
bayes-scaling allocate fit.nc --budget 1e24
"""


def command(examples: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Enter a function as the command of its name; its docstring is the help."""

    def enter(function: Callable[..., int]) -> Callable[..., int]:
        COMMANDS[function.__name__] = Command(function, examples)
        return function

    return enter


def build_app() -> Any:
    """Return the application; its commands return exit codes."""
    import typer

    _load_commands()
    settings = {"help_option_names": ["-h", "--help"]}
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=settings,
    )
    _add_root(app)
    for name in ORDER:
        entry = COMMANDS[name]
        enter = app.command(name, epilog=_block(entry.examples), context_settings=settings)
        enter(spread(entry.function))
    return app


def _load_commands() -> None:
    from bayes_scaling.cli import (
        about_commands,  # noqa: F401 - entered by being imported
        backtest_commands,  # noqa: F401
        baseline_commands,  # noqa: F401
        bench_commands,  # noqa: F401
        decision_commands,  # noqa: F401
        design_commands,  # noqa: F401
        replicate_commands,  # noqa: F401
        runs_commands,  # noqa: F401
        saved_commands,  # noqa: F401
        sbc_commands,  # noqa: F401
        schedule_commands,  # noqa: F401
    )


def _block(examples: str) -> str:
    """Lines that click must not join: a paragraph that begins with a backspace."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples.strip().splitlines())


def _add_root(app: Any) -> None:
    import typer

    version_option = typer.Option(False, "--version", help="Print the version.", is_eager=True)

    def root(context: typer.Context, version: bool = version_option) -> None:
        if version:
            from bayes_scaling import __version__
            from bayes_scaling.cli.printing import emit

            emit(f"bayes-scaling {__version__}")
            raise typer.Exit()
        if context.invoked_subcommand is None:
            from bayes_scaling.cli.printing import emit

            emit(context.get_help())

    app.callback(invoke_without_command=True, help=HELP, epilog=_block(EXAMPLES))(root)
