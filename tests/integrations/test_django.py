"""Django's middleware under its WSGI and ASGI handlers, its server and its commands."""

import asyncio
import contextlib
import gc
import io
import logging
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from examples.shop.ports import free_port
from flowery_logging.integrations import asgi, wsgi
from tests.integrations import django_site
from tests.integrations.conftest import written

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
SITE = Path(django_site.__file__)
ROOT = SITE.parents[2]


@pytest.fixture(scope="module", autouse=True)
def site():
    django_site.configure(LOGGING_CONFIG=None)


@pytest.fixture(params=["wsgi", "asgi"])
def get(request, collector):
    """GET through one of the handlers; a body that is cut off ends early."""

    def through_wsgi(path, **headers):
        transport = httpx.WSGITransport(WSGIHandler(), raise_app_exceptions=False)
        with httpx.Client(transport=transport, base_url="http://site.test") as client:
            return client.get(path, headers=headers)

    def through_asgi(path, **headers):
        async def main():
            transport = httpx.ASGITransport(ASGIHandler(), raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://site.test"
            ) as client:
                return await client.get(path, headers=headers)

        return asyncio.run(main())

    return through_wsgi if request.param == "wsgi" else through_asgi


def extra(line):
    return vars(line.record)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_every_line_has_the_trace_and_the_access_event_what_was_bound(get, collector, kind):
    response = get(f"/{kind}/7/?a=1", traceparent=TRACEPARENT)
    (own,), (line,) = collector.named("in the view"), collector.access()
    assert own.fields["trace.id"] == line.fields["trace.id"] == TRACE
    assert response.headers["x-request-id"] == line.fields["http.request.id"]
    assert line.fields["number"] == 7
    told = extra(line)
    assert line.message == f"GET /{kind}/7/ 200"
    assert told["http.route"] == f"/{kind}/<int:number>/"
    assert told["http.response.body.bytes"] == len(response.content) == 13
    assert (told["url.domain"], told["url.query"]) == ("site.test", "a=1")
    assert told["event.duration"] > 0


def test_an_exception_is_logged_once_by_django_on_the_trace(get, collector):
    response = get("/boom/", traceparent=TRACEPARENT)
    assert (response.status_code, "x-request-id" in response.headers) == (500, True)
    (error,), (line,) = collector.errors(), collector.access()
    assert (error.record.name, error.fields["trace.id"]) == ("django.request", TRACE)
    assert str(error.record.exc_info[1]) == "꽃"
    assert (line.message, line.record.levelname) == ("GET /boom/ 500", "ERROR")


@pytest.mark.parametrize("path", ["/streaming/", "/streaming-async/"])
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_stream_belongs_to_its_request_until_its_end(get, collector, path):
    assert get(path, traceparent=TRACEPARENT).text == "012"
    pieces, (line,) = collector.named("piece"), collector.access()
    assert [piece.fields["trace.id"] for piece in pieces] == [TRACE] * 3
    assert extra(line)["http.response.body.bytes"] == 3
    assert collector.lines.index(line) > collector.lines.index(pieces[-1])


@pytest.mark.filterwarnings(
    "ignore:StreamingHttpResponse must consume",
    "ignore:Unclosed file",  # Django's ASGI handler leaves the body of such a request open
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
def test_a_stream_that_is_cut_off_is_a_failure(get, collector):
    with contextlib.suppress(ValueError):
        get("/cut-off/")
    gc.collect()
    (line,) = collector.access()
    assert extra(line)["event.outcome"] == "failure"
    assert extra(line)["event.reason"] == "response cut off by an exception"
    (error,) = collector.errors()
    assert error.message == "GET /cut-off/ raised an unhandled exception"
    assert str(error.record.exc_info[1]) == "꽃"
    assert error.fields["trace.id"] == line.fields["trace.id"]
    logging.getLogger("gunicorn.error").error("again", exc_info=error.record.exc_info)
    assert collector.errors() == [error]
    collector.lines.clear()  # they keep the body of the request
    del line, error
    gc.collect()


def test_a_stream_that_was_sent_whole_may_be_closed_before_its_end(collector):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/announced/", "SERVER_NAME": "a",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
    }  # fmt: skip
    response = WSGIHandler()(environ, lambda *_: None)
    assert next(iter(response)) == b"four"
    response.close()
    (line,) = collector.access()
    assert extra(line)["event.outcome"] == "success"
    assert "event.reason" not in extra(line)


