"""Phone numbers: as people write them in a text, and all of one number in the one form of E.164.

Korean numbers are those of the numbering plan (전기통신번호관리세칙): mobile ones 010, 011
and 016 to 019, area codes 02 to 064, internet phones 070, safe numbers 050x. Those of a service
(080, 15xx-xxxx) are no person's. Other countries' begin with a plus sign (ITU-T E.164).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.numbers import NORMAL, Span

_SEP: Final = r"[ ]?[-.)·/]?[ ]?"
_DASH: Final = r"(?:(?<=\))[ ]?|[ ]?[-.)·/ ][ ]?)"
_MOBILE: Final = r"1[016-9]"
_AREA: Final = r"(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[2-9])"
_KOREAN: Final = rf"(?:{_MOBILE}|{_AREA})"
_LINE: Final = rf"[0-9]{{3,4}}{_SEP}[0-9]{{4}}"
_ABROAD: Final = r"(?:(?:\+|%2[Bb]|(?<![0-9])00(?:[12]|700)?[ -]?)82|(?<![0-9])82)"

# Not in the middle of a number, a decimal fraction, a word or a UUID. Hangul may touch it.
_BEFORE: Final = r"(?<![0-9A-Za-z_])(?<![0-9][-.])(?<![0-9a-f]{4}-)"
_AFTER: Final = r"(?![0-9A-Za-z_])(?!-[0-9a-f])(?!\.[0-9])"

_IN_TEXT: Final = late(
    rf"{_BEFORE}(?:"
    rf"(?:0{_MOBILE}|\(0{_MOBILE}\)){_SEP}{_LINE}"
    rf"|(?:0{_AREA}|\(0{_AREA}\)){_DASH}{_LINE}"
    rf"|{_ABROAD}[ -]?\(?0?\)?[ -]?{_KOREAN}{_SEP}{_LINE}"
    rf"|(?:\+|%2[Bb])[1-9](?:[ ().-]{{0,2}}[0-9]){{7,14}}"
    rf"){_AFTER}"
)
_MAYBE: Final = late(r"[0-9](?:[^0-9A-Za-z\n]{0,4}[0-9]){7}")
"""Eight digits, near enough to each other to be one number."""

_EXTENSION: Final = late(r"(?:;.*|(?:ext\.?|x|내선)\s{0,4}[0-9]{1,6})$", re.IGNORECASE)
_WRITTEN: Final = late(r"\+?[0-9()\-. ·/]{7,40}")
_NO_DIGIT: Final = late(r"[^0-9]")
_NO_ZERO: Final = late(r"1(?:0[0-9]{8}|[16-9][0-9]{7,8})")
_PREFIX: Final = late(r"(?:00(?:700)?|001|002)(?=82)")
_DOMESTIC: Final = late(rf"0({_KOREAN}[0-9]{{7,8}})")
_SERVICE: Final = late(r"1[5-9][0-9]{6}")


def may_hold(text: str) -> bool:
    """Tell, quickly, whether a phone number may stand in a text whose digits are ASCII."""
    return _MAYBE.search(text) is not None


def find(text: str) -> Iterator[Span]:
    """Yield the phone numbers in a text, whatever script its digits and dashes are of."""
    plain = text if text.isascii() else text.translate(_DIGITS)
    if may_hold(plain):
        for match in _IN_TEXT.finditer(plain):
            yield Span(match.start(), match.end(), "phone")


_DIGITS: Final = {sign: other for sign, other in NORMAL.items() if sign != ord("+")}
"""As for cards, but a plus sign stays."""


def is_number(text: str) -> bool:
    """Tell whether a text is a phone number and nothing else, as `find` would find it."""
    return any(span.start == 0 and span.end == len(text) for span in find(text))


def e164(text: str) -> str | None:
    """Return a number in the one form of E.164 (`+821012345678`); None for what is no number.

    A number without a country is a Korean one. What is said of the line behind it (an extension,
    parameters of a `tel:` URI) is left out. A mobile number that a program has kept as an integer
    has lost its zero.
    """
    plain = unicodedata.normalize("NFKC", text.translate(NORMAL | {ord("+"): "+"}))
    plain = _EXTENSION.sub("", plain.strip().removeprefix("tel:").replace("%2B", "+")).strip()
    if not _WRITTEN.fullmatch(plain):
        return None
    digits = _NO_DIGIT.sub("", plain.replace("(0)", ""))
    if plain.startswith("+"):
        return _korean(digits) if digits.startswith("82") else _bounded(digits)
    digits = _PREFIX.sub("", digits)
    if digits.startswith("82") and _DOMESTIC.fullmatch(f"0{digits[2:].removeprefix('0')}"):
        return _korean(digits)
    if _DOMESTIC.fullmatch(digits):
        return f"+82{digits[1:]}"
    return f"+82{digits}" if _NO_ZERO.fullmatch(digits) or _SERVICE.fullmatch(digits) else None


def _korean(digits: str) -> str:
    """Return a number that says Korea; the zero of a call within it is none of it."""
    return f"+82{digits[2:].removeprefix('0')}"


def _bounded(digits: str) -> str | None:
    return f"+{digits}" if 7 <= len(digits) <= 15 else None
