"""The list of commands. Each stands in a module (or folder) of its own, imported when it is run."""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple

import click

import flowery_logging


class Entry(NamedTuple):
    """Where a command stands, and the line that `--help` says of it."""

    place: str  # module:name
    help: str


COMMANDS: Final = {
    "init": Entry(
        "flowery_logging.cli.init:init", "Show, and write, what an existing service needs."
    ),
    "tail": Entry("flowery_logging.cli.tail:tail", "Show events as they are written."),
    "trace": Entry("flowery_logging.cli.trace:trace", "Show one request over all services."),
    "find": Entry("flowery_logging.cli.find:find", "Show the requests in which a value occurs."),
    "stats": Entry(
        "flowery_logging.cli.stats:stats", "Count events by service, route, error, call site."
    ),
    "watch": Entry(
        "flowery_logging.cli.watch:watch", "Tell, also a chat, when something goes wrong."
    ),
    "audit": Entry("flowery_logging.cli.audit:audit", "Count the events and tell what is missing."),
    "resend": Entry(
        "flowery_logging.cli.resend:resend", "Create again in Elasticsearch what is missing there."
    ),
    "doctor": Entry(
        "flowery_logging.cli.doctor:doctor", "Find what is wrong with a set-up, and its fix."
    ),
    "validate": Entry(
        "flowery_logging.cli.validate:validate", "Check lines of any origin against ECS."
    ),
    "kit": Entry("flowery_logging.cli.kit:kit", "Write or install what ships the files."),
}
"""In the order of `--help`."""


class Commands(click.Group):
    """A group that imports a command only when it is run: `--help` and each command start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(flowery_logging.__version__, package_name="flowery_logging")
def commands() -> None:
    """Look into the log files of flowery_logging, prove their delivery, set up what ships them."""
