"""Errors for people whose standard error is no terminal: what `docker logs` and journals keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import orjson

from flowery_logging.files.echoes import Echoes
from flowery_logging.files.printable import printable
from flowery_logging.files.shown import message_of, wanted_fields
from flowery_logging.files.unshown import Unshown

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
    shown = (f" {printable(name)}={_short(value)}" for name, value in _fields(document))
    fields = "".join(shown)
    text = f"{time} {level} {printable(logger)}: {printable(message_of(document))}{fields}"
    trace = document.get("error", {}).get("stack_trace")
    if trace:
        text = f"{text}\n{printable(trace)}"
    return text.rstrip("\n").replace("\n", "\n    ") + "\n"


def _fields(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from islice(wanted_fields(document), _MOST_FIELDS)
    trace = document.get("trace", {}).get("id")
    if trace:
        yield "trace", trace[:8]


def _short(value: object) -> str:
    text = printable(value) if isinstance(value, str) else orjson.dumps(value).decode()
    if len(text) > _VALUE_CHARS:
        text = f"{text[:_VALUE_CHARS]}…"
    return repr(text) if not text or " " in text or "\n" in text else text
