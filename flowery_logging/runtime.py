"""`setup()` and its counterparts: the one installation of this process, and who uses it."""

from __future__ import annotations

import copyreg
import os
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from flowery_logging import context, process
from flowery_logging.capture import structlog as structlog_capture
from flowery_logging.capture.logger_type import Logger
from flowery_logging.capture.sink import Sink
from flowery_logging.capture.structlog_adoption import PROCESSORS
from flowery_logging.capture.structlog_output import Output
from flowery_logging.config import Config, checks
from flowery_logging.config.setting import Setting
from flowery_logging.counters import Counters
from flowery_logging.ecs import encoders
from flowery_logging.files.mirrors import Mirror
from flowery_logging.files.tally import Tally
from flowery_logging.installation import own_warnings
from flowery_logging.installation.installation import Installation
from flowery_logging.installation.startup import Calls, Startup, caller
from flowery_logging.scope import Scope


def _output(name: str | None = None, *_: object) -> Output:
    return Output(_sink, name)


copyreg.pickle(Output, lambda output: (_output, (output.name,)))

_installation = Installation(lambda: shutdown(), _output)  # noqa: PLW0108 - defined below
_sink = _installation.sink
_attachment: Final = _installation.attachment  # which a suite of others sets aside
_lock = RLock()
_undoing = False  # a `shutdown()` has begun, and not ended
_calls = Calls()
_startup = Startup()
_role: str | None = None  # the service's name, whatever setup() says


def setup(
    service: str | None = None,
    *,
    version: str | None = None,
    environment: str | None = None,
    node: str | None = None,
    directory: str | os.PathLike[str] | None = None,
    output: str | Sequence[str] | None = None,
    stderr_level: int | str | None = None,
    level: int | str | None = None,
    levels: Mapping[str, int | str] | None = None,
    flight_recorder: int | str | None = None,
    max_bytes: int | str | None = None,
    max_age: float | str | None = None,
    keep_bytes: int | str | None = None,
    keep_days: float | str | None = None,
    dataset: str | None = None,
    redact: Sequence[str] | None = None,
    redact_safe: Sequence[str] | None = None,
    redact_personal: str | Sequence[str] | None = None,
    pseudonyms: str | Sequence[str] | None = None,
    baggage: Sequence[str] | None = None,
    fields: Mapping[str, str] | str | os.PathLike[str] | None = None,
    limits: Mapping[str, int] | str | None = None,
    processors: Sequence[Callable[[dict[str, Any]], dict[str, Any] | None]] | None = None,
    flood: int | str | tuple[int, float] | None = None,
    sample: float | str | tuple[float, float] | None = None,
    capture_uncaught: bool | None = None,
    capture_warnings: bool | None = None,
    capture_signals: bool | None = None,
) -> None:
    """Send every log event of this process, as ECS JSON, to rotating files.

    No argument is needed. Each can be given by an environment variable too (`FLOWERY_…`, for the
    service also OpenTelemetry's and Elastic APM's); an argument wins. A second call reconfigures:
    what it gives anew wins, the rest stays; the numbering goes on, and nothing is lost.

    Args:
        service: `service.name`, as given; sanitised only in file and data-stream names.
        version: `service.version`.
        environment: `service.environment`.
        node: `service.node.name`.
        directory: where the files lie. Default: /var/log/flowery if it exists and can be written,
            else ./logs.
        output: any of "file", "stdout", "console", comma-separated or a sequence; or "none".
            Default: "file", and "console" too if stderr is a terminal.
        stderr_level: where stderr is no terminal, events from this level on are shown there as
            plain lines, unless another handler does so; "OFF": none. Default "ERROR", and "OFF"
            where the lines themselves go to stdout.
        level: the root logger's level and that of `get_logger()`. Default "INFO".
        levels: levels of single loggers, e.g. `{"sqlalchemy.engine": "WARNING"}`.
        flight_recorder: a level below `level`; events from there on are kept for each request
            (up to 256 KB, 32 MB in all), and written only if it ends in an error. Default "OFF".
        max_bytes: when the next file is opened, in bytes or as "64MB" (the default).
        max_age: the same by age, in seconds or as "12h". Default: a day.
        keep_bytes: what retention leaves of a service's files. Default: 1 GB.
        keep_days: how long it leaves them. Default: 7 days.
        dataset: `data_stream.dataset`; "{service}" stands for the service's name. Default
            "flowery": one stream for the team.
        redact: more names of keys whose values are secrets.
        redact_safe: names of keys that are not, although they look so.
        redact_personal: kinds of personal data to hide, by name and in texts: any of "phone",
            "email", "account", "address", "name". Default: none.
        pseudonyms: names of fields that are written as a keyed hash, which is the same for the same
            value, e.g. `("phone", "user.email")`. The key is FLOWERY_LOG_PSEUDONYM_KEY.
        baggage: keys of W3C baggage whose values are bound on each line of a request.
        fields: the team's own typed fields, `{"flowery.order.id": "long"}` or a JSON file.
        limits: what one event and one process may hold, e.g. `{"line_bytes": 16_000, "depth": 4}`;
            the names are those of `ecs.limits.Limits`.
        processors: callables that take an event as a dict, and return it or None to drop it.
        flood: how many equal events of one call site are written in a time: 100 (in 10 s) or
            "20/1m"; the rest is counted, and one line says how many. Equal are those with the same
            text, before its arguments are put in, and the same error. Default "OFF".
        sample: the share of the traces whose lines are written, 0.1 or "10%", told by the trace ID
            and so the same in all services. Of the others only what comes from WARNING on is
            written, and all of a request with an error or that took longer than 1 s ("10%/2s":
            than 2 s). Records say how much is left out. Default "OFF".
        capture_uncaught: log uncaught exceptions before the interpreter reports them.
        capture_warnings: log warnings before they are shown.
        capture_signals: write the closing record when SIGTERM, SIGINT or SIGHUP ends the process,
            where nobody handles it. Python runs handlers between two of its own instructions: a
            long call in C delays the end until it returns. If off, the process dies at once, and
            the audit cannot tell that from a crash.

    Raises:
        ConfigError: a value cannot be used; the text names it, its source and what is allowed.
    """
    arguments = {name: value for name, value in locals().items() if value is not None}
    place = caller()
    process.look()
    with _lock:
        if _undoing:
            _undo()
        if _role is not None:
            arguments["service"] = _role
        previous = _installation.config
        config = _calls.resolve(arguments, previous)
        encoders()
        change = _calls.note(arguments, previous, config, place)
        _installation.apply(config)
    if change:
        warn(change, **{"event.action": own_warnings.SET_UP_AGAIN})
    unknown = _startup.unknown_variables(config)
    if unknown:
        warn(unknown, **{"event.action": own_warnings.UNKNOWN_VARIABLES})


