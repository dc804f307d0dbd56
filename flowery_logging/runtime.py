"""`setup()` and its counterparts: wires the rooms together, and keeps the only global state."""

from __future__ import annotations

import copyreg
import logging
import os
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from flowery_logging import agents, baggage, context, copies, presence, process, wiring
from flowery_logging.capture import (
    celery_lines,
    greenlets,
    jupyter_lines,
    own_gates,
    stdlib,
    structlog as structlog_capture,
)
from flowery_logging.capture.attachment import Attachment, loggers
from flowery_logging.capture.basic_config import BasicConfig
from flowery_logging.capture.configurators import Change, described
from flowery_logging.capture.direct import Shortcut
from flowery_logging.capture.doubles import Doubles
from flowery_logging.capture.flight import FlightRecorder
from flowery_logging.capture.given_levels import GivenLevels
from flowery_logging.capture.logger_type import Logger
from flowery_logging.capture.loops import Loops
from flowery_logging.capture.own import OwnLogger
from flowery_logging.capture.sink import Sink
from flowery_logging.capture.structlog_adoption import PROCESSORS, Adoption
from flowery_logging.capture.structlog_output import SPECIAL, Output
from flowery_logging.capture.uncaught import Hooks
from flowery_logging.capture.waiting import Waiting
from flowery_logging.capture.watchers import OwnChanges
from flowery_logging.config import Config
from flowery_logging.counters import Counters
from flowery_logging.ecs import Composer, Limits, LineEncoder, Placer, Redactor, encoders
from flowery_logging.ending import Ending
from flowery_logging.files import Writer, channel
from flowery_logging.files.mirrors import Mirror
from flowery_logging.files.tally import Tally
from flowery_logging.imports import Imports
from flowery_logging.library_code import OWN_LOGGER
from flowery_logging.privileges import Handover
from flowery_logging.scope import Scope
from flowery_logging.settings import check_level
from flowery_logging.startup import Calls, Startup, caller, say_where

_counters = Counters(
    "files", "files_removed", "bytes_removed", "write_errors", "dropped", "interrupted",
    "rewritten", "reserved_names", "misfits", "renamed_labels", "fields_over_limit", "cut_values",
    "cut_lists", "cut_traces", "cut_lines", "fallbacks", "broken_records", "processor_errors",
    "dropped_by_processors", "handler_errors", "undone", "keyword_fields", "mirror_errors",
    "own_changes", "label_names_over_limit", "redacted", "left_out_by_flood",
    "left_out_by_sampling",
)  # fmt: skip
_sink = Sink(_counters)
_recorder = FlightRecorder(_sink)
_adoption = Adoption(_sink, warn=lambda message: warn(message))  # noqa: PLW0108 - defined below
_lock = RLock()
_handler = stdlib.Handler(_sink)
_hooks = Hooks(_sink, _handler.leave_out)
_redactor = Redactor()
_waiting = Waiting(_handler, lambda: _redactor)
_attachment = Attachment(
    _handler,
    announce=lambda changes: _tell_undone(changes),  # noqa: PLW0108 - defined below
    count=lambda found: _counters.add("undone", found),
    on_record=_waiting.look,
    on_repair=lambda: _look_at_configured(),  # noqa: PLW0108 - defined below
)
_basic_config = BasicConfig(
    _handler,
    on_added=lambda: _take_doubles_away(),  # noqa: PLW0108 - defined below
)
_levels = GivenLevels(_handler, _recorder, _attachment)
_handler.is_held_back = own_gates.is_held_back
_shortcut = Shortcut(_sink, _handler, _attachment)
_doubles = Doubles()
_imports = Imports(
    (*agents.KNOWN, *greenlets.LOGGERS, "celery", "uvloop"),
    look=lambda: _look_around(),  # noqa: PLW0108 - defined below
)
_config: Config | None = None
_undoing = False  # a `shutdown()` has begun, and not ended
_own_changes = OwnChanges(_handler)
_calls = Calls()
_startup = Startup()
_handover = Handover()
_own_encoder: Composer
_ending = Ending(
    finish=lambda reason: checkpoint(reason),  # noqa: PLW0108 - defined below
    when_idle=lambda callback: _sink.writer.when_idle(callback),  # noqa: PLW0108 - set by setup
    within=lambda seconds, then: _sink.writer.within(seconds, then),  # noqa: PLW0108 - set by setup
    died=_hooks.process_died,
    go_on=lambda: go_on(),  # noqa: PLW0108 - defined below
    child_begins=lambda: _loops.look(),  # noqa: PLW0108 - defined below
)
_loops: Loops = Loops(_ending.signals.begin_loop, is_asked=lambda: _ending.signals.are_left)
_role: str | None = None  # the service's name, whatever setup() says
_tally: Tally | None = None  # set while lines are counted for metrics
_observers: tuple[Mirror, ...] = ()  # see all lines of each set-up (see testing.py)


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
        config = _calls.resolve(arguments, _config)
        encoders()
        change = _calls.note(arguments, _config, config, place)
        _apply(config)
    for text in (change, _startup.unknown_variables(config)):
        if text:
            warn(text)


