"""The parts that a set-up puts into the process, wired to each other, until they are taken out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flowery_logging import foreign, presence
from flowery_logging.capture import (
    celery_lines,
    dagster_lines,
    greenlets,
    jupyter_lines,
    made_records,
    own_gates,
    records,
    stdlib,
    structlog as structlog_capture,
)
from flowery_logging.capture.attachment import Attachment
from flowery_logging.capture.basic_config import BasicConfig
from flowery_logging.capture.configurators import DETACHED, DISABLED, Change, described, names_of
from flowery_logging.capture.direct import Shortcut
from flowery_logging.capture.doubles import Doubles
from flowery_logging.capture.flight import FlightRecorder
from flowery_logging.capture.given_levels import GivenLevels
from flowery_logging.capture.logger_tree import loggers
from flowery_logging.capture.loops import Loops
from flowery_logging.capture.own import OwnLogger
from flowery_logging.capture.sink import Sink
from flowery_logging.capture.structlog_adoption import Adoption
from flowery_logging.capture.structlog_output import SPECIAL, Output
from flowery_logging.capture.uncaught import Hooks
from flowery_logging.capture.waiting import Waiting
from flowery_logging.capture.watchers import OwnChanges
from flowery_logging.config import Config
from flowery_logging.counters import COUNTED, Counters
from flowery_logging.ecs import Composer, Limits, LineEncoder, Placer, Redactor
from flowery_logging.ends.ending import Ending
from flowery_logging.files import Writer, channel
from flowery_logging.files.mirrors import Mirror
from flowery_logging.files.tally import Tally
from flowery_logging.installation import copies, own_warnings, wiring
from flowery_logging.installation.imports import Imports
from flowery_logging.installation.privileges import Handover
from flowery_logging.installation.startup import say_where
from flowery_logging.library_code import OWN_LOGGER
from flowery_logging.tracing import agents, baggage


class Part(Protocol):
    """What is put into other people's code, and taken out in the order of `_parts`."""

    def uninstall(self) -> None:
        """Take it out; again, it does nothing."""
        ...


