"""The files of one process: opened one after the other, never renamed, truncated or reused."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import datetime, timezone
from time import monotonic
from typing import Final, NamedTuple

from flowery_logging.files import platform
from flowery_logging.files.faults import is_ours
from flowery_logging.files.names import LogName, service_part
from flowery_logging.files.retention import Removed, Retention, RetentionSettings

CHECK_SECONDS: Final = 1.0
"""How often a file is looked up under its name, to notice that somebody removed it."""


class FileSettings(NamedTuple):
    """Where the files lie and when the next one is opened."""

    directory: str  # absolute
    service: str
    max_bytes: int
    max_age: float  # seconds
    keep_bytes: int
    keep_seconds: float
    mode: int = 0o640
    directory_mode: int = 0o750


class LogFiles:
    """The current file of a process and the way to the next.

    `descriptor` is -1 until the first event; `size` counts the bytes known to lie in the file. The
    file is due for a look (`look_at`, on the monotonic clock) when it may have grown too old or
    may have been removed.
    """

    def __init__(self, settings: FileSettings, entity: str) -> None:
        self._settings = settings
        self._name = LogName(
            service_part(settings.service), datetime.now(timezone.utc), entity, number=0
        )
        self.write: Callable[[int, bytes], int] = os.write
        self.descriptor = -1
        self.size = 0
        self.max_size = settings.max_bytes
        self.look_at = 0.0
        self._expires_at = 0.0
        self._seen_size = 0
        self._inode = (0, 0)
        self._retain_now = False
        self._retention = Retention(
            RetentionSettings(
                settings.directory, settings.service, settings.keep_bytes, settings.keep_seconds
            )
        )

    @property
    def path(self) -> str:
        """The absolute path of the current file."""
        return os.path.join(self._settings.directory, str(self._name))

    def open_next(self) -> bool:
        """Open the next file beside the current one, then close that. Raises OSError.

        True: a file begins with a header.
        """
        name, descriptor = self._create()
        status = os.fstat(descriptor)
        platform.hold(descriptor)
        now = monotonic()
        expires_at = now + self._settings.max_age
        look_at = min(now + CHECK_SECONDS, expires_at)
        inode = (status.st_dev, status.st_ino)
        previous = self.descriptor
        # From here on no call, so that no signal handler can run between the assignments.
        self._name = name
        self._inode = inode
        self._expires_at = expires_at
        self.look_at = look_at
        self._seen_size = self.size = 0
        self.max_size = self._settings.max_bytes
        self.descriptor = descriptor
        self._retain_now = True
        if previous >= 0:
            _close(previous)
        return True

    def _create(self) -> tuple[LogName, int]:
        """Create the file of the next free number. Raises OSError."""
        settings = self._settings
        platform.make_directory(settings.directory, settings.directory_mode)
        name = self._name
        while True:
            name = LogName(name.service, name.start, name.entity, name.number + 1)
            try:
                path = os.path.join(settings.directory, str(name))
                return name, platform.create(path, settings.mode)
            except FileExistsError:
                continue  # left by an interrupted opening; a name is never reused

    def is_due(self, now: float) -> bool:
        """Tell whether the file is full, too old or no longer there; sets the next look."""
        if self._is_another():
            self.lose()
        if self.descriptor < 0 or self.size >= self.max_size or now >= self._expires_at:
            return True
        self.look_at = min(now + CHECK_SECONDS, self._expires_at)
        if self._is_there():
            self._seen_size = self.size
            return False
        return True

    def _is_another(self) -> bool:
        """Tell whether somebody has closed our descriptor, and its number is another file's."""
        if self.descriptor < 0:
            return False
        try:
            status = os.fstat(self.descriptor)
        except OSError as error:
            if not is_ours(error):
                raise
            return error.errno == errno.EBADF
        return (status.st_dev, status.st_ino) != self._inode

    def lose(self) -> None:
        """Forget the descriptor, which is ours no more; the next event opens the next file."""
        self.descriptor = -1
        self.size = self._seen_size = 0

    def _is_there(self) -> bool:
        try:
            status = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            if not is_ours(error):
                raise
            return True  # the directory cannot be read now, but the descriptor still writes
        return (status.st_dev, status.st_ino) == self._inode

    def stranded(self) -> bytes:
        """Return what was written since the file was last seen, if it has been removed since.

        Readers that had it open still get it; for the others it is written again (same IDs).
        """
        if self.descriptor < 0 or self.size <= self._seen_size or self._is_there():
            return b""
        try:
            lost = platform.read_at(self.descriptor, self.size - self._seen_size, self._seen_size)
        except OSError as error:
            if not is_ours(error):
                raise
            return b""
        return lost if lost.endswith(b"\n") else b""

    def found(self, line: bytes) -> tuple[int, int]:
        """Return how many bytes of a line lie at the end of the file, and by how much it grew.

        Asked after an interruption: `line` was about to be written when the file had `size` bytes.
        What others may have appended does not count as the line. Raises OSError.
        """
        grown = os.fstat(self.descriptor).st_size - self.size
        if grown <= 0:
            return 0, 0
        tail = platform.read_at(self.descriptor, grown, self.size)
        if line in tail:
            return len(line), grown
        return (grown if line.startswith(tail) else 0), grown

    def postpone(self) -> None:
        """Go on with the current file although the next one could not be opened."""
        self.max_size = self.size + self._settings.max_bytes
        now = monotonic()
        self._expires_at = now + CHECK_SECONDS
        self.look_at = self._expires_at

    def renew_patience(self) -> None:
        """There is nobody to wait for."""

    def close(self) -> None:
        """Close the current file; the next event opens the next one."""
        descriptor = self.descriptor
        self.descriptor = -1
        self.size = self._seen_size = 0
        self.max_size = self._settings.max_bytes
        if descriptor >= 0:
            _close(descriptor)

    def retire(self) -> None:
        """Leave the parent's file to the parent, for good: a frame of it may go on in the child."""
        descriptor = self.descriptor
        self.write = _refuse
        self.descriptor = -1
        if descriptor >= 0:
            os.close(descriptor)

    def retain(self) -> list[Removed]:
        """Remove old files of this service, with bounded work. Returns what was removed.

        Begins after a file was opened, and goes on at each look as long as there is more to do.
        """
        if not self._retain_now:
            return []
        removed = self._retention.step(in_use=str(self._name))
        self._retain_now = self._retention.is_reading() or bool(removed)
        return removed


def _refuse(descriptor: int, line: bytes) -> int:  # noqa: ARG001 - as os.write
    raise OSError(errno.EBADF, "the file belongs to the parent process")


def _close(descriptor: int) -> None:
    """Close a file. Its time of change then tells when: retention waits a minute from there."""
    try:
        os.utime(descriptor)
    except (OSError, TypeError, NotImplementedError):
        pass  # not on this platform or file system: the last write is as good
    try:
        os.close(descriptor)
    except OSError as error:
        if not is_ours(error):
            raise
        # Somebody else has closed it; the system frees it in any case.
