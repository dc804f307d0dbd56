"""The options that say how Elasticsearch, or OpenSearch, lets a command in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from flowery_logging.cli.elasticsearch import Elasticsearch

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--api-key", envvar="ELASTICSEARCH_API_KEY", show_envvar=True, metavar="KEY"),
    click.option("--user", envvar="ELASTICSEARCH_USER", show_envvar=True, metavar="NAME"),
    click.option("--password", envvar="ELASTICSEARCH_PASSWORD", show_envvar=True, metavar="TEXT"),
    click.option(
        "--ca-certs",
        type=click.Path(exists=True, dir_okay=False),
        help="A PEM file with the authorities to trust.",
    ),
    click.option(
        "--fingerprint",
        metavar="SHA256",
        help="Trust the certificate, of the server or its authority, with this SHA-256 alone.",
    ),
    click.option("--insecure", is_flag=True, help="Do not check the server's certificate."),
)


index_option = click.option(
    "--index", default="logs-flowery*", show_default=True, help="Where to look there."
)
"""The streams in which a command looks for events."""


def access_options(command: Command) -> Command:
    """Give a command the options that say how a server lets us in: the fields of Access."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def connect(url: str | None, access: dict[str, Any]) -> Elasticsearch | None:
    """Return the server that the options name; None without a URL. Raises click.BadParameter."""
    if url is None:
        return None
    from flowery_logging.cli.elasticsearch import Access, Elasticsearch  # TLS takes 20 ms to load

    try:
        return Elasticsearch(Access(url, **access))
    except (ValueError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--elasticsearch") from None
