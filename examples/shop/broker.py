"""A folder as Celery's broker: kombu's own transport, safe for processes that run at once.

kombu's makes a file and then fills it; a reader that comes in between takes an empty message, and
its worker ends. Here one process at a time touches the folder.
"""

import fcntl
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem

URL = "folder://localhost/"
DRAINED_WITHIN = 0.2  # seconds


def _alone(method: Callable[..., Any]) -> Any:
    """Return the method of a channel as one that a single process runs at a time."""

    @wraps(method)
    def locked(channel: Any, *arguments: Any, **options: Any) -> Any:
        with (Path(channel.data_folder_in) / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return method(channel, *arguments, **options)
            finally:
                # Closing is not enough: a child that was forked meanwhile has the file open too.
                fcntl.flock(lock, fcntl.LOCK_UN)

    return locked


_TOUCHING = ("get_table", "_queue_bind", "_put", "_get")
_METHODS = {name: _alone(getattr(filesystem.Channel, name)) for name in _TOUCHING}


class Transport(filesystem.Transport):
    Channel: Any = type("Channel", (filesystem.Channel,), _METHODS)

    def drain_events(  # type: ignore[override]  # kombu's two base classes disagree
        self, connection: Any, timeout: float | None = None
    ) -> Any:
        """Wait for a message; a worker that is told to stop looks up after `DRAINED_WITHIN`."""
        drain: Any = super().drain_events
        return drain(connection, timeout=timeout and DRAINED_WITHIN)


TRANSPORT_ALIASES["folder"] = f"{__name__}:Transport"
