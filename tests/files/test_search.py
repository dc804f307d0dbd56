"""Lines found by their bytes: the same ones as a reading of every line finds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from flowery_logging.files import occurrence
from flowery_logging.files.names import MAX_LINE_BYTES
from flowery_logging.files.reader import CHUNK_BYTES, LogFile, find, read
from flowery_logging.files.search import search, search_values
from tests.cli.events import Service


def the_file(path: Path) -> LogFile:
    (file,) = find(path.parent)
    return file


@pytest.fixture(params=["C library", "Python"])
def memmem(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "Python":
        monkeypatch.setattr(occurrence, "_memmem", None)


@pytest.mark.usefixtures("memmem")
def test_the_lines_that_hold_a_text(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    dice = random.Random(7)
    lines = [b"x" * dice.choice([0, 1, 80, 900, 40_000]) for _ in range(2000)]
    for place in range(0, 2000, 97):
        middle = len(lines[place]) // 2
        lines[place] = lines[place][:middle] + b"needle" + lines[place][middle:]
    service.raw(b"\n".join(lines))
    file = the_file(service.path)
    expected = [(line.offset, line.data) for line in read(file) if b"needle" in line.data]
    assert len(expected) == 21
    assert [(raw.offset, raw.data) for raw in search(file, [b"needle"])] == expected
    assert [
        (raw.offset, raw.data) for raw in search(file, [b"nothing", b"needle", b"n"])
    ] == expected
    assert list(search(file, [b"nothing"])) == []
    everything = [(line.offset, line.data, line.kind) for line in read(file)]
    assert [(r.offset, r.data, r.line().kind) for r in search(file)] == everything
    start, end = expected[5][0], expected[9][0]
    assert [raw.offset for raw in search(file, [b"needle"], start, end)] == [
        o for o, _ in expected[5:9]
    ]


def test_lines_about_as_long_as_a_block(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    sizes = [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 1, 0]
    service.raw(b"".join(b"a" * size + b"\n" for size in sizes) + b"aa")
    file = the_file(service.path)
    assert [len(raw.data) for raw in search(file)] == [*(size + 1 for size in sizes), 2]
    assert [len(raw.data) for raw in search(file, [b"aa"])] == [*(s + 1 for s in sizes[:4]), 2]


def test_an_endless_line_comes_in_pieces(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    service.raw(b"y" * (3 * MAX_LINE_BYTES))
    service.log(0, "behind it")
    service.log(1, "and another")
    file = the_file(service.path)
    found = list(search(file))
    assert b"".join(raw.data for raw in found) == service.path.read_bytes()
    assert max(len(raw.data) for raw in found) < 2 * MAX_LINE_BYTES
    assert [raw.line().kind.value for raw in found][-2:] == ["foreign", "event"]


def test_many_values_in_one_pass(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    for number in range(3000):
        service.log(number, "x" * (number % 700), trace__id=f"{number:032x}")
    service.log(1, "without one")
    file = the_file(service.path)
    wanted = [f"{number:032x}".encode() for number in (0, 5, 6, 1999, 2999, 77_777)]
    found = list(search_values(file, b'"trace":{"id":"', wanted))
    assert [raw.line().sequence for raw in found] == [1, 6, 7, 2000, 3000]
    assert list(search_values(file, b'"trace":{"id":"', [])) == []
