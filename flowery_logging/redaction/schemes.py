"""Credentials behind the scheme of HTTP authentication that says what they are.

HTTP's schemes are those of IANA's registry, and those that services in Korea and elsewhere use.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span

_BEFORE: Final = r"(?<![A-Za-z0-9])"
_GAP: Final = r"(?:[:=,]?[ \t\u00a0]{1,4}|[:=])[\"']?"
# Each begins with letters, not with what must not stand before: so `re` looks for these alone.
_BEARER: Final = late(
    r"[BbKkPpSsAaGgNn](?<![A-Za-z0-9].)(?:"
    rf"(?:(?<=[Bb])(?i:earer)|(?<=[Kk])(?i:akaoak)|(?<=[Pp])(?i:ortone)){_GAP}"
    r"(?P<value>[\w.~+/=%:|-]{6,})"
    r"|(?:(?<=[Ss])(?i:sws|haredaccesssignature)|(?<=[Aa])(?i:pikey)|(?<=[Gg])(?i:ooglelogin)"
    rf"|(?<=[Nn])(?i:egotiate|tlm)){_GAP}(?P<long>[\w.~+/=%:|-]{{16,}}))",
    re.ASCII,
)
_TOKEN: Final = late(r"Token(?<![A-Za-z0-9].{5})[ ](?P<value>[\w.~+/=-]{16,})", re.ASCII)
_KEY: Final = late(
    rf"{_BEFORE}(?:(?:api|access|secret|private|encryption|signing|auth|master|session|service|aes"
    r"|hmac|cipher|recovery|webhook|client|admin)[ _-]?key|token|secret"
    r"|(?:j|php)?sess(?:ion)?[ _-]?id"
    r"|(?P<name>[a-z][\w-]{1,40}(?:key|token|secret)))[ ]"
    r"[\"'`]?(?P<value>[\w.~+/=-]{16,256})(?![\w.~+/=-])",
    re.IGNORECASE | re.ASCII,
)
_KEY_SIGNS: Final = tuple(
    late(rf"{end} [\"'`]?[\w.~+/=-]{{16}}", re.ASCII) for end in ("key", "token", "secret", "id")
)
"""The ends of such names in lower case, and the beginning of their values: one pattern each, whose
first letters alone `re` looks for."""

_BASIC: Final = late(
    rf"[Bb](?<![A-Za-z0-9].)(?i:asic){_GAP}(?P<value>[A-Za-z0-9+/_-]{{6,}}={{0,2}})", re.ASCII
)
_SIGNED: Final = late(
    rf"{_BEFORE}(?:Digest|AWS4-HMAC-SHA256|AWS|Hawk|Signature|HMAC|OAuth)[ ]{{1,4}}"
    r"(?P<value>[A-Za-z][\w-]{1,32}=[^\r\n]{1,2048})"
)
# What a client sends to a server for mail (RFC 4954): all at once, or when it is asked for it.
_SASL: Final = late(
    r"(?<![A-Za-z])AUTH(?:ENTICATE)?[ ]PLAIN"
    r"[^A-Za-z0-9+/]{1,24}(?:[nr\\]{1,4}334[^A-Za-z0-9+/]{1,24}n?)?"
    r"(?P<value>[A-Za-z0-9+/]{16,2048}={0,2})(?![A-Za-z0-9+/=])",
    re.IGNORECASE,
)
_ASKED: Final = late(
    r"(?:UGFzc3dvcmQ6|cGFzc3dvcmQ6)(?:[^A-Za-z0-9+/=]|\\[nr]){1,16}"
    r"(?:(?:send|C|client)[:>](?:[^A-Za-z0-9+/=]|\\[nr]){1,8})?"
    r"(?P<value>[A-Za-z0-9+/]{4,1024}={0,2})(?![A-Za-z0-9+/=:])"
)
"""The password behind "Password:" in base 64."""

_MANY_DIGITS: Final = 3
_IS_DATA: Final = late(
    r"[0-9]{4}-[0-9]{2}|[0-9.:/-]+$|(?:~|\.{1,2})?/|[\w-]+/[\w/-]+\.|[a-z-]+[/.][a-z]"
)
"""Dates, numbers and paths, which are no credentials."""

_WORD: Final = late(r"[a-z]+[.,;:!?]?|[a-z]+(?:_[a-z]+)+[=:]")
_NEXT_WORD: Final = late(r"[ \t]+[^\W\d_]+")
_WORDS: Final = frozenset({
    "auth", "authentication", "authorization", "certificate", "certificates", "credential",
    "credentials", "error", "header", "headers", "realm", "scheme", "token", "tokens",
})  # fmt: skip
"""What stands behind the name of a scheme in running text."""

_CHALLENGES: Final = (
    "error=", "realm=", "scope=", "error_description=", "charset=", "expires_in=", "expires_at=",
)  # fmt: skip
"""What a server asks for (RFC 6750 §3), `Bearer error="invalid_token"`, or tells of a token."""

_SCHEMES: Final = frozenset(
    {"basic", "bearer", "digest", "jwt", "kerberos", "negotiate", "ntlm", "oauth", "token"}
)


def is_scheme(word: str) -> bool:
    """Tell whether a word is the name of a scheme, behind which credentials stand."""
    return word.lower() in _SCHEMES


def find(text: str, lower: str, kind_of: KindOf) -> Iterator[Span]:  # noqa: C901, PLR0912 - a sign for each kind
    """Yield the credentials behind a scheme in a text; `lower` is the text in lower case."""
    if names_one(lower):
        for match in _BEARER.finditer(text):
            if match["long"]:
                yield Span(*match.span("long"), "credentials")
            elif not _is_prose(text, match):
                yield Span(*match.span("value"), "credentials")
    if "Token " in text:
        for match in _TOKEN.finditer(text):
            if any(map(str.isdigit, match["value"])):
                yield Span(match.start("value"), match.end("value"), "credentials")
    if any(sign.search(lower) for sign in _KEY_SIGNS):
        for match in _KEY.finditer(text):
            is_named = match["name"] is None or kind_of(match["name"]) is not None
            if is_named and _looks_random(match["value"]):
                yield Span(match.start("value"), match.end("value"), "credentials")
    if "basic" in lower:
        yield from _basics(text)
    if "auth plain" in lower or "authenticate plain" in lower:
        for match in _SASL.finditer(text):
            if _holds_credentials(match["value"]):
                yield Span(*match.span("value"), "credentials")
    if "GFzc3dvcmQ6" in text:
        for match in _ASKED.finditer(text):
            yield Span(*match.span("value"), "password")
    if may_be_signed(text):
        yield from _signed(text)


def may_be_signed(text: str) -> bool:
    """Tell whether a scheme whose credentials are parameters may stand in a text."""
    return "=" in text and (
        "Digest " in text
        or "AWS" in text
        or "Hawk " in text
        or "Signature " in text
        or "HMAC " in text
        or "OAuth " in text
    )


def names_one(lower: str) -> bool:
    """Tell whether a scheme whose credentials are one word stands in a text in lower case."""
    return (
        "bearer" in lower
        or "kakaoak" in lower
        or "portone" in lower
        or "ssws" in lower
        or "apikey" in lower
        or "googlelogin" in lower
        or "negotiate" in lower
        or "ntlm" in lower
        or "sharedaccesssignature" in lower
    )


def _looks_random(value: str) -> bool:
    """Tell whether a value has digits or cases as a word, a date or a path has none."""
    digits = sum(map(str.isdigit, value))
    mixed = value != value.lower() and value != value.upper()
    is_base32 = value.isalnum() and value.isupper()
    looks_so = digits >= _MANY_DIGITS or (digits > 0 and (mixed or is_base32))
    return looks_so and _IS_DATA.match(value) is None


def _is_prose(text: str, match: re.Match[str]) -> bool:
    """Tell whether words go on: "bearer authentication failed"; tokens stand alone."""
    value = match["value"]
    if value.startswith(_CHALLENGES):
        return True
    return _WORD.fullmatch(value) is not None and (
        value[-1] in "=:"
        or value.rstrip(".,;:!?") in _WORDS
        or _NEXT_WORD.match(text, match.end()) is not None
    )


def _signed(text: str) -> Iterator[Span]:
    """Yield what follows these schemes, also where another is on the same line."""
    position = 0
    while match := _SIGNED.search(text, position):
        position = _signed_end(match)
        yield Span(match.start("value"), position, "credentials")


def _signed_end(match: re.Match[str]) -> int:
    """Return where `name=value, name="value"` ends: a quote that closes the text around it."""
    value = match["value"]
    open_quotes = 0
    for place, sign in enumerate(value):
        if sign == '"':
            if not open_quotes and not value[:place].rstrip("\\").endswith("="):
                return match.start("value") + place
            open_quotes = 1 - open_quotes
        elif sign == "'" and not open_quotes:
            return match.start("value") + place
    return match.end("value")


def _holds_credentials(encoded: str) -> bool:
    """Tell whether base 64 holds a user and a password with zeros between them."""
    try:
        decoded = b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return False
    return decoded.count(b"\0") > 1


def _basics(text: str) -> Iterator[Span]:
    """Yield what decodes to `user:password`; "basic settings" stays."""
    for match in _BASIC.finditer(text):
        encoded = match["value"].rstrip("=")
        try:
            alternative = b"-_" if "_" in encoded else None
            decoded = b64decode(encoded + "=" * (-len(encoded) % 4), alternative)
        except ValueError:
            continue
        if b":" in decoded:
            yield Span(match.start("value"), match.end("value"), "credentials")
