"""The parts of one set-up, made from its configuration: what stands on all lines, where they go."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from time import time as _now  # as events do: freezegun reaches both, `patch("time.time")` none
from typing import Any, Final

from flowery_logging import foreign
from flowery_logging.capture.elsewhere import is_printed_anyway, is_shown_on_stderr
from flowery_logging.capture.gate import Gate
from flowery_logging.capture.sink import Sink, this_thread
from flowery_logging.config import Config
from flowery_logging.counters import Counters
from flowery_logging.ecs import Composer, Event, Limits, LineEncoder, Placer, Static, identity
from flowery_logging.files import FileSettings, LogFiles, Nowhere, Stream
from flowery_logging.files.channel import STDOUT, Channel
from flowery_logging.files.levels import has_level
from flowery_logging.files.mirrors import Copy, Mirror, Mirrors
from flowery_logging.files.plain import Plain
from flowery_logging.library_code import OWN_LOGGER
from flowery_logging.redaction import Redactor
from flowery_logging.system import System

_OWN_RECORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "opened": ("info", "log-file-opened", "log file opened"),
    "closed": ("info", "log-closed", "log closed"),
    "removed": ("info", "log-files-removed", "old log files removed"),
    "recovered": ("warning", "log-recovered", "log can be written again"),
}


def static(config: Config) -> Static:
    """Return what all lines of this process say."""
    service: dict[str, Any] = {"name": config.service}
    if config.version is not None:
        service["version"] = config.version
    if config.environment is not None:
        service["environment"] = config.environment
    service["node"] = {"name": config.node}
    stream = {"type": "logs", "dataset": config.dataset, "namespace": config.namespace}
    return Static(service, {"name": socket.gethostname()}, stream, config.service)


def redactor(config: Config, shown: int) -> Redactor:
    """Return what decides which values must not be shown; of a text a line shows so much."""
    if not config.redact_personal and not config.pseudonyms:
        return Redactor(config.redact, config.redact_safe, shown=shown)
    from flowery_logging.redaction.choices import ChosenRedactor
    from flowery_logging.redaction.pseudonyms import Pseudonyms

    names, key = config.pseudonyms, config.pseudonym_key
    pseudonyms = Pseudonyms(names, key) if names else None
    chosen = config.redact, config.redact_safe, config.redact_personal
    return ChosenRedactor(*chosen, pseudonyms, shown)


def keeps(config: Config) -> bool:
    """Tell whether lines stay anywhere: in files, or on standard output."""
    return config.directory is not None or "stdout" in config.outputs


def _file_settings(config: Config) -> FileSettings:
    return FileSettings(
        config.directory or "",
        config.service,
        config.max_bytes,
        config.max_age,
        config.keep_bytes,
        config.keep_days * 86_400,
    )


def is_moved(before: Config, config: Config) -> bool:
    """Tell whether lines go to another place, or by other rules, than with the one before."""
    if before.outputs != config.outputs or before.directory != config.directory:
        return True
    return _file_settings(before) != _file_settings(config)


def target(config: Config) -> Any:
    """Return what makes the place where lines go, from the process's `entity_id`."""
    if config.directory is None:
        return Stream if keeps(config) else Nowhere
    return partial(LogFiles, _file_settings(config))


def mirrors(config: Config, counters: Counters, observers: Iterable[Mirror] = ()) -> Mirrors:
    """Return what shows lines again, beside the place where they go."""
    found, kept = [*observers], config.directory is not None
    if "console" in config.outputs:
        from flowery_logging.files.console import Console

        found.append(Console(is_printed_anyway, kept=kept))
    if config.stderr_level is not None:
        found.append(Plain(config.stderr_level, is_shown_on_stderr, kept=kept))
    if kept and "stdout" in config.outputs:
        found.append(Copy(Channel(STDOUT)))
    return Mirrors(found, counters, _named_levels() if found else ())


def gates(config: Config, sink: Sink) -> tuple[Gate, ...]:
    """Return what decides about events before they are encoded: nothing by default."""
    found: list[Gate] = []
    if config.sample is not None:  # first: an error that flood control leaves out keeps its request
        from flowery_logging.capture.sampling import Sampler

        found.append(Sampler(*config.sample, sink))
    if config.flood is not None:
        from flowery_logging.capture.flood import Flood

        found.append(Flood(*config.flood, sink))
    return tuple(found)


def _named_levels() -> list[tuple[str, int]]:
    """Return the levels that have a name, also one of the application's own."""
    return list(foreign.levels_by_name().items())


def streams(config: Config) -> list[Any]:
    """Return the standard streams to which this set-up writes events."""
    console = [sys.stderr] if "console" in config.outputs else []
    return console + ([sys.stdout] if "stdout" in config.outputs else [])


def lines_of(directory: str | None, entity: str) -> Iterator[bytes]:
    """Yield the lines that a process has in its files; torn and foreign ones are none of its.

    A file that cannot be read, or is gone, has none.
    """
    from flowery_logging.files.reader import Selection, find
    from flowery_logging.files.search import search

    with suppress(OSError):
        for file in find(directory, Selection(entity=entity)) if directory is not None else ():
            with suppress(OSError):
                yield from (raw.data for raw in search(file) if has_level(raw.data))


def process_identity(entity: str) -> tuple[bytes, bytes, bytes]:
    """Return what the writer splices into each line of this process."""
    return identity(entity, System.getpid())


def own_composer(static: Static, placer: Placer, counters: Counters) -> Composer:
    """Return what makes records of the library's own.

    They hold no secret. What they tell the audit is not cut by limits that are lower than the
    default ones: numbers of which it has not heard are lost.
    """
    own = placer.unredacted()
    own.limits = Limits(*map(max, placer.limits, Limits()))
    return Composer(static, own, counters)


def own_record(
    encoder: LineEncoder, composer: Composer, kind: str, facts: dict[str, Any]
) -> tuple[bytes, bytes]:
    """Return the halves of a record of the writer's own."""
    level, action, message = _OWN_RECORDS[kind]
    site = encoder.site((OWN_LOGGER, kind), level, OWN_LOGGER, "", 0, None)
    event = Event(_now(), site, message, this_thread(encoder), {"event.action": action, **facts})
    return composer.compose(event)
