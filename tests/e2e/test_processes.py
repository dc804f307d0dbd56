"""No program outlives its test, and a failed start says why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .processes import Process, StartError, wait_until
from .processes.account import Account


class Script(Process):
    """A shell script that is ready when it has printed `ready`."""

    name = "the script"
    stop_seconds = 0.5

    def __init__(self, folder: Path, script: str) -> None:
        super().__init__(["/bin/sh", "-c", script], folder / "script.log", environment={})

    def is_ready(self) -> bool:
        return "ready" in self.log.read_text()


def is_alive(pid: int | None) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_it_runs_inside_the_block_alone(tmp_path: Path) -> None:
    with Script(tmp_path, "echo ready; exec sleep 60") as script:
        pid = script.pid
        assert is_alive(pid)
    assert script.pid is None
    assert not is_alive(pid)


def test_a_failed_test_ends_it_too(tmp_path: Path) -> None:
    started: list[int | None] = []

    def interrupted() -> None:
        with Script(tmp_path, "echo ready; exec sleep 60") as script:
            started.append(script.pid)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(started) == 1
    assert not is_alive(started[0])


def test_one_that_ends_while_it_starts_is_quoted(tmp_path: Path) -> None:
    script = Script(tmp_path, "echo 'the port is taken'; exit 1")
    with pytest.raises(StartError, match="the script ended while it started:\nthe port is taken"):
        script.start()


class Waiting(Script):
    """One that is never ready; its time runs from when it has printed `waiting`."""

    start_seconds = 0.1

    def is_ready(self) -> bool:
        assert wait_until(lambda: "waiting" in self.log.read_text())
        return False


def test_one_that_never_gets_ready_is_quoted_and_ended(tmp_path: Path) -> None:
    script = Waiting(tmp_path, f"echo $$ > {tmp_path}/pid; echo waiting; exec sleep 60")
    with pytest.raises(StartError, match=r"not ready after 0 s:\nwaiting"):
        script.start()
    assert script.pid is None
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_one_that_does_not_listen_is_ended_by_force(tmp_path: Path) -> None:
    with Script(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.1; done") as script:
        pid = script.pid
    assert not is_alive(pid)


def test_what_it_started_goes_with_it(tmp_path: Path) -> None:
    with Script(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; echo ready; wait") as script:
        child = int((tmp_path / "pid").read_text())
        assert is_alive(child)
        script.kill()
    assert wait_until(lambda: not is_alive(child))


def test_it_can_be_killed_and_started_again(tmp_path: Path) -> None:
    with Script(tmp_path, "echo ready; exec sleep 60") as script:
        first = script.pid
        script.kill()
        assert not is_alive(first)
        script.start()
        assert script.pid not in {None, first}
        script.restart()
        assert is_alive(script.pid)


def test_nobody_reads_what_lies_in_a_private_folder(tmp_path: Path) -> None:
    account = Account.unprivileged()
    secret = tmp_path / "file"
    secret.touch()
    # pytest's own folder is for its owner alone.
    assert account.can_read(secret) is (os.geteuid() != 0)
    assert account.can_read(Path("/bin/sh"))
