"""Literals of SQL that stand for secrets: `IDENTIFIED BY '…'`, and the columns of an INSERT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from flowery_logging.redaction.late import late
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.values import is_nothing

_PASSWORD: Final = re.compile(
    r"(?<![\w-])(?:PASSWORD(?:[ ]FOR[ ][^\s=]{1,128}[ ]=)?"
    r"|IDENTIFIED[ \t]{1,4}BY(?:[ \t]{1,4}PASSWORD)?)"
    r"[ \t\n]{0,4}\(?[EN]?(?P<quote>\\?['\"])(?P<value>(?:(?!(?P=quote))[^\\]|\\.){1,1024})",
    re.IGNORECASE,
)
_INSERT: Final = re.compile(
    r"\((?P<columns>[^()]{1,2048})\)\s{0,16}VALUES(?=\s{0,16}\()", re.IGNORECASE
)
_TUPLE: Final = re.compile(r"[\s,]{0,16}\(")
_ITEM: Final = re.compile(
    r"\s{0,16}(?P<value>[ENn]?(?P<quote>\\{0,4}['\"])"
    r"(?:(?P=quote)(?P=quote)|(?!(?P=quote))(?:\\.|[^\\]))*(?:(?P=quote))?|[^,()'\"\\]{0,1024})",
    re.DOTALL,
)
_DUPLICATE: Final = late(
    r"Duplicate entry '(?P<value>[^']{1,1024})' for key '(?P<name>[\w.-]{2,128})'", re.IGNORECASE
)
_MAX_TUPLES: Final = 1_000


def find(text: str, kind_of: KindOf) -> Iterator[Span]:  # noqa: C901 - a sign for each kind
    """Yield the literals of a statement that are secrets, by the names of columns."""
    upper = text.upper()
    if (
        "IDENTIFIED" in upper
        or "PASSWORD '" in upper
        or "PASSWORD(" in upper
        or "PASSWORD FOR" in upper
    ):
        for match in _PASSWORD.finditer(text):
            yield Span(match.start("value"), match.end("value"), "value")
    if "DUPLICATE ENTRY" in upper:
        for match in _DUPLICATE().finditer(text):
            kind = kind_of(match["name"].rpartition(".")[2])
            if kind is not None:
                yield Span(*match.span("value"), kind)
    if "VALUES" in upper:
        for match in _INSERT.finditer(text):
            columns = [kind_of(name.strip(" \t\n\"'`[]\\")) for name in match["columns"].split(",")]
            if any(columns):
                for spans in islice(_tuples(text, match.end()), _MAX_TUPLES):
                    for span, kind in zip(spans, columns, strict=False):
                        literal = text[span.start : span.end]
                        if kind is not None and not is_nothing(literal, equals=True):
                            yield span._replace(kind=kind)


def _tuples(text: str, position: int) -> Iterator[list[Span]]:
    """Yield the places of the items of each `(…)` from a position on."""
    while opened := _TUPLE.match(text, position):
        items: list[Span] = []
        position = opened.end()
        while item := _ITEM.match(text, position):
            items.append(Span(*item.span("value"), "value"))
            position = item.end()
            if text[position : position + 1] != ",":
                break
            position += 1
        yield items
        position += text[position : position + 1] == ")"
