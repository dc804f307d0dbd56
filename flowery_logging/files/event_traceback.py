"""A traceback as its reader wants it: the application's own frames first, the others folded.

It is made from the text that Python prints, which is all that a line has. What is not understood
(the trace of another language, a trace whose middle was cut out) stays as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from flowery_logging.files.columns import MORE
from flowery_logging.late import late
from flowery_logging.library_code import is_library, package_of, short_path

_FRAME: Final = late(
    r'(?P<bar>[ |+-]*?) {2}File "(?P<file>.+)", line (?P<line>\d+)(?:, in (?P<name>.+))?'
)
_REPEATED: Final = late(r"\[Previous line repeated (\d+) more times?\]")
_HEADINGS: Final = ("Traceback (most recent call last):", "Stack (most recent call last):")
_MOST_PACKAGES: Final = 4

OWN, LIBRARY, HEADING, TEXT = "own", "library", "heading", "text"
"""What a line of a traceback is: a frame, what stands for frames, a heading, anything else."""


class TraceLine(NamedTuple):
    """One line: what it is, its text and, of an own frame, the line of source."""

    kind: str
    text: str
    source: str = ""


class _Frame:
    def __init__(self, match: re.Match[str]) -> None:
        self.bar, self.file, self.line = match["bar"], match["file"], match["line"]
        self.name = match["name"]
        self.source = ""
        self.times = 1

    def add(self, line: str) -> None:
        """Take what stands below the frame's first line."""
        repeated = _REPEATED.search(line)
        if repeated is not None:
            self.times += int(repeated[1])
        elif not self.source:
            self.source = line[len(self.bar) :].strip()

    def place(self, path: str) -> str:
        """Return `path:line in name`, which terminals and editors open."""
        name = f" in {self.name}" if self.name else ""
        times = f" ({self.times} times)" if self.times > 1 else ""
        return f"{path}:{self.line}{name}{times}"


def readable(trace: str) -> Iterator[TraceLine]:
    """Yield the lines of a traceback: of each exception its own frames, then what is folded."""
    frames: list[_Frame] = []
    for line in trace.splitlines():
        match = _FRAME.fullmatch(line)
        if match is not None:
            frames.append(_Frame(match))
        elif frames and line.startswith(f"{frames[-1].bar}  ") and line.strip(" |"):
            frames[-1].add(line)
        else:
            yield from _told(frames)
            frames = []
            is_heading = line.lstrip(" |+").startswith(_HEADINGS)
            yield TraceLine(HEADING if is_heading else TEXT, line)
    yield from _told(frames)


def _told(frames: list[_Frame]) -> Iterator[TraceLine]:
    """Yield the own frames in their order, how many others there are, and where it was raised."""
    for frame in frames:
        if not is_library(frame.file):
            yield TraceLine(OWN, f"{frame.bar}  {frame.place(_path(frame.file))}", frame.source)
    others = [frame for frame in frames if is_library(frame.file)]
    if others:
        yield TraceLine(LIBRARY, f"{others[0].bar}  {MORE} {_counted(others)}")
    if others and others[-1] is frames[-1]:
        last = frames[-1]
        yield TraceLine(LIBRARY, f"{last.bar}  raised in {last.place(short_path(last.file))}")


def _counted(frames: list[_Frame]) -> str:
    number = sum(frame.times for frame in frames)
    packages = [*dict.fromkeys(package_of(frame.file) for frame in frames)]
    names = ", ".join(packages[:_MOST_PACKAGES])
    more = ", …" if len(packages) > _MOST_PACKAGES else ""
    return f"{number} library frame{'s'[: number > 1]}: {names}{more}"


def _path(file: str) -> str:
    """Return a file's path from the working directory on, where it lies below that."""
    try:
        below = os.path.join(os.getcwd(), "")
    except OSError:  # it was removed
        return file
    return file.removeprefix(below)
