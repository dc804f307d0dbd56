"""Literals of SQL that stand for secrets: `IDENTIFIED BY '…'`, and the columns of an INSERT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.quotes import whole_end
from flowery_logging.redaction.values import is_nothing, is_shown

_PASSWORD: Final = late(
    r"(?<![\w\"'-])(?:PASSWORD(?:[ ]FOR[ ][^\s=]{1,128}[ ]=)?"
    r"|IDENTIFIED[ \t]{1,4}(?:WITH[ \t]{1,4}[\w'\"`]{1,64}[ \t]{1,4})?BY(?:[ \t]{1,4}PASSWORD)?)"
    r"[ \t\n]{0,4}\(?[EN]?(?P<quote>\\?['\"])(?P<value>(?:(?!(?P=quote))[^\\]|\\.){1,1024})",
    re.IGNORECASE,
)
_INSERT: Final = late(r"\((?P<columns>[^()]{1,2048})\)\s{0,16}VALUES(?=\s{0,16}\()", re.IGNORECASE)
_TUPLE: Final = late(r"[\s,]{0,16}\(")
_ITEM: Final = late(
    r"\s{0,16}(?P<value>[ENn]?(?P<quote>\\{0,4}['\"])"
    r"(?:(?P=quote)(?P=quote)|(?!(?P=quote))(?:\\.|[^\\]))*(?:(?P=quote))?|[^,()'\"\\]{0,1024})",
    re.DOTALL,
)
_DUPLICATE: Final = late(
    r"Duplicate entry '(?P<value>[^']{1,1024})' for key '(?P<name>[\w.-]{2,128})'", re.IGNORECASE
)
# What a column is compared with; what stands before the sign is looked at behind it.
_COMPARED: Final = late(
    r"(?:[ ](?:NOT[ ])?(?:(?P<list>IN)[ ]?(?=\()|I?LIKE[ ]|BETWEEN[ ])"
    r"|[ ]IS[ ](?:NOT[ ])?DISTINCT[ ]FROM[ ]|[ ]?(?:<>|!=)[ ]?)(?:\w{1,16}\()?",
    re.IGNORECASE,
)
_COMPARISON: Final = late(
    r" in \(|(?:like|between|distinct from|<>|!=) ?(?:\w{1,16}\()?[en]?'", re.ASCII
)
"""The same in small letters; most of what it finds in running text is `like `."""

_COLUMN: Final = late(r"(?P<name>\w{2,64})[\"`\]]?\)?\Z")
_LONGEST_COLUMN: Final = 68
_LITERAL: Final = late(r"(?:[ ]AND[ ])?[EN]?'(?P<value>(?:[^'\\]|''|\\.){1,1024})'", re.IGNORECASE)
_MAX_TUPLES: Final = 20_000
"""Tuples of a text that are read, for all of its statements: no ordinary text has more."""

# What SQLAlchemy and Django write behind a statement: its parameters, in its order.
_PARAMETERS: Final = late(r"\[parameters: \[?(?=\()|; args=(?=\()")
_STATEMENT: Final = 8_192
"""Characters before the parameters that are taken for their statement."""

_SLOT: Final = late(
    r"(?:(?P<name>[\w.]{1,128})[\"`\]]?\)?\s{0,4}"
    r"(?:=|<>|!=|I?LIKE\b|BETWEEN\b|(?:NOT\s)?IN\s?\()\s{0,4}(?:\w{1,16}\()?)?"
    r"(?:(?P<sign>%s|\?|\$[0-9]{1,4}|:[0-9]{1,4}(?![\w:]))|(?<![\w%])(?:'(?:[^']|'')*'|[0-9][0-9.]*"
    r"|NULL|true|false)(?![\w%(]))",
    re.IGNORECASE,
)
"""A parameter of a statement, perhaps already in its place, and the column it is compared with."""

_NEXT: Final = late(r"\s{0,4}(?:,|\bAND\b)\s{0,4}", re.IGNORECASE)
"""What stands between two values that a column is compared with."""


def find(text: str, lower: str, kind_of: KindOf) -> Iterator[Span]:  # noqa: C901, PLR0912 - a sign for each kind
    """Yield the literals of a statement that are secrets, by the names of columns.

    `lower` is the text in lower case.
    """
    if "identified" in lower or has_password(lower):
        for match in _PASSWORD.finditer(text):
            yield Span(match.start("value"), match.end("value"), "value")
    if "duplicate entry" in lower:
        for match in _DUPLICATE.finditer(text):
            kind = kind_of(match["name"].rpartition(".")[2])
            if kind is not None:
                yield Span(*match.span("value"), kind)
    if has_comparison(lower):
        yield from _compared(text, kind_of)
    if "[parameters: " in text or "; args=" in text:
        yield from _parameters(text, kind_of)
    if "values" in lower:
        left = iter(range(_MAX_TUPLES))
        for match in _INSERT.finditer(text):
            columns = [kind_of(_bare(name)) for name in match["columns"].split(",")]
            if any(columns):
                for _, spans in zip(left, _tuples(text, match.end()), strict=False):
                    for span, kind in zip(spans, columns, strict=False):
                        literal = text[span.start : span.end]
                        if kind is not None and not is_nothing(literal, equals=True):
                            yield span._replace(kind=kind)


def has_password(lower: str) -> bool:
    """Tell whether the literal behind `PASSWORD` may be in a statement in lower case."""
    return "password" in lower and (
        "password '" in lower or "password(" in lower or "password for" in lower
    )


def has_comparison(lower: str) -> bool:
    """Tell whether a column may be compared with literals, but by `=`, in small letters."""
    may_be = "'" in lower and (
        " in (" in lower
        or "like " in lower
        or "between " in lower
        or "distinct from " in lower
        or "<>" in lower
        or "!=" in lower
    )
    return may_be and _COMPARISON.search(lower) is not None


def _compared(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield what the columns of secrets are compared with."""
    for match in _COMPARED.finditer(text):
        first = max(0, match.start() - _LONGEST_COLUMN)
        column = _COLUMN.search(text, first, match.start())
        kind = kind_of(column["name"]) if column else None
        if column is not None and kind is not None:
            for start, end in _literals(text, match):
                value = text[start:end]
                if not (is_nothing(value, equals=True) or is_shown(column["name"], value)):
                    yield Span(start, end, kind)


