"""Lines for people: each written line again, on a terminal, by structlog's ConsoleRenderer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final, TextIO

import orjson
import structlog.dev

_HIDDEN: Final = frozenset({
    "@timestamp", "log.level", "message", "ecs.version", "service", "host", "data_stream", "event",
    "process", "log", "error", "labels", "numeric_labels",
})  # fmt: skip


class Console:
    """Prints lines in colours on a terminal, without them elsewhere; safe against escapes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        out = stream or sys.stderr
        colours = out is not None and out.isatty()
        self._render = structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False)

    def __call__(self, line: bytes) -> None:
        """Print one line."""
        stream = self._stream or sys.stderr
        if stream is not None:
            stream.write(self.text(orjson.loads(line)) + "\n")
            stream.flush()

    def text(self, document: Mapping[str, Any]) -> str:
        """Return an event as a person reads it."""
        error = document.get("error", {})
        events = {
            "timestamp": document["@timestamp"][11:23],
            "level": document["log.level"],
            "logger": printable(document.get("log", {}).get("logger", "")),
            "event": printable(document["message"]),
            **_extras(document),
        }
        trace = error.get("stack_trace")
        if trace:
            events["exception"] = printable(trace)
        return str(self._render(None, document["log.level"], events))


def _extras(document: Mapping[str, Any]) -> dict[str, Any]:
    shown = {**document.get("labels", {}), **document.get("numeric_labels", {})}
    trace = document.get("trace", {}).get("id")
    others = {
        k: v for k, v in document.items() if k not in _HIDDEN and k not in {"trace", "transaction"}
    }
    flat = {**shown, **dict(_flat("", others)), **({"trace": trace[:8]} if trace else {})}
    reserved = {"timestamp", "level", "logger", "event", "exception", "stack", "exc_info"}
    return {
        printable(f"{name}_" if name in reserved else name): printable(value)
        if isinstance(value, str)
        else value
        for name, value in flat.items()
    }


def _flat(prefix: str, tree: Mapping[str, Any]) -> list[tuple[str, Any]]:
    entries: list[tuple[str, Any]] = []
    for key, value in tree.items():
        entries += (
            _flat(f"{prefix}{key}.", value) if isinstance(value, dict) else [(prefix + key, value)]
        )
    return entries


def printable(text: str) -> str:
    """Return a text whose control and direction characters are written out; line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
