"""What calls of `setup()` have in common, and what is said when a process begins to log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowery_logging.config import Config, resolve
from flowery_logging.config.place import working_directory
from flowery_logging.config.setting import absolute
from flowery_logging.config.table import SETTINGS
from flowery_logging.config.variables import unknown_variables
from flowery_logging.files import stderr
from flowery_logging.foreign import getframe
from flowery_logging.library_code import is_own


class Calls:
    """The calls of `setup()` since the beginning or the last `shutdown()`.

    A module that is imported may call it too. What one call gives stays until another one gives
    it anew.
    """

    def __init__(self) -> None:
        self._arguments: dict[str, Any] = {}
        self._named_at = ""  # where the service got its name
        self.imposed: Mapping[str, Any] = {}  # what stands where no call says otherwise

    def resolve(self, arguments: Mapping[str, Any], previous: Config | None) -> Config:
        """Return the configuration of this call and those before it. Raises ConfigError."""
        given = {**self.imposed, **self._arguments, **arguments}
        return resolve(given, previous=previous)

    def note(
        self, arguments: Mapping[str, Any], previous: Config | None, config: Config, place: str
    ) -> str | None:
        """Remember a call that was made at a place; say if it gives the service another name."""
        base = str(working_directory())
        for name, value in arguments.items():
            self._arguments[name] = absolute(value, base) if SETTINGS[name].may_be_path else value
        if previous is not None and previous.service == config.service:
            return None
        before, self._named_at = self._named_at, place
        if previous is None:
            return None
        return (
            f"setup() at {place} changes the service from {previous.service!r} "
            f"(setup() at {before}) to {config.service!r}"
        )

    def note_level(self, config: Config, level: int, logger: str | None) -> Config:
        """Remember a level that was changed at run time, of one logger or of all.

        Return the configuration that stands with it.
        """
        changed: dict[str, Any] = {"level": level}
        if logger is not None:
            changed = {"levels": {**config.levels, logger: level}}
        self._arguments |= changed
        return config._replace(**changed)

    def forget(self) -> None:
        """Begin anew."""
        self._arguments.clear()

    def saved(self) -> tuple[dict[str, Any], str]:
        """Return what was remembered, for `restore`."""
        return dict(self._arguments), self._named_at

    def restore(self, saved: tuple[dict[str, Any], str]) -> None:
        """Remember what was remembered then."""
        arguments, self._named_at = saved
        self._arguments = dict(arguments)


class Startup:
    """What is said once in a process."""

    def __init__(self) -> None:
        self._named: set[str] = set()

    def unknown_variables(self, config: Config) -> str | None:
        """Return a warning about FLOWERY_* variables that nobody reads, unless it was given.

        Likely misspellings are named on stderr too. Values are not: they may be secrets.
        """
        found = {n: near for n, near in unknown_variables().items() if n not in self._named}
        if not found:
            return None
        self._named.update(found)
        if config.stderr_level is not None:
            for name, near in found.items():
                if near is not None:
                    stderr.say(f"flowery_logging: unknown variable {_with_hint(name, near)}\n")
        return "unknown variables: " + ", ".join(_with_hint(*item) for item in found.items())


def _with_hint(name: str, near: str | None) -> str:
    return name if near is None else f"{name} (did you mean {near}?)"


def caller() -> str:
    """Return the file and line that has called us: the innermost frame that is not ours."""
    frame = getframe(1)
    while frame.f_back is not None and is_own(str(frame.f_globals.get("__name__", ""))):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def say_where(config: Config) -> None:
    """Write the one start-up line to stderr: where the logs go, and what changes that."""
    if config.directory is None and config.fallback is None:
        return
    if config.fallback is not None:
        where = f"standard output, as {config.fallback}; FLOWERY_LOG_DIR names another directory"
    else:
        where = f"{config.directory} ({_origin(config.sources['directory'])})"
    stderr.say(f"flowery_logging: {config.service} logs to {where}\n")


def _origin(source: str) -> str:
    if source == "default":
        return "FLOWERY_LOG_DIR changes that"
    if source == "argument":
        return "as setup() says; else FLOWERY_LOG_DIR would"
    return f"as {source} says"
