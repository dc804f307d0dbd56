"""gunicorn with our logger class, as people start it: its lines as events, each request once."""

import http.client
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.integrations.conftest import written

CONFIGURATION = """
import flowery_logging
flowery_logging.setup(service="shop", directory={directory!r}, output="file")
bind = "127.0.0.1:0"
workers = 2
worker_class = {worker!r}
logger_class = "flowery_logging.integrations.gunicorn.Logger"
graceful_timeout = 3  # gevent's worker waits for it where a request has failed
"""
WSGI = """
import logging
from flowery_logging.integrations.wsgi import RequestMiddleware

def bare(environ, start_response):
    if environ["PATH_INFO"] == "/boom":
        raise ValueError("꽃")
    if environ["PATH_INFO"] == "/silent":
        return []
    logging.getLogger("app").info("in the view")
    start_response("200 OK", [])
    return failing() if environ["PATH_INFO"] == "/first" else [b"ok"]

def failing():
    raise ValueError("꽃")
    yield

app = RequestMiddleware(bare)
"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def run(directory, target, worker="sync", paths=("/", "/boom")):
    """Start gunicorn, ask for these paths, stop it; return every event."""
    (directory / "shop_wsgi.py").write_text(WSGI)
    logs = directory / "logs"
    (directory / "gunicorn.conf.py").write_text(
        CONFIGURATION.format(directory=str(logs), worker=worker)
    )
    command = [sys.executable, "-m", "gunicorn", target]
    server = subprocess.Popen(command, cwd=directory, stderr=subprocess.PIPE)
    try:
        url = address(logs)
        for number, path in enumerate(paths, 1):
            headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
            try:
                urllib.request.urlopen(urllib.request.Request(url + path, headers=headers)).close()
            except urllib.error.HTTPError as error:
                error.close()
            except (OSError, http.client.HTTPException):
                pass  # a connection that was closed, or no answer of HTTP
            # The answer comes before the line, and another worker may be faster with the next one.
            await_until(lambda wanted=number: len(access(written(logs))) == wanted)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=300)
    return written(logs)


def await_until(true):
    deadline = time.monotonic() + 300
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def access(events):
    return [e for e in events if e["log"]["logger"] == "flowery_logging.access"]


def address(logs):
    """Wait until its own lines say where it listens and that its workers have started."""

    def said(text):
        messages = (event["message"] for event in written(logs))
        return [found for message in messages if (found := re.search(text, message))]

    await_until(lambda: said(r"Listening at: (\S+)") and len(said("Booting worker")) == 2)
    return said(r"Listening at: (\S+)")[0][1]


@pytest.mark.slow
@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_with_the_middleware(tmp_path, worker):
    events = run(tmp_path, "shop_wsgi:app", worker)
    requests = access(events)
    assert sorted(e["message"] for e in requests) == ["GET / 200", "GET /boom 500"]
    assert {e["trace"]["id"] for e in requests} == {TRACE}
    (error,) = [e for e in events if "error" in e]
    assert error["log"]["logger"] == "flowery_logging.integrations.wsgi"
    assert error["trace"]["id"] == TRACE
    by_process = {e["process"]["entity_id"] for e in events}
    closed = [e["process"]["entity_id"] for e in events if e["message"] == "log closed"]
    assert sorted(closed) == sorted(by_process)


@pytest.mark.slow
@pytest.mark.parametrize("worker", ["sync", "gthread", "gevent"])
def test_a_body_that_fails_at_its_first_piece_is_one_500(tmp_path, worker):
    """Some workers log it as a 200, and then the 500 with which they answer."""
    requests = access(run(tmp_path, "shop_wsgi:app", worker, ("/first", "/")))
    assert sorted(e["message"] for e in requests) == ["GET / 200", "GET /first 500"]


@pytest.mark.slow
def test_an_application_that_says_no_status_is_told_as_one(tmp_path):
    events = run(tmp_path, "shop_wsgi:bare", paths=("/silent", "/"))
    silent, answered = sorted(access(events), key=lambda event: str(event["@timestamp"]))
    assert (silent["message"], answered["message"]) == ("GET /silent -", "GET / 200")
    assert (silent["log.level"], silent["event"]["reason"]) == ("error", "no response")
    assert [e["message"] for e in events if "error" in e] == []


@pytest.mark.slow
def test_without_the_middleware_the_servers_access_line_is_an_event_too(tmp_path):
    events = run(tmp_path, "shop_wsgi:bare")
    answered, failed = sorted(access(events), key=lambda event: str(event["@timestamp"]))
    assert (answered["message"], failed["message"]) == ("GET / 200", "GET /boom 500")
    assert answered["trace"]["id"] == TRACE
    assert answered["http"]["response"] == {"status_code": 200, "body": {"bytes": 2}}
    assert answered["event"]["duration"] > 0
    (error,) = [e for e in events if "error" in e]
    assert error["log"]["logger"] == "gunicorn.error"
