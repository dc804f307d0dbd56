"""A redactor for teams that hide more than secrets: personal data, and values as pseudonyms.

Secrets are known by one part of a dotted name wherever it stands. Personal data is not: the name of
a customer is personal, that of a file is not; `client.address` is a machine's. So this redactor
judges whole dotted names. Set-ups that choose nothing have a `Redactor`, which costs less.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowery_logging.kept import Kept
from flowery_logging.redaction.counting import Counting
from flowery_logging.redaction.names import KEY_CHARS
from flowery_logging.redaction.personal import OPEN_KINDS, is_network_address, kind_of_name
from flowery_logging.redaction.personal_text import PersonalText
from flowery_logging.redaction.pseudonyms import Pseudonyms
from flowery_logging.redaction.redaction import Kind, Make
from flowery_logging.redaction.redactor import Redactor


class ChosenRedactor(Redactor):
    """Decides what must not be shown.

    Args:
        secret, safe: as for `Redactor`.
        personal: kinds of personal data that are hidden, by name and in texts.
        pseudonyms: which fields are written as pseudonyms, also if another rule would hide them.
        shown: as for `Redactor`.
    """

    by_path = True

    def __init__(
        self,
        secret: Iterable[str] = (),
        safe: Iterable[str] = (),
        personal: Iterable[str] = (),
        pseudonyms: Pseudonyms | None = None,
        shown: int = 32_000,
    ) -> None:
        personal = tuple(personal)
        super().__init__(secret, safe, map(_in_texts, personal), shown)
        self._personal = frozenset(personal)
        self._pseudonyms = pseudonyms
        self._at: Kept[tuple[str, bool], str | None] = Kept()
        self._makers: Kept[str, Make | None] = Kept()

    def kind_at(self, path: str, *, of_object: bool = False) -> str | None:
        """Return the kind that the value of a dotted name is; None: it is shown, or made."""
        key = (path, of_object)
        try:
            return self._at[key]
        except KeyError:
            pass
        kind = self._judge_path(path, of_object=of_object)
        return kind if len(path) > KEY_CHARS else self._at.keep(key, kind)

    def maker(self, path: str) -> Make | None:
        """Return what makes the text that stands for a scalar of a dotted name."""
        try:
            return self._makers[path]
        except KeyError:
            pass
        make = self._pseudonym(path) or self._address(path)
        return make if len(path) > KEY_CHARS else self._makers.keep(path, make)

    def _judge_path(self, path: str, *, of_object: bool) -> str | None:
        if self._pseudonym(path) is not None:
            return None
        secret = super().kind_at(path)
        if secret is not None:
            return secret
        parts = path.split(".")
        for end in range(1, len(parts)):
            kind = self._personal_kind(".".join(parts[:end]))
            if kind is not None and kind not in OPEN_KINDS:
                return kind  # it lies in somebody's address or name
        kind = self._personal_kind(path)
        if of_object:
            return None if kind in OPEN_KINDS else kind
        return None if kind == "address" else kind  # see `_address`

    def _personal_kind(self, path: str) -> str | None:
        kind = kind_of_name(path)
        return kind if kind in self._personal else None

    def _pseudonym(self, path: str) -> Make | None:
        return None if self._pseudonyms is None else self._pseudonyms.maker(path)

    def _address(self, path: str) -> Make | None:
        """Return what hides an address, unless it is a machine's: that shows in its value."""
        if self._personal_kind(path) != "address":
            return None

        def make(value: object, counts: Counting) -> Any:
            return value if is_network_address(value) else self.hide("address", counts)

        return make


def _in_texts(kind: str) -> Kind:
    texts = PersonalText(kind)
    return Kind(kind, texts.find, texts.may_hold, _is_no_key)


def _is_no_key(_: str) -> bool:
    """Leave keys to `kind_at`, which sees the whole name."""
    return False
