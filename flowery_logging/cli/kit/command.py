"""The command line of the kit: `kit DIR` writes its files out, `kit install` its templates."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from flowery_logging.cli.audit.examination import access_options
from flowery_logging.cli.elasticsearch import Access, Elasticsearch
from flowery_logging.cli.kit import values
from flowery_logging.cli.kit.files import (
    MissingKitError,
    fill_in,
    kit_files,
    kit_folder,
    write_file,
)
from flowery_logging.cli.kit.install import DEFAULT_RETENTION_DAYS, InstallError, install, planned
from flowery_logging.cli.kit.kibana import Kibana, KibanaError, parts
from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, requests
from flowery_logging.ecs.declared import check_declared, read_declared

REFUSED: Final = 4
"""The exit code where the server gives no answer or refuses."""

_EXIT_CODES = """\b
Exit codes:
  0  done
  2  wrong arguments
  4  Elasticsearch gives no answer, or refuses
  5  the extra is not installed: pip install 'flowery_logging[cli]'
"""

_CONFIGURATIONS: Final = {".yml", ".conf", ".sh"}


class _WriteOrInstall(click.Group):
    """Takes `kit DIR` for `kit write DIR`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["write", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_WriteOrInstall, epilog=_EXIT_CODES)
def kit() -> None:
    """Configurations for Filebeat, Logstash, Elasticsearch and Kibana.

    `kit DIR` (short for `kit write DIR`) writes them to a folder, `kit install` puts the templates
    into Elasticsearch.
    """


def _declared(_: click.Context, __: click.Parameter, path: Path | None) -> Mapping[str, str]:
    try:
        return {} if path is None else check_declared(read_declared(path))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _team_options(command: Callable[..., Any]) -> Callable[..., Any]:
    days = click.option(
        "--retention-days",
        type=click.IntRange(min=1),
        metavar="DAYS",
        help="How long Elasticsearch keeps events.  [default: 30]",
    )
    fields = click.option(
        "--fields",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=_declared,
        help="The team's JSON file of declared fields, as setup(fields=…) reads it.",
    )
    services = click.option(
        "--services",
        type=click.IntRange(1, 55),
        metavar="COUNT",
        help="How many services share a stream: each may make 256 label names.  [default: 5]",
    )
    ilm = click.option("--ilm", is_flag=True, help="Retention by the ILM policy flowery.")
    cold = click.option(
        "--cold-days",
        type=click.IntRange(min=1),
        metavar="DAYS",
        help="When the policy moves events to the nodes of the tier cold.",
    )
    return days(fields(services(ilm(cold(command)))))


def _choices(
    retention_days: int | None, cold_days: int | None, *, ilm: bool, **chosen: Any
) -> Choices:
    """Return what the team has chosen; the cold phase lies within the retention."""
    if cold_days is not None and not ilm:
        raise click.UsageError("--cold-days is of the policy: give --ilm too")
    if cold_days is not None and cold_days >= (retention_days or DEFAULT_RETENTION_DAYS):
        raise click.UsageError("--cold-days must be less than --retention-days")
    return Choices(retention_days=retention_days, cold_days=cold_days, ilm=ilm, **chosen)


def _fits(check: Callable[[str], str]) -> Callable[..., str | None]:
    """Return click's callback that refuses a value which a file could not hold as it is."""

    def callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        try:
            return None if value is None else check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


