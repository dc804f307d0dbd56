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
