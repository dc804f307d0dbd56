"""Agents that watch a whole service beside us, started as their own documentation says.

Whatever an agent does to the clients, a call works, and all services of a request are in one trace.
"""

import os
import subprocess
import sys
import urllib.request

import pytest

from tests.aside import installed_aside
from tests.ends.servers import ROOT, Kind, running
from tests.integrations.celery_workers import APP, ends
from tests.integrations.conftest import written

pytestmark = pytest.mark.slow

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENT = f"00-{TRACE}-00f067aa0ba902b7-01"
ACCESS = "flowery_logging.access"

SITE = """
import logging, os
import aiohttp, httpx, requests
from fastapi import FastAPI, Request
import flowery_logging
from flowery_logging.integrations import aiohttp as for_aiohttp, fastapi, httpx as for_httpx
from flowery_logging.integrations import requests as for_requests
flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
ours = for_aiohttp, for_httpx, for_requests
log = logging.getLogger("shop")
app = FastAPI()

def elasticapm():
    from elasticapm import instrument
    from elasticapm.contrib.starlette import ElasticAPM, make_apm_client
    instrument()
    app.add_middleware(ElasticAPM, client=make_apm_client({"SERVER_URL": "http://127.0.0.1:9"}))

def opentelemetry():
    from opentelemetry import trace
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    FastAPIInstrumentor.instrument_app(app)
    HTTPXClientInstrumentor().instrument()
    RequestsInstrumentor().instrument()

agent = {"elasticapm": elasticapm, "opentelemetry": opentelemetry}.get(os.environ["AGENT"])
if agent and os.environ["ORDER"] == "before us":
    agent()
fastapi.instrument(app)
for one in ours:
    one.instrument()
if agent and os.environ["ORDER"] == "behind us":
    agent()

def stock(request, client):
    return str(request.base_url) + "stock?" + client

@app.get("/stock")
def look():
    log.info("looked")

@app.get("/orders")
def orders(request: Request):
    requests.get(stock(request, "requests"), timeout=60).raise_for_status()
    httpx.get(stock(request, "httpx"), timeout=60).raise_for_status()
    log.info("ordered")

@app.get("/async")
async def async_orders(request: Request):
    async with httpx.AsyncClient(timeout=60) as client:
        (await client.get(stock(request, "async"))).raise_for_status()
    async with aiohttp.ClientSession() as session:
        async with session.get(stock(request, "aiohttp")) as response:
            response.raise_for_status()
    log.info("ordered")

@app.get("/undone")
def undone(request: Request):
    for one in ours:
        one.uninstrument()
    requests.get(stock(request, "requests"), timeout=60).raise_for_status()
    httpx.get(stock(request, "httpx"), timeout=60).raise_for_status()
"""
UVICORN = "-m uvicorn main:app --port {port}"
AGENTS = {
    ("none", ""): UVICORN,
    ("ddtrace", ""): "AGENTS/ddtrace-run {python} " + UVICORN,
    ("newrelic", ""): "AGENTS/newrelic-admin run-program {python} " + UVICORN,
    ("opentelemetry", "before us"): UVICORN,
    ("opentelemetry", "behind us"): UVICORN,
    ("elasticapm", "before us"): UVICORN,
    ("elasticapm", "behind us"): UVICORN,
}
ENVIRONMENT = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
    "DD_UNLOAD_MODULES_FROM_SITECUSTOMIZE": "false",  # with it and gevent httpx fails, also alone
    "NEW_RELIC_APP_NAME": "shop",
    "NEW_RELIC_DEVELOPER_MODE": "true",  # as if a collector answered
    "NEW_RELIC_LICENSE_KEY": "0" * 40,
    "NEW_RELIC_STARTUP_TIMEOUT": "60",
}


