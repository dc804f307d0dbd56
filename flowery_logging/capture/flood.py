"""Flood control: of equal events of one call site the first are written, the rest are counted.

Equal are events of one call site with the same text, before its arguments are put in, and the same
error, if any. What is left out takes no number, so the numbers of a process stay whole. It is never
silent: the last event that is written before says so (`flood_limit`), and one line of the same call
site and level says how many there were: when the window is over and the next event of any kind
comes, and when the process checkpoints its log.
"""

from __future__ import annotations

from _thread import RLock  # a real one also where gevent has patched `threading`
from typing import Any, Final, NamedTuple

from flowery_logging import process
from flowery_logging.capture.gate import PASSES, is_own
from flowery_logging.capture.sink import Sink, this_thread
from flowery_logging.ecs import Event, Site
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.error_group import error_group
from flowery_logging.ecs.event import rfc3339
from flowery_logging.ecs.exception import qualified_name
from flowery_logging.signalled import let_through

_MOST: Final = 4096
"""So many windows are open at a time; the oldest one ends early when another one opens."""

_MESSAGE_CHARS: Final = 200

_ACCESS: Final = frozenset({
    "uvicorn.access", "gunicorn.access", "hypercorn.access", "aiohttp.access", "django.server",
    "werkzeug", "_granian.access",
})  # fmt: skip
"""Loggers of servers that write each request by one text: these are not equal either."""


class _Account(NamedTuple):
    """What one window has left out."""

    site: Site
    template: str
    error: tuple[str, str] | None  # type and group
    left_out: int
    begin: float
    end: float


class _Window:
    """The equal events since one of them began it."""

    __slots__ = ("begin", "error", "last", "left_out", "seen", "site", "template")

    def __init__(self, event: Event, template: str, error: tuple[str, str] | None) -> None:
        self.site, self.template, self.error = event.site, template, error
        self.open(event.created)

    def open(self, now: float) -> None:
        """Begin anew."""
        self.begin = self.last = now
        self.seen = self.left_out = 0

    def account(self) -> _Account:
        """Return what was left out."""
        span = self.begin, self.last
        return _Account(self.site, self.template, self.error, self.left_out, *span)


class Flood:
    """Lets `limit` equal events pass in `seconds` seconds.

    Records of requests, calls and tasks, the library's own and servers', always pass.
    """

    def __init__(self, limit: int, seconds: float, sink: Sink) -> None:
        self._limit = limit
        self._seconds = seconds
        self._sink = sink
        self._due = float("inf")  # when the first window that has left out something is over
        self._windows: dict[Any, _Window] = {}
        self._lock = RLock()
        process.renew_in_children(self)

    def target(self, event: Event) -> Any:
        """Return None for an event that is left out, and counted."""
        if is_own(event.site) or event.site.log.get("logger") in _ACCESS:
            return PASSES
        process.look()
        given = event.template if type(event.template) is str else event.message
        template = given if type(given) is str else text(given)
        error = _error_of(event)
        key = event.site, hash(template), len(template), error  # a text may be long
        with self._lock:
            told = self._over(event.created)
            window = self._window(key, event, template, error, told)
            window.seen += 1
            is_written = window.seen <= self._limit
            is_last = window.seen == self._limit
            if not is_written:
                window.left_out += 1
                window.last = event.created
                self._due = min(self._due, window.begin + self._seconds)
        self._tell(told)
        if is_last:
            event.fields = {**event.fields, "flood_limit": self._limit}
        if not is_written:
            self._sink.counters.add("left_out_by_flood")
        return PASSES if is_written else None

    def _window(
        self,
        key: object,
        event: Event,
        template: str,
        error: tuple[str, str] | None,
        told: list[_Account],
    ) -> _Window:
        """Return the window of an event: a new one where there is none, or where it is over."""
        window, now = self._windows.get(key), event.created
        if window is None:
            while len(self._windows) >= _MOST:
                oldest = self._windows.pop(next(iter(self._windows)))
                told += [oldest.account()] if oldest.left_out else []
            window = self._windows[key] = _Window(event, template[:_MESSAGE_CHARS], error)
        elif not window.begin <= now < window.begin + self._seconds:
            told += [window.account()] if window.left_out else []
            window.open(now)
        return window

    def _over(self, now: float) -> list[_Account]:
        """Close the windows that are over, and return what they have left out."""
        if now < self._due:
            return []
        return self._closed(lambda window: window.begin + self._seconds <= now)

    def _closed(self, is_over: Any) -> list[_Account]:
        # Copies, by one call of C each: a signal handler or a destructor that logs changes them.
        windows = self._windows.copy()
        found = {key: one for key, one in windows.items() if one.left_out and is_over(one)}
        for key in found:
            self._windows.pop(key, None)
        left = self._windows.copy().values()
        ends = [one.begin + self._seconds for one in left if one.left_out]
        self._due = min(ends, default=float("inf"))
        return [window.account() for window in found.values()]

    def tell(self) -> None:
        """Say now what was left out: the process may end."""
        process.look()
        with self._lock:
            told = self._closed(lambda _: True)
        self._tell(told)

    def _tell(self, accounts: list[_Account]) -> None:
        for account in accounts:
            self._sink.write(_announcement(account, self._seconds, self._sink))

    def start_child(self) -> None:
        """Begin anew in a forked child: the parent tells what it has left out."""
        self._lock = RLock()
        self._windows = {}
        self._due = float("inf")


def _error_of(event: Event) -> tuple[str, str] | None:
    """Return type and group of an event's exception: others are not equal to it."""
    error = event.error
    if error is None:
        return None
    try:
        return qualified_name(type(error)), error_group(error, event.trace)
    except Exception as failure:
        let_through(failure)
        return qualified_name(type(error)), ""


def _announcement(account: _Account, seconds: float, sink: Sink) -> Event:
    """Return the event that says what was left out, at the same call site and level."""
    origin = account.site.log.get("origin", {})
    file = origin.get("file", {})
    place = f" ({file.get('name')}:{file.get('line')})" if file else ""
    kind = "" if account.error is None else f" {account.error[0]}"
    message = (
        f"{account.left_out} more equal events within {seconds:g} s left out{place}:"
        f"{kind} {account.template}"
    )
    fields: dict[str, Any] = {
        "event.kind": "metric",
        "event.action": "log-flood",
        "event.start": rfc3339(account.begin),
        "event.end": rfc3339(account.end),
        "left_out": account.left_out,
        "flood_limit_seconds": seconds,
    }
    if account.error is not None:
        fields["error.type"], fields["error.id"] = account.error
    return Event(account.end, account.site, message, this_thread(sink.encoder), fields)
