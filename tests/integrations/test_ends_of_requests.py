"""Framework, server, agent and end: what a request's lines say, beside what its client got."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from examples.shop.ports import free_port
from tests.integrations.conftest import ACCESS, written

pytestmark = pytest.mark.slow

SITE = Path(__file__).parent / "ends_site.py"
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = float(os.environ.get("DEADLINE", "300"))
APP = "ends_site:app"
SERVERS = {
    "uvicorn": f"uvicorn {APP} --port {{port}} --timeout-graceful-shutdown 1",
    "hypercorn": f"hypercorn {APP} -b 127.0.0.1:{{port}}",
    "granian": f"granian {APP} --interface asgi --port {{port}} --access-log",
    "daphne": f"daphne {APP} -p {{port}}",
    "asgi": f"gunicorn {APP} -b 127.0.0.1:{{port}} -k asgi",
    "sync": f"gunicorn {APP} -b 127.0.0.1:{{port}} --timeout 3",
    "gthread": f"gunicorn {APP} -b 127.0.0.1:{{port}} -k gthread --threads 2 --access-logfile -",
    "gevent": f"gunicorn {APP} -b 127.0.0.1:{{port}} -k gevent",
    "pywsgi": f"gunicorn {APP} -b 127.0.0.1:{{port}} -k gevent_pywsgi",
    "waitress": f"waitress-serve --listen=127.0.0.1:{{port}} {APP}",
    "werkzeug": "flask --app ends_site run --port {port}",
    "granian-wsgi": f"granian {APP} --interface wsgi --port {{port}} --access-log",
}


class Row(NamedTuple):
    framework: str
    server: str
    agent: str = ""
    order: str = ""
    ends: tuple[str, ...] = ("ok", "refused", "silent", "error", "cut")


FIRST = "ours first"
ROWS = [
    Row(
        "fastapi",
        "uvicorn",
        ends=(
            "ok",
            "refused",
            "error",
            "cut",
            "first",
            "empty",
            "unsaid",
            "cancel",
            "exit",
            "stream",
        ),
    ),
    Row("fastapi", "uvicorn", "opentelemetry", FIRST, ("ok", "silent", "error", "cut", "cancel")),
    Row("fastapi", "uvicorn", "opentelemetry", "", ("ok", "silent", "error", "cut", "exit")),
    Row("fastapi", "uvicorn", "elastic", FIRST, ("ok", "error", "refused")),
    Row("fastapi", "hypercorn", ends=("ok", "error", "cut", "first", "cancel", "stream", "exit")),
    Row(
        "fastapi",
        "granian",
        ends=("ok", "error", "own", "cut", "first", "empty", "unsaid", "cancel", "exit"),
    ),
    Row("fastapi", "daphne", ends=("ok", "error", "first")),
    Row("fastapi", "asgi", ends=("ok", "error", "cut", "first", "empty", "unsaid")),
    Row(
        "flask",
        "sync",
        ends=("ok", "refused", "error", "cut", "first", "empty", "stream", "exit", "hang"),
    ),
    Row("flask", "sync", "opentelemetry", FIRST, ("ok", "silent", "error", "refused", "cut")),
    Row("flask", "sync", "opentelemetry", "", ("ok", "silent", "error", "refused", "cut")),
    Row("flask", "sync", "elastic", FIRST, ("ok", "error", "refused")),
    Row("flask", "sync", "elastic", "", ("ok", "error", "refused")),
    Row("flask", "gthread", ends=("ok", "error", "cut", "first", "stream", "exit")),
    Row("flask", "gevent", ends=("ok", "error", "cut", "first", "stream", "base", "timeout")),
    Row("flask", "pywsgi", ends=("ok", "error", "cut", "first", "empty")),
    Row("flask", "waitress", ends=("ok", "error", "cut", "first", "empty", "stream")),
    Row("flask", "werkzeug", ends=("ok", "error", "first", "refused")),
    Row("flask", "granian-wsgi", ends=("ok", "error", "own", "refused")),  # "first": it races
    Row("django", "uvicorn", ends=("ok", "refused", "silent", "error", "cut", "first")),
    Row("django", "sync", ends=("ok", "refused", "silent", "error", "cut", "first", "exit")),
]
# How a request ends → the level, the outcome and the reason of its access event.
EXPECTED = {
    "ok": ("info", "success", None),
    "refused": ("error", "failure", None),
    "silent": ("error", "failure", None),
    "error": ("error", "failure", None),
    "own": ("error", "failure", None),
    "cut": ("error", "failure", "response cut off by an exception"),
    "first": ("error", "failure", None),
    "empty": ("error", "failure", None),
    "unsaid": ("error", "failure", "no response"),
    "stream": ("info", "unknown", "client disconnected"),
    "cancel": ("error", "failure", "cancelled by the server"),
    "exit": ("error", "failure", "unhandled exception"),
    "base": ("error", "failure", "unhandled exception"),
    "timeout": ("error", "failure", "timed out"),
    "hang": ("error", "failure", "timed out"),
}
DROPPED = ("Exception ignored in: <coroutine object ", "Task exception was never retrieved")
UNANSWERED = {("daphne", "first")}  # it neither answers nor hangs up
NOT_REPORTED = ("CancelledError: ", "SystemExit: 3")  # by us: no errors of an application's


@contextmanager
def served(row, folder):
    port = free_port()
    command = SERVERS[row.server].format(port=port).split()
    env = {
        **os.environ, "FRAMEWORK": row.framework, "AGENT": row.agent, "ORDER": row.order,
        "LOGS": str(folder), "PYTHONPATH": f"{SITE.parent}{os.pathsep}{ROOT}", "PYTHONWARNINGS": "ignore",
        "INTERFACE": "asgi" if row.server == "uvicorn" else "wsgi",
    }  # fmt: skip
    if row.server != "gthread":
        ours = "flowery_logging.integrations.gunicorn.Logger"
        env["GUNICORN_CMD_ARGS"] = f"--logger-class {ours}"
    with (folder.parent / "output.txt").open("w") as output:
        server = subprocess.Popen(
            [BIN / command[0], *command[1:]], env=env, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield port, server
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def connected(port):
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.connect()
            return connection
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def ask(port, end):
    """Return the status that a client gets, or None; of `stream` it reads the beginning alone."""
    connection = connected(port)
    try:
        connection.request("GET", f"/{end}", headers={"X-Request-ID": end})
        response = connection.getresponse()
        if end == "stream":
            response.read(10)
        else:
            with suppress(http.client.IncompleteRead, OSError):
                response.read()
        return response.status
    except (http.client.HTTPException, OSError):
        return None
    finally:
        connection.close()


def ask_in_vain(port, end, folder):
    """Hang up as soon as the server has done with a request that gets no answer."""
    connection = connected(port)
    connection.request("GET", f"/{end}", headers={"X-Request-ID": end})
    access_of(folder, end)
    connection.close()


def access_of(folder, end):
    """Wait for the access event of a request."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = [
            event
            for event in written(folder)
            if event["log"]["logger"] == ACCESS and event["http"]["request"].get("id") == end
        ]
        if found:
            return found
        assert time.monotonic() < deadline, [e["message"] for e in written(folder)]
        time.sleep(0.05)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(filter(None, row[:4])))
