"""The headers of a request or a message, in whatever form a framework or a client holds them.

Reading never raises: headers come from strangers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from flowery_logging.tracing import foreign_traces

Values: TypeAlias = Mapping[str, list[str]]
"""Those of the headers that were there, by lower-case name."""

Headers: TypeAlias = Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A name of a header, a key of baggage (RFC 9110 §5.6.2)."""

OWS: Final = " \t"
"""The blanks that HTTP allows around a field value (RFC 9110 §5.5)."""


class Wanted(NamedTuple):
    """The lower-case names of all headers that are read, by name as `str` and as `bytes`.

    They stand apart: `python -bb` raises where one dictionary compares the two.
    """

    as_text: Mapping[str, str]
    as_bytes: Mapping[bytes, str]


@lru_cache
def wanted_headers(
    request_id_headers: tuple[str, ...] = (),
    foreign: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
) -> Wanted:
    """Return which headers are read."""
    of_formats = (name for key in foreign for name in foreign_traces.FORMATS[key][0])
    ids = map(str.lower, request_id_headers)
    names = ["traceparent", "tracestate", "baggage", *ids, *of_formats, *others]
    as_bytes = {name.encode("latin-1", "replace"): name for name in names}
    return Wanted({name: name for name in names}, as_bytes)


def header_values(headers: Headers, wanted: Wanted) -> Values:
    """Return the values of each wanted header, in order, without the blanks around them.

    Some frameworks hold a list of values for each name.
    """
    values: dict[str, list[str]] = {}
    for pair in _pairs(headers):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            continue
        name, value = pair
        if isinstance(name, bytes):
            known = wanted.as_bytes.get(name.lower())
        else:
            known = wanted.as_text.get(name.lower()) if isinstance(name, str) else None
        if known is None:
            continue
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, (bytes, str)):
                values.setdefault(known, []).append(_text(one).strip(OWS))
    return values


def utf8(value: str) -> str:
    """Return a header's text as its sender wrote it: in UTF-8, mostly, where it is not ASCII.

    A server hands it on as Latin-1, which has a character for every byte (PEP 3333, RFC 9110 §5.5).
    """
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except ValueError:
        return value


def _pairs(headers: object) -> Iterable[Any]:
    """Return the pairs of a mapping, or a sequence of what should be pairs; else nothing."""
    if type(headers) is list:
        return headers
    items = getattr(headers, "items", None)  # email.message.Message is no Mapping, yet has it
    pairs = items() if callable(items) else headers
    return pairs if isinstance(pairs, Iterable) else ()


def _text(value: bytes | str) -> str:
    # As HTTP does: every byte has a character, none fails.
    return value.decode("latin-1") if isinstance(value, bytes) else value
