"""Lines as they are written, across rotations and new processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from flowery_logging.files.merge import merge
from flowery_logging.files.order import continued
from flowery_logging.files.reader import EVERYTHING, Line, LogFile, Selection, find, read

POLL_SECONDS: Final = 0.5

Directory = str | os.PathLike[str]


class Follower:
    """Yields what has come to the files of a directory since it last looked.

    It polls: that works on every platform and file system. Of each file it knows only how far it
    has read.

    Args:
        directories: where the files lie, one or several; they may come into being later.
        selection: which files are followed, new ones too.
        from_start: yield what lies there already; False: only what comes from now on.
    """

    def __init__(
        self,
        directories: Directory | Sequence[Directory],
        selection: Selection = EVERYTHING,
        *,
        from_start: bool = False,
    ) -> None:
        one = isinstance(directories, (str, os.PathLike))
        self._directories: Sequence[Directory] = [directories] if one else directories  # type: ignore[list-item,assignment]
        self._selection = selection
        self._positions: dict[str, int] = {}  # by path, of the files there now
        self._continued: set[str] = set()  # files that a later one of their process follows
        if not from_start:
            self._positions = {file.path: _last_line_end(file) for file in self._find()}

    @property
    def positions(self) -> Mapping[str, int]:
        """How far each file has been read, by path: what stands behind has not been yielded."""
        return dict(self._positions)

    def lines(
        self, stop: threading.Event | None = None, poll: float = POLL_SECONDS
    ) -> Iterator[Line]:
        """Yield lines for ever, or until `stop` is set; looks again after `poll` seconds.

        Within one look the order is that of `merge`.
        """
        stop = stop or threading.Event()
        while not stop.is_set():
            yield from self.look()
            stop.wait(poll)

    def look(self) -> Iterator[Line]:
        """Yield what is new now. A line without its end waits, unless a later file follows it."""
        files = self._find()
        self._positions = {file.path: self._positions.get(file.path, 0) for file in files}
        self._continued = continued(files)
        yield from merge(
            (file for file in files if file.size > self._positions[file.path]), self._read_on
        )

    def _read_on(self, file: LogFile) -> Iterator[Line]:
        for line in read(file, self._positions[file.path]):
            if not line.data.endswith(b"\n") and file.path not in self._continued:
                return
            self._positions[file.path] = line.end
            yield line

    def _find(self) -> list[LogFile]:
        files: list[LogFile] = []
        for directory in self._directories:
            with suppress(FileNotFoundError):
                files += find(directory, self._selection)
        return files


def _last_line_end(file: LogFile) -> int:
    """Return where the unfinished last line of a file begins; its end if there is none."""
    position = file.size
    try:
        with open(file.path, "rb") as stream:
            while position > 0:
                start = max(0, position - 65_536)
                stream.seek(start)
                newline = stream.read(position - start).rfind(b"\n")
                if newline >= 0:
                    return start + newline + 1
                position = start
    except FileNotFoundError:
        pass  # retention was faster
    return 0
