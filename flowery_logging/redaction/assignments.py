"""Secrets in text by the name before them: `key=value` and `key: value`, however it is written.

JSON and Python reprs (also escaped in one another), form bodies, headers, connection strings, YAML
and INI: the name is looked for first, then the place says where its value ends. Running prose
stays: `password: changed by kim` tells a fact, and hides none.
"""

from __future__ import annotations

import re
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.assignment_heads import head_at
from flowery_logging.redaction.blocks import Blocks
from flowery_logging.redaction.flat import Place
from flowery_logging.redaction.header_values import HEADERS, header_value
from flowery_logging.redaction.names import ENDINGS, KindOf, is_denied, squash
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.quotes import PAIRS, STOP, nested_end, quoted_end, unopened_end
from flowery_logging.redaction.schemes import is_scheme
from flowery_logging.redaction.sentences import are_sentences
from flowery_logging.redaction.urls import is_next
from flowery_logging.redaction.values import (
    is_about,
    is_amount,
    is_code,
    is_doubtful,
    is_identifier_of,
    is_mask,
    is_mixed,
    is_no_code,
    is_nothing,
    is_schema,
    is_shown,
    last_word,
    may_be_password,
    object_start,
)

_OTHER_NAME: Final = late(r"[가-힣 ]\(")
_END_OF_PARAMETER: Final = frozenset({"", " ", "&", "#", "\n"})
"""What ends a parameter of a query as it ends any value."""

_LINK: Final = late(r"(?:#[a-z][a-z-]*|https?://[^\s?@#]+)(?=[\s\"'\\]|\Z)")
"""Where a link of Markdown goes: `[token]: #token`."""

_OF_STRING: Final = late(r"(?<!\w)(?:string|bytes) \Z")
_NUMBER: Final = late(r"[0-9]{1,5} ?(?:;|\[)")
"""The type of a field in Protocol Buffers, and its number: `string password = 1;`."""

_ARN: Final = late(r"arn:[\w:./-]{1,128}\Z")
_BARE: Final = late(
    rf"(?:<(?!/)[^{STOP}]{{1,128}}>|(?:[^{STOP}]|\\(?![nrt\"'\\]))+"
    rf"(?:(?:(?!</[A-Za-z]{{1,16}}[1-6]?>)[<>,;|](?![\w.%$-]{{1,64}}[=:])|&(?=[!-~])(?![\w.%$#\[\]-]{{0,64}}[=:;])"
    r"|[)\]}`](?=[A-Za-z0-9]))"
    rf"(?:[^{STOP}]|\\(?![nrt\"'\\]))+)*)"
)
_ODD: Final = late(
    rf"(?!</)[)\]}}|;,<>](?![\w.%$-]{{1,64}}[=:])(?=[^{STOP}]*[0-9])(?=[^{STOP}]*[A-Za-z])[^{STOP}]+"
)
"""A value that begins with what ends others, as passwords that are made by chance may."""

_WORD: Final = late(r"[^\W\d_]+[.,!?]?")
_NEXT_WORD: Final = late(r"[ \t]+[^\W_]+(?![\w=:])|\\{0,15}'(?:t|s|re|ve|ll)[ ]")
_CHANGED: Final = late(r"\\{0,15}[\"'][ ]{1,4}(?:->|=>|→)[ ]{1,4}(?P<quote>\\{0,15}[\"'])")
_HASHED: Final = late(r"\{[A-Za-z0-9-]{2,16}\}(?=[\w$+/])")
"""How a password in a directory, or of Spring, was made: `{SSHA}…`."""
_PHRASE: Final = late(r"[A-Za-z]{3,12}(?: [A-Za-z]{3,12}){3,23}(?: [0-9]{1,4})?")


