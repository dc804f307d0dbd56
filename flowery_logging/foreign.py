"""The private names of other people's code that this library relies on: all of them stand here.

A name that is private may go in any version. `tests/test_foreign.py` looks for each in what is
installed, and in the oldest and newest versions that are supported. Nothing here imports a library
that `import flowery_logging` does not need: what is given comes from it.
"""

from __future__ import annotations

import logging
import signal
import sys
from _thread import RLock
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from operator import attrgetter
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from structlog import BoundLoggerBase, _config, _output, contextvars as _contextvars

if TYPE_CHECKING:
    from ssl import SSLSocket

# The interpreter

getframe: Final[Callable[..., FrameType]] = sys._getframe  # noqa: SLF001
"""As `logging` and structlog find the caller: `inspect` would read its source."""


def frame_above(depth: int) -> FrameType | None:
    """Return the frame so many calls above the caller's; None where no Python code is so far up.

    `atexit`, `_thread` and modules in C call functions from no frame.
    """
    try:
        return getframe(depth + 1)
    except ValueError:
        return None


def file_above(depth: int) -> str:
    """Return the name of that frame's file; "" where there is none."""
    frame = frame_above(depth + 1)
    return "" if frame is None else frame.f_code.co_filename


getsignal: Final[Callable[[int], Any]] = sys.modules.get("_signal", signal).getsignal
"""As `signal.getsignal`, which looks for a member of an enumeration first: ten times as slow."""

BOOTSTRAP: Final = "_bootstrap"
"""The method of a process of `multiprocessing`, and of billiard, that catches what it dies of."""

BILLIARD_LOGGER: Final = "_logger"
"""The logger of `billiard.util`, if it is on."""

SHOWWARNING: Final = "_showwarning_orig"
"""What stands in `warnings` while somebody only records."""

SHOWS_WARNINGS: Final = ("_py_warnings", "_showwarnmsg")
"""The module and the function that from Python 3.14 on read the attribute to call the hook."""

SHOWS_A_WARNING: Final = "_showwarnmsg_impl"
"""What that function calls where the hook is the interpreter's own."""

CONSOLE_SHOWS: Final = "_excepthook"
"""The method of a console of `code` that from Python 3.13 on shows an error where
`sys.excepthook` is the interpreter's own."""

CONTEXT: Final = "_context"
"""The context of a handle of an event loop; and, up to Python 3.11, of a task in Python."""


def release_of_another(lock: RLock) -> None:
    """Release a lock that a thread holds which is not in this process.

    As `threading.Condition` does; where it cannot be done, nothing is.
    """
    foreign: Any = lock
    try:
        if not foreign._is_owned():  # noqa: SLF001
            foreign._release_save()  # noqa: SLF001
    except (RuntimeError, AttributeError):
        pass  # nobody has it, or this Python has other ways


def chain_of(secured: SSLSocket) -> list[bytes]:
    """Return the certificates that a server has shown, unverified, its own first, as DER."""
    import ssl  # which a Python may have been built without

    if hasattr(secured, "get_unverified_chain"):  # Python 3.13
        return list(secured.get_unverified_chain())
    inside: Any = secured._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    shown = [certificate.public_bytes() for certificate in inside.get_unverified_chain()]
    return [ssl.PEM_cert_to_DER_cert(text) for text in shown]


# logging

LOG: Final = "_log"
"""The method of a logger that makes the record."""

LISTENER_THREAD: Final = "_thread"
"""The thread of a `QueueListener`, None unless it has been started."""

CLEAR_CACHE: Final = "_clear_cache"
"""The method of `logging.Manager` that is called when a level, or `logging.disable`, changes."""

CAPTURED_FROM: Final = "_warnings_showwarning"
"""What stood in `warnings` before `captureWarnings(True)`; None while nothing is captured."""

GROUPS: Final = "exceptiongroup"
"""The backport of exception groups for Python 3.10."""

ASSERTS_LOGS: Final = "unittest._log"
"""The module of the handler by which `assertLogs` takes a logger's events."""

MODULE_LOCK: Final[Any] = getattr(logging, "_lock", None)
"""What `logging` itself holds while it changes handlers. Only ever tried, never waited for."""


def levels_by_name() -> dict[str, int]:
    """Return what `logging.getLevelNamesMapping` does from Python 3.11 on."""
    return dict(logging._nameToLevel)  # noqa: SLF001