class Installation:
    """Puts the library into the process by a configuration, and takes it out again.

    It is made once: what counts events, and numbers them, goes on through all set-ups.

    Args:
        shutdown: the function that ends this installation, for another copy of this package.
        output: makes the output of a structlog logger, which is pickled by its name.
    """

    def __init__(self, shutdown: Callable[[], None], output: Callable[..., Output]) -> None:
        self._shutdown = shutdown
        self._output = output
        self.config: Config | None = None  # None: nothing is set up
        self.observers: tuple[Mirror, ...] = ()  # see all lines of each set-up (see testing.py)
        self._tally: Tally | None = None  # set while lines are counted for metrics
        self._own_encoder: Composer
        self.redactor = Redactor()
        self.counters = Counters(*COUNTED)
        self.sink = Sink(self.counters)
        self.handler = stdlib.Handler(self.sink)
        self.handler.is_held_back = own_gates.is_held_back
        self.recorder = FlightRecorder(self.sink)
        self._adoption = Adoption(self.sink, self.warn)
        self._hooks = Hooks(self.sink, self.handler.leave_out)
        self._waiting = Waiting(self.handler, lambda: self.redactor, self._keeps)
        self.attachment = Attachment(
            self.handler,
            announce=self._tell_undone,
            count=lambda found: self.counters.add("undone", found),
            on_record=self._waiting.look,
            on_repair=self._look_at_configured,
        )
        self._basic_config = BasicConfig(self.handler, on_added=self._take_doubles_away)
        self.levels = GivenLevels(self.handler, self.recorder, self.attachment)
        self._shortcut = Shortcut(self.sink, self.handler, self.attachment)
        self._doubles = Doubles()
        libraries = "celery", dagster_lines.MODULE, "uvloop", foreign.GROUPS
        known = (*agents.KNOWN, *greenlets.LOGGERS, *libraries)
        self._imports = Imports(known, self._hooks.make_way, look=self._look_around)
        self._own_changes = OwnChanges(self.handler)
        self._handover = Handover()
        self._ending = self._new_ending()
        signals = self._ending.signals
        self._loops = Loops(signals.begin_loop, is_asked=lambda: signals.are_left)
        self._parts: tuple[Part, ...] = (
            self.recorder, self.attachment, self._basic_config, self._shortcut, self._waiting,
            self._imports, self._loops, self._adoption, self._ending, self._hooks, self._handover,
            self._own_changes,
        )  # fmt: skip

    def _new_ending(self) -> Ending:
        return Ending(
            finish=self.checkpoint,
            when_idle=lambda callback: self.sink.writer.when_idle(callback),  # noqa: PLW0108 - set by `apply`
            within=lambda seconds, then: self.sink.writer.within(seconds, then),  # noqa: PLW0108 - set by `apply`
            died=self._hooks.process_died,
            go_on=self.go_on,
            rescue=self.handler.rescue_passing,
            child_begins=lambda: self._loops.look(),  # noqa: PLW0108 - made after this
        )

    def apply(self, config: Config, *, quiet: bool = False) -> None:
        """Let a configuration stand, the first one or another; `quiet`: say nothing on stderr."""
        previous = self.config
        if previous is None:
            copies.take_over(self._shutdown)
        self._open(config)
        self.config = config
        self._count_lines()
        presence.established()
        if previous is None:
            self._install()
        self._install_for(config)
        if previous is None:
            self._name_disabled()
            self._adoption.tell()
        if not quiet and (previous is None or previous.directory != config.directory):
            say_where(config)
            if config.fallback:
                self.warn(f"logs go to standard output: {config.fallback}")

    def _open(self, config: Config) -> None:
        """Let events be encoded and written as a configuration says."""
        limits = Limits(**config.limits)
        self.redactor = wiring.redactor(config, limits.line_bytes)
        tell = self._tell_names_used_up
        placer = Placer(config.fields, self.redactor, limits, self.counters, tell)
        aside = records.ASIDE | SPECIAL
        encoder = LineEncoder(wiring.static(config), placer, self.counters, aside)
        baggage.allow(config.baggage)
        self._own_encoder = wiring.own_composer(encoder.static, placer, self.counters)
        writer = self._writer(config)
        self.sink.tell()  # of the gates that stood until now
        self.sink.open(encoder, writer, config.processors, wiring.gates(config, self.sink))

    def _writer(self, config: Config) -> Writer:
        """Return the process's writer, pointed at the configured place."""
        target = wiring.target(config)
        mirrors = wiring.mirrors(config, self.counters, self.observers)
        writer: Writer | None = getattr(self.sink, "writer", None)
        if writer is not None:  # also after an `undo()`: the process goes on counting
            if self.config is None or wiring.is_moved(self.config, config):
                writer.reconfigure(target)
            writer.mirror(mirrors)
            return writer
        return Writer(target, wiring.process_identity, self._own_record, self.counters, mirrors)

    def _keeps(self) -> bool:
        return self.config is not None and wiring.keeps(self.config)

    def _own_record(self, kind: str, facts: dict[str, Any]) -> tuple[bytes, bytes]:
        return wiring.own_record(self.sink.encoder, self._own_encoder, kind, facts)

    def _install(self) -> None:
        """Put in, once, what does not depend on a configuration; `undo` takes it out."""
        made_records.make_record_patch.apply(made_records.safe_make_record)
        self.attachment.install()
        self._basic_config.install()
        self._shortcut.install()
        self._waiting.install()
        self._imports.install()
        self._adoption.install(
            wrapper_class=structlog_capture.BoundLogger,
            logger_factory=self._output,
            context_class=dict,
            cache_logger_on_first_use=False,
        )

    def _install_for(self, config: Config) -> None:
        """Do, at each configuration, what depends on it."""
        self._ending.install(signals=config.capture_signals)
        self._install_hooks(config)
        self._handover.install(config)
        self._own_changes.install(config.directory)
        self._doubles.put_back()
        self._take_doubles_away()
        self._look_around()
        self.levels.give(config.level, config.levels, config.flight_recorder)
        self.attachment.repair()

    def _install_hooks(self, config: Config) -> None:
        captured = config.capture_warnings
        self._hooks.install(uncaught=config.capture_uncaught, captured_warnings=captured)

    def repair(self, config: Config) -> None:
        """Put back what another configurator has taken away, and look around."""
        self.attachment.repair()
        self._ending.install(signals=config.capture_signals)  # setup() may have been in a thread
        self._install_hooks(config)
        self._look_around()

    def undo(self) -> None:
        """Take all out again: steps of which each may be done again."""
        self.attachment.tell()
        self.sink.tell()
        self.sink.writer.close()
        for part in self._parts:
            part.uninstall()
        self.levels.take_back()
        self.attachment.on_way = None
        self._doubles.put_back()
        made_records.make_record_patch.undo()
        self.sink.ready = False
        self.sink.writer.close()  # once more: other threads may have logged since
        channel.close()
        baggage.allow(())
        copies.leave(self._shutdown)
        self.config = None

    def _look_around(self) -> None:
        """Look for what of other people's code the program has imported by now."""
        agents.look()
        celery_lines.look(self.handler)
        dagster_lines.look(self.handler)
        jupyter_lines.look(self.handler)
        self._loops.look()
        self._hooks.look()

    def _look_at_configured(self) -> None:
        """Look at what somebody has configured, as Jupyter's applications do at their start."""
        self._take_doubles_away()
        jupyter_lines.look(self.handler)

    def _take_doubles_away(self) -> None:
        if self.config is not None:
            self.attachment.on_way = self._doubles.take_away(wiring.streams(self.config))

    def checkpoint(self, reason: str | None = None) -> None:
        """Write the closing record with the count of events; more may follow.

        `reason` names the signal that ends the process, if one does (`event.reason`).
        For the end of a server whose process goes on or ends in ways that run no `atexit`.
        """
        if self.sink.ready:
            self.attachment.tell()
            self.sink.tell()
            self.sink.writer.checkpoint(reason)
            channel.leave()

    def go_on(self) -> None:
        """Take note that the process does not end after all: a server starts in it again."""
        if self.sink.ready:
            self.sink.writer.go_on()

    def count_lines(self) -> Tally:
        """Count the lines of this process, of this set-up and later ones."""
        self._tally = self._tally or Tally()
        self._count_lines()
        return self._tally

    def _count_lines(self) -> None:
        config = self.config
        if self._tally is None or config is None:
            return
        self._tally.name(config.service)
        self.sink.writer.count(
            self._tally, lambda entity: wiring.lines_of(config.directory, entity)
        )

    def stop_counting_lines(self) -> None:
        """Undo `count_lines`."""
        self._tally = None
        if hasattr(self.sink, "writer"):
            self.sink.writer.count(None)

    def own_logger(self, name: str) -> OwnLogger:
        """Return the logger for records of the library's own: `flowery_logging` or below it."""
        return OwnLogger(name, self.handler, self.recorder)

    def warn(self, message: str, **fields: object) -> None:
        """Write a warning of the library's own: what it found in the set-up around it."""
        self.own_logger(OWN_LOGGER).log(logging.WARNING, message, extra=fields)

    def _tell_undone(self, changes: Sequence[Change]) -> None:
        """Say what others have changed in `logging` since, and what of it does not stand."""
        facts = {
            "event.action": own_warnings.CONFIGURED_LATER,
            "configured_by": list(dict.fromkeys(change.where for change in changes)),
            own_warnings.DETACHED: names_of(changes, DETACHED),
            own_warnings.DISABLED: names_of(changes, DISABLED),
        }
        text = "logging was configured after setup(), which is undone where events would be lost: "
        self.warn(text + described(changes), **facts)

    def _tell_names_used_up(self, name: str) -> None:
        """Say that this process makes more names of labels than an index has room for."""
        self.warn(
            f"no room for a label {name!r}: this process has used up its names of labels, so the"
            " fields of further names stand together in labels.more_fields, where Elasticsearch has"
            " no field for each; log what changes as a value under one name",
            **{"event.action": own_warnings.NO_ROOM},
        )

    def _name_disabled(self) -> None:
        """Say which loggers were disabled before; by whom and why, nobody can tell any more."""
        names = [logger.name for logger in loggers() if logger.disabled]
        if names:
            facts = {"event.action": own_warnings.DISABLED_BEFORE, own_warnings.DISABLED: names}
            text = "loggers that were disabled before setup() write nothing: "
            self.warn(text + ", ".join(names), **facts)
