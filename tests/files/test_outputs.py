"""Standard output for containers, the console for people, and both beside files."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.files.conftest import Logs, strict


def program(text: str, **setup: Any) -> str:
    arguments = ", ".join(f"{key}={value!r}" for key, value in setup.items())
    lines = [
        "import logging, os, sys, time, flowery_logging",
        f"flowery_logging.setup('svc', {arguments})",
        "log = logging.getLogger('app')",
        textwrap.dedent(text),
    ]
    return "\n".join(lines)


def run(text: str, **setup: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program(text, **setup)], capture_output=True, text=True, check=False
    )


def parsed(output: str) -> list[dict[str, Any]]:
    return [json.loads(line, object_pairs_hook=strict) for line in output.splitlines()]


@pytest.mark.slow
def test_stdout_has_the_same_lines(tmp_path: Path) -> None:
    done = run("log.info('주문', extra={'n': 1}); log.info('two')", output="stdout")
    records = parsed(done.stdout)
    assert [r["message"] for r in records] == ["주문", "two", "log closed"]
    assert [r["event"]["sequence"] for r in records] == [1, 2, 3]
    assert done.stderr == ""


@pytest.mark.slow
def test_file_and_stdout_have_the_same_events(logs: Logs) -> None:
    done = run("log.info('one')", output="file,stdout", directory=str(logs.directory))
    ids = [r["event"]["id"] for r in parsed(done.stdout) if r["message"] == "one"]
    assert ids == [r["event"]["id"] for r in logs.records() if r["message"] == "one"]


@pytest.mark.slow
def test_a_level_that_is_named_later_is_on_stdout_too(logs: Logs) -> None:
    text = "logging.addLevelName(25, 'NOTICE'); log.log(25, 'one')"
    done = run(text, output="file,stdout", directory=str(logs.directory))
    assert "one" in [r["message"] for r in parsed(done.stdout)]


@pytest.mark.slow
def test_a_closed_pipe_does_not_raise() -> None:
    text = program(
        """
        sys.stdin.readline()
        for n in range(200): log.info("x" * 1000)
        print(flowery_logging.stats()["waiting"] > 100, file=sys.stderr)
        os._exit(0)
        """,
        output="stdout",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate("go\n", timeout=300)
    assert process.returncode == 0, errors
    assert "True" in errors.splitlines()
    assert errors.count("cannot write") == 1
    waited = [line for line in errors.splitlines() if line.startswith("{")]
    assert sum('"message":"xxx' in line for line in waited) > 100  # shown as the process ends


@pytest.mark.slow
def test_workers_that_share_a_pipe_never_tear_long_lines() -> None:
    text = """
        import threading
        children = []
        for worker in range(4):
            pid = os.fork()
            if pid == 0:
                for n in range(150):
                    log.info("worker %d event %d %s", worker, n, "x" * (n * 100))
                os._exit(0)
            children.append(pid)
        for pid in children: os.waitpid(pid, 0)
    """
    records = parsed(run(text, output="stdout").stdout)
    assert sum(r["message"].startswith("worker") for r in records) == 600
    assert max(len(r["message"]) for r in records) > 8_000


@pytest.mark.slow
def test_console_alone_writes_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program("log.warning('주문 %d', 7, extra={'n': 1})", output="console")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout == ""
    assert "주문 7" in done.stderr
    assert "warning" in done.stderr
    assert "n=1" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_console_shows_tracebacks_and_no_escapes(tmp_path: Path) -> None:
    text = r"""
        try:
            raise ValueError("broken \x1b[31m")
        except ValueError:
            log.exception("evil \x1b[2J\u202e name\nforged: line", extra={"k\x1b": "\x1b]0;title\x07"})
    """
    shown = run(text, output="console").stderr
    assert "Traceback (most recent call last)" in shown
    assert "ValueError: broken" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


@pytest.mark.slow
def test_default_on_a_terminal_is_file_and_console(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    text = program("log.info('seen twice')", directory=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", text], stderr=follower)
    os.close(follower)
    shown = b""
    while True:
        try:
            chunk = os.read(leader, 65_536)
        except OSError:
            break
        shown += chunk
        if not chunk:
            break
    os.close(leader)
    assert process.wait(300) == 0
    assert b"seen twice" in shown
    assert b"\x1b[" in shown, "a terminal gets colours"
    assert "seen twice" in Logs(tmp_path).messages()


@pytest.mark.slow
def test_default_elsewhere_is_the_file(tmp_path: Path) -> None:
    done = run("log.info('quiet')", directory=str(tmp_path))
    assert "quiet" not in done.stderr + done.stdout
    assert "quiet" in Logs(tmp_path).messages()


WORKER = """
import flowery_logging
flowery_logging.setup("svc", output={output!r})
import logging
import anyio.to_process

def work(number):
    logging.getLogger("app").info("in a worker")
    return number

if __name__ == "__main__":
    assert anyio.run(anyio.to_process.run_sync, work, 7) == 7
"""


def run_worker(tmp_path: Path, output: str, directory: Path | None) -> str:
    path = tmp_path / "main.py"
    path.write_text(WORKER.format(output=output))
    environment = {**os.environ, **({"FLOWERY_LOG_DIR": str(directory)} if directory else {})}
    done = subprocess.run(
        [sys.executable, path], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("output", ["stdout", "file,stdout"])
def test_what_a_worker_of_anyio_answers_on_stdout_is_kept_apart(
    tmp_path: Path, logs: Logs, output: str
) -> None:
    assert "in a worker" not in run_worker(tmp_path, output, logs.directory)
    assert "in a worker" in [record["message"] for record in logs.records()]


@pytest.mark.slow
def test_where_such_a_worker_can_make_no_file_its_work_goes_on(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no directory")
    found = run_worker(tmp_path, "file", None)
    assert "in a worker" not in found
