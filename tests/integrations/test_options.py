"""Options of the middlewares: the same names everywhere, checked where they are given."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Response

from flowery_logging import ConfigError, continue_trace
from flowery_logging.integrations import asgi, fastapi, wsgi
from flowery_logging.integrations.options import Options, RequestOptions
from tests.integrations import django_site

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
INCOMING = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


async def nothing(scope, receive, send):
    """Answer nothing."""


def nothing_at_all(environ, start_response):
    return []


def through_fastapi(**options):
    fastapi.instrument(FastAPI(), **options)


def through_asgi(**options):
    asgi.RequestMiddleware(nothing, **options)


def through_wsgi(**options):
    wsgi.RequestMiddleware(nothing_at_all, **options)


def through_django(**options):
    from django.test import override_settings

    from flowery_logging.integrations.django import RequestMiddleware

    django_site.configure(LOGGING_CONFIG=None)
    with override_settings(FLOWERY_REQUESTS=options):
        RequestMiddleware(lambda request: None)


everywhere = pytest.mark.parametrize(
    "given", [through_fastapi, through_asgi, through_wsgi, through_django]
)
VALUES = {
    "request_id_header": ["X-Request-ID", "X-Correlation-ID"],
    "access_log": False,
    "quiet": {"/ready": 0.5},
    "proxies": ["10.0.0.0/8"],
    "trace_formats": ["b3"],
    "traceparent": True,
    "server_timing": True,
}
WRONG = {
    "request_id_header": "X Request ID",
    "access_log": "no",
    "quiet": "/health",
    "proxies": "10.0.0.1",
    "trace_formats": ["b4"],
    "traceparent": "yes",
    "server_timing": 1,
}


@everywhere
def test_each_option_is_taken_by_the_same_name(given):
    assert set(VALUES) == set(Options.names()) == set(RequestOptions.__annotations__)
    given(**VALUES)


@everywhere
@pytest.mark.parametrize("error", [ConfigError, TypeError])
def test_a_misspelt_option_fails_where_it_is_given_and_says_what_there_is(given, error):
    with pytest.raises(error, match=r"'qiet'.*'quiet'.*request_id_header, access_log, quiet"):
        given(qiet=["/health"])


@everywhere
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_fails_where_it_is_given_and_names_the_option(given, name):
    with pytest.raises(ConfigError, match=name):
        given(**{name: WRONG[name]})


@pytest.fixture(params=["asgi", "wsgi", "django"])
def headers(request):
    """Return the headers of a response of an application that sends these itself."""

    def get(given, **options):
        if request.param == "asgi":
            app = FastAPI()
            app.add_api_route("/", lambda: Response(headers=given))
            fastapi.instrument(app, **options)
            outside = httpx.ASGITransport(app)

            async def main():
                async with httpx.AsyncClient(transport=outside, base_url="http://it") as client:
                    return await client.get("/", headers=INCOMING)

            return asyncio.run(main()).headers
        if request.param == "django":
            return _through_django(given, options)
        transport = httpx.WSGITransport(_wsgi(given, **options))
        with httpx.Client(transport=transport, base_url="http://it") as client:
            return client.get("/", headers=INCOMING).headers

    return get


def _wsgi(given, **options):
    def app(environ, start_response):
        start_response("200 OK", list(given.items()))
        return [b""]

    return wsgi.RequestMiddleware(app, **options)


def _through_django(given, options):
    from django.http import HttpResponse
    from django.test import RequestFactory, override_settings

    from flowery_logging.integrations.django import RequestMiddleware

    django_site.configure(LOGGING_CONFIG=None)
    with override_settings(FLOWERY_REQUESTS=options):
        middleware = RequestMiddleware(lambda _: HttpResponse(headers=given))
        return httpx.Headers(dict(middleware(RequestFactory().get("/", headers=INCOMING)).items()))


def test_no_trace_is_sent_back_unless_it_is_asked_for(headers):
    found = headers({})
    assert "x-request-id" in found
    assert "traceparent" not in found
    assert "server-timing" not in found


def test_the_trace_is_sent_back_where_it_is_asked_for(headers):
    found = headers({}, traceparent=True, server_timing=True)
    version, trace_id, span_id, flags = found["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert len(span_id) == 16
    assert span_id != "00f067aa0ba902b7"
    assert found["server-timing"] == f'traceparent;desc="{found["traceparent"]}"'


def test_what_the_application_sends_itself_stands(headers):
    given = {"traceparent": "mine", "Server-Timing": "db;dur=53", "X-Request-ID": "mine-7"}
    found = headers(given, traceparent=True, server_timing=True)
    assert found.get_list("traceparent") == ["mine"]
    assert found["server-timing"].startswith("db;dur=53, traceparent;desc=")
    assert found["x-request-id"] == "mine-7"


def test_the_hop_that_is_sent_back_is_the_one_on_the_lines(logged):
    app = FastAPI()
    app.add_api_route("/", lambda: None)
    fastapi.instrument(app, traceparent=True)

    async def main():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://it") as client:
            return await client.get("/", headers=INCOMING)

    with continue_trace({}):
        sent = asyncio.run(main()).headers["traceparent"]
    (access,) = [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"]
    assert sent.split("-")[1:3] == [access["trace"]["id"], access["transaction"]["id"]]
