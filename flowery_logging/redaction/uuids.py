"""UUIDs in a long text: the quick look reads the same words in place of each.

A body in JSON has many, others each time. None is a secret or personal by its form, nor a number;
where one is the value of a secret's name, the name tells.
"""

from __future__ import annotations

from typing import Final

from flowery_logging.redaction.token_runs import TOKEN_SIGNS

_FORM: Final = bytes(
    {
        **dict.fromkeys(range(256), 32),
        **dict.fromkeys(TOKEN_SIGNS, 120),
        **dict.fromkeys(b"0123456789abcdefABCDEF", 48),
        45: 45,
    }.values()
)
"""For `bytes.translate`: zeros for hexadecimal digits, dashes, `x` for other signs of a token, and
blanks."""

_UUID: Final = " 00000000-0000-0000-0000-000000000000 "
_WORDS: Final = b"0xxxxxxxxxxxxx.xxxxxxxxxxxxx.xxxxxxx"
"""A word with a digit, and others, in which no number stands, no option, and nothing that is long
enough for a token."""


def without_uuids(encoded: bytes) -> bytes:
    """Return a text in UTF-8, as long as it was, with the same words in place of each UUID.

    The text itself is returned where it has none.
    """
    forms = encoded.translate(_FORM).decode("latin-1")
    place = forms.find(_UUID)
    if place < 0:
        return encoded
    pieces: list[bytes] = []
    end = 0
    while place >= 0:
        pieces += (encoded[end : place + 1], _WORDS)
        end = place + 1 + len(_WORDS)
        place = forms.find(_UUID, end)  # the blank behind one may be the one before the next
    pieces.append(encoded[end:])
    return b"".join(pieces)
