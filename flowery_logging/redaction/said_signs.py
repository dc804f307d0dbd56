"""The quick look at running text: a name that a secret with a digit may follow without a sign.

Texts are in UTF-8, as `suspicion` has them.
"""

from __future__ import annotations

from typing import Final

from flowery_logging.late import late

# Names that a secret with a digit follows in running text, the first ones in small letters, with
# zeros as digits and blanks. Each begins with a letter, not with a group: so `re` looks for their
# first letters alone.
_SAID: Final = late(
    "pass(?:word|wd|phrase|code|port)|requirepass|pwd|licen|otp|pin|token|code|secret"
    "|(?:api|access|private|signing|encryption|service)[0_]key"
)
_LONGEST_SAID: Final = 16
_BEFORE_WORD: Final = 512
_AT_ONCE: Final = 256
"""Bytes before a word with a digit, and from it on, in which a name is looked for at once."""

# A digit of a word of four signs, at least: a secret with a digit is of such words. Dates, versions
# and addresses are none; three digits, a dash and three more are a code.
_WORD: Final = late("0(?:(?<=[x0-]{4})|(?<=[x0-]{3})[x0-]|(?<=[x0-]{2})[x0-]{2}|[x0-]{3})")
_FACT: Final = late("(?!000-000-?(?![x0-]))0{1,4}(?:-0{1,4})+-?(?![x0-])")
_SAID_IN_KOREAN: Final = late(
    "비밀|인증|본인|여권|면허|핀|비번|암호|패스워드|토큰|보안|뒷자리|시크릿|액세스|API|[aA]pi|PIN|OTP"
    "|[pP]in ?번호|[oO]tp ?번호"
)
_DIGITS: Final = bytes(48 if code in b"0123456789" else 32 for code in range(256))
_WORDS: Final = bytes(
    (
        dict.fromkeys(range(256), 120)
        | dict.fromkeys(b"0123456789", 48)
        | dict.fromkeys(b"-.", 45)
        | dict.fromkeys((*range(33), *b"\"':/,)]<>\\"), 32)
    ).values()
)
"""Words as x, digits as 0, what stands between the parts of a date as -, and the rest as blanks."""

_WIDE_SIGNS: Final = b"\xef\xbc"
"""The beginning of full-width digits and signs."""


def may_be_said_in_korean(encoded: bytes) -> bool:
    """Tell whether a name stands in a text that a secret may follow without a sign."""
    may_have_wide_digits = _WIDE_SIGNS in encoded
    before = encoded if may_have_wide_digits else _to_last_digit(encoded)
    return _SAID_IN_KOREAN.search(before.decode("utf-8", "replace")) is not None


def may_be_said(encoded: bytes, coarse: str) -> bool:
    """Tell whether a name stands before a word with a digit, as a password's before it."""
    words = encoded.translate(_WORDS).decode("latin-1")
    before = len(encoded) if "<" in coarse else _BEFORE_WORD  # tags may stand between
    end, word = 0, _WORD.search(words)
    while word is not None:
        fact = _FACT.match(words, words.rfind(" ", 0, word.start()) + 1)
        if fact is None:
            start = max(0, word.start() - before, end - _LONGEST_SAID)
            end = word.start() + _AT_ONCE
            if _SAID.search(coarse, start, end):
                return True
        word = _WORD.search(words, end if fact is None else fact.end())
    return False


def _to_last_digit(encoded: bytes) -> bytes:
    """Return what stands before the last digit: a name behind that has no value."""
    return encoded[: encoded.translate(_DIGITS).rfind(b"0") + 1]
