"""Errors that nobody catches, and warnings: each logged once, then what was there before happens.

What a process says of them on stderr stays as it was. asyncio logs through `logging` by itself.
"""

from __future__ import annotations

import atexit
import sys
import threading
import warnings
from collections.abc import Callable
from os.path import basename
from time import time as _now
from types import TracebackType
from typing import Any, Final

from flowery_logging import context, foreign
from flowery_logging.capture import reported
from flowery_logging.capture.as_without_us import in_a_console, is_of_a_console, with_its_source
from flowery_logging.capture.greenlets import Greenlets
from flowery_logging.capture.hooks import Hook
from flowery_logging.capture.sink import Sink, this_thread
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.plain import describe
from flowery_logging.signalled import let_through

_ABOVE_THE_HOOK: Final = 3
"""How many frames above a report what has called the hook runs."""

_PRINTING_IN_C: Final = frozenset({"bjoern", "uwsgi"})
"""Modules of servers that call `sys.excepthook` with what has left the application, and go on."""

_NOT_ERRORS: Final = (KeyboardInterrupt, SystemExit)
"""Ways to end a program: Python reports or ignores them, and nothing has failed."""


class Hooks:
    """The interpreter's hooks while a set-up stands; `uninstall` puts back what was there.

    Args:
        sink: where events go.
        leave_out: called with a logger's name and what tells which of its records are told.
    """

    def __init__(self, sink: Sink, leave_out: Callable[[str, Callable[[Any], bool]], None]) -> None:
        self._sink = sink
        self._leave_out = leave_out
        self._active = False
        self._has_made_way = False
        self._at_exit = False
        self._last: BaseException | None = None  # which the interpreter keeps too
        self._uncaught = [
            Hook(sys, "excepthook", self._report_uncaught, adapt=in_a_console),
            Hook(threading, "excepthook", self._report_thread),
            Hook(sys, "unraisablehook", self._report_unraisable),
        ]
        self._greenlets = Greenlets(self._report_greenlet)
        self._warnings = Hook(
            warnings,
            "showwarning",
            self._report_warning,
            not_wrapped=foreign.SHOWWARNING,
            adapt=with_its_source,
            swallows=Exception,
        )

    def install(self, *, uncaught: bool, captured_warnings: bool) -> None:
        """Put our hooks in front of those that stand there now; each of them once.

        What wraps greenlets is left to `look`, which follows.
        """
        self._active = uncaught
        for hook in self._uncaught:
            hook.install() if uncaught else hook.uninstall()
        if not uncaught:
            self._greenlets.uninstall()
        if captured_warnings:
            # logging.captureWarnings() hands what our hook has written to this logger.
            self._leave_out("py.warnings", lambda _: self._warnings.runs_here())
            self._warnings.install()
        else:
            self._warnings.uninstall()
        if uncaught and not self._at_exit:
            atexit.register(self._report_last)
        elif not uncaught:
            atexit.unregister(self._report_last)
        self._at_exit = uncaught  # `atexit` keeps the place of what was taken back

    def make_way(self, module: str) -> None:
        """Leave the place of Python's hook to it while a module is loaded; `look` comes back.

        The backport of exception groups, which anyio loads in the middle of a program, sees to it
        that `traceback` shows the errors of a group, but only where that hook is Python's own.
        """
        if module == foreign.GROUPS and sys.version_info < (3, 11):
            self._has_made_way = True
            self._uncaught[0].uninstall()

    def look(self) -> None:
        """Wrap what has been imported since, if uncaught errors are logged at all."""
        if self._active and self._has_made_way:
            self._has_made_way = False
            self._uncaught[0].install()
        if self._active:
            self._greenlets.look()

    def uninstall(self) -> None:
        """Put back the former hooks; ours stay, silent, where others were put in front of them."""
        self._active = self._at_exit = False
        atexit.unregister(self._report_last)
        for hook in (*self._uncaught, self._warnings):
            hook.uninstall()
        self._greenlets.uninstall()

    def process_died(self, error: BaseException, name: str) -> None:
        """Write what this child of `multiprocessing` dies of, if it shall be. Never raises."""
        if self._active:
            message = f"Uncaught exception in process {name}"
            self._log("multiprocessing.process", "critical", message, error, error.__traceback__)

    def _report_uncaught(self, _: object, error: Any, trace: Any) -> None:
        self._last = error if isinstance(error, BaseException) else None
        if _is_typed(error, trace) or is_of_a_console(_ABOVE_THE_HOOK) or _is_repeat(error):
            return
        self._log("sys.excepthook", "critical", "Uncaught exception", error, trace)

    def _report_last(self) -> None:
        """Log at the end what a hook of somebody's own has reported in the place of ours."""
        error = getattr(sys, "last_value", None)
        trace = getattr(sys, "last_traceback", None)
        told, self._last = self._last, None  # what stands in its frames may have something to say
        if error is None or error is told or hasattr(sys, "ps1") or not _is_program(trace):
            return
        self._report_uncaught(type(error), error, trace)

    def _report_thread(self, args: Any) -> None:
        message = f"Uncaught exception in thread {getattr(args.thread, 'name', None)}"
        error, trace = args.exc_value, args.exc_traceback
        self._log("threading.excepthook", "critical", message, error, trace)

    def _report_greenlet(self, hub: str, error: BaseException) -> None:
        if not reported.take(error):  # by a middleware: gevent's server prints it so too
            message = "Uncaught exception in greenlet"
            self._log(hub, "critical", message, error, error.__traceback__)

    def _report_unraisable(self, args: Any) -> None:
        # The object may be half destroyed: its repr may fail, and it must not be kept.
        what = args.err_msg or "Exception ignored in"
        # From Python 3.13 on `atexit` has put it into the message.
        is_said = args.object is None and bool(args.err_msg)
        message = what if is_said else f"{what}: {_repr(args.object)}"
        self._log("sys.unraisablehook", "error", message, args.exc_value, args.exc_traceback)

    def _report_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,  # noqa: ARG002 - as warnings calls it
    ) -> None:
        if file is None and self._sink.ready:
            self._log_warning(message, category, filename, lineno)

    def _log(
        self,
        hook: str,
        level: str,
        message: str,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write an error, with the place where it was raised."""
        if _ends_program(error):
            return
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        code = None if trace is None else trace.tb_frame.f_code
        line = None if trace is None else trace.tb_lineno
        file, function = (None, None) if code is None else (code.co_filename, code.co_name)
        with context.inside(context.as_left(context.scope_of_failure(error)) or context.here()):
            self._emit(hook, level, message, (file, line, function), error)

    def _log_warning(
        self, message: Warning | str, category: type[Warning], filename: str, lineno: int
    ) -> None:
        fields = {"warning_category": getattr(category, "__name__", None)}
        self._emit("py.warnings", "warning", text(message), (filename, lineno, None), None, fields)

    def _emit(
        self,
        logger: str,
        level: str,
        message: str,
        origin: tuple[str | None, int | None, str | None],
        error: BaseException | None,
        fields: dict[str, Any] | None = None,
    ) -> None:
        if not self._sink.ready:
            return
        file, line, function = origin
        encoder = self._sink.encoder
        place = basename(file or ""), line, function
        site = encoder.site((logger, level, file, line), level, logger, *place)
        thread = this_thread(encoder)
        event = Event(_now(), site, message, thread, fields or {}, error=error)
        self._sink.emit_event(event)


def _ends_program(error: BaseException | None) -> bool:
    """Tell whether an exception is a way to end a program, or a group of such ones, as Trio's."""
    if isinstance(error, _NOT_ERRORS):
        return True
    inner = getattr(error, "exceptions", None)  # up to Python 3.10 the groups are a package's
    return isinstance(inner, tuple) and len(inner) > 0 and all(map(_ends_program, inner))


def _is_program(trace: TracebackType | None) -> bool:
    """Tell whether an exception has gone through all of the program, and not of a part of it.

    Tools too leave the exception that they have shown in `sys.last_value`.
    """
    if trace is None:
        return False
    frame = trace.tb_frame
    main = frame.f_globals.get("__name__") == "__main__" and frame.f_code.co_name == "<module>"
    return main or frame.f_globals.get("__name__") == "runpy"


def _is_repeat(error: object) -> bool:
    """Tell whether a server shows what a middleware has logged: the program goes on."""
    return not _PRINTING_IN_C.isdisjoint(sys.modules) and reported.take(error)


def _is_typed(error: object, trace: TracebackType | None) -> bool:
    """Tell whether an exception comes from what a person has typed: no program has failed."""
    if not hasattr(sys, "ps1"):
        return False
    while trace is not None and trace.tb_frame.f_globals.get("__name__") == "code":
        trace = trace.tb_next  # stdlib's own console
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename
    else:  # what is no Python has not run: its error has no frame
        file = str(error.filename) if isinstance(error, SyntaxError) else ""
    return file.startswith("<") and file != "<string>"  # which is `python -c`


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # an object that is half destroyed
        let_through(error)
        return describe(value)
