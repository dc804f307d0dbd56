"""Where there is no flock and no fork: developers' machines with macOS and Windows."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.files.conftest import Logs

HIDDEN = """
import sys, os, signal
sys.modules["fcntl"] = None
for name in ("fork", "register_at_fork", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "fchmod", "pread", "getuid"):
    if hasattr(os, name): delattr(os, name)
import logging, flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output={output!r}, max_bytes=20_000, keep_days=7, keep_bytes=1)
for n in range(200): logging.info("event %d", n)
"""


def run(logs: Logs, output: str = "file") -> subprocess.CompletedProcess[str]:
    program = HIDDEN.format(directory=str(logs.directory), output=output)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )


def test_it_writes_rotates_and_keeps_by_age_only(logs: Logs) -> None:
    logs.directory.mkdir()
    names = {
        days: logs.directory / f"svc-20260101T000000Z-{'ab' * 12}-{days:04d}.ndjson"
        for days in (1, 30)
    }
    for days, path in names.items():
        path.write_text("{}\n")
        os.utime(path, (time.time() - days * 86_400,) * 2)
    done = run(logs)
    assert done.returncode == 0, done.stderr
    assert names[1].exists(), "without locks nobody knows whether it is in use: not by bytes"
    names[1].unlink()
    logs.check_sequences()
    assert len(logs.files()) > 3
    assert len(logs.messages()) == 200


@pytest.mark.slow
def test_standard_output_needs_no_lock(logs: Logs) -> None:
    done = run(logs, "stdout")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 201
