"""`setup()` and its counterparts: wires the rooms together, and keeps the only global state."""

from __future__ import annotations

import copyreg
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from flowery_logging import agents, wiring
from flowery_logging.capture import stdlib, structlog as structlog_capture
from flowery_logging.capture.direct import Shortcut
from flowery_logging.capture.flight import FlightRecorder
from flowery_logging.capture.sink import Sink
from flowery_logging.capture.uncaught import Hooks
from flowery_logging.config import Config, resolve
from flowery_logging.counters import Counters
from flowery_logging.ecs import Composer, Limits, LineEncoder, Placer, Redactor, encoders
from flowery_logging.ending import Ending
from flowery_logging.files import Writer
from flowery_logging.settings import check_level

_counters = Counters(
    "files", "files_removed", "write_errors", "dropped", "interrupted", "rewritten",
    "reserved_names", "misfits", "renamed_labels", "fields_over_limit", "cut_values", "cut_lists",
    "cut_traces", "cut_lines", "fallbacks", "broken_records", "processor_errors",
    "dropped_by_processors",
)  # fmt: skip
_sink = Sink(_counters)
_hooks = Hooks(_sink)
_recorder = FlightRecorder(_sink)
_lock = threading.RLock()
_handler: stdlib.Handler | None = None
_shortcut: Shortcut | None = None
_config: Config | None = None
_redactor = Redactor()
_own_encoder: Composer
_ending = Ending(
    finish=lambda reason: checkpoint(reason),  # noqa: PLW0108 - defined below
    when_idle=lambda callback: _sink.writer.when_idle(callback),  # noqa: PLW0108 - set by setup
)
_touched_levels: dict[str, int] = {}  # loggers whose level is ours → what it was


def setup(
    service: str | None = None,
    *,
    version: str | None = None,
    environment: str | None = None,
    node: str | None = None,
    directory: str | os.PathLike[str] | None = None,
    output: str | Sequence[str] | None = None,
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
    redact_messages: bool | None = None,
    fields: Mapping[str, str] | str | os.PathLike[str] | None = None,
    limits: Mapping[str, int] | str | None = None,
    processors: Sequence[Callable[[dict[str, Any]], dict[str, Any] | None]] | None = None,
    capture_uncaught: bool | None = None,
    capture_warnings: bool | None = None,
) -> None:
    """Send every log event of this process, as ECS JSON, to rotating files.

    No argument is needed. Each can be given by an environment variable too (`FLOWERY_…`, for the
    service also OpenTelemetry's and Elastic APM's); an argument wins. A second call reconfigures:
    the numbering goes on, and nothing is lost.

    Args:
        service: `service.name`, as given; sanitised only in file and data-stream names.
        version, environment, node: `service.version`, `.environment`, `.node.name`.
        directory: where the files lie. Default: /var/log/flowery if it exists and can be written,
            else ./logs.
        output: any of "file", "stdout", "console", comma-separated or a sequence. Default: "file",
            and "console" too if stderr is a terminal.
        level: the root logger's level and that of `get_logger()`. Default "INFO".
        levels: levels of single loggers, e.g. `{"sqlalchemy.engine": "WARNING"}`.
        flight_recorder: a level below `level`; events from there on are kept for each request
            (up to 256 KB, 32 MB in all), and written only if it ends in an error.
        max_bytes: when the next file is opened, in bytes or as "64MB" (the default).
        max_age: the same by age, in seconds or as "12h". Default: a day.
        keep_bytes, keep_days: what retention leaves, per service. Default: 1 GB, 7 days.
        dataset: `data_stream.dataset`; "{service}" stands for the service's name. Default
            "flowery": one stream for the team.
        redact: more names of keys whose values are secrets.
        redact_safe: names of keys that are not, although they look so.
        redact_messages: hide `key=value` in messages too.
        fields: the team's own typed fields, `{"flowery.order.id": "long"}` or a JSON file.
        limits: what one event may hold, e.g. `{"line_bytes": 16_000, "depth": 4}`; the names are
            those of `ecs.limits.Limits`.
        processors: callables that take an event as a dict, and return it or None to drop it.
        capture_uncaught: log uncaught exceptions before the interpreter reports them.
        capture_warnings: log warnings before they are shown.

    Raises:
        ConfigError: a value cannot be used; the text names it, its source and what is allowed.
    """
    config = resolve(dict(locals()))
    encoders()
    with _lock:
        _apply(config)


def _apply(config: Config) -> None:
    global _config, _handler, _own_encoder, _redactor
    _redactor = Redactor(config.redact, config.redact_safe, messages=config.redact_messages)
    placer = Placer(config.fields, _redactor, Limits(**config.limits), _counters)
    aside = stdlib.ASIDE | structlog_capture.SPECIAL
    encoder = LineEncoder(wiring.static(config), placer, _counters, aside)
    _own_encoder = Composer(encoder.static, placer.unredacted(), _counters)
    writer = _writer(config)
    _sink.open(encoder, writer, config.processors)
    previous, _config = _config, config
    _handler = _handler or stdlib.Handler(_sink)
    if previous is None:
        _install(_handler)
    _hooks.install(uncaught=config.capture_uncaught, captured_warnings=config.capture_warnings)
    stdlib.attach(_handler)
    agents.look()
    _set_levels(config)
    if previous is None or previous.directory != config.directory:
        _say_where(config)
    if config.fallback:
        warn(f"logs go to standard output: {config.fallback}")


