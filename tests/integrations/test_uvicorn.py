"""uvicorn's own lines in our files, with uvicorn as people start it, in processes of their own."""

import json
import subprocess
import sys

import pytest

SERVICE = """
import sys, threading, urllib.request, urllib.error
import uvicorn
import flowery_logging
from fastapi import FastAPI
from flowery_logging.integrations import fastapi

flowery_logging.setup(service="shop", directory=sys.argv[1], output="file")
app = FastAPI()
fastapi.instrument(app)

@app.get("/")
async def ok():
    return {}

@app.get("/boom")
def boom():
    raise ValueError("꽃")

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        threading.Thread(target=ask, args=(self,)).start()

def ask(server):
    port = server.servers[0].sockets[0].getsockname()[1]
    for path in ("/", "/boom"):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").close()
        except urllib.error.HTTPError as exc:
            exc.close()
    server.should_exit = True

Server(uvicorn.Config(app, port=0, lifespan=sys.argv[2], **eval(sys.argv[3]))).run()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lifespan", "options"), [("on", "{}"), ("off", "{}"), ("on", "{'log_config': None}")]
)
def test_its_lines_come_once_whatever_its_log_config(tmp_path, lifespan, options):
    subprocess.run(
        [sys.executable, "-c", SERVICE, str(tmp_path), lifespan, options],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (path,) = tmp_path.glob("*.ndjson")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    access = [event for event in events if event["log"]["logger"] == "flowery_logging.access"]
    assert [event["message"] for event in access] == ["GET / 200", "GET /boom 500"]
    assert not [event for event in events if event["log"]["logger"] == "uvicorn.access"]
    assert all(len(event["trace"]["id"]) == 32 for event in access)
    (failed,) = [event for event in events if "error" in event]
    assert failed["error"]["message"] == "꽃"
    assert failed["log"]["logger"] == "flowery_logging.integrations.asgi"
    assert failed["trace"]["id"] == access[1]["trace"]["id"]
    messages = [event["message"] for event in events]
    assert sum(message.startswith("Finished server process") for message in messages) == 1
    assert messages[-1] == "log closed"


AROUND = """
import http.client, sys, threading
import flowery_logging
from fastapi import FastAPI, Response
from flowery_logging.integrations.asgi import RequestMiddleware

flowery_logging.setup(service="shop", directory=sys.argv[1], output="file")
app = FastAPI()
app.add_middleware(RequestMiddleware, access_log=sys.argv[2] == "ours")

@app.middleware("http")
async def around(request, call_next):
    if request.url.path == "/limited":
        return Response("", 429)
    return await call_next(request)

@app.get("/")
async def ok():
    return {}

@app.get("/boom")
async def boom():
    raise ValueError("boom")

def ask(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for path in ("/", "/limited", "/", "/limited", "/boom"):
        connection.request("GET", path)
        connection.getresponse().read()
    connection.close()
"""
SERVERS = {
    "uvicorn": """
import uvicorn

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        def run():
            try:
                ask(self.servers[0].sockets[0].getsockname()[1])
            finally:
                self.should_exit = True
        threading.Thread(target=run).start()

Server(uvicorn.Config(app, port=0, http=sys.argv[3])).run()
""",
    "hypercorn": """
import asyncio, functools, trio
from hypercorn.config import Config
import hypercorn.asyncio, hypercorn.trio
config = Config()
config.bind = ["127.0.0.1:0"]
config.accesslog = "-"
create = config.create_sockets
def create_sockets():
    sockets = create()
    threading.Thread(target=run, args=(sockets.insecure_sockets[0],)).start()
    return sockets
config.create_sockets = create_sockets
done = threading.Event()
def run(socket):
    socket.listen()
    try:
        ask(socket.getsockname()[1])
    finally:
        done.set()
if sys.argv[3] == "trio":
    async def until():
        while not done.is_set():
            await trio.sleep(0.05)
    trio.run(functools.partial(hypercorn.trio.serve, app, config, shutdown_trigger=until))
else:
    async def until():
        while not done.is_set():
            await asyncio.sleep(0.05)
    asyncio.run(hypercorn.asyncio.serve(app, config, shutdown_trigger=until))
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["ours", "theirs"])
@pytest.mark.parametrize(
    ("server", "kind"),
    [("uvicorn", "h11"), ("uvicorn", "httptools"), ("hypercorn", "asyncio"), ("hypercorn", "trio")],
)
def test_a_middleware_around_ours_that_sends_from_a_task_of_its_own(tmp_path, server, kind, whose):
    """Of what it answers itself the server's line stays."""
    done = subprocess.run(
        [sys.executable, "-c", AROUND + SERVERS[server], str(tmp_path), whose, kind],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*.ndjson")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    found: dict[str, list[str]] = {"flowery_logging.access": [], f"{server}.access": []}
    for event in events:
        if event["log"]["logger"] in found:
            found[event["log"]["logger"]].append(event["message"])
    ours, theirs = found.values()
    if whose == "ours":
        assert ours == ["GET / 200", "GET / 200", "GET /boom 500"]
        assert [("/limited" in line, "429" in line) for line in theirs] == [(True, True)] * 2
    else:
        assert ours == []
        # hypercorn may tell of a connection's end what it has told of the response's.
        counts = [sum(f"GET {path} " in one for one in theirs) for path in ("/", "/limited")]
        assert counts == [2, 2]
        assert any("GET /boom " in one for one in theirs)
