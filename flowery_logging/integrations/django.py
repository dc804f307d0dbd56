"""Django: a middleware for sync and async, an app that keeps our handler attached, checks.

MIDDLEWARE = ["flowery_logging.integrations.django.RequestMiddleware", ...]  # first
INSTALLED_APPS = ["flowery_logging.integrations.django.LoggingConfig", ...]
FLOWERY_REQUESTS = {"quiet": ["/health"]}  # options, if any
"""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.apps import AppConfig, apps
from django.core import checks
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flowery_logging import context, runtime
from flowery_logging.config.setting import ConfigError
from flowery_logging.foreign import closers_of
from flowery_logging.integrations import django_disconnects, ends, nested, servers
from flowery_logging.integrations.answers import waits_for_body
from flowery_logging.integrations.cpu import thread_time
from flowery_logging.integrations.django_checks import check_logging
from flowery_logging.integrations.django_options import options
from flowery_logging.integrations.exchange import Exchange, announced
from flowery_logging.integrations.options import Options
from flowery_logging.request import Request
from flowery_logging.scope import Scope
from flowery_logging.tracing import agents, request_ids

_ATTRIBUTE = "_flowery_logging_request"

logger = runtime.own_logger(__name__)


class RequestMiddleware:
    """Run each request as one request of `flowery_logging`, under WSGI and under ASGI.

    Stands first in `MIDDLEWARE`. A streamed response belongs to its request until its last piece.
    Unhandled exceptions are logged by Django itself (`django.request`), with the trace; those that
    it leaves to the server (of a body that is streamed) are logged here, once. Options are those
    of `flowery_logging.integrations.django_options.DjangoOptions`, as the setting
    `FLOWERY_REQUESTS`; raises what they raise when the server starts.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.options = options()
        self.options.apply()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
            django_disconnects.hear()
        if apps.is_installed("rest_framework"):
            from flowery_logging.integrations import django_rest

            django_rest.follow()
        runtime.place("django.request", _scope_of)
        runtime.reattach()  # settings.LOGGING may have replaced our handler

    def __call__(self, http_request: HttpRequest) -> Any:
        if hasattr(http_request, _ATTRIBUTE):  # another instance outside
            return self.get_response(http_request)
        outer = nested.outer(http_request.META, getattr(http_request, "scope", {}))
        if outer is not None:
            return self._inside(http_request, outer)
        visit = _Visit(http_request, self.options)
        if self._is_async:
            return self._call_async(visit)
        with context.inside(visit.scope):
            try:
                return visit.answered(self.get_response(http_request))
            except BaseException as exc:
                visit.failed(exc)
                raise

    def _inside(self, http_request: HttpRequest, outer: Request) -> Any:
        """Answer inside a middleware that has opened the request already; tell it what is known."""
        setattr(http_request, _ATTRIBUTE, outer)
        if self._is_async:
            return self._inside_async(http_request, outer)
        return _told(outer, http_request, self.get_response(http_request))

    async def _inside_async(self, http_request: HttpRequest, outer: Request) -> HttpResponseBase:
        return _told(outer, http_request, await self.get_response(http_request))

    async def _call_async(self, visit: _Visit) -> HttpResponseBase:
        with context.inside(visit.scope):
            try:
                return visit.answered(await self.get_response(visit.http_request))
            except BaseException as exc:
                visit.failed(exc)
                raise


class _Visit:
    """One request on its way through Django."""

    def __init__(self, http_request: HttpRequest, options: Options) -> None:
        headers = {name.lower(): value for name, value in http_request.headers.items()}
        self.http_request = http_request
        self.request = options.incoming(headers)
        self.exchange = _exchange(http_request, headers, self.request, options).begin()
        self.scope: Scope | None = context.opened(self.request)
        self.exchange.cpu = thread_time(self.request)
        setattr(http_request, _ATTRIBUTE, self.request)
        servers.begin(options.access_log)
        nested.will_be_told(getattr(http_request, "scope", None), options.access_log)

    def answered(self, response: HttpResponseBase) -> HttpResponseBase:
        """Take note of the response; a streamed one ends with its last piece."""
        name = self.exchange.options.id_headers[0]
        agents.seen(self.request)
        if response.has_header(name):
            request_ids.adopt(self.request, response[name])
        else:
            response[name] = self.request.request_id
        self._add_trace_headers(response)
        self.exchange.status = response.status_code
        if 400 <= response.status_code < 500:
            _look(self.request, response)
        self.exchange.length = announced(response.get("Content-Length"))
        self.scope = context.here()
        if response.streaming:
            self._follow(response)
        else:
            self.exchange.body(len(getattr(response, "content", b"")))
            self.end(None)
        return response

    def _add_trace_headers(self, response: HttpResponseBase) -> None:
        """Send the trace back where that is asked for; what the response has stands."""
        for name, value in self.exchange.options.trace_headers(self.request):
            if not response.has_header(name):
                response[name] = value
            elif name == "Server-Timing":  # a list (W3C Server Timing, §3)
                response[name] = f"{response[name]}, {value}"

    def _follow(self, response: Any) -> None:
        content = response.streaming_content
        is_async = getattr(response, "is_async", False)
        response.streaming_content = self._async(content) if is_async else self._sync(content)
        closers_of(response).append(lambda: self.end(self._when_closed()))

    def _when_closed(self) -> str | None:
        """Return why a server closes the response, if its last piece has not been taken."""
        if self.exchange.is_whole():
            return None
        return ends.reason_of_close(sys.exc_info()[1])

    def _sync(self, content: Iterator[bytes]) -> Iterator[bytes]:
        """Make each piece inside the request. Where it stops is told by how it ends."""
        try:
            while True:
                with context.inside(self.scope):
                    piece = next(content, None)
                    self.scope = context.here()
                if piece is None:
                    break
                self.exchange.body(len(piece))
                yield piece
        except BaseException as exc:
            self.failed(exc)
            raise
        self.end(None)

    async def _async(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            while True:
                with context.inside(self.scope):
                    piece = await anext(content, None)
                    self.scope = context.here()
                if piece is None:
                    break
                self.exchange.body(len(piece))
                yield piece
        except BaseException as exc:
            self.failed(exc)
            raise
        self.end(None)

    def failed(self, exc: BaseException) -> None:
        """Nothing was answered, or not all: an error, a cancellation, or the client has gone."""
        self._find_route()
        gone = django_disconnects.has_gone(self.http_request)
        if self._is_whole() and (gone or isinstance(exc, GeneratorExit)):
            self.exchange.end()
        else:
            self.exchange.failed(exc, gone=gone)
        if isinstance(exc, Exception):
            self._report(exc)
        self._close()

    def _is_whole(self) -> bool:
        return self.exchange.status is not None and self.exchange.is_whole()

    def _report(self, exc: Exception) -> None:
        """Log what Django leaves to the server: of that, not each one logs it."""
        with context.inside(self.scope):
            if ends.report(exc, self.exchange.method, self.exchange.path, logger):
                servers.leave_out(exc)

    def end(self, reason: str | None) -> None:
        self._find_route()
        self.exchange.end(reason)
        self._close()

    def _find_route(self) -> None:
        self.exchange.route = _route(self.http_request)

    def _close(self) -> None:
        self.request.close()
        request_ids.end()


def _route(http_request: HttpRequest) -> str | None:
    match = getattr(http_request, "resolver_match", None)
    route = getattr(match, "route", None)
    return None if route is None else "/" + route.lstrip("^/")


def _told(outer: Request, http_request: HttpRequest, response: Any) -> Any:
    nested.tell_route(outer, http_request.META.get("SCRIPT_NAME", ""), _route(http_request))
    if 400 <= response.status_code < 500:
        _look(outer, response)
    return response


def _look(request: Request, response: HttpResponseBase) -> None:
    """Take note of what Django REST framework has refused, where the project has it."""
    rest = sys.modules.get("flowery_logging.integrations.django_rest")
    if rest is not None:
        rest.look(request, response)


def _scope_of(record: logging.LogRecord) -> Scope | None:
    """Return the scope of the request that a record speaks of.

    Django logs each response with an error status when all middleware has returned.
    """
    if context.current_request() is not None:
        return None
    request = getattr(getattr(record, "request", None), _ATTRIBUTE, None)
    return context.whole(request) if isinstance(request, Request) else None


def _exchange(
    http_request: HttpRequest,
    headers: Mapping[str, str],
    request: Request,
    options: Options,
) -> Exchange:
    meta = http_request.META
    scope = getattr(http_request, "scope", {})  # under ASGI
    return Exchange(
        request,
        options,
        http_request.method or "GET",
        http_request.path,
        meta.get("QUERY_STRING", ""),
        scope.get("http_version") or meta.get("SERVER_PROTOCOL", "").removeprefix("HTTP/"),
        headers,
        meta.get("REMOTE_ADDR", ""),
        head_waits=not scope and waits_for_body(meta),
    )


class LoggingConfig(AppConfig):  # type: ignore[misc]
    """The app: attaches our handler again after `settings.LOGGING`, and registers the checks.

    Where the middleware is not loaded, in a worker of Celery's, it counts database queries too.
    """

    name = "flowery_logging.integrations.django"
    label = "flowery_logging"
    verbose_name = "Logging"

    def ready(self) -> None:
        runtime.reattach()
        checks.register(check_logging)
        with suppress(ConfigError):  # the check tells it, and no server starts
            options().apply()
