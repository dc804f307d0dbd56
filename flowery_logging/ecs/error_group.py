"""Which errors are the same one: a hash of the type and of the application's own frames.

It is the same on every machine, in every process and version of Python: what varies from one
occurrence to the next (the message, line numbers, paths, how deep a recursion went, frames of
libraries) does not count. Causes and the members of exception groups count by their types.

It stands in `error.id`, for ECS 9.4 the "unique identifier for the error". That is the error, not
its occurrence: each event has an `event.id` for that. `error.code` is the application's own (an
SQLSTATE), `labels` hold what callers give, and a name that ECS does not have (Elastic APM's
`error.grouping_key`) is in no mapping but APM's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from os.path import basename
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from flowery_logging.ecs.exception import qualified_name
from flowery_logging.kept import Kept
from flowery_logging.library_code import is_library

_MOST: Final = 64
"""So many distinct frames, causes and members of groups count; the others change nothing."""

_MAIN: Final = frozenset({"__main__", "__mp_main__"})
_INLINED: Final = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})
"""Comprehensions have frames of their own up to Python 3.11 only."""

_Label = tuple[CodeType, str, bool]  # kept alive while its `id` is a key; its name; is it own

_labels: Final[Kept[int, _Label]] = Kept()
_groups: Final[Kept[tuple[Any, ...], str]] = Kept()


def error_group(error: BaseException, trace: TracebackType | None = None) -> str:
    """Return the group of an exception as 16 hexadecimal digits.

    Where no frame is the application's own, the innermost one counts.
    Raises what a strange exception's own attributes raise.
    """
    frames = _own_frames(trace or error.__traceback__)
    key = (_type_name(type(error)), *frames, None, *_members(error), None, *_causes(error))
    known = _groups.get(key)
    return known or _groups.keep(key, _hashed("\n".join(part or "" for part in key)))


def _own_frames(trace: TracebackType | None) -> tuple[str, ...]:
    """Return the names of the application's own functions, each once, from the outermost on."""
    found: dict[str, None] = {}
    innermost = ""
    while trace is not None:
        frame = trace.tb_frame
        known = _labels.get(id(frame.f_code))
        if known is None or known[0] is not frame.f_code:
            known = _learn(frame)
        _, innermost, is_own = known
        if is_own and len(found) < _MOST:
            found[innermost] = None
        trace = trace.tb_next
    return tuple(found) or (innermost,)


def _learn(frame: FrameType) -> _Label:
    code = frame.f_code
    module = _module(str(frame.f_globals.get("__name__", "")), frame.f_globals, code.co_filename)
    is_own = code.co_name not in _INLINED and not is_library(code.co_filename)
    label = code, f"{module}.{code.co_name}", is_own
    if type(code) is CodeType:  # billiard's imitate one, and are new for each exception
        _labels.pop(id(code), None)
        _labels.keep(id(code), label)
    return label


def _module(name: str, variables: Mapping[str, Any], file: str) -> str:
    """Return a module's name; a program has the one that it has when it is imported."""
    if name and name not in _MAIN:
        return name
    spec = getattr(variables.get("__spec__"), "name", None)
    if isinstance(spec, str) and spec not in _MAIN:
        return spec
    return basename(str(variables.get("__file__") or file)).removesuffix(".py")


def _type_name(kind: type) -> str:
    module = getattr(kind, "__module__", None)
    if module not in _MAIN:
        return qualified_name(kind)
    variables = vars(sys.modules.get("__main__"))
    named = _module(str(module), variables, "")
    return f"{named}.{kind.__qualname__}"


def _causes(error: BaseException) -> Iterator[str]:
    """Yield the types of what an exception was raised from, or while handling."""
    seen = {id(error)}
    while len(seen) < _MOST:
        hidden = error.__suppress_context__
        found = error.__cause__ or (None if hidden else error.__context__)
        if found is None or id(found) in seen:
            return
        seen.add(id(found))
        yield _type_name(type(found))
        error = found


def _members(error: BaseException) -> list[str]:
    """Return the types of what an exception group holds, each once."""
    found: set[str] = set()
    ahead, seen = [error], 0
    while ahead and seen < _MOST:
        inner = getattr(ahead.pop(), "exceptions", ())
        members = [one for one in inner if isinstance(one, BaseException)] if inner else []
        found.update(_type_name(type(one)) for one in members)
        ahead += members
        seen += 1
    return sorted(found)


def _hashed(text: str) -> str:
    """Return FNV-1a in 64 bits: it needs no import, and is made once a group."""
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8", "backslashreplace"):
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
