"""The options that every middleware and `instrument` of requests takes.

They are the same everywhere: keywords of `RequestMiddleware` (ASGI, WSGI) and of
`fastapi.instrument`, keys of Django's `FLOWERY_REQUESTS`, which takes one more (see
django_options.py).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypedDict

from flowery_logging import trace
from flowery_logging.config.setting import ConfigError
from flowery_logging.integrations import checks, queue_time
from flowery_logging.integrations.peers import Proxies
from flowery_logging.request import Request
from flowery_logging.tracing.headers import Headers, Values, Wanted, header_values, wanted_headers

if TYPE_CHECKING:
    from typing_extensions import Self


class RequestOptions(TypedDict, total=False):
    """Options by keyword, for type checkers; all may be left out."""

    request_id_header: str | Sequence[str]
    access_log: bool
    quiet: Mapping[str, float] | Iterable[str]
    proxies: Iterable[str]
    trace_formats: Sequence[str]
    traceparent: bool
    server_timing: bool


class UnknownOptionError(ConfigError, TypeError):
    """An option has a name that none has: a wrong option, and a wrong keyword in a call."""


def _check_names(given: object, names: Sequence[str]) -> None:
    """Raise `UnknownOptionError` for a name that is none of these, and say which ones there are."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"options: expected a mapping of names to values, not {given!r}")
    for name in given:
        if name not in names:
            near = get_close_matches(str(name), names, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UnknownOptionError(
                f"unknown option {name!r}; {hint}allowed are {', '.join(names)}"
            )


_TOLD_HEADERS: Final = ("host", "user-agent", "x-forwarded-for")


@dataclass(frozen=True)
class Options:
    """What every `RequestMiddleware` and `instrument` takes by keyword.

    Raises ConfigError, which names the option, for what cannot be used.
    """

    request_id_header: str | Sequence[str] = "X-Request-ID"
    """The header of the request ID; of several the first is sent back, all are accepted."""

    access_log: bool = True
    """Write the access event (logger `flowery_logging.access`) in place of the server's line."""

    quiet: Mapping[str, float] | Iterable[str] = ()
    """Paths without an access event, or with one for a fraction (0 to 1) of the requests, as
    `{"/health": 0, "/ready": 0.01}`. A failure is always written."""

    proxies: Iterable[str] = ()
    """Addresses and networks of the proxies whose `X-Forwarded-For` is believed for `client.ip`,
    and whose `X-Request-Start` or `X-Queue-Start` for the time in queue (`request_wait_ms`).
    `unix` is a proxy that comes through a Unix socket."""

    trace_formats: Sequence[str] = ()
    """What is read where no traceparent is there: `b3`, `x-amzn-trace-id`."""

    traceparent: bool = False
    """Send the trace back in the response too, as `traceparent`."""

    server_timing: bool = False
    """Send it back as `Server-Timing: traceparent;desc="…"`: all that a browser's scripts see."""

    id_headers: tuple[str, ...] = field(init=False)
    formats: tuple[str, ...] = field(init=False)
    fractions: Mapping[str, float] = field(init=False)
    trusted: Proxies = field(init=False)
    told_headers: tuple[str, ...] = field(init=False)
    """The headers of a request that its access event tells something of."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id_headers", checks.header_names(self.request_id_header))
        object.__setattr__(self, "access_log", checks.switch("access_log", self.access_log))
        object.__setattr__(self, "fractions", checks.fractions(self.quiet))
        object.__setattr__(self, "trusted", checks.proxies(self.proxies))
        more = queue_time.HEADERS if self.trusted else ()
        object.__setattr__(self, "told_headers", (*_TOLD_HEADERS, *more))
        object.__setattr__(self, "formats", checks.formats(self.trace_formats))
        for name in ("traceparent", "server_timing"):
            checks.switch(name, getattr(self, name))

    @classmethod
    def of(cls, given: Any) -> Self:
        """Return the options that somebody has given by name. Raises ConfigError."""
        _check_names(given, cls.names())
        return cls(**given)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return what an option may be called."""
        return tuple(one.name for one in fields(cls) if one.init)

    def trace_headers(
        self, request: Request, present: Container[str] = ()
    ) -> list[tuple[str, str]]:
        """Return the headers, beside the request ID, that a response gets.

        `present` are the names that it has, in lower case: a traceparent of its own stands.
        """
        if not (self.traceparent or self.server_timing):
            return []
        flags = getattr(request.trace, "flags", trace.SAMPLED)
        value = f"00-{request.trace_id}-{request.base.get('transaction.id')}-{flags:02x}"
        is_told = self.traceparent and "traceparent" not in present
        found = [("traceparent", value)] if is_told else []
        timing = ("Server-Timing", f'traceparent;desc="{value}"')
        return [*found, timing] if self.server_timing else found

    def wanted(self) -> Wanted:
        """Return which headers are read, as `headers.header_values` takes it."""
        return wanted_headers(self.id_headers, self.formats, self.told_headers)

    def incoming(self, headers: Headers) -> Request:
        """Make the request that these headers describe."""
        return self.request_of(header_values(headers, self.wanted()))

    def request_of(self, values: Values) -> Request:
        """Make the request that the values of these headers describe."""
        return trace.request_of(values, self.id_headers, self.formats)