@pytest.fixture(params=["wsgi", "asgi"])
def get_inside(request, collector):
    """GET through a middleware of ours around Django, as with Channels."""
    if request.param == "wsgi":

        def through_wsgi(path, **headers):
            app = wsgi.RequestMiddleware(WSGIHandler())
            with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://a") as client:
                return client.get(path, headers=headers)

        return through_wsgi

    def through_asgi(path, **headers):
        async def main():
            transport = httpx.ASGITransport(asgi.RequestMiddleware(ASGIHandler()))
            async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(main())

    return through_asgi


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_inside_of_another_middleware_of_ours_a_request_is_one(get_inside, collector, kind):
    response = get_inside(f"/{kind}/7/", traceparent=TRACEPARENT)
    (own,), (line,) = collector.named("in the view"), collector.access()
    assert own.fields["transaction.id"] == line.fields["transaction.id"]
    assert extra(line)["http.route"] == f"/{kind}/<int:number>/"
    assert line.fields["number"] == 7
    assert response.headers.get_list("x-request-id") == [line.fields["http.request.id"]]


def test_inside_of_another_middleware_of_ours_an_error_is_on_the_trace(get_inside, collector):
    get_inside("/boom/", traceparent=TRACEPARENT)
    (error,), (line,) = collector.errors(), collector.access()
    assert error.record.name == "django.request"
    assert error.fields["trace.id"] == line.fields["trace.id"] == TRACE


def test_a_path_may_be_quiet(get, collector):
    assert get("/health").text == "ok"
    assert get("/nowhere").status_code == 404
    (line,) = collector.access()
    assert (line.message, line.record.levelname) == ("GET /nowhere 404", "WARNING")
    assert "http.route" not in extra(line)


def test_a_client_that_goes_away_cancels_the_view_and_is_told_apart(collector):
    async def main():
        scope = {"type": "http", "method": "GET", "path": "/slow/", "headers": [],
                 "query_string": b"", "http_version": "1.1"}  # fmt: skip
        client = ApplicationCommunicator(ASGIHandler(), scope)
        await client.send_input({"type": "http.request"})
        await asyncio.wait_for(django_site.waiting.wait(), 300)
        await client.send_input({"type": "http.disconnect"})
        await client.wait(300)

    asyncio.run(main())
    (line,), (cancelled,) = collector.access(), collector.named("cancelled")
    assert extra(line)["event.reason"] == "client disconnected"
    assert extra(line)["event.outcome"] == "unknown"
    assert cancelled.fields["trace.id"] == line.fields["trace.id"]
    assert collector.errors() == []


@pytest.mark.filterwarnings(
    "ignore:Unclosed file",  # Django's ASGI handler leaves the body of such a request open
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
def test_a_server_that_cancels_the_view_is_no_client_that_goes_away(collector):
    async def main():
        scope = {"type": "http", "method": "GET", "path": "/slow/", "headers": [],
                 "query_string": b"", "http_version": "1.1"}  # fmt: skip
        client = ApplicationCommunicator(ASGIHandler(), scope)
        await client.send_input({"type": "http.request"})
        await asyncio.wait_for(django_site.waiting.wait(), 300)
        # The server's loop ends: it cancels whatever still runs.

    django_site.waiting = asyncio.Event()
    asyncio.run(main())
    (line,) = collector.access()
    assert extra(line)["event.reason"] == "cancelled by the server"
    assert (line.record.levelname, extra(line)["event.outcome"]) == ("ERROR", "failure")
    gc.collect()


def test_djangos_own_line_of_a_refused_request_has_its_trace(logged):
    from django.test import Client

    for client in (Client(), Client(headers={"traceparent": f"00-{'a' * 32}-{'1' * 16}-01"})):
        for path in ("/nowhere", "/plain/7/", "/refused/"):
            client.get(path)
    events = logged.events()
    said = [e for e in events if e["log"]["logger"] == "django.request"]
    assert [e["message"] for e in said] == [
        "Not Found: /nowhere",
        "Service Unavailable: /refused/",
    ] * 2
    for line in said:
        (access,) = [
            e
            for e in events
            if e["log"]["logger"] == "flowery_logging.access"
            and e["http"]["request"]["id"] == line["http"]["request"]["id"]
        ]
        assert line["trace"] == access["trace"]
        assert line["transaction"] == access["transaction"]
    assert said[-1]["trace"]["id"] == "a" * 32
    assert said[-1]["labels"]["shop"] == "flowers"


@pytest.mark.slow
def test_500_requests_at_once_sync_and_async_never_show_each_others_ids(collector):
    async def main():
        transport = httpx.ASGITransport(ASGIHandler())
        async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
            await asyncio.gather(*(ask(client, number) for number in range(500)))

    async def ask(client, number):
        kind = "plain" if number % 2 else "async"
        traceparent = f"00-{number + 1:032x}-{'1' * 16}-01"
        response = await client.get(f"/{kind}/{number}/", headers={"traceparent": traceparent})
        assert response.json() == {"number": number}

    asyncio.run(main())
    lines = collector.named("in the view") + collector.access()
    assert len(lines) == 1000
    for line in lines:
        assert line.fields["trace.id"] == f"{line.fields['number'] + 1:032x}"


def manage(directory, *arguments, **settings):
    return [sys.executable, SITE, str(directory), *arguments], {
        "cwd": ROOT,
        "env": {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "SITE_SETTINGS": repr(settings),
        },
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "warnings"),
    [
        ({}, []),
        ({"LOGGING": {"version": 1, "disable_existing_loggers": False}}, []),
        ({"LOGGING": {"version": 1}}, ["flowery.W003"]),
        ({"LOGGING": {"version": 1}, "LOGGING_CONFIG": None}, []),
    ],
    ids=str,
)
def test_a_command_and_its_checks(tmp_path, settings, warnings):
    command, options = manage(tmp_path, "check", **settings)
    done = subprocess.run(command, **options, capture_output=True, text=True, check=True)
    assert [w for w in ("flowery.W001", "flowery.W002", "flowery.W003") if w in done.stderr] == (
        warnings
    )