@pytest.fixture(scope="session")
def aside():
    """A folder with the agents that would load themselves into this pytest, were they in it."""
    wanted = ("--constraint", "constraints.txt", "--group", "agents")
    return installed_aside("agents", *wanted, inputs=(ROOT / "constraints.txt").read_text())


def ask(server, path, **headers):
    url = f"http://127.0.0.1:{server.port}{path}"
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=300
    ) as answer:
        assert answer.status == 200


def of_a_request(server, path, **headers):
    """Return the lines of a request and of those that it makes: its access event is the last one."""
    before = len(logged(server))
    ask(server, path, **headers)
    server.until(lambda: any(is_access(event, path) for event in logged(server)[before:]))
    return logged(server)[before:]


def logged(server):
    """Return the lines of requests in the order of the file, without those of the first question."""
    events = [e for e in written(server.logs) if e["log"]["logger"] in ("shop", ACCESS)]
    return [event for event in events if not is_access(event, "/")]


def is_access(event, path):
    return event.get("url", {}).get("path") == path


def traces(events):
    return {event["trace"]["id"] for event in events}


@pytest.mark.parametrize(("agent", "order"), AGENTS)
def test_the_services_of_a_request_are_in_one_trace(tmp_path, aside, agent, order):
    kind = Kind(AGENTS[agent, order].replace("AGENTS", f"{aside}/bin"), SITE)
    paths = f"{tmp_path}:{ROOT}:{aside}"
    environment = {**ENVIRONMENT, "AGENT": agent, "ORDER": order, "PYTHONPATH": paths}
    with running(tmp_path, kind, **environment) as server:
        server.until(server.answers)
        for path in ("/orders", "/async"):
            began, continued = (
                of_a_request(server, path),
                of_a_request(server, path, traceparent=SENT),
            )
            # Two calls with a line and an access event each, and those of the request itself.
            assert len(began) == len(continued) == 6
            assert len(traces(began)) == 1
            assert traces(continued) == {TRACE}
            assert not any(
                "labels" in line for line in continued if line["log"]["logger"] == "shop"
            )
        undone = of_a_request(server, "/undone")
    assert [event["url"].get("query") for event in undone if "url" in event] == [
        "requests",
        "httpx",
        None,
    ]


WORKER = (
    APP
    + """
@app.task
def pack():
    log.info("packing")
"""
)
SENDER = """
from main import pack
from flowery_logging.trace import continue_trace
with continue_trace({"traceparent": SENT}):
    pack.delay()
"""
CELERY = "-m celery -A main worker --pool solo --without-mingle --without-gossip"
WATCHED = {
    "none": CELERY,
    "ddtrace": "AGENTS/ddtrace-run {python} " + CELERY,
    "newrelic": "AGENTS/newrelic-admin run-program {python} " + CELERY,
}


@pytest.mark.parametrize("agent", WATCHED)
def test_a_task_is_in_the_trace_of_what_has_sent_it(tmp_path, aside, agent):
    (tmp_path / "queue").mkdir()
    (tmp_path / "send.py").write_text(SENDER.replace("SENT", repr(SENT)))
    environment = {**ENVIRONMENT, "SERVICE": "shop", "PYTHONPATH": f"{tmp_path}:{ROOT}:{aside}"}
    command = WATCHED[agent].replace("AGENTS", f"{aside}/bin")
    with running(tmp_path, Kind(command, WORKER), **environment) as worker:
        program = command.partition(CELERY)[0].format(python=sys.executable).split()
        sender = [sys.executable, *program, "send.py"]
        subprocess.run(sender, cwd=tmp_path, env={**os.environ, **environment}, check=True)
        worker.until(lambda: worker.logs.exists() and ends(written(worker.logs)))
        events = written(worker.logs)
    lines = [e for e in events if e["log"]["logger"] in ("tasks", "flowery_logging.task")]
    assert [line["message"] for line in lines if line["log"]["logger"] == "tasks"] == ["packing"]
    assert len(lines) == 2
    assert traces(lines) == {TRACE}
