"""Lines for people: each written line again, on a terminal, by structlog's ConsoleRenderer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import structlog.dev

from flowery_logging.files import stderr
from flowery_logging.files.plain import Echoes, extras_of, printable


class Console:
    """Prints all lines on stderr: in colours on a terminal, without them elsewhere.

    Safe against escapes. An object in the place of `sys.stderr` that logs, perhaps from another
    thread, makes an event of each text that is printed; such an event is not printed again.
    """

    threshold = 0

    def __init__(self) -> None:
        self._render = structlog.dev.ConsoleRenderer(colors=stderr.is_terminal(), sort_keys=False)
        self._echoes = Echoes()

    def __call__(self, line: bytes) -> None:
        """Print one line. May raise."""
        document = orjson.loads(line)
        if self._echoes.has(document["message"]):
            return
        text = self.text(document) + "\n"
        self._echoes.note(text)
        stderr.put(text)

    def text(self, document: Mapping[str, Any]) -> str:
        """Return an event as a person reads it."""
        events = {
            "timestamp": document["@timestamp"][11:23],
            "level": document["log.level"],
            "logger": printable(document.get("log", {}).get("logger", "")),
            "event": printable(document["message"]),
            **_named_apart(extras_of(document)),
        }
        trace = document.get("error", {}).get("stack_trace")
        if trace:
            events["exception"] = printable(trace)
        return str(self._render(None, document["log.level"], events))


def _named_apart(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields without names that structlog's renderer gives a meaning."""
    reserved = {"timestamp", "level", "logger", "event", "exception", "stack", "exc_info"}
    return {f"{name}_" if name in reserved else name: value for name, value in fields.items()}
