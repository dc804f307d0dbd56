"""Finding the files of a directory and taking them apart, whatever else lies in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from flowery_logging.files.names import MAX_LINE_BYTES
from flowery_logging.files.reader import (
    Kind,
    Line,
    LogFile,
    Selection,
    find,
    is_in_use,
    read,
)
from tests.files.conftest import Logs


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def lines(logs: Logs) -> list[Line]:
    return [line for file in find(logs.directory) for line in read(file)]


def test_the_files_of_a_process_are_found_in_their_order(logs: Logs) -> None:
    ok(logs.run("for n in range(300): log.info('event %d', n)", setup="max_bytes=9_000"))
    found = find(logs.directory)
    assert [file.name.number for file in found] == list(range(1, len(logs.files()) + 1))
    assert len(found) > 10
    assert [file.size for file in found] == [path.stat().st_size for path in logs.files()]
    assert [line.sequence for line in lines(logs)] == list(range(1, len(logs.records()) + 1))


@pytest.mark.slow
def test_only_files_with_a_name_of_ours_that_are_files(logs: Logs, tmp_path: Path) -> None:
    ok(logs.run("log.info('x')"))
    (path,) = logs.files()
    name = path.name
    other = name.replace("-0001.", "-0002.")
    (logs.directory / "app.log").write_text("foreign\n")
    (logs.directory / f"{name}.gz").write_bytes(b"")
    (logs.directory / other).symlink_to(path)
    (logs.directory / name.replace("-0001.", "-0003.")).mkdir()
    assert [file.path for file in find(logs.directory)] == [str(path)]
    os.unlink(logs.directory / other)
    with pytest.raises(FileNotFoundError):
        find(tmp_path / "nowhere")


@pytest.mark.slow
def test_selection_by_service_process_and_time(logs: Logs) -> None:
    ok(logs.run("log.info('one')"))
    ok(logs.run("log.info('two')"))
    ok(
        logs.run(
            f"flowery_logging.setup('주문 서비스', directory={str(logs.directory)!r}); log.info('three')"
        )
    )
    first, second = (file.name.entity for file in find(logs.directory, Selection(service="svc")))
    assert first != second
    (korean,) = find(logs.directory, Selection(service="주문 서비스"))
    assert korean.name.service == "주문_서비스"
    (one,) = find(logs.directory, Selection(entity=first))
    os.utime(one.path, (1_000_000_000, 1_000_000_000))
    now = datetime.now(timezone.utc)
    late = find(logs.directory, Selection(since=now - timedelta(hours=1)))
    assert {file.name.entity for file in late} == {second, korean.name.entity}
    assert find(logs.directory, Selection(until=now - timedelta(hours=1))) == []
    assert len(find(logs.directory, Selection(until=now + timedelta(hours=1)))) == 3


@pytest.mark.slow
def test_offsets_and_data_are_those_of_the_file(logs: Logs) -> None:
    ok(logs.run("for n in range(2000): log.info('%s', 'x' * n)", setup="max_bytes=10_000_000"))
    (file,) = find(logs.directory)
    content = Path(file.path).read_bytes()
    found = list(read(file))
    assert b"".join(line.data for line in found) == content
    assert all(content[line.offset : line.end] == line.data for line in found)
    assert [line.data for line in read(file, found[700].offset)] == [
        line.data for line in found[700:]
    ]
    assert found[5].record["message"] == "xxxx"
    assert found[5].timestamp == found[5].record["@timestamp"]


FOREIGN = [
    b"plain text\n",
    b"\n",
    b"[1, 2]\n",
    b"7\n",
    b"null\n",
    b'"text"\n',
    b'{"event": "x", "process": []}\n',
    b'{"@timestamp":"2026-01-01T00:00:00Z","event":{"sequence":"7"},"process":{"entity_id":"a"}}\n',
    b'{"@timestamp":"2026-01-01T00:00:00Z","event":{"sequence":true},"process":{"entity_id":"a"}}\n',
    b'{"@timestamp":7,"event":{"sequence":7},"process":{"entity_id":"a"}}\n',
    b"\xff\xfe\x00broken\n",
    b"[" * 100_000 + b"\n",
]


@pytest.mark.parametrize("content", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_lines_are_yielded_as_such(logs: Logs, content: bytes) -> None:
    ok(logs.run("log.info('x')"))
    (path,) = logs.files()
    path.write_bytes(content + path.read_bytes() + content)
    kinds = [line.kind for line in lines(logs)]
    assert kinds == [Kind.FOREIGN, Kind.EVENT, Kind.EVENT, Kind.EVENT, Kind.FOREIGN]
    assert b"".join(line.data for line in lines(logs)) == path.read_bytes()


@pytest.mark.parametrize("left", [1, 13, 14, 200])
def test_a_line_cut_short_is_torn(logs: Logs, left: int) -> None:
    ok(logs.run("log.info('x')"))
    (path,) = logs.files()
    content = path.read_bytes()
    start = content.rfind(b"\n", 0, len(content) - 1) + 1
    path.write_bytes(content[: start + left])
    *whole, torn = lines(logs)
    assert [line.kind for line in whole] == [Kind.EVENT, Kind.EVENT]
    assert (torn.kind, torn.offset, torn.sequence) == (Kind.TORN, start, 0)
    path.write_bytes(content[: start + left] + b"\n" + content)
    assert [line.kind for line in lines(logs)].count(Kind.TORN) == 1


def test_a_line_without_its_end_is_torn_although_it_is_valid_json(logs: Logs) -> None:
    ok(logs.run("log.info('x')"))
    (path,) = logs.files()
    path.write_bytes(path.read_bytes()[:-1])
    assert [line.kind for line in lines(logs)] == [Kind.EVENT, Kind.EVENT, Kind.TORN]


@pytest.mark.slow
def test_an_endless_line_costs_no_memory(logs: Logs) -> None:
    ok(logs.run("log.info('x')"))
    (path,) = logs.files()
    event = path.read_bytes().splitlines(keepends=True)[1]
    path.write_bytes(b"y" * (20 * MAX_LINE_BYTES) + event + event)
    tracemalloc.start()
    found = [(line.kind, len(line.data)) for line in read(find(logs.directory)[0])]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * MAX_LINE_BYTES
    assert sum(length for _, length in found) == path.stat().st_size
    assert {kind for kind, _ in found[:-1]} == {Kind.FOREIGN}
    assert found[-1] == (Kind.EVENT, len(event))


@pytest.mark.slow
def test_a_file_in_use_is_told_from_one_that_is_not(logs: Logs) -> None:
    ok(logs.run("log.info('x')"))
    (ended,) = find(logs.directory)
    program = (
        f"import flowery_logging, sys; flowery_logging.setup('svc', directory={str(logs.directory)!r})\n"
        "flowery_logging.get_logger().info('x'); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        (other,) = (file for file in find(logs.directory) if file != ended)
        assert is_in_use(other)
        assert not is_in_use(ended)
        running.communicate(b"")
    assert not is_in_use(other)
    os.unlink(other.path)
    assert not is_in_use(other)
    empty = shutil.copy(os.devnull, other.path)
    assert is_in_use(LogFile(empty, other.name, 0, 0.0)), "its writer may be about to lock it"
    os.utime(empty, (1_000_000_000, 1_000_000_000))
    assert not is_in_use(LogFile(empty, other.name, 0, 0.0)), "left by a process that was killed"
