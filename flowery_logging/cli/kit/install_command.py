"""The command `kit install`: templates and roles to Elasticsearch, screens and alerts to Kibana."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from flowery_logging.cli.access import access_options
from flowery_logging.cli.elasticsearch import Elasticsearch
from flowery_logging.cli.kit.files import as_text
from flowery_logging.cli.kit.install import DEFAULT_RETENTION_DAYS, InstallError, install, planned
from flowery_logging.cli.kit.kibana import Kibana, KibanaError, parts
from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.team import (
    EXIT_CODES,
    REFUSED,
    access_to,
    choices_of,
    shipped_kit,
    team_options,
)


@click.command("install", epilog=EXIT_CODES)
@click.option("--elasticsearch", metavar="URL", help="Or OpenSearch's.")
@click.option("--kibana", metavar="URL", help="Data view, searches, dashboards and alert rules.")
@team_options
@click.option("--roles/--no-roles", default=True, show_default=True, help="Install the roles too.")
@click.option("--dry-run", is_flag=True, help="Print the requests, send none of them.")
@click.option("--opensearch", is_flag=True, help="With --dry-run: the requests for OpenSearch.")
@access_options
def install_command(
    elasticsearch: str | None,
    kibana: str | None,
    retention_days: int | None,
    cold_days: int | None,
    fields: Mapping[str, str],
    services: int | None,
    ilm: bool,
    roles: bool,
    dry_run: bool,
    opensearch: bool,
    **access: object,
) -> None:
    """Install templates, pipeline, streams and roles, and Kibana's part; repeatable.

    Streams that exist take a changed template at their next rollover. No redirect is followed.
    """
    if elasticsearch is None and kibana is None:
        raise click.UsageError("give --elasticsearch, --kibana or both")
    choices = choices_of(
        retention_days, cold_days, ilm=ilm, fields=fields, services=services, roles=roles
    )
    server = access_to(elasticsearch, "--elasticsearch", access)
    screens = access_to(kibana, "--kibana", access)
    steps: list[_Step] = []
    try:
        if server is not None:
            found = planned(None if dry_run else Elasticsearch(server), shipped_kit(), choices)
            if dry_run and opensearch:
                found = for_opensearch(found, retention_days or DEFAULT_RETENTION_DAYS)
            steps += [_Step(request.path, request.body) for request in found]
        shown = parts(shipped_kit()) if screens is not None else []
        steps += [_Step(part.path, part.body, "POST") for part in shown]
        if dry_run:
            _print(steps)
            return
        done = _run(steps)
        if server is not None:
            for outcome in install(Elasticsearch(server), found):
                done(outcome.request.path, outcome.state)
        if screens is not None:
            for part, state in Kibana(screens).install(shown):
                done(part.path, state)
    except (InstallError, KibanaError) as error:
        click.echo(str(error), err=True)
        _say_what_stands(steps)
        sys.exit(REFUSED)


@dataclass
class _Step:
    path: str
    body: Any
    method: str = "PUT"
    state: str = ""


def _run(steps: list[_Step]) -> Callable[[str, str], None]:
    """Return what notes and prints that a step is done."""
    by_path = {step.path: step for step in steps}

    def done(path: str, state: str) -> None:
        by_path[path].state = state
        click.echo(f"{path}  {state}")

    return done


def _say_what_stands(steps: list[_Step]) -> None:
    """Say which steps are done and which are not, if any was; all may be run again."""
    stands = [step.path for step in steps if step.state]
    missing = [step.path for step in steps if not step.state]
    if stands:
        click.echo(f"Installed: {', '.join(stands)}.", err=True)
        click.echo(f"Not installed: {', '.join(missing)}.", err=True)
        click.echo("Run it again when the cause is gone: what stands is replaced.", err=True)


def _print(steps: list[_Step]) -> None:
    for step in steps:
        click.echo(f"{step.method} {step.path}")
        if isinstance(step.body, bytes):
            click.echo(f"({len(step.body.splitlines())} saved objects)")
        elif step.body is not None:
            click.echo(as_text(step.body))
