"""Values that are told at a glance to hold no secret by the rules that apply without configuration.

They are frequent, and look like numbers or tokens to whoever searches for these. Further kinds of
what is to be hidden may be found in them.
"""

from __future__ import annotations

import re
from typing import Final

_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
is_uuid: Final = re.compile(_UUID).fullmatch
"""Tell whether a text is a UUID as it is mostly written. No number of a card is grouped so."""

are_uuids: Final = re.compile(rf'\["{_UUID}"(?:,"{_UUID}")*\]'.encode()).fullmatch
"""Tell the same of a list of texts, as it stands in JSON."""

SHORTEST_TOKEN: Final = 15
"""Signs of a token, at least. A word of fewer, without a digit, is no secret by its form."""

HMAC: Final = "hmac:"
"""How a pseudonym begins (see pseudonyms.py)."""

_MILLISECONDS: Final = 10**12
"""In 2001; and twice that is in 2033."""


def is_of_clock(number: int) -> bool:
    """Tell whether an integer is one of milliseconds or microseconds since the epoch.

    No issuer's cards begin with 1. Milliseconds have as many digits as a resident number: they are
    told where the third and fourth are no month, as in seven of eight years.
    """
    return (
        _MILLISECONDS <= number < 2 * _MILLISECONDS and number // 10**9 % 100 > 12
    ) or 1000 * _MILLISECONDS <= number < 2000 * _MILLISECONDS
