"""The quick look: which kinds of secrets may stand in a text? It lets no secret pass.

It is taken at each event, over its message and texts at once, as UTF-8 and as they stand in JSON.
A secret has a sign: a run of digits, a long run of a token's characters, the name of a scheme, or a
name before `=` and its like. Texts without one are left at once. Names are looked up among those
that came before, so that `page=2` costs no more than finding the sign.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import orjson

from flowery_logging.kept import Kept
from flowery_logging.redaction import commands, escapes
from flowery_logging.redaction.flat import Place, flat
from flowery_logging.redaction.forms import FORMS
from flowery_logging.redaction.names import ENDINGS, KEY_CHARS, Names
from flowery_logging.redaction.stems import ZEROS, Stems
from flowery_logging.redaction.urls import may_let_in
from flowery_logging.redaction.values import is_doubtful

NUMBERS: Final = 1
ADDRESSES: Final = 2
NAMED: Final = 4
SCHEMES: Final = 8
TOKENS: Final = 16
FURTHER: Final = 32
"""What may be in a text, as bits: which finders are to look at it with care."""

# In lower case; digits and what stands between them as zeros, so that twelve may be a number.
_COARSE: Final = bytes(48 if code in b"0123456789 -+." else code for code in range(256)).lower()
_LONG_NUMBER: Final = "0" * 12
_DIGITS_OF_NUMBER: Final = 13
_THIRTEEN: Final = "0" * _DIGITS_OF_NUMBER
_SIX_DIGITS: Final = "0" * 6
_NO_DIGIT: Final = re.compile("[^0]")
# How a number begins that is a card's (by its issuer) or a resident's (a date). So many digits
# behind a dot are those of a fraction.
_NUMBER: Final = re.compile(
    rb"[0-9](?:(?<![0-9].)(?:(?<![A-Za-z.-].)|(?<=[^0-9][.-].)(?<![0-9a-f]{4}-.)|(?<=\\[bfnrt].))"
    rb"|(?<=\\u00[0-9a-f][0-9a-f].))"
    rb"(?:(?:(?<=[3469])|(?<=5)(?=[1-5])|(?<=2)(?=[2-7]))(?:(?:[ +-]|\.(?![0-9]{8})){0,2}[0-9]){12}"
    rb"|[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ +.-]{0,3}[0-9]{7})"
)
_FRACTION: Final = re.compile(rb"[ +-]{0,3}[0-9]{1,11}\.[0-9]{8,}")
# Digits with a foreign blank or dash between them (see `numbers.NORMAL`), or full-width ones.
_FOREIGN_NUMBER: Final = re.compile(
    "[0-9](?:\xc2[\xa0\xad]|\xe1\x9a\x80|\xe2\x80[\x80-\x95\xaf]|\xe2\x81\x9f|\xe2\x88\x92"
    "|\xe3\x80\x80|\xef\xb9[\x98\xa3]|\xef\xbc\x8d){1,2}[0-9]|\xef\xbc[\x90-\x99]"
)

# The signs of a token as one; and a run of them that is shorter than any of `FORMS`.
_TOKEN_SIGNS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_RUN: Final = "x" * 15
_STEMS: Final = [stem for form in FORMS for stem in form.stems if re.fullmatch(r"\w[\w-]*", stem)]
_SHORT_HEADS: Final = frozenset({"aio", "fc", "fw", "pa", "sdk", "tk", "up"})
_LONGER_RUN: Final = 25
"""Heads that are also words of names: `aws-sdk-python`; and how long their tokens are at least."""

_WORDS: Final = (
    frozenset(
        [re.split("[-_]", stem)[0] for stem in _STEMS if not stem.isalnum()]
        + [f"us{number}" for number in range(1, 100)]  # how a key of Mailchimp ends
    )
    - _SHORT_HEADS
)
_BEGINNINGS: Final = frozenset(stem[:3] for stem in _STEMS if stem.isalnum() and len(stem) > 2)
"""What stands in a token between dashes and underscores, or begins there."""

# What is left of a text that has a sign of an assignment, an address, HTML or a foreign number.
_SIGNS: Final = b"=:@\\'<$`%&" + bytes((0xC2, 0xE1, 0xE2, 0xE3, 0xEF))
_QUIET: Final = bytes(code for code in range(256) if code not in _SIGNS)
_RUNS: Final = bytes(
    120 if code in _TOKEN_SIGNS else 61 if code in _SIGNS else 32 for code in range(256)
)


def _names_table(signs: bytes) -> bytes:
    """Return a table that keeps names, with zeros as digits, and `signs` as one; the rest goes."""
    table = bytearray(b" " * 256)
    for code in (*range(128, 256), *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.%-"):
        table[code] = code
    for code in b"0123456789":
        table[code] = 48
    for code in signs:
        table[code] = 61
    return bytes(table)


_ASSIGNED: Final = _names_table(b"=:")
_LISTED: Final = _names_table(b"=:,")
# A colon that is neither a time's nor in front of an address.
_COLON: Final = re.compile(r":(?!//)(?!(?<=[ T:+-][0-9]{2}:)[0-9]{2})")
_ESCAPED_SPACE: Final = re.compile(rb"\\(?:[bfnrt]|u00[01][0-9a-f]|\\xa0)")
_INSERTED: Final = re.compile(
    r"\(([^()]{1,2048})\)(?:0|\\+[nrt]){0,16}values(?:0|\\+[nrt]){0,16}\("
)
_SQL_PASSWORD: Final = re.compile(r"password(?:0{0,4}['(\\]|0for)")
_OPTION_SIGN: Final = re.compile(rb"-(?:(?<=[ \"'(]-)[A-Za-z-]|-)")
# Each begins with a sign, not with a group: so `re` looks for that sign alone.
_OPTION: Final = re.compile(r"-(?<![\w-]-)-?([A-Za-z][\w-]{0,63})")
_ELEMENT: Final = re.compile(r"<([\w.:-]{2,128})")
_ATTRIBUTE: Final = re.compile(r"=(?:(?<=name=)|(?<=key=)|(?<=id=))\\{0,15}[\"']([\w.-]{2,64})")
_CODE: Final = re.compile(r"[?&\s\"]code=[\w.~%/+-]{10}", re.IGNORECASE)
_KEY: Final = re.compile(r"[?&\"0]key=[0a-z_]{24}")
# What stands in escapes, of URLs and of JSON.
_ESCAPED_ASCII: Final = re.compile("%[0-7][0-9A-Fa-f]")
_ESCAPED_BYTE: Final = re.compile("%[89A-Fa-f][0-9A-Fa-f]")
_ESCAPED_CODE: Final = re.compile(r"\\\\u[0a-f]{4}")
_ENTITY: Final = re.compile("&(?:amp;)*(?:quot|QUOT|apos|APOS|lt|LT|#[0-9xX])")
# A host, and a port or path, behind the password that stands before it.
_HOST: Final = re.compile(r"@(?:(?://)?[\w.-]{1,253}(?::[0-9]{2}|/[\w?-])|(?:tcp|udp|unix)\(|/\w)")
# Names that a secret with a digit follows in running text, the first ones in small letters. Each
# begins with a letter, not with a group: so `re` looks for their first letters alone.
_SAID: Final = re.compile(
    "pass(?:word|wd|phrase|code|port)|requirepass|pwd|licen|otp|pin|token|code|secret|api[ _-]key"
    "|access[ _-]key|private[ _-]key|signing[ _-]key|encryption[ _-]key|service[ _-]key"
)
_SAID_IN_KOREAN: Final = re.compile(
    "비밀|인증|본인|여권|면허|핀|비번|암호|패스워드|토큰|보안|뒷자리|시크릿|액세스|API|api|PIN|OTP"
)
_DIGITS: Final = bytes(48 if code in b"0123456789" else 32 for code in range(256))

SHOWN: Final = 0
HIDES: Final = 1
UNCLEAR: Final = 2
"""What a name says of the value behind it."""

_SCHEMES: Final = frozenset(
    {"digest", "aws0-hmac-sha000", "aws", "hawk", "signature", "hmac", "oauth"}
)
"""Schemes whose credentials are `name=value`; and how the first of these may be called."""

_BEFORE_SIGNS: Final = frozenset(" \"'")
"""What does not stand before the sign in a query."""

_FIRST: Final = frozenset({
    "username", "realm", "id", "keyid", "credential", "algorithm", "nonce", "access_key", "mac",
    "headers", "response", "uri", "ts", "hash", "app", "client", "client_id",
})  # fmt: skip

_INPUTS: Final = frozenset({"value", "input", "input_value", "val", "default", "new_value"})
"""Names of what is under another name: `{"name": "password", "value": …}`."""

_INSIDE: Final = frozenset(".:~")
"""What stands inside tokens: `SG.…`, `123456789:AA…`, `abc8Q~…`."""

_BEHIND_COLON: Final = ("AA", "APA91b")
_BEFORE_DOT: Final = ("SG", "hvs", "hvb", "hvr", "ya29")
"""What stands around the sign in those tokens whose second part may be short."""

_ASANA: Final = 32
"""Characters behind the colon in a token of Asana, `2/1201…:…`."""

_LONG_WORD: Final = 40
"""So many letters without a digit are no word."""

_OF_GOOGLE: Final = frozenset("/4")
"""What stands before the slash in front of its tokens: `1//0…`, `4/0A…`."""

_BASE64: Final = re.compile("IQoJb3|FwoGZX|ABSK|whsec_|fm[12]|essu_|dXNlcj")
_OF_BASE64: Final = frozenset("+/")
_WINDOW: Final = 96
"""Heads of tokens in base 64, whose first run may be short; and how far behind is looked."""

_LINK: Final = 20
"""Characters of a token in the path of a link, at least; and those of Django's: `/c5x8qz-…`."""

