"""Secrets in text by the name before them: `key=value` and `key: value`, however it is written.

JSON and Python reprs (also escaped in one another), form bodies, query strings, headers, connection
strings, command lines, YAML and INI: the name is looked for first, then the place says where its
value ends. Running prose stays: `password: changed by kim` tells a fact, and hides none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.redaction.names import KindOf, squash
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.values import is_code, is_nothing

# A name, the end of its quotes, the sign, and the beginning of the value's quotes. The name's
# length is bounded, so that the search is linear.
_ASSIGNED: Final = re.compile(
    r"(?<![\w.%$-])(?P<name>[\w.%$-]{1,128}|[A-Za-z가-힣]{1,20}(?: [A-Za-z가-힣]{1,20}){1,2})"
    r"(?P<closed>\\{0,15}[\"'`]|\])?"
    r"(?P<sign>[ \t]{0,8}(?:=>|:=|==?|:(?!//)|\uff1d|\uff1a)[ \t\u00a0]{0,8})"
    r"(?:[bBrRuU]{1,2}(?=\\{0,15}[\"']))?"
    r"(?P<quote>\\{0,15}(?:\"\"\"|\'\'\'|[\"'`]))?"
)
_OPTION: Final = re.compile(
    r"(?<![\w-])--?(?P<name>[A-Za-z][\w-]{1,63})[ \t]{1,8}(?P<quote>[\"'])?(?!-)"
)
_ITEM: Final = re.compile(
    r"(?P<quote>\\{0,15}[\"'])(?:--?)?(?P<name>[\w.-]{2,64})(?P=quote)[ ]{0,4},[ ]{0,4}"
    r"(?=(?P<value>[bBrRuU]{0,2}(?P=quote)))"
)
_TAG: Final = re.compile(
    r"<(?P<name>[\w:.-]{2,64})(?:\s[^<>]{0,256})?>(?P<value>[^<>]{1,4096})(?=</)"
)
_CURL: Final = re.compile(
    r"(?:-u|--user|--proxy-user)[ =]{1,4}[\"']?"
    r"(?P<user>[^\s:\"']{0,128}):(?P<value>[^\s\"']{1,256})"
)
_FORM_DATA: Final = re.compile(
    r"name=\\{0,15}\"(?P<name>[^\"\\]{1,64})\\{0,15}\"(?P<gap>(?:\r\n\r\n|\n\n|\\r\\n\\r\\n|\\n\\n))(?P<value>(?:(?!\r|\n|\\r|\\n).){1,4096})"
)

_HEADERS: Final = frozenset({"authorization", "proxyauthorization", "cookie", "setcookie"})
"""Names whose unquoted value goes to the end of the line: a scheme and more, pairs and more."""

_STOP: Final = r"\s,;&|)\]}\"'`<>\\"
_LINE: Final = re.compile(r"(?:[A-Za-z][\w-]{2,24} (?=\S))?(?P<value>[^\r\n\"'`\\]*)")
_BARE: Final = re.compile(
    rf"(?:[^{_STOP}]|\\(?![nrt\"'\\]))+"
    rf"(?:[<>,;|](?![\w.%$-]{{1,64}}[=:])(?:[^{_STOP}]|\\(?![nrt\"'\\]))+)*"
)
_WORD: Final = re.compile(r"[^\W\d_]+[.,!?]?")
_NEXT_WORD: Final = re.compile(r"[ \t]+[^\W\d_]+(?![\w=:])")
_PAIRS: Final = {"[": "]", "{": "}", "(": ")"}
_LONGEST_NEST: Final = 8_192


class Assignments:
    """Finds the values of secrets' names in texts.

    Args:
        kind_of: tells of which kind the value of a name is; None: it is shown.
    """

    def __init__(self, kind_of: KindOf) -> None:
        self._kind_of = kind_of

    def find(self, text: str) -> Iterator[Span]:
        """Yield the values that are to be hidden, in any order."""
        yield from self._assigned(text)
        if "-" in text:
            yield from self._options(text)
        if "," in text:
            yield from self._items(text)
        if "</" in text:
            yield from self._marked(text, _TAG)
        if "name=" in text:
            yield from self._marked(text, _FORM_DATA)

    def _assigned(self, text: str) -> Iterator[Span]:
        position = 0
        while (match := _ASSIGNED.search(text, position)) is not None:
            # What was taken for a value may be the next name.
            position = match.end("sign")
            kind = self._kind_of_any(match["name"])
            if kind is not None:
                start, end = self._value(text, match)
                if end > start:
                    yield Span(start, end, kind)
                    position = end

    def _value(self, text: str, match: re.Match[str]) -> tuple[int, int]:
        """Return where the secret behind a name begins and ends; the same twice: there is none."""
        start, quote, equals = match.end(), match["quote"], "=" in match["sign"]
        if quote:
            end = quoted_end(text, start, quote)
            return (end, end) if is_nothing(text[start:end], equals=equals) else (start, end)
        if text[start : start + 1] in _PAIRS:
            end = _nested_end(text, start)
            return (end, end) if is_nothing(text[start:end], equals=equals) else (start, end)
        if not equals and squash(match["name"].rpartition(" ")[2]) in _HEADERS:
            return _line(text, start)
        bare = _BARE.match(text, start)
        if bare is None or self._is_no_secret(text, bare, equals=equals):
            return start, start
        return bare.span()

    def _is_no_secret(self, text: str, bare: re.Match[str], *, equals: bool) -> bool:
        """Tell whether a value without quotes is prose, code, a mask or a fact about the secret."""
        value = bare[0]
        if is_nothing(value, equals=equals) or is_code(value) or self._kind_of_any(value):
            return True
        return (
            not equals and bool(_WORD.fullmatch(value)) and bool(_NEXT_WORD.match(text, bare.end()))
        )

    def _kind_of_any(self, name: str) -> str | None:
        """Return the kind of a name's value, or of that of its last part (`user.password`)."""
        return self._kind_of(name) or (
            self._kind_of(name.rpartition(".")[2]) if "." in name else None
        )

    def _options(self, text: str) -> Iterator[Span]:
        """Options of command lines: `--password X`, `curl -u user:X`."""
        for match in _OPTION.finditer(text):
            value = _BARE.match(text, match.end())
            kind = self._kind_of(match["name"])
            if value is not None and kind is not None:
                quote = match["quote"]
                end = quoted_end(text, match.end(), quote) if quote else value.end()
                if not is_nothing(text[match.end() : end], equals=False):
                    yield Span(match.end(), end, kind)
        if "curl" in text:
            for match in _CURL.finditer(text):
                yield Span(match.start("value"), match.end("value"), "value")

    def _items(self, text: str) -> Iterator[Span]:
        """Pairs as lists have them: `("authorization", "…")`, `["--password", "…"]`."""
        for match in _ITEM.finditer(text):
            kind = self._kind_of_any(match["name"])
            if kind is not None:
                start = match.end("value")
                yield Span(start, quoted_end(text, start, match["quote"]), kind)

    def _marked(self, text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
        """Values inside the marks of XML and of multipart forms."""
        for match in pattern.finditer(text):
            kind = self._kind_of_any(match["name"].rpartition(":")[2])
            if kind is not None:
                yield Span(match.start("value"), match.end("value"), kind)


def quoted_end(text: str, start: int, quote: str) -> int:
    """Return where a quoted value ends that begins at `start`; that of its line if it is cut.

    `quote` has as many backslashes as the text was escaped: one more escaped is inside the value,
    one less ends the text that all of it stands in.
    """
    sign = quote.lstrip("\\")
    level = len(quote) - len(sign)
    position = text.find(sign, start)
    while position >= 0:
        before = position
        while before > start and text[before - 1] == "\\":
            before -= 1
        slashes = position - before
        if slashes < level or (slashes - level) % (2 * (level + 1)) == 0:
            return position - min(slashes, level)
        position = text.find(sign, position + 1)
    line = text.find("\n", start)
    return len(text) if line < 0 else line


def _nested_end(text: str, start: int) -> int:
    """Return where the brackets end that open at `start`, or as far as is looked."""
    opening, closing = text[start], _PAIRS[text[start]]
    depth = 0
    for place in range(start, min(len(text), start + _LONGEST_NEST)):
        if text[place] == opening:
            depth += 1
        elif text[place] == closing:
            depth -= 1
            if not depth:
                return place + 1
    return min(len(text), start + _LONGEST_NEST)


def _line(text: str, start: int) -> tuple[int, int]:
    """Return the value of a header, behind its scheme: the rest of the line."""
    match = _LINE.match(text, start)
    if match is None or is_nothing(text[start : match.end()].partition(" ")[0], equals=False):
        return start, start
    return match.span("value")
