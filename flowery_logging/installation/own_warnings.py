"""What the library's own warnings are about: `event.action`, by which `doctor` knows them."""

from __future__ import annotations

from typing import Final

CONFIGURED_LATER: Final = "logging-configured-after-setup"
DISABLED_BEFORE: Final = "loggers-disabled-before-setup"
SET_UP_AGAIN: Final = "service-renamed"
UNKNOWN_VARIABLES: Final = "variables-unknown"
NO_ROOM: Final = "label-names-used-up"

ALL: Final = frozenset(
    {CONFIGURED_LATER, DISABLED_BEFORE, SET_UP_AGAIN, UNKNOWN_VARIABLES, NO_ROOM}
)

DETACHED: Final = "detached_loggers"
DISABLED: Final = "disabled_loggers"
"""The labels with the names of the loggers that a warning is about."""