def _writer(config: Config) -> Writer:
    """Return the process's writer, pointed at the configured place."""
    target, mirrors = wiring.target(config), wiring.mirrors(config)
    writer: Writer | None = getattr(_sink, "writer", None)
    if writer is not None:  # also after a shutdown(): the process goes on counting
        if _config is None or wiring.place(_config) != wiring.place(config):
            writer.reconfigure(target, mirrors)
        return writer
    return Writer(target, wiring.process_identity, _own_record, _counters, mirrors)


def _own_record(kind: str, facts: dict[str, Any]) -> tuple[bytes, bytes]:
    return wiring.own_record(_sink.encoder, _own_encoder, kind, facts)


def _install(handler: stdlib.Handler) -> None:
    """Do, once, what `shutdown` undoes."""
    global _shortcut
    stdlib.wrap_make_record()
    _shortcut = Shortcut(_sink, handler)
    _shortcut.install()
    structlog.configure(
        processors=structlog_capture.PROCESSORS,
        wrapper_class=structlog_capture.BoundLogger,
        logger_factory=_output,
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    _ending.install()


def _output(name: str | None = None, *_: Any) -> structlog_capture.Output:
    return structlog_capture.Output(_sink, name)


copyreg.pickle(structlog_capture.Output, lambda output: (_output, (output.name,)))


def reattach() -> None:
    """Attach the handler again where another configurator has taken it away."""
    with _lock:
        if _handler is not None and _config is not None:
            stdlib.attach(_handler)
            agents.look()


def _set_levels(config: Config) -> None:
    wanted = {"root": config.level, **config.levels}
    for name in [name for name in _touched_levels if name not in wanted]:
        logging.getLogger(name).setLevel(_touched_levels.pop(name))
    for name, number in wanted.items():
        _set_logger_level(name, number)
    _set_own_level(config, config.level)


def _set_logger_level(name: str, number: int) -> None:
    logger = logging.getLogger(None if name == "root" else name)
    _touched_levels.setdefault(name, logger.level)
    logger.setLevel(number)


def _set_own_level(config: Config, level: int) -> None:
    """Set the level of `get_logger()`; the recorder needs the root logger's as low as its own."""
    structlog_capture.set_level(level)
    logging.getLogger().setLevel(_recorder.set_levels(config.flight_recorder, level))


def set_level(level: int | str, logger: str | None = None) -> None:
    """Change the level at run time: of everything, or of one logger of the standard library.

    Loggers from `get_logger()` that exist already follow. Raises ConfigError for an unknown level.
    """
    number = check_level(level)
    with _lock:
        _set_logger_level(logger or "root", number)
        if logger is None and _config is not None:
            _set_own_level(_config, number)
        elif logger is None:
            structlog_capture.set_level(number)


def redactor() -> Redactor:
    """Return what decides, in this set-up, which values must not be shown."""
    return _redactor


def current_sink() -> Sink:
    """Return where events go: `ready` while a set-up stands."""
    return _sink


def get_logger(name: str | None = None, **fields: Any) -> Any:
    """Return a structlog bound logger that writes to the same file.

    `log.info("order placed", order_id=7)`; with `bind`, `new`, `unbind`, `exception`, `ainfo` … as
    structlog documents them. Without a name, `log.logger` is the calling module's. Loggers may be
    made before `setup()`; until then their events go to the standard library's `logging`.
    """
    return structlog_capture.BoundLogger(_output(name), structlog_capture.PROCESSORS, fields)


def stats() -> Mapping[str, int]:
    """Return counts of this process: `events` (numbered so far), `waiting`, and of faults."""
    writer = getattr(_sink, "writer", None)
    events, waiting = (0, 0) if writer is None else (writer.number, writer.waiting)
    return {"events": events, "waiting": waiting, **_counters.snapshot()}


def shutdown() -> None:
    """Write the closing record, close the file and undo what `setup()` has installed."""
    global _config
    with _lock:
        if _config is None:
            return
        _sink.writer.close()
        if _handler is not None:
            stdlib.detach(_handler)
        for name in list(_touched_levels):
            logging.getLogger(None if name == "root" else name).setLevel(_touched_levels.pop(name))
        if _shortcut is not None:
            _shortcut.uninstall()
        stdlib.restore_make_record()
        structlog_capture.set_level(logging.NOTSET)
        structlog.reset_defaults()
        _ending.uninstall()
        _hooks.uninstall()
        _recorder.uninstall()
        _sink.ready = False
        _config = None


def checkpoint(reason: str | None = None) -> None:
    """Write the closing record with the count of events; more may follow.

    `reason` names the signal that ends the process, if one does (`event.reason`).
    For the end of a server whose process goes on or ends in ways that run no `atexit`.
    """
    if _sink.ready:
        _sink.writer.checkpoint(reason)


def warn(message: str, **fields: Any) -> None:
    """Write a warning of the library's own: what it found in the set-up around it."""
    logging.getLogger(wiring.OWN_LOGGER).warning(message, extra=fields)


def _say_where(config: Config) -> None:
    """Write the one start-up line to stderr: where the logs go."""
    if config.directory is None or sys.stderr is None:
        return
    try:
        sys.stderr.write(f"flowery_logging: {config.service} logs to {config.directory}\n")
    except (OSError, ValueError):
        pass  # stderr is closed