def test_each_request_is_told_as_it_has_ended(tmp_path, row):
    folder = tmp_path / "logs"
    with served(row, folder) as (port, server):
        got = {}
        for end in row.ends:
            is_mute = (row.server, end) in UNANSWERED
            got[end] = ask_in_vain(port, end, folder) if is_mute else ask(port, end)
            access_of(folder, end)
        server.terminate()
        server.wait(PATIENCE)
    events = written(folder)
    for end in row.ends:
        (access,) = access_of(folder, end)
        level, outcome, reason = EXPECTED[end]
        if end in ("silent", "error", "own") and row.framework == "fastapi":
            reason = access["event"].get("reason")  # its own 500 came before, or did not
        if end in ("first", "empty"):  # each server sends the head of a response when it likes
            reason = _reason_before_the_body(access)
        told = access["log.level"], access["event"]["outcome"], access["event"].get("reason")
        assert told == (level, outcome, reason), end
        assert access["http"].get("response", {}).get("status_code") == got[end], end
        trace = access["trace"]["id"]
        lines = [e for e in events if e.get("http", {}).get("request", {}).get("id") == end]
        assert {e["trace"]["id"] for e in lines} == {trace}, [
            (e["log"]["logger"], e["message"], e["trace"]) for e in lines
        ]
        assert {e["transaction"]["id"] for e in lines} == {access["transaction"]["id"]}, end
        same = [e for e in events if e.get("trace", {}).get("id") == trace]
        assert len(same) == len(lines), [e["message"] for e in same]
        for line in lines:
            agents = line.get("labels", {}).get("agents_trace")
            assert agents in (None, trace)
            assert row.agent == "" or line["message"] != "in the view" or agents == trace
        if end in ("hang", "timeout"):
            assert "in fail" in access["error"]["stack_trace"]
    no_id = [e for e in events if "error" in e and "trace" not in e]
    if row.server == "hypercorn" and "exit" in row.ends:
        # It drops its own coroutines at SystemExit; Python says so of each, without us too.
        no_id = [e for e in no_id if not e["message"].startswith(DROPPED)]
    assert no_id == [], [(e["log"]["logger"], e["message"]) for e in no_id]
    printed = [e["message"] for e in events if e["log"]["logger"] == "_granian.utils"]
    assert [text for text in printed if not text.endswith(NOT_REPORTED)] == []
    quiet = {"granian.access", "gunicorn.access", "werkzeug", "uvicorn.access"}
    assert [
        e["message"] for e in events if e["log"]["logger"] in quiet and "GET" in e["message"]
    ] == []


