"""The command `flowery-logging`; it needs the extra `cli`."""

from __future__ import annotations

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

    commands(prog_name="flowery-logging")
