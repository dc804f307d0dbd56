"""The command `flowery-logging`; it needs the extra `cli`."""

from __future__ import annotations

import io
import os
import sys
from typing import Final

NEEDS_EXTRA: Final = 5
"""The exit code where the libraries of the extra `cli` are not installed."""


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        import click  # noqa: F401 - only whether it is there
        import rich  # noqa: F401
    except ImportError as error:
        sys.stderr.write(
            f"flowery-logging needs {error.name}, which is not installed: "
            "pip install 'flowery_logging[cli]'\n"
        )
        sys.exit(NEEDS_EXTRA)
    from flowery_logging.cli.commands import commands

    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for what a terminal cannot show
    commands(prog_name="flowery-logging")


def _open_closed_streams() -> None:
    """Read nothing from a closed input, and show nothing on a closed output.

    Who closes the output wants the exit code alone, and a file of ours must not get its number.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
