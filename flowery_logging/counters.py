"""Counts of what happened to events, shared by the rooms and shown by `flowery_logging.stats()`."""

from __future__ import annotations

from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable, Mapping
from typing import Final

from flowery_logging import process

COUNTED: Final = (
    "files", "files_removed", "bytes_removed", "write_errors", "dropped", "interrupted",
    "rewritten", "reserved_names", "misfits", "renamed_labels", "fields_over_limit", "cut_values",
    "cut_lists", "cut_traces", "cut_lines", "fallbacks", "broken_records", "processor_errors",
    "dropped_by_processors", "handler_errors", "undone", "keyword_fields", "mirror_errors",
    "own_changes", "label_names_over_limit", "redacted", "left_out_by_flood",
    "left_out_by_sampling",
)  # fmt: skip
"""What a set-up counts from 0 on, so that all of it is seen before it happens."""


class Counters:
    """Named counts of this process that only grow. `add` is for rare events: it takes a lock."""

    def __init__(self, *names: str) -> None:
        self.listener: Callable[[str, int], None] | None = None  # gets each new count
        self._counts = dict.fromkeys(names, 0)
        # Re-entrant: a signal handler may log while this thread holds it.
        self._lock = RLock()
        process.renew_in_children(self)

    def add(self, name: str, amount: int = 1) -> None:
        """Raise one count; a name not seen before begins at 0."""
        self.add_all({name: amount})

    def add_all(self, amounts: Mapping[str, int]) -> None:
        """Raise some counts, by their names."""
        process.look()
        with self._lock:
            counts, listener = self._counts, self.listener
            for name, amount in amounts.items():
                total = counts[name] = counts.get(name, 0) + amount
                if listener is not None:
                    listener(name, total)

    def snapshot(self) -> Mapping[str, int]:
        """Return a copy of all counts."""
        process.look()
        return dict(self._counts)

    def start_child(self) -> None:
        """Begin anew in a forked child; a thread that is gone may have held the lock."""
        self._lock = RLock()
        self._counts = dict.fromkeys(self._counts, 0)
