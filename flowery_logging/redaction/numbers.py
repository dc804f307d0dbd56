"""Numbers that are personal: payment cards and Korean resident numbers, as people write them.

Digits may be full-width, and grouped by blanks, dashes, plus signs (a form) or dots of any script.
Hangul may stand directly before and after: `카드 4111111111111111로`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from flowery_logging.late import late
from flowery_logging.redaction import trace_ids

_BLANKS: Final = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u202f\u205f\u3000+"
)
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00ad"

NORMAL: Final = {
    **{ord(blank): " " for blank in _BLANKS},
    **{ord(dash): "-" for dash in _DASHES},
    **{0xFF10 + digit: str(digit) for digit in range(10)},
}
"""For `str.translate`: one character for one, so that places in both texts are the same."""

_FOREIGN: Final = late("[" + "".join(map(chr, NORMAL)) + "]")


def normal(text: str) -> str:
    """Return a text with its digits, and what stands between them, in ASCII, at the same places."""
    return text.translate(NORMAL) if _FOREIGN.search(text) else text


_SEPARATORS: Final = dict.fromkeys(map(ord, " .-"))

SMALLEST: Final = 10**12
"""Card numbers have 13 digits or more; resident numbers 13, perhaps with a leading zero."""

# Not in the middle of a number, a decimal fraction, a word or a UUID, and not a negative number.
# It stands behind the first digit, so that `re` looks for digits alone.
_BEFORE: Final = r"(?<![0-9A-Za-z].)(?:(?<!-.)|(?<=[^\W0-9]-.))(?<![0-9]\..)(?<![0-9a-f]{4}-.)"
_AFTER: Final = r"(?![0-9A-Za-z])(?!-[0-9a-f])(?!\.[0-9])"

_CARD: Final = late(
    "[0-9]"
    + _BEFORE
    + r"(?:[0-9]{3}([ .-]{0,2})[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}"
    + r"|(?<=3)[0-9]{3}[ -]{0,2}[0-9]{6}[ -]{0,2}[0-9]{4,5})"
    + _AFTER
)
_RESIDENT: Final = late(rf"([0-9]{_BEFORE}[0-9]{{5}})( ?- ?| ?)([0-9]{{7}}){_AFTER}")
_SAID: Final = late(
    r"rrn|jumin|resident|foreigner|alien|ssn|주민|외국인|(?<!법인)(?<!사업자)등록번호",
    re.IGNORECASE,
)
"""What the surrounding of a resident number says."""

_SAID_BEHIND: Final = late(r"^[^0-9A-Za-z가-힣]{0,3}(?:본인확인|본인인증|실명)")
"""What the surrounding behind it says."""

_OTHER: Final = late(
    r"(?:법인(?P<company>)|(?:주문|접수|예약|문의|관리|송장|상품|배송|거래|승인)(?!자|인|고객)"
    r"|order|invoice|booking|batch|job|seq|바코드|barcode|(?<![A-Za-z])(?:(?:ean|gtin)(?:-1[34])?|sku|upc))"
    r"[^0-9\n]{0,8}$",
    re.IGNORECASE,
)
"""What says directly before a number that it is another: six digits, a dash and seven more."""

_BEHIND: Final = 12
_SURROUNDING: Final = 24
"""Characters before a number that say what it is."""


class Span(NamedTuple):
    """A part of a text that is to be hidden."""

    start: int
    end: int
    kind: str


def has_form_of_card(text: str) -> bool:
    """Tell whether digits stand in a text, in ASCII, as those of a card do."""
    return _CARD.search(text) is not None


def has_form_of_resident(text: str) -> bool:
    """Tell whether digits stand in a text, in ASCII, as those of a resident number do."""
    return _RESIDENT.search(text) is not None


def find(text: str) -> Iterator[Span]:
    """Yield the cards and resident numbers in a text whose digits are ASCII (see `NORMAL`)."""
    for match in _RESIDENT.finditer(text):
        before = text[max(0, match.start() - _SURROUNDING) : match.start()]
        is_dashed, behind = "-" in match[2], text[match.end() : match.end() + _BEHIND]
        if _is_meant(match[1] + match[3], before, behind, dashed=is_dashed):
            yield Span(match.start(), match.end(), "resident_number")
    for match in _CARD.finditer(text):
        digits = match[0].translate(_SEPARATORS)
        is_whole = digits == match[0]
        if is_card(digits) and not (is_whole and trace_ids.is_said(text, match.start())):
            yield Span(match.start(), match.end(), "card")


def _is_meant(digits: str, before: str, behind: str, *, dashed: bool) -> bool:
    """Numbers issued since October 2020 have no check digit: the form or a word must say it."""
    if not has_birth_date(digits):
        return False
    if _SAID.search(before):
        return True
    other = _OTHER.search(before)
    if other is None and _SAID_BEHIND.search(behind):
        return True
    if other is not None and other["company"] is not None:
        return False  # one in ten would have a valid check digit
    if other is not None and is_article(digits):
        return False
    return (dashed and other is None) or has_check_digit(digits)


def has_birth_date(digits: str) -> bool:
    """Tell whether 13 digits begin with a date, followed by a digit for century and sex."""
    days = _DAYS.get(digits[2:4], 0)
    return 1 <= int(digits[4:6]) <= days and digits[6] in "12345678"


_DAYS: Final = {
    f"{month:02}": 29 if month == 2 else 30 if month in {4, 6, 9, 11} else 31
    for month in range(1, 13)
}


def has_check_digit(digits: str) -> bool:
    """Tell whether the last of 13 digits is the check digit of the others.

    It is 11 minus the weighted sum modulo 11, modulo 10, with the weights 2 3 4 5 6 7 8 9 2 3 4 5;
    for foreigners (5 to 8) it is 13 minus that sum modulo 11, modulo 10.
    """
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False)) % 11
    base = 13 if digits[6] in "5678" else 11
    return (base - total) % 10 == int(digits[12])


def kind_of_digits(digits: str) -> str | None:
    """Return the kind that 13 or more digits alone are, without anything around them."""
    if is_card(digits):
        return "card"
    return "resident_number" if len(digits) == 13 and is_resident(digits) else None


def is_resident(digits: str) -> bool:
    """Tell whether 13 digits alone are a resident number: a date and a valid check digit."""
    return has_birth_date(digits) and has_check_digit(digits)


def is_card(digits: str) -> bool:
    """Tell whether digits are a payment card's: a known issuer, its length, a valid Luhn digit."""
    if _ISSUERS.fullmatch(digits) is None or _luhn(digits) % 10:
        return False
    return len(digits) > _EAN or not is_article(digits)


def is_article(digits: str) -> bool:
    """Tell whether 13 digits are those under a bar code (EAN), as of goods from Japan and Germany.

    Visa has issued no card of 13 digits for a long time.
    """
    return (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


_EAN: Final = 13

# Lengths and first digits of Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay
# and Korea's domestic cards (9), after ISO/IEC 7812.
_ISSUERS: Final = late(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[689][0-9])[0-9]{11}|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}|35[0-9]{14}"
    r"|62[0-9]{14,17}|9[0-9]{15}"
)


_DOUBLED: Final = bytes(sum(divmod(2 * max(0, code - 48), 10)) % 256 for code in range(256))
"""By digit in ASCII: the sum of the digits of its double."""


def _luhn(digits: str) -> int:
    codes = digits.encode()
    single = codes[-1::-2]
    return sum(single) - 48 * len(single) + sum(codes[-2::-2].translate(_DOUBLED))
