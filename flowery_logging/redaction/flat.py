"""A text of which only names and signs are left: each of its characters stands where it stood.

Zeros stand for digits, `=` for each sign of an assignment, and a blank for all else, so that a name
in front of a sign is the last word of what `split("=")` returns.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from flowery_logging.late import late


class Place(NamedTuple):
    """Where a name stands before a sign that may be a secret's; of several words, the last one.

    `in_words`: words before it may belong to it. `in_query`: it may be that of a parameter.
    """

    start: int
    in_words: bool
    in_query: bool


_SIGNS: Final = b"=:"
_OF_NAMES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.%$-"
_FLAT: Final = bytes(
    code
    if code in _OF_NAMES or code >= 128
    else ord("0")
    if code in b"0123456789"
    else ord("=")
    if code in _SIGNS
    else ord(" ")
    for code in range(256)
)
_ESCAPED_BLANK: Final = late(r"\\xa0(?=(?:[ \t\u00a0]|\\{1,2}xa0){0,7}[:=\uff1d\uff1a])")
_NO_WORD: Final = late(r"[^\w\x00-\x7f]")
_CLOSED_MARK: Final = late(
    r"</[A-Za-z]{1,8}[1-6]?>(?=(?:</[A-Za-z]{1,8}[1-6]?>){0,2}[ \t]{0,8}[:=\uff1d\uff1a])"
)
_OTHER_NAME: Final = late(
    r"\((?:(?<=[\w.%$)\"'`\]-]\()|(?<=[\w)] \())"
    r"(?=[^()\n]{0,23}[가-힣])[^()\n]{1,24}\)(?= {0,8}[:=])"
)
"""The other name of a field, which is none before a sign: `password(비밀번호)=`."""


def flat(text: str) -> str:
    """Return names and signs of a text, at the same places."""
    if "\\xa0" in text:
        text = _ESCAPED_BLANK.sub(_blanks, text)
    if "</" in text:
        text = _CLOSED_MARK.sub(_blanks, text)
    if not text.isascii():
        text = _NO_WORD.sub(" ", text.replace("\uff1d", "=").replace("\uff1a", ":"))
        if "(" in text:
            text = _OTHER_NAME.sub(_blanks, text)
    return text.encode("utf-8", "surrogatepass").translate(_FLAT).decode("utf-8", "surrogatepass")


def _blanks(match: re.Match[str]) -> str:
    return " " * len(match[0])
