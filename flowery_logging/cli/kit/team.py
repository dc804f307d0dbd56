"""What the commands of the kit share: how a team chooses, and where the servers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from flowery_logging.cli.http import Access
from flowery_logging.cli.kit.files import MissingKitError, kit_folder
from flowery_logging.cli.kit.install import DEFAULT_RETENTION_DAYS
from flowery_logging.cli.kit.requests import Choices
from flowery_logging.ecs.declared import check_declared, read_declared

MOST_DAYS: Final = 36_500
"""A hundred years; Elasticsearch counts in nanoseconds and refuses three hundred."""

REFUSED: Final = 4
"""The exit code where the server gives no answer or refuses."""

EXIT_CODES = """\b
Exit codes:
  0  done
  2  wrong arguments, or files that cannot be written
  4  Elasticsearch gives no answer, or refuses
  5  the extra is not installed: pip install 'flowery_logging[cli]'
"""


def _declared(_: click.Context, __: click.Parameter, path: Path | None) -> Mapping[str, str]:
    try:
        return {} if path is None else check_declared(read_declared(path))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def team_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options by which a team chooses; choices_of takes their values."""
    days = click.option(
        "--retention-days",
        type=click.IntRange(1, MOST_DAYS),
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
        type=click.IntRange(1, MOST_DAYS),
        metavar="DAYS",
        help="When the policy moves events to the nodes of the tier cold.",
    )
    return days(fields(services(ilm(cold(command)))))


def choices_of(
    retention_days: int | None, cold_days: int | None, *, ilm: bool, **chosen: Any
) -> Choices:
    """Return what the team has chosen; the cold phase lies within the retention."""
    if cold_days is not None and not ilm:
        raise click.UsageError("--cold-days is of the policy: give --ilm too")
    if cold_days is not None and cold_days >= (retention_days or DEFAULT_RETENTION_DAYS):
        raise click.UsageError("--cold-days must be less than --retention-days")
    return Choices(retention_days=retention_days, cold_days=cold_days, ilm=ilm, **chosen)


def access_to(url: str | None, option: str, access: Mapping[str, Any]) -> Access | None:
    """Return how a server is reached; None without a URL. Raises click.BadParameter."""
    try:
        return None if url is None else Access(url, **access)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def shipped_kit() -> Path:
    """Return the folder of the kit's files. Raises click.ClickException."""
    try:
        return kit_folder()
    except MissingKitError as error:
        raise click.ClickException(str(error)) from None
