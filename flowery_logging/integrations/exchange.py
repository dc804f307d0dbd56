"""One request and its response, whatever the server: what is told of it in the access event."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from flowery_logging import context, foreign_traces, runtime, trace
from flowery_logging.capture.own import OwnLogger
from flowery_logging.headers import Headers, Values, header_values, wanted_headers
from flowery_logging.request import Request

logger = runtime.own_logger("flowery_logging.access")

Network = IPv4Network | IPv6Network

TOLD_HEADERS: Final = ("host", "user-agent", "x-forwarded-for")
"""The headers of a request that its access event tells something of."""

DISCONNECTED: Final = "client disconnected"
NO_RESPONSE: Final = "no response"
CUT_OFF: Final = "response cut off by an exception"


@dataclass(frozen=True)
class Options:
    """What every `RequestMiddleware` and `instrument` takes by keyword.

    Raises ValueError for a network, a fraction or a format that is none.
    """

    request_id_header: str | Sequence[str] = "X-Request-ID"
    """The header of the request ID; of several the first is sent back, all are accepted."""

    access_log: bool = True
    """Write the access event (logger `flowery_logging.access`) in place of the server's line."""

    quiet: Mapping[str, float] | Iterable[str] = ()
    """Paths without an access event, or with one for a fraction (0 to 1) of the requests, as
    `{"/health": 0, "/ready": 0.01}`. A failure is always written."""

    proxies: Iterable[str] = ()
    """Addresses and networks of the proxies whose `X-Forwarded-For` is believed for `client.ip`."""

    trace_formats: Sequence[str] = ()
    """What is read where no traceparent is there: `b3`, `x-amzn-trace-id`."""

    id_headers: tuple[str, ...] = field(init=False)
    formats: tuple[str, ...] = field(init=False)
    fractions: Mapping[str, float] = field(init=False)
    networks: tuple[Network, ...] = field(init=False)

    def __post_init__(self) -> None:
        given, quiet = self.request_id_header, self.quiet
        ids = (given,) if isinstance(given, str) else tuple(given)
        fractions = dict(quiet) if isinstance(quiet, Mapping) else dict.fromkeys(quiet, 0.0)
        if not ids or not all(ids):
            raise ValueError(f"request_id_header: no name in {given!r}")
        for path, fraction in fractions.items():
            if not 0 <= fraction <= 1:
                raise ValueError(f"quiet[{path!r}]: {fraction!r} is not between 0 and 1")
        formats = tuple(self.trace_formats)
        foreign_traces.check(formats)
        object.__setattr__(self, "id_headers", ids)
        object.__setattr__(self, "formats", formats)
        object.__setattr__(self, "fractions", fractions)
        object.__setattr__(self, "networks", tuple(ip_network(proxy) for proxy in self.proxies))

    def wanted(self) -> Mapping[Any, str]:
        """Return which headers are read, as `headers.header_values` takes it."""
        return wanted_headers(self.id_headers, self.formats, TOLD_HEADERS)

    def incoming(self, headers: Headers) -> Request:
        """Make the request that these headers describe."""
        return self.request_of(header_values(headers, self.wanted()))

    def request_of(self, values: Values) -> Request:
        """Make the request that the values of these headers describe."""
        return trace.request_of(values, self.id_headers, self.formats)


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
    headers: Mapping[str, str] = field(default_factory=dict)  # `TOLD_HEADERS` at least
    peer: str = ""  # the address at the other end of the connection
    route: str | None = None
    status: int | None = None
    sent: int = 0  # body bytes
    begun: int = field(default_factory=time.perf_counter_ns)
    first_byte: int = 0
    ended: bool = False

    def body(self, size: int) -> None:
        """Take note of body bytes handed to the server."""
        if not self.first_byte:
            self.first_byte = time.perf_counter_ns()
        self.sent += size

    def end(self, reason: str | None = None) -> None:
        """Write the access event, once; `reason` tells why the response is not whole."""
        if self.ended:
            return
        self.ended = True
        ended = time.perf_counter_ns()
        level = self._level(reason)
        if level >= logging.ERROR:
            self.request.fail()
        if (
            not self.options.access_log
            or not logger.isEnabledFor(level)
            or self._is_left_out(level)
        ):
            return
        try:
            with context.inside(context.whole(self.request)):
                shown = DISCONNECTED if reason == DISCONNECTED else self.status or "-"
                fields = self._fields(level, reason, ended)
                logger.log(level, "%s %s %s", self.method, self.path, shown, extra=fields)
        except Exception:
            pass  # a foreign handler may raise

    def _level(self, reason: str | None) -> int:
        if reason in {NO_RESPONSE, CUT_OFF} or (self.status or 0) >= 500:
            return logging.ERROR
        return logging.WARNING if (self.status or 0) >= 400 else logging.INFO

    def _is_left_out(self, level: int) -> bool:
        fraction = self.options.fractions.get(self.path)
        return fraction is not None and level < logging.ERROR and random.random() >= fraction

    def head(self) -> dict[str, Any]:
        """Return the fields of the request alone."""
        fields: dict[str, Any] = {"http.request.method": self.method, "url.path": self.path}
        if self.http_version:
            fields["http.version"] = self.http_version
        if self.route:
            fields["http.route"] = self.route
        if self.query:
            fields["url.query"] = runtime.redactor().clean_query(self.query)
        self._add_client(fields)
        return fields

    def _add_client(self, fields: dict[str, Any]) -> None:
        host = domain(self.headers.get("host", ""))
        if host:
            fields["url.domain"] = host
        ip = client_ip(self.peer, self.headers, self.options.networks)
        if ip:
            fields["client.ip"] = ip
        agent = self.headers.get("user-agent")
        if agent:
            fields["user_agent.original"] = agent

    def _fields(self, level: int, reason: str | None, ended: int) -> dict[str, Any]:
        outcome = "failure" if level >= logging.ERROR else "success"
        fields = {
            "event.kind": "event",
            "event.category": ["web"],
            "event.type": ["access"],
            "event.action": "http-request",
            "event.outcome": "unknown" if reason == DISCONNECTED else outcome,
            "event.duration": ended - self.begun,
            "http.response.body.bytes": self.sent,
            **self.head(),
        }
        if reason is not None:
            fields["event.reason"] = reason
        if self.status is not None:
            fields["http.response.status_code"] = self.status
        if self.first_byte:
            fields["time_to_first_byte"] = self.first_byte - self.begun
        return fields


