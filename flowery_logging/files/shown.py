"""What of an event a person is shown: its text, and the fields that say more than the line does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from flowery_logging.colours import without_colours
from flowery_logging.event_parts import LABELS
from flowery_logging.files.printable import printable

_HIDDEN: Final = frozenset({
    "@timestamp", "@version", "log.level", "message", "ecs.version", "ecs", "service", "host",
    "data_stream", "event", "process", "log", "error", "labels", "numeric_labels", "trace",
    "transaction", "span", "parent", "agent", "input",
})  # fmt: skip
_OF_REQUESTS: Final = frozenset({"http", "url", "client", "user_agent", "source", "network"})
"""What the line of a request says already, or says for machines."""
_LABELS_OF_REQUESTS: Final = frozenset({
    "call_span_ids", "http_route", "thread_cpu_ms", "time_to_first_byte",
})  # fmt: skip
_NO_LABELS: Final[frozenset[str]] = frozenset()
_HIDDEN_LEAVES: Final = frozenset({"http.request.id"})


def at(document: Mapping[str, Any], path: str) -> Any:
    """Return the value of a dotted name, written flat or nested; None where there is none."""
    if path in document:
        return document[path]
    name, _, rest = path.partition(".")
    inner = document.get(name)
    found = at(inner, rest) if rest and isinstance(inner, Mapping) else None
    if found is None and "." in rest:  # an object whose own name is dotted
        for end, character in enumerate(rest, len(name) + 1):
            inner = document.get(path[:end]) if character == "." else None
            if isinstance(inner, Mapping):
                found = at(inner, path[end + 1 :])
                if found is not None:
                    break
    return found


def is_exchange(document: Mapping[str, Any]) -> bool:
    """Tell whether an event is the end of a request or of an outgoing call."""
    return as_text(at(document, "event.action")) in {"http-request", "http-call"}


def message_of(document: Mapping[str, Any]) -> str:
    """Return what a person reads as an event's text: of a request also its query and duration."""
    message = as_text(at(document, "message"))
    query, path = as_text(at(document, "url.query")), as_text(at(document, "url.path"))
    if query and path and is_exchange(document):
        message = message.replace(path, f"{path}?{query}", 1)
    duration = at(document, "event.duration")
    if type(duration) in {int, float} and duration >= 0:
        message = f"{message} {duration_text(duration)}"
    arrow = "→ " if at(document, "event.action") == "http-call" else ""
    return f"{arrow}{message}"


def duration_text(nanoseconds: float) -> str:
    """Return a duration with its unit: `14.2 ms`, `3.05 s`, `2 min 5 s`."""
    milliseconds = nanoseconds / 1e6
    if milliseconds < 1000:
        return f"{milliseconds:.1f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.2f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def shown_fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields that a person wants to see, each as text without control characters."""
    for name, value in wanted_fields(document):
        yield printable(name), _value(value)


def wanted_fields(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields that a person wants to see, as they are."""
    hidden, labels = _HIDDEN, _NO_LABELS
    if is_exchange(document):
        hidden, labels = _HIDDEN | _OF_REQUESTS, _LABELS_OF_REQUESTS
    message = as_text(at(document, "message"))
    for box in LABELS:
        found = document.get(box)
        if isinstance(found, Mapping):
            for name, value in found.items():
                if name not in labels:
                    yield name, value
    for name, value in _leaves("", document, hidden):
        is_said = name.startswith(("http.", "url.")) and as_text(value) in message
        if name not in _HIDDEN_LEAVES and not is_said:
            yield name, value
    reason = at(document, "event.reason")
    if reason is not None:
        yield "reason", reason
    kind = at(document, "error.type")
    if kind is not None and at(document, "error.stack_trace") is None:
        yield "error", at(document, "error.message") or kind


def _leaves(
    prefix: str, tree: Mapping[str, Any], hidden: frozenset[str]
) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if not prefix and (name in hidden or name.partition(".")[0] in hidden):
            continue
        if isinstance(value, Mapping):
            yield from _leaves(f"{prefix}{name}.", value, hidden)
        else:
            yield prefix + name, value


def _value(value: object) -> str:
    if not isinstance(value, str):
        value = orjson.dumps(value).decode()
    shown = one_line(value)
    return f'"{shown}"' if not shown or " " in shown or "=" in shown else shown


def as_text(value: object) -> str:
    """Return a value as the text that it mostly is; an absent one is empty."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def one_line(value: object) -> str:
    """Return a text without control characters and in one line; colours of its own go."""
    return cleaned(value).replace("\n", " ⏎ ")


def cleaned(value: object) -> str:
    """Return a text without control characters but line ends; colours of its own go."""
    text = without_colours(as_text(value).strip()).replace("\r\n", "\n")
    return printable(text).replace("\t", " ")
