"""structlog is taken over as soon as the program has it: this library does not import it before.

With what structlog imports (asyncio, and rich and Twisted where they are installed) that takes
longer than all of our own modules do. Who logs with `logging` alone does not wait for it.
"""

from __future__ import annotations

import sys
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from flowery_logging import process
from flowery_logging.capture import structlog_methods  # noqa: F401 - its clock is the real one now
from flowery_logging.capture.sink import Sink
from flowery_logging.capture.structlog_output import Output
from flowery_logging.system import unmocked

if TYPE_CHECKING:
    from flowery_logging.capture.structlog_adoption import Adoption

_OURS: Final = f"{__package__}.structlog"
MODULES: Final = ("structlog", _OURS)
"""Where one of these has been imported, there is something to look at."""

_LAST: Final = "COMPLETE"
"""What stands in our module only when it has been imported wholly."""


class LateAdoption:
    """Takes structlog over while a set-up holds, from when on the program has it.

    Args:
        sink: where the events go.
        output: makes what stands at the end of a logger's chain, given its name.
        warn: told, once a set-up, what of the application's configuration cannot be kept.
    """

    def __init__(
        self, sink: Sink, output: Callable[..., Output], warn: Callable[[str], None]
    ) -> None:
        self._sink = sink
        self._output = output
        self._warn = warn
        self._adoption: Adoption | None = None
        self._holds = False  # a set-up does
        self._adopted = False
        self._may_warn = False
        self._lock = RLock()
        process.in_each_child(self._start_child)

    def install(self) -> None:
        """Begin to take events, now or when structlog is there."""
        self._holds = True
        self.look()

    def tell(self) -> None:
        """Warn of what cannot be kept, from now on: the warning is an event too."""
        self._may_warn = True
        if self._adoption is not None and self._adopted:
            self._adoption.tell()

    def look(self) -> None:
        """Take structlog over if the program has it by now."""
        if self._holds and not self._adopted:
            module = _ours()  # nothing is imported under the lock: an import has locks of its own
            if module is not None and self._adopt(module) and self._may_warn:
                self.tell()

    def _adopt(self, module: Any) -> bool:
        from flowery_logging.capture.structlog_adoption import Adoption

        with self._lock:
            if self._adopted or not self._holds:
                return False
            self._adoption = self._adoption or Adoption(self._sink, self._warn)
            self._adoption.install(
                wrapper_class=module.BoundLogger,
                logger_factory=self._output,
                context_class=dict,
                cache_logger_on_first_use=False,
            )
            self._adopted = True
        return True

    def uninstall(self) -> None:
        """Put back what was there."""
        self._holds = self._may_warn = False
        if self._adoption is not None and self._adopted:
            self._adoption.uninstall()
        self._adopted = False

    def _start_child(self) -> None:
        """Make the lock anew: a thread that is not in this child may have held it."""
        self._lock = RLock()


def bound_logger() -> Any:
    """Return the class of our loggers; structlog is imported if nobody has done so before.

    structlog makes a record as it is imported, which must not see the mocks of a test.
    """
    if not hasattr(sys.modules.get(_OURS), _LAST):
        with unmocked():
            import_module(_OURS)
    return sys.modules[_OURS].BoundLogger


def _ours() -> ModuleType | None:
    """Return our module for structlog; None if the program has not imported structlog wholly."""
    if not hasattr(sys.modules.get("structlog"), "__all__"):  # which stands at its end
        return None
    if _OURS in sys.modules and not hasattr(sys.modules[_OURS], _LAST):
        return None  # it is being imported: we are called again at its end
    return import_module(_OURS)
