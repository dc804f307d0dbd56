"""Standard output of the commands: plain in pipes, coloured on terminals, quiet when closed."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from flowery_logging.files import console

if TYPE_CHECKING:
    from rich.console import Console

STDOUT: Final = 1
PIPE_COLUMNS: Final = 100
INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells have it: 128 + SIGINT."""


@contextmanager
def quiet_output() -> Iterator[None]:
    """Run a command whose reader may go away, or who may be stopped by Ctrl-C.

    Neither is an error that is told: who closes the pipe (`| head`) has seen enough, and the
    command exits with 0. Raises click.UsageError for a file that cannot be read, and for an output
    that cannot be written.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        sys.exit(0)
    except KeyboardInterrupt:
        _discard_output()
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.filename is None:
            _discard_output()
            raise click.UsageError(f"cannot write the output: {error.strerror}") from None
        raise cannot_read(error) from None


def cannot_read(error: OSError, path: object = None) -> click.UsageError:
    """Return the error of a command that says what cannot be read (the error's file), and why."""
    return click.UsageError(f"cannot read {path or error.filename}: {error.strerror}")


def is_closed() -> bool:
    """Tell whether nobody reads standard output any more, without writing to it."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return bool(poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False  # no poll() on this platform, or no descriptor: a write will tell


def terminal_columns() -> int | None:
    """Return COLUMNS, or how wide the terminal is; None in a pipe, which cuts nothing."""
    given = os.environ.get("COLUMNS", "")
    return (int(given) if given.isdecimal() else 0) or console.terminal_columns(STDOUT)


def columns() -> int:
    """Return how wide tables may be: in a pipe `PIPE_COLUMNS`."""
    return terminal_columns() or PIPE_COLUMNS


def is_coloured() -> bool:
    """Tell whether colours are wanted: by NO_COLOR, FORCE_COLOR, TERM and the terminal."""
    return console.wants_colours(terminal=sys.stdout.isatty())


def rich_console() -> Console:
    """Return rich's console on standard output, by the rules of this module."""
    from rich.console import Console  # half of a command's start-up, and few need it

    coloured = is_coloured()
    return Console(
        width=columns(),
        force_terminal=coloured or None,
        no_color=not coloured,
        highlight=False,
        emoji=False,
        markup=False,
    )


def _discard_output() -> None:
    """Keep the interpreter's last flush from failing anew."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
