"""Bars of tqdm on the same terminal: a line stands above them, and not within one."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Final

from flowery_logging.files.channel import STDERR
from flowery_logging.signalled import sheltered

_NOTHING: Final = nullcontext()


def aside(stream: Any) -> AbstractContextManager[None]:
    """Return what takes the bars away while a line is written to a stream, if there are any.

    Not where that takes nothing now: to clear a bar would wait without end.
    """
    bars = getattr(sys.modules.get("tqdm.std"), "tqdm", None)
    if bars is None or not select.select([], [STDERR], [], 0)[1]:
        return _NOTHING
    return _without(bars, stream)


@contextmanager
def _without(bars: Any, stream: Any) -> Iterator[None]:
    """Without the lock of tqdm's: a process that was stopped may hold it."""
    with ExitStack() as stack:
        with sheltered:  # a bar that is just being made or closed
            stack.enter_context(bars.external_write_mode(file=stream, nolock=True))
        yield
