"""One request and its response, whatever the server: what is told of it in the access event."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping, Sized
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from flowery_logging import context, runtime, trace
from flowery_logging.integrations import ends, observers, queue_time, servers
from flowery_logging.integrations.answers import answer_to, has_sent_head
from flowery_logging.integrations.cpu import ThreadTime
from flowery_logging.integrations.ends import DISCONNECTED, NO_RESPONSE
from flowery_logging.integrations.options import Options
from flowery_logging.integrations.peers import domain
from flowery_logging.integrations.routes import route
from flowery_logging.library_code import ACCESS_LOGGER
from flowery_logging.request import Request
from flowery_logging.signalled import sheltered
from flowery_logging.spent import milliseconds
from flowery_logging.system import System
from flowery_logging.tracing import agents
from flowery_logging.tracing.headers import utf8

logger = runtime.own_logger(ACCESS_LOGGER)

MALFORMED: Final = (TypeError, ValueError, AttributeError)
"""What it raises to read headers that break ASGI or PEP 3333: they are the server's to refuse."""

_WITHOUT_BODY: Final = (204, 304)


_chance: Final = Random().random  # noqa: S311 - a sample, that leaves the application its seeded numbers


@dataclass(slots=True)
class Exchange:
    """Collects what the access event tells, from the request's head to the last body byte.

    `begun` and the times after it are in nanoseconds of the monotonic clock.
    """

    request: Request
    options: Options
    method: str
    path: str
    query: str = ""
    http_version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # `options.told_headers` at least
    peer: str = ""  # the address at the other end of the connection
    is_forwarded: bool = False  # `peer` is what the server's own proxy has told it
    is_websocket: bool = False
    route: str | None = None
    status: int | None = None
    sent: int = 0  # body bytes
    head_waits: bool = False  # the server is to send it with the first piece of the body
    length: int | None = None  # body bytes that the response has announced
    begun: int = field(default_factory=System.perf_counter_ns)
    first_byte: int = 0
    has_bytes: bool = False  # of the body, whether they are sent or not
    ended: bool = False
    observed: tuple[observers.Observer, ...] = ()
    cpu: ThreadTime | None = None

    def body(self, size: int) -> None:
        """Take note of body bytes handed to the server."""
        if not self.first_byte:
            self.first_byte = System.perf_counter_ns()
        self.has_bytes = self.has_bytes or size > 0
        if not self.is_bodiless():
            self.sent += size

    def is_bodiless(self) -> bool:
        """Tell if a server sends no body, whatever it is handed (RFC 9110 §6.4.1)."""
        return self.method == "HEAD" or self.status in _WITHOUT_BODY

    def is_whole(self) -> bool:
        """Tell if all is sent that the response has announced, though nobody asked for its end."""
        return self.is_bodiless() or self.sent == self.length

    def match(self, scope: MutableMapping[str, Any]) -> None:
        """Take what an ASGI scope says of the route that the request has taken."""
        self.route = self.request.route or route(scope)
        if self.request.refused is not None:
            self.request.refused.match(scope)

    def begin(self) -> Exchange:
        """Tell the observers that the request has begun; they are told of its end too."""
        if observers.observers:
            self.observed = observers.began(self.method)
        return self

    def failed(self, exc: BaseException, *, gone: bool = False) -> str:
        """End with what has left the application; return the reason.

        `gone` tells that the client is no more there to get an answer.
        """
        started = self._has_started()
        reason = ends.reason_of(exc, started=started, gone=gone)
        if not started and reason != DISCONNECTED:
            self.status = self._answer_to(exc)
        if self.options.access_log:
            servers.note_failed(self.request)
        # No exception of the application's, which is reported: so this event says where it hung.
        self.end(reason, None if isinstance(exc, Exception) else exc)
        return reason

    def _has_started(self) -> bool:
        """Tell whether the client has got the head of the response."""
        if self.status is None:
            return False
        return self.has_bytes or has_sent_head(waits=self.head_waits, has_piece=self.first_byte > 0)

    def _answer_to(self, exc: BaseException | None) -> int | None:
        return answer_to(exc, begun=self.status is not None, websocket=self.is_websocket)

    def end(self, reason: str | None = None, error: BaseException | None = None) -> None:
        """Write the access event, once; `reason` tells why the response is not whole.

        Where the request has failed the stack of `error` goes along.
        """
        if self.ended:
            return
        self.ended = True
        duration = System.perf_counter_ns() - self.begun
        if reason == NO_RESPONSE and not self._has_started():
            self.status = self._answer_to(None)
        level = self._level(reason)
        if level >= logging.ERROR:
            self.request.fail()
        if self.observed:
            self.tell(reason, duration, outcome(level, reason))
        if self.options.access_log and logger.isEnabledFor(level) and not self._is_left_out(level):
            self._log(level, reason, duration, None if level < logging.ERROR else error)

    def tell(
        self, reason: str | None, duration: int, outcome: str, *, websocket: bool = False
    ) -> None:
        """Tell the observers that the exchange has ended, after `duration` nanoseconds."""
        told = observers.Ended(
            self.method,
            domain(self.headers.get("host", "")),
            self.route,
            self.status,
            duration,
            outcome,
            reason,
            self.request.trace_id,
            websocket,
        )
        for observer in self.observed:
            with sheltered:
                observer.request_ended(told)

    def _log(
        self, level: int, reason: str | None, duration: int, error: BaseException | None
    ) -> None:
        shown = DISCONNECTED if reason == DISCONNECTED else self.status or "-"
        # A foreign handler may raise.
        with sheltered, context.inside(context.whole(self.request)):
            fields = self._fields(level, reason, duration)
            told = self.method, self.path, shown
            logger.log(level, "%s %s %s", *told, extra=fields, exc_info=error)

    def _level(self, reason: str | None) -> int:
        if reason in ends.FAILURES or (self.status or 0) >= 500:
            return logging.ERROR
        return logging.WARNING if (self.status or 0) >= 400 else logging.INFO

    def _is_left_out(self, level: int) -> bool:
        fraction = self.options.fractions.get(self.path)
        return fraction is not None and level < logging.ERROR and _chance() >= fraction

    def head(self) -> dict[str, Any]:
        """Return the fields of the request alone."""
        fields: dict[str, Any] = {"http.request.method": self.method, "url.path": self.path}
        if self.http_version:
            fields["http.version"] = self.http_version
        if self.route:
            fields["http.route"] = self.route
        if self.query:
            fields["url.query"] = runtime.clean_query(utf8(self.query))
        self._add_client(fields)
        return fields

    def traced(self) -> dict[str, Any]:
        """Return where the request stands in its trace: its own span, and its caller's."""
        return {**agents.own_span(self.request), **trace.caller(self.request)}

    def add_costs(self, fields: dict[str, Any], duration: int) -> None:
        """Add what has taken the nanoseconds of the request, as far as that is known."""
        if self.request.spent is not None:
            fields.update(self.request.spent.fields())
        if self.cpu is not None:
            self.cpu.add_to(fields, duration)
        if self.options.trusted:
            waited = self._waited()
            if waited is not None:
                fields["request_wait_ms"] = milliseconds(waited)

    def _waited(self) -> int | None:
        """Return the nanoseconds in queue, as a proxy of ours tells them."""
        if not self.is_forwarded and not self.options.trusted.have(self.peer):
            return None
        began = System.time_ns() - (System.perf_counter_ns() - self.begun)
        return queue_time.waited(self.headers, began)

    def _add_client(self, fields: dict[str, Any]) -> None:
        host = domain(self.headers.get("host", ""))
        if host:
            fields["url.domain"] = host
        ip = self.options.trusted.client_ip(self.peer, self.headers)
        if ip:
            fields["client.ip"] = ip
        agent = self.headers.get("user-agent")
        if agent:
            fields["user_agent.original"] = utf8(agent)

    def _fields(self, level: int, reason: str | None, duration: int) -> dict[str, Any]:
        fields = {
            "event.kind": "event",
            "event.category": ["web"],
            "event.type": ["access"],
            "event.action": "http-request",
            "event.outcome": outcome(level, reason),
            "event.duration": duration,
            "http.response.body.bytes": self.sent,
            **self.head(),
            **self.traced(),
        }
        self.add_costs(fields, duration)
        if reason is not None:
            fields["event.reason"] = reason
        if self.status is not None:
            fields["http.response.status_code"] = self.status
        if self.request.refused is not None and (self.status is None or self.status >= 400):
            fields |= self.request.refused.fields()
        if self.first_byte:
            fields["time_to_first_byte"] = self.first_byte - self.begun
        return fields


def announced(value: object) -> int | None:
    """Return the number in a `Content-Length` header, or None."""
    text = str(value).strip()
    return (
        int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER else None
    )


def status_of(given: object) -> int | None:
    """Return the number of a status as an application has given it; None if it says none."""
    if isinstance(given, (str, bytes)):
        text = given if isinstance(given, str) else given.decode("latin-1")
        number = _NUMBER.match(text)
        return int(number[0]) if number else None
    return int(given) if isinstance(given, int) and given in _STATUSES else None


def size_of(data: object) -> int:
    """Return how many bytes a piece of a body has; 0 for what is none, which a server refuses."""
    return len(data) if isinstance(data, Sized) else 0


def outcome(level: int, reason: str | None) -> str:
    """Return `event.outcome` of an exchange that is logged at `level`."""
    if reason == DISCONNECTED:
        return "unknown"
    return "failure" if level >= logging.ERROR else "success"


_LONGEST_NUMBER: Final = 64
_NUMBER: Final = re.compile(r"[1-9][0-9]{2}(?![0-9])")
_STATUSES: Final = range(100, 1000)
