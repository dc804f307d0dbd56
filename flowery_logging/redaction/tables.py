"""Secrets in the cells of tables, below the name of their column.

psql, mysql, markdown and reports of tests write a row of names, a rule (`----+----`), and rows of
values. What has no rule is no table: a pipe stands in commands too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from flowery_logging.late import late
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.prose import tells_fact
from flowery_logging.redaction.values import is_nothing

_RULE: Final = late(r"(?m)^[ \t]{0,16}[|+]?[ :]{0,2}-{2,128}[ :]{0,2}[|+][-+|: \t]{0,2048}$")
"""What stands between the names of the columns and their values."""

_NAME: Final = late(r"[\w.-]{2,64}")
_PASSWORD: Final = late(r"pass|pw|암호|비밀번호|비번", re.IGNORECASE)
_TYPE: Final = late(
    r"\w{1,16}\([0-9, ]{1,12}\)|text|char|string|integer|bigint|uuid|bool(?:ean)?|jsonb?|bytea"
    r"|blob",
    re.IGNORECASE,
)
_FRAMES: Final = ("|", " |")
_LONGEST_ROW: Final = 2_048
_MOST_ROWS: Final = 20_000
"""Rows of a text that are read, for all of its tables: no ordinary text has more."""


class _Column(NamedTuple):
    """What a column holds, and whether its values may be words: those of a tokenizer are."""

    kind: str | None
    may_be_word: bool


def find(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield the cells below the names of secrets."""
    position, left = 0, iter(range(_MOST_ROWS))
    while (rule := _RULE.search(text, position)) is not None:
        position = rule.end()
        first = _start_of_line(text, rule.start() - 1)
        is_framed = text.startswith(_FRAMES, first)
        cells = _row(text, first, rule.start() - 1, is_framed=is_framed)
        columns = [_column(text[start:end], kind_of) for start, end in cells]
        if any(column.kind for column in columns):
            yield from _below(text, position + 1, columns, left, is_framed=is_framed)


def _column(name: str, kind_of: KindOf) -> _Column:
    name = name.strip("`*\"'")
    kind = kind_of(name) if _NAME.fullmatch(name) else None
    return _Column(kind, _PASSWORD.search(name) is not None)


def _below(
    text: str, position: int, columns: list[_Column], left: Iterator[int], *, is_framed: bool
) -> Iterator[Span]:
    """Yield the cells of the rows from a position on that are in these columns."""
    for _ in left:
        end = text.find("\n", position, position + _LONGEST_ROW)
        end = min(len(text), position + _LONGEST_ROW) if end < 0 else end
        cells = _row(text, position, end, is_framed=is_framed)
        if len(cells) != len(columns):
            break
        for (start, stop), column in zip(cells, columns, strict=True):
            if column.kind is not None and is_one(text[start:stop], may_be_word=column.may_be_word):
                yield Span(start, stop, column.kind)
        position = end + 1


def is_one(cell: str, *, may_be_word: bool) -> bool:
    """Tell whether a cell is one value, that is neither a mask, a type, a date nor a length."""
    return not (
        not cell
        or " " in cell
        or is_nothing(cell, equals=False)
        or tells_fact(cell)
        or _TYPE.fullmatch(cell)
        or (cell.isalpha() and not may_be_word)
    )


def _start_of_line(text: str, end: int) -> int:
    first = max(0, end - _LONGEST_ROW)
    return text.rfind("\n", first, max(end, first)) + 1 or first


def _row(text: str, start: int, end: int, *, is_framed: bool) -> list[tuple[int, int]]:
    """Return where the cells of a row begin and end, without blanks; its frame is none."""
    cells: list[tuple[int, int]] = []
    line = text[start:end]
    if "|" not in line:
        return cells
    place = start
    for cell in line.split("|"):
        left = place + len(cell) - len(cell.lstrip())
        cells.append((left, left + len(cell.strip())))
        place += len(cell) + 1
    return cells[1:-1] if is_framed else cells
