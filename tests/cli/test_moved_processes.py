"""Processes whose service or directory a second `setup()` has changed, as the commands see them.

The numbers in the names of their files begin anew, and their names have not the order of writing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.cli.doctor.overview import look_through
from flowery_logging.files.reader import find
from tests.cli.conftest import audit, flowery, here
from tests.cli.crafted import Written, ago
from tests.files.conftest import Logs

pytestmark = pytest.mark.slow

SMALL = "max_bytes=1"  # each event has a file of its own
FOUR = "for n in range(4): log.info('event %d', n)"
ANCIENT = (1_000_000_000, 1_000_000_000)
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.flock(file, fcntl.LOCK_SH)
print(flush=True)
sys.stdin.read()
"""


def move(service: str, directory: Path, more: str = "") -> str:
    """A line of a program that sets up anew."""
    return f"flowery_logging.setup({service!r}, directory={str(directory)!r}, output='file'{more})"


def run(logs: Logs, *lines: str, setup: str = SMALL) -> str:
    done = logs.run("\n".join(lines), setup=setup)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sequences(path: Path) -> list[int]:
    return [json.loads(line)["event"]["sequence"] for line in path.read_bytes().splitlines()]


def process_of(result: dict[str, Any], entity: str) -> dict[str, Any]:
    (found,) = (one for one in result["processes"] if one["process"] == entity)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("service", ["alpha", "svc", "zeta"])
@pytest.mark.parametrize("is_shut_down", [False, True])
def test_it_ended_cleanly(logs: Logs, tmp_path: Path, service: str, is_shut_down: bool) -> None:
    other = tmp_path / "a" if service == "svc" else logs.directory
    end = ["flowery_logging.shutdown()"] if is_shut_down else []
    run(logs, FOUR, *end, move(service, other), "log.info('x')")
    (process,) = audit(logs.directory, other, code=0)["processes"]
    assert (process["end"], process["service"], process["lost"]) == ("clean", service, [])
    firsts = [sequences(Path(path))[0] for path in process["files"]]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("service", ["alpha", "svc", "zeta"])
def test_it_runs(logs: Logs, tmp_path: Path, service: str) -> None:
    other = tmp_path / "a" if service == "svc" else logs.directory
    ask = (
        "import subprocess\nprint(subprocess.run([sys.executable, '-m', 'flowery_logging', 'audit', "
        f"'--json', {str(logs.directory)!r}, {str(other)!r}], capture_output=True).stdout.decode())"
    )
    shown = run(logs, FOUR, move(service, other), "log.info('x')", ask)
    (process,) = json.loads(shown)["processes"]
    assert (process["end"], process["torn"]) == ("running", [])


def test_what_a_killed_one_had_left_is_no_clean_end(logs: Logs) -> None:
    lines = [FOUR, move("alpha", logs.directory), "log.info('x')", "os.kill(os.getpid(), 9)"]
    logs.run("\n".join(lines), setup=SMALL)
    (process,) = audit(logs.directory, code=0)["processes"]
    assert process["end"] == "unclean"


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_removed_file_whose_numbers_could_not_be_read(
    logs: Logs, tmp_path: Path, number: int
) -> None:
    other = tmp_path / "other"
    run(logs, FOUR, move("svc", other, ", max_bytes=1"), "log.info('x')", "log.info('y')")
    assert len(logs.files()) == 5
    path = logs.files()[number - 1]
    entity = path.name.split("-")[-2]
    path.write_bytes(path.read_bytes()[:-5])
    os.utime(path, ANCIENT)
    run(logs, "log.info('z')", setup="keep_days=1")
    assert not path.exists()
    process = process_of(audit(logs.directory, other, code=0), entity)
    assert process["removed"] == f"{2 * number - 1}-{2 * number}"


def test_what_was_removed_earlier_needs_no_announcement_in_either_place(
    logs: Logs, tmp_path: Path
) -> None:
    other = Logs(tmp_path / "other")
    run(logs, FOUR, move("svc", other.directory, ", max_bytes=1"), FOUR)
    first, second, _, fourth, _ = other.files()
    entity, before, last = first.name.split("-")[-2], sequences(first)[0], sequences(second)[-1]
    os.unlink(first)
    os.utime(second, ANCIENT)
    run(other, "log.info('z')", setup="keep_days=1")
    process = process_of(audit(logs.directory, other.directory, code=0), entity)
    assert process["removed"] == f"{before}-{last}"
    gone = sequences(fourth)
    fourth.unlink()
    process = process_of(audit(logs.directory, other.directory, code=1), entity)
    assert [gap["sequences"] for gap in process["lost"]] == [f"{gone[0]}-{gone[-1]}"]


@pytest.mark.parametrize("service", ["alpha", "zeta"])
def test_its_events_are_shown_in_the_order_of_writing(logs: Logs, service: str) -> None:
    many = "for n in range(400): log.info('event %d', n)"
    run(logs, many, move(service, logs.directory), many, setup="")
    shown = flowery("tail", "--json", "-n", "2000", logs.directory).stdout.splitlines()
    numbers = [json.loads(line)["event"]["sequence"] for line in shown]
    assert len(numbers) > 800
    assert numbers == sorted(numbers)


@contextmanager
def moved(directory: Path, before: str, after: str) -> Iterator[str]:
    """A process that was `before` and is `after`, and holds its file; yields its entity."""
    first = Written(directory, before, start=ago(hours=3))
    first.add(ago(hours=2))
    first.add(ago(hours=2), "closed", log={"logger": "flowery_logging"}, action="log-closed")
    second = Written(directory, after, start=ago(hours=2))
    second.path.unlink()
    second.path = second.path.with_name(second.path.name.replace(second.entity, first.entity))
    second.entity, second.number = first.entity, first.number
    second.add(ago(hours=2), log={"logger": "flowery_logging"}, action="log-file-opened")
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLD, second.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holding.stdout is not None
        holding.stdout.readline()
        yield first.entity
    finally:
        holding.communicate(timeout=60)


@pytest.mark.parametrize(("before", "after"), [("alpha", "zeta"), ("zeta", "alpha")])
def test_only_what_it_is_now_goes_silent(tmp_path: Path, before: str, after: str) -> None:
    with moved(tmp_path / "logs", before, after):
        state = tmp_path / "watch.json"
        done = here("watch", "--once", "--json", "--state", state, tmp_path / "logs")
    told = [one["text"].partition(" ")[0] for one in json.loads(done.stdout)["told"]]
    assert told == [after]


@pytest.mark.parametrize(("before", "after"), [("alpha", "zeta"), ("zeta", "alpha")])
def test_the_doctor_sees_what_it_is_now(tmp_path: Path, before: str, after: str) -> None:
    with moved(tmp_path / "logs", before, after) as entity:
        process = look_through(find(tmp_path / "logs")).processes[entity]
    assert (process.running, process.service) == (True, after)
    assert Path(process.path).name.startswith(after)
