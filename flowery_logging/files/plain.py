"""Errors for people whose standard error is no terminal: what `docker logs` and journals keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import orjson

from flowery_logging.files.echoes import Echoes
from flowery_logging.files.unshown import Unshown

_HIDDEN: Final = frozenset({
    "@timestamp", "log.level", "message", "ecs.version", "service", "host", "data_stream", "event",
    "process", "log", "error", "labels", "numeric_labels", "trace", "transaction",
})  # fmt: skip

_VALUE_CHARS: Final = 80
_MOST_FIELDS: Final = 10
"""Longer values and more fields are cut in a plain line; the file has all of it."""


class Plain:
    """Prints lines from a level on as plain text, unless they stand on stderr anyway.

    Args:
        threshold: the number of that level.
        is_shown: tells, of a logger's name and a level's, whether somebody else shows its events.
        kept: the lines stand in a file too.
    """

    def __init__(self, threshold: int, is_shown: Callable[[str, str], bool], *, kept: bool) -> None:
        self.threshold = threshold
        self._is_shown = is_shown
        self._echoes = Echoes()
        self._shown = Unshown(kept=kept)

    def __call__(self, line: bytes) -> None:
        """Print one line. May raise."""
        document = orjson.loads(line)
        logger = str(document.get("log", {}).get("logger", ""))
        if self._is_shown(logger, document["log.level"]) or self._echoes.has(document["message"]):
            return
        text = plain(document, logger)
        self._echoes.note(text)
        self._shown.put(text)


def plain(document: Mapping[str, Any], logger: str) -> str:
    """Return an event as a line without colours, with its traceback below.

    What follows the first line is indented, so that no message looks like an event of its own.
    """
    time, level = document["@timestamp"][:23] + "Z", document["log.level"].upper()
    shown = islice(extras_of(document).items(), _MOST_FIELDS)
    fields = "".join(f" {name}={_short(value)}" for name, value in shown)
    text = f"{time} {level} {printable(logger)}: {printable(document['message'])}{fields}"
    trace = document.get("error", {}).get("stack_trace")
    if trace:
        text = f"{text}\n{printable(trace)}"
    return text.rstrip("\n").replace("\n", "\n    ") + "\n"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if len(text) > _VALUE_CHARS:
        text = f"{text[:_VALUE_CHARS]}…"
    return repr(text) if not text or " " in text or "\n" in text else text


def extras_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a person wants to see, by their names."""
    shown = {**document.get("labels", {}), **document.get("numeric_labels", {})}
    shown.update(_flat("", {k: v for k, v in document.items() if k not in _HIDDEN}))
    trace = document.get("trace", {}).get("id")
    if trace:
        shown["trace"] = trace[:8]
    return {
        printable(name): printable(value) if isinstance(value, str) else value
        for name, value in shown.items()
    }


def _flat(prefix: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield prefix + key, value


def printable(text: str) -> str:
    """Return a text whose control and direction characters are written out; line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
