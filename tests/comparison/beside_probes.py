"""How it gets on with other code, and with people."""

from __future__ import annotations

import logging
import logging.config
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.comparison.asking import DEADLINE, NO, ROOT, answer, probe
from tests.comparison.libraries import Library, NoneOfThatError


@probe
def lines_of_other_libraries(library: Library, folder: Path) -> str:
    library.start(folder)
    logging.getLogger("sqlalchemy").warning("from elsewhere")
    return answer(b"from elsewhere" in b"".join(library.lines(folder)))


@probe
def dictconfig_afterwards(library: Library, folder: Path) -> str:
    """Somebody configures `logging` anew, as servers and alembic do."""
    library.start(folder)
    logging.config.dictConfig(
        {
            "version": 1,
            "handlers": {"quiet": {"class": "logging.NullHandler"}},
            "root": {"handlers": ["quiet"], "level": "WARNING"},
        }
    )
    logging.getLogger().setLevel("INFO")
    library.info("still there")
    return answer(b"still there" in b"".join(library.lines(folder)))


def _pay(reason: str) -> None:
    raise RuntimeError(reason)


@probe
def uncaught_exceptions(library: Library, folder: Path) -> str:
    """One in a thread, one that ends the process."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        library.start(folder)
        thread = threading.Thread(target=_pay, args=("in a thread",))
        thread.start()
        thread.join()
        try:
            _pay("at the end")
        except RuntimeError:
            sys.excepthook(*sys.exc_info())
        os._exit(1)
    os.waitpid(child, 0)
    whole = b"".join(library.lines(folder))
    return answer(b"in a thread" in whole and b"at the end" in whole)


COLOURS: Final = {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}
ON_A_TERMINAL: Final = """
import sys
from tests.comparison.libraries import by_name
library = by_name(sys.argv[1])
library.start_on_terminal()
library.info("placed", order_id=7)
"""


@probe
def lines_for_people(library: Library, _folder: Path) -> str:
    """On a terminal: one line with colours, not JSON."""
    master, terminal = os.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, library.name]
    place = {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    kept = {name: value for name, value in os.environ.items() if name not in COLOURS}
    subprocess.run(
        command,
        stdout=terminal,
        stderr=terminal,
        env={**kept, **place},
        timeout=DEADLINE,
        check=True,
    )
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # the end of a terminal
        while part := os.read(master, 10_000):
            shown += part
    line = next(line for line in shown.splitlines() if b"placed" in line)
    return answer(b"\x1b[" in line and b"{" not in line)


@probe
def a_layout_of_your_own(library: Library, folder: Path) -> str:
    """Lines by a template: INFO|placed."""
    try:
        library.start_with_layout(folder)
    except NoneOfThatError:
        return NO
    library.info("placed", order_id=7)
    return answer(b"".join(library.lines(folder)).lower().strip().startswith(b"info|placed"))
