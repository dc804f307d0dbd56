"""The command line of `watch`: one look, or one after the other."""

from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import orjson

from flowery_logging.cli.access import access_options, connect, index_option
from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError
from flowery_logging.cli.reading.directories import directories_of, require_files
from flowery_logging.cli.reading.options import NumberRange, directories_argument, json_option
from flowery_logging.cli.reading.output import cannot_read, quiet_output
from flowery_logging.cli.reading.times import parse_age
from flowery_logging.cli.watch import arrived, files, state as states, webhook
from flowery_logging.cli.watch.observation import Observation
from flowery_logging.cli.watch.rules import Known, Limits, alerts
from flowery_logging.cli.watch.telling import News, news, remember
from flowery_logging.config.place import working_directory
from flowery_logging.files.printable import printable

FOUND: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 4

AUDIT_SECONDS: Final = 600.0
"""How often --every counts the numbers of all files: a look decodes those of a day alone."""

MOST_TIMES: Final = 1e6
"""A larger --factor would never be reached."""

_OTHER_NAMES: Final = {"kakao": "kakaowork", "kakao-work": "kakaowork"}

_EPILOG = """\b
Exit codes (with --once):
  0  nothing is wrong
  1  something is: new, or told before and not over
  2  wrong arguments, no log files, or files or a state that cannot be read
  4  Elasticsearch or the webhook gives no answer, or refuses; it is told at the next look
  5  the extra is not installed: pip install 'flowery_logging[cli]'
\b
Examples:
  */5 * * * *  WATCH_WEBHOOK_URL=https://… flowery-logging watch --once /var/log/flowery
  flowery-logging watch --every 1m --elasticsearch https://localhost:9200
"""


