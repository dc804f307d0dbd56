"""The command line of `scan`."""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import orjson

from flowery_logging.cli.access import access_options, connect, index_option
from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError
from flowery_logging.cli.reading.directories import directories_of, list_files, require_files
from flowery_logging.cli.reading.events import of_all
from flowery_logging.cli.reading.options import (
    directories_argument,
    json_option,
    service_option,
    time_options,
    utc_option,
)
from flowery_logging.cli.reading.output import quiet_output
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.cli.scan import report
from flowery_logging.cli.scan.arrived import documents, query
from flowery_logging.cli.scan.findings import Findings
from flowery_logging.cli.scan.rules import Rules, without_values
from flowery_logging.files.reader import read
from flowery_logging.redaction.choices import ChosenRedactor
from flowery_logging.redaction.personal import KINDS

FOUND: Final = 1
UNREACHABLE: Final = 4

_EPILOG = """\b
Exit codes:
  0  nothing was found
  1  something was found
  2  wrong arguments, no log files, or files that cannot be read
  4  Elasticsearch gives no answer, or refuses
  5  the extra is not installed: pip install 'flowery_logging[cli]'
\b
Examples:
  flowery-logging scan
  flowery-logging scan /var/log/flowery --strict --since 1d
  flowery-logging scan --elasticsearch https://localhost:9200 --personal all
"""


def _names(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _kinds(ctx: click.Context, param: click.Parameter, text: str) -> tuple[str, ...]:
    """Return the kinds of personal data that are named."""
    found = _names(ctx, param, text)
    unknown = [kind for kind in found if kind not in {*KINDS, "all"}]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(KINDS)}, all")
    return KINDS if "all" in found else found


@click.command(epilog=_EPILOG)
@directories_argument
@click.option("--elasticsearch", metavar="URL", help="Look into the events that arrived there.")
@index_option
@click.option("--strict", is_flag=True, help="Also what only looks random, as keys do.")
@click.option(
    "--personal",
    default="",
    callback=_kinds,
    metavar="KINDS",
    envvar="FLOWERY_LOG_REDACT_PERSONAL",
    show_envvar=True,
    help=f"Personal data too, comma-separated: {', '.join(KINDS)}; or all.",
)
@click.option(
    "--redact",
    default="",
    callback=_names,
    metavar="NAMES",
    envvar="FLOWERY_LOG_REDACT",
    show_envvar=True,
    help="More names of secrets, as setup(redact=…) has them.",
)
@click.option(
    "--redact-safe",
    "safe",
    default="",
    callback=_names,
    metavar="NAMES",
    envvar="FLOWERY_LOG_REDACT_SAFE",
    show_envvar=True,
    help="Names that are shown.",
)
@service_option
@time_options
@json_option
@utc_option
@access_options
def scan(
    directories: tuple[Path, ...],
    elasticsearch: str | None,
    index: str,
    strict: bool,
    personal: tuple[str, ...],
    redact: tuple[str, ...],
    safe: tuple[str, ...],
    services: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
    utc: bool,  # noqa: ARG001 - the times know it
    **access: object,
) -> None:
    """Say which secrets stand in the log files of DIR or in Elasticsearch: where, never which.

    By field, call site and logger, with counts. The rules are those by which a service hides
    secrets: what is found was written before, by a service that shows it, or by somebody else.
    DIR is where the services write; without it and without --elasticsearch, where setup() would:
    FLOWERY_LOG_DIR, /var/log/flowery, ./logs.
    """  # fmt: skip
    names = ChosenRedactor(redact, safe, KINDS)  # of what is shown, also personal data is hidden
    rules = Rules(ChosenRedactor(redact, safe, personal), strict=strict)
    findings = Findings(rules, partial(without_values, names))
    server = connect(elasticsearch, access)
    wanted = Wanted(services, since=since, until=until)
    with quiet_output():
        if directories or server is None:
            _scan_files(directories_of(directories), wanted, findings)
        if server is not None:
            _scan_arrived(server, index, query(services, since, until), findings)
        code = FOUND if findings.total else 0
        if as_json:
            sys.stdout.buffer.write(orjson.dumps(report.as_data(findings, code)) + b"\n")
        else:
            report.show(findings)
    sys.exit(code)


def _scan_files(directories: list[Path], wanted: Wanted, findings: Findings) -> None:
    require_files(directories)
    files = filter(wanted.admits_file, list_files(directories, wanted.selection))
    for line in filter(wanted.admits, of_all(files, read)):
        findings.add_line(line)


def _scan_arrived(
    server: Elasticsearch, index: str, asked: dict[str, Any], findings: Findings
) -> None:
    try:
        for document in documents(server, index, asked):
            findings.add_document(document)
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch cannot be asked: {error}", err=True)
        sys.exit(UNREACHABLE)
