"""What `shutdown()` leaves in the objects of others: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.conftest import Logs

LOOK = """
import gc

def of_ours():
    "Attributes of ours in the dictionaries of others' modules, classes, functions and objects."
    found = set()
    for one in gc.get_objects():
        kind = type(one) if not isinstance(one, type) else one
        names = getattr(one, "__dict__", None)
        if not isinstance(names, dict) and not hasattr(names, "keys"):
            continue
        home = getattr(one, "__globals__", {}).get("__name__") or getattr(one, "__module__", None)
        home = home or kind.__module__
        if str(home).startswith(("flowery_logging", "__main__")):
            continue
        if str(getattr(one, "__name__", "")).startswith("flowery_logging"):
            continue
        found |= {(repr(one), name) for name in names if name.startswith("_flowery")}
    return sorted(found)
"""


@pytest.mark.slow
@pytest.mark.parametrize("output", ["file", "file,console"])
def test_no_attribute_of_ours_stays(tmp_path: Path, output: str) -> None:
    program = f"""
import asyncio, concurrent.futures, logging, logging.handlers, os, queue, threading, warnings
{LOOK}
mine = logging.getLogger("app")
mine.addHandler(logging.StreamHandler(open(os.devnull, "w")))
import flowery_logging
from flowery_logging import runtime
for number in range(2):
    flowery_logging.setup("svc", directory={str(tmp_path / "logs")!r}, output={output!r}, capture_warnings=True)
    runtime.leave_out("theirs", lambda record: False)
    mine.info("one", extra={{"a": 1}})
    warnings.warn("two")
    asyncio.run(asyncio.sleep(0))
    threading.Thread(target=lambda: 1 / 0).start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(mine.info, "three").result()
    assert [name for _, name in of_ours() if name == "_flowery_looked_at"], "it is there meanwhile"
    flowery_logging.shutdown()
    assert of_ours() == [], of_ours()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_what_is_left_out_stays_so_after_another_setup(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "logs")
    done = logs.run(
        "from flowery_logging import runtime\n"
        "runtime.leave_out('theirs', lambda record: True)\n"
        "flowery_logging.shutdown()\n"
        "runtime.leave_out('others', lambda record: True)\n"
        f"flowery_logging.setup('svc', directory={str(logs.directory)!r}, output='file')\n"
        "for name in ('theirs', 'others', 'app'): logging.getLogger(name).info('by %s', name)"
    )
    assert done.returncode == 0, done.stderr
    assert logs.messages() == ["by app"]
