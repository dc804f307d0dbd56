"""Errors that nobody catches, and warnings: each logged once, then what was there before happens.

What a process says of them on stderr stays as it was. asyncio logs through `logging` by itself.
"""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections.abc import Callable
from os.path import basename
from types import TracebackType
from typing import Any, Final

from flowery_logging import context
from flowery_logging.capture.sink import Sink
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.plain import describe

_NOT_ERRORS: Final = (KeyboardInterrupt, SystemExit)
"""Ways to end a program: Python reports or ignores them, and nothing has failed."""


class Hooks:
    """The interpreter's hooks while a set-up stands; `uninstall` puts back what was there."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._installed: dict[tuple[Any, str], tuple[Any, Any]] = {}  # → ours, theirs
        self._uncaught = False
        self._warnings = False

    def install(self, *, uncaught: bool, captured_warnings: bool) -> None:
        """Put our hooks in front of those that stand there now; each of them once."""
        self._uncaught, self._warnings = uncaught, captured_warnings
        if uncaught:
            self._hook(sys, "excepthook", self._excepthook)
            self._hook(threading, "excepthook", self._thread_excepthook)
            self._hook(sys, "unraisablehook", self._unraisablehook)
        if captured_warnings:
            self._hook(warnings, "showwarning", self._showwarning)

    def uninstall(self) -> None:
        """Put back the former hooks; ours stay, silent, where others were put in front of them."""
        self._uncaught = self._warnings = False
        for (module, name), (ours, theirs) in list(self._installed.items()):
            if getattr(module, name) is ours:
                setattr(module, name, theirs)
                del self._installed[module, name]

    def process_died(self, error: BaseException) -> None:
        """Write the exception of which this child of `multiprocessing` dies. Never raises."""
        process: Any = sys.modules.get("multiprocessing.process")
        name = "" if process is None else f" {process.current_process().name}"
        message = f"Uncaught exception in process{name}"
        self._log("multiprocessing", "critical", message, error, error.__traceback__)

    def _hook(self, module: Any, name: str, make: Callable[[Any], Any]) -> None:
        if (module, name) not in self._installed:
            theirs = getattr(module, name)
            ours = make(theirs)
            setattr(module, name, ours)
            self._installed[module, name] = ours, theirs

    def _excepthook(self, theirs: Callable[..., Any]) -> Callable[..., Any]:
        def excepthook(
            kind: type[BaseException], error: BaseException, trace: TracebackType | None
        ) -> Any:
            self._log("sys.excepthook", "critical", "Uncaught exception", error, trace)
            return theirs(kind, error, trace)

        return excepthook

    def _thread_excepthook(self, theirs: Callable[..., Any]) -> Callable[..., Any]:
        def excepthook(args: Any) -> Any:
            message = f"Uncaught exception in thread {getattr(args.thread, 'name', None)}"
            self._log(
                "threading.excepthook", "critical", message, args.exc_value, args.exc_traceback
            )
            return theirs(args)

        return excepthook

    def _unraisablehook(self, theirs: Callable[..., Any]) -> Callable[..., Any]:
        def unraisablehook(args: Any) -> Any:
            # The object may be half destroyed: its repr may fail, and it must not be kept.
            message = f"{args.err_msg or 'Exception ignored in'}: {_repr(args.object)}"
            self._log("sys.unraisablehook", "error", message, args.exc_value, args.exc_traceback)
            return theirs(args)

        return unraisablehook

    def _showwarning(self, theirs: Callable[..., Any]) -> Callable[..., Any]:
        def showwarning(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: Any = None,
            line: str | None = None,
        ) -> Any:
            if file is None and self._warnings:
                self._log_warning(message, category, filename, lineno)
            return theirs(message, category, filename, lineno, file, line)

        return showwarning

    def _log(
        self,
        hook: str,
        level: str,
        message: str,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write an error, with the place where it was raised. Never raises."""
        if not self._uncaught or isinstance(error, _NOT_ERRORS):
            return
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        code = None if trace is None else trace.tb_frame.f_code
        line = None if trace is None else trace.tb_lineno
        file, function = (None, None) if code is None else (code.co_filename, code.co_name)
        with context.inside(context.scope_of_failure(error) or context.here()):
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
        thread = encoder.thread(threading.get_ident(), threading.current_thread().name)
        event = Event(time.time(), site, message, thread, fields or {}, error=error)
        self._sink.emit_event(event)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return describe(value)
