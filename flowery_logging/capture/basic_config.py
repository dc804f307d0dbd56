"""`logging.basicConfig` after `setup()` does what it would do without us.

It does nothing where the root logger has a handler, and ours is one: the application's own handler,
its file or its format would be missing without a word.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from flowery_logging.capture.logger_tree import has_own_level, nearest
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.stdlib import Handler
from flowery_logging.foreign import MODULE_LOCK


class BasicConfig:
    """Wraps the function from `install` to `uninstall`.

    Args:
        handler: ours, which it does not see.
        on_added: called when it has added handlers.
    """

    def __init__(self, handler: Handler, on_added: Callable[[], None]) -> None:
        self._handler = handler
        self._on_added = on_added
        self._patch = Patch(logging, "basicConfig")
        self._active = False

    def install(self) -> None:
        """Wrap what stands there now."""
        self._active = True
        self._patch.apply(self._wrapping)

    def uninstall(self) -> None:
        """Put back what was there; ours stays, passive, where others have wrapped it since."""
        self._active = False
        self._patch.undo()

    def _wrapping(self, theirs: Callable[..., None]) -> Callable[..., None]:
        @wraps(theirs)
        def basic_config(**options: Any) -> None:
            handlers = logging.getLogger().handlers
            alone = len(handlers) == 1 and handlers[0] is self._handler
            if not self._active or MODULE_LOCK is None or not alone or options.get("force"):
                theirs(**options)
                return
            with MODULE_LOCK:  # others who log meanwhile do not take our handler for removed
                self._without_ours(theirs, options)
            self._on_added()

        return basic_config

    def _without_ours(self, theirs: Callable[..., None], options: dict[str, Any]) -> None:
        """Call it while our handler is aside.

        A level above the one that stands is for the handlers that it adds alone: else what is
        configured for a terminal would silence the files.
        """
        root = logging.getLogger()
        level, root.handlers = root.level, []
        try:
            theirs(**options)
        finally:
            added, root.handlers = root.handlers, [self._handler, *root.handlers]
        if root.level > level:
            for handler in added:
                handler.addFilter(_AsIfRootHad(root.level, level))
            root.setLevel(level)


class _AsIfRootHad:
    """A filter that lets pass what a level of the root logger's would.

    Loggers with a level of their own do not ask for that; and it counts no more when somebody gives
    the root logger another one.
    """

    def __init__(self, level: int, standing: int) -> None:
        self._level = level
        self._standing = standing

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= self._level or logging.getLogger().level != self._standing:
            return True
        return has_own_level(nearest(record.name))
