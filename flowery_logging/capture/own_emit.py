"""Handlers made from `StreamHandler` that write to no stream.

Many derive from it for its formatting alone, and send in their `emit`: Google Cloud's, and recipes
for chats and databases. Their `stream` is standard error all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from inspect import getattr_static
from types import CodeType, FunctionType
from typing import Any, Final

from flowery_logging.capture.patch import SOURCE

_EMIT: Final = "emit"
_OF_PRINTING: Final = frozenset(
    {_EMIT, "console", "cprint", "echo", "handle", "print", "secho", "stderr", "stream", "write"}
)
"""Names of which one stands in what prints, or hands on to what does."""

_MAX_WRAPPERS: Final = 8


def may_print(handler: logging.Handler) -> bool:
    """Tell whether a handler may write to its stream. One whose code is unknown may."""
    if not isinstance(handler, logging.StreamHandler) or _EMIT in vars(handler):
        return True
    kind = type(handler)
    emit = _function(getattr_static(kind, _EMIT))
    return emit is None or _prints(kind, emit, set())


def _prints(kind: type[logging.Handler], function: FunctionType, seen: set[FunctionType]) -> bool:
    """Tell whether a function, or one of its class or module that it names, names printing."""
    seen.add(function)
    names = set(_names(function.__code__))
    return not names.isdisjoint(_OF_PRINTING) or any(
        _prints(kind, one, seen) for one in _named(kind, function, names) if one not in seen
    )


def _named(
    kind: type[logging.Handler], function: FunctionType, names: set[str]
) -> Iterator[FunctionType]:
    """Yield the methods and the functions of the same module that have these names."""
    for name in names:
        method = _function(getattr_static(kind, name, None))
        if method is not None:
            yield method
        beside = _function(function.__globals__.get(name))
        if beside is not None and beside.__globals__ is function.__globals__:
            yield beside


def _function(found: Any) -> FunctionType | None:
    """Return the function under its wrappers; None of what is none, and of stdlib's own."""
    if isinstance(found, (classmethod, staticmethod)):
        found = found.__func__
    for _ in range(_MAX_WRAPPERS):
        if isinstance(found, FunctionType):  # nothing is asked of objects of somebody's own
            found = vars(found).get("__wrapped__", found)
    is_theirs = isinstance(found, FunctionType) and found.__code__.co_filename != SOURCE
    return found if is_theirs else None


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that code uses, and the functions within it."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
