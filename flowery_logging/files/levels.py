"""Where a line tells its level."""

from __future__ import annotations

from typing import Final

LEVEL_AT: Final = 57
"""Where the name of the level begins in each line: `{"@timestamp":"…","log.level":"info", …`."""


_BEFORE_LEVEL: Final = b'Z","log.level":"'


def has_level(line: bytes) -> bool:
    """Tell whether a line is whole, and has its level where each of ours has it."""
    return line.endswith(b"\n") and line[:LEVEL_AT].endswith(_BEFORE_LEVEL)


def level_of_line(line: bytes) -> bytes:
    """Return the name of a line's level, as it stands there."""
    return line[LEVEL_AT : line.index(b'"', LEVEL_AT)]
