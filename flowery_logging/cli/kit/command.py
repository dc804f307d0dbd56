"""The command line of the kit: `kit DIR` writes its files out, `kit install` its templates."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from flowery_logging.cli.elasticsearch import Access, Elasticsearch, ElasticsearchError
from flowery_logging.cli.kit.files import MissingKitError, fill_in, kit_files, kit_folder
from flowery_logging.cli.kit.install import DEFAULT_RETENTION_DAYS, InstallError, install, planned
from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, Request, requests
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
    ilm = click.option("--ilm", is_flag=True, help="Retention by the ILM policy flowery.")
    return days(fields(ilm(command)))


@kit.command(epilog=_EXIT_CODES)
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--log-dir", "FLOWERY_LOG_DIR", metavar="DIR", help="Where the services write to.")
@click.option("--logstash", "LOGSTASH_HOSTS", metavar="HOST:PORT,…")
@click.option("--elasticsearch", "ELASTICSEARCH_URL", metavar="URL")
@click.option("--kafka", "KAFKA_HOSTS", metavar="HOST:PORT,…")
@click.option("--topic", "KAFKA_TOPIC", metavar="NAME", help="Kafka's topic.")
@click.option("--force", is_flag=True, help="Replace files that are there and differ.")
@_team_options
def write(
    directory: Path,
    force: bool,
    retention_days: int | None,
    fields: Mapping[str, str],
    ilm: bool,
    **values: str | None,
) -> None:
    """Write the kit to DIR, filled in for a team; what is not given stays as it is."""
    given = {name.upper(): value for name, value in values.items() if value is not None}
    if "ELASTICSEARCH_URL" in given:
        given["ELASTICSEARCH_HOSTS"] = given["ELASTICSEARCH_URL"]
    choices = Choices(retention_days, fields, ilm)
    contents = _contents(_kit(), given, choices)
    _refuse_to_replace(directory, contents, force=force)
    for relative, content in contents.items():
        path = directory / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if path.suffix == ".sh":
            path.chmod(0o755)
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
@click.option("--elasticsearch", metavar="URL", required=True, help="Or OpenSearch's.")
@_team_options
@click.option("--roles/--no-roles", default=True, show_default=True, help="Install the roles too.")
@click.option("--dry-run", is_flag=True, help="Print the requests, send none of them.")
@click.option("--api-key", envvar="ELASTICSEARCH_API_KEY", show_envvar=True, metavar="KEY")
@click.option("--user", envvar="ELASTICSEARCH_USER", show_envvar=True, metavar="NAME")
@click.option("--password", envvar="ELASTICSEARCH_PASSWORD", show_envvar=True, metavar="TEXT")
@click.option(
    "--ca-certs",
    type=click.Path(exists=True, dir_okay=False),
    help="A PEM file with the authorities to trust.",
)
@click.option("--insecure", is_flag=True, help="Do not check the server's certificate.")
def install_command(
    elasticsearch: str,
    retention_days: int | None,
    fields: Mapping[str, str],
    ilm: bool,
    roles: bool,
    dry_run: bool,
    **access: Any,
) -> None:
    """Install the templates, the pipeline and the roles; a second time changes nothing.

    Streams that exist take a changed template at their next rollover.
    """
    choices = Choices(retention_days, fields, ilm, roles)
    try:
        server = Elasticsearch(Access(elasticsearch, **access))
    except (ValueError, ElasticsearchError) as error:
        raise click.BadParameter(str(error), param_hint="--elasticsearch") from None
    try:
        found = planned(server, _kit(), choices)
        if dry_run:
            _print(found)
            return
        for outcome in install(server, found):
            state = "installed" if outcome.skipped is None else f"left out: {outcome.skipped}"
            click.echo(f"{outcome.request.path}  {state}")
    except InstallError as error:
        click.echo(str(error), err=True)
        sys.exit(REFUSED)


def _print(found: list[Request]) -> None:
    for request in found:
        click.echo(f"PUT {request.path}{os.linesep}{_as_text(request.body)}")


def _as_text(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
