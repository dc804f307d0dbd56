"""The quick look at digits: a card's or a resident's number may stand there."""

from __future__ import annotations

import re
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction import numbers
from flowery_logging.redaction.stems import ZEROS

COARSE: Final = bytes(48 if code in b"0123456789 -+." else code for code in range(256)).lower()
"""For `bytes.translate`: small letters, and zeros for digits and what stands between them."""

LONG: Final = "0" * 12
"""What a text with a number has in it then."""

_DIGITS: Final = 13
_THIRTEEN: Final = "0" * _DIGITS
_BETWEEN: Final = b" +-."
_NO_DIGIT: Final = re.compile("[^0]")
# How a number begins that is a card's (by its issuer) or a resident's (a date). So many digits
# behind a dot are those of a fraction.
_BEGINNING: Final = (
    rb"[0-9](?:(?<![0-9].)(?:(?<![A-Za-z.-].)|(?<=[^0-9][.-].)(?<![0-9a-f]{4}-.)|(?<=\\[bfnrt].))"
    rb"|(?<=\\u00[0-9a-f][0-9a-f].))"
)
_OF_CARD: Final = rb"(?:(?:[ +-]|\.(?![0-9]{8})){0,2}[0-9]){12}"
_NUMBER: Final = re.compile(
    _BEGINNING
    + rb"(?:(?:(?<=[3469])|(?<=5)(?=[1-5])|(?<=2)(?=[2-7]))" + _OF_CARD
    + rb"|[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ +.-]{0,3}[0-9]{7})"
)  # fmt: skip
# The same with any digits.
_FORM: Final = late(_BEGINNING + rb"(?=" + _OF_CARD + rb"|[0-9]{5}[ +.-]{0,3}[0-9]{7})")
_FIRST: Final = frozenset(b"3469")
_FIRST_TWO: Final = frozenset(
    [b"5%d" % digit for digit in range(1, 6)] + [b"2%d" % digit for digit in range(2, 8)]
)
_DATES: Final = frozenset(b"%02d%02d" % (m, d) for m in range(1, 13) for d in range(1, 32))
"""How a card's number begins, and a month and a day, two digits behind a resident's beginning."""
_FRACTION: Final = re.compile(rb"[ +-]{0,3}[0-9]{1,11}\.[0-9]{8,}")
# Digits with a foreign blank or dash between them (see `numbers.NORMAL`), or full-width ones.
_FOREIGN: Final = late(
    "[0-9][ .+-]?(?:(?:\xc2[\xa0\xad]|\xe1\x9a\x80|\xe2\x80[\x80-\x95\xaf]|\xe2\x81\x9f"
    "|\xe2\x88\x92|\xe3\x80\x80|\xef\xb9[\x98\xa3]|\xef\xbc\x8d)[ .+-]?){1,3}[0-9]"
    "|\xef\xbc[\x90-\x99]"
)
_SHORT: Final = 128
"""So little is searched as fast as it is told where in it there are many digits."""

_THREES: Final = bytes(51 if code in b"0123456789" else code for code in range(256))


CARD: Final = 1
RESIDENT: Final = 2
"""Which numbers may stand in a text, as bits."""


def numbers_in(shape: bytes) -> int:
    """Return which numbers may stand in a text whose digits are zeros, had it the right ones.

    They are threes for that: cards that begin with 3 are grouped in more ways than others. What
    stands behind an escape begins, for who reads the text in JSON, in the middle of a word.
    """
    if _THIRTEEN not in shape.translate(None, _BETWEEN).decode("latin-1"):
        return 0
    text = shape.translate(_THREES).decode("utf-8", "replace")
    if "\\" in text:
        return CARD | RESIDENT
    text = numbers.normal(text)
    card, resident = numbers.has_form_of_card(text), numbers.has_form_of_resident(text)
    return card * CARD | resident * RESIDENT


def only_place(shape: bytes) -> int | None:
    """Return where a number may begin in texts of a shape, if that is one place."""
    places = [match.start() for match in _FORM.finditer(shape)]
    return places[0] if len(places) == 1 else None


def may_begin(encoded: bytes, place: int, which: int) -> bool:
    """Tell whether the digits at a place may begin one of these numbers."""
    if which & CARD and (encoded[place] in _FIRST or encoded[place : place + 2] in _FIRST_TWO):
        return True
    return bool(which & RESIDENT) and encoded[place + 2 : place + 6] in _DATES


def has_foreign(text: str) -> bool:
    """Tell whether digits of a text in UTF-8, read as Latin-1, are written in other than ASCII."""
    return _FOREIGN.search(text) is not None


def has_number(encoded: bytes, coarse: str) -> bool:
    """Tell whether a number may stand where digits are many; `coarse` is the text by `COARSE`."""
    start = coarse.find(LONG)
    if start < 0 or _THIRTEEN not in encoded.translate(ZEROS, _BETWEEN).decode("latin-1"):
        return False
    if len(encoded) < _SHORT:
        return _NUMBER.search(encoded, start) is not None
    while start >= 0:
        behind = _NO_DIGIT.search(coarse, start)
        end = behind.start() if behind else len(coarse)
        if (
            len(encoded[start:end].translate(None, _BETWEEN)) >= _DIGITS
            and not _FRACTION.fullmatch(encoded, start, end)
            and _NUMBER.search(encoded, start, end)
        ):
            return True
        start = coarse.find(LONG, end)
    return False


def has_number_in(encoded: bytes) -> bool:
    """Tell whether a number may stand in a text that is known to have enough digits."""
    if len(encoded) < _SHORT:
        return _NUMBER.search(encoded) is not None
    return has_number(encoded, encoded.translate(COARSE).decode("latin-1"))
