"""What the redactor would hide of an event that has been written, and with care what looks random.

The same rules as in a service: by the names of fields, by the forms of texts and numbers. A value
that is found was written before a rule was there, by a service that shows it, or by somebody else.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from flowery_logging.cli.reading.fields import leaves
from flowery_logging.event_parts import LABELS
from flowery_logging.redaction import BY_NAME, UNCOUNTED, Redactor, is_marker, kind_of_marker
from flowery_logging.redaction.pseudonyms import is_pseudonym
from flowery_logging.redaction.values import is_nothing

ENTROPY: Final = "high_entropy"
"""The kind of what only looks random."""

NAME: Final = "by_name"
"""The kind of what only the name of its field tells."""

# What the library itself writes there is random or a number, and nobody's.
_OWN: Final = frozenset({
    "@timestamp", "event.id", "event.sequence", "event.duration", "ecs.version", "log.offset",
    "trace.id", "transaction.id", "span.id", "parent.id", "log.origin.file.line", "log.level",
})  # fmt: skip
_OWN_SETS: Final = ("process.", "data_stream.", "agent.", "host.")
_RANDOM_BY_NATURE: Final = ("http.request.id", "container.id", "log.file.", "error.stack_trace")

_TOKEN: Final = re.compile(r"(?<![\w/+=.-])[A-Za-z0-9+/_=-]{20,512}(?![\w/+=.-])")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_HEX_CHARS: Final = 32
_HEX_BITS: Final = 3.0
_BITS: Final = 3.75
"""Bits a character from which on a text with digits, small and capital letters looks random."""

_PART_CHARS: Final = 16
_CHANGES: Final = 0.42
"""So often a random text changes between digits, small and capital letters; `CamelCase2` less."""


class Rules:
    """Finds what an event should not hold.

    Args:
        redactor: what is hidden.
        strict: also what only looks random.
    """

    def __init__(self, redactor: Redactor, *, strict: bool = False) -> None:
        self._redactor = redactor
        self._strict = strict

    def may_hold(self, data: bytes) -> bool:
        """Tell, quickly, whether a line may hold something."""
        return self._strict or bool(self._redactor.suspects_json(data))

    def find(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the fields of an event and the kinds that were found in each."""
        for path, value in leaves(record):
            if path in _OWN or path.startswith(_OWN_SETS) or value is None or value is True:
                continue
            for kind in self._kinds(path, value):
                yield path, kind
        yield from self._in_names(record)

    def find_in_text(self, text: str) -> Iterator[str]:
        """Yield the kinds of what is found in a text, one for each place."""
        for span in self._redactor.find(text):
            yield NAME if span.kind == BY_NAME else span.kind
        if self._strict:
            yield from (ENTROPY for _ in _random(self._redactor.clean(text)))

    def _kinds(self, path: str, value: Any) -> Iterator[str]:
        root, _, rest = path.partition(".")
        name = rest if root in LABELS and rest else path
        kind = self._kind_by_name(name, value)
        if kind is not None:
            yield NAME if kind == BY_NAME else kind
        elif isinstance(value, str) and not is_pseudonym(value):
            is_random = path.startswith(_RANDOM_BY_NATURE)
            yield from (one for one in self.find_in_text(value) if one != ENTROPY or not is_random)
        elif root in LABELS and not isinstance(value, (str, bool)):
            shown = self._redactor.clean_number(value)
            if shown is not value:
                yield kind_of_marker(str(shown))

    def _kind_by_name(self, name: str, value: object) -> str | None:
        """Return the kind that a value is by the name of its field, unless it is hidden."""
        if value is False or _is_hidden(value):
            return None
        kind = self._redactor.kind_at(name)
        make = None if kind is not None else self._redactor.maker(name)
        if make is not None and (made := make(value, UNCOUNTED)) != value:
            return kind_of_marker(str(made))
        return kind

    def _in_names(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield names that hold a secret themselves: a dict whose keys are tokens, say."""
        for box in LABELS:
            labels = record.get(box)
            for name in labels if isinstance(labels, Mapping) else ():
                for span in self._redactor.find(name):
                    yield f"{box}.{name}", span.kind


def _is_hidden(value: object) -> bool:
    if not isinstance(value, str):
        return False
    # A long text is cut behind the marker, too.
    return is_marker(value) or is_pseudonym(value) or is_nothing(value, equals=True) or not value


def _random(text: str) -> Iterator[str]:
    """Yield what looks as a generator of keys has made it."""
    for match in _TOKEN.finditer(text):
        token = match[0].strip("=-_/+")
        if not _UUID.fullmatch(token) and not is_pseudonym(token) and _looks_random(token):
            yield token


def _looks_random(token: str) -> bool:
    if _HEX.fullmatch(token):
        return len(token) >= _HEX_CHARS and _entropy(token) >= _HEX_BITS
    return any(map(_is_mixed, token.split("/")))  # the parts of a path are words


def _is_mixed(part: str) -> bool:
    """Tell whether digits, small and capital letters stand all over a text."""
    kinds = [sign.isdigit() + 2 * sign.isupper() for sign in part]
    if len(part) < _PART_CHARS or not {0, 1, 2}.issubset(kinds):
        return False
    changes = sum(one != other for one, other in pairwise(kinds))
    return changes >= _CHANGES * len(part) and _entropy(part) >= _BITS


def _entropy(text: str) -> float:
    """Return Shannon's entropy of the characters of a text, in bits a character."""
    shares = (count / len(text) for count in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares)


def without_values(redactor: Redactor, text: str) -> str:
    """Return a name of a field, file or logger as it may be shown, on one line."""
    return "".join(one if one.isprintable() else "?" for one in redactor.clean(text))