def _reason_before_the_body(access):
    is_sent = access["http"].get("response", {}).get("status_code") == 200
    return "response cut off by an exception" if is_sent else "unhandled exception"


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn", "granian", "asgi", "daphne"])
def test_a_websocket_that_does_not_open_has_the_status_that_its_client_gets(tmp_path, server):
    folder, got = tmp_path / "logs", {}
    with served(Row("fastapi", server), folder) as (port, _):
        for end in ("closed", "denied", "failed", "silent"):
            connected(port).close()
            got[end] = opening(port, end)
            (access,) = access_of(folder, end)
            told = access["http"].get("response", {}).get("status_code")
            assert told == got[end], (end, access["event"].get("reason"))
    assert got["closed"] == 403


def opening(port, end):
    """Return the status with which a server refuses a websocket, or None."""
    try:
        with connect(f"ws://127.0.0.1:{port}/{end}", additional_headers={"X-Request-ID": end}):
            return 101
    except InvalidStatus as error:
        return error.response.status_code
    except InvalidMessage:
        return None


def test_a_request_that_a_stopping_server_cancels_is_told_so(tmp_path):
    folder, got = tmp_path / "logs", []
    with served(Row("fastapi", "uvicorn"), folder) as (port, server):
        client = threading.Thread(target=lambda: got.append(ask(port, "slow")))
        client.start()
        deadline = time.monotonic() + PATIENCE
        while not any(event["message"] == "in the view" for event in written(folder)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        server.terminate()
        server.wait(PATIENCE)
        client.join(PATIENCE)
    (access,) = access_of(folder, "slow")
    assert access["event"]["reason"] == "cancelled by the server"
    assert (access["log.level"], access["event"]["outcome"]) == ("error", "failure")
    assert access["http"]["response"]["status_code"] == got[0] == 500
    assert "in slow" in access["error"]["stack_trace"]
    said = "Exception in ASGI application"
    (repeated,) = [e for e in written(folder) if e["message"].startswith(said)]
    assert repeated["trace"] == access["trace"]
