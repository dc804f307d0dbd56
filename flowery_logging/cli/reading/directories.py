"""Which directories and files a command reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from flowery_logging.cli.reading.output import cannot_read
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.config.place import DEFAULT_DIRECTORY, FALLBACK_DIRECTORY
from flowery_logging.files.reader import EVERYTHING, LogFile, Selection, find


def default_directory() -> Path:
    """Return where `setup()` would write: FLOWERY_LOG_DIR, /var/log/flowery, ./logs.

    The second one counts where it can be written, and where there is no ./logs and it can be read.
    """
    given = os.environ.get("FLOWERY_LOG_DIR")
    if given:
        return Path(given).expanduser()
    shared, own = Path(DEFAULT_DIRECTORY), Path(FALLBACK_DIRECTORY)
    if shared.is_dir() and (os.access(shared, os.W_OK) or not own.is_dir()):
        return shared
    return own


def directories_of(given: Sequence[Path]) -> list[Path]:
    """Return the directories to read: those that were given, or the default one."""
    return list(dict.fromkeys(given)) or [default_directory()]


def list_files(
    directories: Iterable[Path], selection: Selection = EVERYTHING, *, absent: bool = False
) -> list[LogFile]:
    """Return the log files of directories, by their names.

    `absent`: a directory that is not there yet is no error. Raises click.UsageError for one that
    cannot be read.
    """
    files: list[LogFile] = []
    for directory in directories:
        try:
            files += find(directory, selection)
        except FileNotFoundError:  # noqa: PERF203 - the others go on
            if not absent:
                raise click.UsageError(_missing(directory)) from None
        except OSError as error:
            raise cannot_read(error, directory) from None
    return sorted(files, key=lambda file: file.name)


def require_files(directories: Sequence[Path]) -> None:
    """Raise click.UsageError if there is no log file in any of the directories."""
    if not list_files(directories):
        named = ", ".join(map(str, directories))
        raise click.UsageError(f"no log files in {named}; DIR says where a service writes them")


def hint_at_services(directories: Sequence[Path], wanted: Wanted) -> None:
    """Say which services there are, if there is none of those that were asked for."""
    files = list_files(directories, absent=True)
    if files and not any(map(wanted.admits_file, files)):
        there = ", ".join(dict.fromkeys(file.name.service for file in files))
        asked = ", ".join(wanted.services)
        click.echo(f"no log files of {asked}; there are those of {there}", err=True)


def _missing(directory: Path) -> str:
    return (
        f"there is no directory {directory}; DIR says where a service writes its log files "
        "(default: FLOWERY_LOG_DIR, /var/log/flowery, ./logs)"
    )
