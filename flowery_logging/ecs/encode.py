"""Plain data → JSON bytes, never failing: orjson, then orjson on a copy that it can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from flowery_logging.ecs.named import is_row, with_names
from flowery_logging.ecs.plain import (
    describe,
    entries,
    is_number,
    key_text,
    plain,
    represented,
    scalar_text,
)
from flowery_logging.redaction import UNCOUNTED, Counting, Redaction, structures
from flowery_logging.redaction.trace_ids import is_id
from flowery_logging.signalled import let_through

MAX_NODES: Final = 1000
"""How many values of one nested object are read; the rest is only counted."""

_CHARS_A_NODE: Final = 64
_LONG: Final = 16_000
"""A text of so many characters, or of more, counts as 250 values: more than a line holds is not
searched."""

MAX_DEPTH: Final = 8

MAX_INTEGER: Final = 2**63 - 1
"""Readers of JSON take no larger integers as such."""

_NESTED: Final = frozenset({dict, list})
_PASSED_ON: Final = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""Types that orjson does not encode as `plain` would."""

CYCLE: Final = "<cycle>"
"""What stands for an object inside itself."""


def dumps(tree: object, option: int | None = None) -> bytes:
    """Encode plain data (no cycles, integers of 64 bits); lone surrogates become escapes."""
    # By place: in a process's second interpreter orjson does not know the names of its arguments.
    try:
        return orjson.dumps(tree, None, option)
    except (TypeError, ValueError):
        return orjson.dumps(without_surrogates(tree), None, option)


def nodes_of(text: str) -> int:
    """Return as how many further values a text counts: to search a long one takes long."""
    return min(len(text), _LONG) // _CHARS_A_NODE


def without_surrogates(tree: object) -> Any:
    r"""Copy plain data, with each lone surrogate written out as `\udc80`."""
    if type(tree) is str:
        return tree.encode("utf-8", "backslashreplace").decode()
    if isinstance(tree, dict):
        return {without_surrogates(k): without_surrogates(v) for k, v in tree.items()}
    if isinstance(tree, list):
        return [without_surrogates(item) for item in tree]
    return tree


def to_json(
    value: object,
    redaction: Redaction | None = None,
    depth: int = MAX_DEPTH,
    counts: Counting | None = None,
    path: str = "",
    names: Redaction | None = None,
    shown: int | None = None,
) -> str:
    """Return any value as a JSON text: bounded in depth and number of values. Never raises.

    What the redaction hides is counted in `counts`. `path` is the dotted name of the value. `names`
    is what hides it later, where this one does not: tuples keep the names that it needs. `shown`:
    no more characters of the text are shown, nor of a text in it.
    """
    names = names or redaction
    redaction = redaction or Redaction()
    simple = _as_it_is(value, redaction, depth)
    if simple is not None:
        return simple
    counts = UNCOUNTED if counts is None else counts
    walker = _Walker(redaction, names, depth, counts, path, shown)
    return dumps(walker.copy(value, 0)).decode()


def _as_it_is(value: object, redaction: Redaction, depth: int) -> str | None:
    """Return the JSON text of an ordinary list or dict; None where more care is needed.

    What is looked at is the JSON text: another thread may change the object meanwhile.
    """
    if type(value) not in {list, dict} or redaction.by_path:
        return None
    try:
        encoded = orjson.dumps(value, None, _PASSED_ON)  # see dumps()
    except (TypeError, ValueError, RecursionError):
        return None
    text = encoded.decode()  # `in` takes an eighth of what it takes in bytes
    # A null may have been a NaN; each value has at least two bytes.
    if len(encoded) >= 2 * MAX_NODES or "null" in text:
        return None
    # Its keys are asked for below; where none of its texts has an escape, no other colon is behind
    # a quote.
    texts = encoded if "\\" in text else encoded.replace(b'":', b'"')
    if redaction.suspects_json(texts):
        return None
    return text if _is_shown(orjson.loads(encoded), redaction, depth) else None


def _is_shown(value: Any, redaction: Redaction, depth: int) -> bool:
    """Tell whether nothing of plain data lies too deep, is too large, or is hidden by its key."""
    if depth <= 0:
        return False
    if type(value) is dict:
        if not redaction.are_plain(tuple(value)) and _hides_an_entry(value, redaction):
            return False
    elif len(value) == 2 and structures.kind_of_second(value, redaction.kind_of) is not None:
        return False
    for item in value.values() if type(value) is dict else value:
        if type(item) is int and item > MAX_INTEGER:
            return False
        if type(item) in _NESTED and not _is_shown(item, redaction, depth - 1):
            return False
    return True


def _hides_an_entry(value: Mapping[str, Any], redaction: Redaction) -> bool:
    """Tell whether one of the entries of a dict is hidden by its key, or by one beside it."""
    return (
        any(map(redaction.hides, value))
        or structures.kind_of_values(value, redaction.kind_of) is not None
    )


