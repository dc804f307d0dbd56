"""One function of somebody else's class or module, replaced while a set-up stands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType
from typing import Any, Final, TypeVar

SOURCE: Final = logging.addLevelName.__code__.co_filename
"""The file by which stdlib tells its own frames from those of callers."""

_ABSENT: Final = object()

_Function = TypeVar("_Function", bound=Callable[..., Any])


def is_stock(function: object) -> bool:
    """Tell whether a function is stdlib's own, or ours in its place: not a wrapper of others."""
    return type(function) is FunctionType and function.__code__.co_filename == SOURCE


def inside_logging(function: FunctionType) -> FunctionType:
    """Return a function whose frames stdlib, and what imitates it, takes for its own.

    stdlib knows them by the name of the file, structlog by that of the module.
    """
    names = {**function.__globals__, "__name__": logging.__name__}
    name, defaults, cells = function.__name__, function.__defaults__, function.__closure__
    try:
        code = function.__code__.replace(co_filename=SOURCE)
        made = FunctionType(code, names, name, defaults, cells)
    except (AttributeError, RuntimeError, TypeError):
        return function  # compiled, by Nuitka: it has no code to name
    made.__kwdefaults__ = function.__kwdefaults__
    made.__module__ = function.__module__
    return made


def filed_in_logging(function: _Function) -> _Function:
    """Return a function whose frames are stdlib's to who goes by the file, as loguru's recipe does.

    The module stays: by that structlog knows them.
    """
    code: Any = function
    with suppress(AttributeError, RuntimeError, TypeError):  # compiled, by Nuitka
        code.__code__ = code.__code__.replace(co_filename=SOURCE)
    return function


_LOGGING: Final = (logging.Filterer, logging.Handler)


class Patch:
    """Replaces a function of a class or module.

    `undo` puts back what was there, unless others have wrapped it since.
    """

    def __init__(self, owner: Any, name: str) -> None:
        self.owner = owner
        self.name = name
        self.ours: Any = None
        self.theirs: Any = None
        self._own: Any = _ABSENT  # what the owner itself had, and not a base of it

    def apply(self, make: Callable[[Any], Any]) -> None:
        """Put `make(theirs)` in the place of the function, if it is not there."""
        if self.ours is not None and vars(self.owner).get(self.name) is self.ours:
            return
        self._own = vars(self.owner).get(self.name, _ABSENT)
        self.theirs = getattr(self.owner, self.name)
        made = make(self.theirs)
        logs = isinstance(self.owner, type) and issubclass(self.owner, _LOGGING)
        self.ours = inside_logging(made) if logs else made
        self.ours.__wrapped__ = self.theirs  # what looks for wrappers of somebody's looks below
        setattr(self.owner, self.name, self.ours)

    def apply_once(self, make: Callable[[Any], Any]) -> None:
        """Put `make(theirs)` there once: where others have wrapped it since, it stays in theirs."""
        if self.ours is None:
            self.apply(make)

    def undo(self) -> None:
        """Put back what was there."""
        if self.ours is None or vars(self.owner).get(self.name) is not self.ours:
            return
        if self._own is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self._own)
        self.ours = None
