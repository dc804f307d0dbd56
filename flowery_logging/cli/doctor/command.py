"""The command line of `doctor`: its options, what is looked at, and its exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import click
import orjson

from flowery_logging.cli.access import access_options, connect, index_option
from flowery_logging.cli.doctor import filebeat, logs, machine, place, program, report, versions
from flowery_logging.cli.doctor.finding import Diagnosis, fault
from flowery_logging.cli.doctor.overview import Overview, look_through
from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError
from flowery_logging.cli.kit.files import MissingKitError
from flowery_logging.cli.reading.directories import default_directory
from flowery_logging.cli.reading.options import json_option, time_options, utc_option
from flowery_logging.cli.reading.output import quiet_output
from flowery_logging.config.place import working_directory
from flowery_logging.ecs.encode import dumps
from flowery_logging.files.reader import LogFile, Selection, find

FAULTY: Final = 1
UNREACHABLE: Final = 4

_EXIT_CODES = """\b
Exit codes:
  0  nothing is to be mended (notes may be there)
  1  something is: each finding says what mends it
  2  wrong arguments
  4  Elasticsearch gives no answer, or refuses
  5  the extra is not installed: pip install 'flowery_logging[cli]'

\b
Examples:
  flowery-logging doctor
  flowery-logging doctor --import main:app
  flowery-logging doctor --filebeat /etc/filebeat/filebeat.yml --elasticsearch https://…
"""


@click.command(epilog=_EXIT_CODES)
@click.argument(
    "directory",
    metavar="[DIR]",
    required=False,
    type=click.Path(readable=False, path_type=Path),  # whether it can be read is a finding
)
@click.option(
    "--import",
    "target",
    metavar="MODULE[:NAME]",
    help="Import a service's module, as a spawned worker does, and look at its loggers.",
)
@click.option(
    "--filebeat",
    "filebeat_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Filebeat's configuration: does it read this directory, and lose nothing?",
)
@click.option("--elasticsearch", metavar="URL", help="Templates, role, and fields it has ignored.")
@index_option
@time_options
@json_option
@utc_option
@access_options
def doctor(
    directory: Path | None,
    target: str | None,
    filebeat_file: Path | None,
    elasticsearch: str | None,
    index: str,
    since: Any,
    until: Any,
    as_json: bool,
    utc: bool,  # noqa: ARG001 - times are read by it
    **access: object,
) -> None:
    """Say what is wrong with a set-up, and what mends it.

    DIR is where the services write; without it, where setup() would: FLOWERY_LOG_DIR,
    /var/log/flowery, ./logs. Files are only read. What the newest processes complain about counts;
    of earlier ones it may have been mended.
    """
    server = connect(elasticsearch, access)
    directory = default_directory() if directory is None else directory
    diagnosis = Diagnosis()
    overview = _look_at_files(directory, Selection(since=since, until=until), diagnosis)
    _look_at_machine(directory, overview, diagnosis)
    diagnosis.add("versions", versions.check())
    if target is not None:
        for finding in program.look_at(target):
            diagnosis.add(finding.check, [finding])
        diagnosis.checked |= {"workers", "loggers", "handlers"}
    if filebeat_file is not None:
        _look_at_filebeat(filebeat_file, directory, overview.files, diagnosis)
    if server is not None:
        _look_at_server(server, index, overview, diagnosis)
    code = 0 if diagnosis.is_healthy() else FAULTY
    _show(diagnosis, directory, overview, code, as_json=as_json)
    sys.exit(code)


def _look_at_files(directory: Path, selection: Selection, to: Diagnosis) -> Overview:
    """Look at the directory and at what its files tell."""
    to.add("directory", place.directory(directory))
    try:
        overview = look_through(find(directory, selection))
    except OSError as error:
        if directory.is_dir() and place.is_readable(directory):
            what = f"{error.filename} cannot be read: {error.strerror}"
            fix = "run this as the services' user or as Filebeat's"
            to.add("directory", [fault("directory", what, fix)])
        return Overview([])
    if not overview.files:
        what = f"no service has written to {directory}"
        fix = (
            "does the service call setup(), and log anything? Its start-up line on stderr says "
            "where it writes"
        )
        to.add("directory", [fault("directory", what, fix)])
    to.add("directory", logs.ends(overview))
    for check, look in (
        ("clock", logs.clock), ("configuration", logs.configuration), ("loggers", logs.loggers),
        ("names", logs.names), ("lines", logs.lines), ("lines", logs.other_warnings),
        ("variables", logs.unknown_variables),
    ):  # fmt: skip
        to.add(check, look(overview))
    return overview


def _look_at_machine(directory: Path, overview: Overview, to: Diagnosis) -> None:
    config, findings = machine.settings(os.environ)
    to.add("variables", findings)
    to.add("handlers", machine.exporters(os.environ, "this environment"))
    for finding in machine.of_processes(overview):
        to.add(finding.check, [finding])
    to.add("workers", machine.silent_workers(overview))
    if directory.is_dir():
        to.add("disk", place.disk(directory, overview, config))
    if overview.files:
        to.add("retention", place.retention(overview, config))


def _look_at_filebeat(path: Path, directory: Path, files: list[LogFile], to: Diagnosis) -> None:
    try:
        settings = filebeat.read(path)
    except filebeat.ConfigurationError as error:
        fix = "filebeat test config -c FILE says more"
        to.add("filebeat", [fault("filebeat", f"{path} cannot be read: {error}", fix)])
        return
    to.add("filebeat", filebeat.check(settings, directory, files, os.environ))


def _look_at_server(server: Elasticsearch, index: str, overview: Overview, to: Diagnosis) -> None:
    """Ask Elasticsearch, or exit with what it does not answer."""
    from flowery_logging.cli.doctor.server import look_at

    try:
        look_at(server, index, overview.services.values(), to)
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch cannot be asked: {error}", err=True)
        sys.exit(UNREACHABLE)
    except MissingKitError as error:
        raise click.ClickException(str(error)) from None


def _show(
    diagnosis: Diagnosis, directory: Path, overview: Overview, code: int, *, as_json: bool
) -> None:
    facts = {
        "directory": str(working_directory() / directory),
        "versions": versions.facts(),
        "files": len(overview.files),
        "services": sorted(overview.services),
    }
    with quiet_output():
        if as_json:
            content = report.as_json(diagnosis, facts, code)
            click.echo(dumps(content, orjson.OPT_INDENT_2))
        else:
            click.echo("\n".join(report.lines(diagnosis, facts)))
