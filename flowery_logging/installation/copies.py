"""One copy of this package logs at a time.

Who puts `sys.modules` back as it was, or empties it (`mock.patch.dict(sys.modules)`, pytester's
`inline_run`, reloaders of plugins), and imports the package again has another copy of it, with a
state of its own, while what the first one has put into `logging` stands there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from flowery_logging.signalled import sheltered

_MARK: Final = "_flowery_logging_shutdown"
"""The attribute of `logging`, which no copy has of its own, with the `shutdown` of the one that
is set up."""


def take_over(shutdown: Callable[[], None]) -> None:
    """Note that this copy is set up; another one that is ends as by its `shutdown()`."""
    other = getattr(logging, _MARK, None)
    if other is not None and other is not shutdown:
        with sheltered:  # what it has put into others' code may be gone
            other()
    setattr(logging, _MARK, shutdown)


def leave(shutdown: Callable[[], None]) -> None:
    """Note that this copy is no longer set up."""
    if getattr(logging, _MARK, None) is shutdown:
        delattr(logging, _MARK)
