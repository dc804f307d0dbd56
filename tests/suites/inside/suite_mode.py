"""What `flowery_logging` does in the process of a suite, and where the results go.

`SUITE_MODE` says the first, `SUITE_RESULTS` names a JSON file for the second: each test's outcome
and, where it failed, the last line of why; and how many events the library has written.
"""

import atexit
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

outcomes: dict[str, list[str]] = {}  # test → outcome, why


def begin() -> None:
    """Set the library up as the mode says."""
    mode = os.environ["SUITE_MODE"]
    atexit.register(_write_outcomes, os.getpid(), Path(os.environ["SUITE_RESULTS"]))
    if mode == "without":
        return
    # Imported only here: structlog keeps the stdout that it finds, which pytest has replaced by now.
    import flowery_logging

    # The root logger keeps its level: that setup() lowers it is no difference to look for.
    flowery_logging.setup("suite", directory=tempfile.mkdtemp(), output="file", level="WARNING")
    if mode == "aside":
        _set_handler_aside()
    elif mode == "after":
        flowery_logging.shutdown()


def note(test: str, outcome: str, why: object = "") -> None:
    """Note an outcome; a failure in one part of a test, as its teardown, is that of the test."""
    known = outcomes.get(test)
    if known is None or known[0] == "passed":
        lines = str(why).strip().splitlines()
        outcomes[test] = [outcome, lines[-1][:300] if lines else ""]


def _set_handler_aside() -> None:
    """Take our handler away, and what would bring it back with the next event."""
    from flowery_logging import runtime

    runtime._attachment._active = False
    root = logging.getLogger()
    for handler in list(root.handlers):
        if type(handler).__module__.startswith("flowery_logging"):
            root.removeHandler(handler)


def _write_outcomes(process: int, path: Path) -> None:
    if os.getpid() == process:
        library = sys.modules.get("flowery_logging")
        events = library.stats()["events"] if library else 0
        path.write_text(json.dumps({"outcomes": outcomes, "events": events}))
