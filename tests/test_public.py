"""The public names, and what an import costs."""

from __future__ import annotations

import importlib
import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

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
    program = (  # structlog takes Twisted where it is installed (daphne), and that tempfile
        "import sys, structlog; before = set(sys.modules); import flowery_logging; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules.keys() - before}))"
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


MODULES = """
import json, sys, structlog, orjson
steps, loaded = {}, set(sys.modules)
def step(name):
    global loaded
    steps[name], loaded = sorted(set(sys.modules) - loaded), set(sys.modules)
import flowery_logging
step("import")
flowery_logging.setup("svc", directory=sys.argv[1], output="file", max_bytes=20_000, keep_days=1)
step("setup")
import logging, datetime, uuid, decimal, enum, resource
step("program")
log, bound = logging.getLogger("app"), flowery_logging.get_logger()
log.info("one %d", 1, extra={"order_id": 7})
bound.info("two", order_id=7)
step("first events")
class Odd:
    def __repr__(self): raise ValueError
class Kind(enum.Enum): ONE = 1
for value in (2**70, "\\ud800", [1, {"a": 2}], {"a": {"b": 1}}, datetime.datetime.now(), uuid.uuid4(),
              decimal.Decimal(1), Odd(), b"\\xff", float("nan"), {1}, "x" * 100_000, Kind.ONE):
    log.info("odd %s", value, extra={"value": value, "client.ip": value, "url.full": "//a:b@c?d=e"})
    bound.info("odd", value=value, **{"a.b": value})
step("unusual values")
try:
    try: 1 / 0
    except ZeroDivisionError as error: raise KeyError("x") from error
except KeyError: log.exception("failed")
with flowery_logging.continue_trace({"traceparent": f"00-{1:032x}-{1:016x}-01"}, order_id=7):
    log.info("request")
    flowery_logging.outgoing_headers()
step("requests and exceptions")
for limit in (100, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for n in range(50): log.info("rotation and faults %d", n)
assert flowery_logging.stats()["write_errors"]
flowery_logging.shutdown()
step("rotation, faults, shutdown")
print(json.dumps(steps))
"""


def test_what_an_import_loads_and_that_no_call_loads_more(tmp_path: Path) -> None:
    """Seconds hide a module too many, a list does not; and an import in a fault may fail."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES, str(tmp_path)], capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    # Up to Python 3.12 pathlib has loaded these two before.
    at_import = {name.partition(".")[0] for name in loaded.pop("import")}
    # Up to Python 3.13 something else has loaded decimal before.
    in_c = {"mmap", "resource", "decimal", "_decimal"}
    assert at_import - {"ipaddress", "urllib"} - in_c == {"flowery_logging"}
    at_setup = {name.partition(".")[0] for name in loaded.pop("setup")}
    assert at_setup <= {"pythonjsonlogger", "importlib"}
    del loaded["program"]
    assert set(map(tuple, loaded.values())) == {()}, loaded
    ours = subprocess.run(
        [sys.executable, "-c", "import sys, flowery_logging; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    leaves = ("formatters", "integrations", "cli", "ecs.declared", "files.reader", "files.console")
    assert not {f"flowery_logging.{name}" for name in leaves} & set(ours)


def test_a_python_without_ssl_logs(tmp_path: Path) -> None:
    """As distributions for devices and the smallest images split it off; asyncio does without."""
    program = """
import sys
sys.modules["_ssl"] = None
import logging, flowery_logging
flowery_logging.setup("svc", directory=sys.argv[1], output="file")
logging.getLogger().warning("written")
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    (file,) = tmp_path.glob("*.ndjson")
    lines = file.read_text().splitlines()
    assert "written" in [json.loads(line)["message"] for line in lines]


def test_structlog_is_there_at_once() -> None:
    """Imported at the first use it could be mocked, interrupted or cut by a fork."""
    program = "import sys, flowery_logging; sys.exit('structlog.contextvars' not in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


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


def test_what_stands_in_the_place_of_functions_can_be_sent_to_another_process(
    logged: Any,
) -> None:
    """A pool is given `os._exit`; what is pickled by its name must be found by it."""
    names = [
        "os._exit", "os.execv", "os.setuid", "os.setreuid", "sys.excepthook", "sys.unraisablehook",
        "threading.excepthook", "warnings.showwarning", "logging.basicConfig",
    ]  # fmt: skip
    for name in names:
        module, _, attribute = name.rpartition(".")
        function = getattr(importlib.import_module(module), attribute)
        assert pickle.loads(pickle.dumps(function)) is function, name