def take_role(service: str) -> None:
    """Name this process's service, now and in each later `setup()`: what it is for has turned out.

    For a process that imports what others import too (a worker). Raises ConfigError.
    """
    global _role
    _role = service
    with _lock:
        if _config is not None:
            _apply(_calls.resolve({"service": service}, _config))


def _apply(config: Config, *, quiet: bool = False) -> None:
    global _config, _own_encoder, _redactor
    if _config is None:
        copies.take_over(shutdown)
    _redactor = wiring.redactor(config)
    limits = Limits(**config.limits)
    placer = Placer(config.fields, _redactor, limits, _counters, _tell_names_used_up)
    aside = stdlib.ASIDE | SPECIAL
    encoder = LineEncoder(wiring.static(config), placer, _counters, aside)
    baggage.allow(config.baggage)
    _own_encoder = wiring.own_composer(encoder.static, placer, _counters)
    writer = _writer(config)
    _sink.tell()  # of the gates that stood until now
    _sink.open(encoder, writer, config.processors, wiring.gates(config, _sink))
    previous, _config = _config, config
    _count_lines()
    presence.established()
    if previous is None:
        _install()
    _ending.install(signals=config.capture_signals)
    _install_hooks(config)
    _handover.install(config)
    _own_changes.install(config.directory)
    _doubles.put_back()
    _take_doubles_away()
    _look_around()
    _levels.give(config.level, config.levels, config.flight_recorder)
    _attachment.repair()
    if previous is None:
        _name_disabled()
        _adoption.tell()
    if not quiet and (previous is None or previous.directory != config.directory):
        say_where(config)
        if config.fallback:
            warn(f"logs go to standard output: {config.fallback}")


def _writer(config: Config) -> Writer:
    """Return the process's writer, pointed at the configured place."""
    target, mirrors = wiring.target(config), wiring.mirrors(config, _counters, _observers)
    writer: Writer | None = getattr(_sink, "writer", None)
    if writer is not None:  # also after a shutdown(): the process goes on counting
        if _config is None or wiring.place(_config) != wiring.place(config):
            writer.reconfigure(target)
        writer.mirror(mirrors)
        return writer
    return Writer(target, wiring.process_identity, _own_record, _counters, mirrors)


def _own_record(kind: str, facts: dict[str, Any]) -> tuple[bytes, bytes]:
    return wiring.own_record(_sink.encoder, _own_encoder, kind, facts)


def _install() -> None:
    """Do, once, what `shutdown` undoes."""
    stdlib.make_record_patch.apply(stdlib.safe_make_record)
    _attachment.install()
    _basic_config.install()
    _shortcut.install()
    _waiting.install()
    _imports.install()
    _adoption.install(
        wrapper_class=structlog_capture.BoundLogger,
        logger_factory=_output,
        context_class=dict,
        cache_logger_on_first_use=False,
    )


