"""Our handler on the way of every event, whoever configures `logging` after `setup()`.

It is looked at where records come by, in `Logger.callHandlers`, and not at a list of moments: a
record that would miss our handler is given to it, the handler is put back, and one warning says
what was undone and by whom. Nothing here waits for a lock: the call may stand anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final
from weakref import WeakSet

from flowery_logging.capture.configurators import UNKNOWN, Change, Watch, are_asserted
from flowery_logging.capture.logger_tree import (
    end_of,
    ends,
    holds,
    is_known,
    loggers,
    note_alone,
    reaches,
)
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.stdlib import Handler
from flowery_logging.circles import ends_a_circle
from flowery_logging.foreign import MODULE_LOCK
from flowery_logging.library_code import is_own
from flowery_logging.signalled import sheltered

MAX_ANNOUNCED: Final = 1000
"""How many different findings are announced in the life of a set-up; all are counted."""


class Attachment:
    """Keeps one handler attached from `install` to `uninstall`.

    Args:
        handler: ours.
        announce: called with what was undone, or not let happen: once for each finding.
        count: called with how many changes were found, each time.
        on_record: called before a record goes to handlers of others too.
        on_repair: called when the handler was missing somewhere, and is there again.
    """

    def __init__(
        self,
        handler: Handler,
        announce: Callable[[Sequence[Change]], None],
        count: Callable[[int], None],
        on_record: Callable[[], None],
        on_repair: Callable[[], None],
    ) -> None:
        self._handler = handler
        self._announce = announce
        self._count = count
        self._on_record = on_record
        self._on_repair = on_repair
        self._announced: set[tuple[Change, ...]] = set()
        self._active = False
        self._repaired: WeakSet[logging.Logger] = WeakSet()  # also such as are in no tree
        self._telling = self._tell_first  # one object, to be found among filters
        self._watch = Watch(handler, self._wait_for_event)
        self.patch = Patch(logging.Logger, "callHandlers")
        self.on_way: Callable[[logging.Logger], None] | None = None
        """Called with the logger of each record that has a way to go through handlers."""
        self.root_level = logging.NOTSET
        """The level that the root logger is known to have."""

    def install(self) -> None:
        """Attach the handler, and see to it that it stays."""
        self._active = True
        self._announced.clear()
        self._handler.attached(True)
        self.patch.apply(self._calling)
        self._watch.install()
        for logger in ends():
            self._attach(logger)
        for logger in loggers():
            if is_own(logger.name):
                logger.disabled = False  # by a configurator that was here before us

    def uninstall(self) -> None:
        """Take the handler away from all loggers."""
        self._active = False
        self.patch.undo()
        self._watch.uninstall()
        self._stop_waiting()
        self._handler.attached(False)
        for logger in (*loggers(), *self._repaired):
            if holds(logger.handlers, self._handler):
                logger.handlers = [one for one in logger.handlers if one is not self._handler]

    def repair(self, logger: logging.Logger | None = None) -> None:
        """Attach the handler wherever it is missing, and say what was found.

        `logger` is one whose events do not arrive; it may be one that `logging` does not know.
        """
        if not self._active or MODULE_LOCK is None or not MODULE_LOCK.acquire(blocking=False):
            return  # somebody is just configuring: the next event looks again
        try:
            found = [*self._put_back(logger), *self._watch.take_prevented()]
        finally:
            MODULE_LOCK.release()
        self._say(found)

    def look_before(self, logger: logging.Logger) -> None:
        """Repair before a record of a class that may go through the handlers in a way of its own.

        Such a `callHandlers` need not come by ours.
        """
        if (
            type(logger).callHandlers is not self.patch.ours
            and not is_asserted(logger)
            and not reaches(logger, self._handler)
        ):
            self.repair(logger)

    def tell(self) -> None:
        """Say what was prevented since the last time: there may be no event any more to do it."""
        self._say(self._watch.take_prevented())

    def _say(self, found: list[Change]) -> None:
        self._stop_waiting()
        if not found or not self._active:
            return
        self._count(len(found))
        key = tuple(found)
        if key not in self._announced and len(self._announced) < MAX_ANNOUNCED:
            self._announced.add(key)
            self._announce(found)

    def _put_back(self, logger: logging.Logger | None) -> list[Change]:
        places = dict.fromkeys([*ends(), *([] if logger is None else [end_of(logger)])])
        missing = [end for end in places if not self._has(end)]
        for end in missing:
            with sheltered:  # a class of somebody's own; each event is given anyway
                self._attach(end)
                self._repaired.add(end)
        # Of a logger that is made by its class nothing has been undone.
        undone = [self._taken_off(end) for end in missing if is_known(end)]
        found = undone + self._raised_level(missing)
        self._watch.detached.clear()
        if missing:
            self._on_repair()
        return found

    def _has(self, end: logging.Logger) -> bool:
        return holds(end.handlers, self._handler) or is_asserted(end)

    def _attach(self, logger: logging.Logger) -> None:
        """Put a new list in the old one's place: another thread may be going through that."""
        if not holds(logger.handlers, self._handler):
            handlers = [*logger.handlers, self._handler]
            logger.handlers = self._watch.watched(logger, handlers)

    def _taken_off(self, logger: logging.Logger) -> Change:
        known = self._watch.detached.get(logger.name)
        return known or Change(logger.name, "handler missing", UNKNOWN)

    def _raised_level(self, missing: list[logging.Logger]) -> list[Change]:
        """Tell of the level that came with the change of the handlers; it stands."""
        for logger in missing:
            if logger.parent is None and logger.level > self.root_level:
                change = self._watch.detached.get(logger.name)
                level = logging.getLevelName(logger.level)
                self.root_level = logger.level
                where = UNKNOWN if change is None else change.where
                return [Change(logger.name, f"level {level}, which stays", where)]
        return []

    def _calling(self, theirs: Callable[..., None]) -> Callable[..., None]:
        """Wrap `Logger.callHandlers`: nobody's record misses our handler."""
        handler, on_record = self._handler, self._on_record

        def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            on_record()
            if self.on_way is not None:
                self.on_way(logger)
            passing, key = handler.passing, id(record)
            if self._active and reaches(logger, handler):
                outer = passing.records.get(key)  # of a handler that gives it to another logger
                passing.records[key] = record, False
                try:
                    theirs(logger, record)
                except BaseException as error:
                    if not ends_a_circle(error):  # else what is asked once more logs once more
                        handler.rescue(record)
                    raise
                finally:
                    # Nothing is kept: a record's exception keeps all that stands in its frames.
                    if outer is None:
                        passing.records.pop(key, None)
                    else:
                        passing.records[key] = outer
                return
            if not self._active or is_asserted(logger):
                theirs(logger, record)
                return
            note_alone(logger)
            if record.levelno >= handler.level:
                handler.handle(record)
            # Where another thread is just repairing, the handler may be there again: not twice.
            before = passing.given.get(key)
            passing.given[key] = record
            try:
                self.repair(logger)
                theirs(logger, record)
            finally:
                if before is None:
                    passing.given.pop(key, None)

        return call_handlers

    def _wait_for_event(self) -> None:
        """Have the next record tell what was prevented: a filter keeps it off the short way."""
        if not holds(self._handler.filters, self._telling):
            self._handler.filters = [self._telling, *self._handler.filters]

    def _tell_first(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - a filter
        self.repair()
        return True

    def _stop_waiting(self) -> None:
        filters = self._handler.filters
        if holds(filters, self._telling):
            self._handler.filters = [one for one in filters if one is not self._telling]


def is_asserted(logger: logging.Logger) -> bool:
    """Tell whether a test's `assertLogs` has taken a logger's events for itself."""
    return are_asserted(end_of(logger).handlers)
