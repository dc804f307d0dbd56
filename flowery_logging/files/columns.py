"""How many columns of a terminal a text takes: Hangul and other wide characters take two."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

_WIDE: Final = frozenset("WF")  # Unicode's East_Asian_Width: wide, full-width
_NONE: Final = frozenset({"Mn", "Me", "Cf"})  # marks that stand on the character before them

MORE: Final = "…"


def character_columns(character: str) -> int:
    """Return the columns of one character: 0, 1 or 2."""
    if "\u1160" <= character <= "\u11ff":
        return 0  # vowels and finals of Hangul, which join the letter before them
    if unicodedata.category(character) in _NONE:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def width(text: str) -> int:
    """Return the columns of a text without escapes."""
    return len(text) if text.isascii() else sum(map(character_columns, text))


def clipped(text: str, columns: int) -> str:
    """Return a text that takes at most so many columns; one that is cut ends with `…`."""
    if width(text) <= columns:
        return text
    return f"{_head(text, columns - 1)}{MORE}" if columns > 0 else ""


def padded(text: str, columns: int) -> str:
    """Return a text with blanks behind it, up to so many columns."""
    return text + " " * (columns - width(text))


def folded(text: str, first: int, others: int) -> Iterator[str]:
    """Yield the parts of a text, which take at most `first` columns, then at most `others`."""
    room = first
    while width(text) > room:
        head = _head(text, room) or text[:1]
        blank = head.rfind(" ")
        part = head[:blank] if blank > len(head) // 2 else head
        yield part
        text = text[len(part) :].lstrip(" ")
        room = others
    yield text


def _head(text: str, columns: int) -> str:
    taken = 0
    for end, character in enumerate(text):
        taken += character_columns(character)
        if taken > columns:
            return text[:end]
    return text