_RESET: Final = 39
_LINKS: Final = (
    "reset/", "password/", "verify/", "email/", "confirm/", "activate/", "activation/", "magic/",
    "verification/", "link/", "invite/", "invitation/", "invitations/", "unsubscribe/",
)  # fmt: skip
"""What stands before it."""

_WEBHOOKS: Final = ("hooks.slack", "/webhooks/", "hook.dooray", "jandi.com/", "webhookb2")
_STAGES: Final = frozenset({"sandbox", "development", "production"})
_PLAID: Final = 48
"""Characters of a token of Plaid, which has the name of a stage in it."""

_TWILIO: Final = frozenset({"SK", "AC"})
_OF_OTHERS: Final = _INPUTS | _FIRST | {re.sub("[0-9]", "0", ending) for ending in ENDINGS}

_SHORT: Final = 128
"""So little is searched as fast as it is told where in it there are many digits."""

_LONG: Final = 512
_FEW_DASHES: Final = 8
_FEW_SIGNS: Final = 16
"""Of a text so long with so few signs only what stands around these is looked at."""


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
        # Names are asked for with zeros in place of all digits.
        own = [re.sub("[0-9]", "0", name) for name in secret]
        shown = (name for name in safe if not re.search("[0-9]", name))
        self._judge = Names((*own, "cvv0", "cvc0"), shown).judge
        self._stems = Stems(own)
        self._names: Kept[str, int] = Kept()
        self._further = tuple(kind.sign for kind in further)
        self._are_names = tuple(kind.is_name for kind in further)

    def look(self, encoded: bytes, *, is_inner: bool = False) -> int:  # noqa: C901, PLR0912 - a sign for each kind
        """Return the kinds that one or many texts may hold, in UTF-8 or JSON; 0 is none.

        `is_inner`: they are without their escapes, and are searched once more in any case.
        """
        # A str is searched ten times as fast as bytes; `in` takes a third of what find() takes.
        coarse = encoded.translate(_COARSE).decode("latin-1")
        runs = encoded.translate(_RUNS).decode("latin-1")
        kinds, size = 0, len(encoded)
        if _LONG_NUMBER in coarse and (
            _NUMBER.search(encoded, coarse.find(_LONG_NUMBER))
            if size < _SHORT
            else _has_number(encoded, coarse)
        ):
            kinds = NUMBERS
        if size > _LONG and "=" in runs and not self._may_name(encoded):
            return kinds | self._without_names(encoded, coarse, runs, is_inner=is_inner)
        if (
            ("b" in coarse and ("bearer" in coarse or "basic" in coarse))
            or "kakaoak" in coarse
            or "portone" in coarse
        ):
            kinds |= SCHEMES
        text = encoded.decode("latin-1")
        has_run = _RUN in runs
        if has_run:
            kinds |= _tokens(text, runs)
            if "key=" in coarse and _KEY.search(coarse):
                kinds |= NAMED
            if "ENV " in text:
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
            if is_inner:
                kinds |= self._signs(signs, encoded, coarse, text)
            else:
                kinds |= self._escaped(signs, encoded, coarse, text)
        if "-" in text and (
            _may_have_option(encoded) if size >= _LONG else _OPTION_SIGN.search(encoded)
        ):
            kinds |= self._options(text, coarse)
        if "AUTH " in text:
            kinds |= NAMED
        if not encoded.isascii() and _is_said_in_korean(encoded):
            kinds |= NAMED
        if (
            "0is0" in coarse
            or "pass" in coarse
            or (
                _SIX_DIGITS in coarse
                and ("code0" in coarse or "otp0" in coarse or "licen" in coarse)
            )
        ) and (_is_said(encoded) or "0is0your0" in coarse or "config0set0" in coarse):
            kinds |= NAMED
        for may_be_in in self._further:
            if may_be_in(encoded):
                return kinds | FURTHER
        return kinds

    def _without_names(self, encoded: bytes, coarse: str, runs: str, *, is_inner: bool) -> int:
        """Return the kinds of a long text that has signs, and no name of a secret in it."""
        text = encoded.decode("latin-1")
        kinds = _tokens(text, runs) if _RUN in runs else 0
        signs = encoded.translate(None, _QUIET).decode("latin-1")
        look = self._signs if is_inner else self._escaped
        kinds |= look(signs, encoded, coarse, text, may_name=False)
        if "-" in text and _may_have_option(encoded):
            kinds |= self._options(text, coarse)
        return kinds | any(sign(encoded) for sign in self._further) * FURTHER

    def _may_name(self, encoded: bytes) -> bool:
        """Tell of a long text, quickly, whether a name of a secret or of a scheme may be in it."""
        return bool(self._are_names) or self._stems.may_be_in(encoded)

    def _escaped(
        self, signs: str, encoded: bytes, coarse: str, text: str, *, may_name: bool = True
    ) -> int:
        """Return the kinds that a text with signs may hold, in its escapes and elsewhere."""
        may_have_code = "\\" in signs and "\\\\u" in coarse
        if may_have_code and "\\\\u00" not in text and _ESCAPED_CODE.search(coarse):
            inner = escapes.with_letters(encoded)
            if inner:
                return self._letters(inner)
        kinds = self._signs(signs, encoded, coarse, text, may_name=may_name)
        if may_have_code or "%" in signs:
            kinds |= self._inside(encoded, coarse, text)
        if "&" in signs and ";" in text and _ENTITY.search(text):
            kinds |= self._without_escapes(encoded)
        return kinds

    def _inside(self, encoded: bytes, coarse: str, text: str) -> int:
        """Return the kinds that a text may hold in its escapes."""
        if _ESCAPED_ASCII.search(text) or _ESCAPED_CODE.search(coarse):
            return self._without_escapes(encoded)
        if not _ESCAPED_BYTE.search(text):
            return 0
        inner = unquote_to_bytes(encoded)  # a word for which somebody searched, mostly
        is_number = _FOREIGN_NUMBER.search(inner.decode("latin-1")) or (
            _LONG_NUMBER in coarse and _NUMBER.search(inner)
        )
        runs = inner.translate(_RUNS).decode("latin-1")
        kinds = _tokens(inner.decode("latin-1"), runs) if _RUN in runs else 0
        return kinds | (NUMBERS if is_number else 0) | _is_said_in_korean(inner) * NAMED

    def _without_escapes(self, encoded: bytes) -> int:
        whole = escapes.plain(encoded.decode("utf-8", "replace"))
        return self.look(orjson.dumps(whole), is_inner=True)

    def _letters(self, encoded: bytes) -> int:
        """Return the kinds that depend on letters that stood in escapes: Hangul, mostly.

        Tokens, schemes and options are ASCII: they have been looked for where they stand.
        """
        coarse = encoded.translate(_COARSE).decode("latin-1")
        signs = encoded.translate(None, _QUIET).decode("latin-1")
        may_name = len(encoded) <= _LONG or self._may_name(encoded)
        text = encoded.decode("latin-1")
        kinds = self._signs(signs, encoded, coarse, text, may_name=may_name) if signs else 0
        if _LONG_NUMBER in coarse and _has_number(encoded, coarse):
            kinds |= NUMBERS
        return kinds | (may_name and _is_said_in_korean(encoded)) * NAMED

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
        if not signs.isascii() and _FOREIGN_NUMBER.search(text):
            kinds |= NUMBERS
        if "$" in signs:
            kinds |= TOKENS
        if "\\" in signs and "gfzc0dvcmq0" in coarse:
            kinds |= SCHEMES
        if may_name and self._is_named(signs, encoded, coarse, text):
            kinds |= NAMED
        return kinds

    def _is_named(  # noqa: PLR0911 - a sign for each kind
        self, signs: str, encoded: bytes, coarse: str, text: str
    ) -> bool:
        """Tell whether there is a name of a secret, in a place where its value may follow."""
        if ("'" in signs or "\\" in signs) and (
            ("values" in coarse and self._is_inserted(encoded, coarse))
            or "identified0" in coarse
            or "duplicate0entry" in coarse
            or ("password" in coarse and _SQL_PASSWORD.search(coarse))
        ):
            return True
        if (
            "<" in signs
            and ("=" in signs or "</" in coarse or "<![" in coarse)
            and self._is_tagged(encoded)
        ):
            return True
        if "\\" in signs and (
            "AUTH\\" in text or ("|" in text and "\\n" in text and self._has_column(encoded))
        ):
            return True
        is_list = ("'" in signs and "'," in text) or ("\\" in signs and '\\",' in text)
        if (
            not is_list
            and "=" not in signs
            and "\xef" not in signs
            and not (":" in signs and _COLON.search(text))
        ):
            return False
        if is_list and ("('" in text or "(\\" in text) and _has_order(coarse):
            return True
        is_long = len(encoded) > _LONG
        if is_long and not is_list and len(signs) < _FEW_SIGNS:
            encoded = _around_signs(encoded)
        if "\\" in signs and coarse.count("\\") != coarse.count('\\"'):
            encoded = _ESCAPED_SPACE.sub(b"  ", encoded)
        if "\xef" in signs:
            encoded = encoded.replace(b"\xef\xbc\x9d", b"=").replace(b"\xef\xbc\x9a", b"=")
        if "=" in signs and (
            "]=" in coarse
            or ("name=\\" in text and "<" not in signs and self._is_tagged(encoded))
            or ("code=" in coarse and _CODE.search(text))
        ):
            return True
        names = encoded.translate(_LISTED if is_list else _ASSIGNED)
        pieces = names.decode("utf-8", "replace").split("=")
        return self._is_assigned({*pieces} if is_long else pieces)

    def _has_column(self, encoded: bytes) -> bool:
        """Tell whether a table may have a column of secrets, where there is a table."""
        if b"--" not in encoded:
            return False
        names = _ESCAPED_SPACE.sub(b"  ", encoded).translate(_ASSIGNED).replace(b"=", b" ")
        return any(map(self._may_hide, names.decode("utf-8", "replace").split()))

    def _is_tagged(self, encoded: bytes) -> bool:
        """Tell whether an element or an attribute of XML may have the name of a secret."""
        text = encoded.decode("utf-8", "replace")
        elements = {name.rpartition(":")[2] for name in _ELEMENT.findall(text)}
        return any(map(self._may_hide, elements.union(_ATTRIBUTE.findall(text))))

    def _is_inserted(self, encoded: bytes, coarse: str) -> bool:
        """Tell whether one of the columns of an INSERT may have the name of a secret."""
        for match in _INSERTED.finditer(coarse):
            columns = encoded[match.start(1) : match.end(1)].translate(_LISTED)
            names = columns.decode("utf-8", "replace").replace("=", " ").split()
            if any(map(self._may_hide, names)):
                return True
        return False

    def _is_assigned(self, pieces: Collection[str]) -> bool:
        """Tell whether a name before one of the signs may be a secret's.

        Of a long text each piece is asked for once: a list of objects has the same ones again.
        """
        known = self._names.get
        named = None
        are_learnt = False
        for piece in pieces:
            words = piece.rsplit(None, 1)
            if words:
                name = words[-1]
                verdict = known(name)
                if verdict is None and not are_learnt:
                    are_learnt = True
                    self._learn_all(pieces)
                    verdict = known(name)
                if verdict is None:
                    verdict = self._learn(name)
                if verdict is HIDES:
                    return True
                if verdict and name.lower() in _INPUTS:
                    named = self._names_any(pieces) if named is None else named
                if verdict and (named or self._is_meant(piece)):
                    return True
        return False

    def _names_any(self, pieces: Collection[str]) -> bool:
        return any(map(self._may_hide, {*" ".join(pieces).split()}))

    def _is_meant(self, piece: str) -> bool:
        """Tell whether a name that alone is no secret's is one with the words before it."""
        words = piece.rsplit(None, 3)
        return len(words) > 1 and (
            words[-2].lower() in _SCHEMES or self._may_hide(" ".join(words[-3:]))
        )

    def places(self, text: str) -> list[Place]:
        """Return where names that may be a secret's stand before a sign, in order."""
        found: list[Place] = []
        start, pieces = 0, flat(text).split("=")
        pieces.pop()
        for piece in pieces:
            words = piece.rsplit(None, 1)
            if words:
                name = words[-1]
                verdict = self._verdict(name)
                if verdict:
                    place, sign = start + len(piece.rstrip()) - len(name), start + len(piece)
                    in_words = text[place - 1 : place] == " " and name.isalnum()
                    if verdict is HIDES:
                        in_query = text[sign] == "=" and text[sign - 1] not in _BEFORE_SIGNS
                        found.append(Place(place, in_words, in_query))
                    elif in_words:
                        found.append(Place(place, in_words=True, in_query=False))
            start += len(piece) + 1
        return found

    def _may_hide(self, name: str) -> bool:
        return self._verdict(name) is HIDES

    def _verdict(self, name: str) -> int:
        verdict = self._names.get(name)
        return self._learn(name) if verdict is None else verdict

    def _learn_all(self, pieces: Collection[str]) -> None:
        """Learn at once what names a text has that are new, as its values have where it lists some.

        They are looked at alone where one of them may be a secret's.
        """
        ends = {words[-1] for piece in pieces if (words := piece.rsplit(None, 1))}
        new = [name for name in ends if len(name) <= KEY_CHARS and name not in self._names]
        if self._are_names or self._stems.may_be_any(new):
            return
        for name in new:
            self._names.keep(name, UNCLEAR if _is_unclear(name) else SHOWN)

    def _learn(self, name: str) -> int:
        """Tell what a name, as it stands between signs, may be; and keep that."""
        whole = name[-KEY_CHARS:].rstrip("%")
        verdict = SHOWN
        last = whole.rpartition(".")[2]
        if self._may_be_secret(whole) or (last != whole and self._may_be_secret(last)):
            verdict = HIDES
        elif _is_unclear(name):
            verdict = UNCLEAR
        if len(name) <= KEY_CHARS:
            self._names.keep(name, verdict)
        return verdict

    def _may_be_secret(self, name: str) -> bool:
        return (
            "%" in name
            or self._judge(name)
            or is_doubtful(name)
            or (may_let_in(name) and name.lower() != "code")
            or any(is_name(name) for is_name in self._are_names)
        )

    def _options(self, text: str, coarse: str) -> int:
        kinds = TOKENS if "00000begin" in coarse else 0
        if any(map(self._may_hide, {*_OPTION.findall(text)})):
            return kinds | NAMED
        if any(name in coarse for name in commands.SIGNS):
            kinds |= NAMED
        return kinds


