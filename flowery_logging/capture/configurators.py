"""Who configures `logging` after us, and what they undo only by the way.

stdlib's configurators disable loggers that they do not name, and `fileConfig` cannot help setting
the root logger's level. Nobody asked for these: they are not done, and noted. What takes our
handler out of an event's way is done, and noted with its place; `attachment.py` puts it back.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Final, NamedTuple

from flowery_logging.capture.logger_tree import end_of, holds, reaches
from flowery_logging.capture.patch import SOURCE, Patch
from flowery_logging.foreign import ASSERTS_LOGS, file_above, frame_above, getframe
from flowery_logging.library_code import is_library, is_own

_LOGGING: Final = os.path.dirname(SOURCE)
_OURS: Final = os.path.dirname(__file__)
_CONFIG: Final = os.path.join(_LOGGING, "config.py")

_NAMES: Final = ("dictConfig", "fileConfig")

UNKNOWN: Final = "an unknown place"

MAX_NAMES: Final = 200
"""How many loggers one warning names for each thing that was done to them."""


class Change(NamedTuple):
    """What somebody has done to a logger, and where: a file and a line."""

    logger: str
    what: str
    where: str


DETACHED: Final = "propagate = False"
DISABLED: Final = "disabled"
"""What may have been done."""


def names_of(changes: Iterable[Change], what: str) -> list[str]:
    """Return the names of the loggers to which this was done."""
    return [change.logger for change in changes if change.what == what][:MAX_NAMES]


def described(changes: Iterable[Change]) -> str:
    """Return what was done, by place and kind, as one text."""
    found: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        found.setdefault((change.where, change.what), []).append(change.logger)
    places: dict[str, list[str]] = {}
    for (where, what), names in found.items():
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        places.setdefault(where, []).append(f"{what}: {', '.join(names[:MAX_NAMES])}{more}")
    return "; ".join(f"{where} ({'; '.join(told)})" for where, told in places.items())


def calling_place() -> str:
    """Return the innermost place that is neither in `logging` nor here, as `file:line`.

    Nor is it in what others have put around a configurator, as OpenTelemetry's launcher does.
    """
    frame: FrameType | None = getframe(1)
    around, place = _around_configurators(), UNKNOWN
    while frame is not None:
        file = frame.f_code.co_filename
        if frame.f_code in around:
            place = UNKNOWN
        elif place is UNKNOWN and os.path.dirname(file) not in {_LOGGING, _OURS}:
            place = f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return place


def _around_configurators() -> set[object]:
    """Return the code of what stands in place of stdlib's configurators."""
    config = sys.modules.get("logging.config")
    standing = (getattr(logging, "basicConfig", None), *(getattr(config, n, None) for n in _NAMES))
    codes = {getattr(one, "__code__", None) for one in standing}
    return {code for code in codes if code and os.path.dirname(code.co_filename) != _LOGGING}


def are_asserted(handlers: Iterable[Any]) -> bool:
    """Tell whether a test's `assertLogs` has taken the events of a logger with these handlers."""
    return any(type(one).__module__ == ASSERTS_LOGS for one in handlers)


