"""Records that wait: what is bound where an event is logged goes with it through a queue.

`QueueHandler`, `MemoryHandler` and `SocketHandler` hand a record on in another thread, process or
request. They get a copy that carries the bound fields, as plain data that can be pickled, and says
whether our handler has the record already. The record itself, which other handlers see, stays as
it is.
"""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from flowery_logging.capture.logger_tree import reaches
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.sink import bound_fields
from flowery_logging.ecs.encode import to_json
from flowery_logging.ecs.plain import AS_IS, key_text
from flowery_logging.foreign import getframe
from flowery_logging.redaction import Redaction
from flowery_logging.signalled import let_through
from flowery_logging.system import System

CARRIED: Final = "_flowery_context"
"""The attribute of a copy: the bound fields, and whether our handler has seen the record.

Where nothing is kept of what it sees, that is the process: another one may keep it.
"""

_TOKEN: Final = System.urandom(8)  # two machines have processes of the same number

_FRAMES: Final = 6  # between Logger.callHandlers and our wrapper, with subclasses of handlers


class Waiting:
    """Wraps the methods of stdlib's handlers by which they hand records on.

    Args:
        handler: ours.
        redaction: returns the one that stands.
        keeps: tells whether lines stay anywhere, in files or on standard output.
    """

    def __init__(
        self,
        handler: logging.Handler,
        redaction: Callable[[], Redaction],
        keeps: Callable[[], bool],
    ) -> None:
        self._handler = handler
        self._redaction = redaction
        self._keeps = keeps
        self._active = False
        self._patches: list[Patch] = []

    def install(self) -> None:
        """Let records carry their context from now on."""
        self._active = True
        self.look()

    def look(self) -> None:
        """Wrap stdlib's handlers once somebody has imported them: most programs never do."""
        module: Any = sys.modules.get("logging.handlers")
        if self._patches or module is None or not self._active:
            return
        self._patches = [
            Patch(module.QueueHandler, "emit"),
            Patch(module.BufferingHandler, "emit"),
            Patch(module.SocketHandler, "makePickle"),
        ]
        for patch in self._patches:
            patch.apply(self._handing_on)

    def uninstall(self) -> None:
        """Put back what was there."""
        self._active = False
        for patch in self._patches:
            patch.undo()
        self._patches = []

    def _handing_on(self, theirs: Callable[[Any, logging.LogRecord], Any]) -> Callable[..., Any]:
        def hand_on(handler: object, record: logging.LogRecord) -> Any:
            return theirs(handler, self._carrying(record) if self._active else record)

        return hand_on

    def _carrying(self, record: logging.LogRecord) -> logging.LogRecord:
        try:
            if CARRIED in record.__dict__:
                return record
            waiting = copy.copy(record)
            fields = _plain_fields(bound_fields(), self._redaction())
            seen: Any = self._is_seen(record)
            if seen and not self._keeps():
                seen = _this_process()
                waiting.name = str(record.name)  # else it is `Written` for every process
            waiting.__dict__[CARRIED] = fields, seen
        except Exception as error:  # a record that cannot be copied goes as it is
            let_through(error)
            return record
        return waiting

    def _is_seen(self, record: logging.LogRecord) -> bool:
        """Tell whether our handler has got a record, or is just about to get it."""
        frame = getframe(3)
        for _ in range(_FRAMES):
            if frame.f_code.co_name == "callHandlers":
                logger = logging.getLogger(record.name)
                return record.levelno >= self._handler.level and reaches(logger, self._handler)
            if frame.f_back is None:
                break
            frame = frame.f_back
        return False


def _plain_fields(fields: Mapping[Any, Any], names: Redaction) -> dict[str, Any]:
    """Return fields as plain data, with the names by which the redaction will know secrets."""
    found: dict[str, Any] = {}
    for key, value in fields.items():
        name = key_text(key)
        is_plain = type(value) in AS_IS
        found[name] = value if is_plain else orjson.loads(to_json(value, path=name, names=names))
    return found


def is_written(record: logging.LogRecord) -> bool:
    """Tell whether a record that has waited was written before it did."""
    carried = record.__dict__.get(CARRIED)
    return carried is not None and (carried[1] is True or carried[1] == _this_process())


def _this_process() -> tuple[bytes, int]:
    return _TOKEN, System.getpid()


def carried_fields(record: logging.LogRecord) -> Mapping[str, Any] | None:
    """Return what was bound where a record was made, if it has waited since."""
    carried = record.__dict__.get(CARRIED)
    return None if carried is None else carried[0]
