"""A process that leaves by a function of `os` that runs no `atexit`.

`os.execv` puts another program in its place. Reloaders restart a service so (Quart's, Tornado's),
and a program that prepares the ground for the server that it then becomes. `os._exit` ends the
child of a fork that is not to run what its parent has registered: RQ's process of a job, that of
`socketserver` for a request, a daemon's parent, a program's own. Its last event is logged, so it
ends here. `os.abort` is a crash, and gets no closing record, but a handler may call it before the
record has come to ours: absl's does for its FATAL.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Final

from flowery_logging.capture.patch import Patch

_END: Final = "_exit"
_CRASH: Final = "abort"
_FUNCTIONS: Final = ("execv", "execve", _END, _CRASH)
"""All functions of `os` whose name begins with `exec` call one of the first two in the end."""


class Leaving:
    """Calls back before the process leaves so, until `uninstall()`.

    Args:
        finish: writes the closing record.
        crash: called before the process ends without one.
        go_on: called where the other program could not be run.
    """

    def __init__(
        self, finish: Callable[[], None], crash: Callable[[], None], go_on: Callable[[], None]
    ) -> None:
        self._finish = finish
        self._crash = crash
        self._go_on = go_on
        self._active = False
        self._patches = [Patch(os, name) for name in _FUNCTIONS if hasattr(os, name)]

    def install(self) -> None:
        """Begin to watch."""
        self._active = True
        for patch in self._patches:
            patch.apply_once(partial(self._watched, patch.name))

    def uninstall(self) -> None:
        """Put back the functions, unless somebody else has replaced them since."""
        self._active = False
        for patch in self._patches:
            patch.undo()

    def _watched(self, name: str, theirs: Callable[..., Any]) -> Callable[..., Any]:
        ends = name in {_END, _CRASH}

        @wraps(theirs)
        def leave(*args: Any, **named: Any) -> Any:
            try:
                if self._active:
                    self._crash() if name == _CRASH else self._finish()
            except BaseException:  # of a signal handler: who calls `os._exit` relies on the end
                if not ends:
                    raise
            try:
                return theirs(*args, **named)
            finally:
                if self._active:
                    self._go_on()

        leave.__module__ = os.__name__  # where a child to which it is sent finds it
        return leave
