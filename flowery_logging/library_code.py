"""Which code is a library's and which is the application's own, told by the name of its file.

A traceback is read for the application's own frames; those of Python and of installed packages are
the way there. A name is enough, so that lines of other machines are told apart as well.
"""

from __future__ import annotations

import os
from typing import Final

from flowery_logging.late import late

OWN_LOGGER: Final = "flowery_logging"
"""The logger of this library's own records, above those of its parts."""

ACCESS_LOGGER: Final = f"{OWN_LOGGER}.access"
CLIENT_LOGGER: Final = f"{OWN_LOGGER}.client"
TASK_LOGGER: Final = f"{OWN_LOGGER}.task"
"""The loggers of the events in which requests, calls and runs of tasks end, one each."""

FILES: Final = os.path.dirname(__file__) + os.sep
"""What the names of this library's own files begin with."""

_LIBRARY: Final = late(
    r"""(?ix)
    ^<frozen[ ] (?P<frozen> \w+ )                 # compiled into the interpreter
    | [\\/] (?: site-packages | dist-packages
              | (?: lib | lib64 ) [\\/] (?: python | pypy ) \d+ (?: \. \d+ )? t?
              | python \d+ (?: \. \d+ )? t? [\\/] lib     # on Windows
              | python \d+ \. zip )
      [\\/] (?! (?: .* [\\/] )? (?: site | dist ) -packages [\\/] )
      (?P<package> [^\\/]+? ) (?: \.py | [\\/] .* )? $
    | [\\/] (?P<ours> flowery_logging ) [\\/]
      (?: integrations [\\/] | capture [\\/] | ends [\\/]
        | (?: around | context | trace | runtime ) \.py )
    """
)


def is_own(name: str) -> bool:
    """Tell whether a logger or a module is this library's own, by its name."""
    return name.partition(".")[0] == OWN_LOGGER


def is_library(file: str) -> bool:
    """Tell whether a file is Python's, an installed package's or this library's own."""
    return _LIBRARY.search(file) is not None


def package_of(file: str) -> str:
    """Return the name of the package or module that a library's file belongs to."""
    found = _LIBRARY.search(file)
    return file if found is None else found["frozen"] or found["package"] or found["ours"]


def short_path(file: str) -> str:
    """Return a library's file from its package on."""
    found = _LIBRARY.search(file)
    start = 0 if found is None else max(found.start("package"), found.start("ours"), 0)
    return file[start:]
