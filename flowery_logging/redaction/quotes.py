"""Where a value in quotes or brackets ends."""

from __future__ import annotations

from typing import Final

PAIRS: Final = {"[": "]", "{": "}", "(": ")"}
_LONGEST_NEST: Final = 8_192


def quoted_end(text: str, start: int, quote: str) -> int:
    """Return where a quoted value ends that begins at `start`; that of its line if it is cut.

    `quote` has as many backslashes as the text was escaped: one more escaped is inside the value,
    one less ends the text that all of it stands in.
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
            return position - min(slashes, level)
        position = text.find(sign, position + 1)
    line = text.find("\n", start)
    return len(text) if line < 0 else line


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
