"""Servers that a proxy on the same machine reaches through a Unix socket: who asks is told by it."""

import socket
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.ends.servers import ASGI, WSGI, Kind, running
from tests.integrations.conftest import written

pytestmark = pytest.mark.slow

SERVERS = {
    "uvicorn": Kind("-m uvicorn main:app --uds {folder}/socket", ASGI),
    "hypercorn": Kind("-m hypercorn main:app --bind unix:{folder}/socket", ASGI),
    "daphne": Kind("-m daphne -u {folder}/socket main:app", ASGI),
    "granian": Kind("-m granian --interface asgi --uds {folder}/socket main:app", ASGI),
    "gunicorn": Kind("-m gunicorn main:app --bind unix:{folder}/socket", WSGI),
    "waitress": Kind(
        "-m waitress --no-clear-untrusted-proxy-headers --unix-socket={folder}/socket main:app",
        WSGI,
    ),
}


def trusting(app):
    made = app.replace("RequestMiddleware(bare)", "RequestMiddleware(bare, proxies=['unix'])")
    assert made != app
    return made


class Connection(HTTPConnection):
    def __init__(self, path):
        super().__init__("shop", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def answered(path):
    headers: dict[str, str | bytes] = {
        "X-Forwarded-For": "6.6.6.6, 192.0.2.7",
        "User-Agent": "꽃집/1.0".encode(),
    }
    with closing(Connection(path)) as connection:
        try:
            connection.request("GET", "/", headers=headers)
            return connection.getresponse().status == 200
        except OSError:
            return False


def event_of_a_request(folder, kind):
    def told():
        events = written(server.logs) if server.logs.exists() else []
        return [e for e in events if e["log"]["logger"] == "flowery_logging.access"]

    with running(folder, kind) as server:
        server.until(lambda: answered(folder / "socket"))
        server.until(told)
        return told()[0]


@pytest.mark.parametrize("name", SERVERS)
def test_a_trusted_proxy_tells_the_client(tmp_path, name):
    kind = SERVERS[name]
    event = event_of_a_request(tmp_path, kind._replace(app=trusting(kind.app)))
    assert event["client"] == {"ip": "192.0.2.7"}
    assert event["user_agent"] == {"original": "꽃집/1.0"}


@pytest.mark.parametrize("name", SERVERS)
def test_another_one_does_not(tmp_path, name):
    assert "client" not in event_of_a_request(tmp_path, SERVERS[name])
