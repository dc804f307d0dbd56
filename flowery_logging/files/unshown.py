"""Lines that standard error did not take: how many they were is said where they are missing."""

from __future__ import annotations

from contextlib import suppress

from flowery_logging.files import stderr
from flowery_logging.system import System


class Unshown:
    """Writes texts to standard error, and counts those that it did not take.

    Args:
        kept: the lines stand in a file too.
    """

    def __init__(self, *, kept: bool) -> None:
        self._kept = kept
        self._count = 0
        self._end_of_torn = ""
        self._pid = System.getpid()

    def put(self, text: str) -> None:
        """Write a text, below what is to be said of those before it. May raise."""
        try:
            self._tell()
            stderr.put(text)
        except OSError as error:
            self._count += 1
            if getattr(error, "characters_written", 0):
                self._end_of_torn = "\x1b[0m\n" if "\x1b" in text else "\n"
            raise

    def tell(self) -> None:
        """Say what is missing, if anything is, where standard error takes it."""
        with suppress(OSError):  # not yet
            self._tell()

    def _tell(self) -> None:
        if self._pid != System.getpid():  # what was missing was the parent's
            self._pid, self._count = System.getpid(), 0
        if self._count:
            stderr.put(f"{self._end_of_torn}flowery_logging: {self._told()}\n")
            self._count, self._end_of_torn = 0, ""

    def _told(self) -> str:
        one = self._count == 1
        lines = "1 line was" if one else f"{self._count} lines were"
        where = f"; the file has {'it' if one else 'them'}" if self._kept else ""
        return f"{lines} not shown here{where}"
