"""An event becomes the two halves of a line, between which the writer puts ID and sequence.

The hot path joins fragments that are encoded already. An event differs from the one before it in
its time, message and extra fields; all else is prepared: per process (service, host, data
stream), per call site (level, logger, file, line, function), per context (trace, bound fields)
and per thread. `join` handles what is common (a string message; fields with ordinary names and
values of type str, int, float, bool) by joining; whatever is unusual (an ECS or dotted name, a
name that the context has too, an odd value, something that may be a secret, an exception, a line
that is too long) takes the one general path through `compose.py`. Both give the same document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Protocol

import orjson

from flowery_logging.counters import Counters
from flowery_logging.ecs.compose import SPLICE_BYTES, Composer
from flowery_logging.ecs.document import QUERIES, Document, Placer
from flowery_logging.ecs.encode import dumps
from flowery_logging.ecs.event import (
    NO_FIELDS,
    Clock,
    Fields,
    Site,
    Static,
    log_fields,
    thread_fields,
)
from flowery_logging.ecs.redact import SMALLEST_NUMBER, Redactor
from flowery_logging.ecs.schema import is_reserved

MAX_CACHED: Final = 4096
"""Entries of each cache (call sites, names, threads); beyond it nothing more is kept."""

_OURS: Final = frozenset({
    "service", "host", "data_stream", "log", "event", "process", "error", "message",
})  # fmt: skip
_SUSPICIOUS_DIGITS: Final = len(str(SMALLEST_NUMBER))
_ORDINARY_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_dumps = orjson.dumps


class Scope(Protocol):
    """What a context gives the encoder (see context.py)."""

    def fields(self) -> Fields:
        """Return the bound fields."""
        ...

    def rendered(self, render: Any) -> Any:
        """Return `render(fields())`, made anew only after a change."""
        ...


Labels = tuple[bytes, int, bytes]
"""The labels of a context, to which an event's may be added: the open object, how many bytes (its
leading comma) to skip of what is added, and the object as it is if nothing is."""


def _labels(name: bytes, labels: Fields) -> Labels:
    opened = b',"%b":%b' % (name, dumps(labels)[:-1])
    return (opened, 0, opened + b"}") if labels else (opened, 1, b"")


_NO_LABELS: Final = _labels(b"labels", NO_FIELDS)
_NO_NUMBERS: Final = _labels(b"numeric_labels", NO_FIELDS)


class Prefixes(dict[Any, bytes]):
    """What stands before a field's value, `,"name":`, learnt at its first event.

    A name that may not be joined raises KeyError: one that the context has too, or an unusual one.
    """

    __slots__ = ("_learn", "_taken")

    def __init__(self, learn: Callable[[Any], bytes], taken: frozenset[str]) -> None:
        super().__init__()
        self._learn = learn
        self._taken = taken

    def __missing__(self, name: Any) -> bytes:
        prefix = b"" if name in self._taken else self._learn(name)
        if not prefix:
            raise KeyError(name)
        if len(self) < MAX_CACHED:
            self[name] = prefix
        return prefix


class ContextFragment:
    """The fields of a context as they stand in a line.

    `room` tells how many fields may be joined to it: -1 if it has a part that a line has anyway.
    `prefixes` has, by name, what stands before the value of a field that may be joined.
    """

    __slots__ = ("head", "labels", "numbers", "prefixes", "room")

    def __init__(
        self,
        prefix: Callable[[Any], bytes],
        max_fields: int,
        document: Document | None = None,
        names: frozenset[str] = frozenset(),
    ) -> None:
        tree = {} if document is None else document.tree
        self.head = b"".join(b",%b:%b" % (dumps(key), dumps(value)) for key, value in tree.items())
        self.labels, self.numbers = _NO_LABELS, _NO_NUMBERS
        self.room = max_fields
        if document is not None:
            self.labels = _labels(b"labels", document.labels.texts)
            self.numbers = _labels(b"numeric_labels", document.labels.numbers)
            names |= document.labels.names
            self.room = max_fields - len(document.paths) if _OURS.isdisjoint(tree) else -1
        self.prefixes = Prefixes(prefix, names)


class LineEncoder:
    """Encodes the events of one process, by the configuration of one `setup()`.

    A field whose name is in `aside` makes an event unusual: whoever captured it looks at it first.
    """

    def __init__(
        self,
        static: Static,
        placer: Placer,
        redactor: Redactor,
        counters: Counters,
        aside: frozenset[str] = frozenset(),
    ) -> None:
        self.static = static
        self.placer = placer
        self._redactor = redactor
        self._suspects = redactor.suspects_json
        self._aside = aside
        self._clock = Clock()
        self._label_chars = placer.limits.label_chars
        self._no_context = ContextFragment(self._prefix, placer.limits.fields)
        self._max_bytes = placer.limits.line_bytes - SPLICE_BYTES
        self._static_bytes = static.encoded()
        self._event_open = b',"event":{"dataset":%b,' % dumps(static.dataset)
        self._sites: dict[Any, Site] = {}
        self._names: dict[Any, bytes] = {}
        self._threads: dict[tuple[Any, Any], bytes] = {}
        self._render = self._render_context  # one object, so that caches can compare it
        self.encode_event = Composer(static, placer, counters).compose
        self.known_site = self._sites.get

    def site(self, key: Any, level: Any, logger: Any, file: Any, line: Any, function: Any) -> Site:
        """Return the call site of this key, making it the first time."""
        known = self._sites.get(key)
        if known is not None:
            return known
        site = Site(level, log_fields(logger, file, line, function), self._static_bytes)
        if len(self._sites) < MAX_CACHED:
            self._sites[key] = site
        return site

    def thread(self, ident: Any, name: Any) -> bytes:
        """Return the second half of a line: the thread's fields and the end."""
        half = self._threads.get((ident, name))
        if half is None:
            half = b'"thread":%b}}\n' % dumps(thread_fields(ident, name))
            if len(self._threads) < MAX_CACHED:
                self._threads[ident, name] = half
        return half

    def join(
        self,
        created: float,
        site: Site,
        message: Any,
        fields: Fields,
        scope: Scope | None,
        thread: bytes,
    ) -> bytes | None:
        """Return the first half of an event by joining fragments, or None if it is unusual.

        The second half is `thread`. Never raises.
        """
        try:
            context = self._no_context if scope is None else scope.rendered(self._render)
            if type(message) is not str or len(fields) > context.room:
                return None
            labels = numbers = b""
            prefixes = context.prefixes
            for name, value in fields.items():
                kind = type(value)
                if kind is str:
                    labels += prefixes[name] + _dumps(value)
                elif kind is int:
                    digits = _dumps(value)
                    if len(digits) >= _SUSPICIOUS_DIGITS:
                        return None
                    numbers += prefixes[name] + digits
                elif kind is bool:
                    labels += prefixes[name] + (b'"true"' if value else b'"false"')
                elif kind is float:
                    if value - value != 0:  # NaN or infinite
                        return None
                    numbers += prefixes[name] + _dumps(value)
                elif value is not None:
                    return None
            text = _dumps(message)
            if self._suspects(text + labels):
                return None
            if len(labels) > self._label_chars and self._has_long_text(fields):
                return None
            second = int(created)
            known, beginning = self._clock.known
            if known != second:
                beginning = self._clock.beginning(second)
            opened, skipped, alone = context.labels
            labels = opened + labels[skipped:] + b"}" if labels else alone
            opened, skipped, alone = context.numbers
            numbers = opened + numbers[skipped:] + b"}" if numbers else alone
            micros = b"%06d" % ((created - second) * 1_000_000)
            half = b"".join(
                (beginning, micros, site.prefix, text, site.suffix,
                 context.head, labels, numbers, self._event_open)
            )  # fmt: skip
            return half if len(half) + len(thread) <= self._max_bytes else None
        except Exception:
            return None  # the general path finds out what it is, and counts it

    def _has_long_text(self, fields: Fields) -> bool:
        return any(type(v) is str and len(v) > self._label_chars for v in fields.values())

    def _prefix(self, name: Any) -> bytes:
        """Return `,"name":` if a field of this name is always a label; otherwise nothing."""
        known = self._names.get(name)
        return self._learn(name) if known is None else known

    def _learn(self, name: Any) -> bytes:
        ordinary = (
            type(name) is str
            and len(name) <= self.placer.limits.name_chars
            and _ORDINARY_NAME.fullmatch(name) is not None
            and name not in QUERIES
            and name not in self._aside
            and not self.placer.schema.has_root(name)
            and not is_reserved(name)
            and not self._redactor.hides(name)
        )
        fragment = b',"%b":' % name.encode() if ordinary else b""
        if len(self._names) < MAX_CACHED and type(name) is str and len(name) <= MAX_CACHED:
            self._names[name] = fragment
        return fragment

    def _render_context(self, fields: Fields) -> ContextFragment:
        document = self.placer.place(fields)
        return ContextFragment(self._prefix, self.placer.limits.fields, document, frozenset(fields))
