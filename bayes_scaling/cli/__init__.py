"""The command ``bayes-scaling``: argument parsing and printing; each command is one library call.

Exit codes: 0 done, 1 a fault of the package, 2 bad input or usage, 3 the fit failed its checks,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

DEBUG = "BAYES_SCALING_DEBUG"
OK, FAULT, BAD_INPUT, BAD_FIT, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors are one line.

    Without ``argv`` the process's own arguments are taken, and an interrupt ends the process.
    """
    try:
        code = _run(argv)
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception as error:
        code = _fault(error)
    if code == INTERRUPTED and argv is None:
        sys.stdout.flush()
        # XLA may be compiling in other threads, which crash when Python ends in good order.
        os._exit(code)
    return code


def _run(argv: Sequence[str] | None) -> int:
    import typer

    from bayes_scaling._errors import BayesScalingError
    from bayes_scaling.cli.app import build_app
    from bayes_scaling.cli.printing import error_line
    from bayes_scaling.cli.shell_words import for_shell

    # Newer releases of Typer carry their own copy of click: its errors are found from Typer.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        code = build_app()(args=argv, prog_name="bayes-scaling", standalone_mode=False)
    except BayesScalingError as error:
        return error_line(for_shell(str(error)), BAD_INPUT)
    except usage_error as error:
        return error_line(_usage_text(error), BAD_INPUT)
    except typer.Abort:
        return _interrupted()
    return _interrupted() if code == INTERRUPTED else int(code or OK)


def _usage_text(error: Exception) -> str:
    text = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    hint = f" See {context.command_path} --help." if context is not None else ""
    return f"{text}{hint}"


def _interrupted() -> int:
    print("interrupted", file=sys.stderr)
    return INTERRUPTED


def _fault(error: Exception) -> int:
    if os.environ.get(DEBUG, "") not in ("", "0"):
        import traceback

        traceback.print_exc()
        return FAULT
    said = " ".join(f"{type(error).__name__}: {error}".split())
    print(
        f"internal error: {said} - please report this with the command you ran"
        f" ({DEBUG}=1 shows the traceback)",
        file=sys.stderr,
    )
    return FAULT
