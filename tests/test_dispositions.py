"""A run of the tests that was started in the background tests the same as one at a terminal."""

import subprocess
import sys

PROGRAM = """
import os, signal, subprocess, sys
from tests.dispositions import as_from_a_terminal
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
as_from_a_terminal()
child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
child += "; print(*(int(signal.getsignal(n)) for n in (signal.SIGHUP, signal.SIGQUIT)))"
child += "; print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
sys.exit(subprocess.run([sys.executable, "-c", child]).returncode)
"""


def test_no_signal_is_ignored_or_blocked_in_what_a_test_starts() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert done.stdout.decode().split("\n") == ["True", "0 0", "set()", ""]
