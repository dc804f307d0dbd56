"""Says, once in a process, that `setup()` was not called in it although its code uses the library.

A process that imports the service's modules anew (a worker that was spawned, a reloader's child)
runs nothing that stands under `if __name__ == "__main__"`: what it logs would be lost in silence.
"""

from __future__ import annotations

import os
import sys

from flowery_logging.foreign import frame_above
from flowery_logging.signalled import sheltered

missing = True
"""Whether something is to be said: nobody has called `setup()` here, or uses the formatters."""


def established() -> None:
    """Take note that events of this process have a place to go to."""
    global missing
    missing = False


def miss(use: str) -> None:
    """Say on stderr that `use` happens without a set-up. Never raises; not in a run of pytest.

    Tests of a service import it without its set-up, and compare what it prints.
    """
    global missing
    if not missing or "pytest" in sys.modules:
        return
    missing = False
    with sheltered:  # stderr is closed or broken
        sys.stderr.write(
            f"flowery_logging: {use} in process {os.getpid()}, where flowery_logging.setup() was"
            " not called: its events go to no log file. Call setup() at the top of the module that"
            ' workers import, not under `if __name__ == "__main__"`.\n'
        )


def miss_in_function(use: str) -> None:
    """Say it where the caller's caller is a function: modules are imported before a set-up."""
    frame = frame_above(2)
    if frame is None or frame.f_code.co_name != "<module>":
        miss(use)
