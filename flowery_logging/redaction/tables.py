"""Secrets in the cells of tables, below the name of their column.

psql, mysql, markdown, rich, polars and reports of tests write a row of names, a rule (`----+----`,
`╞════╪════╡`, `----  ----`), and rows of values. What has no rule is no table: a pipe stands in
commands too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from flowery_logging.late import late
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.said_values import tells_fact
from flowery_logging.redaction.values import is_nothing

_RULE: Final = late(
    r"(?m)^[ \t]{0,16}[|+]?[ :]{0,2}[-=]{2,128}[ :]{0,2}(?:[|+][-=+|: \t]{0,2048}"
    r"|[ ]{1,8}[-=]{2}[-= ]{0,2048})$"
)
"""What stands between the names of the columns and their values."""

_GAP: Final = late("[-=]{2} {1,8}[-=]{2}")

BOX: Final = late("[\u2502\u2503\u2551\u2506]")
"""What stands between two cells in a frame of box drawing."""

_DRAWING: Final = late("[\u2500-\u257f]")
_PLAIN: Final = (
    dict.fromkeys(range(0x2500, 0x2580), "+")
    | dict.fromkeys(map(ord, "\u2502\u2503\u2551\u2506"), "|")
    | dict.fromkeys(map(ord, "\u2500\u2501\u2550\u254c"), "-")
)
"""Signs of ASCII that mean the same as those of box drawing."""

_UNDERLINE: Final = late("[-=]{2,}")
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


_Row = Callable[[int, int], list[tuple[int, int]]]
"""Tells where the cells of the row are that stands at a place."""


class _Column(NamedTuple):
    """What a column holds, and whether its values may be words: those of a tokenizer are."""

    kind: str | None
    may_be_word: bool


def may_have_rule(text: str) -> bool:
    """Tell whether a rule of ASCII may stand in a text: with pipes, or with gaps."""
    if "|" in text:
        return "--" in text or "==" in text
    return ("-- " in text or "== " in text) and _GAP.search(text) is not None


def find(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield the cells below the names of secrets."""
    if not text.isascii() and _DRAWING.search(text):
        text = text.translate(_PLAIN)
    position, left = 0, iter(range(_MOST_ROWS))
    while (rule := _RULE.search(text, position)) is not None:
        end = max(0, rule.start() - 1)
        first = _start_of_line(text, end)
        row = _row_of(text, first, rule)
        columns = [_column(text[start:stop], kind_of) for start, stop in row(first, end)]
        position = rule.end() + 1
        # Rows in a frame are read whatever they hold: below each of them a rule may follow.
        is_read = "|" in text[first:end] or any(column.kind for column in columns)
        for _ in left if columns and is_read else ():
            end = _end_of_line(text, position)
            cells = row(position, end)
            if len(cells) == len(columns):
                yield from _hidden(text, cells, columns)
            elif not _RULE.match(text, position, end):
                break
            position = end + 1


def _row_of(text: str, first: int, rule: re.Match[str]) -> _Row:
    """Return what tells where the cells of a row are, by the rule below the row of names."""
    if "|" in rule[0] or "+" in rule[0]:
        is_framed = text.startswith(_FRAMES, first)
        return lambda start, end: _row(text, start, end, is_framed=is_framed)
    starts = [line.start() for line in _UNDERLINE.finditer(rule[0])]
    return lambda start, end: _aligned(text, start, end, starts)


def _column(name: str, kind_of: KindOf) -> _Column:
    name = name.strip("`*\"'")
    kind = kind_of(name) if _NAME.fullmatch(name) else None
    return _Column(kind, _PASSWORD.search(name) is not None)


def _hidden(text: str, cells: list[tuple[int, int]], columns: list[_Column]) -> Iterator[Span]:
    """Yield the cells of a row that are secrets."""
    for (start, stop), column in zip(cells, columns, strict=True):
        if column.kind is not None and is_one(text[start:stop], may_be_word=column.may_be_word):
            yield Span(start, stop, column.kind)


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


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start, start + _LONGEST_ROW)
    return min(len(text), start + _LONGEST_ROW) if end < 0 else end


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


def _aligned(text: str, start: int, end: int, starts: list[int]) -> list[tuple[int, int]]:
    """Return where the cells of a row are that begin where the lines of the rule do.

    None, if a word goes on over such a beginning: that is no row of a table.
    """
    line = text[start:end]
    if not line.strip() or any(line[place - 1 : place].strip() for place in starts if place):
        return []
    cells: list[tuple[int, int]] = []
    for place, following in zip(starts, [*starts[1:], len(line)], strict=True):
        cell = line[place:following]
        left = start + place + len(cell) - len(cell.lstrip())
        cells.append((left, max(left, start + place + len(cell.rstrip()))))
    return cells
