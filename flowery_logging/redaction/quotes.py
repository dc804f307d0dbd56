"""Where a value ends: in quotes, in brackets, and by which signs one without them."""

from __future__ import annotations

from typing import Final

from flowery_logging.late import late

PAIRS: Final = {"[": "]", "{": "}", "(": ")"}
_LONGEST_NEST: Final = 8_192

STOP: Final = r"\s\x00,;&|)\]}\"'`<>\\"
"""What ends most values without quotes, as a class of characters has it."""

_QUOTE: Final = late(r"\\{0,15}[\"'`]")
_QUOTE_BEGINS: Final = frozenset("\\\"'`")
_IN_WORD: Final = late("[A-Za-z0-9]")
_REST: Final = late(r"[^\s,:;={}()\[\]<>&|\\\"'`]*")
_WORDS: Final = late(r"[^\n,:;={}()\[\]<>&|\\\"'`]{1,64}")
"""What of a value stands behind a quote of its own: up to a blank; up to its last quote."""

_NAME_ENDS: Final = frozenset("=:")
"""What behind such a rest says that it was the name of the next value."""

_AGAIN: Final = late(r"\\''|\"'\"'")
"""How a quote stands inside a shell's word: `'it'\\''s'`, or `'it'"'"'s'` as `shlex` writes it."""

_BEHIND_CLOSING: Final = frozenset(" \n,;}])>") | {""}
"""What stands behind most quotes that end a value."""

_UNOPENED: Final = frozenset("\"'")
_LINE: Final = 512
"""Quotes inside a value without quotes, and so far before it is counted whether one is open."""

_BEFORE: Final = 64
"""Characters before a value in which its quote is looked for: `-u "kim:…"`."""

_BEFORE_OPENING: Final = frozenset(" \t,:;=>{[(")
"""What stands before the quote that begins the next text, where this one has no end."""


def quoted_end(text: str, start: int, quote: str) -> int:
    """Return where a quoted value ends that begins at `start`; that of its line if it is cut.

    `quote` has as many backslashes as the text was escaped: one more escaped is inside the value,
    one less ends the text that all of it stands in. Who puts a value between quotes by hand leaves
    those inside it as they are: `'O'Brien'`.
    """
    sign = quote.lstrip("\\")
    level = len(quote) - len(sign)
    position = text.find(sign, start)
    while position >= 0:
        before = position
        while before > start and text[before - 1] == "\\":
            before -= 1
        slashes = position - before
        # In a repr of JSON a quote inside has two backslashes, as the end of `"\\"` has.
        goes_on = slashes > level and text[position + 1 : position + 2].isalnum()
        if slashes < level or ((slashes - level) % (2 * (level + 1)) == 0 and not goes_on):
            end = position - min(slashes, level)
            is_end = end == start or text[position + 1 : position + 2] in _BEHIND_CLOSING
            return end if is_end else _end_of_rest(text, end, quote)
        position = text.find(sign, position + 1)
    line = text.find("\n", start)
    return len(text) if line < 0 else line


def whole_end(text: str, start: int, end: int) -> int:
    """Return where a value ends that was taken to end at `end`, perhaps at a quote inside it."""
    following = text[end : end + 2]
    if following[1:] in _BEHIND_CLOSING or following[0] not in _QUOTE_BEGINS:
        return end
    quote = _QUOTE.match(text, end)
    if quote is None or text.find(quote[0], max(0, start - _BEFORE), start + 1) < 0:
        return end  # a quote that was not opened before it
    return _end_of_rest(text, end, quote[0])


def unopened_end(text: str, start: int, end: int) -> int:
    """Return where a value without quotes ends that was taken to end at `end`: `it's9me`."""
    quote = text[end : end + 1]
    if quote not in _UNOPENED or text[end - 1] in _BEFORE_OPENING:
        return end
    if not _IN_WORD.match(text, end + 1):
        return end
    line = max(text.rfind("\n", max(0, start - _LINE), start), start - _LINE, 0)
    if text.count(quote, line, start) % 2:
        return end  # it ends what the value stands in
    place = _rest_end(text, end + 1)
    return end if text[place : place + 1] in _NAME_ENDS else place


def _end_of_rest(text: str, end: int, quote: str) -> int:
    """Return where a value ends whose first quote, at `end`, may be a sign of its own."""
    place = end
    while text[place - 1] not in _BEFORE_OPENING and text.startswith(quote, place):
        behind = place + len(quote)
        again = _AGAIN.match(text, behind) if quote == "'" else None
        if again is not None:
            behind = again.end()
        elif text.startswith(quote, behind):
            behind += len(quote)  # as SQL doubles it
        if again is None and not _IN_WORD.match(text, behind):
            return place
        place = _rest_end(text, behind)
        if text[place : place + 1] in _NAME_ENDS:
            return end  # a name follows
        more = _WORDS.match(text, place)
        if more and text.startswith(quote, more.end()) and text[more.end() - 1] != " ":
            place = more.end()
    return place


def _rest_end(text: str, start: int) -> int:
    rest = _REST.match(text, start)
    return start if rest is None else rest.end()


def nested_end(text: str, start: int) -> int:
    """Return where the brackets end that open at `start`, or as far as is looked."""
    opening, closing = text[start], PAIRS[text[start]]
    depth = 0
    for place in range(start, min(len(text), start + _LONGEST_NEST)):
        if text[place] == opening:
            depth += 1
        elif text[place] == closing:
            depth -= 1
            if not depth:
                return place + 1
    return min(len(text), start + _LONGEST_NEST)
