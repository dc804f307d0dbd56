"""What a program puts around words for a terminal (ECMA-48, SGR), as Flask's server does."""

from __future__ import annotations

from typing import Final

from flowery_logging.late import late

_COLOUR: Final = late(r"\x1b\[[0-9;]{0,32}m")


def without_colours(text: str) -> str:
    """Return a text without the codes of colours."""
    return _COLOUR.sub("", text) if "\x1b" in text else text
