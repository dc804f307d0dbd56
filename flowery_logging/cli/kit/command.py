"""The command `kit` and those below it; `kit DIR` is short for `kit write DIR`."""

from __future__ import annotations

import click

from flowery_logging.cli.kit.install_command import install_command
from flowery_logging.cli.kit.team import EXIT_CODES
from flowery_logging.cli.kit.watch_command import watch_command
from flowery_logging.cli.kit.write_command import write


class _WriteOrInstall(click.Group):
    """Takes `kit DIR` for `kit write DIR`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["write", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_WriteOrInstall, epilog=EXIT_CODES)
def kit() -> None:
    """Write or install what Filebeat, Logstash, Elasticsearch and Kibana need.

    `kit DIR` (short for `kit write DIR`) writes them to a folder, `kit install` puts the templates
    into Elasticsearch.
    """


kit.add_command(write)
kit.add_command(install_command)
kit.add_command(watch_command)
