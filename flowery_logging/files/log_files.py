"""The files of one process: opened one after the other, never renamed, truncated or reused."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Final, NamedTuple

from flowery_logging.files import descriptors, platform
from flowery_logging.files.faults import is_ours
from flowery_logging.files.names import MAX_LINE_BYTES, LogName, service_part
from flowery_logging.files.removal import RetentionSettings
from flowery_logging.files.retention import Retention
from flowery_logging.files.tally import Write
from flowery_logging.system import System

CHECK_SECONDS: Final = 1.0
"""How often a file is looked up under its name, to notice that somebody removed it."""

LOOKS: Final = 3
"""So often it is tried to find out what of a file nobody has seen, before the next is opened."""

MOST_REWRITTEN: Final = 8 * 1024 * 1024
"""When more has been written again, and no file has been seen since, somebody fetches the files as
soon as they are there: each would repeat all that was in those before it."""

MAX_NAMES: Final = 10_000
"""So many names that are taken are passed over; then the directory counts as unusable."""


class FileSettings(NamedTuple):
    """Where the files lie and when the next one is opened."""

    directory: str  # absolute
    service: str
    max_bytes: int
    max_age: float  # seconds
    keep_bytes: int
    keep_seconds: float


class LogFiles:
    """The current file of a process and the way to the next.

    `descriptor` is -1 until the first event; `size` counts the bytes known to lie in the file. The
    file is due for a look (`look_at`, on the monotonic clock) when it may have grown too old or
    may have been removed.

    Clocks and calls are those of `System`, so that an application's mocks do not reach them.
    """

    is_file = True

    def __init__(self, settings: FileSettings, entity: str) -> None:
        self._settings = settings
        self._name = LogName(
            service_part(settings.service),
            datetime.fromtimestamp(System.time(), timezone.utc),
            entity,
            number=0,
        )
        self.write: Callable[[int, bytes], int] = System.write
        self.descriptor = -1
        self.size = 0
        self.max_size = settings.max_bytes
        self.look_at = 0.0
        self.header_due = False
        self._expires_at = 0.0
        self._first_look = 0.0  # before that time readers need not have seen the file
        self._seen_size = 0
        self._blind = 0  # how often it could not be found out what of it nobody has seen
        self._rewritten = 0  # bytes, since a file was last seen
        self._inode = (0, 0)
        self.retention = Retention(
            RetentionSettings(
                settings.directory, settings.service, settings.keep_bytes, settings.keep_seconds
            )
        )

    @property
    def path(self) -> str:
        """The absolute path of the current file."""
        return self._path(self._name)

    @property
    def place(self) -> str:
        """The directory."""
        return self._settings.directory

    def _path(self, name: LogName) -> str:
        return f"{self._settings.directory}{os.sep}{name}"

    def open_next(self) -> bool:
        """Open the next file beside the current one, then close that. Raises OSError.

        True: a file begins with a header.
        """
        name, descriptor, status = self._create()
        now = System.monotonic()
        expires_at = now + self._settings.max_age
        first_look = now + CHECK_SECONDS
        previous = self.descriptor, self._inode
        inode = (status.st_dev, status.st_ino)
        # From here on no call, so that no signal handler can run between the assignments.
        self._name = name
        self._inode = inode
        self._expires_at = expires_at
        self._first_look = first_look
        self.look_at = 0.0  # so that the header is written, whatever comes in between
        self._seen_size = self.size = 0
        self._blind = 0
        self.max_size = self._settings.max_bytes
        self.descriptor = descriptor
        self.header_due = True
        self.retention.is_due = True
        _close(*previous)
        if self.write is _refuse:  # a signal handler has forked: this is the child
            self.retire()
        return True

    def _create(self) -> tuple[LogName, int, os.stat_result]:
        """Create the file of the next free number. Raises OSError."""
        settings, name = self._settings, self._name
        platform.make_directory(settings.directory)
        for _ in range(MAX_NAMES):
            name = LogName(name.service, name.start, name.entity, name.number + 1)
            try:
                return name, *platform.create(self._path(name))
            except FileExistsError:
                continue  # left by an interrupted opening; a name is never reused
        raise OSError(errno.EEXIST, "all names are taken", settings.directory)

    def is_due(self, now: float) -> bool:
        """Tell whether the file is full, too old or no longer there; sets the next look."""
        if self._is_another():
            self.lose()
        if self.descriptor < 0 or self.size >= self.max_size or now >= self._expires_at:
            return True
        if not self.header_due:
            self.look_at = min(now + CHECK_SECONDS, self._expires_at)
        try:
            is_there = self._is_there()
        except OSError as error:
            if not is_ours(error):
                raise
            return False  # the directory cannot be read now, but the descriptor still writes
        if is_there and now >= self._first_look:
            self._seen_size = self.size
            self._rewritten = 0
        return not is_there

    def is_gone(self) -> bool:
        """Tell whether the file has no name any more, so that nobody will find what it holds.

        One that was moved has: a volume that goes away comes back with it.
        """
        return self.descriptor >= 0 and System.fstat(self.descriptor).st_nlink == 0

    def _is_another(self) -> bool:
        """Tell whether somebody has closed our descriptor, and its number is another file's."""
        return self.descriptor >= 0 and not _is_file(self.descriptor, self._inode)

    def lose(self) -> None:
        """Forget the descriptor, which is ours no more; the next event opens the next file."""
        self.descriptor = -1
        self.look_at = 0.0
        self.size = self._seen_size = 0

    def _is_there(self) -> bool:
        """Tell whether the file still has its name. Raises OSError where that cannot be seen."""
        try:
            status = System.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            # A file or a loop of links in the directory's place hides only what has a name still.
            if is_ours(error) and self.is_gone():
                return False
            raise
        return (status.st_dev, status.st_ino) == self._inode

    def stranded(self) -> bytes:
        """Return what was written since the file was last seen, if it has been removed since.

        Readers that had it open still get it; for the others it is written again (same IDs).
        Raises OSError where it cannot be found out, but not for ever.
        """
        if self.descriptor < 0 or self.size <= self._seen_size:
            return b""
        try:
            unseen = b"" if self._is_there() or self._rewritten > MOST_REWRITTEN else self._unseen()
        except OSError as error:
            if not is_ours(error):
                raise
            self._blind += 1
            if self._blind < LOOKS:
                raise
            return b""
        self._rewritten += len(unseen)
        return unseen

    def _unseen(self) -> bytes:
        start = max(0, self._seen_size - MAX_LINE_BYTES)
        data = platform.read_at(self.descriptor, self.size - start, start)
        first = (
            data.rfind(b"\n", 0, self._seen_size - start) + 1
        )  # a line may have been seen in part
        return data[first : data.rfind(b"\n") + 1]  # a torn last line waits in memory

    def found(self, line: bytes) -> tuple[int, int]:
        """Return how many bytes of a line lie at the end of the file, and by how much it grew.

        Asked after an interruption: `line` was about to be written when the file had `size` bytes.
        What others may have appended does not count as the line. Raises OSError.
        """
        if self._is_another():
            return 0, 0
        grown = System.fstat(self.descriptor).st_size - self.size
        if grown <= 0:
            return 0, 0
        tail = platform.read_at(self.descriptor, grown, self.size)
        if line in tail:
            return len(line), grown
        return (grown if line.startswith(tail) else 0), grown

    def postpone(self) -> None:
        """Go on with the current file although the next one could not be opened."""
        self.max_size = self.size + self._settings.max_bytes
        now = System.monotonic()
        self._expires_at = now + CHECK_SECONDS
        self.look_at = self._expires_at

    def renew_patience(self) -> None:
        """There is nobody to wait for."""

    def wrap_writes(self, wrapped: Callable[[Write], Write] | None) -> None:
        """Write by what `wrapped` makes of os.write; None: by itself."""
        if self.write is not _refuse:
            self.write = System.write if wrapped is None else wrapped(System.write)

    def close(self) -> None:
        """Close the current file; the next event opens the next one."""
        descriptor = self.descriptor
        self.descriptor = -1
        self.look_at = 0.0
        self.size = self._seen_size = 0
        self.max_size = self._settings.max_bytes
        _close(descriptor, self._inode)

    def retire(self) -> None:
        """Leave the parent's file to the parent, for good: a frame of it may go on in the child."""
        descriptor = self.descriptor
        self.write = _refuse
        self.descriptor = -1
        if _is_file(descriptor, self._inode):
            System.close(descriptor)


def _refuse(descriptor: int, line: bytes) -> int:  # noqa: ARG001 - as os.write
    raise OSError(errno.EBADF, "the file belongs to the parent process")


def _is_file(descriptor: int, inode: tuple[int, int]) -> bool:
    """Tell whether a descriptor is still that file's, and not closed or another's by now."""
    try:
        status = System.fstat(descriptor)
    except OSError as error:
        if not is_ours(error):
            raise
        return error.errno != errno.EBADF
    return (status.st_dev, status.st_ino) == inode


def _close(descriptor: int, inode: tuple[int, int]) -> None:
    """Close a file, if it is still ours; -1 is none.

    Its time of change then tells when: retention waits a minute from there.
    """
    if descriptor < 0 or not _is_file(descriptor, inode):
        return
    try:
        platform.touch(descriptor)
    finally:
        descriptors.close(descriptor)
