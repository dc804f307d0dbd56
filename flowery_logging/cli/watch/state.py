"""What was told already, kept in a file from one look to the next."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from flowery_logging.cli.whole import write_whole
from flowery_logging.files import locks

FORGET_SECONDS: Final = 30 * 86_400.0
"""An error that has not been seen for so long is new when it comes again."""

_VERSION: Final = 1


class StateError(Exception):
    """The file cannot be read or written, or another watch has it; says which."""


@dataclass
class State:
    """What earlier looks have left; all times are seconds since the epoch."""

    looked: float = 0.0  # 0: never
    audited: float = 0.0
    open: dict[str, str] = field(default_factory=dict)  # what lasts, by key: its text
    told: dict[str, float] = field(default_factory=dict)  # what happened once, by key: when seen
    groups: dict[str, float] = field(default_factory=dict)  # of errors: when seen last
    services: dict[str, float] = field(default_factory=dict)  # when each one's last event was
    lost: dict[str, str] = field(default_factory=dict)  # of the last audit

    def forget(self, now: float) -> None:
        """Drop what is too old to matter."""
        for times in (self.told, self.groups, self.services):
            for name in [name for name, seen in times.items() if now - seen > FORGET_SECONDS]:
                del times[name]


def default_path(source: str) -> Path:
    """Return where the state of a watch lies that has no --state: one file for each source."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    name = hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Path(home, "flowery-logging", f"watch-{name}.json")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep a second watch from telling the same. Raises StateError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateError(f"cannot use {path}: {error.strerror}") from None
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        is_free = not locks.HAS_LOCKS or locks.try_lock(descriptor)
    except OSError as error:
        raise StateError(f"cannot lock {path}: {error.strerror}") from None
    if not is_free:
        raise StateError(f"another watch is at work with {path}")


def load(path: Path) -> State:
    """Return what the file holds; an empty state where there is none. Raises StateError."""
    try:
        found = orjson.loads(path.read_bytes())
        if found.pop("version") != _VERSION:
            raise StateError(f"{path} is of another version: remove it to begin anew")
        return _checked(State(**found))
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise StateError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StateError(f"{path} holds no state of a watch: remove it to begin anew") from None


def _checked(state: State) -> State:
    for name, value in asdict(state).items():
        if not isinstance(value, dict if name not in {"looked", "audited"} else (int, float)):
            raise TypeError(name)
    return state


def save(path: Path, state: State) -> None:
    """Write the state, whole or not at all. Raises StateError."""
    content: dict[str, Any] = {"version": _VERSION, **asdict(state)}
    try:
        write_whole(path, orjson.dumps(content), 0o600)
    except OSError as error:
        raise StateError(f"cannot write {path}: {error.strerror}") from None
