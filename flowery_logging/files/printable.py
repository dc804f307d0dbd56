"""Texts that a terminal, or a reader of plain lines, takes for nothing but texts."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text whose control and direction characters are written out; line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
