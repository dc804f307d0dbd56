"""A value in running text that may be a secret: what it is made of, and which ones tell a fact."""

from __future__ import annotations

import re
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.numbers import Span

SIGNS: Final = r"(?:[A-Za-z0-9!@#$%^*_+~.-]|&(?![A-Za-z]\w{0,63}=))"
WITH_DIGIT: Final = rf"(?P<value>(?={SIGNS}{{0,32}}[0-9]){SIGNS}{{4,128}})(?!{SIGNS})"
UNIT: Final = (
    r"(?![ ]?(?:초|분|시간|일|월|년|주|개|회|건|자|명|원|글자|바이트|%"
    r"|(?:bits?|bytes?|char\w*|days?|hours?|minutes?|seconds?|times?|users?|ms|s)\b))"
)
TAG: Final = r"(?:<(?:b|i|u|em|strong|code|kbd|pre|span|font|mark)(?:[ ][^<>\n]{0,128})?>){0,3}"
QUOTE: Final = rf"{TAG}[\[(\"'`<\u201c\u2018「『]{{0,2}}[ ]?"

SHORTEST_SAID: Final = 8
"""Characters of a key that a verb says to be one, or that stands in brackets or quotes."""

BEFORE: Final = 96
BEHIND: Final = 640
"""Characters around what tells a secret (an `is`, six digits), in which all of it stands."""

_FACT: Final = late(
    # dates, versions, addresses; three digits, a dash and three more are a code
    r"[0-9]{4}[-./][0-9]{1,2}(?:[-./T].*)?|(?![0-9]{3}-[0-9]{3}\Z)v?[0-9]+(?:[.:~-][0-9]+)+"
    r"|[0-9]+(?:ms|[smhdwyx]|[kmgt]i?b)"  # amounts
    r"|(?:aes|sha|md|rsa|ecdsa|ed|pbkdf|argon|bcrypt|scrypt|base|utf|tls|ssl|oauth|saml|ipv|http|hmac"
    r"|[hre]s|rfc|chacha|p)[-_]?v?[0-9]{1,4}(?:[-_./][\w./-]*|[a-z]{0,4})"
    r"|[\w.-]+\.(?:py|js|ts|txt|json|ya?ml|html?|log|csv|conf|sql|go|java|md|md5)(?::[0-9]+)?",
    re.IGNORECASE,
)
"""What is told about a secret: when, which version, how it is encrypted, in which file."""

_COUNTED: Final = late("[0-9]+(?:st|nd|rd|th|[a-z]{3,12})", re.IGNORECASE)


def value_span(match: re.Match[str]) -> Span:
    """Return where the value of a match stands, without the end of its sentence."""
    start = match.start("value")
    return Span(start, start + len(match["value"].rstrip(".")), "value")


def tells_fact(value: str) -> bool:
    """Tell whether a value is what is told about a secret: a date, a version, an amount."""
    return _FACT.fullmatch(value) is not None


def is_secret(value: str, shortest: int) -> bool:
    """Tell whether a value may be a secret; with a length, it has to have letters too."""
    value = value.rstrip(".")
    if tells_fact(value):
        return False
    return not shortest or (
        len(value) >= shortest
        and any(map(str.isalpha, value))
        and _COUNTED.fullmatch(value) is None
    )
