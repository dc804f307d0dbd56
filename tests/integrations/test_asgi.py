"""The middleware by the ASGI specification alone, where no server is needed to see it."""

import asyncio
import contextlib
import gc
import logging
import weakref

import pytest

from flowery_logging import context
from flowery_logging.integrations.asgi import RequestMiddleware
from flowery_logging.trace import TraceContext, continue_trace, current_trace, outgoing_headers

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Boom(Exception):
    pass


def http_scope(**more):
    return {"type": "http", "method": "GET", "path": "/주문", "headers": [], **more}


async def call(app, scope):
    """Run one request in this task; return what was sent."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    await app(scope, receive, send)
    return sent


def here() -> TraceContext:
    found = current_trace()
    assert found is not None
    return found


async def ok(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def as_a_server(app, scope):
    """Do what uvicorn does with an exception."""
    try:
        await call(app, scope)
    except BaseException as exc:
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=exc)


def test_construction_has_no_side_effect():
    server = logging.getLogger("uvicorn.error")
    before = (list(server.filters), list(logging.getLogger().handlers), context.current())
    assert RequestMiddleware(ok).app is ok
    assert before == (server.filters, logging.getLogger().handlers, context.current())


def test_lifespan_passes_through():
    events = ["lifespan.startup", "lifespan.startup.complete", "lifespan.shutdown.complete"]
    sent = []

    async def app(scope, receive, send):
        assert (scope, current_trace()) == ({"type": "lifespan"}, None)
        assert await receive() == {"type": events[0]}
        for kind in events[1:]:
            await send({"type": kind})

    async def receive():
        return {"type": events[0]}

    async def send(message):
        sent.append(message["type"])

    asyncio.run(RequestMiddleware(app)({"type": "lifespan"}, receive, send))
    assert sent == events[1:]


def test_a_websocket_gets_a_trace_and_its_handshake_the_id():
    seen = []

    async def app(scope, receive, send):
        seen.append(here())
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})

    scope = {
        "type": "websocket",
        "path": "/",
        "headers": [(b"traceparent", TRACEPARENT.encode()), (b"x-request-id", b"w-1")],
    }
    sent = asyncio.run(call(RequestMiddleware(app), scope))
    assert seen[0].parent_id == "00f067aa0ba902b7"
    assert sent == [
        {"type": "websocket.accept", "headers": [(b"x-request-id", b"w-1")]},
        {"type": "websocket.send", "text": "hello"},
    ]


def test_a_failing_websocket_is_reported_once(collector):
    async def app(scope, receive, send):
        raise Boom

    asyncio.run(
        as_a_server(RequestMiddleware(app), {"type": "websocket", "path": "/ws", "headers": []})
    )
    (line,) = collector.errors()
    assert line.message == "GET /ws raised an unhandled exception"


def test_the_applications_message_is_not_changed():
    start = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}

    async def app(scope, receive, send):
        await send(start)

    (sent,) = asyncio.run(call(RequestMiddleware(app), http_scope()))
    assert start["headers"] == [(b"a", b"b")]
    assert [name for name, _ in sent["headers"]] == [b"a", b"x-request-id"]


def test_headers_may_be_missing_or_any_iterable():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.start", "status": 200, "headers": iter([(b"a", b"b")])})

    scope = http_scope()
    del scope["headers"]
    sent = asyncio.run(call(RequestMiddleware(app), scope))
    assert [len(message["headers"]) for message in sent] == [1, 2]


def test_a_request_inside_another_ones_context_is_a_request_of_its_own():
    """As when one service calls another in the same process, through a test transport."""
    inner = []

    async def app(scope, receive, send):
        inner.append((here(), dict(context.fields())))

    async def main():
        with continue_trace({"traceparent": TRACEPARENT}, outer=1) as outer:
            sent = outgoing_headers()
            scope = http_scope(headers=[(k.encode(), v.encode()) for k, v in sent.items()])
            await call(RequestMiddleware(app), scope)
            assert current_trace() is outer
            return outer

    outer = asyncio.run(main())
    ((found, fields),) = inner
    assert found.trace_id == outer.trace_id
    assert found.transaction_id != outer.transaction_id
    assert "outer" not in fields


def test_the_context_after_a_request_is_the_one_before_it():
    async def app(scope, receive, send):
        context.bind(order_id=7)

    async def main():
        with context.bound(server=1):
            await call(RequestMiddleware(app), http_scope())
            return dict(context.fields())

    assert asyncio.run(main()) == {"server": 1}


def test_the_same_exception_raised_by_two_requests_is_reported_for_each(collector):
    always = Boom("one object")

    async def app(scope, receive, send):
        raise always

    async def main():
        for _ in range(3):  # one task, as a server that keeps its task for a connection
            await as_a_server(RequestMiddleware(app), http_scope())
        logging.getLogger("uvicorn.error").error("again", exc_info=always)

    asyncio.run(main())
    names = [line.record.name for line in collector.errors()]
    assert names == ["flowery_logging.integrations.asgi"] * 3 + ["uvicorn.error"]


def test_concurrent_failures_leave_out_exactly_their_own_repeat(collector):
    async def app(scope, receive, send):
        await asyncio.sleep(0)
        raise Boom(scope["path"])

    async def main():
        middleware = RequestMiddleware(app)
        requests = (as_a_server(middleware, http_scope(path=f"/{n}")) for n in range(50))
        await asyncio.gather(*requests)

    asyncio.run(main())
    assert sorted(str(line.record.exc_info[1]) for line in collector.errors()) == sorted(
        f"/{n}" for n in range(50)
    )


def test_a_server_that_tells_of_it_in_another_task_repeats_nothing(collector):
    async def app(scope, receive, send):
        raise Boom

    async def main():
        with pytest.raises(Boom) as raised:
            await asyncio.create_task(call(RequestMiddleware(app), http_scope()))
        said = "Exception inside application"
        logging.getLogger("daphne.server").error(said, exc_info=raised.value)

    asyncio.run(main())
    (line,) = collector.errors()
    assert line.record.name == "flowery_logging.integrations.asgi"


@pytest.mark.parametrize(
    ("announced", "sent", "reason"),
    [(b"4", b"four", None), (b"5", b"four", "client disconnected"),
     (None, b"four", "client disconnected")],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["returns", "last piece", "cancelled"])
def test_a_client_that_has_all_bytes_has_not_gone_too_early(
    collector, announced, sent, reason, ending
):
    """As with Quart, which ends with an empty piece: it is cancelled before that."""
    headers = [] if announced is None else [(b"Content-Length", announced)]

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": sent, "more_body": True})
        await receive()
        if ending == "last piece":
            await send({"type": "http.response.body"})
        if ending == "cancelled":
            raise asyncio.CancelledError

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    async def main():
        with contextlib.suppress(asyncio.CancelledError):
            await RequestMiddleware(app)(http_scope(), receive, send)

    asyncio.run(main())
    (line,) = collector.access()
    assert vars(line.record).get("event.reason") == reason
    expected = "success" if reason is None else "unknown"
    assert vars(line.record)["event.outcome"] == expected


@pytest.mark.parametrize("cancels", [False, True])
@pytest.mark.parametrize("before_the_last", [False, True])
def test_a_connection_that_is_closed_with_the_last_piece(collector, cancels, before_the_last):
    """Hypercorn says so while it sends that piece, and Starlette ends what is still sending."""
    closed = asyncio.Event()

    async def app(scope, receive, send):
        async def follow():
            await receive()
            if cancels:
                sending.cancel()

        async def stream():
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for more in (True, False):
                await send({"type": "http.response.body", "body": b"x", "more_body": more})

        following = asyncio.create_task(follow())
        sending = asyncio.create_task(stream())
        await asyncio.wait([following, sending])

    async def receive():
        await closed.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message.get("more_body") is before_the_last:
            closed.set()
            await asyncio.sleep(0.01)

    asyncio.run(RequestMiddleware(app)(http_scope(), receive, send))
    (line,) = collector.access()
    expected = ("client disconnected", "unknown") if before_the_last else (None, "success")
    told = vars(line.record)
    assert (told.get("event.reason"), told["event.outcome"]) == expected


def test_what_was_announced_is_not_sent_where_the_client_has_gone_before(collector):
    async def app(scope, receive, send):
        await receive()
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"four"})

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    asyncio.run(RequestMiddleware(app)(http_scope(), receive, send))
    (line,) = collector.access()
    assert vars(line.record)["event.reason"] == "client disconnected"


@pytest.mark.parametrize("wrapped", [ValueError("other"), None], ids=["another", "none"])
def test_another_exception_from_the_server_is_kept(collector, wrapped):
    async def app(scope, receive, send):
        raise Boom

    async def main():
        with pytest.raises(Boom):
            await call(RequestMiddleware(app), http_scope())
        logging.getLogger("uvicorn.error").error("the server's own", exc_info=wrapped)

    asyncio.run(main())
    assert len(collector.errors()) == 2


@pytest.mark.parametrize("kind", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
def test_an_end_that_is_no_error_is_not_reported(collector, kind):
    async def app(scope, receive, send):
        raise kind

    coroutine = call(RequestMiddleware(app), http_scope())
    with pytest.raises(kind):
        coroutine.send(None)
    assert collector.errors() == []


def test_an_exception_outlives_neither_its_request_nor_its_task(monkeypatch):
    ours = logging.getLogger("flowery_logging.integrations.asgi")
    monkeypatch.setattr(ours, "propagate", False)  # pytest's own handlers keep every record
    monkeypatch.setattr(ours, "handlers", [logging.NullHandler()])
    raised = []

    async def app(scope, receive, send):
        exc = Boom()
        raised.append(weakref.ref(exc))
        raise exc

    async def request():
        with pytest.raises(Boom):  # and no server that repeats it
            await call(RequestMiddleware(app), http_scope())

    async def main():
        await asyncio.create_task(request())

    asyncio.run(main())
    gc.collect()
    assert raised[0]() is None
    assert len(logging.getLogger("uvicorn.error").filters) == 1


async def answering(app, scope, messages=(), error=None, **options):
    """Run one request or websocket behind the middleware, as a server whose `send` may raise."""
    coming = iter(messages)

    async def receive():
        return next(coming)

    async def send(message):
        if error is not None and message["type"] != "websocket.accept":
            raise error

    await RequestMiddleware(app, **options)({**http_scope(), **scope}, receive, send)


def told(collector):
    """Return the fields of the one access event, or of the last of two."""
    return vars(collector.access()[-1].record)


def test_a_header_that_comes_in_several_lines_is_one_list(collector):
    """HAProxy adds a line of its own to what a proxy before it has sent."""
    lines = [(b"x-forwarded-for", b"6.6.6.6, 192.0.2.7"), (b"x-forwarded-for", b"10.0.0.2")]
    scope = {"headers": lines, "client": ("10.0.0.1", 5)}
    asyncio.run(answering(ok, scope, proxies=["10.0.0.0/8"]))
    assert told(collector)["client.ip"] == "192.0.2.7"


def test_a_client_without_an_address_costs_no_event(collector):
    asyncio.run(answering(ok, {"client": (None, None)}))
    assert "client.ip" not in told(collector)


def test_a_query_in_utf_8_is_shown_as_it_was_sent_and_without_secrets(collector):
    asyncio.run(answering(ok, {"query_string": "이름=홍길동&비밀번호=hunter22".encode()}))
    assert told(collector)["url.query"] == "이름=홍길동&비밀번호=[redacted]"


@pytest.mark.parametrize(("method", "expected"), [("GET", 1000), ("HEAD", 0)])
def test_a_file_that_the_server_sends_has_the_bytes_that_were_announced(
    collector, method, expected
):
    async def app(scope, receive, send):
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": "/file"})

    asyncio.run(answering(app, {"method": method}))
    assert told(collector)["http.response.body.bytes"] == expected


def test_the_body_of_a_refused_handshake_counts(collector):
    async def app(scope, receive, send):
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"de", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"nied"})

    extensions: dict[str, object] = {"websocket.http.response": {}}
    asyncio.run(answering(app, {"type": "websocket", "extensions": extensions}))
    assert told(collector)["http.response.body.bytes"] == 6


@pytest.mark.parametrize("raises", [False, True])
def test_a_client_that_leaves_before_its_handshake_is_answered_is_no_error(collector, raises):
    async def app(scope, receive, send):
        await receive()
        assert (await receive())["type"] == "websocket.disconnect"
        if raises:
            raise asyncio.CancelledError

    messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}]
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(answering(app, {"type": "websocket"}, messages))
    found = told(collector)
    assert (found["event.reason"], found["levelname"]) == ("client disconnected", "INFO")
    assert "http.response.status_code" not in found


@pytest.mark.parametrize("catches", [False, True])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_client_that_leaves_while_we_send_is_no_error(collector, kind, catches):
    """The server says so by an `OSError` (ASGI), and knows what it has raised itself."""
    gone = OSError("gone")

    async def app(scope, receive, send):
        if kind == "websocket":
            await send({"type": "websocket.accept"})
        with contextlib.suppress(OSError) if catches else contextlib.nullcontext():
            if kind == "http":
                await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "websocket.send", "text": "x"})

    with contextlib.nullcontext() if catches else pytest.raises(OSError, match="gone"):
        asyncio.run(answering(app, {"type": kind}, error=gone))
    assert told(collector)["event.reason"] == "client disconnected"
    assert told(collector).get("websocket_close_code", 1006) == 1006
    assert collector.errors() == []


def test_what_is_raised_after_a_client_has_left_is_reported(collector):
    async def app(scope, receive, send):
        with contextlib.suppress(OSError):
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Boom

    with pytest.raises(Boom):
        asyncio.run(answering(app, {}, error=OSError("gone")))
    assert len(collector.errors()) == 1


def test_a_websocket_that_is_left_open_has_had_its_response(collector):
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})

    asyncio.run(answering(app, {"type": "websocket"}))
    assert (told(collector)["websocket_close_code"], told(collector)["event.outcome"]) == (
        1000,
        "success",
    )
    assert "event.reason" not in told(collector)
