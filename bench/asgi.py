"""One ASGI request and its access event: the middleware alone, without a server around it.

uvicorn writes its access line inside its HTTP protocol; here `_uvicorn_access` makes the same call
of the same logger at the same moment, so that no socket is in the numbers. The hand-written
middleware logs what ours does: method, path, status, size, client and duration as ECS fields.

The peers give uvicorn's line, written by ecs-logging, the ID that they have, and nothing else:

- asgi-correlation-id and starlette-context the request ID, which the response carries too, but no
  trace ID (what they hold is one ID from one header);
- OpenTelemetry the trace ID of `traceparent` and the ID of its own span, but no request ID, and the
  response carries none. Beside the line it makes a span with the attributes of the request.

None of their lines has the fields of the hand-written middleware. Ours has those, the trace ID and
the request ID, and the response carries the latter. The middlewares alone do all of this but the
line: neither the application nor they log anything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench import event, ours, peers
from bench.event import Run

Middleware = Callable[[Any], Any]
"""Returns an application around an application."""

REQUEST_ID: Final = "7c1b1f4e-6ad2-4fcb-9d5c-2d6b9c1f5a10"  # two peers take UUIDs only
SCOPE: Final[dict[str, Any]] = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/orders/7",
    "raw_path": b"/orders/7",
    "root_path": "",
    "query_string": b"full=true",
    "client": ("127.0.0.1", 50412),
    "server": ("127.0.0.1", 8000),
}
HEADERS: Final = (
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"python-httpx/0.28.1"),
    (b"accept", b"*/*"),
    (b"x-request-id", REQUEST_ID.encode()),
    (b"traceparent", f"00-{event.TRACE_ID}-00f067aa0ba902b7-01".encode()),
)
BODY: Final = b'{"order_id": 7, "state": "placed"}'


async def _application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    headers = [(b"content-type", b"application/json"), (b"content-length", b"34")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


async def _receive() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Any) -> None:
    """Take a message where a server would."""


def _requests(application: Any) -> Run:
    """Requests one after the other, each in a context of its own, as a server runs them."""
    loop = asyncio.new_event_loop()

    async def handle(count: int) -> None:
        for _ in range(count):
            call = application({**SCOPE, "headers": list(HEADERS)}, _receive, _send)
            await loop.create_task(call)

    return lambda count: loop.run_until_complete(handle(count))


def application_alone(directory: Path) -> Run:  # noqa: ARG001 - the same signature as the others
    return _requests(_application)


def alone(middleware: Middleware) -> Callable[[Path], Run]:
    """Return what starts a middleware around an application, neither of which logs anything."""
    return lambda directory: _requests(middleware(_application))  # noqa: ARG005


def _ecs_lines(directory: Path, with_id: Any) -> None:
    """Have ecs-logging write the lines, with the ID that a filter gives them."""
    import ecs_logging

    handler = logging.FileHandler(directory / "app.log", encoding="utf-8")
    peers._logger(handler, ecs_logging.StdlibFormatter(), with_id)


def correlation_id(application: Any) -> Any:
    from asgi_correlation_id import CorrelationIdMiddleware

    return CorrelationIdMiddleware(application)


def _correlated(application: Any, directory: Path) -> Run:
    """asgi-correlation-id around an application, its ID on every line of ecs-logging."""
    from asgi_correlation_id import CorrelationIdFilter

    _ecs_lines(directory, CorrelationIdFilter())
    return _requests(correlation_id(application))


def starlette_context(application: Any) -> Any:
    """The one of its middlewares that is plain ASGI, with the plugin for the request ID."""
    from starlette_context.middleware import RawContextMiddleware
    from starlette_context.plugins import RequestIdPlugin

    return RawContextMiddleware(application, plugins=(RequestIdPlugin(),))


def starlette_context_access(directory: Path) -> Run:
    """Its documentation merges `context.data` into the event; `logging` has filters for that."""
    from starlette_context import context
    from starlette_context.header_keys import HeaderKeys

    def with_id(record: logging.LogRecord) -> bool:
        if context.exists():
            record.__dict__["http.request.id"] = context.data[HeaderKeys.request_id]
        return True

    _ecs_lines(directory, with_id)
    return _requests(starlette_context(_uvicorn_access(_application)))


def opentelemetry(application: Any) -> Any:
    """Spans in batches as its SDK's documentation says, to an exporter that drops them.

    So no collector is in the numbers. For best speed there is one span a request: those of each
    `receive` and `send` are excluded. Metrics have no provider, as without further set-up.
    """
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(_dropping_exporter()))
    return OpenTelemetryMiddleware(
        application, tracer_provider=provider, exclude_spans=["receive", "send"]
    )


def _dropping_exporter() -> Any:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Dropping(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
            return SpanExportResult.SUCCESS

    return Dropping()


def opentelemetry_access(directory: Path) -> Run:
    """The IDs of the current span by a filter, under their ECS names."""
    from opentelemetry import trace

    def with_ids(record: logging.LogRecord) -> bool:
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            record.__dict__["trace.id"] = trace.format_trace_id(span.trace_id)
            record.__dict__["span.id"] = trace.format_span_id(span.span_id)
        return True

    _ecs_lines(directory, with_ids)
    return _requests(opentelemetry(_uvicorn_access(_application)))


def uvicorn_access(directory: Path) -> Run:
    return _correlated(_uvicorn_access(_application), directory)


def _uvicorn_access(application: Any) -> Any:
    logger = logging.getLogger("uvicorn.access")

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                logger.info(
                    '%s - "%s %s HTTP/%s" %d',
                    "{}:{}".format(*scope["client"]),
                    scope["method"],
                    f"{scope['path']}?{scope['query_string'].decode()}",
                    scope["http_version"],
                    message["status"],
                )
            await send(message)

        await application(scope, receive, sending)

    return served


def handwritten_access(directory: Path) -> Run:
    return _correlated(_handwritten_access(_application), directory)


def _handwritten_access(application: Any) -> Any:
    logger = logging.getLogger("shop.access")

    async def served(scope: Any, receive: Any, send: Any) -> None:
        start, seen = time.perf_counter_ns(), {"status": 0, "bytes": 0}

        async def sending(message: Any) -> None:
            seen["status"] = message.get("status", seen["status"])
            seen["bytes"] += len(message.get("body", b""))
            await send(message)

        await application(scope, receive, sending)
        fields = _access_fields(scope, seen, time.perf_counter_ns() - start)
        logger.info("%s %s %d", scope["method"], scope["path"], seen["status"], extra=fields)

    return served


def _access_fields(scope: Any, seen: dict[str, int], duration: int) -> dict[str, Any]:
    headers = dict(scope["headers"])
    return {
        "http.request.method": scope["method"],
        "http.response.status_code": seen["status"],
        "http.response.body.bytes": seen["bytes"],
        "http.version": scope["http_version"],
        "url.path": scope["path"],
        "url.query": scope["query_string"].decode(),
        "client.address": scope["client"][0],
        "user_agent.original": headers[b"user-agent"].decode(),
        "trace.id": headers[b"traceparent"].decode().split("-")[1],
        "event.duration": duration,
    }


def flowery(directory: Path) -> Run:
    ours.set_up(directory)
    from flowery_logging.integrations.asgi import RequestMiddleware

    return _requests(RequestMiddleware(_application))


def flowery_alone(directory: Path) -> Run:
    ours.set_up(directory)
    from flowery_logging.integrations.asgi import RequestMiddleware

    return _requests(RequestMiddleware(_application, access_log=False))
