"""What an application raises as it starts or stops: one event with its stack, under each server."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI

from flowery_logging.integrations import fastapi as flowery_fastapi
from flowery_logging.integrations.asgi import RequestMiddleware
from tests.ends.servers import SETUP, Kind, running
from tests.integrations.conftest import written

LOGGER = "flowery_logging.integrations.asgi"


def failing(phase):
    @asynccontextmanager
    async def lifespan(_):
        if phase == "startup":
            raise RuntimeError("no database")
        yield
        if phase == "shutdown":
            raise RuntimeError("no goodbye")

    return lifespan


async def lived(app, *, refuses=False, ends=None):
    """Run a lifespan as a server does; return what it was told.

    With `ends` nobody asks for a shutdown: the wait for it is ended by that exception.
    """
    asked = iter(["lifespan.startup", *([] if ends else ["lifespan.shutdown"])])
    told = []

    async def receive():
        for kind in asked:
            return {"type": kind}
        raise ends

    async def send(message):
        told.append(message)
        if message["type"].endswith(".failed"):
            logging.getLogger("uvicorn.error").error(message["message"])
            if refuses:  # as hypercorn does
                raise LookupError(message["message"])

    try:
        await app({"type": "lifespan", "state": {}}, receive, send)
    except Exception as error:
        logging.getLogger("uvicorn.error").exception("in the lifespan")
        return [*told, error]
    return told


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("phase", ["startup", "shutdown"])
def test_what_a_lifespan_raises_is_one_event_with_its_stack(collector, phase, refuses):
    app = FastAPI(lifespan=failing(phase))
    flowery_fastapi.instrument(app)
    told = asyncio.run(lived(RequestMiddleware(app), refuses=refuses))
    assert told[-2]["type"] == f"lifespan.{phase}.failed"
    ours = [line for line in collector.errors() if line.record.name == LOGGER]
    (line,) = ours
    assert line.message == f"the application's {phase} raised an exception"
    assert line.record.exc_info[0] is RuntimeError


@pytest.mark.parametrize("ends", [asyncio.CancelledError(), GeneratorExit()], ids=repr)
def test_a_lifespan_that_is_cancelled_or_let_go_has_not_failed(collector, ends):
    app = FastAPI()
    flowery_fastapi.instrument(app)
    told = asyncio.run(lived(RequestMiddleware(app), refuses=True, ends=ends))
    assert told[-2]["type"].endswith(".failed")
    assert [line.message for line in collector.errors() if line.record.name == LOGGER] == []


def test_what_ends_a_running_lifespan_is_not_told_of_its_startup(collector):
    app = FastAPI()
    flowery_fastapi.instrument(app)
    asyncio.run(lived(RequestMiddleware(app), ends=OSError("the server's")))
    (line,) = [line for line in collector.errors() if line.record.name == LOGGER]
    assert line.message == "the application's lifespan raised an exception"


def test_the_server_does_not_repeat_it(collector):
    app = FastAPI(lifespan=failing("startup"))
    flowery_fastapi.instrument(app)
    asyncio.run(lived(app))
    asyncio.run(lived(app))
    assert [line.record.name for line in collector.errors()] == [LOGGER, LOGGER]


def test_an_application_without_a_lifespan_has_not_failed(collector):
    async def app(scope, receive, send):
        assert scope["type"] == "http"

    (error,) = asyncio.run(lived(RequestMiddleware(app)))
    assert isinstance(error, AssertionError)
    assert [line for line in collector.errors() if line.record.name == LOGGER] == []


APP = (
    SETUP
    + """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from flowery_logging.integrations import fastapi

@asynccontextmanager
async def lifespan(app):
    log.info("loaded")
    if os.environ["FAILS"] == "startup":
        raise RuntimeError("no database")
    yield
    raise RuntimeError("no goodbye")

app = FastAPI(lifespan=lifespan)
fastapi.instrument(app)

@app.get("/")
def read():
    return os.getpid()
"""
)
SERVERS = {
    "uvicorn": "-m uvicorn main:app --port {port}",
    "hypercorn": "-m hypercorn main:app --bind 127.0.0.1:{port} -w 0",
    "granian": "-m granian main:app --port {port} --interface asgi",
    "gunicorn": "-m gunicorn main:app --bind 127.0.0.1:{port} -k uvicorn.workers.UvicornWorker",
}


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["startup", "shutdown"])
@pytest.mark.parametrize("server", SERVERS)
def test_with_real_servers(tmp_path, server, phase):
    with running(tmp_path, Kind(SERVERS[server], APP), FAILS=phase) as site:
        if phase == "shutdown":
            site.up(1)
            site.process.terminate()
        site.process.wait(300)
        events = written(site.logs)
    failed = [event for event in events if event.get("error", {}).get("type") == "RuntimeError"]
    assert [event["log"]["logger"] for event in failed] == [LOGGER]
    assert "in lifespan" in failed[0]["error"]["stack_trace"]
    assert not [event for event in events if "Traceback" in event["message"]]