def _is_unclear(name: str) -> bool:
    """Tell whether a name is a secret's together with what stands before it."""
    name = name.lower()
    return name in _OF_OTHERS or name.startswith("oauth")


def _has_order(coarse: str) -> bool:
    """Tell whether values may stand without their names, in the order of a call."""
    return "auth(" in coarse or "login(" in coarse or "credential" in coarse


def _may_have_login(signs: str, text: str) -> bool:
    """Tell whether a password may stand before an `@`, and a port or path behind its host."""
    is_oracle = ":15" in text or ":248" in text
    return (signs.find(":") < signs.rfind("@") or is_oracle) and _HOST.search(text) is not None


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


def _is_said_in_korean(encoded: bytes) -> bool:
    """Tell whether a name stands in a text that a secret may follow without a sign."""
    return _SAID_IN_KOREAN.search(_to_last_digit(encoded).decode("utf-8", "replace")) is not None


def _is_said(encoded: bytes) -> bool:
    return _SAID.search(_to_last_digit(encoded).decode("latin-1").lower()) is not None


def _to_last_digit(encoded: bytes) -> bytes:
    """Return what stands before the last digit: a name behind that has no value."""
    return encoded[: encoded.translate(_DIGITS).rfind(b"0") + 1]


def _around_signs(encoded: bytes) -> bytes:
    """Return what stands before and directly behind the signs of a long text."""
    places: list[int] = []
    for sign in (b"=", b":", b"\xef"):
        place = encoded.find(sign)
        while place >= 0:
            places.append(place)
            place = encoded.find(sign, place + 1)
    return b" ".join([encoded[max(0, place - KEY_CHARS) : place + 16] for place in sorted(places)])


