"""Middleware for any WSGI application: each request gets its trace, its ID and its access event.

application = RequestMiddleware(application)
app.wsgi_app = RequestMiddleware(app.wsgi_app)  # Flask
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from flowery_logging import context, runtime
from flowery_logging.capture.elsewhere import printed
from flowery_logging.integrations import ends, nested, servers
from flowery_logging.integrations.answers import is_printed, waits_for_body
from flowery_logging.integrations.cpu import thread_time
from flowery_logging.integrations.exchange import MALFORMED, Exchange, announced, size_of, status_of
from flowery_logging.integrations.options import Options, RequestOptions
from flowery_logging.request import Request
from flowery_logging.scope import Scope
from flowery_logging.signalled import let_through
from flowery_logging.tracing import agents, request_ids

if TYPE_CHECKING:
    from typing_extensions import Unpack

Environ: TypeAlias = dict[str, Any]
Application: TypeAlias = Callable[[Environ, Any], Iterable[bytes]]

logger = runtime.own_logger(__name__)


class RequestMiddleware:
    """Run each request as one request of `flowery_logging`, as the ASGI middleware does.

    The request lasts until the server has taken the last piece of the body: what a generator
    logs carries the trace too. An exception that the application did not handle is logged once,
    with its stack trace, and raised on. Where one instance lies inside another, only the outer
    one acts. `options` are those of `flowery_logging.integrations.options.Options`, errors too.
    """

    def __init__(self, app: Application, **options: Unpack[RequestOptions]) -> None:
        self.app = app
        self.options = Options.of(options)
        self._called = False

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not self._called:
            self._called = True
            runtime.reattach()  # the server may have configured logging after setup()
        if nested.KEY in environ:
            return self.app(environ, start_response)
        outer = nested.outer(environ)
        if outer is not None:
            return self.app(environ, _telling_route(outer, environ, start_response))
        headers = headers_of(environ)
        request = self.options.incoming(headers)
        environ[nested.KEY] = request
        servers.begin(self.options.access_log)
        exchange = exchange_of(environ, headers, request, self.options)
        response = _Response(exchange.begin(), environ)
        with response.running():
            response.body = self.app(environ, response.starting(start_response))
            response.chunks = iter(response.body)
            exchange.head_waits = waits_for_body(environ)
        return _Sized(response) if hasattr(response.body, "__len__") else response


def _rule(environ: Environ) -> str | None:
    """Return Flask's route; it takes its request out of the environ before the body is made."""
    rule: Any = getattr(environ.get("werkzeug.request"), "url_rule", None)
    return getattr(rule, "rule", None)


def _telling_route(
    outer: Request, environ: Environ, start_response: Callable[..., Any]
) -> Callable[..., Any]:
    def starting(*args: Any) -> Any:
        nested.tell_route(outer, environ.get("SCRIPT_NAME", ""), _rule(environ))
        return start_response(*args)

    return starting


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers by lower-case name."""
    return {
        key[5:].replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_") and isinstance(value, str)
    }


def exchange_of(
    environ: Mapping[str, Any],
    headers: Mapping[str, str],
    request: Request,
    options: Options,
) -> Exchange:
    """Return what the access event will tell of a request, by its environ (PEP 3333)."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return Exchange(
        request,
        options,
        environ.get("REQUEST_METHOD", "GET"),
        path.encode("latin-1", "replace").decode("utf-8", "replace"),
        environ.get("QUERY_STRING", ""),
        environ.get("SERVER_PROTOCOL", "").removeprefix("HTTP/"),
        headers,
        environ.get("REMOTE_ADDR", ""),
    )


_END: Final = object()
"""What no body yields: None is refused by the server."""


class _Response:
    """The body on its way to the server; each piece is made inside the request."""

    def __init__(self, exchange: Exchange, environ: Environ) -> None:
        self.exchange = exchange
        self.environ = environ
        self.body: Iterable[bytes] = ()
        self.chunks: Iterator[bytes] = iter(())
        self.scope: Scope | None = context.opened(exchange.request)
        exchange.cpu = thread_time(exchange.request)
        exchange.head_waits = True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run a part of the application inside its request; what it binds stays for the next."""
        with context.inside(self.scope):
            try:
                yield
            except BaseException as exc:
                self.fail(exc)
                raise
            finally:
                self.scope = context.here()

    def starting(self, start_response: Callable[..., Any]) -> Callable[..., Any]:
        exchange = self.exchange

        def starting(status: str, headers: list[tuple[str, str]], *exc_info: object) -> Any:
            exchange.status = status_of(status)
            exchange.route = exchange.request.route or _rule(self.environ)
            try:
                marked = self._marked(headers)
            except MALFORMED as error:
                let_through(error)
                marked = headers
            write = start_response(status, marked, *exc_info)

            def writing(data: bytes) -> None:
                exchange.body(size_of(data))
                write(data)

            return writing

        return starting

    def _marked(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Put the request's ID on a response; where the application has put one, that is it."""
        request, name = self.exchange.request, self.exchange.options.id_headers[0]
        agents.seen(request)
        given = {key.lower(): value for key, value in headers}
        self.exchange.length = announced(given.get("content-length"))
        more = self.exchange.options.trace_headers(request, given)
        if name.lower() in given:
            request_ids.adopt(request, given[name.lower()])
            return [*headers, *more]
        return [*headers, (name, str(request.request_id)), *more]

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> Any:
        with self.running():
            chunk: Any = next(self.chunks, _END)
        if chunk is _END:
            self._end(None)
            raise StopIteration
        self.exchange.body(size_of(chunk))
        return chunk

    def begin_anew(self) -> None:
        """Yield the body from its beginning, and count its bytes once."""
        with self.running():
            self.chunks = iter(self.body)
        self.exchange.sent = 0

    def close(self) -> None:
        """End the exchange: the server calls this also where it could not send the whole body."""
        handled = sys.exc_info()[1]  # by the server, if it has not come to the end
        with self.running():
            close = getattr(self.body, "close", None)
            if close is not None:
                close()
        self._end(None if self.exchange.is_whole() else ends.reason_of_close(handled))

    def fail(self, exc: BaseException) -> None:
        """Take note of what has left the application."""
        exchange = self.exchange
        if exchange.status is None and ends.is_end_of_websocket(exc, self.environ):
            self._end(None)
            return
        reason = exchange.failed(exc)
        if isinstance(exc, Exception):
            with printed() if is_printed(exc, self.environ) else nullcontext():
                is_told = ends.report(exc, exchange.method, exchange.path, logger)
            if is_told:
                servers.leave_out(exc)
        self._end(reason)

    def _end(self, reason: str | None) -> None:
        self.exchange.end(reason)
        self.exchange.request.close()
        request_ids.end()


class _Sized:
    """A body that tells of how many pieces it is, as a list does.

    Of a body of one piece servers tell the length (PEP 3333, "Handling the Content-Length Header").
    """

    def __init__(self, response: _Response) -> None:
        self._response = response
        self._is_asked = False
        self.close = response.close

    def __len__(self) -> int:
        return len(self._response.body)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[bytes]:
        if self._is_asked:  # each iterator of a list has all of it; eventlet counts with the first
            self._response.begin_anew()
        self._is_asked = True
        return self._response
