"""Events of one shape whose values differ, as those of a service do.

Numbers, dates, IDs, names of customers and secrets are others in each; the words of messages stay.
Whoever remembers what he has seen gains nothing by being asked the same again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final
from uuid import UUID

from bench import event

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_BASE64: Final = f"{_LETTERS}{_LETTERS.upper()}0123456789"
_SYLLABLES: Final = ("Min", "Jun", "Seo", "Yeon", "Ji", "Ha", "Eun", "Do", "Hyun", "Woo", "Soo")
_FAMILIES: Final = ("Kim", "Lee", "Park", "Choi", "Jung", "Kang", "Cho", "Yoon", "Jang", "Lim")


def _customer(chance: Random) -> str:
    first, second = chance.choices(_SYLLABLES, k=2)
    return f"{chance.choice(_FAMILIES)} {first}-{second.lower()}"


def _word(length: int, letters: str = _LETTERS) -> Callable[[Random], str]:
    return lambda chance: "".join(chance.choices(letters, k=length))


def _card(chance: Random) -> str:
    """Return a number of Visa's that has the right last digit (Luhn)."""
    digits = [4, *chance.choices(range(10), k=14)]
    doubled = [2 * digit if place % 2 == 0 else digit for place, digit in enumerate(digits)]
    total = sum(number - 9 * (number > 9) for number in doubled)
    return "".join(map(str, [*digits, -total % 10]))


def _grouped(number: str) -> str:
    return " ".join(number[place : place + 4] for place in range(0, 16, 4))


_PARTS: Final[dict[str, Callable[[Random], str]]] = {
    event.ORDER: lambda chance: f"A-{chance.randrange(10 ** chance.randrange(1, 7))}",
    event.CUSTOMER: _customer,
    "김서연": lambda chance: "김" + "".join(map(chr, chance.choices(range(0xAC00, 0xD7A4), k=2))),
    event.WORDS: lambda chance: f"{_word(5)(chance)} {_word(6)(chance)}",
    "hunter2": lambda chance: f"{_word(6)(chance)}{chance.randrange(10)}",
    "abcdefgh12345678": _word(16, _BASE64),
    "c2lnbmF0dXJl": _word(12, _BASE64),
    "4111 1111 1111 1111": lambda chance: _grouped(_card(chance)),
    "900101-1234568": lambda chance: f"900101-1{chance.randrange(10**6):06}",
}
"""What stands in events, and what stands there in others."""

_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ESCAPES: Final = r"\\u[0-9a-f]{4}"
_PART: Final = re.compile("|".join([*map(re.escape, _PARTS), _UUID, _ESCAPES, "[1-9]"]))
_CARD: Final = 4111111111111111


def other(value: Any, chance: Random) -> Any:
    """Return another value of the same kind: a text with other digits, another date, a UUID."""
    if type(value) is dict:
        return {name: other(inner, chance) for name, inner in value.items()}
    if type(value) is list:
        return [other(inner, chance) for inner in value]
    make = _OTHERS.get(type(value))
    return value if make is None else make(value, chance)


def _text(value: str, chance: Random) -> str:
    return _PART.sub(lambda match: _part(match[0], chance), value)


def _part(part: str, chance: Random) -> str:
    if part in _PARTS:
        return _PARTS[part](chance)
    if len(part) == 1:  # none is larger than it was: an address stays one, and a month
        return str(chance.randint(1, int(part)))
    if part.startswith("\\"):
        return f"\\u{chance.randrange(0xAC00, 0xD7A4):04x}"
    return str(UUID(int=chance.getrandbits(128), version=4))


def _integer(value: int, chance: Random) -> int:
    return int(_card(chance)) if value == _CARD else chance.randint(value - value // 16, value)


_OTHERS: Final[dict[type, Callable[[Any, Random], Any]]] = {
    str: _text,
    int: _integer,
    float: lambda value, chance: round(value * chance.random(), 1),
    bool: lambda _, chance: chance.random() < 0.5,
    UUID: lambda _, chance: UUID(int=chance.getrandbits(128), version=4),
    Decimal: lambda value, chance: Decimal(chance.randint(1, int(value * 100))) / 100,
    datetime: lambda value, chance: value + timedelta(microseconds=chance.randrange(10**12)),
}
