"""One attribute of somebody else's class, replaced while a set-up stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_ABSENT: Final = object()


class Patch:
    """Replaces a method; `undo` puts back what was there, unless others have wrapped it since."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner = owner
        self.name = name
        self.ours: Any = None
        self.theirs: Any = None
        self._own: Any = _ABSENT  # what the class itself had, and not a base of it

    def apply(self, make: Callable[[Any], Any]) -> None:
        """Put `make(theirs)` in the place of the method, if it is not there."""
        if self.ours is not None and vars(self.owner).get(self.name) is self.ours:
            return
        self._own = vars(self.owner).get(self.name, _ABSENT)
        self.theirs = getattr(self.owner, self.name)
        self.ours = make(self.theirs)
        setattr(self.owner, self.name, self.ours)

    def undo(self) -> None:
        """Put back what was there."""
        if self.ours is None or vars(self.owner).get(self.name) is not self.ours:
            return
        if self._own is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self._own)
        self.ours = None
