"""`python -m tests.comparison.child LIBRARY`: asks one library all, and prints the answers as JSON.

Each probe runs in a process of its own, forked from one that has imported the library alone.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from tests.comparison.asking import DEADLINE, Probe
from tests.comparison.libraries import Library, by_name
from tests.comparison.probes import PROBES
from tests.comparison.variants import VARIANTS


def main() -> None:
    library = by_name(sys.argv[1])
    importlib.import_module(library.module)
    more = {row: probe for (row, name), probe in VARIANTS.items() if name == library.name}
    found = {
        "alone": {row: _asked(library, probe) for row, probe in PROBES.items()},
        "with": {row: _asked(library, probe) for row, probe in more.items()},
    }
    print(json.dumps(found))


def _asked(library: Library, probe: Probe) -> str:
    """Return what the probe says; or why it fails, which is no answer that anybody expects."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        child = os.fork()
        if child == 0:
            signal.alarm(DEADLINE)
            os.chdir(folder)
            (folder / "answer").write_text(_answer(library, probe, folder / "logs"))
            os._exit(0)
        os.waitpid(child, 0)
        path = folder / "answer"
        return path.read_text() if path.exists() else "no answer in time"


def _answer(library: Library, probe: Probe, folder: Path) -> str:
    try:
        return probe(library, folder)
    except BaseException:  # also what would end this process before it has answered
        return traceback.format_exc()


if __name__ == "__main__":
    main()
