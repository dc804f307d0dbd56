"""One application in three frameworks, whose requests end in every way; an agent beside it.

FRAMEWORK, AGENT, ORDER and LOGS in the environment say which. `app` is to be served.
"""

import asyncio
import logging
import os
import sys
import time
from importlib import import_module
from typing import Any

import flowery_logging

FRAMEWORK, AGENT = os.environ["FRAMEWORK"], os.environ.get("AGENT", "")
OURS_FIRST = os.environ.get("ORDER") == "ours first"
LEVEL = "INFO"

flowery_logging.setup("site", directory=os.environ["LOGS"], output="file", level=LEVEL)
log = logging.getLogger("site")

if AGENT == "opentelemetry":
    from opentelemetry import trace as otel
    from opentelemetry.sdk.trace import TracerProvider

    otel.set_tracer_provider(TracerProvider())
if AGENT == "elastic":
    import elasticapm

    options = {
        "SERVICE_NAME": "site", "DISABLE_SEND": True, "METRICS_INTERVAL": "0ms",
        "CENTRAL_CONFIG": False, "CLOUD_PROVIDER": "none", "VERIFY_CONFIG": False,
        "LOG_LEVEL": "off", "DEBUG": True,
    }  # fmt: skip


def in_order(ours, theirs):
    first, then = (ours, theirs) if OURS_FIRST else (theirs, ours)
    first()
    then()


def agents_trace():
    """The trace that the agent itself says is active."""
    if AGENT == "opentelemetry":
        return f"{otel.get_current_span().get_span_context().trace_id:032x}"
    if AGENT == "elastic":
        return elasticapm.get_trace_id()
    return None


def begin(kind):
    flowery_logging.bind(kind=kind)
    log.info("in the view", extra={"agents_trace": agents_trace()})


def refuse():
    raise ValueError("꽃")


class Own(Exception):
    """The application's."""


def fail(kind):
    begin(kind)
    if kind == "error":
        raise ValueError("꽃")
    if kind == "own":
        raise Own
    if kind == "exit":
        sys.exit(3)
    if kind == "base":
        raise BaseException("꽃")
    if kind == "timeout":
        gevent: Any = import_module("gevent")
        with gevent.Timeout(0.01):
            gevent.sleep(300)
    if kind == "hang":
        time.sleep(300)


def fastapi_app():
    from fastapi import FastAPI, HTTPException, Response, WebSocket
    from fastapi.responses import StreamingResponse

    from flowery_logging.integrations import fastapi

    app = FastAPI()

    @app.get("/ok")
    async def ok():
        begin("ok")
        return "ok"

    @app.get("/refused")
    async def refused():
        begin("refused")
        return Response(status_code=503)

    @app.get("/silent")
    async def silent():
        raise ValueError("before any line")

    @app.get("/cancel")
    async def cancel():
        begin("cancel")
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(300)

    @app.get("/slow")
    async def slow():
        begin("slow")
        await asyncio.sleep(300)

    @app.get("/cut")
    async def cut():
        begin("cut")

        async def pieces():
            yield "a"
            await asyncio.sleep(0.05)
            raise ValueError("꽃")

        return StreamingResponse(pieces())

    @app.get("/first")
    async def first():
        begin("first")

        async def pieces():
            refuse()
            yield

        return StreamingResponse(pieces())

    @app.get("/empty")
    async def empty():
        begin("empty")

        async def pieces():
            yield ""
            refuse()

        return StreamingResponse(pieces())

    @app.get("/unsaid")
    async def unsaid():
        begin("unsaid")
        return Unsaid()

    class Unsaid(Response):
        async def __call__(self, scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})

    @app.websocket("/{kind}")
    async def opening(websocket: WebSocket, kind: str):
        begin(kind)
        if kind == "failed":
            refuse()
        if kind == "denied":
            raise HTTPException(401)
        if kind == "closed":
            await websocket.close()

    @app.get("/stream")
    async def stream():
        begin("stream")

        async def pieces():
            while True:
                yield "x" * 65536
                await asyncio.sleep(0.01)

        return StreamingResponse(pieces())

    @app.get("/{kind}")
    async def others(kind: str):
        fail(kind)

    def theirs():
        if AGENT == "opentelemetry":
            from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

            FastAPIInstrumentor.instrument_app(app)
        if AGENT == "elastic":
            from elasticapm.contrib.starlette import ElasticAPM, make_apm_client

            add: Any = app.add_middleware  # its types know no client of Elastic APM's
            add(ElasticAPM, client=make_apm_client(options))

    in_order(lambda: fastapi.instrument(app), theirs)
    return app


