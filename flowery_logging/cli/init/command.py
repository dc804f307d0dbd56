"""The command `init`: shows, and writes if it is told to, what an existing service needs."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Final

import click

from flowery_logging.cli.init import django, fastapi
from flowery_logging.cli.init.source import Source, UnreadableError
from flowery_logging.config import checks
from flowery_logging.config.setting import ConfigError, Setting

EXIT_CODES: Final = """\b
Exit codes:
  0  shown or written, or there is nothing to add
  1  no application was found
  2  wrong arguments, or a module that cannot be read or written
"""
_FRAMEWORKS: Final = re.compile(rb"\b(?:fastapi|starlette)\b|FastAPI|Starlette")
_SKIPPED: Final = {"site-packages", "node_modules", "tests", "migrations", "build", "dist"}


@click.command(epilog=EXIT_CODES)
@click.argument(
    "folder",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--fastapi", "kind", flag_value="fastapi", help="FastAPI or Starlette alone.")
@click.option("--django", "kind", flag_value="django", help="Django alone.")
@click.option("--service", metavar="NAME", help="service.name; else the folder's name.")
@click.option("--write", "do_write", is_flag=True, help="Write it; else it is only shown.")
def init(folder: Path, kind: str | None, service: str | None, do_write: bool) -> None:
    """Show as a diff what to add to the service in FOLDER, so that all of it is logged.

    Nothing in a module is changed or moved; lines are added. Run again, it finds nothing to add.
    """
    try:
        name = Setting("service", service or _name(folder), "argument")
        found, notes = _additions(folder, kind, checks.text(name))
    except (UnreadableError, ConfigError) as error:
        raise click.UsageError(str(error)) from None
    if not found:
        _require_readable(folder)
        wanted = {"fastapi": "FastAPI application", "django": "Django settings"}
        what = wanted.get(kind or "", "FastAPI application and no Django settings")
        click.echo(f"no {what} in {folder}", err=True)
        raise SystemExit(1)
    changed = [source for source in found if source.diff()]
    for source in changed:
        click.echo(source.diff(), nl=False)
        if do_write:
            _write(source)
    for note in dict.fromkeys(notes):
        click.echo(note, err=True)
    click.echo(_summary(found, changed, written=do_write), err=True)


def _additions(folder: Path, kind: str | None, service: str) -> tuple[list[Source], list[str]]:
    """Return the modules that make an application, with what is to be added; and notes."""
    found: list[Source] = []
    notes: list[str] = []
    for path in _modules(folder):
        text = _text(path)
        if kind != "fastapi" and b"INSTALLED_APPS" in text and django.is_there(Source(path)):
            found.append(Source(path))
            notes += django.add_to(found[-1], service, _configuring(folder))
        elif kind != "django" and _FRAMEWORKS.search(text):
            source = Source(path)
            if fastapi.is_there(source):
                found.append(source)
                notes += fastapi.add_to(source, service)
    return found, notes


def _modules(folder: Path) -> list[Path]:
    """Return the modules of the service itself, without environments, tests and migrations."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        is_hidden = any(part.startswith((".", "venv", "env")) for part in parts[:-1])
        is_test = path.name.startswith(("test_", "conftest"))
        if path.is_file() and not (is_hidden or is_test or _SKIPPED.intersection(parts)):
            found.append(path)
    return found


def _configuring(folder: Path) -> list[Path]:
    """Return the modules of the service that set Django's LOGGING, of those that can be read."""
    found = []
    for path in _modules(folder):
        if b"LOGGING" not in _text(path):
            continue
        with contextlib.suppress(UnreadableError):
            if django.sets_logging(Source(path)):
                found.append(path)
    return found


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}") from None


def _require_readable(folder: Path) -> None:
    """Raise click.UsageError for the first module that is no Python: it may be the application."""
    try:
        for path in _modules(folder):
            Source(path)
    except UnreadableError as error:
        raise click.UsageError(str(error)) from None


def _write(source: Source) -> None:
    """Write a module. Raises click.UsageError where that cannot be done."""
    try:
        source.write()
    except OSError as error:
        raise click.UsageError(f"{source.path} cannot be written: {error.strerror}") from None


def _name(folder: Path) -> str:
    return folder.resolve().name or "service"


def _summary(found: list[Source], changed: list[Source], *, written: bool) -> str:
    if not changed:
        return f"nothing to add: {', '.join(str(source.path) for source in found)}"
    if written:
        return "written; add flowery_logging to the requirements of the service"
    return "nothing was written: --write does that"
