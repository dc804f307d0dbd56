"""Middleware for any ASGI application: each request gets its trace, its ID and its access event.

    app = RequestMiddleware(app)

Outermost is best: what lies outside answers without the ID. For FastAPI and Starlette
`flowery_logging.integrations.fastapi.instrument` puts it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flowery_logging import context, runtime
from flowery_logging.integrations import ends, nested, servers
from flowery_logging.integrations.asgi_types import ASGIApp, Message, Receive, Scope, Send
from flowery_logging.integrations.ends import DISCONNECTED, NO_RESPONSE
from flowery_logging.integrations.exchange import (
    MALFORMED,
    Exchange,
    announced,
    size_of,
    status_of,
)
from flowery_logging.integrations.lifespan import Lifespan
from flowery_logging.integrations.options import Options, RequestOptions
from flowery_logging.integrations.websocket import Conversation
from flowery_logging.request import Request
from flowery_logging.signalled import let_through
from flowery_logging.tracing import agents, request_ids
from flowery_logging.tracing.headers import Values, header_values

if TYPE_CHECKING:
    from typing_extensions import Unpack

logger = runtime.own_logger(__name__)


class RequestMiddleware:
    """Run each HTTP request and websocket as one request of `flowery_logging`.

    The trace comes from `traceparent` and `tracestate`, the request ID from `X-Request-ID` (valid
    are 1 to 128 of `A-Z a-z 0-9 . _ ~ + / = @ : -`); what is missing or malformed is made new. The
    response carries the request ID in the same header, unless the application set one itself.
    Its end is one access event, a websocket's begin and end are one each. An exception that the
    application did not handle is logged once, with its stack trace, and raised on. Where one
    instance lies inside another, only the outer one acts.

    `options` are those of `flowery_logging.integrations.options.Options`, errors too.
    """

    def __init__(self, app: ASGIApp, **options: Unpack[RequestOptions]) -> None:
        self.app = app
        self.options = Options.of(options)
        self._id_header = self.options.id_headers[0].lower().encode("latin-1")
        self._wanted = self.options.wanted()
        self._called = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not self._called:
            self._called = True
            runtime.reattach()  # the server may have configured logging after setup()
        if scope["type"] == "lifespan":
            await Lifespan(logger).run(self.app, scope, receive, send)
        elif scope["type"] not in ("http", "websocket") or nested.KEY in scope:
            await self.app(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        values = header_values(scope.get("headers"), self._wanted)
        request = self.options.request_of(values)
        scope[nested.KEY] = request
        nested.will_be_told(scope, self.options.access_log)
        kind = _Response if scope["type"] == "http" else Conversation
        followed = kind(_exchange(request, self.options, scope, values), scope)
        with context.request_scope(request), servers.in_charge(self.options.access_log):
            try:
                await self.app(
                    scope,
                    followed.receiving(receive),
                    followed.sending(send, self._marking(request)),
                )
            except BaseException as exc:
                followed.failed(exc)
                if exc is not followed.gone_by:
                    _report(exc, scope)
                raise
            else:
                followed.finished(NO_RESPONSE)
            finally:
                followed.gone_by = None  # its traceback leads back here
                request_ids.end()

    def _marking(self, request: Request) -> Callable[[Message], Message]:
        """Return what puts the request's ID on the message with the response headers.

        Where the application has put one there, that is the request's.
        """
        name = self._id_header

        def marked(message: Message) -> Message:
            agents.seen(request)
            given = list(message.get("headers") or ())
            headers = [*given, *self._trace_headers(request, given)]
            for key, value in given:
                if bytes(key).lower() == name:
                    request_ids.adopt(request, bytes(value).decode("latin-1"))
                    return {**message, "headers": headers}
            request_id = str(request.request_id).encode("latin-1")
            return {**message, "headers": [*headers, (name, request_id)]}

        return marked

    def _trace_headers(
        self, request: Request, given: list[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]:
        """Return what is to be added to a response."""
        if not (self.options.traceparent or self.options.server_timing):
            return []
        present = {bytes(key).lower().decode("latin-1") for key, _ in given}
        found = self.options.trace_headers(request, present)
        return [(name.lower().encode(), value.encode()) for name, value in found]


def _report(exc: BaseException, scope: Scope) -> None:
    """Log an exception of the application's; what a server raises it reports itself."""
    if isinstance(exc, Exception) and ends.report(
        exc, scope.get("method", "GET"), scope.get("path", ""), logger
    ):
        servers.leave_out(exc)


