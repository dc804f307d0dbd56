"""An exception as ECS fields: its type, its message and the whole chain as one text."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType
from typing import Any, cast

from flowery_logging.ecs.event import keyword
from flowery_logging.ecs.frames import set_stacks
from flowery_logging.ecs.plain import describe
from flowery_logging.signalled import let_through

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def exception_of(exc_info: Any) -> BaseException | None:
    """Return the exception that `exc_info` stands for: an exception, a tuple of three, or true.

    For anything else that is true, the exception being handled now (as `logging` does).
    """
    if _is_a(BaseException, exc_info):
        return cast("BaseException", exc_info)
    if _is_a(tuple, exc_info):
        found = exc_info[1] if len(exc_info) == 3 else None
        return found if isinstance(found, BaseException) else None
    # `exc_info` may be an object whose truth raises: it was asked for, so that counts as true.
    return sys.exc_info()[1] if exc_info is not None and exc_info is not False else None


def _is_a(kind: type, value: object) -> bool:
    try:
        return isinstance(value, kind)
    except Exception as failure:  # a stand-in may have no object yet whose class it tells
        let_through(failure)
        return False


def askable(exc_info: object) -> object:
    """Return `exc_info` as `logging` can take it, which asks for its truth, class and traceback."""
    try:
        if exc_info and isinstance(exc_info, BaseException):
            return type(exc_info), exc_info, exc_info.__traceback__
    except Exception as failure:
        let_through(failure)
    else:
        return exc_info
    # Not in the block above: there its own failure is the exception being handled.
    return exc_info_of(exception_of(exc_info))


def traceback_of(exc_info: Any) -> TracebackType | None:
    """Return the traceback that stands beside the exception in a tuple of three."""
    found = exc_info[2] if _is_a(tuple, exc_info) and len(exc_info) == 3 else None
    return found if isinstance(found, TracebackType) else None


def exc_info_of(error: BaseException | None, trace: TracebackType | None = None) -> ExcInfo | None:
    """Return the tuple of three that a record has for an exception; None for none."""
    if error is None:
        return None
    # What only says that it is an exception, as a stand-in of a test, may have no traceback.
    return type(error), error, trace or getattr(error, "__traceback__", None)


def qualified_name(kind: type) -> str:
    """Return a class with its module; builtins without, as a traceback shows them."""
    try:
        module, name = kind.__module__, kind.__qualname__
    except Exception as failure:  # a metaclass may do anything
        let_through(failure)
        return "BaseException"
    return name if module == "builtins" else f"{module}.{name}"


def message_of(error: BaseException) -> str:
    """Return what `str()` says of an exception, or that it fails. Never raises."""
    try:
        return str.__str__(str(error))
    except Exception as failure:
        let_through(failure)
        return describe(error)


def stack_trace(
    error: BaseException, trace: TracebackType | None = None, limit: int | None = None
) -> str:
    """Return causes, contexts, notes and groups as Python prints them. Never raises.

    `limit` is the number of frames of each traceback, as `traceback` takes it.
    """
    try:
        formatted = _taken(error, trace, 0)
        set_stacks(formatted, error, trace or error.__traceback__, limit)
        return "".join(_alone(formatted) or formatted.format()).rstrip("\n")
    except Exception as failure:
        let_through(failure)
        return _formatted_by_python(error, trace, limit)


def _alone(formatted: traceback.TracebackException) -> list[str] | None:
    """Format an exception that has nothing to chain; `format()` would indent each line by nothing.

    None for another one.
    """
    inner = getattr(formatted, "exceptions", None)  # of Python 3.11
    if formatted.__cause__ is not None or formatted.__context__ is not None or inner is not None:
        return None
    head = ["Traceback (most recent call last):\n", *formatted.stack.format()]
    return [*(head if formatted.stack else ()), *formatted.format_exception_only()]


def _taken(
    error: BaseException, trace: TracebackType | None, limit: int | None
) -> traceback.TracebackException:
    return traceback.TracebackException(
        type(error),
        error,
        trace or error.__traceback__,
        limit=limit,
        lookup_lines=False,
        compact=True,
    )


def _formatted_by_python(
    error: BaseException, trace: TracebackType | None, limit: int | None
) -> str:
    """Return what is left where a name in the frames, or a file's, cannot be looked up."""
    try:
        return "".join(_taken(error, trace, limit).format()).rstrip("\n")
    except Exception as failure:
        let_through(failure)
        return _frames_only(error)


def _frames_only(error: BaseException) -> str:
    """Return what is left where an exception's own attributes raise."""
    last = f"{qualified_name(type(error))}: {message_of(error)}"
    try:
        return "".join(traceback.format_tb(error.__traceback__)) + last
    except Exception as failure:
        let_through(failure)
        return last


def error_fields(
    error: BaseException, trace: TracebackType | None = None, limit: int | None = None
) -> dict[str, str]:
    """Return `type`, `message` and `stack_trace` for ECS's `error`; texts are uncut.

    With a `limit` of 0 the stack trace is left out.
    """
    found = {"type": keyword(qualified_name(type(error))), "message": message_of(error)}
    return found if limit == 0 else {**found, "stack_trace": stack_trace(error, trace, limit)}
