"""What becomes of one value, in a field or in a label: converted, without secrets, cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowery_logging.ecs.conversion import MISFIT
from flowery_logging.ecs.encode import to_json
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.plain import AS_IS, is_number, plain, scalar_text
from flowery_logging.ecs.schema import Place, Schema
from flowery_logging.redaction import Counting, Redaction, structures
from flowery_logging.redaction.left_out import cut
from flowery_logging.redaction.trace_ids import is_id
from flowery_logging.signalled import let_through

QUERIES: Final = frozenset({"query", "query_string", "querystring"})
"""Last parts of names whose values are the query of a URL, without its question mark."""


def is_query(path: str) -> bool:
    """Tell whether a field of this name holds the query of a URL."""
    return path.rpartition(".")[2] in QUERIES


class Values:
    """Makes of values what stands in a line, by the rules of one configuration."""

    __slots__ = ("_counters", "_limits", "_redactor", "_schema")

    def __init__(
        self, schema: Schema, redactor: Redaction, limits: Limits, counters: Counting
    ) -> None:
        self._schema = schema
        self._redactor = redactor
        self._limits = limits
        self._counters = counters

    def field(self, place: Place, value: object) -> Any:
        """Return the value as a field holds it; MISFIT if it cannot. Never raises."""
        try:
            converted = self._schema.fit(place, self._without_query_secrets(place.path, value))
            return converted if converted is MISFIT else self._clean(place.path, converted)
        except Exception as error:
            let_through(error)
            return MISFIT

    def label(self, path: str, value: Any) -> tuple[bool, Any] | None:
        """Return whether a plain value is a number, and as what it stands in a label.

        None where it holds nothing.
        """
        if is_number(value):
            if is_id(path, value):
                return True, value
            shown = self._redactor.clean_number(value, self._counters)
            return (True, value) if shown is value else (False, self.cut(shown))
        text = self._label_text(path, self._without_query_secrets(path, value))
        return None if text == [] else (False, text)

    def text(self, text: str) -> str:
        """Return a text without secrets, at most as long as a label may be."""
        limit = self._limits.label_chars
        return self.cut(self._redactor.clean_head(text, limit, self._counters))

    def _without_query_secrets(self, path: str, value: object) -> Any:
        if type(value) is str and is_query(path):
            return self._redactor.clean_query(value, self._counters)
        return value

    def _clean(self, path: str, value: object) -> Any:
        """Clean and cut the strings of a converted value; MISFIT where the marker would not fit."""
        if type(value) is str:
            return value if is_id(path, value) else self.text(value)
        if isinstance(value, list):
            items = self._first(value)
            if structures.is_command(items) and all(type(item) is str for item in items):
                items = self._redactor.clean_items(items, self._counters)
            items = [self._clean(path, item) for item in items]
            return MISFIT if any(item is MISFIT for item in items) else items
        if isinstance(value, dict):
            return self._clean_entries(path, value)
        return value

    def _clean_entries(self, path: str, value: Mapping[str, Any]) -> Any:
        clean: dict[str, Any] = {}
        for key, item in value.items():
            inner = f"{path}.{key}"
            kind = self._redactor.kind_at(inner, of_object=type(item) is dict)
            if kind is None and type(item) is not dict and self._redactor.maker(inner) is not None:
                return MISFIT  # not every type holds the text that is made
            if kind is None:
                clean[key] = self._clean(inner, item)
            elif type(item) is str:
                clean[key] = self._redactor.hide(kind, self._counters)
            else:
                return MISFIT
        return MISFIT if any(item is MISFIT for item in clean.values()) else clean

    def _first(self, items: list[Any]) -> list[Any]:
        """Return as many items of a list as an event may hold."""
        count = self._room_for(items)
        if len(items) <= count:
            return items
        self._counters.add("cut_lists")
        return items[:count]

    def _room_for(self, items: list[Any]) -> int:
        """Return how many items of a list an event may hold: of texts, twice what a line does."""
        limit, room = self._limits.items, 2 * self._limits.line_bytes
        for index, item in enumerate(items[:limit]):
            room -= len(item) if type(item) is str else 0
            if room < 0:
                return max(1, index)
        return limit

    def _label_text(self, path: str, value: object) -> str | list[str]:
        if type(value) in AS_IS:
            text = scalar_text(value)
            return text if is_id(path, text) else self.text(text)
        if isinstance(value, list):
            texts = self._texts(value)
            if texts is not None:
                return texts
        return self.json(path, value)

    def json(self, path: str, value: object) -> str:
        """Return an object, or a list that has some, as one text."""
        depth, shown = self._limits.depth, self._limits.label_chars
        json = to_json(value, self._redactor, depth, self._counters, path, shown=shown)
        return self.cut(json)

    def _texts(self, items: list[Any]) -> list[str] | None:
        """Return a list of scalars as texts, with a note of how many were left out."""
        scalars = [plain(item) for item in items[: self._limits.items]]
        if any(type(item) not in AS_IS for item in scalars):
            return None
        count = self._room_for(scalars)
        if len(items) > count:
            scalars = scalars[: min(count, self._limits.items - 1)]
        left_out = len(items) - len(scalars)
        if structures.is_command(scalars):
            shown = [scalar_text(item) for item in scalars if item is not None]
            scalars = [*self._redactor.clean_items(shown, self._counters)]
        texts = [self._scalar(item) for item in scalars if item is not None]
        if left_out:
            self._counters.add("cut_lists")
            texts.append(f"… [{left_out} more]")
        return texts

    def _scalar(self, value: object) -> str:
        number = self._redactor.clean_number(value, self._counters) if type(value) is int else value
        return self.text(scalar_text(number))

    def cut(self, text: str) -> str:
        """Return a text at most as long as a label may be."""
        limit = self._limits.label_chars
        if len(text) <= limit:
            return text
        self._counters.add("cut_values")
        return cut(text, limit)
