"""The frames of a traceback as Python prints them, each formatted once.

Most of the time of a traceback goes into its frames: `traceback` goes through a function's table of
positions up to the instruction, and parses its source line for the carets below it, each time anew.
The text depends on nothing but the instruction and the lines of the file, so it is kept as long as
`linecache` gives the very same lines.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterable
from traceback import StackSummary, TracebackException, extract_tb, walk_stack
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from flowery_logging.kept import Kept

_LONGEST_KEPT: Final = 4096
"""Characters of a text that is kept: a line of generated code may be a megabyte."""

_SHOWN: Final = 3
"""So often `traceback` prints a frame that is called again and again; the others are counted."""

_NO_INSTRUCTION: Final = -2
"""Of a frame that goes on: `traceback` shows its line alone."""

_Place = tuple[FrameType, int, int, Any]  # the frame, its line, its instruction, what to extract
_kept: Final[Kept[tuple[int, int, int], tuple[CodeType, list[str], str]]] = Kept()
"""By code, instruction and line: the code itself, the lines of its file, the text."""


class Stack(list[str]):
    """The texts of an exception's frames, in the place of what `traceback` formats them from."""

    def format(self, **_options: object) -> list[str]:
        """Return them."""
        return self


def set_stacks(
    formatted: TracebackException,
    error: BaseException,
    trace: TracebackType | None,
    limit: int | None,
) -> None:
    """Give an exception that was taken without frames its own, and those in its chain and groups.

    `limit` is the number of frames of each traceback, as `traceback` takes it.
    """
    ahead: list[tuple[Any, Any, TracebackType | None]] = [(formatted, error, trace)]
    while ahead:
        taken, one, its_trace = ahead.pop()
        taken.stack = _stack(_limited(_places(its_trace), limit), _extract_from_trace)
        parts = [(taken.__cause__, one.__cause__), (taken.__context__, one.__context__)]
        if getattr(taken, "exceptions", None):  # of Python 3.11
            parts += zip(taken.exceptions, one.exceptions, strict=True)
        ahead += [(part, of, of.__traceback__) for part, of in parts if part is not None]


def stack_text(frame: FrameType) -> str:
    """Return the calls that have led to a frame, as `traceback` prints them."""
    frames = list(walk_stack(frame))
    places = [(one, line, _NO_INSTRUCTION, (one, line)) for one, line in reversed(frames)]
    return "".join(_stack(places, _extract_from_frame)).rstrip("\n")


def _places(trace: TracebackType | None) -> list[_Place]:
    found: list[_Place] = []
    while trace is not None:
        found.append((trace.tb_frame, trace.tb_lineno, trace.tb_lasti, trace))
        trace = trace.tb_next
    return found


def _limited(places: list[_Place], limit: int | None) -> list[_Place]:
    if limit is None:
        limit = getattr(sys, "tracebacklimit", None)
        limit = max(limit, 0) if limit is not None else None
    if limit is None:
        return places
    return places[:limit] if limit >= 0 else places[limit:]


def _stack(places: list[_Place], extract: Callable[[Any], StackSummary]) -> Stack:
    """Return the texts of frames; where one follows itself only the first ones are there."""
    found, before, times = Stack(), None, 0
    lines = _lines({frame.f_code.co_filename for frame, *_ in places})
    for frame, line, instruction, source in places:
        code = frame.f_code
        place = code.co_filename, line, code.co_name
        if place != before:
            _count_repeated(found, times)
            before, times = place, 0
        times += 1
        if times > _SHOWN:
            continue
        known = _kept.get((id(code), instruction, line))
        if known is None or known[0] is not code or known[1] is not lines[code.co_filename]:
            found.append(_formatted(extract, source, code, (id(code), instruction, line)))
        else:
            found.append(known[2])
    _count_repeated(found, times)
    return found


def _count_repeated(found: Stack, times: int) -> None:
    more = times - _SHOWN
    if more > 0:
        found.append(f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]\n")


def _lines(files: Iterable[str]) -> dict[str, list[str]]:
    """Return the lines of files as they are now; of one that cannot be read it is a new list."""
    found = {}
    for file in files:
        linecache.checkcache(file)
        try:
            found[file] = linecache.getlines(file)
        except ImportError:  # at the interpreter's end Python 3.13.0 cannot read source lines
            found[file] = []
    return found


def _extract_from_trace(trace: TracebackType) -> StackSummary:
    return extract_tb(trace, 1)


def _extract_from_frame(place: tuple[FrameType, int]) -> StackSummary:
    return StackSummary.extract([place])


def _formatted(
    extract: Callable[[Any], StackSummary],
    source: object,
    code: CodeType,
    key: tuple[int, int, int],
) -> str:
    """Return the text of one frame, and keep it if there are lines for it that stay."""
    try:
        text = "".join(extract(source).format())
    except ImportError:  # at the interpreter's end Python 3.13.0 cannot read source lines
        return f'  File "{code.co_filename}", line {key[2]}, in {code.co_name}\n'
    lines = linecache.getlines(code.co_filename)
    # For a file that cannot be read, and for no file (`<string>`), the list is a new one.
    is_lasting = type(code) is CodeType  # billiard's imitate one, and are new for each exception
    if is_lasting and len(text) <= _LONGEST_KEPT and linecache.getlines(code.co_filename) is lines:
        _kept.pop(key, None)
        _kept.keep(key, (code, lines, text))
    return text
