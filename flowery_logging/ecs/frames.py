"""The frames of a traceback as Python prints them, each formatted once.

From Python 3.11 on most of the time goes into the carets below a frame's source line: `traceback`
parses the line for them, each time anew. Its text depends on nothing but the frame's summary and
the lines of the file, so it is kept as long as `linecache` gives the very same lines.
"""

from __future__ import annotations

import linecache
from traceback import FrameSummary, StackSummary, TracebackException, walk_stack
from types import FrameType
from typing import Any, Final

from flowery_logging.kept import Kept

_LONGEST_KEPT: Final = 4096
"""Characters of a text that is kept: a line of generated code may be a megabyte."""

_kept: Final[Kept[Any, tuple[list[str], str]]] = Kept()  # by frame: the file's lines, the text


def keep_frames(formatted: TracebackException) -> None:
    """Let an exception, and those in its chain and groups, take its frames from what is kept."""
    ahead: list[Any] = [formatted]
    while ahead:
        one = ahead.pop()
        one.stack = _Stack(one.stack)
        inner = getattr(one, "exceptions", None) or ()  # of Python 3.11
        ahead += [e for e in (one.__cause__, one.__context__, *inner) if e is not None]


def stack_text(frame: FrameType) -> str:
    """Return the calls that have led to a frame, as `traceback` prints them."""
    stack = StackSummary.extract(walk_stack(frame), lookup_lines=False)
    stack.reverse()
    return "".join(_Stack(stack).format()).rstrip("\n")


class _Stack(StackSummary):
    """The frames of one exception. Python 3.10 formats them without calling this method."""

    def format_frame_summary(self, frame_summary: FrameSummary, **options: Any) -> str:
        """Return the text of one frame."""
        try:
            key = _key(frame_summary, options)
            lines = linecache.getlines(frame_summary.filename)
            known = _kept.get(key)
        except Exception:  # a code object may have any name that is a subclass of str
            return self._formatted(frame_summary, options)
        if known is not None and known[0] is lines:
            return known[1]
        text = self._formatted(frame_summary, options)
        # For a file that cannot be read, and for no file (`<string>`), the list is a new one.
        if linecache.getlines(frame_summary.filename) is lines:
            _keep(key, lines, text)
        return text

    def _formatted(self, frame_summary: FrameSummary, options: dict[str, Any]) -> str:
        parent: Any = super()
        try:
            text: str = parent.format_frame_summary(frame_summary, **options)
        except ImportError:  # at the interpreter's end Python 3.13.0 cannot read source lines
            where = frame_summary
            return f'  File "{where.filename}", line {where.lineno}, in {where.name}\n'
        return text


def _key(frame: Any, options: dict[str, Any]) -> Any:
    position = frame.lineno, frame.end_lineno, frame.colno, frame.end_colno
    return frame.filename, frame.name, position, *options.items()


def _keep(key: Any, lines: list[str], text: str) -> None:
    if len(text) <= _LONGEST_KEPT:
        _kept.pop(key, None)
        _kept.keep(key, (lines, text))
