"""`labels` and `numeric_labels`: every field of a caller's that has no type of its own.

Numbers go to `numeric_labels`, all else as text to `labels`, so that 7 and "7" never meet in one
field. A name is used once in an event, whichever of the two it stands in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowery_logging.ecs.encode import to_json
from flowery_logging.ecs.names import label_name
from flowery_logging.ecs.plain import AS_IS, is_number, plain, scalar_text
from flowery_logging.ecs.schema import OWN_LABELS

if TYPE_CHECKING:
    from flowery_logging.counters import Counters
    from flowery_logging.ecs.limits import Limits
    from flowery_logging.ecs.redact import Redactor


def label_path(path: str) -> str:
    """Return the name of a label-to-be: a caller's own `labels={…}` loses that first part."""
    root, _, rest = path.partition(".")
    return rest if rest and root in OWN_LABELS else path


class Labels:
    """The labels of one event, under names that Elasticsearch takes."""

    __slots__ = ("_counters", "_limits", "_redactor", "names", "numbers", "texts")

    def __init__(self, limits: Limits, redactor: Redactor, counters: Counters) -> None:
        self._limits = limits
        self._redactor = redactor
        self._counters = counters
        self.texts: dict[str, str | list[str]] = {}
        self.numbers: dict[str, float] = {}
        self.names: set[str] = set()

    def put(self, path: str, value: Any) -> None:
        """Add a plain value under its dotted name."""
        if is_number(value):
            value = self._redactor.clean_number(value)
        if is_number(value):
            self.numbers[self._free_name(path)] = value
            return
        text = self._value(value)
        if text != []:
            self.texts[self._free_name(path)] = text

    def put_at_once(self, name: str, value: Any) -> bool:
        """Add a value that needs no more care, unless its name is taken."""
        if name in self.names:
            return False
        self.names.add(name)
        if type(value) is str:
            self.texts[name] = value
        else:
            self.numbers[name] = value
        return True

    def text(self, text: str) -> str:
        """Return a text without secrets, at most as long as a label may be."""
        return self._cut(self._redactor.clean(text))

    def first(self, items: list[Any]) -> list[Any]:
        """Return as many items of a list as an event may hold."""
        limit = self._limits.items
        if len(items) <= limit:
            return items
        self._counters.add("cut_lists")
        return items[:limit]

    def _value(self, value: Any) -> str | list[str]:
        if type(value) in AS_IS:
            return self.text(scalar_text(value))
        if isinstance(value, list):
            texts = self._texts(value)
            if texts is not None:
                return texts
        return self._cut(to_json(value, self._redactor, self._limits.depth))

    def _texts(self, items: list[Any]) -> list[str] | None:
        """Return a list of scalars as texts, with a note of how many were left out."""
        kept = items if len(items) <= self._limits.items else items[: self._limits.items - 1]
        scalars = [plain(item) for item in kept]
        if any(type(item) not in AS_IS for item in scalars):
            return None
        texts = [self._scalar(item) for item in scalars if item is not None]
        if len(kept) < len(items):
            self._counters.add("cut_lists")
            texts.append(f"… [{len(items) - len(kept)} more]")
        return texts

    def _scalar(self, value: Any) -> str:
        number = self._redactor.clean_number(value) if type(value) is int else value
        return self.text(scalar_text(number))

    def _cut(self, text: str) -> str:
        limit = self._limits.label_chars
        if len(text) <= limit:
            return text
        self._counters.add("cut_values")
        kept = limit - len(f"… [{len(text)} characters left out]")
        return f"{text[: max(0, kept)]}… [{len(text) - max(0, kept)} characters left out]"

    def _free_name(self, path: str) -> str:
        """Return a label's name that no other field of this event has."""
        limit = self._limits.name_chars
        wanted = name = label_name(path, limit)
        number = 1
        while name in self.names:
            number += 1
            suffix = f"_{number}"
            name = wanted[: limit - len(suffix)] + suffix
        if number > 1:
            self._counters.add("renamed_labels")
        self.names.add(name)
        return name
