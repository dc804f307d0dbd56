"""Pseudonyms: a keyed hash in place of a value, so that the same person is found but not named.

A value is normalised first, so that `010-1234-5678` and `+82 10 1234 5678` have one pseudonym. Who
has no key cannot try out all numbers; who has it can, so keep it as you keep passwords (GDPR,
article 4 (5), calls that pseudonymisation).
"""

from __future__ import annotations

import hmac
import os
import unicodedata
from base64 import b32encode
from collections.abc import Iterable, Mapping
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction import emails, phones
from flowery_logging.redaction.harmless import HMAC
from flowery_logging.redaction.names import squash
from flowery_logging.redaction.personal import kind_of_name
from flowery_logging.redaction.redaction import Make

KEY_VARIABLE: Final = "FLOWERY_LOG_PSEUDONYM_KEY"
OLD_KEYS_VARIABLE: Final = "FLOWERY_LOG_PSEUDONYM_OLD_KEYS"
"""Keys that were used before, comma-separated: nothing is written with them, but found by them."""

LEAST_KEY: Final = 16
"""Characters of a key; `openssl rand -hex 32` makes one of 64."""

_FORM: Final = late(rf"{HMAC}[a-z2-7]{{8}}:[a-z2-7]{{24}}")
_KEY_ID_BYTES: Final = 5  # eight letters of base32
_HASH_BYTES: Final = 15  # twenty-four letters, and no two values of a team that share them


class NoKeyError(ValueError):
    """There is no key, or none that is long enough. The text does not hold it."""


class Key:
    """One key, with the name that its pseudonyms carry. Its `repr` does not show it."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode("utf-8", "surrogateescape")
        self.id = self._hash(b"flowery_logging key id", _KEY_ID_BYTES)

    def __repr__(self) -> str:
        return f"<key {self.id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.id)

    def pseudonym(self, normal: str) -> str:
        """Return the pseudonym of a normalised value."""
        content = normal.encode("utf-8", "surrogatepass")
        return f"{HMAC}{self.id}:{self._hash(content, _HASH_BYTES)}"

    def _hash(self, content: bytes, length: int) -> str:
        digest = hmac.digest(self._secret, content, "sha256")
        return b32encode(digest[:length]).decode().lower()


def keys(environ: Mapping[str, str] | None = None) -> tuple[Key, ...]:
    """Return the keys of the environment, the one that is written with first.

    Raises NoKeyError where there is none, or one is too short.
    """
    environ = os.environ if environ is None else environ
    if not environ.get(KEY_VARIABLE, "").strip():
        raise NoKeyError(f"{KEY_VARIABLE} is not set")
    return _all_keys(environ)


def _all_keys(environ: Mapping[str, str]) -> tuple[Key, ...]:
    """Return the key that is written with, where there is one, and the old ones."""
    old = environ.get(OLD_KEYS_VARIABLE, "").split(",")
    secrets = [
        (environ.get(KEY_VARIABLE, ""), KEY_VARIABLE),
        *((one, OLD_KEYS_VARIABLE) for one in old),
    ]
    found = (_key(one.strip(), variable) for one, variable in secrets if one.strip())
    return tuple(dict.fromkeys(found))


def _key(secret: str, variable: str) -> Key:
    if len(secret) < LEAST_KEY:
        raise NoKeyError(
            f"{variable} has a key of {len(secret)} characters, {LEAST_KEY} are the least"
        )
    return Key(secret)


def of(value: object, kind_or_field: str = "", key: Key | None = None) -> str:
    """Return the pseudonym of a value, as a field of this name or kind has it.

    Without a key, by that of the environment. An empty value, and what is a pseudonym already, is
    returned as it is. Raises NoKeyError.
    """
    text = value if isinstance(value, str) else str(value)
    if is_pseudonym(text):
        return text
    normal = normalised(text, kind_or_field)
    return (key or keys()[0]).pseudonym(normal) if normal else normal


def is_pseudonym(text: str) -> bool:
    """Tell whether a text has the form of a pseudonym."""
    return _FORM.fullmatch(text) is not None


def every(value: object, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return all pseudonyms under which a value may stand: by each kind and each key.

    For whoever searches; the old keys alone are enough. Raises NoKeyError.
    """
    known = _all_keys(os.environ if environ is None else environ) or keys(environ)
    normals = dict.fromkeys(normalised(str(value), kind) for kind in ("", "phone", "email"))
    return tuple(key.pseudonym(normal) for key in known for normal in normals if normal)


def normalised(text: str, kind_or_field: str = "") -> str:
    """Return the one form of a value.

    A phone number is in E.164, an address of electronic mail in small letters without blanks, all
    else in Unicode's form NFKC without blanks around it. What the field's name does not tell, the
    value's own form does.
    """
    kind = kind_of_name(kind_or_field)
    stripped = unicodedata.normalize("NFKC", text).strip()
    number = phones.e164(text) if kind == "phone" or phones.is_number(stripped) else None
    if number is not None:
        return number
    return emails.normalised(stripped, sure=kind == "email") or stripped


class Pseudonyms:
    """Tells which fields are written as pseudonyms, and makes these.

    Args:
        names: of fields: `phone` is any part of a dotted name, `user.email` parts in a row. They
            are compared without case and separators; `phones` and `phone2` are meant too.
        key: the key to write with.
    """

    def __init__(self, names: Iterable[str], key: Key) -> None:
        self._names = [_parts(name) for name in names]
        self._key = key

    def maker(self, path: str) -> Make | None:
        """Return what makes the pseudonym of a scalar under a dotted name; None: it is shown."""
        parts = _parts(path)
        if not any(_holds(parts, name) for name in self._names):
            return None
        return lambda value, _: of(value, path, self._key)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(_one(squash(part)) for part in path.split("."))


def _one(name: str) -> str:
    """Return a name in the singular, without a number at its end."""
    bare = name.rstrip("0123456789") or name
    return bare[:-1] if bare.endswith("s") and not bare.endswith("ss") else bare


def _holds(parts: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return any(parts[at : at + len(name)] == name for at in range(len(parts) - len(name) + 1))
