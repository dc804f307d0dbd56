"""Secrets whose name stands apart from them: `("token", "…")`, `{"name": "token", "value": "…"}`.

So stand headers in lists, variables in definitions of containers, the input in pydantic's errors,
and the content of XML.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction import cut_inputs, elements
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.nearby import matches_around
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.quotes import nested_end, quoted_end
from flowery_logging.redaction.values import is_no_code, is_nothing, may_be_password

NAMES: Final = frozenset({
    "name", "key", "field", "loc", "header", "variable", "parameter", "attr",
    "property", "propertypath", "path", "param",
})  # fmt: skip
VALUES: Final = frozenset({
    "value", "input", "val", "input_value", "default", "data", "content", "old", "new", "old_value",
    "new_value", "oldvalue", "newvalue", "before", "after", "rejectedvalue", "rejected_value",
    "invalidvalue", "invalid_value", "received", "actual",
})  # fmt: skip
"""Keys of objects that say a name, and its value."""

_ITEM: Final = late(
    r"(?<![:=])(?<![:=] )(?P<quote>\\{0,15}[\"'])(?:b')?(?P<dashes>--?)?"
    r"(?P<name>[\w.-]{2,64})'?(?P=quote)"
    r"[ ]{0,4},[ ]{0,4}(?=(?P<value>[bBrRuU]{0,2}(?P=quote)))(?!(?P=value)[\w.-]{1,64}(?P=quote):)"
)
_BEHIND_QUOTE: Final = (
    r"""(?:(?<=["'].)|(?<=["'] .)|(?<=["'] {2}.)|(?<=["'] {3}.)|(?<=["'] {4}.))"""
)
# What an item, and what the name of a value, cannot be without: the first two begin with one sign,
# which `re` finds at once.
_LISTED: Final = late(f",{_BEHIND_QUOTE}")
_QUOTED_KEY: Final = late(f":{_BEHIND_QUOTE}")
_ANY_ITEM: Final = late(
    r"[\"'](?<![:=].)(?<![:=] .)(?:b')?(?:--?)?[\w.-]{2,64}'?\\{0,15}[\"'][ ]{0,4},[ ]{0,4}"
    r"[bBrRuU]{0,2}\\{0,15}[\"']"
)
_BEFORE_COMMA: Final = 160
_BEHIND_COMMA: Final = 160
"""Characters around the comma of an item in which it and the beginning of its value stand."""

_ANY_VALUE: Final = late(r"[\"'](?:" + "|".join(sorted(VALUES)) + r")\\{0,15}[\"'][ ]{0,4}:")
_SAID: Final = late(
    r"(?P<quote>\\{0,15}[\"'])(?:" + "|".join(sorted(NAMES)) + r")(?P=quote)[ ]{0,4}:[ ]{0,4}"
    r"(?:(?P=quote)(?P<name>[\w./\[\]-]{2,128})(?P=quote)|[\[(](?P<loc>[^\])]{2,256})[\])])",
    re.IGNORECASE,
)
_VALUE: Final = late(
    r"(?P<quote>\\{0,15}[\"'])(?:" + "|".join(sorted(VALUES)) + r")(?P=quote)[ ]{0,4}:[ ]{0,4}"
    r"(?:(?P<open>[bBrRuU]{0,2}(?P=quote))|(?P<nest>[\[{(])|(?P<bare>[^\s,}\])]{1,64}))",
    re.IGNORECASE,
)
_CALL: Final = late(
    r"(?:(?:Basic|Digest|Proxy|Password)Auth|Credentials?|\.login)\("
    r"(?P<quote>\\{0,15}[\"'])[^\"'\\\n]{1,128}(?P=quote),[ ]{0,4}(?P<value>(?P=quote))"
)
"""`HTTPBasicAuth('kim', '…')`: a name and a password in their order."""

_REJECTED: Final = late(
    r"on field '(?P<name>[\w.\[\]]{2,128})': rejected value \[(?P<value>[^\]\n]{1,1024})"
)
"""What Spring says of wrong input."""

_INSTANCE: Final = late(
    r"On instance(?:\[[^\]\n]{1,64}\]){0,8}\['(?P<name>[\w.-]{2,64})'\]:\n[ ]{1,16}"
    r"(?P<value>'[^'\n]{1,1024}'|\"[^\"\n]{1,1024}\"|[^\s'\"][^\n]{0,1024})"
)
"""What jsonschema says of wrong input, where its message begins with the same."""

_YAML: Final = late(
    r"(?<![\w-])(?:name|key): ?[\"']?(?P<name>[\w.-]{2,128})[\"']?[ ]{0,4}\n"
    r"[ ]{1,32}(?:value|val|default): ?"
    r"(?P<value>\"[^\"\n]{1,1024}|'[^'\n]{1,1024}|[^\s\"'][^\n]{0,1024})"
)
"""The same over two lines of YAML, as Kubernetes has variables."""

_GRANT: Final = late(
    r"[\"']code\\{0,15}[\"']: ?\\{0,15}[\"'](?P<value>(?=[\w.~/-]{0,512}\d)[\w.~/-]{10,2048})"
)
"""The code of OAuth where it is changed for a token; elsewhere a code is one of an error, say."""

_NAME: Final = late(r"[A-Za-z_]{2,64}(?: [A-Za-z_]{2,64}){0,3}")
_WORDS: Final = late(r"[\w.-]{2,64}")
_BEFORE: Final = 512
_BEHIND: Final = 2_048
"""Characters around a name in which its value is looked for."""

_PYDANTIC: Final = late(
    r"(?:^|\n|\\n)(?P<name>[\w.-]{1,256})(?:\n|\\n)[ \t]{1,8}"
    r"(?:(?!\[type=missing,)[^\n\\]){0,512}?"  # that is of all that was given
    r"input_value=(?P<value>[^\n]{1,2048}?), input_type="
)
_TAG: Final = late(
    r"<(?P<name>[\w:.-]{2,64})(?:\s[^<>]{0,256})?>(?:<!\[CDATA\[)?"
    r"(?P<value>(?:(?!\]\]>)(?:[^<]|<(?!/|[^<>]{0,256}>))){1,4096})(?=</|\]\]>)"
)
_ATTRIBUTES: Final = late(
    r"<(?P<tag>[\w:.-]{1,64})\s(?P<inside>[^<>]{1,1024})>(?P<value>[^<>]{0,4096})"
)
_EMPTY: Final = frozenset({"input", "meta", "link", "img", "param", "source", "br", "hr"})
"""Elements of HTML that have no content: what follows them is not theirs."""

_NAME_ATTRIBUTE: Final = late(
    r"\b(?:[Nn]ame|[Kk]ey|id|property)=\\{0,15}[\"'](?P<name>[\w.-]{2,64})\\{0,15}[\"']"
)
_VALUE_ATTRIBUTE: Final = late(r"\b(?:[Vv]alue|content)=\\{0,15}[\"'](?P<value>[^\"'<>\\]{1,1024})")
_FORM_DATA: Final = late(
    r"name=\\{0,15}\"(?P<name>[^\"\\]{1,64})\\{0,15}\""
    r"(?:(?:\r?\n|\\r\\n|\\n)[\w-]{1,64}:[^\r\n\\]{0,256}){0,4}"
    r"(?:\r\n\r\n|\n\n|\\r\\n\\r\\n|\\n\\n)(?P<value>(?:(?!\r|\n|\\r|\\n).){1,4096})"
)


def find(text: str, lower: str, kind_of: KindOf) -> Iterator[Span]:  # noqa: C901 - a sign for each kind
    """Yield the values of names that stand apart from them; `lower` is the text in lower case."""
    if "," in text:
        if _LISTED.search(text) and _ANY_ITEM.search(text):
            yield from _items(text, kind_of)
        if "Auth(" in text or "Credential" in text or ".login(" in text:
            yield from _calls(text)
    if "On instance" in text:
        yield from _instances(text, kind_of)
    if "rejected value [" in text:
        yield from _marked(text, _REJECTED, kind_of)
    if "\n" in text and "value: " in text:
        yield from _lines(text, kind_of)
    if "input_value=" in text:
        yield from _marked(text, _PYDANTIC, kind_of)
        yield from cut_inputs.find(text)
    if _QUOTED_KEY.search(text) and _ANY_VALUE.search(lower):
        yield from _objects(text, kind_of)
    if "grant" in text:
        for match in _GRANT.finditer(text):
            yield Span(*match.span("value"), "value")
    if "name=" in text:
        yield from _marked(text, _FORM_DATA, kind_of)
    if "<" in text:
        yield from _marked(text, _TAG, kind_of)
        yield from _attributes(text, kind_of)
        yield from elements.find(text, kind_of)


def _calls(text: str) -> Iterator[Span]:
    for match in _CALL.finditer(text):
        start = match.end("value")
        yield Span(start, quoted_end(text, start, match["quote"]), "value")


def _items(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Pairs as lists have them: `("authorization", "…")`, `["--password", "…"]`."""
    signs = (match.start() for match in _LISTED.finditer(text))
    for match in matches_around(_ITEM, text, signs, _BEFORE_COMMA, _BEHIND_COMMA):
        kind = kind_of(match["name"])
        if kind is not None:
            start = match.end("value")
            end = quoted_end(text, start, match["quote"])
            if is_no_code(match["name"], text[start:end], equals=True):
                continue
            if match["dashes"] or not _is_listed(text, match, end, kind_of):
                yield Span(start, end, kind)


def _is_listed(text: str, match: re.Match[str], end: int, kind_of: KindOf) -> bool:
    """Tell whether names stand in a row: `["password", "token", "user"]`, not a pair."""
    value = text[match.end("value") : end]
    if not is_name(value):
        return False
    start, end = match.start(), end + len(match["quote"])
    is_pair = text[start - 1 : start] in {"(", "["} and text[end : end + 1] in {")", "]"}
    return kind_of(value) is not None or not is_pair


def is_name(value: object) -> bool:
    """Tell whether a value may be the name of a field, as a secret's rarely is: letters alone."""
    return type(value) is str and _NAME.fullmatch(value) is not None


def last_part(name: str) -> str:
    """Return what a name ends with behind its dots and slashes."""
    return name.replace("/", ".").rpartition(".")[2]


def _objects(text: str, kind_of: KindOf) -> Iterator[Span]:
    """`{"name": "token", "value": "…"}`, in whichever order."""
    values = [*_VALUE.finditer(text)]
    starts = [match.start() for match in values]
    hidden = 0  # up to here all is hidden
    for match in _SAID.finditer(text) if values else ():
        said = [last_part(match["name"])] if match["name"] else _WORDS.findall(match["loc"])
        kind = next(filter(None, map(kind_of, said)), None)
        if kind is not None:
            first = bisect(starts, max(hidden - 1, _object_start(text, match.start())))
            last = bisect(starts, _object_end(text, match.end()))
            for value in values[first:last]:
                if value.start() >= hidden:
                    span = _value(text, value, kind)
                    hidden = max(hidden, span.end)
                    yield span


def _object_start(text: str, place: int) -> int:
    first = max(0, place - _BEFORE)
    return max(first - 1, text.rfind("{", first, place))


def _object_end(text: str, place: int) -> int:
    end = text.find("}", place, place + _BEHIND)
    return end if end >= 0 else place + _BEHIND


def _value(text: str, match: re.Match[str], kind: str) -> Span:
    start = match.end()
    if match["open"]:
        return Span(start, quoted_end(text, start, match["quote"]), kind)
    if match["nest"]:
        return Span(start - 1, nested_end(text, start - 1), kind)
    place = Span(*match.span("bare"), kind)
    return place._replace(end=place.start) if is_nothing(match["bare"], equals=False) else place


def _marked(text: str, pattern: re.Pattern[str], kind_of: KindOf) -> Iterator[Span]:
    """Values inside the marks of XML and of multipart forms."""
    for match in pattern.finditer(text):
        name, value = match["name"].rpartition(":")[2].rpartition(".")[2], match["value"]
        kind = kind_of(name)
        if kind is None and may_be_password(name, value) and len(value.split()) == 1:
            kind = "value"
        if kind is not None and not is_nothing(match["value"], equals=True):
            yield Span(*match.span("value"), kind)


def _instances(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield what jsonschema was given, and that where it is said again."""
    for match in _INSTANCE.finditer(text):
        kind = kind_of(match["name"])
        if kind is not None:
            yield Span(*match.span("value"), kind)
            said = text.rfind(match["value"], max(0, match.start() - _BEHIND), match.start())
            if said >= 0:
                yield Span(said, said + len(match["value"]), kind)


def _lines(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Values of variables in YAML, below their names."""
    for match in _YAML.finditer(text):
        kind = kind_of(match["name"])
        value = match["value"].strip("\"'")
        if kind is not None and not is_nothing(value, equals=True):
            yield Span(match.end() - len(match["value"].lstrip("\"'")), match.end(), kind)


def _attributes(text: str, kind_of: KindOf) -> Iterator[Span]:
    """`<param name="token" value="…"/>`, `<entry key="token">…</entry>`."""
    for match in _ATTRIBUTES.finditer(text):
        name = _NAME_ATTRIBUTE.search(match["inside"])
        kind = None if name is None else kind_of(name["name"])
        if kind is not None:
            start = match.start("inside")
            for value in _VALUE_ATTRIBUTE.finditer(match["inside"]):
                yield Span(start + value.start("value"), start + value.end("value"), kind)
            closed = f"</{match['tag']}>"
            is_empty = match["inside"].endswith("/") or (
                match["tag"].lower() in _EMPTY and not text.startswith(closed, match.end())
            )
            if match["value"].strip() and not is_empty:
                yield Span(*match.span("value"), kind)
