"""`tail` as a user runs it: merged, filtered, followed, in pipes and on terminals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files.columns import width
from tests.cli.conftest import flowery
from tests.cli.events import START, Service, checkout, stamp
from tests.files.conftest import Logs

COMMAND = [sys.executable, "-m", "flowery_logging", "tail"]


def tail(*arguments: str | Path, code: int = 0, **variables: str) -> list[str]:
    done = flowery("tail", *arguments, **{"TZ": "UTC", **variables})
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout.splitlines()


def events(*arguments: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in tail("--json", *arguments)]


def messages(*arguments: str | Path) -> list[str]:
    return [event["message"] for event in events(*arguments)]


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Service]:
    return checkout(tmp_path)


@pytest.mark.slow
def test_services_are_merged_in_the_order_of_time(tmp_path: Path) -> None:
    one, two = Service(tmp_path, "one"), Service(tmp_path, "two")
    for number in range(0, 40, 2):
        one.log(number, f"n{number}")
        if number == 20:
            one.rotate()
        two.log(number + 1, f"n{number + 1}")
    assert messages(tmp_path, "-n", "100") == [f"n{number}" for number in range(40)]
    assert messages(tmp_path) == [f"n{number}" for number in range(20, 40)]
    assert messages(tmp_path, "-n", "3") == ["n37", "n38", "n39"]
    assert messages(tmp_path, "-n", "0") == []
    assert messages(tmp_path, "--service", "two", "-n", "2") == ["n37", "n39"]


def test_several_directories(tmp_path: Path) -> None:
    Service(tmp_path / "a", "one").log(1, "first")
    Service(tmp_path / "b", "two").log(2, "second")
    assert messages(tmp_path / "b", tmp_path / "a", tmp_path / "b") == ["first", "second"]


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_what_is_asked_for(tmp_path: Path) -> None:
    everything = messages(tmp_path, "--since", "2026-11-27T00:00Z")
    assert len(everything) == 8
    errors = ["charge failed", "POST /orders 500", "POST /checkout 502"]
    assert messages(tmp_path, "--level", "error") == errors
    assert messages(tmp_path, "--level", "WARN", "--service", "gateway") == errors[2:]
    assert messages(tmp_path, "--where", "http.response.status_code>=502") == errors[2:]
    assert len(messages(tmp_path, "--where", "order_id=7")) == 4
    assert messages(tmp_path, "--where", "order_id=7", "--where", "item=tulip") == ["주문 접수"]
    assert messages(tmp_path, "--where", "trace.id!=x", "--grep", "배송") == ["배송 출발"]
    assert messages(tmp_path, "--grep", "결제 실패 <7>") == ["charge failed"]
    assert messages(tmp_path, "--grep", r"^POST /\w+ 502$") == errors[2:]
    assert messages(tmp_path, "--grep", 'orders.py", line 41') == ["charge failed"]
    assert messages(tmp_path, "--grep", "(?i)CHARGE") == ["charge failed"]
    assert len(messages(tmp_path, "--grep", '"order_id":7')) == 4
    assert messages(tmp_path, "--where", "task=deliver") == ["배송 출발", "task deliver: success"]
    assert messages(tmp_path, "--grep", "nowhere") == []


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_times_bound_what_is_shown(tmp_path: Path) -> None:
    between = ["--since", stamp(0.08), "--until", stamp(0.095)]
    found = ["charge failed", "POST /orders 500", "POST orders.internal/orders 500"]
    assert messages(tmp_path, *between) == found
    assert messages(tmp_path, *between, "-n", "1") == found[-1:]
    assert messages(tmp_path, "--until", "2026-11-26") == []
    assert messages(tmp_path, "--since", "2026-11-27T12:00:00.150", "--utc") == []
    seoul = "Asia/Seoul"
    assert len(tail(tmp_path, "--json", "--since", "2026-11-27T12:00:00.150", TZ=seoul)) == 2
    assert "12:00:00.160" in tail(tmp_path, "-n", "1", TZ=seoul)[0]
    assert "03:00:00.160" in tail(tmp_path, "-n", "1", "--utc", TZ=seoul)[0]


@pytest.mark.slow
def test_a_late_line_of_the_flight_recorder_hides_no_other(tmp_path: Path) -> None:
    """It stands behind younger ones, with its own time."""
    service = Service(tmp_path, "orders")
    for number in range(3000):
        service.log(1000 + number / 10, f"n{number}")
        if number % 100 == 0:
            service.log(900 + number / 10, f"late {number}", "debug")
    expected = [f"n{number}" for number in range(2000, 3000)]
    since = ["--since", stamp(1200), "--grep", "^n"]
    assert messages(tmp_path, *since) == expected


@pytest.mark.slow
def test_foreign_lines_are_kept_and_marked(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    service.log(0, "before")
    service.raw(b"Segmentation fault \x1b[31m\xff\n")
    service.raw(b'{"@timestamp":"2026-11-27T03:00:05Z","log.level":"error","message":"theirs"}\n')
    service.log(10, "behind")
    service.raw(b'{"@timestamp":"2026-11-27T03:00:1\n')
    Service(tmp_path, "other").log(20, "other")
    lines = tail(tmp_path)
    assert [("before" in lines[0]), ("behind" in lines[3])] == [True, True]
    assert "[not an event in orders] Segmentation fault \\x1b[31m" in lines[1]
    assert "[not an event in orders]" in lines[2]
    assert "[torn line in orders]" in lines[4]
    foreign = [e["foreign"] for e in events(tmp_path) if "foreign" in e]
    assert [one["kind"] for one in foreign] == ["foreign", "foreign", "torn"]
    assert foreign[0]["file"] == str(service.path)
    assert service.path.read_bytes()[foreign[0]["offset"] :].startswith(b"Segmentation")
    assert "fault" in tail(tmp_path, "--grep", "fault")[0]
    assert tail(tmp_path, "--grep", "fault", "--since", stamp(5)) == []
    assert tail(tmp_path, "--grep", "fault", "--since", stamp(5), "-n", "3") == []
    assert len(tail(tmp_path, "--level", "error")) == 1, "what tells no level has none"
    assert tail(tmp_path, "--service", "other") != []


@pytest.mark.slow
def test_an_unfinished_line_is_torn_once_nobody_can_finish_it(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.run("log.info('whole'); os.kill(os.getpid(), signal.SIGKILL)")
    (path,) = logs.files()
    path.write_bytes(path.read_bytes() + b'{"@timestamp":"2026')
    assert "[torn line in svc]" in tail(tmp_path)[-1]
    with following(tmp_path) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert json.loads(lines[-1])["foreign"]["kind"] == "torn"
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # as its writer does
        assert "whole" in tail(tmp_path)[-1], "it may be finished yet"


def test_a_file_whose_time_is_rounded_down_is_read(tmp_path: Path) -> None:
    """The kernel's clock for files lags behind by milliseconds, some file systems' by a second."""
    service = Service(tmp_path, "orders")
    service.log(10.9, "x")
    Service(tmp_path, "other").log(10.8, "y")
    os.utime(service.path, (START.timestamp() + 10, START.timestamp() + 10))
    assert messages(tmp_path, "--since", stamp(10.85)) == ["x"]
    os.utime(tmp_path / Service(tmp_path, "other").path, (START.timestamp() + 10.81,) * 2)
    assert messages(tmp_path, "-n", "1") == ["x"]


def test_files_that_cannot_hold_it_are_not_opened(tmp_path: Path) -> None:
    old, new = Service(tmp_path, "old"), Service(tmp_path, "new")
    old.log(0, "old")
    new.log(0, "new")
    os.utime(old.path, (1_000_000_000, 1_000_000_000))
    assert messages(tmp_path, "--since", "2026-11-27T00:00Z") == ["new"], "by its time"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("option", [["--since", "10x"], ["--where", "x"], ["--grep", "("], ["--level", "loud"]], ids="=".join)  # fmt: skip
def test_wrong_options_are_told(option: list[str], tmp_path: Path) -> None:
    done = flowery("tail", tmp_path, *option)
    assert done.returncode == 2
    assert option[0] in done.stderr
    assert option[1] in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    commands: list[list[str | Path]] = [["tail", tmp_path], ["find", "7", tmp_path]]
    for command in commands:
        done = flowery(*command, "--service", "oders")
        assert done.stdout == ""
        assert "no log files of oders; there are those of courier, gateway, orders" in done.stderr


@pytest.mark.slow
def test_who_closes_the_pipe_has_seen_enough(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    for number in range(3000):
        service.log(number, "x" * 100)
    for options in (["--since", "2026-01-01"], ["--since", "2026-01-01", "--json"]):
        with subprocess.Popen(
            [*COMMAND, tmp_path, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(300) == 0


@contextmanager
def following(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, "-f", "--json", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], message: str) -> list[str]:
    """The messages that come, up to this one."""
    assert process.stdout is not None
    found: list[str] = []
    while message not in found:
        found.append(json.loads(process.stdout.readline())["message"])
    return found


@pytest.mark.slow
def test_following_over_rotations_and_new_processes(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    service = Service(tmp_path, "old")
    service.log(0, "there before")
    with following(tmp_path, "--where", "log.logger!=flowery_logging") as process:
        assert until(process, "there before") == ["there before"]
        program = "for n in range(200): log.info('event %d', n)"
        assert logs.run(program, setup="max_bytes=20_000").returncode == 0
        assert until(process, "event 199") == [f"event {n}" for n in range(200)]
        assert len(logs.files()) > 5
        service.raw(b'{"half":')
        service.raw(b"1}\n")
        service.rotate()
        service.log(1, "in the next file")
        line = json.loads(process.stdout.readline() if process.stdout else "")
        assert line["foreign"]["line"] == '{"half":1}'
        assert until(process, "in the next file") == ["in the next file"]


@pytest.mark.slow
def test_following_a_directory_that_comes_later(tmp_path: Path) -> None:
    with following(tmp_path / "later", "--service", "orders") as process:
        time.sleep(0.1)
        Service(tmp_path / "later", "gateway").log(0, "another service")
        Service(tmp_path / "later", "orders").log(0, "first")
        assert until(process, "first") == ["first"]


@pytest.mark.slow
def test_following_ends_with_its_reader_and_by_ctrl_c(tmp_path: Path) -> None:
    Service(tmp_path, "orders").log(0, "x")
    with following(tmp_path) as process:
        until(process, "x")
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(300) == 0, "without a new line to write"
        assert process.stderr.read() == ""
    with following(tmp_path) as process:
        until(process, "x")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.wait(300) == 130
        assert process.stderr.read() == ""


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.usefixtures("shop")
def test_a_terminal_gets_colours_and_lines_that_fit(columns: int, tmp_path: Path) -> None:
    coloured = on_terminal(tmp_path, TERM="xterm", COLUMNS=str(columns))
    assert "\x1b[" in coloured
    plain = on_terminal(tmp_path, TERM="xterm", COLUMNS=str(columns), NO_COLOR="1")
    assert "\x1b" not in plain
    shown = [line for line in plain.splitlines() if not line.startswith("    ")]
    assert len(shown) == 8
    assert max(map(width, shown)) <= columns
    assert on_terminal(tmp_path, TERM="dumb", COLUMNS=str(columns)) == plain


def on_terminal(directory: Path, **variables: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR"}}
    with subprocess.Popen(
        [*COMMAND, directory], stdout=theirs, stderr=theirs, env={**environment, **variables}
    ) as process:
        os.close(theirs)
        found = b""
        try:
            while part := os.read(ours, 65_536):
                found += part
        except OSError:
            pass  # Linux's way to say that the other side is closed
        assert process.wait(300) == 0
    os.close(ours)
    return found.decode().replace("\r\n", "\n")


@pytest.mark.slow
def test_a_locale_that_cannot_show_it_is_no_error(tmp_path: Path) -> None:
    Service(tmp_path, "orders").log(0, "주문 ☃")
    (line,) = tail(tmp_path, PYTHONIOENCODING="ascii")
    assert "\\u2603" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    service.log(0, "x")
    service.path.chmod(0)
    for command in (["tail"], ["trace", "x"], ["find", "x"]):
        done = flowery(*command, tmp_path)
        assert done.returncode == 2
        assert f"cannot read {service.path}" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_an_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    Service(tmp_path, "orders").log(0, "x")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, tmp_path], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "cannot write the output: No space left" in done.stderr
    assert "Traceback" not in done.stderr


CLOSED = {"standard output": ">&-", "all three": "<&- >&- 2>&-"}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["tail", "find x", "stats", "scan", "audit --grace 0"])
@pytest.mark.parametrize("closed", CLOSED)
def test_who_closes_the_output_gets_the_exit_code(
    tmp_path: Path, command: str, closed: str
) -> None:
    """It was that of a traceback, 1, which is the audit's for a loss."""
    Service(tmp_path, "orders").log(0, "x")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {CLOSED[closed]}', "sh", *COMMAND[:-1], *command.split(), tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_closed_input_is_an_empty_one() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND[:-1], "validate", "-"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    empty = subprocess.run(
        [*COMMAND[:-1], "validate", "-"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (empty.returncode, empty.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["doctor logs", "doctor logs --import json", "watch --once logs"]
)
def test_a_working_directory_that_was_removed(tmp_path: Path, command: str) -> None:
    """As that of a shell whose release was replaced."""
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *COMMAND[:-1], *command.split()],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "/logs" in done.stdout + done.stderr
