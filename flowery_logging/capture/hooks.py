"""One hook of the interpreter: ours runs first, also where somebody sets another one later."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any, Final

from flowery_logging.foreign import SHOWS_WARNINGS, frame_above

Report = Callable[..., None]

_OURS: Final = "_flowery_hook"


class Hook:
    """Calls `report` with a hook's arguments, once a call, and then the hook that others have set.

    `sys` is read by the interpreter itself, so a hook that replaces ours there is wrapped only at
    the next `install`. `threading` and `warnings` read their own dictionary (`warnings` its
    attribute from Python 3.14 on): their class gets a property, and what is set through it is
    called by ours.

    Args:
        module, name: where the hook stands.
        report: takes the hook's arguments.
        not_wrapped: the name of what stands there while somebody only records.
        adapt: returns what is called in the place of a hook behind ours.
        swallows: what of the report's exceptions is not seen. A program goes on behind a warning,
            and so what a signal handler raises meanwhile is to reach it.
    """

    def __init__(
        self,
        module: ModuleType,
        name: str,
        report: Report,
        not_wrapped: str | None = None,
        adapt: Callable[[Report], Report] = lambda theirs: theirs,
        swallows: type[BaseException] = BaseException,
    ) -> None:
        self._module = module
        self._name = name
        self._report = report
        self._not_wrapped = not_wrapped
        self._adapt = adapt
        self._swallows = swallows
        self._active = False
        self._calls = _Calls()
        self._kind: type[ModuleType] | None = None
        self._set: Any = None  # what others have set, as they see it

    def install(self) -> None:
        """Put ours in front of what stands there now, if it is not there."""
        self._active = True
        current = getattr(self._module, self._name)
        if not self._is_ours(vars(self._module).get(self._name)):
            vars(self._module)[self._name] = self._wrapping(current)
        if self._module is not sys and self._kind is None:
            self._kind = type(self._module)
            self._module.__class__ = self._with_property(self._kind)

    def uninstall(self) -> None:
        """Put back the former hook; ours stays, silent, where others were put in front of it."""
        self._active = False
        standing = vars(self._module).get(self._name)
        if self._is_ours(standing):
            vars(self._module)[self._name] = getattr(standing, _OURS)[1]
        if self._kind is not None and type(self._module).__base__ is self._kind:
            self._module.__class__ = self._kind
            self._kind = None
        self._set = None

    def runs_here(self) -> bool:
        """Tell whether this thread is in a call of the hook that is reported."""
        return self._calls.running is not None

    def _is_ours(self, hook: object) -> bool:
        return bool(getattr(hook, _OURS, (None,))[0] is self)

    def _wrapping(self, theirs: Callable[..., Any]) -> Callable[..., Any]:
        behind = self._adapt(theirs)

        def hook(*args: object, **named: object) -> Any:
            try:
                outer = self._calls.running
            except RuntimeError:  # gevent's, as the interpreter ends: no event can be made
                return behind(*args, **named)
            if not self._active or (outer is not None and _have_one(outer, args)):
                return behind(*args, **named)  # switched off, or reported by what calls us
            self._calls.running = args
            try:
                self._say(*args, **named)
                return behind(*args, **named)
            finally:
                self._calls.running = outer

        hook.__module__, hook.__qualname__ = self._module.__name__, self._name
        setattr(hook, _OURS, (self, theirs))
        return hook

    def _say(self, *args: object, **named: object) -> None:
        with suppress(self._swallows):  # odd arguments, or an exception whose text ends the program
            self._report(*args, **named)

    def _with_property(self, kind: type[ModuleType]) -> type[ModuleType]:
        """Return the class of the module, through which others set and see their hook."""

        def get(module: ModuleType) -> Any:
            ours = self._set is None or _is_called_by(frame_above(1))
            return vars(module)[self._name] if ours else self._set

        def replace(module: ModuleType, value: Any) -> None:
            as_it_is = self._kind is None or self._is_ours(value) or self._only_records(value)
            vars(module)[self._name] = value if as_it_is else self._wrapping(value)
            self._set = None if as_it_is else value

        seen = property(get, replace)
        return type(kind.__name__, (kind,), {self._name: seen, "__reduce__": _by_name})

    def _only_records(self, value: object) -> bool:
        return self._not_wrapped is not None and value is vars(self._module).get(self._not_wrapped)


def _by_name(module: ModuleType) -> tuple[Callable[[str], ModuleType], tuple[str]]:
    """Return how a module is pickled.

    cloudpickle and dill send the modules that a function uses by their name, but know them by
    their class alone.
    """
    return import_module, (module.__name__,)


def _is_called_by(reader: FrameType | None) -> bool:
    """Tell whether who reads a hook is the interpreter's own code, which is about to call it."""
    if reader is None:
        return False
    return (reader.f_globals.get("__name__"), reader.f_code.co_name) == SHOWS_WARNINGS


class _Calls(threading.local):
    """The arguments with which this thread is in our hook."""

    running: tuple[Any, ...] | None = None


_TOLD_APART_BY_NO_IDENTITY: Final = (type, type(None), str, int)


def _have_one(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Tell whether two calls are of the same exception or warning."""
    return any(
        one is other
        for one in some
        for other in others
        if type(one) not in _TOLD_APART_BY_NO_IDENTITY
    )
