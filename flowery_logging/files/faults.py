"""Whose error it is: the operating system's answer to us, or a signal handler's exception.

A handler runs between our calls and may raise an OSError too (TimeoutError is one). That one is
the application's: it must neither be taken for an answer nor be swallowed.
"""

from __future__ import annotations

from typing import Final

_SYSTEM: Final = frozenset({"os", "posixpath", "ntpath", "genericpath"})
_OUR_ROOM: Final = __name__.rpartition(".")[0]


def is_ours(error: OSError) -> bool:
    """Tell whether an error comes from a call of ours, by the frame that it was raised in."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return module in _SYSTEM or module.startswith(_OUR_ROOM)
