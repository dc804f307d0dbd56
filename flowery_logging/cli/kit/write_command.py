"""The command `kit write`: the kit's files, filled in for a team."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from flowery_logging.cli.kit import values
from flowery_logging.cli.kit.files import as_text, fill_in, kit_files, write_file
from flowery_logging.cli.kit.install import DEFAULT_RETENTION_DAYS
from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, requests
from flowery_logging.cli.kit.team import EXIT_CODES, choices_of, shipped_kit, team_options

_CONFIGURATIONS: Final = {".yml", ".conf", ".sh"}


def _fits(check: Callable[[str], str]) -> Callable[..., str | None]:
    """Return click's callback that refuses a value which a file could not hold as it is."""

    def callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        try:
            return None if value is None else check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


@click.command(epilog=EXIT_CODES)
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
@team_options
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

    Nobody but their owner may change the files, whatever the umask: Filebeat reads no others. Nor
    may anybody else read those with the password of a URL; an API key in the environment, as the
    kit's README has it, is better.
    """
    given = {name.upper(): value for name, value in named.items() if value is not None}
    if "ELASTICSEARCH_URL" in given:
        given["ELASTICSEARCH_HOSTS"] = given["ELASTICSEARCH_URL"]
    choices = choices_of(retention_days, cold_days, ilm=ilm, fields=fields, services=services)
    contents = _contents(shipped_kit(), given, choices)
    password = values.password(given.get("ELASTICSEARCH_URL", ""))
    private = [] if password is None else _with(password.encode(), contents)
    try:
        _refuse_to_replace(directory, contents, force=force)
        for relative, content in contents.items():
            write_file(directory, relative, content, private=relative in private)
    except OSError as error:
        place = error.filename or directory
        raise click.UsageError(f"cannot write {place}: {error.strerror}") from None
    click.echo(f"{len(contents)} files in {directory}; begin with {directory / 'README.md'}")
    if private:
        click.echo(f"With the password, for their owner alone: {', '.join(map(str, private))}")


def _with(password: bytes, contents: Mapping[Path, bytes]) -> list[Path]:
    return [relative for relative, content in contents.items() if b":%b@" % password in content]


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
                contents[path] = as_text(request.body).encode()
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