def _has_number(encoded: bytes, coarse: str) -> bool:
    """Look where digits are many: a number may stand there."""
    if _THIRTEEN not in encoded.translate(ZEROS, b" +-.").decode("latin-1"):
        return False
    start = coarse.find(_LONG_NUMBER)
    while start >= 0:
        behind = _NO_DIGIT.search(coarse, start)
        end = behind.start() if behind else len(coarse)
        if (
            len(encoded[start:end].translate(None, b" +-.")) >= _DIGITS_OF_NUMBER
            and not _FRACTION.fullmatch(encoded, start, end)
            and _NUMBER.search(encoded, start, end)
        ):
            return True
        start = coarse.find(_LONG_NUMBER, end)
    return False


def _tokens(text: str, runs: str) -> int:
    """Look at what is long enough for a token: most are UUIDs, hashes and names."""
    if "hook" in text and any(address in text for address in _WEBHOOKS):
        return TOKENS
    has_signs = "=" in runs
    start = runs.find(_RUN)
    while start >= 0:
        end = runs.find(" ", start)
        if end < 0:
            end = len(runs)
        if has_signs and (sign := runs.find("=", start, end)) >= 0:
            end = sign
        before = text[start - 1] if start else ""
        if before == "\\":  # perhaps an escape, which a token begins behind
            if _has_head(text[start:end]):
                return TOKENS
            start += 5 if text[start] == "u" else 1
        run = text[start:end]
        if (end - start == 36 and run[8] == run[13] == "-") or (before == "." and run.isdigit()):
            pass  # a UUID, a fraction
        elif (
            (before in _INSIDE and _goes_on(text, start, run))
            or _has_head(run)
            or (before in _OF_BASE64 and _is_inside(text, start, end))
        ):
            return TOKENS
        start = runs.find(_RUN, end)
    return 0