class Assignments:
    """Finds the values of secrets' names in texts.

    Args:
        kind_of: tells of which kind the value of a name is; None: it is shown.
    """

    def __init__(self, kind_of: KindOf) -> None:
        self._kind_of = kind_of
        self._blocks = Blocks(self._kind_of_any)

    def find(self, text: str, places: list[Place]) -> list[Span]:
        """Return the values that are to be hidden, in any order.

        `places` is where names stand, in order, before a sign, that may be a secret's. Of these
        remain only those whose value may go on where they are parameters of a query.
        """
        found = self._blocks.find(text, places)
        places[:] = self._add_assigned(text, places, found)
        return found

    def _add_assigned(self, text: str, places: list[Place], found: list[Span]) -> list[Place]:
        """Add what is assigned to names; return the places of which more may be hidden."""
        position, left = 0, []
        for place in places:
            if place.start < position:
                if place.in_query and text[position : position + 1] not in _END_OF_PARAMETER:
                    left.append(place)
                continue
            match = head_at(text, place, position)
            if match is None:
                if place.in_query:
                    left.append(place)
                continue
            start, end, kind = self._hidden(text, match)
            # What was taken for a value may be the next name.
            position = match.end(3)
            if kind is not None:
                found.append(Span(start, end, kind))
                position = end
                following = _CHANGED.match(text, end) if match[4] else None
                if following is not None:  # `"old" -> "new"`
                    position = quoted_end(text, following.end(), following["quote"])
                    found.append(Span(following.end(), position, kind))
            if place.in_query and not _is_all(text, match, end if kind is not None else None):
                left.append(place)
        return left

    def _hidden(self, text: str, match: re.Match[str]) -> tuple[int, int, str | None]:
        """Return where the secret behind a name begins and ends, and its kind; None: it is none."""
        name, closed, sign, quote = match.groups()
        kind = self._kind_of_any(name)
        if (
            (kind is None and not is_doubtful(name))
            or (closed == ")" and _is_called(text, match))
            or (closed == "]" and _LINK.match(text, match.end()))
        ):
            return 0, 0, None
        start, end = self._value(text, name, match.end(), quote, equals="=" in sign)
        if kind is None and may_be_password(name, text[start:end]):
            kind = "value"
        if start == end or _is_of_address(text, match) or _is_number_of_field(text, match):
            kind = None
        return start, end, kind

    def _value(
        self, text: str, name: str, start: int, quote: str | None, *, equals: bool
    ) -> tuple[int, int]:
        """Return where the secret behind a name begins and ends; the same twice: there is none."""
        first = text[start : start + 1]
        if not quote and first.isupper() and (inside := object_start(text, start)) > start:
            start, quote = inside + 1, text[inside]
        if quote:
            end = quoted_end(text, start, quote)
            value = text[start:end]
            is_none = not is_mixed(name, value) and (
                is_nothing(value, equals=equals)
                or is_shown(name, value)
                or _is_mask_of_scheme(value)
            )
            return (end, end) if is_none else (start, end)
        hashed = _HASHED.match(text, start) if first == "{" else None
        if hashed is None and first in PAIRS:
            end = nested_end(text, start)
            value = text[start:end]
            is_none = is_nothing(value, equals=equals) or are_sentences(value) or is_schema(value)
            return (end, end) if is_none else (start, end)
        if not equals and last_word(name) in HEADERS:
            return header_value(text, start)
        if not equals and name.lower().endswith(("phrase", "mnemonic")):
            phrase = _PHRASE.match(text, start)
            if phrase and not is_nothing(phrase[0].partition(" ")[0], equals=False):
                return phrase.span()
        place = start if hashed is None else hashed.end()
        return start, self._bare_end(text, name, start, place, equals=equals)

    def _bare_end(self, text: str, name: str, start: int, place: int, *, equals: bool) -> int:
        """Return where a secret without quotes ends; where it begins if there is none.

        `place`: where it goes on behind a prefix that says how it was made.
        """
        # First whether it is code: a value that has none of its ends is as long as the text.
        if is_code(text, place):
            return start
        bare = _BARE.match(text, place)
        if bare is None:
            odd = _ODD.match(text, place)
            return start if odd is None else odd.end()
        end = unopened_end(text, start, bare.end())
        if end > bare.end() and any(map(str.isdigit, text[start:end])):
            return end
        return start if self._is_no_secret(text, name, bare, equals=equals) else bare.end()

    def _is_no_secret(self, text: str, name: str, bare: re.Match[str], *, equals: bool) -> bool:
        """Tell whether a value without quotes is prose, code, a mask or a fact about the secret."""
        value = bare[0]
        # Of a query, where a flag may follow.
        first = value.partition("&")[0] if "&" in value else value
        if is_mixed(name, value) and (first is value or not is_nothing(first, equals=equals)):
            return False
        if (
            is_nothing(first, equals=equals)
            or is_shown(name, value)
            or is_no_code(name, value, equals=equals)
            or (
                is_identifier_of(name, value)
                and (self._kind_of_any(value) or squash(name) in squash(value))
            )
        ):
            return True
        if equals:
            return False
        if name.endswith(".auth") or (value[0] == "?" and text[bare.start() - 1] == ":"):
            return True  # the name of a logger; `${SECRET:?is missing}`
        is_prose = _WORD.fullmatch(value) and _NEXT_WORD.match(text, bare.end())
        return bool(is_prose) or is_about(name, value) or is_amount(text, bare.start())

    def _kind_of_any(self, name: str) -> str | None:
        """Return the kind of a name's value, or of that of its last part (`user.password`)."""
        if " " in name:
            return self._kind_of_words(name)
        kind = self._kind_of(name)
        return self._kind_of(name.rpartition(".")[2]) if kind is None and "." in name else kind

    def _kind_of_words(self, name: str) -> str | None:
        """Return the kind of `api key`: its last word says it; "secret santa" is no secret."""
        last = name.rpartition(" ")[2]
        if is_denied(name):
            return None
        kind = self._kind_of(name) if last.lower() in ENDINGS else None
        return kind or self._kind_of(last)