def report(exc: BaseException, method: str, path: str, log: OwnLogger) -> bool:
    """Log an exception that the application did not handle; tell whether it could be logged."""
    request = context.current_request()
    if request is not None:
        request.fail()
    if not log.isEnabledFor(logging.ERROR):
        return False  # switched off or disabled: then the server's own report is the only one
    with suppress(Exception):  # a foreign handler that raises must not replace `exc`
        extra = {"http.request.method": method, "url.path": path}
        log.log(
            logging.ERROR,
            "%s %s raised an unhandled exception",
            method,
            path,
            exc_info=exc,
            extra=extra,
        )
        return True
    return False


def domain(host: str) -> str:
    """Return the name or address in a `Host` header, without the port."""
    if host.startswith("["):  # an IPv6 address (RFC 3986 §3.2.2)
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def client_ip(peer: str, headers: Mapping[str, str], proxies: tuple[Network, ...]) -> str | None:
    """Return the client's address: the last hop that is not one of our own proxies.

    `X-Forwarded-For` is read from its end, as each proxy adds to it what it has seen itself; what
    stands before the first stranger may be invented.
    """
    hops = [*headers.get("x-forwarded-for", "").split(","), peer] if proxies else [peer]
    found = None
    for hop in reversed(hops):
        try:
            address, text = _address(hop) if len(hop) <= _LONGEST_KEPT else _parsed(hop)
        except ValueError:
            break
        found = text
        if not any(address in network for network in proxies):
            break
    return found


def _parsed(hop: str) -> tuple[IPv4Address | IPv6Address, str]:
    address = ip_address(_without_port(hop.strip()))
    return address, str(address)


_address = lru_cache(4096)(_parsed)
_LONGEST_KEPT: Final = 64


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
