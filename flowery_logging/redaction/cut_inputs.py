"""Ends of secrets whose name is cut away: `input_value={'user': 'kim', 'pa...hunter2pw9'}`.

pydantic shows 25 characters of the beginning of an object that it was given, and 24 of its end.
What the first ones of these belong to nobody can tell, so they stand for a secret, unless they are
words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.names import squash
from flowery_logging.redaction.numbers import Span

_INPUT: Final = late(
    r"input_value=(?:\{|[A-Z]\w{0,63}\()[^\n]{0,64}?\.\.\.(?P<end>[^\n]{1,64}?), input_type="
)
_VALUE: Final = late(r"(?P<value>[^'\"\n]{1,64})['\"](?=[,})\]])")
_NAMED: Final = late(
    r"(?P<name>[\w.-]{0,64}?)(?:['\"]?: ?|=|(?<=\.) )"
    r"(?:['\"](?P<quoted>[^'\"\n]{1,64})['\"](?!:)|(?P<bare>[^\s,})\]'\"]{4,64}))"
)
_SHORTEST: Final = 4
"""Characters of an end that may be a secret's."""

_SECRETS: Final = (
    "password", "passwd", "passphrase", "pwd", "secret", "token", "key", "credentials",
)  # fmt: skip
"""Ends of names that may be cut."""


def find(text: str) -> Iterator[Span]:
    """Yield the values directly behind the place where an object is cut."""
    for match in _INPUT.finditer(text):
        start, end = match.span("end")
        value = _VALUE.match(text, start, end)
        named = _NAMED.match(text, start, end) if value is None else None
        if value is not None and _may_be_secret(value["value"]):
            yield Span(*value.span("value"), "value")
        elif named is not None and any(name.endswith(squash(named["name"])) for name in _SECRETS):
            yield Span(*named.span("quoted" if named["quoted"] else "bare"), "value")


def _may_be_secret(value: str) -> bool:
    """Tell whether a value is not the end of a sentence."""
    return any(map(str.isdigit, value)) or (" " not in value and len(value) >= _SHORTEST)
