"""The public names, and what an import costs."""

from __future__ import annotations

import inspect
import subprocess
import sys

import flowery_logging

CONTRACT = {
    "bind", "bound", "ConfigError", "continue_trace", "current_trace", "get_logger",
    "outgoing_headers", "set_level", "setup", "shutdown", "stats", "TraceContext", "unbind",
}  # fmt: skip


def test_public_names() -> None:
    assert set(flowery_logging.__all__) >= CONTRACT
    assert all(hasattr(flowery_logging, name) for name in flowery_logging.__all__)


def test_arguments_of_setup() -> None:
    names = list(inspect.signature(flowery_logging.setup).parameters)
    assert names[:1] == ["service"]
    contract = [
        "version", "environment", "node", "directory", "output", "level", "levels", "max_bytes",
        "max_age", "keep_bytes", "keep_days", "dataset", "redact", "fields", "processors",
        "capture_uncaught", "capture_warnings",
    ]  # fmt: skip
    assert set(contract) <= set(names)
    kinds = [p.kind for p in inspect.signature(flowery_logging.setup).parameters.values()]
    assert set(kinds[1:]) == {inspect.Parameter.KEYWORD_ONLY}


def test_an_import_brings_no_framework() -> None:
    program = (
        "import sys, flowery_logging; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    unwanted = {
        "fastapi", "starlette", "uvicorn", "httpx", "requests", "aiohttp", "django", "celery",
        "opentelemetry", "elasticapm", "typer", "click", "multiprocessing", "tempfile",
        "pythonjsonlogger", "ecs_logging", "numpy", "pandas", "pydantic",
    }  # fmt: skip
    assert not unwanted & loaded
    assert "flowery_logging" in loaded


def test_nothing_happens_at_import() -> None:
    program = """
import logging, sys, threading, signal, warnings
before = (logging.Logger.makeRecord, sys.excepthook, threading.excepthook, sys.unraisablehook,
          warnings.showwarning, signal.getsignal(signal.SIGTERM), logging.getLogger().level)
import flowery_logging
after = (logging.Logger.makeRecord, sys.excepthook, threading.excepthook, sys.unraisablehook,
         warnings.showwarning, signal.getsignal(signal.SIGTERM), logging.getLogger().level)
assert before == after and not logging.getLogger().handlers
flowery_logging.setup("svc", directory=sys.argv[1], output="file")
flowery_logging.shutdown()
undone = (logging.Logger.makeRecord, sys.excepthook, threading.excepthook, sys.unraisablehook,
          warnings.showwarning, signal.getsignal(signal.SIGTERM), logging.getLogger().level)
assert before == undone and not logging.getLogger().handlers
"""
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, "-c", program, directory], check=True)
