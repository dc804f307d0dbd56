"""The command `exporter`: its options, its exit codes."""

from __future__ import annotations

import re
import signal
import sys
from typing import Any, Final

import click

NEEDS_EXTRA: Final = 5

_EXIT_CODES: Final = """\b
Exit codes:
  0  ended by SIGTERM or Ctrl-C
  2  wrong arguments, files that cannot be read, or an address that cannot be listened on
  5  the extra is not installed: pip install 'flowery_logging[cli,prometheus]'
"""


MOST_PORTS: Final = 65_535
_PORT: Final = re.compile(r"[0-9]{1,5}")  # int() refuses digits without end by another error


class _Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT, where the host may be an IPv6 address in brackets."""

    name = "host:port"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, _, port = str(value).rpartition(":")
        if not host or not _PORT.fullmatch(port) or int(port) > MOST_PORTS:
            self.fail(f"{value!r} is no address like 127.0.0.1:9465", param, ctx)
        return host.strip("[]"), int(port)


@click.command(epilog=_EXIT_CODES)
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False))
@click.option(
    "--listen",
    type=_Address(),
    default="127.0.0.1:9465",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the metrics are shown. They have no password: not to the whole world.",
)
@click.option("--filebeat", metavar="URL", help="Show its numbers too: http://localhost:5066")
@click.option("--logstash", metavar="URL", help="Show its numbers too: http://localhost:9600")
def exporter(
    directory: str, listen: tuple[str, int], filebeat: str | None, logstash: str | None
) -> None:
    """Show the metrics of all services whose log files lie in DIR to Prometheus.

    For services that show none themselves. The files are read from their beginning and followed;
    each scrape shows what they hold at that moment: events and bytes by service and level, and
    from the access, call and task events the same as a service shows.
    """
    try:
        import prometheus_client  # noqa: F401 - only whether it is there
    except ImportError:
        click.echo(
            "the extra is not installed: pip install 'flowery_logging[prometheus]'", err=True
        )
        sys.exit(NEEDS_EXTRA)
    try:
        registry = registry_of(directory, filebeat, logstash)
    except OSError as error:
        click.echo(f"cannot read {directory}: {error}", err=True)
        sys.exit(2)
    _serve(registry, *listen)


def registry_of(directory: str, filebeat: str | None = None, logstash: str | None = None) -> Any:
    """Return a registry of what lies in a directory, and of these programs.

    Raises OSError for files that cannot be read, click.BadParameter for a URL that is none.
    """
    from prometheus_client import CollectorRegistry

    from flowery_logging.cli.exporter import programs
    from flowery_logging.cli.exporter.following import Following
    from flowery_logging.cli.http import HttpServer
    from flowery_logging.cli.kit.team import access_to

    registry = CollectorRegistry()
    for url, option, add in (
        (filebeat, "--filebeat", programs.add_filebeat),
        (logstash, "--logstash", programs.add_logstash),
    ):
        access = access_to(url, option, {})
        if access is not None:
            add(registry, HttpServer(access))
    Following(directory, registry).read()
    return registry


def _serve(registry: Any, host: str, port: int) -> None:
    from flowery_logging.integrations.prometheus.endpoint import listen

    try:
        server = listen(host, port, registry)
    except OSError as error:
        click.echo(f"cannot listen on {host}:{port}: {error}", err=True)
        sys.exit(2)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"metrics on http://{shown}:{server.server_port}/metrics", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
