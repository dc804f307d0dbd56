"""One program that runs beside the tests, with its output in a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from .account import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

LOOPBACK = "127.0.0.1"
PATIENCE = 300.0
"""Seconds in which everything happens that happens at all, also on a machine that is busy."""


class StartError(Exception):
    """A program ended or did not become ready in time; the message has the end of its log."""


def wait_until(
    condition: Callable[[], bool], seconds: float = PATIENCE, interval: float = 0.1
) -> bool:
    """Whether `condition` became true within so many seconds."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(interval)
    return True


class Process:
    """A program that can be started, stopped, killed and started again.

    As a context manager it runs inside the block. It is tied to the thread that started it: on
    Linux it ends when that thread does, so also when the test run itself is killed.
    """

    name = "program"
    start_seconds = PATIENCE
    stop_seconds = 60.0

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str],
        account: Account | None = None,
    ) -> None:
        self.command = [*_ends_with_parent(), *command]
        self.log = log
        self._environment = os.environ | environment
        self._account = account or Account.current()
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process ID, or None while it is not running."""
        return self._running.pid if self._running and self._running.poll() is None else None

    def is_ready(self) -> bool:
        """Whether the started program does its work now."""
        raise NotImplementedError

    def start(self) -> None:
        """Start and wait until ready; raises `StartError`, and then nothing runs."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                # A group of its own: Ctrl-C reaches the tests alone, and they stop it in order.
                start_new_session=True,
                **self._account.popen_options(),
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order, after `stop_seconds` by force; does nothing if it does not run."""
        if self._running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._running.pid, signal.SIGTERM)
        try:
            self._running.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """End it and the programs it started at once (SIGKILL)."""
        if self._running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        self._running = None

    def restart(self) -> None:
        """Stop in order where it still runs, then start again on the same data and ports."""
        self.stop()
        self.start()

    def log_tail(self, lines: int = 30) -> str:
        """The last lines that it printed."""
        printed = self.log.read_text(errors="replace").splitlines()
        return "\n".join(printed[-lines:])

    def _wait_until_ready(self) -> None:
        ended_or_ready = wait_until(lambda: self.pid is None or self.is_ready(), self.start_seconds)
        if self.pid is None:
            raise StartError(f"{self.name} ended while it started:\n{self.log_tail()}")
        if not ended_or_ready:
            raise StartError(
                f"{self.name} was not ready after {self.start_seconds:.0f} s:\n{self.log_tail()}"
            )


def _ends_with_parent() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []
