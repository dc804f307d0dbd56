"""The quick look at names: a secret's may stand where its value follows.

Names are looked up among those that came before, with zeros as digits, so that `page=2` costs no
more than finding the sign.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction.flat import Place, flat
from flowery_logging.redaction.names import ENDINGS, KEY_CHARS, Names
from flowery_logging.redaction.stems import LONG_TEXT, ZEROS, Stems
from flowery_logging.redaction.tables import may_have_rule
from flowery_logging.redaction.urls import may_let_in
from flowery_logging.redaction.values import is_doubtful


def _table(signs: bytes) -> bytes:
    """Return a table that keeps names, with zeros as digits, and `signs` as one; the rest goes."""
    table = bytearray(b" " * 256)
    for code in (*range(128, 256), *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.%-"):
        table[code] = code
    for code in b"0123456789":
        table[code] = 48
    for code in signs:
        table[code] = 61
    return bytes(table)


_ASSIGNED: Final = _table(b"=:")
_LISTED: Final = _table(b"=:,")
# A colon that is neither a time's nor in front of an address.
_COLON: Final = late(r":(?!//)(?!(?<=[ T:+-][0-9]{2}:)[0-9]{2})")
_ESCAPED_SPACE: Final = late(rb"\\(?:[bfnrt]|u00[01][0-9a-f]|\\xa0)")
_INSERTED: Final = late(r"\(([^()]{1,2048})\)(?:0|\\+[nrt]){0,16}values(?:0|\\+[nrt]){0,16}\(")
# A column before what it is compared with, behind its end.
_COMPARED: Final = late(r" (?:[Nn][Oo][Tt] )?(?:[Ii][Nn] ?\(|[Ii]?[Ll][Ii][Kk][Ee] )| ?<>")
_COLUMN: Final = late(r"(\w{2,64})[\"`\]\\]{0,16}\)?\Z")
_LONGEST_COLUMN: Final = 82
_SQL_PASSWORD: Final = late(r"password(?:0{0,4}['(\\]|0for)")
# Each begins with a sign, not with a group: so `re` looks for that sign alone.
_ELEMENT: Final = late(r"<([\w.:-]{2,128})")
_CONTENT: Final = late(r">(?:\s|\\[nrt]){0,32}([\w .-]{2,64}):?(?:\s|\\[nrt]){0,32}</")
_ATTRIBUTE: Final = late(
    r"=(?:(?<=name=)|(?<=key=)|(?<=id=)|(?<=property=)|(?<=Name=)|(?<=Key=))"
    r"\\{0,15}[\"']([\w.-]{2,64})"
)
_CODE: Final = late(r"(?:[?&;\s\"']|\\[nrt])code=[\w.~%/+-]{10}", re.IGNORECASE)

SHOWN: Final = 0
HIDES: Final = 1
UNCLEAR: Final = 2
"""What a name says of the value behind it."""

_SCHEMES: Final = frozenset(
    {"digest", "aws0-hmac-sha000", "aws", "hawk", "signature", "hmac", "oauth"}
)
"""Schemes whose credentials are `name=value`; and how the first of these may be called."""

_FIRST: Final = frozenset({
    "username", "realm", "id", "keyid", "credential", "algorithm", "nonce", "access_key", "mac",
    "headers", "response", "uri", "ts", "hash", "app", "client", "client_id",
})  # fmt: skip

_INPUTS: Final = frozenset({"value", "input", "input_value", "val", "default", "new_value"})
"""Names of what is under another name: `{"name": "password", "value": …}`."""

_OF_OTHERS: Final = _INPUTS | _FIRST | {re.sub("[0-9]", "0", ending) for ending in ENDINGS}

_BEFORE_SIGNS: Final = frozenset(" \"'")
"""What does not stand before the sign in a query."""

_FEW_SIGNS: Final = 16
"""Of a long text with so few signs only what stands around these is looked at."""


class NameSigns:
    """Looks for names.

    Args:
        secret: further names of secrets.
        safe: names that are shown although a rule would hide them.
        further: other kinds (see `redactor.Kind`).
    """

    def __init__(self, secret: Iterable[str], safe: Iterable[str], further: Iterable[Any]) -> None:
        own = [re.sub("[0-9]", "0", name) for name in secret]
        shown = (name for name in safe if not re.search("[0-9]", name))
        self._judge = Names(own, shown).judge
        self._stems = Stems(own)
        self._names: Kept[str, int] = Kept()
        self._are_names = tuple(kind.is_name for kind in further)

    def may_be_in(self, encoded: bytes, coarse: str) -> bool:
        """Tell of a long text, quickly, whether a name of a secret or of a scheme may be in it."""
        return bool(self._are_names) or self._stems.may_be_in(encoded, coarse)

    def stand_before(  # noqa: PLR0911 - a sign for each kind
        self, signs: str, encoded: bytes, coarse: str, text: str
    ) -> bool:
        """Tell whether there is a name of a secret, in a place where its value may follow.

        `signs` are those of the text, one behind the other, and `coarse` is it in lower case, with
        zeros in place of digits and of what stands between them.
        """
        if ("'" in signs or "\\" in signs) and (
            ("values" in coarse and self._is_inserted(encoded, coarse))
            or "identified0" in coarse
            or "duplicate0entry" in coarse
            or ("password" in coarse and _SQL_PASSWORD.search(coarse))
            or (
                ("0in0(" in coarse or "like0" in coarse or ("<" in signs and "<>" in coarse))
                and self._is_compared(text)
            )
        ):
            return True
        if (
            "<" in signs
            and ("=" in signs or "</" in coarse or "<![" in coarse)
            and self._is_tagged(encoded)
        ):
            return True
        if "\\" in signs and (
            "AUTH\\" in text
            or ("\\n" in text and _has_rule(signs, text) and self._has_column(encoded))
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
        is_long = len(encoded) > LONG_TEXT
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
            or ("..." in text and "input_value=" in coarse)
        ):
            return True
        names = encoded.translate(_LISTED if is_list else _ASSIGNED)
        pieces = names.decode("utf-8", "replace").split("=")
        return self._is_assigned({*pieces} if is_long else pieces)

    def _has_column(self, encoded: bytes) -> bool:
        """Tell whether a table may have a column of secrets, where there is a rule."""
        names = _ESCAPED_SPACE.sub(b"  ", encoded).translate(_ASSIGNED).replace(b"=", b" ")
        return self.are_any(names.decode("utf-8", "replace").split())

    def _is_tagged(self, encoded: bytes) -> bool:
        """Tell whether an element of XML, its attribute or content may be the name of a secret."""
        text = encoded.translate(ZEROS).decode("utf-8", "replace")
        elements = {name.rpartition(":")[2] for name in _ELEMENT.findall(text)}
        return self.are_any(elements.union(_ATTRIBUTE.findall(text), _CONTENT.findall(text)))

    def _is_inserted(self, encoded: bytes, coarse: str) -> bool:
        """Tell whether one of the columns of an INSERT may have the name of a secret."""
        for match in _INSERTED.finditer(coarse):
            columns = encoded[match.start(1) : match.end(1)].translate(_LISTED)
            if self.are_any(columns.decode("utf-8", "replace").replace("=", " ").split()):
                return True
        return False

    def _is_compared(self, text: str) -> bool:
        """Tell whether a column that is compared with a list or a pattern may be a secret's."""
        found = (
            _COLUMN.search(text, max(0, match.start() - _LONGEST_COLUMN), match.start())
            for match in _COMPARED.finditer(text)
        )
        return self.are_any(column[1] for column in found if column is not None)

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
                    self._learn_all(_last_words(pieces))
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
        return self.are_any({*" ".join(pieces).split()})

    def _is_meant(self, piece: str) -> bool:
        """Tell whether a name that alone is no secret's is one with the words before it."""
        words = piece.rsplit(None, 3)
        return len(words) > 1 and (
            words[-2].lower() in _SCHEMES or self._verdict(" ".join(words[-3:])) is HIDES
        )

    def places(self, text: str) -> list[Place]:
        """Return where names that may be a secret's stand before a sign, in order."""
        found: list[Place] = []
        start, pieces = 0, flat(text).split("=")
        pieces.pop()
        self._learn_all(_last_words(pieces))
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

    def are_any(self, names: Iterable[str]) -> bool:
        """Tell whether one of some names may be a secret's."""
        different = {*names}
        self._learn_all(different)
        return any(self._verdict(name) is HIDES for name in different)

    def _verdict(self, name: str) -> int:
        verdict = self._names.get(name)
        return self._learn(name) if verdict is None else verdict

    def _learn_all(self, names: Iterable[str]) -> None:
        """Learn at once which of the names that are new may not be a secret's: most are none's.

        The others are looked at with care, each alone.
        """
        new = [name for name in names if name not in self._names and len(name) <= KEY_CHARS]
        if not new or self._are_names:
            return
        for name, may_be_secret in zip(new, self._stems.that_may_be(new), strict=True):
            if not may_be_secret:
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


def _has_rule(signs: str, text: str) -> bool:
    """Tell whether the rule of a table may be in a text; box drawing begins with these bytes."""
    is_drawn = "\xe2" in signs and ("\xe2\x94" in text or "\xe2\x95" in text)
    return is_drawn or may_have_rule(text)


def _last_words(pieces: Iterable[str]) -> set[str]:
    return {words[-1] for piece in pieces if (words := piece.rsplit(None, 1))}


def _is_unclear(name: str) -> bool:
    """Tell whether a name is a secret's together with what stands before it."""
    name = name.lower()
    return name in _OF_OTHERS or name.startswith("oauth")


def _has_order(coarse: str) -> bool:
    """Tell whether values may stand without their names, in the order of a call."""
    return "auth(" in coarse or "login(" in coarse or "credential" in coarse


def _around_signs(encoded: bytes) -> bytes:
    """Return what stands before and directly behind the signs of a long text."""
    places: list[int] = []
    for sign in (b"=", b":", b"\xef"):
        place = encoded.find(sign)
        while place >= 0:
            places.append(place)
            place = encoded.find(sign, place + 1)
    return b" ".join([encoded[max(0, place - KEY_CHARS) : place + 16] for place in sorted(places)])