def take_role(service: str) -> None:
    """Name this process's service, now and in each later `setup()`: what it is for has turned out.

    For a process that imports what others import too (a worker). Raises ConfigError.
    """
    global _role
    _role = service
    with _lock:
        config = _installation.config
        if config is not None:
            _installation.apply(_calls.resolve({"service": service}, config))


def reattach() -> None:
    """Attach the handler again where another configurator has taken it away."""
    process.look()
    with _lock:
        if _installation.config is not None:
            _installation.repair(_installation.config)


def set_level(level: int | str, logger: str | None = None) -> None:
    """Change the level at run time: of everything, or of one logger and those below it.

    Loggers from `get_logger()` that exist already follow. Raises ConfigError for an unknown level.
    """
    number = checks.level(Setting("level", level, "set_level()"))
    process.look()
    with _lock:
        config = _installation.config
        if config is not None:
            _installation.config = _calls.note_level(config, number, logger)
        if logger is None:
            _installation.levels.give_all(number)
        else:
            _installation.levels.give_one(logger, number)


def get_logger(name: str | None = None, **fields: object) -> Logger:
    """Return a structlog bound logger that writes to the same file.

    `log.info("order placed", order_id=7)`; with `bind`, `new`, `unbind`, `exception`, `ainfo` … as
    structlog documents them. Without a name, `log.logger` is the calling module's. Loggers may be
    made before `setup()`; until then their events go to the standard library's `logging`.
    """
    logger: Logger = structlog_capture.BoundLogger(_output(name), PROCESSORS, fields)
    return logger


