"""A quick no for long texts: no word of one has a part of a secret's name in it.

Looked at are words of letters alone: most come again and again. What is found may be a part of any
word, `auth` in `author`: such a text is looked at with more care.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Final

from flowery_logging.kept import Kept
from flowery_logging.redaction import letters
from flowery_logging.redaction.names import squash, words as words_of

_LETTERS: Final = bytes(code if code >= 128 or chr(code).isalpha() else 32 for code in range(256))
ZEROS: Final = bytes(48 if code in b"0123456789" else code for code in range(256))
"""For `bytes.translate`: a zero for each digit."""

LONG_TEXT: Final = 512
"""Bytes of a text beyond which it is looked at in another order: for what may be in it at all."""

_SEPARATORS: Final = b" _-."

_STEMS: Final = (
    "pass", "pwd", "secret", "cred", "auth", "key", "card", "sess", "token", "code", "cookie",
    "bearer", "licen", "alien", "foreigner", "resident", "signature", "saml", "hmac", "accessid",
    "ticket", "phrase", "crtfc", "connection", "bimil", "jumin", "mnemonic", "answer", "social",
    "assertion", "pswd", "주민", "외국인", "비밀", "비번", "카드", "여권", "면허", "인증", "본인",
    "보안", "핀", "복구", "세션", "암호", "토큰", "패스워드", "시크릿", "액세스", "뒷자리", "키",
    "cvc번호", "cvv번호", "otp번호", "pin번호",
    "basic", "kakaoak", "portone", "ssws", "negotiate", "ntlm",  # schemes, which need no name
    "digest", "hawk",  # and those behind which any name may stand
    "eyj",  # how a JWT begins
    "login", "identified", "duplicate", "pydantic", "rabbitmq",  # what needs no name
)  # fmt: skip
"""What names of secrets have in common, however their words are separated."""

_COMMON: Final = ("pass", "key", "token", "auth", "code")
"""Those that most texts have which speak of secrets at all."""

_SHORT: Final = frozenset({
    "pin", "arc", "pan", "otp", "totp", "cvc", "cvv", "csc", "rrn", "ssn", "sid", "psk", "jwt",
    "aws", "sig", "sign",
})  # fmt: skip
"""The same of those that are words of their own; inside of others they stand by chance."""

_EDGE: Final = "pw"
_PARTS: Final = (*_STEMS, *_SHORT, _EDGE)
_ESCAPES: Final = frozenset("bfnrt")
"""Letters that may be an escape's before a word: `\\npin=1`."""

_WORDS: Final = 4096
_AT_ONCE: Final = 256
"""Words that are kept, and how many are learnt of one text: what has more has more next time."""


class Stems:
    """Tells whether the name of a secret may stand in a text.

    Args:
        secret: more names of secrets, with zeros as digits.
    """

    def __init__(self, secret: Iterable[str] = ()) -> None:
        self._own = frozenset(map(squash, secret))
        self._known: Kept[bytes, bool] = Kept(_WORDS)

    def may_be_in(self, encoded: bytes, lower: str) -> bool:
        """Tell of a text in UTF-8, in which no letter is escaped, whether there may be one.

        `lower` has its ASCII letters, where they stand, in lower case.
        """
        if any(map(lower.__contains__, _COMMON)):
            return True  # without asking each word
        words = set(encoded.translate(_LETTERS).split())
        verdicts = set(map(self._known.get, words))
        if True in verdicts or (None in verdicts and self._learn(words)):
            return True
        if not self._own:
            return False
        squashed = encoded.translate(ZEROS, _SEPARATORS).decode("utf-8", "replace").lower()
        return any(map(squashed.__contains__, self._own))

    def that_may_be(self, names: Sequence[str]) -> Iterator[bool]:
        """Tell of each of some names, quickly, whether it may be a secret's: most are none's."""
        together = _plain("\n".join(names))
        parts = [part for part in (*_PARTS, "%", *self._own) if part in together]
        if not parts:
            return repeat(False, len(names))
        # A list of IDs has a part by chance, `pw` or `sig`: only the one with it is suspected.
        return map(_lines_with(parts, together).__contains__, together.split("\n"))

    def _learn(self, words: set[bytes]) -> bool:
        """Learn words that come for the first time, and tell whether one may be of a name."""
        # Another thread may have learnt some of them meanwhile, one as a name's too.
        new = [word for word in words if self._known.get(word) is not False]
        if not new:
            return False
        some = new[:_AT_ONCE]
        together = letters.plain(b"\n".join(some).decode("utf-8", "replace")).lower()
        # Those of hashes and IDs have a part by chance: only the words with it are looked at.
        suspected = _lines_with([part for part in _PARTS if part in together], together)
        if not suspected:
            self._known.keep_all(some, False)
            return len(new) > _AT_ONCE
        found = {
            self._known.keep(word, lower in suspected and _may_be_of_name(word))
            for word, lower in zip(some, together.split("\n"), strict=True)
        }
        return len(new) > _AT_ONCE or True in found


def _plain(text: str) -> str:
    """Return a text in small letters, without separators of words."""
    text = letters.plain(text).lower()
    for separator in "_-.":
        text = text.replace(separator, "")
    return text


def _lines_with(parts: Iterable[str], text: str) -> set[str]:
    """Return the lines of a text that have one of some parts in them."""
    found: set[str] = set()
    for part in parts:
        place = text.find(part)
        while place >= 0:
            start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
            found.add(text[start:] if end < 0 else text[start:end])
            place = text.find(part, end) if end >= 0 else -1
    return found


def _may_be_of_name(word: bytes) -> bool:
    text = letters.plain(word.decode("utf-8", "replace"))
    lower = text.lower()
    own = {*words_of(text), *(words_of(text[1:]) if text[:1] in _ESCAPES else ())}
    return (
        lower.startswith(_EDGE)
        or lower.endswith(_EDGE)
        or not _SHORT.isdisjoint(own)
        or any(map(lower.__contains__, _STEMS))
    )
