"""Lines shown again beside the place where they go: on standard output, to people.

The writer adds a line under its lock and has it shown after it has released that lock: what stands
in place of `sys.stderr` may take locks of its own, and may log itself. An event that is logged
while a line is shown was caused by that: it is written, and not shown again.
"""

from __future__ import annotations

import threading
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections import deque
from collections.abc import Iterable
from typing import Final, Protocol

from flowery_logging.counters import Counters
from flowery_logging.files.faults import is_ours
from flowery_logging.files.levels import level_of_line
from flowery_logging.levels import number_of
from flowery_logging.signalled import let_through
from flowery_logging.system import System

STANDARD_LEVELS: Final = {b"debug": 10, b"info": 20, b"warning": 30, b"error": 40, b"critical": 50}

_TURN_SECONDS: Final = 0.2
"""How long a thread waits for its turn. One that holds a lock of the stream's waits in vain."""

_MOST: Final = 10_000
"""So many lines may be left by threads that have waited in vain."""

_ALL: Final = frozenset(range(256))

_ident = threading.get_ident


class Mirror(Protocol):
    """Shows lines somewhere."""

    threshold: int
    """The number of the level from which on it wants lines."""

    def __call__(self, line: bytes) -> None:
        """Show one line. What it raises is counted."""


class Mirrors:
    """The mirrors of one process, one line after the other.

    Args:
        mirrors: what shows lines.
        counters: where lines that could not be shown are counted.
        levels: the numbers of the levels that have a name, by that name.
    """

    def __init__(
        self,
        mirrors: Iterable[Mirror] = (),
        counters: Counters | None = None,
        levels: Iterable[tuple[str, int]] = (),
    ) -> None:
        self._mirrors = tuple(mirrors)
        # A copy goes past all streams: what is logged meanwhile comes from a signal handler.
        self._can_echo = not all(isinstance(mirror, Copy) for mirror in self._mirrors)
        self._counters = counters or Counters()
        self._levels = {**STANDARD_LEVELS, **{n.lower().encode(): no for n, no in levels}}
        self.lines: deque[bytes] = deque()
        self._turn = RLock()
        self._showing = 0  # the thread that has the turn
        self._patience = _TURN_SECONDS
        self._pid = System.getpid()
        self.quiet = self._quiet_initials()

    def _quiet_initials(self) -> frozenset[int]:
        """Return the first letters, as bytes, of the levels that no mirror wants.

        With one look at one byte most lines are done with.
        """
        if not self._mirrors:
            return _ALL
        least = min(mirror.threshold for mirror in self._mirrors)
        loud = {name[:1] for name, number in self._levels.items() if number >= least}
        return frozenset(name[0] for name in self._levels if name and name[:1] not in loud)

    def add(self, line: bytes) -> None:
        """Let a line be shown, unless the showing of another has caused it."""
        if self._pid != System.getpid():
            self._begin_in_child()
        if self._can_echo and self._showing == _ident():
            return
        if len(self.lines) >= _MOST:
            self._counters.add("mirror_errors")
            return
        self.lines.append(line)

    def _begin_in_child(self) -> None:
        """Leave the parent's lines to the parent; a thread that is gone may have the turn."""
        self._turn = RLock()
        self._showing = 0
        self.lines.clear()
        self._pid = System.getpid()

    def show(self) -> None:
        """Show what was added, in its order; a thread that is at it already goes on."""
        me = _ident()
        if not self.lines or self._showing == me:
            return
        if self._pid != System.getpid():
            self._begin_in_child()
        # Behind the work neither a call nor an `if`: else the turn would stay taken for ever.
        try:
            if self._turn.acquire(timeout=self._patience):
                try:
                    self._showing = me
                    self._patience = _TURN_SECONDS
                    self._show_all()
                finally:
                    self._showing = 0
            else:
                self._patience = 0.0
        finally:
            try:  # noqa: SIM105 - suppress() would be two calls more for each line that is shown
                self._turn.release()
            except RuntimeError:
                pass  # another thread has the turn

    def _show_all(self) -> None:
        while self.lines:
            self._show(self.lines.popleft())

    def _show(self, line: bytes) -> None:
        name = level_of_line(line)
        number = self._levels.get(name, -1)
        if number < 0:
            number = _number_now(name)
        for mirror in self._mirrors:
            if number >= mirror.threshold:
                try:
                    mirror(line)
                except Exception as error:  # a broken stream is no reason to fail in the caller
                    let_through(error)
                    self._counters.add("mirror_errors")


def _number_now(name: bytes) -> int:
    """Return the number of a level with no name, or one that it has got since; 0 if unknown."""
    try:
        return number_of(name.decode(errors="replace"), 0)
    except Exception as error:  # what somebody has given as a name may be anything
        let_through(error)
        return 0


class Output(Protocol):
    """Standard output, as a mirror writes to it."""

    def write(self, data: bytes) -> int:
        """Write all of a text. Raises OSError; `taken_of` then says how much is through."""

    def taken_of(self, data: bytes) -> int:
        """Return how many bytes of the text that was written last are through."""


class Copy:
    """Copies each line to a stream. One that was torn by an error or a signal is completed first.

    The file has every line; so one that the stream does not take is not kept, but counted. One at
    which a signal handler has raised is none that the stream does not take: it comes first too.
    """

    threshold = 0

    def __init__(self, output: Output) -> None:
        self._output = output
        self._rest = b""

    def __call__(self, line: bytes) -> None:
        """Copy one line. Raises OSError."""
        if self._rest:
            self._put(self._rest, line)
        self._put(line)

    def _put(self, data: bytes, then: bytes = b"") -> None:
        try:
            self._output.write(data)
        except BaseException as error:
            taken = self._output.taken_of(data)
            if not isinstance(error, OSError) or not is_ours(error):  # a signal handler's
                self._rest = data[taken:] + then
            elif taken:
                self._rest = data[taken:]
            raise
        self._rest = b""