def _age(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of a span of time."""
    try:
        seconds = None if value is None else parse_age(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if seconds is not None and seconds <= 0:
        raise click.BadParameter(f"{value!r} is nothing; allowed: a longer span of time")
    return seconds


def _url(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        if value is not None:
            webhook.check(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


@dataclass(frozen=True)
class _Watch:
    """What is watched, and who is told."""

    directories: list[Path]
    server: Elasticsearch | None
    index: str
    limits: Limits
    path: Path  # of the state
    url: str | None
    form: str
    as_json: bool


@click.command(epilog=_EPILOG)
@directories_argument
@click.option("--once", is_flag=True, help="Look once and exit: for cron. The default.")
@click.option("--every", callback=_age, metavar="AGE", help="Look again and again: for a service.")
@click.option("--elasticsearch", metavar="URL", help="Look there instead of into files.")
@index_option
@click.option("--silent", callback=_age, default="15m", show_default=True, metavar="AGE",
              help="A service is silent that logged within the day and has not for so long. A job "
              "that ended by itself is not.")  # fmt: skip
@click.option("--window", callback=_age, default="5m", show_default=True, metavar="AGE",
              help="Over which errors and dead letters are counted.")  # fmt: skip
@click.option("--factor", type=NumberRange(1, MOST_TIMES), default=3.0, show_default=True,
              help="So many times the errors of the hour before are many.")  # fmt: skip
@click.option("--errors", type=click.IntRange(min=1), default=10, show_default=True,
              help="And so many at least.")  # fmt: skip
@click.option("--webhook", "url", envvar="WATCH_WEBHOOK_URL", show_envvar=True, callback=_url,
              metavar="URL", help="Tell a chat. The URL is a secret: better in the environment.",
              )  # fmt: skip
@click.option("--format", "form", type=click.Choice(["auto", *webhook.FORMS, *_OTHER_NAMES]),
              callback=lambda _, __, value: _OTHER_NAMES.get(value, value), default="auto",
              show_default=True, metavar=f"[auto|{'|'.join(webhook.FORMS)}]",
              help="What the webhook takes; auto: by its host.")  # fmt: skip
@click.option("--state", "path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where it stands what was told.  [default: in ~/.local/state/flowery-logging]",
              )  # fmt: skip
@json_option
@access_options
def watch(
    directories: tuple[Path, ...],
    once: bool,
    every: float | None,
    elasticsearch: str | None,
    index: str,
    silent: float,
    window: float,
    factor: float,
    errors: int,
    url: str | None,
    form: str,
    path: Path | None,
    as_json: bool,
    **access: object,
) -> None:
    """Tell when a service goes silent, errors become many or new, events are dropped or missing.

    Each thing is told once, and once that it is over: on standard output and, with --webhook, in a
    chat. DIR is where the services write; without it, where setup() would. With --elasticsearch
    dead letters are watched too.
    """
    if once and every is not None:
        raise click.UsageError("give --once or --every, not both")
    places = directories_of(directories)
    source = f"{elasticsearch} {index}" if elasticsearch else " ".join(map(str, _whole(places)))
    if url is not None and form == "auto":
        form = webhook.form_of(url)
    watching = _Watch(
        places, connect(elasticsearch, access), index, Limits(silent, window, factor, errors),
        path or states.default_path(source), url, form, as_json,
    )  # fmt: skip
    with quiet_output():
        try:
            with states.locked(watching.path):
                code = _look_again(watching, every) if every else _look_once(watching)
        except states.StateError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(USAGE)
    sys.exit(code)


def _whole(places: list[Path]) -> list[Path]:
    return [working_directory() / place for place in places]


def _look_once(watching: _Watch) -> int:
    return _look(watching, states.load(watching.path), 0)


def _look_again(watching: _Watch, every: float) -> int:
    """Look until a signal ends it; what fails is said and tried again."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    state = states.load(watching.path)
    while not stop.is_set():
        try:
            _look(watching, state, AUDIT_SECONDS)
        except click.UsageError as error:
            click.echo(f"Error: {error.format_message()}", err=True)
        except states.StateError as error:  # what was told is remembered here at least
            click.echo(f"Error: {error}", err=True)
        stop.wait(every)
    return 0


def _look(watching: _Watch, state: states.State, audit_every: float) -> int:
    """Look once, tell the news and keep what was told; return the exit code.

    `audit_every`: seconds after which the numbers of all files are counted again.
    """
    now = time.time()
    try:
        seen = _observe(watching, state, now, audit_every)
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch cannot be asked: {error}", err=True)
        return UNREACHABLE
    except OSError as error:
        raise cannot_read(error) from None
    known = Known(not state.looked, frozenset(state.groups), state.services)
    found = list(alerts(seen, known, watching.limits, now))
    found_news = news(found, state, seen, now)
    _print(found_news, as_json=watching.as_json)
    if found_news.told and watching.url is not None:
        try:
            webhook.send(watching.url, webhook.body(watching.form, found_news.told))
        except webhook.WebhookError as error:
            click.echo(f"the webhook was not told: {error}", err=True)
            return UNREACHABLE
    remember(state, found, seen, now)
    states.save(watching.path, state)
    return FOUND if found_news.is_bad() else 0


def _observe(watching: _Watch, state: states.State, now: float, audit_every: float) -> Observation:
    if watching.server is not None:
        return arrived.look(watching.server, watching.index, watching.limits.window, now)
    if not state.looked:  # else the services that were there are told to be silent
        require_files(watching.directories)
    seen = files.look(watching.directories, now)
    if not 0 <= now - state.audited < audit_every:  # below 0: the clock has been set back
        files.note_lost(seen, watching.directories, now)
        state.audited, state.lost = now, seen.lost
    else:
        seen.lost = state.lost
    return seen


def _print(found: News, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"told": found.alerts, "still": found.still}))
        return
    for state, text in found.told:
        click.echo(f"{'ok' if state == 'over' else '!!'} {printable(text)}")
    for text in found.still if sys.stdout.isatty() else ():
        click.echo(f".. {printable(text)}")
