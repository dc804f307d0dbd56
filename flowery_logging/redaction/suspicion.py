"""The quick look: which kinds of secrets may stand in a text? It lets no secret pass.

It is taken at each event, over its message and texts at once, as UTF-8 and as they stand in JSON.
A secret has a sign: a run of digits, a long run of a token's characters, the name of a scheme, or a
name before `=` and its like. Texts without one are left at once.

All but numbers, and what stands in escapes, is looked for with zeros in place of digits: what is
found of a text holds for all that differ from it in digits alone (see alike.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import orjson

from flowery_logging.late import late
from flowery_logging.redaction import commands, digit_runs, escapes
from flowery_logging.redaction.flat import Place
from flowery_logging.redaction.name_signs import NameSigns
from flowery_logging.redaction.said_signs import may_be_said, may_be_said_in_korean
from flowery_logging.redaction.stems import LONG_TEXT, ZEROS
from flowery_logging.redaction.token_runs import RUN, TOKEN_SIGNS, has_token
from flowery_logging.redaction.uuids import without_uuids

NUMBERS: Final = 1
ADDRESSES: Final = 2
NAMED: Final = 4
SCHEMES: Final = 8
TOKENS: Final = 16
FURTHER: Final = 32
"""What may be in a text, as bits: which finders are to look at it with care."""

PLACED: Final = ADDRESSES | NAMED | SCHEMES | TOKENS
"""Kinds of secrets that are told by what stands around them; of tokens, those with dots are."""

_ALL: Final = NUMBERS | ADDRESSES | NAMED | SCHEMES | TOKENS | FURTHER
_LONGEST: Final = 400_000
"""Bytes of texts that are looked at: of longer ones a part is searched with care (see ends.py)."""

_SIX_DIGITS: Final = "0" * 6

# What is left of a text that has a sign of an assignment, an address, HTML or a foreign number.
_SIGNS: Final = b"=:@\\'<$`%&" + bytes((0xC2, 0xE1, 0xE2, 0xE3, 0xEF))
_QUIET: Final = bytes(code for code in range(256) if code not in _SIGNS)
_RUNS: Final = bytes(
    120 if code in TOKEN_SIGNS else 61 if code in _SIGNS else 32 for code in range(256)
)
# The end of a line, and a tab, are a letter here, behind a backslash.
_OPTION_SIGN: Final = late(rb"-(?:(?:(?<=[ \"'(]-)|(?<=\\[nrt]-))[A-Za-z-]|-)")
# It begins with a sign, not with a group: so `re` looks for that sign alone.
_OPTION: Final = late(r"-(?:(?<![\w-]-)|(?<=\\[nrt]-))-?([A-Za-z][\w-]{0,63})")
_KEY: Final = late(r"(?:[?&;\"'0]|\\[nrt])key=[0a-z_]{24}")
# What stands in escapes, of URLs and of JSON.
_ESCAPED_ASCII: Final = late("%[0-7][0-9A-Fa-f]")
_ESCAPED_BYTE: Final = late("%[89A-Fa-f][0-9A-Fa-f]")
_ESCAPED_CODE: Final = late(r"\\\\(?:u[0a-f]{4}|x[0a-f]{2})")
ENTITY: Final = late("&(?:amp;)*(?:quot|QUOT|apos|APOS|lt|LT|nbsp|#[0-9xX])")
_CONTROL: Final = "\\u00"
"""How signs of control begin in JSON, with zeros as digits."""

_CONTROLS: Final = (b"\\u001b[", b"\\u0000")
"""Those that a text is read without: the code of a colour, and a NUL."""

# A host, and a port or path, behind the password that stands before it.
_HOST: Final = late(r"@(?:(?://)?[\w.-]{1,253}(?::[0-9]{2}|/[\w?-])|(?:tcp|udp|unix)\(|/\w)")
_FEW_DASHES: Final = 8
_WIDE_EQUALS: Final = "\uff1d".encode()
_WIDE_COLON: Final = "\uff1a".encode()


class Suspicion:
    """Looks quickly.

    Args:
        secret: further names of secrets.
        safe: names that are shown although a rule would hide them.
        further: other kinds (see `redactor.Kind`).
    """

    def __init__(
        self,
        secret: Iterable[str] = (),
        safe: Iterable[str] = (),
        further: Iterable[Any] = (),
    ) -> None:
        further = tuple(further)
        self._names = NameSigns(secret, safe, further)
        self._further = tuple(kind.sign for kind in further)

    def further_in(self, encoded: bytes) -> int:
        """Return what tells that further kinds may be in texts, or 0."""
        return any(may_be_in(encoded) for may_be_in in self._further) * FURTHER

    def look(self, encoded: bytes, *, is_inner: bool = False) -> int:  # noqa: C901, PLR0912 - a sign for each kind
        """Return the kinds that one or many texts may hold, in UTF-8 or JSON; 0 is none.

        Of further ones only those are told that stand in escapes (see `further_in`). `is_inner`:
        the texts are without their escapes. Of very long ones everything is suspected.
        """
        if len(encoded) > _LONGEST:
            return _ALL
        given = encoded
        if len(encoded) > LONG_TEXT:
            encoded = without_uuids(encoded)
        # A str is searched ten times as fast as bytes; `in` takes a third of what find() takes.
        coarse = encoded.translate(digit_runs.COARSE).decode("latin-1")
        kinds, size = 0, len(encoded)
        if size > LONG_TEXT and not is_inner and "\\\\u" in coarse:
            inner = _with_letters(encoded, coarse)
            if inner:
                return self.look(inner, is_inner=True) | self.further_in(inner)
        runs = encoded.translate(_RUNS).decode("latin-1")
        has_run = RUN in runs or encoded is not given  # a UUID is one
        if digit_runs.LONG in coarse and digit_runs.has_number(encoded, coarse):
            kinds = NUMBERS
        if size > LONG_TEXT and "=" in runs and not self._names.may_be_in(encoded, coarse):
            runs = runs if has_run else ""
            return kinds | self._without_names(encoded, coarse, runs, is_inner=is_inner)
        if (
            ("b" in coarse and ("bearer" in coarse or "basic" in coarse))
            or "kakaoak" in coarse
            or "portone" in coarse
        ):
            kinds |= SCHEMES
        text = encoded.translate(ZEROS).decode("latin-1")
        if has_run:
            kinds |= has_token(text, runs) * TOKENS
            if "key=" in coarse and _KEY.search(coarse):
                kinds |= NAMED
            if "ENV " in text or "setx " in text:
                kinds |= NAMED
        # Credentials of these schemes are long; in base64 their runs may be shorter.
        if (has_run or "/" in text or "+" in text) and (
            "token0" in coarse
            or "ssws" in coarse
            or "googlelogin" in coarse
            or "negotiate" in coarse
            or "ntlm" in coarse
            or "sharedaccesssignature" in coarse
            or "key0" in coarse
            or "secret0" in coarse
            or "sess" in coarse
            or ("0plain" in coarse and "auth" in coarse)
        ):
            kinds |= SCHEMES
        if "j" in coarse and "eyj" in coarse:
            kinds |= TOKENS
        if "=" in runs:
            signs = encoded.translate(None, _QUIET).decode("latin-1")
            look = self._signs if is_inner else self._escaped
            kinds |= look(signs, encoded, coarse, text)
        if "-" in text and (
            _may_have_option(encoded) if size >= LONG_TEXT else _OPTION_SIGN.search(encoded)
        ):
            kinds |= self._options(text, coarse)
        if "q" in coarse and "rabbitmqctl" in coarse:
            kinds |= NAMED
        if "auth" in coarse and ("AUTH " in text or "masterauth" in coarse):
            kinds |= NAMED
        if not encoded.isascii() and may_be_said_in_korean(encoded):
            kinds |= NAMED
        if (
            ("0is" in coarse and ("0is0" in coarse or "0is:" in coarse))
            or "pass" in coarse
            or "pwd" in coarse
            or (
                _SIX_DIGITS in coarse
                and (
                    "code0" in coarse
                    or "otp0" in coarse
                    or "licen" in coarse
                    or "0as0your0" in coarse
                )
            )
        ) and (
            may_be_said(encoded, coarse)
            or "0is0your0" in coarse
            or "config0set0" in coarse
            or "chpasswd" in coarse
            or "generated0for0" in coarse
            or "generated:0" in coarse
        ):
            kinds |= NAMED
        return kinds

    def _without_names(self, encoded: bytes, coarse: str, runs: str, *, is_inner: bool) -> int:
        """Return the kinds of a long text that has signs, and no name of a secret in it.

        `runs` is empty where it has none.
        """
        text = _zeroed(encoded)
        kinds = has_token(text, runs) * TOKENS if runs else 0
        signs = encoded.translate(None, _QUIET).decode("latin-1")
        look = self._signs if is_inner else self._escaped
        kinds |= look(signs, encoded, coarse, text, may_name=False)
        if "-" in text and _may_have_option(encoded):
            kinds |= self._options(text, coarse)
        return kinds

    def _escaped(
        self, signs: str, encoded: bytes, coarse: str, text: str, *, may_name: bool = True
    ) -> int:
        """Return the kinds that a text with signs may hold, in its escapes and elsewhere."""
        may_have_code = "\\" in signs and ("\\\\u" in coarse or "\\\\x" in coarse)
        has_control = (
            "\\" in signs and _CONTROL in text and any(map(encoded.__contains__, _CONTROLS))
        )
        inner = _with_letters(encoded, coarse) if may_have_code else b""
        if inner:
            return self._letters(inner) | self.further_in(inner)
        kinds = self._signs(signs, encoded, coarse, text, may_name=may_name)
        if has_control:
            return kinds | self._without_escapes(encoded)
        if may_have_code or "%" in signs:
            kinds |= self._inside(encoded, coarse)
        if "&" in signs and ";" in text and ENTITY.search(text):
            kinds |= self._without_escapes(encoded)
        return kinds

    def _inside(self, encoded: bytes, coarse: str) -> int:
        """Return the kinds that a text may hold in its escapes."""
        text = encoded.decode("latin-1")
        if _ESCAPED_ASCII.search(text) or _ESCAPED_CODE.search(coarse):
            return self._without_escapes(encoded)
        if not _ESCAPED_BYTE.search(text):
            return 0
        inner = unquote_to_bytes(encoded)  # a word for which somebody searched, mostly
        if _WIDE_EQUALS in inner or _WIDE_COLON in inner:
            return self._without_escapes(encoded)
        is_number = digit_runs.has_foreign(inner.decode("latin-1")) or (
            digit_runs.LONG in coarse and digit_runs.has_number_in(inner)
        )
        runs = inner.translate(_RUNS).decode("latin-1")
        kinds = has_token(_zeroed(inner), runs) * TOKENS if RUN in runs else 0
        return kinds | is_number * NUMBERS | may_be_said_in_korean(inner) * NAMED

    def _without_escapes(self, encoded: bytes) -> int:
        whole = orjson.dumps(escapes.plain(encoded.decode("utf-8", "replace")))
        return self.look(whole, is_inner=True) | self.further_in(whole)

    def _letters(self, encoded: bytes) -> int:
        """Return the kinds that depend on letters that stood in escapes: Hangul, mostly.

        Tokens, schemes and options are ASCII: they have been looked for where they stand.
        """
        coarse = encoded.translate(digit_runs.COARSE).decode("latin-1")
        signs = encoded.translate(None, _QUIET).decode("latin-1")
        may_name = len(encoded) <= LONG_TEXT or self._names.may_be_in(encoded, coarse)
        text = _zeroed(encoded)
        kinds = self._signs(signs, encoded, coarse, text, may_name=may_name) if signs else 0
        if digit_runs.LONG in coarse and digit_runs.has_number(encoded, coarse):
            kinds |= NUMBERS
        return kinds | (may_name and may_be_said_in_korean(encoded)) * NAMED

    def _signs(
        self, signs: str, encoded: bytes, coarse: str, text: str, *, may_name: bool = True
    ) -> int:
        kinds = 0
        if "@" in signs and (
            "://" in coarse
            or ":thin:" in coarse
            or "netloc" in coarse
            or (":" in signs and _may_have_login(signs, text))
        ):
            kinds = ADDRESSES
        if "@" in signs and "sqlplus0" in coarse:
            kinds |= NAMED
        if not signs.isascii() and digit_runs.has_foreign(text):
            kinds |= NUMBERS
        if "$" in signs:
            kinds |= TOKENS
        if "\\" in signs and "gfzc0dvcmq0" in coarse:
            kinds |= SCHEMES
        if may_name and self._names.stand_before(signs, encoded, coarse, text):
            kinds |= NAMED
        return kinds

    def places(self, text: str) -> list[Place]:
        """Return where names that may be a secret's stand before a sign, in order."""
        return self._names.places(text)

    def _options(self, text: str, coarse: str) -> int:
        kinds = TOKENS if "00000begin" in coarse else 0
        if self._names.are_any({*_OPTION.findall(text)}):
            return kinds | NAMED
        if any(name in coarse for name in commands.SIGNS):
            kinds |= NAMED
        return kinds


