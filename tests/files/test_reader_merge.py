"""Lines of many processes in the order of time, with little memory and few descriptors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import orjson
import pytest

from flowery_logging.files.merge import WINDOW_LINES, merge
from flowery_logging.files.names import LogName
from flowery_logging.files.reader import Kind, Line, LogFile, find, read
from tests.files.conftest import Logs

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def write(
    directory: Path, entity: int, numbers: list[int], *, seconds: list[float], number: int = 1
) -> Path:
    """A file as the writer leaves it, with the times we want: no real process steps its clock."""
    directory.mkdir(exist_ok=True)
    name = LogName("svc", START + timedelta(seconds=int(min(seconds))), f"{entity:024x}", number)
    path = directory / str(name)
    with path.open("wb") as stream:
        for sequence, second in zip(numbers, seconds, strict=True):
            time = (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            event = {"sequence": sequence, "id": f"{name.entity}-{sequence}"}
            process = {"entity_id": name.entity}
            record = {"@timestamp": time, "event": event, "process": process}
            stream.write(orjson.dumps(record) + b"\n")
    return path


def merged(directory: Path) -> list[tuple[int, int]]:
    return [(int(line.entity, 16), line.sequence) for line in merge(find(directory))]


@pytest.mark.slow
def test_processes_that_log_at_once(logs: Logs) -> None:
    program = (
        f"import flowery_logging; flowery_logging.setup('svc', directory={str(logs.directory)!r}, max_bytes=20_000)\n"
        "log = flowery_logging.get_logger()\n"
        "for n in range(400): log.info('event', n=n)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    assert [process.wait(300) for process in running] == [0, 0, 0]
    lines = list(merge(find(logs.directory)))
    numbers: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        numbers[line.entity].append(line.sequence)
    assert len(numbers) == 3
    for entity, records in logs.by_process().items():
        assert numbers[entity] == list(range(1, len(records) + 1))
    latest: dict[str, str] = defaultdict(str)  # a header is younger than the event that opens
    times = []
    for line in lines:
        latest[line.entity] = max(latest[line.entity], line.timestamp)
        times.append(latest[line.entity])
    assert times == sorted(times)


def test_a_number_that_comes_too_early_waits_for_the_others(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2, 6, 3, 4, 5, 7], seconds=[1, 2, 6, 3, 4, 5, 7])
    write(tmp_path, 2, [1, 2], seconds=[1.5, 6.5])
    assert merged(tmp_path) == [
        (1, 1), (2, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, 2), (1, 7),
    ]  # fmt: skip


def test_what_has_waited_for_a_lower_number_comes_before_what_is_no_event(tmp_path: Path) -> None:
    path = write(tmp_path, 1, [1, 3, 2, 4], seconds=[1, 3, 2, 4])
    *lines, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*lines, b"foreign\n", last)))
    found = [line.sequence if line.kind is Kind.EVENT else None for line in merge(find(tmp_path))]
    assert found == [1, 2, 3, None, 4]


def test_a_gap_holds_up_no_more_than_the_window(tmp_path: Path) -> None:
    numbers = [1, *range(3, 3 * WINDOW_LINES)]
    write(tmp_path, 1, numbers, seconds=[float(number) for number in numbers])
    taken = 0

    def reader(file: LogFile) -> Iterator[Line]:
        nonlocal taken
        for line in read(file):
            taken += 1
            yield line

    ahead = []
    for given, line in enumerate(merge(find(tmp_path), reader), 1):
        assert line.sequence == numbers[given - 1]
        ahead.append(taken - given)
    assert len(ahead) == len(numbers)
    assert WINDOW_LINES <= max(ahead) <= WINDOW_LINES + 2


def test_a_gap_at_the_end_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 5, 4, 9], seconds=[1, 5, 4, 9])
    assert merged(tmp_path) == [(1, 1), (1, 4), (1, 5), (1, 9)]


def test_a_process_whose_beginning_was_removed(tmp_path: Path) -> None:
    write(tmp_path, 1, [100, 101, 102], seconds=[1, 3, 5])
    write(tmp_path, 2, [1, 2], seconds=[2, 4])
    assert merged(tmp_path) == [(1, 100), (2, 1), (1, 101), (2, 2), (1, 102)]


def test_a_clock_that_steps_back_does_not_change_a_process_s_order(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2, 3], seconds=[10, 4, 5], number=1)
    write(tmp_path, 2, [1, 2], seconds=[9, 11])
    assert merged(tmp_path) == [(2, 1), (1, 1), (1, 2), (1, 3), (2, 2)]


def test_repeated_numbers_are_all_there(tmp_path: Path) -> None:
    write(tmp_path, 1, [1, 2, 2, 3], seconds=[1, 2, 2, 3])
    assert merged(tmp_path) == [(1, 1), (1, 2), (1, 2), (1, 3)]


def test_torn_and_foreign_lines_are_among_the_others(tmp_path: Path) -> None:
    path = write(tmp_path, 1, [1, 2], seconds=[1, 9])
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"foreign\n" + second + second[:40])
    write(tmp_path, 2, [1], seconds=[5])
    kinds = [line.kind for line in merge(find(tmp_path))]
    assert kinds == [Kind.EVENT, Kind.FOREIGN, Kind.EVENT, Kind.EVENT, Kind.TORN]


def test_a_file_removed_meanwhile_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, 1, [1], seconds=[1])
    gone = write(tmp_path, 2, [1], seconds=[2])
    files = find(tmp_path)
    os.unlink(gone)
    assert [line.sequence for line in merge(files)] == [1]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
def test_only_files_of_processes_that_ran_at_one_time_are_open(tmp_path: Path) -> None:
    for entity in range(200):
        write(tmp_path, entity, [1, 2], seconds=[entity * 10, entity * 10 + 25])
    before = len(os.listdir("/proc/self/fd"))
    most = 0
    found = []
    for line in merge(find(tmp_path)):
        most = max(most, len(os.listdir("/proc/self/fd")) - before)
        found.append(line.timestamp)
    assert found == sorted(found)
    assert len(found) == 400
    assert most <= 5