def flask_app():
    import flask

    from flowery_logging.integrations import wsgi

    app = flask.Flask("site")
    app.config["ELASTIC_APM"] = options if AGENT == "elastic" else {}

    @app.get("/ok")
    def ok():
        begin("ok")
        return "ok"

    @app.get("/refused")
    def refused():
        begin("refused")
        return "", 503

    @app.get("/silent")
    def silent():
        raise ValueError("before any line")

    @app.get("/cut")
    def cut():
        begin("cut")

        def pieces():
            yield "a"
            raise ValueError("꽃")

        return pieces()

    @app.get("/first")
    def first():
        begin("first")

        def pieces():
            refuse()
            yield

        return pieces()

    @app.get("/empty")
    def empty():
        begin("empty")

        def pieces():
            yield ""
            refuse()

        return pieces()

    @app.get("/stream")
    def stream():
        begin("stream")

        def pieces():
            while True:
                yield "x" * 65536

        return pieces()

    @app.get("/<kind>")
    def others(kind):
        fail(kind)

    def theirs():
        if AGENT == "elastic":
            from elasticapm.contrib.flask import ElasticAPM

            ElasticAPM(app)
        if AGENT == "opentelemetry":
            _follow_flask(app)

    def ours():
        app.wsgi_app = wsgi.RequestMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    in_order(ours, theirs)
    return app


def _follow_flask(app):
    """As OpenTelemetry's instrumentation does: a span from before the view to the teardown."""
    import flask

    tracer = otel.get_tracer("flask")

    @app.before_request
    def start():
        flask.g.span = tracer.start_as_current_span("view", kind=otel.SpanKind.SERVER)
        flask.g.span.__enter__()

    @app.teardown_request
    def stop(error):
        flask.g.pop("span").__exit__(None, None, None)


def django_app():
    import django
    from django.conf import settings
    from django.http import HttpResponse, StreamingHttpResponse
    from django.urls import path

    def ok(request):
        begin("ok")
        return HttpResponse("ok")

    def refused(request):
        begin("refused")
        return HttpResponse(status=503)

    def silent(request):
        raise ValueError("before any line")

    def cut(request):
        begin("cut")

        def pieces():
            yield "a"
            raise ValueError("꽃")

        return StreamingHttpResponse(pieces())

    def first(request):
        begin("first")

        def pieces():
            refuse()
            yield

        return StreamingHttpResponse(pieces())

    def others(request, kind):
        fail(kind)

    settings.configure(
        SECRET_KEY="x" * 50, ROOT_URLCONF="ends_urls", ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None,
        MIDDLEWARE=["flowery_logging.integrations.django.RequestMiddleware"],
    )  # fmt: skip
    urls: Any = type(sys)("ends_urls")
    sys.modules["ends_urls"] = urls
    urls.urlpatterns = [
        path("ok", ok), path("refused", refused), path("silent", silent), path("cut", cut),
        path("first", first),
        path("<str:kind>", others),
    ]  # fmt: skip
    django.setup(set_prefix=False)
    if os.environ["INTERFACE"] == "asgi":
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


app = {"fastapi": fastapi_app, "flask": flask_app, "django": django_app}[FRAMEWORK]()
