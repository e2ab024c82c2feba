"""Running commands in the process of a test."""

import io
from contextlib import redirect_stderr, redirect_stdout

from bayes_scaling.cli import main


def run(*argv):
    """Run a command in this process: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(each) for each in argv])
    return code, out.getvalue(), err.getvalue()
