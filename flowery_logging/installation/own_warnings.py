"""How the library's own warnings begin: who writes one, and `doctor`, which knows it by that."""

from __future__ import annotations

from typing import Final

CONFIGURED_LATER: Final = "logging was configured after setup()"
DISABLED_BEFORE: Final = "loggers that were disabled before setup()"
SET_UP_AGAIN: Final = "setup() at "
UNKNOWN_VARIABLES: Final = "unknown variables: "
NO_ROOM: Final = "no room for a label"

ALL: Final = (CONFIGURED_LATER, DISABLED_BEFORE, SET_UP_AGAIN, UNKNOWN_VARIABLES, NO_ROOM)
