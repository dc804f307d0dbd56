"""The arguments and options that the commands which read log files share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from flowery_logging.cli.reading import times
from flowery_logging.cli.reading.conditions import Condition, parse_condition
from flowery_logging.cli.reading.wanted import LEVELS, Wanted

Command = TypeVar("Command", bound=Callable[..., Any])


MOST_SECONDS: Final = 1e9
"""Thirty years: what is counted back from now stays a time that every platform knows."""


class NumberRange(click.FloatRange):
    """A number between two others; `click.FloatRange` takes nan, which is in no range."""

    def __init__(self, least: float, most: float) -> None:
        super().__init__(least, most)
        self._least, self._most = least, most

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the number that a text says; another one is named as it was given."""
        number = float(click.FLOAT.convert(value, param, ctx))
        if not self._least <= number <= self._most:
            allowed = f"{self._least:.0f} to {self._most:.0f}"
            self.fail(f"{value} is no number from {allowed}", param, ctx)
        return number


def directories_argument(command: Command) -> Command:
    """Give a command `directories`: tuple[Path, …], which `directories_of` completes."""
    path = click.Path(file_okay=False, path_type=Path)
    return click.argument("directories", metavar="[DIR]...", nargs=-1, type=path)(command)


def utc_option(command: Command) -> Command:
    """Give a command `utc`: times are read and shown in UTC, else in local time."""
    text = "Read and show times in UTC, not in local time."
    return click.option("--utc", is_flag=True, is_eager=True, help=text)(command)


def json_option(command: Command) -> Command:
    """Give a command `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        command
    )


def _parsed(parse: Callable[[click.Context, str], Any]) -> Callable[..., Any]:
    """Return a callback that parses the value of an option, or each one of its values."""

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        try:
            if isinstance(value, tuple):
                return tuple(parse(ctx, text) for text in value)
            return None if value is None else parse(ctx, value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return callback


def _time(ctx: click.Context, text: str) -> datetime:
    return times.parse_time(text, zone=timezone.utc if ctx.params.get("utc") else None)


def _pattern(_: click.Context, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None


def _condition(_: click.Context, text: str) -> Condition:
    return parse_condition(text)


_TIMES = (
    click.option(
        "--since", callback=_parsed(_time), metavar="TIME",
        help="Only events from this time on: 10m, 2h30m, today, 14:05, 2026-11-27T14:05.",
    ),
    click.option(
        "--until", callback=_parsed(_time), metavar="TIME", help="Only events up to this time.",
    ),
)  # fmt: skip

_SERVICE = click.option(
    "--service", "services", multiple=True, metavar="NAME",
    help="Only events of this service. May be repeated.",
)  # fmt: skip

_EVENTS = (
    _SERVICE,
    click.option(
        "--level", type=click.Choice(list(LEVELS), case_sensitive=False),
        metavar="LEVEL", help="Only events of this level and higher: debug, info, warning, …",
    ),
    *_TIMES,
    click.option(
        "--grep", callback=_parsed(_pattern), metavar="REGEX",
        help="Only lines in which this regular expression is found; (?i) ignores case.",
    ),
    click.option(
        "--where", "where", callback=_parsed(_condition), multiple=True, metavar="NAME=VALUE",
        help="Only events whose field has this value: order_id=7, http.response.status_code>=500; "
        "also !=, >, <, <=. A bare name is one of your fields, a dotted one that of ECS. May be "
        "repeated: then all are asked.",
    ),
)  # fmt: skip


def service_option(command: Command) -> Command:
    """Give a command `services`: tuple[str, …]."""
    return _SERVICE(command)


def time_options(command: Command) -> Command:
    """Give a command `since` and `until`: datetimes with a zone, or None. Needs `utc_option`."""
    return _given(command, _TIMES)


def event_options(command: Command) -> Command:
    """Give a command the options that `wanted` takes. Needs `utc_option`."""
    return _given(command, _EVENTS)


def _given(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def wanted(
    services: tuple[str, ...] = (),
    level: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    grep: re.Pattern[str] | None = None,
    where: tuple[Condition, ...] = (),
) -> Wanted:
    """Return what the options of `event_options` ask for."""
    number = LEVELS[level.lower()] if level else None
    return Wanted(services, number, since, until, grep, where)
