r"""Texts inside others: what JSON, URLs, HTML and Python write in escapes, read as it was before.

`json.dumps` writes 비밀번호 as `\ube44\ubc00\ubc88\ud638`, a query as `%EB%B9%84%EB%B0%80…`,
bytes are shown as `\xeb\xb9\x84\xeb\xb0\x80…`, a URL inside a URL as `%253Ftoken%253D…`, and HTML
writes a quote as `&quot;`. Rules that look for a name, a blank or a quote do not know them there,
so a text with escapes is searched once more without them, and without the codes of colours. So is
one with letters that stand for others (see letters.py), or with the NULs of `/proc/…/cmdline`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from flowery_logging.kept import MAX_KEPT
from flowery_logging.late import late
from flowery_logging.redaction import letters

_PATTERN: Final = (
    r"(?P<colour>(?:\x1b|(?<!\\)\\{1,64}(?:u00|x)1b)\[[0-9;]{0,32}m)"
    r"|(?<!\\)\\{1,64}u(?P<code>[0-9a-fA-F]{4})"
    r"|(?P<bytes>(?:%[0-9a-fA-F]{2})+|(?<!\\)(?:\\{1,64}x[0-9a-fA-F]{2})+)"
    r"|\\(?P<sign>[\\\"'/nrt])"
    r"|&(?P<entity>quot|apos|lt|gt|amp|nbsp|#(?:[0-9]{1,8}|x[0-9a-f]{1,6}));"
)
_ESCAPED: Final = late(_PATTERN, re.IGNORECASE)
# Asked for at each place of a text: so of those alone that have such a letter.
_ESCAPED_OR_ODD: Final = late(rf"{_PATTERN}|(?P<nul>\x00)|(?P<letter>{letters.ODD})", re.IGNORECASE)
# Each begins with a sign, so that `re` looks for that sign alone: is there any of the above?
_BYTE: Final = late("%[0-9a-fA-F]{2}")
_SIGN: Final = late(r"\\(?:[uU][0-9a-fA-F]{4}|[xX][0-9a-fA-F]{2}|[\\\"'/nrtNRT])")
_ENTITY: Final = late(r"&(?i:quot|apos|lt|gt|amp|nbsp|#(?:[0-9]{1,8}|x[0-9a-f]{1,6}));")
_COLOUR: Final = late(r"\x1b\[[0-9;]{0,32}m")
_ENTITIES: Final = {
    "quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&", "nbsp": "\u00a0",
}  # fmt: skip
_OF_BYTE: Final = late(r"(?:%|\\{1,64}[xX])([0-9a-fA-F]{2})")
_SIGNS: Final = {"n": "\n", "r": "\r", "t": "\t"}
_LAYERS: Final = 4
"""How often escapes may be written in other escapes."""

_QUERY: Final = {ord("+"): " ", ord("&"): "\n"}
_UNKNOWN: Final = "\ufffd"
_LONE: Final = {0xDC00 + byte: _UNKNOWN for byte in range(128, 256)} | {
    0xDCA0: "\u00a0",
    0xDCAD: "\u00ad",
}
"""What bytes that are no UTF-8 stand for: a text shows a foreign blank and dash so, `\\xa0`."""


class Layer(NamedTuple):
    """A text without its escapes, and where each of its characters, and its end, came from."""

    text: str
    places: list[int]


def layers(text: str, *, form: bool = False) -> Iterator[Layer]:
    """Yield a text without its escapes, and again without those that were in these.

    In a query a plus sign is a blank, and each parameter becomes a line of its own. `form`: it is
    one, even if nothing in it is escaped.
    """
    escaped = _has_escapes(text)
    if not (escaped or (form and "+" in text)):
        return
    is_query = form or _BYTE.search(text) is not None
    layer = Layer(text.translate(_QUERY) if is_query else text, [*range(len(text) + 1)])
    if not escaped:
        yield layer
    for _ in range(_LAYERS):
        if not _has_escapes(layer.text):
            break
        inner = _without(layer.text)
        layer = Layer(inner.text, [layer.places[place] for place in inner.places])
        yield layer


def plain(text: str) -> str:
    """Return a text without its escapes, also without those that were in these."""
    for _ in range(_LAYERS):
        text, found = _escaped_in(text).subn(_plain, text)
        if not found or not _has_escapes(text):
            break
    return text


def with_letters(encoded: bytes) -> bytes:
    r"""Return texts in JSON with the letters that stood in escapes in them; b"": see `plain`.

    Text within text is JSON mostly, with its letters as `\\uc5ec`: a codec reads these at once,
    where `plain` makes a match of each.
    """
    if b"%" in encoded or b"&" in encoded or b"\\\\\\\\u" in encoded:
        return b""
    once = encoded.replace(b"\\\\u", b"\\u")
    if not once.isascii():
        once = once.decode("utf-8", "replace").encode("raw_unicode_escape")
    return once.decode("raw_unicode_escape", "replace").encode("utf-8", "replace")


def _has_escapes(text: str) -> bool:
    return (
        ("\\" in text and _SIGN.search(text) is not None)
        or ("%" in text and _BYTE.search(text) is not None)
        or ("&" in text and _ENTITY.search(text) is not None)
        or ("\x1b" in text and _COLOUR.search(text) is not None)
        or _has_odd(text)
    )


def _has_odd(text: str) -> bool:
    return "\0" in text or letters.has_odd(text)


def _escaped_in(text: str) -> re.Pattern[str]:
    """Return the pattern of what may be escaped in a text."""
    return _ESCAPED_OR_ODD if _has_odd(text) else _ESCAPED


def _plain(match: re.Match[str]) -> str:
    if match.lastgroup != "bytes":
        return _of_escape(match)
    return _bytes(match).decode("utf-8", "surrogateescape").translate(_LONE)


def _bytes(match: re.Match[str]) -> bytes:
    found: str = match["bytes"]
    is_url = found[0] == "%"
    return bytes.fromhex(found.replace("%", "") if is_url else "".join(_OF_BYTE.findall(found)))


def _without(text: str) -> Layer:
    pieces: list[str] = []
    places: list[int] = []
    position = 0
    for match in _escaped_in(text).finditer(text):
        pieces.append(text[position : match.start()])
        places += range(position, match.start())
        for place, char in _characters(match):
            pieces.append(char)
            places.append(place)
        position = match.end()
    pieces.append(text[position:])
    places += range(position, len(text) + 1)
    return Layer("".join(pieces), places)


def _characters(match: re.Match[str]) -> Iterator[tuple[int, str]]:
    """Yield the characters that escapes in a row stand for, each with its place."""
    if match.lastgroup != "bytes":
        for char in _of_escape(match):  # none for a sign that nobody sees
            yield match.start(), char
        return
    encoded = _bytes(match)
    starts = [match.start() + one.start() for one in _OF_BYTE.finditer(match["bytes"])]
    index = 0
    while index < len(encoded):
        char, size = _character(encoded[index : index + 4])
        yield starts[index], char
        index += size


def _of_escape(match: re.Match[str]) -> str:
    if match.lastgroup == "code":
        return _of_code(match["code"])
    if match.lastgroup == "sign":
        return _SIGNS.get(match["sign"], match["sign"])
    if match.lastgroup == "entity":
        return _of_entity(match["entity"].lower())
    if match.lastgroup == "letter":
        return letters.plain(match[0])
    return "" if match.lastgroup == "colour" else " "


@lru_cache(MAX_KEPT)
def _of_code(code: str) -> str:
    return _readable(int(code, 16))


def _of_entity(name: str) -> str:
    """Return the character that an entity of HTML stands for."""
    if name[0] != "#":
        return _ENTITIES[name]
    return _readable(int(f"0{name[1:]}", 16) if name[1] == "x" else int(name[1:]))


def _readable(code: int) -> str:
    char = chr(code or ord(" ")) if code <= sys.maxunicode else _UNKNOWN
    if not letters.plain(char):
        return ""
    return char if char.isprintable() or char.isspace() else _UNKNOWN


def _character(encoded: bytes) -> tuple[str, int]:
    """Return the character that UTF-8 begins with, and of how many bytes it is."""
    for size in range(1, len(encoded) + 1):
        try:
            return encoded[:size].decode(), size
        except UnicodeDecodeError:  # noqa: PERF203 - one more byte may complete it
            continue
    return encoded[:1].decode("utf-8", "surrogateescape").translate(_LONE), 1
