"""Which ends have been told: memory that a worker's main process shares with its children.

A task's own process and the main process may both learn of the task's end: it has succeeded while
it was called back; it has noticed the signal that was to end it. Who comes first tells, the other
one is silent.
"""

from __future__ import annotations

import mmap
from itertools import count
from typing import Final

SLOTS: Final = 65_536
"""How many tasks of one worker can be on their way at a time; then numbers begin anew."""

_numbers: Final = count()


class _State:
    """The page, from `share` on. A child that was spawned has none: it tells its ends itself."""

    page: mmap.mmap | None = None


def share() -> None:
    """Make the page, before the first child is forked."""
    if _State.page is None:
        _State.page = mmap.mmap(-1, SLOTS)


def new_slot() -> int:
    """Return the number of a task whose end nobody has told."""
    slot = next(_numbers) % SLOTS
    if _State.page is not None:
        _State.page[slot] = 0
    return slot


def claim(slot: int) -> bool:
    """Tell whether the caller is the first to tell the end of a task."""
    if _State.page is None:
        return True
    first = _State.page[slot] == 0
    _State.page[slot] = 1
    return first
