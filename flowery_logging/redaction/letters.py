"""Letters that stand for others: full-width ones, Hangul in parts, curly quotes, and unseen signs.

Mails, chats and documents put them into texts: `“password”`, and a sign of no width between two
letters.
"""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

from flowery_logging.late import late

_UNSEEN: Final = (
    0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065),
    *range(0x2066, 0x206A), 0xFEFF,
)  # fmt: skip
_QUOTES: Final = (
    dict.fromkeys("\u201c\u201d\u201e\u201f", '"')
    | dict.fromkeys("\u2018\u2019\u201a\u201b", "'")
    | dict.fromkeys("「『【", "[")
    | dict.fromkeys("」』】", "]")
)
_TABLE: Final = dict.fromkeys(map(chr, _UNSEEN), "") | _QUOTES
_PLAIN: Final = {ord(letter): plain for letter, plain in _TABLE.items()}

_SIGNS: Final = rf"{''.join(_TABLE)}\uff01-\uff5e\u2000-\u200a\u202f\u205f\u3000"
ODD: Final = rf"[{_SIGNS}]|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
"""One of them, as a pattern."""

_ODD: Final = late(rf"[{_SIGNS}\u1100-\u1112]")


def has_odd(text: str) -> bool:
    """Tell whether a text has such letters."""
    return not text.isascii() and _ODD.search(text) is not None


def plain(text: str) -> str:
    """Return a text with the letters in their place that these stand for."""
    return normalize("NFKC", text.translate(_PLAIN)) if has_odd(text) else text
