"""The command `kit watch`: how full the servers are, and what ends soon."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

import flowery_logging
from flowery_logging.cli.access import access_options
from flowery_logging.cli.elasticsearch import Elasticsearch
from flowery_logging.cli.http import HttpServer
from flowery_logging.cli.kit.team import REFUSED, access_to
from flowery_logging.cli.kit.watch import LIMITS, figures

_WATCH_EXIT_CODES = """\b
Exit codes:
  0  all is well
  1  a figure is at its limit: marked with !
  2  wrong arguments
  4  a figure could not be had
  5  the extra is not installed: pip install 'flowery_logging[cli]'
"""


@click.command("watch", epilog=_WATCH_EXIT_CODES)
@click.option("--elasticsearch", metavar="URL")
@click.option("--logstash", metavar="URL", help="Its API: http://localhost:9600")
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A certificate in PEM whose end is watched too; may be repeated.",
)
@click.option(
    "--log-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the figures there as an event of the service flowery-watch, for the alert rules.",
)
@access_options
def watch_command(
    elasticsearch: str | None,
    logstash: str | None,
    certificates: tuple[str, ...],
    log_dir: Path | None,
    **access: object,
) -> None:
    """Say how full the servers are, and in how many days a certificate or a key ends.

    Run it from a timer, every ten minutes. The key needs the role flowery_monitor.
    """
    server = access_to(elasticsearch, "--elasticsearch", access)
    queues = access_to(logstash, "--logstash", {})
    if server is None and queues is None and not certificates:
        raise click.UsageError("give --elasticsearch, --logstash or --certificate")
    found, failures = figures(
        None if server is None else Elasticsearch(server),
        None if queues is None else HttpServer(queues),
        certificates,
    )
    passed = [
        limit.name for limit in LIMITS if limit.name in found and limit.passed(found[limit.name])
    ]
    for name, figure in found.items():
        click.echo(f"{name} {figure:g}{'  !' if name in passed else ''}")
    for failure in failures:
        click.echo(failure, err=True)
    if log_dir is not None:
        _log(log_dir, found, failures)
    sys.exit(1 if passed else REFUSED if failures else 0)


def _log(directory: Path, found: Mapping[str, float], failures: list[str]) -> None:
    flowery_logging.setup(service="flowery-watch", directory=str(directory), output="file")
    log = flowery_logging.get_logger("flowery_watch")
    if failures:
        log.warning("not all figures could be had", failures=failures, **found)
    else:
        log.info("figures of the servers", **found)
    flowery_logging.shutdown()