class Watch:
    """Replaces `Logger.__setattr__`: assignments are rare, and reading costs what it did."""

    def __init__(self, handler: logging.Handler, on_side_effect: Callable[[], None]) -> None:
        self._handler = handler
        self._on_side_effect = on_side_effect
        self._active = False
        self._patch = Patch(logging.Logger, "__setattr__")
        self.detached: dict[str, Change] = {}  # by the name of the logger
        self.prevented: list[Change] = []

    def install(self) -> None:
        """Begin to watch."""
        self._active = True
        self._patch.apply(self._setting)

    def uninstall(self) -> None:
        """Watch no more."""
        self._active = False
        self._patch.undo()
        self.detached.clear()
        self.prevented.clear()

    def note_detached(self, logger: logging.Logger, what: str) -> None:
        """Note who has just taken our handler out of the way of a logger's events."""
        self.detached[logger.name] = Change(logger.name, what, calling_place())

    def take_prevented(self) -> list[Change]:
        """Return what was not let happen since the last time."""
        found, self.prevented = self.prevented, []
        return found

    def _setting(self, theirs: Callable[[Any, str, Any], None]) -> Callable[..., None]:
        def set_attribute(logger: logging.Logger, name: str, value: object) -> None:
            look = _LOOKED_AT.get(name)
            if look is None or not self._active:
                theirs(logger, name, value)
                return
            allowed, value = look(self, logger, value)
            if allowed:
                theirs(logger, name, value)

        return set_attribute

    # A logger's `__dict__` is not asked for: CPython 3.11 reads attributes slower from then on.
    def _disabled(self, logger: logging.Logger, value: object) -> tuple[bool, Any]:
        """Refuse what a configurator does to loggers that it does not name."""
        by_the_way = value and not logger.disabled and file_above(2) == _CONFIG
        if by_the_way and not is_own(logger.name):
            self._prevent(logger, DISABLED)
        return not by_the_way, value

    def _level(self, logger: logging.Logger, value: Any) -> tuple[bool, Any]:
        """Refuse the root logger's level of `fileConfig`, whose files must have one."""
        changes = getattr(logger, "level", value) != value and logger.parent is None
        if changes and _is_in_file_config(frame_above(2)):
            self._prevent(logger, f"level {logging.getLevelName(value)}")
            return False, value
        return True, value

    def _handlers(self, logger: logging.Logger, value: Any) -> tuple[bool, Any]:
        """Note a list without ours; watch one that has it."""
        if type(value) is list and holds(value, self._handler):
            self.detached.pop(logger.name, None)
            return True, WatchedHandlers(self, logger, value)
        if holds(getattr(logger, "handlers", ()), self._handler) and not holds(
            value, self._handler
        ):
            self.note_detached(logger, "handlers replaced")
        return True, value

    def _propagate(self, logger: logging.Logger, value: object) -> tuple[bool, Any]:
        """Note who keeps a logger's events from ours; go with the logger that a library sets apart.

        `multiprocessing` and billiard do so at the first message of theirs: nobody can mend that.
        """
        if not value and getattr(logger, "propagate", False):
            if reaches(logger, self._handler):
                self._set_apart(logger, file_above(2))
            elif end_of(logger).name in self.detached:  # `dictConfig`: `uvicorn`, `uvicorn.access`
                self.note_detached(logger, DETACHED)
        return True, value

    def _set_apart(self, logger: logging.Logger, file: str) -> None:
        is_its_own = is_library(file) and os.path.dirname(file) != _LOGGING
        if is_its_own and not are_asserted(logger.handlers):
            logger.handlers = [*logger.handlers, self._handler]
        else:
            self.note_detached(logger, DETACHED)

    def _prevent(self, logger: logging.Logger, what: str) -> None:
        self.prevented.append(Change(logger.name, what, calling_place()))
        self._on_side_effect()

    def watched(self, logger: logging.Logger, handlers: Iterable[logging.Handler]) -> list[Any]:
        """Return a list of a logger's handlers that notes who takes ours out."""
        return WatchedHandlers(self, logger, handlers)

    def look(self, logger: logging.Logger, before: list[Any], now: Iterable[Any]) -> None:
        """Look at a logger's list of handlers that somebody has changed."""
        ours = self._handler
        if self._active and logger.handlers is now and holds(before, ours) and not holds(now, ours):
            self.note_detached(logger, "handler removed")


_LOOKED_AT: Final[dict[str, Callable[[Watch, logging.Logger, Any], tuple[bool, Any]]]] = {
    "disabled": Watch._disabled,  # noqa: SLF001 - our own
    "level": Watch._level,  # noqa: SLF001 - our own
    "handlers": Watch._handlers,  # noqa: SLF001 - our own
    "propagate": Watch._propagate,  # noqa: SLF001 - our own
}


def _noting(method: Callable[..., Any]) -> Any:
    """Wrap a method of `list`: it notes if our handler is gone afterwards."""

    def changing(handlers: WatchedHandlers, *args: object) -> Any:
        before = list(handlers)
        result = method(handlers, *args)
        handlers.watch.look(handlers.logger, before, handlers)
        return result

    return changing


class WatchedHandlers(list[Any]):
    """The handlers of a logger that has ours; a list in all else."""

    __slots__ = ("logger", "watch")

    def __init__(self, watch: Watch, logger: logging.Logger, handlers: Iterable[Any]) -> None:
        super().__init__(handlers)
        self.watch = watch
        self.logger = logger

    def __reduce__(self) -> Any:
        return list, (list(self),)

    clear = _noting(list.clear)
    remove = _noting(list.remove)
    pop = _noting(list.pop)
    __delitem__ = _noting(list.__delitem__)
    __setitem__ = _noting(list.__setitem__)
    __imul__ = _noting(list.__imul__)


def _is_in_file_config(frame: FrameType | None) -> bool:
    while frame is not None and os.path.dirname(frame.f_code.co_filename) == _LOGGING:
        if frame.f_code.co_name == "fileConfig":
            return True
        frame = frame.f_back
    return False