def _literals(text: str, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of the literals in a list, or of those behind a sign."""
    if match["list"]:
        for span in next(_tuples(text, match.end()), []):
            literal = _LITERAL.match(text, span.start, span.end)
            if literal is not None:
                yield literal.span("value")
        return
    literal = _LITERAL.match(text, match.end())
    while literal is not None:
        yield literal.span("value")
        literal = _LITERAL.match(text, literal.end())


def _parameters(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield the parameters of secrets' columns, which stand behind their statement."""
    position, left = 0, iter(range(_MAX_TUPLES))
    for match in _PARAMETERS.finditer(text):
        start = max(
            position, match.start() - _STATEMENT, text.rfind("[SQL: ", position, match.end())
        )
        columns = _columns(text[start : match.start()], kind_of)
        position = match.end()
        if any(columns):
            for _, spans in zip(left, _tuples(text, position), strict=False):
                if len(spans) != len(columns):
                    break
                for span, kind in zip(spans, columns, strict=True):
                    if kind is not None and not is_nothing(
                        text[span.start : span.end], equals=True
                    ):
                        yield span._replace(kind=kind)


def _columns(statement: str, kind_of: KindOf) -> list[str | None]:
    """Return the kind of each parameter, by the column that it is for."""
    insert = _INSERT.search(statement)
    names = [_bare(name) for name in insert["columns"].split(",")] if insert else []
    first = insert.end() if insert else len(statement)
    slots = [*_SLOT.finditer(statement)]
    if any(slot["sign"] for slot in slots):
        slots = [slot for slot in slots if slot["sign"]]
    inside = [slot for slot in slots if slot.start() >= first]
    named = (
        {id(slot): names[index % len(names)] for index, slot in enumerate(inside)} if names else {}
    )
    found: list[str] = []
    for before, slot in zip([None, *slots], slots, strict=False):
        name = slot["name"] or named.get(id(slot), "")
        if not name and before and _NEXT.fullmatch(statement, before.end(), slot.start()):
            name = found[-1]
        found.append(name)
    return [kind_of(name.rpartition(".")[2]) for name in found]


def _bare(name: str) -> str:
    return name.strip(" \t\n\"'`[]\\")


def _tuples(text: str, position: int) -> Iterator[list[Span]]:
    """Yield the places of the items of each `(…)` from a position on."""
    while opened := _TUPLE.match(text, position):
        items: list[Span] = []
        position = opened.end()
        while item := _ITEM.match(text, position):
            position = item.end()
            start, quote = item.start("value"), item["quote"]
            if quote and text.startswith(quote, position - len(quote)):
                position = whole_end(text, start, position - len(quote)) + len(quote)
            items.append(Span(start, position, "value"))
            if text[position : position + 1] != ",":
                break
            position += 1
        yield items
        position += text[position : position + 1] == ")"
