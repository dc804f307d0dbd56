"""A writer in a directory of its own, on a disk that can be told how to answer."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flowery_logging.counters import Counters
from flowery_logging.event_parts import Halves
from flowery_logging.files import FileSettings, LogFiles, Writer, crowd
from flowery_logging.files.removal import RetentionSettings
from flowery_logging.files.retention import Retention
from tests.files.interruptions import Handler, Interruption, as_ours

HALF, NOTHING = -1, -2

OLD = "s-20200101T000000Z-0123456789abcdef01234567-0001.ndjson"
"""A file that retention removes."""


def halves(text: str) -> Halves:
    return b'{"message":"%b","event":{' % text.encode(), b"}\n"


def record(kind: str, facts: dict[str, Any]) -> Halves:
    return json.dumps({"kind": kind, "facts": facts})[:-1].encode() + b',"event":{', b"}\n"


def identity(entity: str) -> tuple[bytes, bytes, bytes]:
    return b'"id":"%b-' % entity.encode(), b'","sequence":', b"}"


class Case:
    """A writer in a directory of its own, and what was logged with it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.max_bytes = 1_000_000
        self.keep_seconds = 1e9
        self.counters = Counters()
        self.writer = Writer(self.target, identity, record, self.counters)
        self.returned: list[str] = []
        self.is_child = False  # of a fork in the middle of a call
        self.may_repeat = False  # whole lines, under the same numbers

    def target(self, entity: str) -> LogFiles:
        keep = 1 << 40, self.keep_seconds
        return LogFiles(FileSettings(str(self.directory), "s", self.max_bytes, 1e6, *keep), entity)

    @property
    def place(self) -> Any:
        return self.writer._journal.target

    def log(self, text: str) -> None:
        self.writer.write(*halves(text))
        self.returned.append(text)

    def on_a_bad_day(self, *answers: int | None) -> None:
        """Let the next writes be answered so: by an error, or by half of what they are given.

        The last answer is given for ever; None is the disk's own.
        """
        write, left = os.write, list(answers)

        def answered(descriptor: int, line: bytes) -> int:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if answer == HALF:
                return write(descriptor, line[: len(line) // 2])
            if answer == NOTHING:
                return 0
            if answer is not None:
                raise OSError(answer, "a bad day")
            return write(descriptor, line)

        self.place.write = as_ours(answered)  # type: ignore[arg-type]

    def recover(self) -> None:
        self.place.write = os.write


def plain(case: Case) -> None:
    pass


def rotation(case: Case) -> None:
    case.place.max_size = case.place.size


def full(case: Case) -> None:
    case.on_a_bad_day(errno.ENOSPC)


def slow_reader(case: Case) -> None:
    case.on_a_bad_day(errno.EAGAIN, None)


def half_then_full(case: Case) -> None:
    case.on_a_bad_day(HALF, errno.ENOSPC)


def half_then_whole(case: Case) -> None:
    case.on_a_bad_day(HALF, None)


def nothing_for_ever(case: Case) -> None:
    case.on_a_bad_day(NOTHING)


def half_then_nothing(case: Case) -> None:
    case.on_a_bad_day(HALF, NOTHING)


def too_big_a_file(case: Case) -> None:
    case.on_a_bad_day(HALF, errno.EFBIG, errno.EFBIG, None)


def waiting(case: Case) -> None:
    full(case)
    case.log("waits 1")
    case.log("waits 2")
    case.recover()


def dropping(case: Case) -> None:
    case.writer._journal.backlog.max_bytes = 150
    full(case)
    case.log("waits")
    case.log("is dropped " + "x" * 100)


def dropped(case: Case) -> None:
    dropping(case)
    case.recover()


def removed(case: Case) -> None:
    case.place.look_at = 0.0
    case.may_repeat = True
    for path in case.directory.iterdir():
        path.unlink()


def removed_with_a_torn_line(case: Case) -> None:
    half_then_full(case)
    case.log("torn")
    removed(case)
    case.recover()


def closed_by_somebody(case: Case) -> None:
    case.may_repeat = True  # nothing can be learnt of a line then
    os.close(case.place.descriptor)


def another_file_by_now(case: Case) -> None:
    case.may_repeat = True
    case.place.look_at = 0.0
    with (case.directory / "foreign").open("wb") as foreign:
        os.dup2(foreign.fileno(), case.place.descriptor)


def postponed(case: Case) -> None:
    """The next file cannot be opened: its directory is a file by now."""
    rotation(case)
    case.place._settings = case.place._settings._replace(directory=f"{case.directory}/foreign/x")
    (case.directory / "foreign").touch()


def retention(case: Case) -> None:
    old = case.directory / OLD
    old.write_bytes(b'{"event":{"sequence":1}}\n')
    os.utime(old, (1, 1))
    case.keep_seconds = 1.0
    settings = RetentionSettings(str(case.directory), "s", 1 << 40, case.keep_seconds)
    case.place.retention = Retention(settings)
    case.place.retention.is_due = True
    case.place.look_at = 0.0


def interrupted_before(case: Case) -> None:
    half_then_full(case)

    def stop() -> None:
        raise Interruption

    try:
        with Handler(9, stop):
            case.writer.write(*halves("interrupted before"))
    except Interruption:
        pass
    half_then_whole(case)


def first(case: Case) -> None:
    """No file yet."""
    case.writer.close()
    for path in case.directory.iterdir():
        path.unlink()
    case.returned.clear()
    case.writer = Writer(case.target, identity, record, case.counters)


def follow(case: Case, lines: int) -> None:
    """Write lines as those of threads that follow one another."""
    with ThreadPoolExecutor(1) as other:
        for number in range(len(case.returned), len(case.returned) + lines):
            before, after = halves(f"of thread {number}")
            line = before, bytes(bytearray(after))  # another object in each thread
            other.submit(case.writer.write, *line).result() if number % 2 else case.writer.write(
                *line
            )
            case.returned.append(f"of thread {number}")


def nearly_a_crowd(case: Case) -> None:
    """The thread of the next line makes one of them."""
    follow(case, crowd.OFTEN - 1)
    case.writer._journal.thread = b""


def new_crowd(case: Case) -> None:
    follow(case, crowd.OFTEN)


def gathered_crowd(case: Case) -> None:
    follow(case, crowd.OFTEN + 1)


def crowd_whose_turn_is_lost(case: Case) -> None:
    gathered_crowd(case)
    case.writer._crowd._turn["turn"] = 0


STATES = [
    plain, first, rotation, full, slow_reader, half_then_full, half_then_whole, nothing_for_ever,
    half_then_nothing, too_big_a_file, waiting, dropping, dropped, removed,
    removed_with_a_torn_line, closed_by_somebody, another_file_by_now, postponed, retention,
    interrupted_before, nearly_a_crowd, new_crowd, gathered_crowd, crowd_whose_turn_is_lost,
]  # fmt: skip
