"""What must not be shown: the one place that all of a line's texts, numbers and keys go through.

`suspects` is a quick look, for each event; `clean` looks with care, at the texts that it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from flowery_logging.kept import Kept
from flowery_logging.redaction import forms, numbers, schemes, sql, urls
from flowery_logging.redaction.assignments import Assignments
from flowery_logging.redaction.names import KEY_CHARS, Names
from flowery_logging.redaction.numbers import NORMAL, Span
from flowery_logging.redaction.suspicion import (
    ADDRESSES,
    NAMED,
    NUMBERS,
    SCHEMES,
    TOKENS,
    Suspicion,
)

MARKER: Final = "[redacted]"
_IS_MARKER: Final = re.compile(r"\[redacted(?::\w{1,32})?\]?$")
_NAME: Final = re.compile(r"[\w.-]{0,64}")
"""Names of parameters without escapes."""


def marker(kind: str) -> str:
    """Return what stands for a secret of a kind; by its name alone, no kind is known."""
    return f"[redacted:{kind}]" if kind != "value" else MARKER


def found(
    text: str, kinds: int, hides: Callable[[str], bool], assignments: Assignments
) -> Iterator[Span]:
    """Yield all secrets of some kinds (see `suspicion`) in a text, overlapping ones too."""
    if kinds & NUMBERS:
        yield from numbers.find(
            text if text.isascii() and "+" not in text else text.translate(NORMAL)
        )
    if kinds & TOKENS:
        yield from forms.find(text)
    if kinds & (SCHEMES | NAMED):
        yield from schemes.find(text)
    if kinds & (ADDRESSES | NAMED):
        yield from urls.find(text, hides)
    if kinds & NAMED:
        yield from assignments.find(text)
        yield from sql.find(text, hides)


def replaced(text: str, spans: Iterable[Span]) -> str:
    """Return the text with a marker for each group of overlapping spans.

    Of a group the kind that is known best stands: that of a form, not of a name.
    """
    kept: list[str] = []
    position = 0
    for start, end, kind in _merged(spans):
        kept += (text[position:start], marker(kind))
        position = end
    return "".join((*kept, text[position:]))


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in sorted(spans):
        if current is None or span.start >= current.end:
            if current is not None:
                yield current
            current = span
        else:
            kind = current.kind if current.kind != "value" else span.kind
            current = Span(current.start, max(current.end, span.end), kind)
    if current is not None:
        yield current


class Redaction:
    """Hides nothing: for records of the library's own, whose numbers must not be mistaken."""

    marker: str = MARKER

    def hides(self, name: str) -> bool:  # noqa: ARG002
        """Tell whether the value of a key (one part of a dotted name) is a secret by its name."""
        return False

    def suspects(self, text: str) -> int:  # noqa: ARG002
        """Tell, quickly, what `clean` may have to do with a text: kinds of secrets, or 0."""
        return 0

    def suspects_json(self, encoded: bytes) -> int:  # noqa: ARG002
        """Tell the same of one or many texts in UTF-8, also as they stand in JSON."""
        return 0

    def clean(self, text: str) -> str:
        """Return a text with a marker in place of each secret in it."""
        return text

    def clean_query(self, query: str) -> str:
        """Return the query of a URL, without its question mark, without the secrets in it."""
        return query

    def clean_number(self, value: float) -> Any:
        """Return a number, or the marker if it is a card or resident number."""
        return value


class Redactor(Redaction):
    """Decides what must not be shown.

    Args:
        secret: more names of secrets, compared without case and separators, as whole names.
        safe: names that are shown although a rule would hide them.
    """

    def __init__(self, secret: Iterable[str] = (), safe: Iterable[str] = ()) -> None:
        secret = tuple(secret)
        self._judge = Names(secret, safe).judge
        self._verdicts: Kept[str, bool] = Kept()
        self._parameters: Kept[str, bool] = Kept()  # by parameter of a query: is it no secret's?
        self._assignments = Assignments(self.hides)
        self.suspects_json = Suspicion(secret)  # type: ignore[method-assign]

    def hides(self, name: str) -> bool:
        """Tell whether the value of a key (one part of a dotted name) is a secret by its name."""
        verdict = self._verdicts.get(name)
        if verdict is None:
            verdict = self._judge(name)
            if len(name) <= KEY_CHARS:
                self._verdicts.keep(name, verdict)
        return verdict

    def suspects(self, text: str) -> int:
        """Tell, quickly, what `clean` may have to do with a text: kinds of secrets, or 0."""
        return self.suspects_json(text.encode("utf-8", "surrogatepass"))

    def clean(self, text: str) -> str:
        """Return a text with a marker in place of each secret in it."""
        kinds = self.suspects(text)
        if not kinds:
            return text
        spans = [
            span
            for span in found(text, kinds, self.hides, self._assignments)
            if not _IS_MARKER.match(text, span.start, span.end)
        ]
        return replaced(text, spans) if spans else text

    def clean_query(self, query: str) -> str:
        """Return the query of a URL, without its question mark, without the secrets in it."""
        return query if self._is_harmless_query(query) else self.clean(f"?{query}")[1:]

    def _is_harmless_query(self, query: str) -> bool:
        """Tell whether no parameter is a secret's, and nothing else in a query is suspicious."""
        if "?" in query or ";" in query:
            return False
        for part in query.split("&"):
            if not self._is_harmless(part.partition("=")[0]):
                return False
        return not self.suspects(query.replace("=", "\n"))

    def _is_harmless(self, parameter: str) -> bool:
        verdict = self._parameters.get(parameter)
        if verdict is None:
            verdict = _NAME.fullmatch(parameter) is not None and not (
                self.hides(parameter) or urls.may_let_in(parameter)
            )
            if len(parameter) <= KEY_CHARS:
                self._parameters.keep(parameter, verdict)
        return verdict

    def clean_number(self, value: float) -> Any:
        """Return a number, or the marker if it is a card or resident number."""
        if type(value) is int and numbers.SMALLEST <= value < 10**19:
            for span in numbers.find(str(value)):
                return marker(span.kind)
        return value