def _is_all(text: str, match: re.Match[str], end: int | None) -> bool:
    """Tell whether a parameter of a query hides no more than ends at `end`; None: nothing does.

    Before a quote, as in `password=b'…'`, a parameter would be the letter alone.
    """
    sign, quote = match.group(3, 4)
    if quote and match.end() - len(quote) > match.end(3):
        return True
    return end is not None and sign == "=" and _ends_parameter(text, end, quote)


def _ends_parameter(text: str, end: int, quote: str | None) -> bool:
    """Tell whether a value that ends here goes on no further as that of a parameter."""
    if quote:
        return text.startswith(quote, end)
    return text[end : end + 1] in _END_OF_PARAMETER or is_next(text, end)


def _is_mask_of_scheme(value: str) -> bool:
    """Tell whether a mask or a placeholder stands behind a scheme: `Bearer {self.token}`."""
    scheme, _, credentials = value.partition(" ")
    return is_scheme(scheme) and is_mask(credentials)


def _is_called(text: str, match: re.Match[str]) -> bool:
    """Tell whether a name in brackets is an argument: `len(password): 9`, not `암호(pw): …`."""
    start, name = match.start(), match["name"]
    if text.startswith("=(", match.end("closed")) or name[-2:].isupper():
        return False
    return text[start - 1 : start] != "(" or _OTHER_NAME.match(text, max(0, start - 2)) is None


def _is_of_address(text: str, match: re.Match[str]) -> bool:
    """Tell whether the name stands in an address that tells more itself.

    A part of an ARN names a secret, `arn:…:secret:shop/db`; a URL's user is seen with its password.
    """
    start = match.start()
    return text.startswith("://", max(0, start - 3)) or (
        text[start - 1 : start] == ":" and _ARN.search(text, max(0, start - 128), start) is not None
    )


def _is_number_of_field(text: str, match: re.Match[str]) -> bool:
    """Tell whether a value is the number of a field: `string password = 1;`."""
    start = match.start() + match["name"].rfind(" ") + 1
    return (
        _NUMBER.match(text, match.end()) is not None
        and _OF_STRING.search(text, max(0, start - 8), start) is not None
    )