def _with_letters(encoded: bytes, coarse: str) -> bytes:
    """Return a text whose only escapes are those of letters with these letters in it; else b""."""
    is_other = b"\\\\u00" in encoded or "\\\\x" in coarse or b"\\u001b[" in encoded
    if is_other or not _ESCAPED_CODE.search(coarse):
        return b""
    return escapes.with_letters(encoded)


def _zeroed(encoded: bytes) -> str:
    """Return a text in UTF-8, read as Latin-1, with zeros as digits."""
    return encoded.translate(ZEROS).decode("latin-1")


def _may_have_login(signs: str, text: str) -> bool:
    """Tell whether a password may stand before an `@`, and a port or path behind its host.

    Oracle's stands behind a slash, not a colon: what tells it is the port.
    """
    is_before = signs.find(":") < signs.rfind("@")
    return (is_before or ":0000" in text) and _HOST.search(text) is not None


def _may_have_option(encoded: bytes) -> bool:
    """Tell of a long text whether a dash may begin an option, or a block of a key."""
    if encoded.count(b"-") > _FEW_DASHES:
        return _OPTION_SIGN.search(encoded) is not None
    place = encoded.find(b"-")
    while place >= 0:
        if _OPTION_SIGN.match(encoded, place):
            return True
        place = encoded.find(b"-", place + 1)
    return False
