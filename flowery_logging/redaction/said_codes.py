"""Codes and keys that are said to be such: `your code is …`, `otp 482913`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.nearby import matches_around
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.said_values import (
    BEFORE,
    BEHIND,
    QUOTE,
    SHORTEST_SAID,
    TAG,
    UNIT,
    WITH_DIGIT,
    is_secret,
    value_span,
)
from flowery_logging.redaction.stems import ZEROS

_IS: Final = "[ ]is(?:[ ]:?|:[ ]?)"
_END: Final = r"(?![0-9A-Za-z]|[.-]\w)"
"""What stands behind a code: a full stop may, but nothing that goes on."""

_SPLIT: Final = "[0-9]{3}[ -][0-9]{3}"
_COMPARED: Final = (
    r"(?:expected|expecting|got|was|received|entered|given|actual|입력|실제|기대)값?"
    r"(?:[ ]?[:=][ ]?|[ ])[\"']?"
)
"""What stands before each of two codes that are not the same."""

_KEY: Final = late(
    r"(?<![A-Za-z])(?:(?:api|access|secret|private|client|signing|encryption|service|license)[ _-]"
    rf"(?:key|secret|token)|secret){_IS}{QUOTE}{WITH_DIGIT}{UNIT}",
    re.IGNORECASE,
)
_CODE: Final = late(
    r"(?<![A-Za-z])(?:(?:(?:verification|login|security|auth\w{0,12}|confirmation|one-time|sms|access"
    r"|reset|mfa|2fa|recovery)[ -](?:code|password|passcode|pin)|otp|totp|pin|token)"
    rf"{_IS}{QUOTE}{WITH_DIGIT}|(?:(?:verification|login|security|authentication|confirmation|one-time"
    r"|sms|access|reset|mfa|2fa)[ -](?:code|password|passcode)|otp|totp|passcode)[ ]"
    rf"[\"'(\[]?(?P<number>[0-9]{{6}}){_END}"
    r"|use[ ](?P<used>[0-9]{6})[ ]as[ ]your[ ](?:[\w-]{1,20}[ ]){0,4}"
    r"(?:code|otp|pin|pass(?:code|word))"
    rf"|enter[ ](?:the[ ])?code[ ](?P<entered>[0-9]{{6}}){_END}"
    r"|(?:otp|(?:verification|2fa|mfa|sms|login) code|인증번호|인증코드)[^\n:=]{0,24}[:=][ ]?"
    rf"(?P<told>[0-9]{{6}}){_END}"
    r"|(?:otp|(?:verification|2fa|mfa|sms|login) code|인증번호|인증코드)[^\n]{0,40}?"
    rf"{_COMPARED}(?P<compared>[0-9]{{6}}){_END}{UNIT}"
    r"|your[ ](?!(?:[\w-]{1,20}[ ]){0,2}(?:order|coupon|promo|discount|booking|referral|zip|postal"
    r"|area|country|error|status|product|gift)[ ])(?:[\w-]{1,20}[ ]){0,3}code[ ]is(?::[ ]?|[ ])"
    rf"{TAG}"
    rf"(?P<yours>{_SPLIT}|[0-9]{{4,8}}){_END}"
    rf"|(?<![\w.-])(?:[A-Z]{{1,3}}-)?(?P<said>{_SPLIT}|[0-9]{{4,8}})"
    r"[ ]is[ ]your[ ](?:[\w-]{1,20}[ ]){0,4}"
    r"(?:code|otp|pin|passcode|password))",
    re.IGNORECASE,
)
_OTHER: Final = late(
    rf"[\"']?,?[ ](?:but[ ])?{_COMPARED}(?P<value>[0-9]{{6}}){_END}{UNIT}", re.IGNORECASE
)
_TOLD: Final = ("code", "password", "passcode", "pin", "otp", "token", "key", "secret")
"""What stands before the `is` that tells a code or a key."""

_SIX_DIGITS: Final = late("[0-9](?<=[ :=\"'(\\[].)[0-9]{5}")
"""The beginning of a code."""

_SIX_ZEROS: Final = b"000000"


def has_six_digits(text: str) -> bool:
    """Tell whether a code may stand in a text."""
    return _SIX_ZEROS in text.encode("utf-8", "replace").translate(ZEROS)


def find(text: str, lower: str) -> Iterator[Span]:
    """Yield codes and keys that are said to be such, and codes of six digits."""
    said = [*_said_to_be(lower)]
    digits = _SIX_DIGITS.finditer(text) if has_six_digits(text) else ()
    codes = [match.start() for match in digits]
    for match in matches_around(_CODE, text, [*said, *codes], BEFORE, BEHIND):
        if match["value"] is None:
            yield Span(*match.span(match.lastgroup or "said"), "value")
            other = _OTHER.match(text, match.end())
            if other is not None:
                yield value_span(other)
        elif is_secret(match["value"], 0):
            yield value_span(match)
    for match in matches_around(_KEY, text, said, BEFORE, BEHIND):
        if is_secret(match["value"], SHORTEST_SAID):
            yield value_span(match)


def _said_to_be(lower: str) -> Iterator[int]:
    """Yield the places of each `is` that may tell a code or a key."""
    place = lower.find(" is")
    while place >= 0:
        is_number = lower[place - 1 : place].isdigit() and lower.startswith(" is your ", place)
        if is_number or lower.endswith(_TOLD, 0, place):
            yield place
        place = lower.find(" is", place + 1)
