"""Secrets in objects, told by something else than their own key.

A pair says its name first, `("authorization", "…")`, as headers do; an entry beside others too,
`{"loc": ["password"], "input": "…"}`, as pydantic's errors do; and so does a list of arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.pairs import NAMES, VALUES, is_name, last_part

_VALUES: Final = frozenset(
    ["oldValue", "newValue", "rejectedValue", "invalidValue"]
    + [made for key in VALUES for made in (key, key.title(), key.upper())]
)
_LONGEST_LOC: Final = 16


def kind_of_values(mapping: Mapping[Any, Any], kind_of: KindOf) -> str | None:
    """Return the kind of what stands under one of `VALUES`, by what stands under `NAMES`."""
    if _VALUES.isdisjoint(mapping):
        return None
    for key, said in mapping.items():
        kind = kind_said(said, kind_of) if is_naming(key) else None
        if kind is not None:
            return kind
    return None


def is_naming(key: object) -> bool:
    """Tell whether what stands under a key may be the name of what stands beside it."""
    return _lower(key) in NAMES


def kind_said(said: object, kind_of: KindOf) -> str | None:
    """Return the kind that a name, or one of a list of names, is of; None: no secret's."""
    names = said[:_LONGEST_LOC] if isinstance(said, (list, tuple)) else (said,)
    kinds = (_kind(name, kind_of) for name in names)
    return next((kind for kind in kinds if kind is not None), None)


def kind_among(entries: Iterable[tuple[Any, Any]], kind_of: KindOf) -> str | None:
    """Return what `kind_of_values` does of a mapping's first entries: it may never end itself."""
    return kind_of_values({key: said for key, said in entries if type(key) is str}, kind_of)


def is_value(key: object) -> bool:
    """Tell whether what stands under a key may belong to a name that stands beside it."""
    return type(key) is str and key in _VALUES


def may_be_named(keys: Iterable[str]) -> bool:
    """Tell whether an object with these keys may have a name and a value under two of them."""
    lower = {*map(_lower, keys)}
    return not (VALUES.isdisjoint(lower) or NAMES.isdisjoint(lower))


def kind_of_second(items: Sequence[Any], kind_of: KindOf) -> str | None:
    """Return the kind of the second of two items, by the first; two names are no pair."""
    if len(items) != 2:
        return None
    kind = _kind(items[0], kind_of)
    if kind is not None and is_name(items[1]) and _kind(items[1], kind_of) is not None:
        return None
    return kind


def _kind(name: object, kind_of: KindOf) -> str | None:
    if isinstance(name, (bytes, bytearray)):
        name = name.decode("utf-8", "replace")
    return kind_of(last_part(name)) if type(name) is str else None


def _lower(key: object) -> str:
    return key.lower() if type(key) is str else ""


def is_command(items: Sequence[Any]) -> bool:
    """Tell whether texts may be the arguments of a command."""
    return any(type(item) is str and item[:1] == "-" for item in items)


def split_spans(items: Sequence[str], spans: Iterable[Span]) -> list[list[Span]]:
    """Return by item the spans found in the items when they are joined by blanks."""
    found: list[list[Span]] = [[] for _ in items]
    starts = [0]
    for item in items:
        starts.append(starts[-1] + len(item) + 1)
    index = 0
    for span in spans:
        while starts[index + 1] <= span.start:
            index += 1
        for place in range(index, len(items)):
            first, last = max(span.start - starts[place], 0), span.end - starts[place]
            if last <= 0:
                break
            found[place].append(Span(first, min(last, len(items[place])), span.kind))
    return found
