"""A process whose code uses the library without `setup()` says so, once, with the fix."""

import os
import subprocess
import sys

import pytest

from tests.ends.servers import ROOT, Kind, running

pytestmark = pytest.mark.slow

ASKED = """
import flowery_logging
from flowery_logging import continue_trace
def use():
    {use}
    {use}
{before}
use()
"""
USES = {
    "bind": "flowery_logging.bind(a=1)",
    "continue_trace": "with continue_trace({}): pass",
    "get_logger": "flowery_logging.get_logger().info('x')",
    "wsgi": "from flowery_logging.integrations import wsgi; list(wsgi.RequestMiddleware(lambda e, s: [])({}, None))",
}


def said(folder, program):
    """Run a program; return what it says on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    return [line for line in done.stderr.splitlines() if "setup() was not called" in line]


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_it_is_said_once(tmp_path, use):
    (line,) = said(tmp_path, ASKED.format(use=use, before=""))
    assert "Call setup() at the top of the module that workers import" in line


@pytest.mark.parametrize(
    "before",
    [
        "flowery_logging.setup(directory='logs', output='file')",
        "flowery_logging.setup(directory='logs', output='file'); flowery_logging.shutdown()",
        "flowery_logging.ECSFormatter()",
    ],
    ids=["set up", "shut down", "formatters of their own"],
)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_it_is_not_said_where_there_was_a_set_up(tmp_path, use, before):
    assert said(tmp_path, ASKED.format(use=use, before=before)) == []


def test_what_a_module_binds_when_it_is_imported_comes_before_a_set_up(tmp_path):
    (tmp_path / "shop.py").write_text("import flowery_logging\nflowery_logging.bind(a=1)\n")
    program = "import shop, flowery_logging; flowery_logging.setup(directory='logs')"
    assert said(tmp_path, program) == []


SPAWNED = """
import os, sys
import flowery_logging
from fastapi import FastAPI
from flowery_logging.integrations import fastapi

{top}
app = FastAPI()
fastapi.instrument(app)

@app.get("/")
def pid():
    return os.getpid()

if __name__ == "__main__":
    import uvicorn
    flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
    uvicorn.run("main:app", port=int(sys.argv[1]), {option})
"""


@pytest.mark.parametrize("option", ["workers=2", "reload=True"])
def test_a_spawned_worker_says_it(tmp_path, option):
    kind = Kind("main.py {port}", SPAWNED.format(top="", option=option))
    with running(tmp_path, kind) as server:
        pids = {server.ask()}
        server.until(lambda: "setup() was not called" in server.output())
        lines = [line for line in server.output().splitlines() if "was not called" in line]
        pids.add(server.ask())
    assert any(f"process {pid}, " in line for pid in pids for line in lines)