def _look_around() -> None:
    """Look for what of other people's code the program has imported by now."""
    agents.look()
    celery_lines.look(_handler)
    jupyter_lines.look(_handler)
    _loops.look()
    _hooks.look()


def _look_at_configured() -> None:
    """Look at what somebody has configured: an application of Jupyter's does so as it begins."""
    _take_doubles_away()
    jupyter_lines.look(_handler)


def _install_hooks(config: Config) -> None:
    _hooks.install(uncaught=config.capture_uncaught, captured_warnings=config.capture_warnings)


def _output(name: str | None = None, *_: object) -> Output:
    return Output(_sink, name)


copyreg.pickle(Output, lambda output: (_output, (output.name,)))


def reattach() -> None:
    """Attach the handler again where another configurator has taken it away."""
    process.look()
    with _lock:
        if _config is not None:
            _attachment.repair()
            _ending.install(signals=_config.capture_signals)  # setup() may have been in a thread
            _install_hooks(_config)
            _look_around()


def set_level(level: int | str, logger: str | None = None) -> None:
    """Change the level at run time: of everything, or of one logger and those below it.

    Loggers from `get_logger()` that exist already follow. Raises ConfigError for an unknown level.
    """
    number = check_level(level)
    process.look()
    with _lock:
        if _config is not None:
            _calls.note_level(_config, number, logger)
        if logger is None:
            _levels.give_all(number)
        else:
            _levels.give_one(logger, number)


def count_lines() -> Tally:
    """Count the lines of this process by service and level until `stop_counting_lines()`."""
    global _tally
    process.look()
    with _lock:
        _tally = _tally or Tally()
        _count_lines()
        return _tally


def stop_counting_lines() -> None:
    """Undo `count_lines()`."""
    global _tally
    process.look()
    with _lock:
        _tally = None
        if hasattr(_sink, "writer"):
            _sink.writer.count(None)


def _count_lines() -> None:
    config = _config
    if _tally is None or config is None:
        return
    _tally.name(config.service)
    _sink.writer.count(_tally, lambda entity: wiring.lines_of(config.directory, entity))


def counters() -> Counters:
    """Return the counts that `stats()` shows."""
    return _counters


def label_names() -> tuple[int, int]:
    """Return how many names of labels this process has made, and how many it may make."""
    if not _sink.ready:
        return 0, 0
    placer = _sink.encoder.placer
    return len(placer.label_names or ()), placer.limits.label_names


def current_config() -> Config | None:
    """Return the settings that stand; None where `setup()` has not been called."""
    return _config


def clean_query(query: str) -> str:
    """Return the query of a URL without the secrets in it, which are counted."""
    return _redactor.clean_query(query, _counters)


def current_sink() -> Sink:
    """Return where events go: `ready` while a set-up stands."""
    return _sink


def shows_console() -> bool:
    """Tell whether the set-up shows events on stderr."""
    return _config is not None and "console" in _config.outputs


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
    return {"events": events, "waiting": waiting, **_counters.snapshot()}


def shutdown() -> None:
    """Write the closing record, close the file and undo what `setup()` has installed.

    If a signal handler interrupts it, the next `shutdown()` or `setup()` goes on.
    """
    process.look()
    with _lock:
        if _config is not None:
            _undo()


def _undo() -> None:
    """Do what `shutdown` does: steps of which each may be done again."""
    global _config, _undoing
    _undoing = True
    _attachment.tell()
    _sink.tell()
    _sink.writer.close()
    _recorder.uninstall()
    _attachment.uninstall()
    _basic_config.uninstall()
    _levels.take_back()
    _shortcut.uninstall()
    _waiting.uninstall()
    _imports.uninstall()
    _loops.uninstall()
    _attachment.on_way = None
    _doubles.put_back()
    stdlib.make_record_patch.undo()
    _adoption.uninstall()
    _ending.uninstall()
    _hooks.uninstall()
    _handover.uninstall()
    _own_changes.uninstall()
    _sink.ready = False
    channel.close()
    baggage.allow(())
    copies.leave(shutdown)
    _config = None
    _calls.forget()
    _undoing = False


