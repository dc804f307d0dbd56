"""The command line of `validate`: its options and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click
import orjson

from flowery_logging.cli.reading.output import cannot_read, quiet_output
from flowery_logging.cli.validate import report
from flowery_logging.cli.validate.examination import Examination, Fault
from flowery_logging.ecs.declared import check_declared, read_declared
from flowery_logging.ecs.encode import dumps
from flowery_logging.files.names import SUFFIX

FAULTY: Final = 1
STANDARD_INPUT: Final = "-"
DEFAULT_LIMIT: Final = 100

_EXIT_CODES = """\b
Exit codes:
  0  all lines are valid
  1  a line is faulty
  2  wrong arguments, no log files, or a file that cannot be read
  5  the extra is not installed: pip install 'flowery_logging[cli]'

\b
Examples:
  flowery-logging validate service.json
  docker logs orders | flowery-logging validate -
"""


def _declared(_: click.Context, __: click.Parameter, path: Path | None) -> Mapping[str, str]:
    try:
        return {} if path is None else check_declared(read_declared(path))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(epilog=_EXIT_CODES)
@click.argument(
    "paths",
    metavar="FILE...",
    nargs=-1,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="COUNT",
    help="Show so many findings; the summary counts all. 0: all. [default: 100; --json: all]",
)
@click.option(
    "--fields",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_declared,
    help="The team's JSON file of declared fields, as setup(fields=…) reads it.",
)
@click.option("--rules", is_flag=True, help="Print what is checked, with its source.")
def validate(
    paths: tuple[Path, ...],
    as_json: bool,
    limit: int | None,
    fields: Mapping[str, str],
    rules: bool,
) -> None:
    """Check the lines of FILE against ECS and the ECS-logging specification.

    Lines of any origin: one JSON object a line. FILE may be a directory (its *.ndjson files), or
    - for standard input. Each finding names file and line, the field, what is wrong and what is
    allowed.
    """
    if rules:
        report.show_rules()
        return
    if not paths:
        raise click.UsageError("Missing argument 'FILE...'.")
    examination = Examination(fields)
    files = _files(paths)
    with quiet_output():
        _run(examination, files, limit, as_json=as_json)
    sys.exit(FAULTY if examination.totals.findings else 0)


def _run(examination: Examination, files: list[Path], limit: int | None, *, as_json: bool) -> None:
    faults, totals = _faults(examination, files), examination.totals
    if as_json:
        kept = [fault for number, fault in enumerate(faults) if not limit or number < limit]
        code = FAULTY if totals.findings else 0
        content = dumps(report.as_json(kept, totals, code), orjson.OPT_INDENT_2)
        click.echo(content)
    else:
        most = DEFAULT_LIMIT if limit is None else limit
        _show(faults, most)
        report.show_totals(totals, most or totals.findings)


def _show(faults: Iterator[Fault], most: int) -> None:
    for number, fault in enumerate(faults):
        if not most or number < most:
            report.show_fault(fault)


def _faults(examination: Examination, files: list[Path]) -> Iterator[Fault]:
    """Yield the faults of all files. Raises click.UsageError if one cannot be read."""
    for path in files:
        try:
            if str(path) == STANDARD_INPUT:
                yield from examination.read(STANDARD_INPUT, sys.stdin.buffer)
                continue
            with path.open("rb") as stream:
                yield from examination.read(str(path), stream)
        except OSError as error:
            raise cannot_read(error, path) from None


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files, those of directories too. Raises click.UsageError if there are none."""
    found: list[Path] = []
    for path in paths:
        found += _files_of(path) if path.is_dir() else [path]
    if not found:
        named = ", ".join(map(str, paths))
        raise click.UsageError(f"no log files in {named}; of a directory *{SUFFIX} are read")
    return found


def _files_of(directory: Path) -> list[Path]:
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        raise cannot_read(error, directory) from None
    return [directory / name for name in names if name.endswith(SUFFIX)]
