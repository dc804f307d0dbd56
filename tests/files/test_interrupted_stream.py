"""Standard output and a signal handler that raises or logs, at every point where Python runs one."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

PROGRAM = """
import logging, os, sys
import flowery_logging
from tests.files.interruptions import Handler, Interruption

def act():
    if RAISES: raise Interruption
    log("of the handler")

def log(text):
    logging.info("%s %s", text, "x" * 5000)

reading, writing = os.pipe()
os.dup2(writing, 1)
found = []
for point in range(1, 1000):
    flowery_logging.setup("s", output=OUTPUT, directory=DIRECTORY, stderr_level="OFF")
    log("long " + "x" * 5000)
    try:
        with Handler(point, act) as handler:
            log("interrupted")
    except Interruption:
        pass
    log("after")
    flowery_logging.shutdown()
    os.write(1, b"\\0")
    lines = b""
    while not lines.endswith(b"\\0"):
        lines += os.read(reading, 65_536)
    print(handler.where, lines[:-1].hex(), file=sys.stderr)
    if not handler.where:
        break
"""


@pytest.mark.slow
@pytest.mark.parametrize("output", ["stdout", "file,stdout"])
@pytest.mark.parametrize("raises", [True, False])
def test_no_line_is_torn_or_missing(tmp_path: Path, output: str, raises: bool) -> None:
    text = f"OUTPUT, DIRECTORY, RAISES = {output!r}, {str(tmp_path)!r}, {raises}\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    told = [line.split(" ") for line in done.stderr.splitlines() if not line.startswith("flowery")]
    assert len(told) > 10, "no code was interrupted"
    for where, written in told:
        records = [json.loads(line) for line in bytes.fromhex(written).splitlines()]
        numbers = [record["event"]["sequence"] for record in records]
        # Interrupted before the stream has it, a line is in the file alone.
        if output == "stdout" or not raises or where.startswith("channel.py"):
            begun = count(numbers[0])
            assert numbers == [next(begun) for _ in numbers], where
        assert "after" in [record["message"].split(" ")[0] for record in records], where