def _start_child() -> None:
    """Make the lock anew: a thread that is not in this child may have held it."""
    global _lock
    _lock = RLock()


process.in_each_child(_start_child)


def checkpoint(reason: str | None = None) -> None:
    """Write the closing record with the count of events; more may follow.

    `reason` names the signal that ends the process, if one does (`event.reason`).
    For the end of a server whose process goes on or ends in ways that run no `atexit`.
    """
    if _sink.ready:
        _attachment.tell()
        _sink.tell()
        _sink.writer.checkpoint(reason)
        channel.leave()


def go_on() -> None:
    """Take note that the process does not end after all: a server starts in it again."""
    if _sink.ready:
        _sink.writer.go_on()


def warn(message: str, **fields: object) -> None:
    """Write a warning of the library's own: what it found in the set-up around it."""
    own_logger(OWN_LOGGER).log(logging.WARNING, message, extra=fields)


def _tell_undone(changes: Sequence[Change]) -> None:
    """Say what others have changed in `logging` after `setup()`, and what of it does not stand."""
    warn(
        "logging was configured after setup(), which is undone where events would be lost: "
        + described(changes),
        configured_by=list(dict.fromkeys(change.where for change in changes)),
    )


def _tell_names_used_up(name: str) -> None:
    """Say that this process makes more names of labels than an index has room for."""
    warn(
        f"no room for a label {name!r}: this process has used up its names of labels, so the fields"
        " of further names stand together in labels.more_fields, where Elasticsearch has no field"
        " for each; log what changes as a value under one name"
    )


def _take_doubles_away() -> None:
    if _config is not None:
        _attachment.on_way = _doubles.take_away(wiring.streams(_config))


def _name_disabled() -> None:
    """Say which loggers were disabled before; by whom and why, nobody can tell any more."""
    names = [logger.name for logger in loggers() if logger.disabled]
    if names:
        warn(f"loggers that were disabled before setup() write nothing: {', '.join(names)}")


def own_logger(name: str) -> OwnLogger:
    """Return the logger for records of the library's own: `flowery_logging` or below it."""
    return OwnLogger(name, _handler, _recorder)


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
        _config, _calls.saved(), context.here(), _observers, _calls.imposed, dict(_levels.before)
    )


def return_to(before: Standing) -> None:
    """Undo what was set up, or shut down, since then; what was bound here since is taken off."""
    global _observers
    process.look()
    context.stand_in(before.scope)
    with _lock:
        changed = (_config, _observers, _calls.saved()) != (
            before.config,
            before.observers,
            before.calls,
        )
        _observers, _calls.imposed = before.observers, before.imposed
        if before.config is None:
            shutdown()
            _levels.take_back(but=before.levels)
        elif changed:
            _apply(before.config, quiet=True)
        _calls.restore(before.calls)


def observe(observer: Mirror, imposed: Mapping[str, Any]) -> None:
    """Show all lines of this and later set-ups to `observer`, until `return_to`.

    `imposed` are arguments of `setup()` that stand where no call gives another value.
    """
    global _observers
    with _lock:
        _observers, _calls.imposed = (*_observers, observer), imposed


def show() -> None:
    """Let everybody who is shown lines see all of them."""
    if _sink.ready:
        _sink.writer.show()


def leave_out(logger: str, is_told: Callable[[logging.LogRecord], bool]) -> None:
    """Keep those records of a logger out of our lines that are told otherwise."""
    _handler.leave_out(logger, is_told)


def show_as(logger: str, shown_as: Callable[[logging.LogRecord], logging.LogRecord]) -> None:
    """Write what `shown_as` makes of each record of a logger: the record, or a changed copy."""
    _handler.show_as(logger, shown_as)


def place(logger: str, scope_of: Callable[[logging.LogRecord], Scope | None]) -> None:
    """Write a logger's records with the fields of the scope that `scope_of` finds for each."""
    _handler.place(logger, scope_of)
