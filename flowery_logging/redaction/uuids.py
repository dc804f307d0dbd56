"""UUIDs in a long text: the quick look reads the same word in place of each.

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
_WORD: Final = b"0xxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
"""Long enough for a token, of the form that none has, with a digit, and with no number in it."""


def without_uuids(encoded: bytes) -> bytes:
    """Return a text in UTF-8, as long as it was, with one word in place of all its UUIDs."""
    forms = encoded.translate(_FORM).decode("latin-1")
    place = forms.find(_UUID)
    if place < 0:
        return encoded
    pieces: list[bytes] = []
    end = 0
    while place >= 0:
        pieces += (encoded[end : place + 1], _WORD)
        end = place + 1 + len(_WORD)
        place = forms.find(_UUID, end)  # the blank behind one may be the one before the next
    pieces.append(encoded[end:])
    return b"".join(pieces)
