"""One row of the tables of tokens that are known by their form.

One row a form, with its source, a text in which it is found and one that only looks so; the tests
read both. Examples are invented, and put together in the tables so that no scanner takes them for
real.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ALNUM20: Final = "abcDEF0123456789ghIJ"
HEX32: Final = "0123456789abcdef" * 2
"""What the examples are put together from."""


class Form(NamedTuple):
    """One kind of token. In each of them stands one of the stems, which are searched for first."""

    kind: str
    stems: tuple[str, ...]
    pattern: str
    source: str
    positive: str
    negative: str
