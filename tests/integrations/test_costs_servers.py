"""What has made a request slow, under the servers that people use, in processes of their own."""

import time
import urllib.request

import pytest

from tests.ends.servers import Kind, running
from tests.integrations.conftest import written

pytestmark = pytest.mark.slow

BURNT = 50_000_000
"""Nanoseconds of CPU time that each request spends."""

ROUNDED = 0.001
"""Milliseconds by which a time may be more than another one that it lies in."""

COMMON = f"""
import os, time
import flowery_logging
flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
PROXIES = ["127.0.0.1"]

def burn():
    until = time.thread_time_ns() + {BURNT}
    while time.thread_time_ns() < until:
        pass
"""
ALCHEMY = """
import sqlalchemy
from flowery_logging.integrations import sqlalchemy as flowery_sqlalchemy
engine = sqlalchemy.create_engine("sqlite://", connect_args={"check_same_thread": False})
flowery_sqlalchemy.instrument(engine)

def ask(times):
    with engine.connect() as connection:
        for _ in range(times):
            connection.execute(sqlalchemy.text("SELECT 1"))
"""
FLASK = (
    COMMON
    + ALCHEMY
    + """
from flask import Flask
from flowery_logging.integrations.wsgi import RequestMiddleware
app = Flask(__name__)

@app.get("/plain/<int:times>")
def plain(times):
    ask(times)
    burn()
    return "ok"

app.wsgi_app = RequestMiddleware(app.wsgi_app, proxies=PROXIES)
"""
)
FASTAPI = (
    COMMON
    + ALCHEMY
    + """
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine
from flowery_logging.integrations import fastapi
app = FastAPI()
async_engine = create_async_engine("sqlite+aiosqlite://")
flowery_sqlalchemy.instrument(async_engine)

@app.get("/plain/{times}")
def plain(times: int):
    ask(times)
    burn()

@app.get("/async/{times}")
async def asynchronous(times: int):
    async with async_engine.connect() as connection:
        for _ in range(times):
            await connection.execute(sqlalchemy.text("SELECT 1"))
    burn()

fastapi.instrument(app, proxies=PROXIES)
"""
)
DJANGO = (
    COMMON
    + """
from asgiref.sync import sync_to_async
from django.conf import settings
settings.configure(
    SECRET_KEY="x" * 50, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None,
    MIDDLEWARE=["flowery_logging.integrations.django.RequestMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    FLOWERY_REQUESTS={"database_queries": True, "proxies": PROXIES},
)
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path

def ask(times):
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

def plain(request, times):
    ask(times)
    burn()
    return HttpResponse("ok")

async def asynchronous(request, times):
    await sync_to_async(ask)(times)
    burn()
    return HttpResponse("ok")

urlpatterns = [path("plain/<int:times>", plain), path("async/<int:times>", asynchronous)]
app = get_asgi_application() if os.environ["KIND"] == "asgi" else get_wsgi_application()
"""
)
GUNICORN = "-m gunicorn main:app --bind 127.0.0.1:{port} "
UVICORN = "-m uvicorn main:app --port {port}"
WSGI, ASGI = "wsgi", "asgi"

SERVERS = {
    "flask-gunicorn-sync": (Kind(GUNICORN + "-k sync", FLASK), WSGI, ["plain"]),
    "flask-gunicorn-gthread": (Kind(GUNICORN + "-k gthread --threads 4", FLASK), WSGI, ["plain"]),
    "flask-gunicorn-gevent": (Kind(GUNICORN + "-k gevent", FLASK), "greenlets", ["plain"]),
    "flask-waitress": (
        Kind("-m waitress --listen=127.0.0.1:{port} main:app", FLASK), WSGI, ["plain"],
    ),
    "fastapi-uvicorn": (Kind(UVICORN, FASTAPI), ASGI, ["plain", "async"]),
    "fastapi-gunicorn": (
        Kind(GUNICORN + "-k asgi", FASTAPI), ASGI, ["plain", "async"],
    ),
    "django-gunicorn": (Kind(GUNICORN + "-k gthread --threads 4", DJANGO), WSGI, ["plain", "async"]),
    "django-uvicorn": (Kind(UVICORN, DJANGO), ASGI, ["plain", "async"]),
}  # fmt: skip


def access(logs):
    events = written(logs) if logs.exists() else []
    return [e for e in events if e["log"]["logger"] == "flowery_logging.access"]


@pytest.mark.parametrize("name", SERVERS)
def test_the_numbers_are_those_of_the_request(tmp_path, name):
    kind, under, views = SERVERS[name]
    paths = {f"/{view}/{times}": times for view in views for times in (0, 3)}
    with running(tmp_path, kind, KIND=under) as server:
        server.until(server.answers)
        for path in paths:
            url = f"http://127.0.0.1:{server.port}{path}"
            headers = {"X-Request-Start": f"t={time.time() - 5:.3f}"}
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60).close()
        server.until(lambda: {e["url"]["path"] for e in access(server.logs)} >= set(paths))
        events = {e["url"]["path"]: e for e in access(server.logs)}
    for path, times in paths.items():
        numbers, duration = events[path]["numeric_labels"], events[path]["event"]["duration"] / 1e6
        assert numbers.get("database_queries", 0) == times
        assert numbers.get("database_queries_sum_ms", 0) <= duration + ROUNDED
        assert 5000 <= numbers["request_wait_ms"] <= 3_600_000
        if under == WSGI:
            # Django runs an async view under WSGI in a thread of its own.
            burnt = 0 if "async" in path else BURNT / 1e6
            assert burnt <= numbers["thread_cpu_ms"] <= duration + ROUNDED
        else:
            assert "thread_cpu_ms" not in numbers