@kit.command(epilog=_EXIT_CODES)
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--log-dir",
    "FLOWERY_LOG_DIR",
    metavar="DIR",
    callback=_fits(values.folder),
    help="Where the services write to.",
)
@click.option("--logstash", "LOGSTASH_HOSTS", metavar="HOST:PORT,…", callback=_fits(values.hosts))
@click.option("--elasticsearch", "ELASTICSEARCH_URL", metavar="URL", callback=_fits(values.url))
@click.option("--kafka", "KAFKA_HOSTS", metavar="HOST:PORT,…", callback=_fits(values.hosts))
@click.option(
    "--topic", "KAFKA_TOPIC", metavar="NAME", callback=_fits(values.topic), help="Kafka's topic."
)
@click.option("--force", is_flag=True, help="Replace files that are there and differ.")
@_team_options
def write(
    directory: Path,
    force: bool,
    retention_days: int | None,
    cold_days: int | None,
    fields: Mapping[str, str],
    services: int | None,
    ilm: bool,
    **named: str | None,
) -> None:
    """Write the kit to DIR, filled in for a team; what is not given stays as it is.

    Nobody but their owner may change the files, whatever the umask: Filebeat reads no others.
    """
    given = {name.upper(): value for name, value in named.items() if value is not None}
    if "ELASTICSEARCH_URL" in given:
        given["ELASTICSEARCH_HOSTS"] = given["ELASTICSEARCH_URL"]
    choices = _choices(retention_days, cold_days, ilm=ilm, fields=fields, services=services)
    contents = _contents(_kit(), given, choices)
    _refuse_to_replace(directory, contents, force=force)
    for relative, content in contents.items():
        write_file(directory, relative, content)
    click.echo(f"{len(contents)} files in {directory}; begin with {directory / 'README.md'}")


def _kit() -> Path:
    try:
        return kit_folder()
    except MissingKitError as error:
        raise click.ClickException(str(error)) from None


def _contents(folder: Path, given: Mapping[str, str], choices: Choices) -> dict[Path, bytes]:
    """Return every file of the kit as the team wants it."""
    contents: dict[Path, bytes] = {}
    for relative in kit_files(folder):
        content = (folder / relative).read_bytes()
        if relative.suffix in _CONFIGURATIONS:
            content = fill_in(content.decode(), given).encode()
        contents[relative] = content
    everything = requests(folder, replace(choices, ilm=True))
    variant = for_opensearch(everything, choices.retention_days or DEFAULT_RETENTION_DAYS)
    for server, found in (("elasticsearch", everything), ("opensearch", variant)):
        for request in found:
            if request.body is None:
                continue
            path = Path(server, request.file)
            if path not in contents or json.loads(contents[path]) != request.body:
                contents[path] = _as_text(request.body).encode()
    return contents


def _refuse_to_replace(directory: Path, contents: Mapping[Path, bytes], *, force: bool) -> None:
    changed = [
        str(directory / relative)
        for relative, content in contents.items()
        if (directory / relative).exists() and (directory / relative).read_bytes() != content
    ]
    if changed and not force:
        listed = ", ".join(changed[:5]) + (" …" if len(changed) > 5 else "")
        raise click.UsageError(f"{len(changed)} files differ ({listed}); --force replaces them")


@kit.command("install", epilog=_EXIT_CODES)
@click.option("--elasticsearch", metavar="URL", help="Or OpenSearch's.")
@click.option("--kibana", metavar="URL", help="Data view, searches, dashboards and alert rules.")
@_team_options
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
    **access: Any,
) -> None:
    """Install templates, pipeline, streams and roles, and Kibana's part; repeatable.

    Streams that exist take a changed template at their next rollover. No redirect is followed.
    """
    if elasticsearch is None and kibana is None:
        raise click.UsageError("give --elasticsearch, --kibana or both")
    choices = _choices(
        retention_days, cold_days, ilm=ilm, fields=fields, services=services, roles=roles
    )
    server = _server(elasticsearch, "--elasticsearch", access)
    screens = _server(kibana, "--kibana", access)
    steps: list[_Step] = []
    try:
        if server is not None:
            found = planned(None if dry_run else Elasticsearch(server), _kit(), choices)
            if dry_run and opensearch:
                found = for_opensearch(found, retention_days or DEFAULT_RETENTION_DAYS)
            steps += [_Step(request.path, request.body) for request in found]
        shown = parts(_kit()) if screens is not None else []
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


def _server(url: str | None, option: str, access: Mapping[str, Any]) -> Access | None:
    try:
        return None if url is None else Access(url, **access)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


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
            click.echo(_as_text(step.body))


def _as_text(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
