"""A process that leaves by a function of `os` that runs no `atexit`.

`os.execv` puts another program in its place. Reloaders restart a service so (Quart's, Tornado's),
and a program that prepares the ground for the server that it then becomes. `os._exit` ends the
child of a fork that is not to run what its parent has registered: RQ's process of a job, that of
`socketserver` for a request, a daemon's parent, a program's own. Its last event is logged, so it
ends here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

_END: Final = "_exit"
_FUNCTIONS: Final = ("execv", "execve", _END)
"""All functions of `os` whose name begins with `exec` call one of the first two in the end."""


class Leaving:
    """Calls back before the process leaves so, until `uninstall()`.

    Args:
        finish: writes the closing record.
        go_on: called where the other program could not be run.
    """

    def __init__(self, finish: Callable[[], None], go_on: Callable[[], None]) -> None:
        self._finish = finish
        self._go_on = go_on
        self._active = False
        self._installed: dict[str, tuple[Any, Any]] = {}  # name → ours, theirs

    def install(self) -> None:
        """Begin to watch."""
        self._active = True
        for name in _FUNCTIONS:
            if name not in self._installed and hasattr(os, name):
                theirs = getattr(os, name)
                ours = self._watched(theirs, ends=name == _END)
                self._installed[name] = ours, theirs
                setattr(os, name, ours)

    def uninstall(self) -> None:
        """Put back the functions, unless somebody else has replaced them since."""
        self._active = False
        for name, (ours, theirs) in list(self._installed.items()):
            if getattr(os, name) is ours:
                setattr(os, name, theirs)
                del self._installed[name]

    def _watched(self, theirs: Callable[..., Any], *, ends: bool) -> Callable[..., Any]:
        @wraps(theirs)
        def leave(*args: Any, **named: Any) -> Any:
            try:
                if self._active:
                    self._finish()
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
