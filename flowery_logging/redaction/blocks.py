"""Secrets in blocks of YAML: the value begins on the line behind its name, and is indented.

Also in a text inside another, which has the ends of lines as escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.flat import Place
from flowery_logging.redaction.names import KindOf, is_fact
from flowery_logging.redaction.numbers import Span

PROPERTY: Final = r"(?:!![\w.:/-]{1,64}|!unsafe|!<[^>\s]{1,64}>|&[\w-]{1,32})"
"""What YAML says of a value before it: `!!str …`, `&anchor …`."""

_SCALAR: Final = r"[|>](?:[+-]\d?|\d[+-]?)?[ \t]{0,8}"
_COMMENT: Final = r"(?:[ \t]#[^\n]{0,256})?"
_BLOCK: Final = late(
    r"(?<![\w.%$-])(?P<name>[\w.-]{2,64})[\"']?:"
    rf"[ \t]{{0,8}}(?:{PROPERTY}[ \t]{{0,8}}){{0,2}}"
    rf"(?:{_SCALAR}{_COMMENT}\n(?:[ \t]{{0,64}}\n){{0,4}}|{_COMMENT}\n)(?=[ ]|- )"
)
# The same in a text inside another, which has the ends of lines as escapes.
_ESCAPED_BLOCK: Final = late(
    rf"(?<![\w.%$-])(?P<name>[\w.-]{{2,64}})(?:\\{{0,4}}[\"'])?:[ \t]{{0,8}}(?:{_SCALAR})?"
    r"\\{1,4}n(?P<value>[ ]{1,64}[^\\\"'\n]{1,1024}(?:\\{1,4}n[ ]{1,64}[^\\\"'\n]{1,1024}){0,64})"
)
_ANY_ESCAPED_BLOCK: Final = late(rf":[ \t]{{0,8}}(?:{_SCALAR})?\\{{1,4}}n[ ]")

_LONGEST_INDENT: Final = 256
_ENTRY: Final = late(r"[ ]{1,64}(?P<name>[\w.-]{1,64}):(?:[ \n]|$)")
_REFERENCES: Final = late(
    r"(?:(?P<indent>[ ]{0,64})- name: ?[\w.-]{1,128}[ ]{0,8}(?:\n|\Z|(?=[\"']))){1,16}"
    r"(?!(?P=indent)[ -])"
)
"""Items of a list that only name secrets, as Kubernetes' `imagePullSecrets` have them."""


class Blocks:
    """Finds the values of secrets' names in blocks.

    Args:
        kind_of: tells of which kind the value of a name is; None: it is shown.
    """

    def __init__(self, kind_of: KindOf) -> None:
        self._kind_of = kind_of

    def find(self, text: str, places: list[Place]) -> list[Span]:
        """Return the blocks of names that may be a secret's, which stand at `places`, in order."""
        found: list[Span] = []
        if "\n" in text and ":" in text:
            found += self._blocks(text, places)
        if "\\n " in text and _ANY_ESCAPED_BLOCK.search(text):
            found += self._escaped_blocks(text)
        return found

    def _blocks(self, text: str, places: list[Place]) -> Iterator[Span]:
        position = 0
        for place, _, _ in places:
            match = _BLOCK.match(text, place) if place >= position else None
            if match is None:
                continue
            position = match.end()
            kind = self._kind_of(match["name"])
            if kind is not None and not _is_of_settings(text, match, position):
                start, position = _block(text, position, _indent(text, match.start()))
                yield Span(start, position, kind)

    def _escaped_blocks(self, text: str) -> Iterator[Span]:
        for match in _ESCAPED_BLOCK.finditer(text):
            kind = self._kind_of(match["name"])
            if kind is not None and not _is_of_settings(text, match, match.start("value")):
                yield Span(*match.span("value"), kind)


def _is_of_settings(text: str, match: re.Match[str], start: int) -> bool:
    """Tell whether a block has names of its own, that tell facts: `password:`, `min_length: 12`."""
    if _REFERENCES.match(text, start):
        return True
    entry = _ENTRY.match(text, start)
    return entry is not None and (match["name"].endswith("auth") or is_fact(entry["name"]))


def _indent(text: str, place: int) -> int:
    """Return how far the line is indented that a place is in."""
    first = max(0, place - _LONGEST_INDENT)
    line = text[text.rfind("\n", first, place) + 1 : place]
    return len(line) - len(line.lstrip(" "))


def _block(text: str, start: int, indent: int) -> tuple[int, int]:
    """Return where the lines of a block begin and end that are indented further, or items."""
    first, end = start, start
    while end < len(text):
        line_end = text.find("\n", end)
        line = text[end : len(text) if line_end < 0 else line_end]
        own = len(line) - len(line.lstrip(" "))
        if line.strip() and own <= indent and not line.lstrip(" ").startswith("- "):
            break
        if end == start:
            first = start + own + 2 * line[own:].startswith("- ")
        end += len(line) + 1
    return first, min(max(end - 1, first), len(text))