def _goes_on(text: str, start: int, run: str) -> bool:
    """Tell whether a run may be the end of a token; after a dot most are names of classes."""
    if text[start - 1] == ":":
        return (
            run.startswith(_BEHIND_COLON)
            or text.endswith("oauth:", 0, start)
            or (len(run) == _ASANA and text[start - 2 : start - 1].isdigit())
        )
    is_word = len(run) < _LONG_WORD and run.replace("_", "").isalpha()
    return not is_word or "~" in text or text[max(0, start - 5) : start - 1].endswith(_BEFORE_DOT)


def _is_inside(text: str, start: int, end: int) -> bool:
    """Tell whether a run behind a slash or a plus may be of a token, in a link or in base 64."""
    if text[start] == "0" and text[start - 2 : start - 1] in _OF_GOOGLE:
        return True
    if end - start >= _LINK and (
        text.endswith(_LINKS, 0, start) or (end - start == _RESET and text[start + 6] == "-")
    ):
        return True
    return _BASE64.search(text, max(0, start - _WINDOW), start) is not None


def _has_head(run: str) -> bool:
    if "-" not in run and "_" not in run:
        return run[:3] in _BEGINNINGS or (len(run) == 34 and run[:2] in _TWILIO)
    parts = run.replace("-", "_").split("_")
    if not (_WORDS.isdisjoint(parts) and _BEGINNINGS.isdisjoint([part[:3] for part in parts])):
        return True
    if parts[0] in _SHORT_HEADS and len(run) >= _LONGER_RUN:
        return True
    if len(run) >= _PLAID and not _STAGES.isdisjoint(parts):
        return True
    return len(run) >= 34 and any(len(part) == 34 and part[:2] in _TWILIO for part in parts)
