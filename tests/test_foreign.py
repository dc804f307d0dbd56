"""The private names of other libraries that we rely on are there, in old and new versions."""

import os
import re
import signal
import subprocess
import sys
from logging.handlers import QueueListener
from pathlib import Path
from queue import SimpleQueue

import pytest

from flowery_logging import foreign
from tests.aside import installed_aside

ROOT = Path(__file__).parents[1]

# What each library has: a program that ends without an error where all of it is there.
PROBES = {
    "structlog": """
import structlog
from structlog import BoundLoggerBase
assert callable(getattr(BoundLoggerBase, foreign.PROCESS_EVENT))
structlog.configure(processors=[str])
assert foreign.CONFIGURATION.default_processors == [str]
assert callable(foreign.CONFIGURES.configure_once)
proxy = structlog.get_logger("shop")
assert type(proxy) is foreign.Proxy
assert foreign.processors_of(proxy) is None
assert foreign.logger_of(proxy) is None
assert foreign.arguments_of(proxy) == ("shop",)
bound = proxy.bind(order=7)
assert foreign.processors_of(bound) == [str]
assert foreign.context_of(bound) == {"order": 7}
assert getattr(foreign.logger_of(bound), foreign.PRINTED_TO) is sys.stdout
callers = []
class Loud(BoundLoggerBase):
    def _process_event(self, *args):
        callers.append(foreign.getframe(1).f_code)
        raise structlog.DropEvent
    def info(self, event):
        self._proxy_to_logger("info", event)
structlog.wrap_logger(None, wrapper_class=Loud).info("x")
assert callers == [foreign.CALLER_OF_PROCESS_EVENT]
assert not foreign.BOUND_VARIABLES
structlog.contextvars.bind_contextvars(order=7)
assert list(foreign.BOUND_VARIABLES)
assert type(foreign.logger_of(bound)).__module__ == foreign.PRINTERS.__name__
assert foreign.CALLING_STACK is structlog.contextvars._ASYNC_CALLING_STACK
""",
    "aiohttp": """
import asyncio, aiohttp
async def main():
    async with aiohttp.ClientSession(trace_configs=[config := aiohttp.TraceConfig()]) as session:
        assert foreign.trace_configs_of(session) == [config]
asyncio.run(main())
assert callable(getattr(aiohttp.ClientSession, foreign.AIOHTTP_REQUEST))
""",
    "httpx": """
import httpx
for client in (httpx.Client, httpx.AsyncClient):
    assert callable(getattr(client, foreign.HTTPX_SEND))
""",
    "opentelemetry-sdk": """
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
current = foreign.opentelemetry_context()
before = current()
assert before is current() is context.get_current()
assert getattr(trace, foreign.OPENTELEMETRY_PROVIDER) is None
trace.set_tracer_provider(provider := TracerProvider())
assert getattr(trace, foreign.OPENTELEMETRY_PROVIDER) is provider
with provider.get_tracer("t").start_as_current_span("s"):
    assert before is not current() is context.get_current()
assert before is current()
""",
    "django": """
from django.conf import settings
settings.configure()
from django.http import HttpResponse
closed = []
response = HttpResponse()
foreign.closers_of(response).append(lambda: closed.append(1))
response.close()
assert closed == [1]
""",
    "celery": """
from celery.worker.request import Request
assert hasattr(Request, foreign.CELERY_APPLY_RESULT)
import billiard.process, billiard.util
assert hasattr(billiard.util, foreign.BILLIARD_LOGGER)
assert callable(getattr(billiard.process.BaseProcess, foreign.BOOTSTRAP))
""",
    "fastapi": """
from typing import Annotated, Literal, Union
from fastapi import Body, FastAPI
from pydantic import BaseModel, Field
class Card(BaseModel):
    kind: Literal["card"]
    number: str
class Cash(BaseModel):
    kind: Literal["cash"]
app = FastAPI()
@app.post("/")
def pay(by: Annotated[Union[Card, Cash], Body(discriminator="kind")]): pass
(field,) = app.routes[-1].dependant.body_params
assert getattr(field, foreign.FASTAPI_ADAPTER).core_schema["type"] == "tagged-union", field
""",
    "anyio": """
import asyncio, anyio.to_thread
def task():
    there = sys.modules[foreign.ANYIO_EVENT_LOOP].threadlocals.current_cancel_scope
    return getattr(there, foreign.ANYIO_HOST_TASK)
async def main():
    assert await anyio.to_thread.run_sync(task) is asyncio.current_task()
asyncio.run(main())
""",
    "trio": """
import trio
def task():
    return next(iter(sys.modules[foreign.TRIO_THREADS].PARENT_TASK_DATA.task_register))
async def main():
    assert await trio.to_thread.run_sync(task) is trio.lowlevel.current_task()
trio.run(main)
""",
}


def probe(library, *paths):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*paths, ROOT)))}
    program = f"import sys\nfrom flowery_logging import foreign\n{PROBES[library]}"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def oldest(library):
    """Return the oldest version of a library that pyproject.toml names."""
    declared = (ROOT / "pyproject.toml").read_text()
    (found,) = set(re.findall(rf'"{library}>=([\d.]+)"', declared))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("library", PROBES)
def test_the_names_are_in_the_installed_version(library):
    probe(library)


@pytest.mark.slow
@pytest.mark.parametrize("library", PROBES)
def test_the_names_are_in_the_oldest_version(library):
    folder = installed_aside(f"oldest-{library}", f"{library}=={oldest(library)}")
    probe(library, folder)


def test_the_names_of_the_interpreter_are_there():
    assert foreign.getframe(0).f_code.co_name == "test_the_names_of_the_interpreter_are_there"
    assert foreign.levels_by_name()["WARNING"] == 30
    assert foreign.MODULE_LOCK.acquire(blocking=False)
    foreign.MODULE_LOCK.release()
    listener = QueueListener(SimpleQueue())
    assert getattr(listener, foreign.LISTENER_THREAD) is None
    assert foreign.getsignal(signal.SIGINT) is signal.getsignal(signal.SIGINT)
    program = f"""
import code, logging, multiprocessing.process, sys, warnings
assert callable(logging.Logger.{foreign.LOG})
assert logging.{foreign.CAPTURED_FROM} is None
assert callable(multiprocessing.process.BaseProcess.{foreign.BOOTSTRAP})
assert "print_exc" in multiprocessing.process.BaseProcess.{foreign.BOOTSTRAP}.__code__.co_names
assert callable(warnings.{foreign.SHOWWARNING})
assert callable(warnings.{foreign.SHOWS_WARNINGS[1]})
assert callable(warnings.{foreign.SHOWS_A_WARNING})
shows = hasattr(code.InteractiveInterpreter, {foreign.CONSOLE_SHOWS!r})
assert shows == (sys.version_info >= (3, 13))
"""
    subprocess.run([sys.executable, "-c", program], check=True)
