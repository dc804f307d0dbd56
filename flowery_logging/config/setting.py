"""One value of the configuration, where it came from, and the error that names both."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from flowery_logging.signalled import let_through

_MOST_CHARS: Final = 200
"""Of a value in an error, and of the reason, which may repeat it."""


class ConfigError(ValueError):
    """A value of the configuration cannot be used; the text says which, from where, what may be."""


class Setting(NamedTuple):
    """The value of one setting, and where it came from."""

    name: str  # that of the argument of setup()
    value: Any  # as it was given
    source: str  # "argument", "set_level()", an environment variable's name, or "default"

    def refuse(self, reason: str, allowed: str) -> ConfigError:
        """Return the error that names this value, its source and what is allowed."""
        origin = {
            "argument": f"argument {self.name}= of setup()",
            "set_level()": f"argument {self.name}= of set_level()",
            "default": "the default",
        }.get(self.source, f"environment variable {self.source}")
        reason, shown = _cut(reason), _shown(self.value)
        return ConfigError(f"{self.name}: {reason}: {shown} (from {origin}); allowed: {allowed}")


def _shown(value: object) -> str:
    """Return a value as an error shows it."""
    try:
        text = repr(value)
    except Exception as error:  # an object of the caller's
        let_through(error)
        return f"<unprintable {type(value).__name__}>"
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"


class Row(NamedTuple):
    """What is known of one setting: who gives it, what it may be, what it is if nobody does."""

    variables: tuple[str, ...]  # of the environment, in the order in which they are asked
    check: Callable[[Setting], Any]  # returns the value as the package uses it; raises ConfigError
    default: Any = None
    find_out: Callable[[], Any] | None = None  # returns the default where the process decides it
    may_be_path: bool = False  # of a file or directory


def absolute(value: Any, base: str) -> Any:
    """Return a path as it stands from a directory; what is no path, or empty, as it is."""
    is_path = isinstance(value, (str, os.PathLike)) and value
    return os.path.join(base, os.path.expanduser(value)) if is_path else value