def text(value: object, redaction: Redaction | None = None) -> str:
    """Return any value as text: strings as they are, containers as JSON, the rest by `str`.

    Of containers, what the redaction hides by the names in them is hidden.
    """
    if type(value) is str:
        return value
    try:
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return to_json(value, redaction)
        row = with_names(value, redaction, "") if is_row(value) else None
        if row is not None:
            return to_json(row, redaction)
        return str.__str__(str(value))
    except Exception as error:
        let_through(error)
        return represented(value)


class _Walker:
    """Copies a nested object as plain data, as long as its budget lasts."""

    def __init__(
        self,
        redaction: Redaction,
        names: Redaction | None,
        depth: int,
        counts: Counting,
        path: str,
        shown: int | None,
    ) -> None:
        self._redaction = redaction
        self._names = names
        self._counts = counts
        self._depth = depth
        self._left = MAX_NODES
        self._around: list[Any] = []  # the objects that a value lies in
        self._path = path
        self._shown = shown
        self._make = redaction.maker(path)

    def copy(self, value: object, depth: int) -> Any:  # noqa: PLR0911 - one for each kind of value
        self._left -= 1
        value = plain(value, self._names, self._path)
        if self._make is not None and not isinstance(value, (Mapping, list, type(None))):
            value = self._make(value, self._counts)
        if type(value) is str:
            self._left -= nodes_of(value)
            return self._text(value)
        if type(value) is int or type(value) is float:
            return self._number(value)
        if not isinstance(value, (Mapping, list)):
            return value
        if depth >= self._depth or self._left <= 0:
            return f"<{type(value).__name__} with {_length(value)} entries>"
        if any(value is outer for outer in self._around):
            return CYCLE
        self._around.append(value)
        try:
            return self._contents(value, depth + 1)
        except Exception as error:
            let_through(error)
            return describe(value)
        finally:
            self._around.pop()

    def _text(self, value: str) -> str:
        if self._shown is None:
            return self._redaction.clean(value, self._counts)
        return self._redaction.clean_head(value, self._shown, self._counts)

    def _number(self, value: float) -> Any:
        value = self._redaction.clean_number(value, self._counts)
        if type(value) is int and -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
            return value
        return value if is_number(value) else scalar_text(value)

    def _contents(self, value: Mapping[Any, Any] | Sequence[Any], depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._entries(value, depth)
        items: list[Any] = []
        for item in self._without_named(value):
            if self._left <= 0:
                break
            items.append(self.copy(item, depth))
        left_out = _length(value) - len(items)
        return [*items, f"<{left_out} more>"] if left_out > 0 else items

    def _without_named(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return a list without what its other items say is a secret."""
        kind = structures.kind_of_second(items, self._redaction.kind_at)
        if kind is not None:
            return [items[0], self._redaction.hide(kind, self._counts)]
        if structures.is_command(items) and all(type(item) is str for item in items):
            return self._redaction.clean_items(self._first(items), self._counts)
        return items

    def _first(self, texts: Sequence[str]) -> list[str]:
        """Return as many texts as there is room for, one at least."""
        room = self._left * _CHARS_A_NODE
        for index, text in enumerate(texts):
            room -= max(len(text), _CHARS_A_NODE)
            if room < 0:
                return [*texts[: max(1, index)]]
        return [*texts]

    def _entries(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own = [*entries(value)]
        named = structures.kind_among(own, self._redaction.kind_at)
        for key, item in own:
            if self._left <= 0:
                found["<more>"] = _length(value) - len(found)
                break
            name = key_text(key)
            self._left -= nodes_of(name)
            kind = None if self._redaction.by_path else self._redaction.kind_of(name)
            if kind is None and named is not None and structures.is_value(name):
                kind = named
            if kind is not None and not (item is None or self._redaction.shows(name, item)):
                self._left -= 1
                found[name] = self._redaction.hide(kind, self._counts)
            elif is_id(name, item):
                self._left -= 1
                found[name] = item
            elif self._redaction.by_path:
                found[self._redaction.clean_name(name)] = self._by_path(name, item, depth)
            else:
                found[self._redaction.clean_name(name)] = self.copy(item, depth)
        return found

    def _by_path(self, name: str, item: object, depth: int) -> Any:
        """Return an entry as its whole dotted name says."""
        redaction, outer = self._redaction, (self._path, self._make)
        path = self._path = f"{self._path}.{name}" if self._path else name
        item = plain(item, self._names, path)
        kind = redaction.kind_at(path, of_object=isinstance(item, Mapping))
        try:
            if kind is not None and not (item is None or redaction.shows(path, item)):
                return redaction.hide(kind, self._counts)
            self._make = redaction.maker(path)
            return self.copy(item, depth)
        finally:
            self._path, self._make = outer


def _length(value: Any) -> int:
    try:
        return len(value)
    except Exception as error:
        let_through(error)
        return 0
