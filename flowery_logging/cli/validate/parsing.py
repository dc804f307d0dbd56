"""One line as JSON, strictly: nothing that it holds twice, or wrongly, is lost in reading it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

MAX_DIGITS: Final = 400
"""The longest number that `int()` is asked for; none of more fits any type of Elasticsearch."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class JsonObject:
    """An object as it stands in the line: its keys in order, each as often as it is there."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        self.pairs = list(pairs)


class NotANumber(str):
    """What stands for a number and is none: NaN, Infinity, 1e999, or one without end."""

    __slots__ = ()


class NotJsonError(ValueError):
    """The line is not one JSON object; says why."""


def parse(line: bytes) -> JsonObject:
    """Return the object of one line, without its line end. Raises NotJsonError."""
    if line.startswith(b"\xef\xbb\xbf"):
        raise NotJsonError("a byte order mark stands in front")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise NotJsonError(f"no UTF-8: byte {error.start + 1}: {error.reason}") from None
    if not text.strip():
        raise NotJsonError("the line is empty")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"no JSON: {error.msg}, column {error.colno}") from None
    except RecursionError:
        raise NotJsonError("nested without end") from None
    if not isinstance(value, JsonObject):
        raise NotJsonError("JSON, but no object")
    return value


def has_surrogate(text: str) -> bool:
    r"""Tell whether a text has half a character (`\ud83d` alone), which no UTF-8 can hold."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= MAX_DIGITS else NotANumber(f"{digits[:20]}…")


def _float(digits: str) -> Any:
    number = float(digits)
    return NotANumber(digits[:MAX_DIGITS]) if number in {float("inf"), -float("inf")} else number


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=JsonObject,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=NotANumber,
)