def asked(url, server):
    """Ask a server until it answers."""
    deadline = time.monotonic() + 300
    while True:
        try:
            urllib.request.urlopen(url).close()
        except urllib.error.URLError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}


DAPHNE = {
    "INSTALLED_APPS": ["daphne", "flowery_logging.integrations.django.LoggingConfig"],
    "ASGI_APPLICATION": "tests.integrations.django_site.application",
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, DAPHNE], ids=["django's", "daphne's"])
def test_djangos_own_server_logs_each_request_once_whatever_LOGGING_says(tmp_path, settings):
    port = free_port()
    address = f"127.0.0.1:{port}"
    command, options = manage(
        tmp_path, "runserver", address, "--noreload", LOGGING=LOGGING, **settings
    )
    with (tmp_path / "said").open("wb") as said:
        server = subprocess.Popen(command, **options, stdout=said, stderr=said)
    try:
        asked(f"http://{address}/plain/7/", server)
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"http://{address}/boom/")
        error.value.close()
    finally:
        server.terminate()  # not SIGINT: where that is ignored from the start, it stays so
        server.wait(300)
    found = written(tmp_path)
    access = [e for e in found if e["log"]["logger"] == "flowery_logging.access"]
    assert [e["message"] for e in access] == ["GET /plain/7/ 200", "GET /boom/ 500"]
    theirs = {"django.server", "django.channels.server"}
    assert not [e for e in found if e["log"]["logger"] in theirs]
    (failed,) = [e for e in found if "error" in e]
    assert failed["error"]["message"] == "꽃"
    assert failed["trace"]["id"] == access[1]["trace"]["id"]
    assert [e["event"]["sequence"] for e in found] == list(range(1, len(found) + 1))


SERVED = """
import flowery_logging
flowery_logging.setup("site", directory={logs!r}, output="file")
from tests.integrations import django_site
django_site.configure(LOGGING_CONFIG=None)
application = django_site.application
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "server",
    [
        "uvicorn main:application --port {port}",
        "hypercorn main:application --access-logfile - --bind 127.0.0.1:{port}",
        "granian main:application --interface asgi --access-log --port {port}",
        "gunicorn main:application --worker-class asgi --access-logfile - --bind 127.0.0.1:{port}",
    ],
)
def test_a_server_of_asgi_tells_nothing_that_is_told(tmp_path, server):
    logs, port = tmp_path / "logs", free_port()
    (tmp_path / "main.py").write_text(SERVED.format(logs=str(logs)))
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *server.format(port=port).split()],
            cwd=tmp_path, stdout=said, stderr=said,
            env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        )  # fmt: skip
    paths = ["/plain/7/", "/async/7/", "/streaming/", "/streaming-async/"]
    try:
        asked(f"http://127.0.0.1:{port}{paths[0]}", process)
        for path in paths[1:]:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").close()
    finally:
        process.terminate()
        process.wait(300)
    found = [e for e in written(logs) if "access" in e["log"]["logger"]]
    assert {e["log"]["logger"] for e in found} == {"flowery_logging.access"}
    assert {e["url"]["path"] for e in found} == {*paths}