def _exchange(request: Request, options: Options, scope: Scope, values: Values) -> Exchange:
    headers = {name: _one(name, values[name]) for name in options.told_headers if name in values}
    client = scope.get("client") or ("",)
    return Exchange(
        request,
        options,
        scope.get("method", "GET"),  # a websocket opens with GET (RFC 6455 §4.1)
        scope.get("path", ""),
        bytes(scope.get("query_string") or b"").decode("latin-1"),
        scope.get("http_version", ""),
        headers,
        str(client[0] or ""),
        is_forwarded=_is_forwarded(client),
        is_websocket=scope["type"] == "websocket",
    ).begin()


def _one(name: str, values: list[str]) -> str:
    """Return a header that may come several times as one list (RFC 9110 §5.3), as WSGI has it.

    A proxy may add a line of its own to those of others (HAProxy's `option forwardfor`).
    """
    return values[-1] if name == "host" else ",".join(values)


def _is_forwarded(client: Sequence[Any]) -> bool:
    """Tell whether a server has put the client in its proxy's place: there is no port to tell."""
    return bool(client[0]) and tuple(client[1:]) == (0,)


class _Response:
    """Follows one response on its way through `receive` and `send`."""

    def __init__(self, exchange: Exchange, scope: Scope) -> None:
        self.exchange = exchange
        self.scope = scope
        self.disconnected = False
        self.gone_by: OSError | None = None  # by which the server has said so while we sent
        self.whole = False  # the client has got all, though the application may not say so yet
        self._headers: Any = None  # of the response, until its length is asked for

    def receiving(self, receive: Receive) -> Receive:
        async def following() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected = True
            return message

        return following

    def sending(self, send: Send, marked: Callable[[Message], Message]) -> Send:
        async def following(message: Message) -> None:
            kind = message.get("type")
            if kind == "http.response.start":
                try:
                    message = marked(message)
                    self._headers = message.get("headers")
                except MALFORMED as error:
                    let_through(error)
                    self._headers = None
                self.exchange.status = status_of(message.get("status"))
                self.exchange.match(self.scope)
            elif kind == "http.response.body":
                self.exchange.body(size_of(message.get("body", b"")))
            is_last = _is_last(message)
            await self._send(send, message, is_last=is_last)
            if kind == "http.response.body":
                self._sent(is_last=is_last)
            elif kind == "http.response.pathsend":
                self._sent_by_the_server()

        return following

    def _sent(self, *, is_last: bool) -> None:
        """Take note of a piece of the body that the server has; the last one ends the response.

        A client that has all the bytes that were announced may hang up before the empty piece with
        which many frameworks end: it has not gone too early.
        """
        if is_last:
            self.exchange.end(self._reason(None))
        else:
            self.whole = self.whole or (not self.disconnected and self._is_whole())

    def _sent_by_the_server(self) -> None:
        """End a response whose body is a file that the server reads: it has what was announced."""
        if not self._is_whole():
            self.exchange.sent = self.exchange.length or 0
        self.exchange.end()

    def _is_whole(self) -> bool:
        """Tell whether all is sent that was announced; most responses are never asked."""
        headers, self._headers = self._headers, None
        if headers is not None:
            self.exchange.length = _length(headers)
        return self.exchange.is_whole()

    def _reason(self, otherwise: str | None) -> str | None:
        """Return why the response has ended, `otherwise` if its client is still there."""
        if not self.disconnected:
            return otherwise
        return None if self.whole else DISCONNECTED

    async def _send(self, send: Send, message: Message, *, is_last: bool) -> None:
        """Send; a response whose last piece was handed over to a client that was there is whole.

        With that piece a server may say at once that the connection is closed (hypercorn), and the
        framework end what is still sending.
        """
        before = self.whole
        self.whole = before or (is_last and not self.disconnected)
        try:
            await send(message)
        except OSError as error:  # "servers should raise" it: the client has gone (ASGI, HTTP 2.4)
            self.disconnected, self.whole, self.gone_by = True, before, error
            raise

    def failed(self, exc: BaseException) -> None:
        """End the exchange of an application that has raised, or was cancelled."""
        self.exchange.match(self.scope)
        if self.disconnected and self.whole:
            self.exchange.end()
        else:
            self.exchange.failed(exc, gone=self.disconnected)

    def finished(self, reason: str) -> None:
        """End the exchange of one that has returned; whole responses have ended before."""
        self.exchange.end(self._reason(reason))


def _is_last(message: Message) -> bool:
    return message.get("type") == "http.response.body" and not message.get("more_body", False)


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return how many bytes of body a response has announced."""
    for key, value in headers:
        if bytes(key).lower() == b"content-length":
            return announced(bytes(value).decode("latin-1"))
    return None