def stats() -> Mapping[str, int]:
    """Return counts of this process: `events` (numbered so far), `waiting`, and of faults."""
    writer = getattr(_sink, "writer", None)
    events, waiting = (0, 0) if writer is None else (writer.number, writer.waiting)
    return {"events": events, "waiting": waiting, **_installation.counters.snapshot()}


def shutdown() -> None:
    """Write the closing record, close the file and undo what `setup()` has installed.

    If a signal handler interrupts it, the next `shutdown()` or `setup()` goes on.
    """
    process.look()
    with _lock:
        if _installation.config is not None:
            _undo()
        else:
            _installation.levels.take_back()  # what set_level() alone has changed


def _undo() -> None:
    """Do what `shutdown` does: steps of which each may be done again."""
    global _undoing
    _undoing = True
    _installation.undo()
    _calls.forget()
    _undoing = False


def _start_child() -> None:
    """Make the lock anew: a thread that is not in this child may have held it."""
    global _lock
    _lock = RLock()


process.in_each_child(_start_child)


# What integrations, and the package itself, use of the installation.
own_logger: Final = _installation.own_logger
warn: Final = _installation.warn
checkpoint: Final = _installation.checkpoint
go_on: Final = _installation.go_on
leave_out: Final = _installation.handler.leave_out
place: Final = _installation.handler.place


def current_sink() -> Sink:
    """Return where events go: `ready` while a set-up stands."""
    return _sink


def current_config() -> Config | None:
    """Return the settings that stand; None where `setup()` has not been called."""
    return _installation.config


def shows_console() -> bool:
    """Tell whether the set-up shows events on stderr."""
    config = _installation.config
    return config is not None and "console" in config.outputs


def clean_query(query: str) -> str:
    """Return the query of a URL without the secrets in it, which are counted."""
    return _installation.redactor.clean_query(query, _installation.counters)


def counters() -> Counters:
    """Return the counts that `stats()` shows."""
    return _installation.counters


def label_names() -> tuple[int, int]:
    """Return how many names of labels this process has made, and how many it may make."""
    if not _sink.ready:
        return 0, 0
    placer = _sink.encoder.placer
    return len(placer.label_names or ()), placer.limits.label_names


def count_lines() -> Tally:
    """Count the lines of this process by service and level until `stop_counting_lines()`."""
    process.look()
    with _lock:
        return _installation.count_lines()


def stop_counting_lines() -> None:
    """Undo `count_lines()`."""
    process.look()
    with _lock:
        _installation.stop_counting_lines()


# What a test captures events by (see testing.py).
class Standing(NamedTuple):
    """What stands at one moment: nothing (`config` is None), or a set-up and the calls for it."""

    config: Config | None
    calls: tuple[dict[str, Any], str]
    scope: Scope | None
    observers: tuple[Mirror, ...]
    imposed: Mapping[str, Any]
    levels: Mapping[str, int]


NOTHING: Final = Standing(None, ({}, ""), None, (), {}, {})


def standing() -> Standing:
    """Return what stands now, for `return_to`."""
    return Standing(
        _installation.config,
        _calls.saved(),
        context.here(),
        _installation.observers,
        _calls.imposed,
        _installation.levels.given(),
    )


def return_to(before: Standing) -> None:
    """Undo what was set up, or shut down, since then; what was bound here since is taken off."""
    process.look()
    context.stand_in(before.scope)
    with _lock:
        changed = (_installation.config, _installation.observers, _calls.saved()) != (
            before.config,
            before.observers,
            before.calls,
        )
        _installation.observers, _calls.imposed = before.observers, before.imposed
        if before.config is None:
            if _installation.config is not None:
                _undo()
            _installation.levels.take_back(but=before.levels)
            _installation.levels.give_again(before.levels)
        elif changed:
            _installation.apply(before.config, quiet=True)
        _calls.restore(before.calls)


def observe(observer: Mirror, imposed: Mapping[str, Any]) -> None:
    """Show all lines of this and later set-ups to `observer`, until `return_to`.

    `imposed` are arguments of `setup()` that stand where no call gives another value.
    """
    with _lock:
        _installation.observers = (*_installation.observers, observer)
        _calls.imposed = imposed


def show() -> None:
    """Let everybody who is shown lines see all of them."""
    if _sink.ready:
        _sink.writer.show()
