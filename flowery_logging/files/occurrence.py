"""Whether a text occurs in a buffer: by the C library where it has `memmem`.

A search that reads gigabytes asks this of each block first: `memmem` of glibc takes a third of the
time of `bytearray.find`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final


class Buffer:
    """A bytearray of a fixed size that is filled again and again."""

    __slots__ = ("_address", "_start", "data")

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self._start = ctypes.c_char.from_buffer(self.data)  # keeps the address from moving
        self._address = ctypes.addressof(self._start)

    def __len__(self) -> int:
        return len(self.data)

    def holds(self, text: bytes, length: int) -> bool:
        """Tell whether a text occurs in the first `length` bytes."""
        if _memmem is None:
            return self.data.find(text, 0, length) >= 0
        return bool(_memmem(self._address, length, text, len(text)))


def _from_c_library() -> Callable[[int, int, bytes, int], int | None] | None:
    """Return `memmem`; None where the C library has none, as that of Windows."""
    try:
        found = ctypes.CDLL(None).memmem
    except (AttributeError, OSError, TypeError):
        return None
    found.restype = ctypes.c_void_p
    found.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
    return found


_memmem: Final = _from_c_library()
