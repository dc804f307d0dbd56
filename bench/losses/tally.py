"""What callers know for themselves: how many of their log calls have returned.

Each caller (a thread of a process) has a file of its own and overwrites one number in it after
each call, so that the number stands however the process ends. The library has no part in it.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER = struct.Struct("<Q")
SUFFIX = ".tally"


class Tally:
    """The count of one caller, whose name no other caller has."""

    def __init__(self, folder: Path, caller: str) -> None:
        """Make the file; raises `FileExistsError` if the name is taken."""
        path = folder / f"{caller}{SUFFIX}"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self.write(0)

    def write(self, returned: int) -> None:
        """Say that so many calls have returned."""
        os.pwrite(self._descriptor, _NUMBER.pack(returned), 0)


def read_tallies(folder: Path) -> dict[str, int]:
    """How many calls have returned, by the name of the caller.

    A caller killed between making its file and writing the first number has made no call.
    """
    tallies = {path.name.removesuffix(SUFFIX): path.read_bytes() for path in folder.iterdir()}
    return {
        caller: _NUMBER.unpack(number)[0] if number else 0 for caller, number in tallies.items()
    }
