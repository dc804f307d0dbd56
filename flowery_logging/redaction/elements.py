"""Secrets in the element behind that of their name: `<td>password</td><td>…</td>`.

So stand rows and lists of HTML, property lists of Apple and the members of XML-RPC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.escapes import plain
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.tables import is_one
from flowery_logging.redaction.values import is_amount, is_no_code, is_nothing

_INSIDE: Final = r"(?:<[\w:.-]{1,16}(?:\s[^<>]{0,128})?>\s{0,64}){0,2}"
_CELL: Final = late(
    rf"<(?P<tag>td|th|dt|key|name|string)(?:\s[^<>]{{0,256}})?>\s{{0,64}}{_INSIDE}"
    r"(?P<name>[\w.-]{2,64}(?: [\w.-]{2,32}){0,3})\s{0,64}(?:</[\w:.-]{1,16}>\s{0,64}){0,2}"
    r"</(?P=tag)>\s{0,64}<(?P<of>td|dd|string|data|value)(?:\s[^<>]{0,256})?>\s{0,64}"
    rf"{_INSIDE}(?P<value>[^<>]{{1,1024}})",
    re.IGNORECASE,
)
_OF_HTML: Final = frozenset({"td", "dd"})
"""Elements that are of running text too, where a cell may tell a fact about the name before it."""

_SHORTEST: Final = 4
"""Characters of such a value: what is shorter, counts."""

# `<attribute name="token"><value>…</value></attribute>`
_NESTED: Final = late(
    r"\b(?:name|key|id|property)=[\"'](?P<name>[\w.-]{2,64})[\"'][^<>]{0,256}>\s{0,64}"
    r"<(?:\w{1,16}:)?(?:string|value|attributevalue)(?:\s[^<>]{0,128})?>(?P<value>[^<>]{1,1024})",
    re.IGNORECASE,
)


def find(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield the contents of elements that stand behind the names of secrets."""
    if "</" not in text:
        return
    for match in _CELL.finditer(text):
        kind = kind_of(match["name"])
        of = match["of"].lower()
        may_be_word = of not in _OF_HTML and of != match["tag"].lower()
        if kind is not None and _is_one(match["name"], match["value"], may_be_word=may_be_word):
            yield _content(match, kind)
    for match in _NESTED.finditer(text):
        kind = kind_of(match["name"].rpartition(".")[2])
        if kind is not None and _is_one(match["name"], match["value"], may_be_word=True):
            yield _content(match, kind)


def _is_one(name: str, content: str, *, may_be_word: bool) -> bool:
    """Tell whether the content of an element is a secret, and neither a mask nor a fact."""
    value = plain(content).strip().strip("'\"")
    if may_be_word:
        return not is_nothing(value, equals=True)
    return (
        len(value) >= _SHORTEST
        and is_one(value, may_be_word=False)
        and not is_no_code(name, value, equals=False)
        and not is_amount(value, 0)
    )


def _content(match: re.Match[str], kind: str) -> Span:
    start = match.start("value")
    return Span(start, start + len(match["value"].rstrip()), kind)
