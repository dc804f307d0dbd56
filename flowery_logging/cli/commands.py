"""The list of commands. Each stands in a module (or folder) of its own."""

from __future__ import annotations

import click

import flowery_logging
from flowery_logging.cli.audit import audit
from flowery_logging.cli.init import init
from flowery_logging.cli.kit import kit
from flowery_logging.cli.resend import resend


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(flowery_logging.__version__, package_name="flowery_logging")
def commands() -> None:
    """Look into the log files of flowery_logging, prove their delivery, set up what ships them."""


commands.add_command(audit)
commands.add_command(init)
commands.add_command(kit)
commands.add_command(resend)