# structlog

CONFIGURATION: Final[Any] = _config._CONFIG  # noqa: SLF001
"""What is configured; `get_config` shows a copy, and what a logger uses is not in it."""

CONFIGURES: Final = _config
"""The module in which structlog's own functions are looked up."""

Proxy: Final = _config.BoundLoggerLazyProxy
"""What `get_logger` of structlog's returns."""

PROCESS_EVENT: Final = "_process_event"
"""The method of each bound logger that runs its processors."""

CALLER_OF_PROCESS_EVENT: Final[CodeType] = BoundLoggerBase._proxy_to_logger.__code__  # noqa: SLF001
PRINTED_TO: Final = "_file"
"""Where a PrintLogger prints."""

logger_of: Final[Callable[[Any], Any]] = attrgetter("_logger")
"""Return the output of a bound logger, and of the proxy that stands for one."""

processors_of: Final[Callable[[Any], Any]] = attrgetter("_processors")
"""Return the processors of a bound logger; of a proxy those that it was given, or None."""

context_of: Final[Callable[[Any], Any]] = attrgetter("_context")
"""Return what is bound to a bound logger."""

arguments_of: Final[Callable[[Any], Any]] = attrgetter("_logger_factory_args")
"""Return what a proxy gives to the factory: the name that was asked for."""

BOUND_VARIABLES: Final[Mapping[str, Any]] = getattr(
    _contextvars, "_CONTEXT_VARS", {"unknown": None}
)
"""A ContextVar for each key of `structlog.contextvars`; while it is empty nobody has bound any."""

CALLING_STACK: Final[ContextVar[Any]] = getattr(
    _contextvars, "_ASYNC_CALLING_STACK", ContextVar("flowery_calling_stack")
)
CALLING_THREAD: Final[ContextVar[Any]] = getattr(
    _contextvars, "_ASYNC_CALLING_THREAD", ContextVar("flowery_calling_thread")
)
"""Where the `a…` methods keep the caller's frame and thread while they run in an executor; versions
before 24.3 have one of them only."""

PRINTERS: Final = _output
"""The module of the loggers that print, and of their factories."""

# Agents

OPENTELEMETRY_PROVIDER: Final = "_TRACER_PROVIDER"
"""The global tracer provider, if there is one: to ask for it may make one."""


def opentelemetry_context() -> Callable[[], object]:
    """Return what returns OpenTelemetry's current context, with one call less than its API.

    Older versions make what knows it at the first question.
    """
    module: Any = sys.modules["opentelemetry.context"]
    runtime = getattr(module, "_RUNTIME_CONTEXT", None)
    found: Callable[[], object] = (module if runtime is None else runtime).get_current
    return found


# Clients and frameworks

DAGSTER_LOGGERS: Final = "_loggers"
"""The loggers to which Dagster's handler gives what it gets."""

AIOHTTP_REQUEST: Final = "_request"
"""The method of a `ClientSession` that all others call."""

HTTPX_SEND: Final = "_send_single_request"
"""The method of a client of httpx that sends one request: below redirects and authentication, above
the transports. Each request passes there, also with transports that are mounted or custom."""

FASTAPI_ADAPTER: Final = "_type_adapter"
"""The adapter of a field, which knows the discriminator of a `Body()` too."""

ANYIO_EVENT_LOOP: Final = "anyio._core._eventloop"
ANYIO_HOST_TASK: Final = "_host_task"
"""From AnyIO 4.1 on: the task that waits for a worker thread is that of its cancel scope."""

ANYIO_WORKER: Final = ["-m", "anyio.to_process"]
"""How the command of AnyIO's worker processes ends."""

TRIO_THREADS: Final = "trio._threads"
"""Where Trio's worker threads know the task that waits for them, as `PARENT_TASK_DATA`."""

CELERY_APPLY_RESULT: Final = "_apply_result"
"""What the pool has promised for a request: a weak reference, or nothing."""

GREENPOOL_RUN: Final = "_spawn_n_impl"
"""The method of eventlet's `GreenPool` in which what it spawns with `spawn_n` runs."""

trace_configs_of: Final[Callable[[Any], list[Any]]] = attrgetter("_trace_configs")
"""Return the trace configurations of aiohttp's session, which takes them only when it is made."""

closers_of: Final[Callable[[Any], list[Any]]] = attrgetter("_resource_closers")
"""Return what Django calls when a response is closed."""
