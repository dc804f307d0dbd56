"""What is learnt once and used again, up to a limit: beyond it the oldest is forgotten."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MAX_KEPT: Final = 4096
"""Entries of a cache whose entries are small."""

_SHARE: Final = 16


class Kept(dict[K, V], Generic[K, V]):
    """A dict that forgets its oldest entries when a new one comes and it has `limit` of them.

    Names, threads and shapes that come once pass through it; those in use come back at once. Safe
    under threads: at worst something is learnt twice.
    """

    __slots__ = ("_limit",)

    def __init__(self, limit: int = MAX_KEPT) -> None:
        super().__init__()
        self._limit = limit

    def keep(self, key: K, value: V) -> V:
        """Keep a value under a key that has none yet, and return it."""
        while len(self) >= self._limit:
            self._forget()
        self[key] = value
        return value

    def keep_all(self, keys: Collection[K], value: V) -> None:
        """Keep one value under keys that have none yet."""
        while self and len(self) + len(keys) > self._limit:
            self._forget()
        self.update(dict.fromkeys(keys, value))

    def _forget(self) -> None:
        # Many at once: a dict finds its first entry behind the places of all that went before it.
        try:
            oldest = [*islice(self, max(1, self._limit // _SHARE))]
        except RuntimeError:
            return  # another thread has kept something meanwhile
        for key in oldest:
            self.pop(key, None)
